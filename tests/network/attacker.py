"""Bank 3 in an attacker's hands: its folder, its keys and its connections, in this process."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from specie.assembly.bank_process import BankProcess, build_bank
from specie.assembly.foundation import open_foundation
from specie.bank.attestation import Attester
from specie.crypto.addresses import Address
from specie.crypto.secrets import KeyTree
from specie.flows.payment import complete_payment
from specie.ledger.records import Attestation, AttestationRole, Claim, SupplySection
from specie.ledger.transactions import AttestedTransaction, Promise
from specie.ledger.wire import encode_attested
from specie.remote.institutions import RemoteBank, RemoteNotary
from specie.store.vault_store import VaultDatabase
from specie.tokens.building import BuildContext, BuiltTransaction, PaymentOrder, build_payment
from specie.tokens.holdings import HolderKeys, Memo, Token, derive_keys
from specie.values.amounts import Minor
from specie.values.identifiers import ParticipantNumber
from tests.network.pilot import Pilot, draw

NUMBER = ParticipantNumber(3)


@dataclass(slots=True)
class Attacker:
    """It signs what it likes; nothing of the bank's own caution is asked."""

    process: BankProcess

    @property
    def notary(self) -> RemoteNotary:
        return self.process.notary

    @property
    def context(self) -> BuildContext:
        return self.process.bank.vault.surroundings.build_context()

    @property
    def holder(self) -> HolderKeys:
        return derive_keys(self.process.base.keys.get("tree", KeyTree.unseal), 0, NUMBER)

    def list_tokens(self) -> list[Token]:
        """Of its vault, the largest first."""
        base = self.process.base
        store = VaultDatabase(base.database).open_holder(
            "vault", base.keys.get_sealing_key("vault")
        )
        found = [one.token for one in store.load_available()]
        return sorted(found, key=lambda token: -token.amount)

    def build(self, payee: Address, amount: int, token: Token) -> BuiltTransaction:
        order = PaymentOrder(payee, Minor(amount), Memo())
        return build_payment([order], [token], self.holder, self.context)

    def attest(
        self, built: BuiltTransaction, role: AttestationRole, outputs: Sequence[int]
    ) -> Attestation:
        """Whatever it is that is attested."""
        base = self.process.base
        member = base.peers.roster.current.get(NUMBER)
        key = base.own.find_attestation(member.attestation_key)
        attester = Attester(NUMBER, key, base.peers.roster)
        inputs = 0 if role is AttestationRole.PAYEE else len(built.signed.body.inputs)
        return attester.attest(built.signed.txid, role, inputs, outputs, Claim.VAULT)

    def list_outputs(self, built: BuiltTransaction) -> list[int]:
        """Those that are its own."""
        openings = enumerate(built.disclosure.openings)
        return [index for index, one in openings if one.bank == NUMBER]

    def ask_bank(self, built: BuiltTransaction, number: int) -> Attestation:
        """What the payee's bank says of what it is shown."""
        other = RemoteBank(self.process.base.channel, ParticipantNumber(number))
        return other.attest_receipt(built.build_payee_view(other.number))

    def notarise(self, built: BuiltTransaction, *attestations: Attestation) -> Promise:
        attested = AttestedTransaction(built.signed, attestations)
        return self.notary.notarise(encode_attested(attested))

    def deliver(self, promise: Promise, number: int) -> None:
        """To another bank."""
        other = RemoteBank(self.process.base.channel, ParticipantNumber(number))
        other.deliver(promise)

    def supply(self, built: BuiltTransaction, section: SupplySection) -> BuiltTransaction:
        """With what a change of the supply carries besides."""
        return replace(built, signed=replace(built.signed, supply=section))


def split(process: BankProcess) -> None:
    """Some tokens to try with; as the bank does it itself."""
    vault = process.bank.vault
    prepared = vault.prepare_split(draw())
    promise = complete_payment(prepared.built, process.bank, process.banks, process.notary)
    vault.settle(prepared.payment_id, promise)


@contextmanager
def attacking_as_bank_3(pilot: Pilot) -> Iterator[Attacker]:
    """Its own process ends: the bank is what we make of it."""
    pilot.kill("bank-3")
    process = build_bank(open_foundation(pilot.data / "bank-3", pilot.get_passphrase("bank-3")))
    try:
        split(process)
        yield Attacker(process)
    finally:
        process.close()
