"""The travel rule between two banks (FATF R.16): who pays is told before the payee's bank attests.

    key    Ed25519(payee's bank, H("travel-key", network ‖ bank u32 ‖ X25519 key))
    sent   HPKE(key, IVMS101 JSON), info = "travel" ‖ 0x00 ‖ network ‖ from u32 ‖ to u32 ‖ txid
           Ed25519(payer's bank, H("travel-rule", network ‖ from u32 ‖ to u32 ‖ txid
                                   ‖ SHA-256(sent)))

From what amount on each bank's own policy says: one does not tell what another would like to know.
The payee's bank fills in who its client is; nobody else reads any of it.
"""

import hashlib
from collections import defaultdict
from dataclasses import dataclass

from specie.assembly.onboarding import Onboarding
from specie.bank.access import Operator
from specie.bank.compliance import Compliance
from specie.bank.service import VAULT_CLIENT, Bank
from specie.crypto.addresses import Address, format_address, parse_address
from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionSigner
from specie.crypto.signatures import sign_as_institution, verify_institution_signature
from specie.crypto.transit import TransitKey, seal_for
from specie.identity.participants import Participant
from specie.identity.roster import Roster, is_served
from specie.ports.clients import Client
from specie.ports.onboarding import Person
from specie.ports.travel import Identity, TravelRecord, TravelStore
from specie.remote import travel_models as said
from specie.remote import travel_operations as travel
from specie.remote.channel import Channel
from specie.remote.fields import Empty
from specie.remote.institutions import RemoteBanks
from specie.remote.ivms101 import (
    Beneficiary,
    BeneficiaryVasp,
    IdentityPayload,
    OriginatingVasp,
    Originator,
    describe_person,
    read_payload,
)
from specie.remote.ivms101 import Person as Person101
from specie.tokens.disclosures import PayeeView
from specie.values.catalogue import ErrorCode
from specie.values.encoding import u32
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ClientId,
    Digest,
    NetworkId,
    ParticipantNumber,
    PublicKey,
    TransactionId,
)


@dataclass(frozen=True, slots=True, repr=False)
class TravelDesk:
    """Of one bank, for both sides."""

    bank: Bank
    compliance: Compliance
    store: TravelStore
    transit: TransitKey
    key: InstitutionSigner
    channel: Channel

    # --- the payer's bank ----------------------------------------------------------------------

    def tell(self, number: ParticipantNumber, view: PayeeView) -> None:
        """Before another bank attests a payment of our client; below our policy's amount nothing.

        `unreachable`, and whatever that bank refuses it with.
        """
        _, policy = self.compliance.supervision.get_policy()
        txid = view.outline.compute_id()
        payer = None if policy.travel_from is None else self._find_payer(txid)
        if payer is None or policy.travel_from is None:
            return
        totals: dict[Address, int] = defaultdict(int)
        for one in view.outputs:
            opening = one.opening
            totals[Address(opening.bank, opening.view, opening.spend)] += opening.amount
        for payee, total in totals.items():
            if total >= policy.travel_from:
                self._send(number, txid, payer, payee)

    def _send(
        self, number: ParticipantNumber, txid: TransactionId, payer: Client, payee: Address
    ) -> None:
        peers = self.channel.peers
        name = peers.get_serving(number).name
        other = self._get_member(peers.get_serving(number).number)
        answer = self.channel.call(name, travel.GET_TRAVEL_KEY, Empty())
        message = compute_key_message(self._network, other.number, answer.key)
        verify_institution_signature(other.institution_key, message, answer.signature)
        data = self._describe(payer, payee, other).write()
        way = (self.bank.number, other.number)
        sealed = seal_for(answer.key, data.encode(), _bind(self._network, way, txid))
        signed = compute_travel_message(self._network, way, txid, sealed)
        signature = sign_as_institution(self.key, signed)
        now = self.bank.vault.surroundings.clock.now()
        record = TravelRecord(
            txid=txid,
            client=payer.id,
            is_originating=True,
            bank=other.number,
            time=now,
            data=data,
            signature=signature,
        )
        self.store.add(record)
        request = said.TravelMessage(txid=txid, sealed=sealed, signature=signature)
        self.channel.call(name, travel.TELL_TRAVEL, request)

    def _describe(self, payer: Client, payee: Address, other: Participant) -> IdentityPayload:
        prefix, own = self._roster.genesis.address_prefix, self._get_member(self.bank.number)
        number = tagged_hash("travel-customer", payer.address.view, payer.address.spend)
        person = describe_person(self._identify(payer), number[:16].hex())
        return IdentityPayload(
            originator=Originator(
                originator_persons=[person],
                account_number=[format_address(payer.address, prefix)],
            ),
            beneficiary=Beneficiary(account_number=[format_address(payee, prefix)]),
            originating_vasp=OriginatingVasp(originating_vasp=_describe_bank(own)),
            beneficiary_vasp=BeneficiaryVasp(beneficiary_vasp=_describe_bank(other)),
        )

    def _find_payer(self, txid: TransactionId) -> Client | None:
        """None: our vault pays, which is no client."""
        for one in self.bank.clients.find_movements(txid):
            if not one.is_incoming and one.client != VAULT_CLIENT:
                return self.bank.get_client(one.client)
        return None

    # --- the payee's bank ----------------------------------------------------------------------

    def show_key(self) -> said.TravelKey:
        """To other banks, with our word that it is ours."""
        key = PublicKey(self.transit.public)
        message = compute_key_message(self._network, self.bank.number, key)
        return said.TravelKey(key=key, signature=sign_as_institution(self.key, message))

    def receive(self, caller: ParticipantNumber, message: said.TravelMessage) -> None:
        """`signature_invalid`, `sealed_invalid`, `travel_data_invalid`, `client_unknown`.

        `order_conflict` if another bank has said before who pays this.
        """
        sender, way = self._get_member(caller), (caller, self.bank.number)
        signed = compute_travel_message(self._network, way, message.txid, message.sealed)
        verify_institution_signature(sender.institution_key, signed, message.signature)
        plain = self.transit.open(message.sealed, _bind(self._network, way, message.txid))
        payload = read_payload(plain)
        if payload.originating_vasp.originating_vasp != _describe_bank(sender):
            raise SpecieError(ErrorCode.TRAVEL_DATA_INVALID, "of another bank than its sender")
        prefix = self._roster.genesis.address_prefix
        [account] = payload.beneficiary.account_number
        payee = self.bank.find_client_at(parse_address(account, prefix))
        beneficiary = Beneficiary(
            beneficiary_persons=[describe_person(self._identify(payee))],
            account_number=[account],
        )
        complete = payload.model_copy(update={"beneficiary": beneficiary})
        record = TravelRecord(
            txid=message.txid,
            client=payee.id,
            is_originating=False,
            bank=caller,
            time=self.bank.vault.surroundings.clock.now(),
            data=complete.write(),
            signature=message.signature,
        )
        self.store.add(record)

    def check_teller(self, caller: ParticipantNumber, txid: TransactionId) -> None:
        """`travel_data_invalid` if another bank than who asks us to attest has said who pays.

        The payer's own bank asks, or its successor: what anybody else says of its client is worth
        nothing, whoever gave it the payment to tell of.
        """
        for teller in self.store.find_tellers(txid):
            if not is_served(teller, caller, self._roster):
                reason = f"bank {teller} has said who pays this, and bank {caller} asks for it"
                raise SpecieError(ErrorCode.TRAVEL_DATA_INVALID, reason)

    # --- the bank's people ---------------------------------------------------------------------

    def search(self, operator: Operator, query: said.TravelQuery) -> list[TravelRecord]:
        """In the access log before anything is shown."""
        subject = "" if query.txid is None else query.txid.hex()
        self.compliance.access.write(operator, "travel-data", query.client or "", subject)
        return list(self.store.load(query.client, query.txid, query.limit))

    def identify(self, operator: Operator, client: ClientId, identity: Identity) -> None:
        """What is known of a client from now on."""
        known = self.bank.get_client(client)
        self.compliance.access.write(operator, "identity", known.id)
        self.store.put_identity(known.id, identity)

    def _identify(self, client: Client) -> Identity:
        return self.store.find_identity(client.id) or Identity(primary=client.name)

    @property
    def _roster(self) -> Roster:
        return self.channel.peers.roster

    @property
    def _network(self) -> NetworkId:
        return self._roster.genesis.network

    def _get_member(self, number: ParticipantNumber) -> Participant:
        return self._roster.current.get(number)


def build_travel(
    compliance: Compliance,
    store: TravelStore,
    onboarding: Onboarding,
    channel: Channel,
    banks: RemoteBanks,
) -> TravelDesk:
    """Other banks are told before they attest."""
    transit, key = onboarding.store.transit, channel.speaker.key
    desk = TravelDesk(onboarding.bank, compliance, store, transit, key, channel)
    banks.tell_first = desk.tell
    return desk


def read_identity(person: Person) -> Identity:
    """Of what an applicant has shown, as much as other banks may have to be told."""
    data, registered = person.data, person.data.get("registration-number", "")
    return Identity(
        primary=data.get("surname") or person.name,
        secondary=data.get("given-names", "") if "surname" in data else "",
        is_legal=bool(registered),
        birth_date=data.get("birth-date", ""),
        birth_place=data.get("birth-place", ""),
        national_id=(registered or data.get("document", ""))[:35],
    )


def compute_key_message(network: NetworkId, bank: ParticipantNumber, key: bytes) -> Digest:
    """What the payee's bank signs."""
    return tagged_hash("travel-key", network, u32(bank), key)


def compute_travel_message(
    network: NetworkId,
    way: tuple[ParticipantNumber, ParticipantNumber],
    txid: TransactionId,
    sealed: bytes,
) -> Digest:
    """What the payer's bank signs; `way` is from whom to whom."""
    digest = hashlib.sha256(sealed).digest()
    return tagged_hash("travel-rule", network, *(u32(one) for one in way), txid, digest)


def _bind(
    network: NetworkId, way: tuple[ParticipantNumber, ParticipantNumber], txid: TransactionId
) -> bytes:
    return b"".join((b"travel\0", network, *(u32(one) for one in way), txid))


def _describe_bank(member: Participant) -> Person101:
    return describe_person(Identity(primary=member.name, is_legal=True))
