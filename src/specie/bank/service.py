"""A bank as an institution: `BankPort` for others, clients and vault for itself (T3, T6, T9, T20).

The bank's vault is a holder like any other; it is watched as the client `VAULT_CLIENT`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from specie.bank.arrivals import (
    book_arrivals,
    check_announced,
    check_order,
    check_own_deposit,
    is_from,
)
from specie.bank.attestation import (
    Attester,
    check_conserved,
    check_counts,
    check_network,
    check_not_empty,
    check_window_near,
    rebuild_outputs,
    rebuild_revealed,
)
from specie.bank.deposits import (
    DepositBooks,
    check_client_id,
    derive_vault_entry,
    name_issue,
)
from specie.bank.losses import BLOCKED_BY, get_heir
from specie.bank.movements import Owned, get_address, list_movements, list_others
from specie.bank.succession import (
    ExportedClient,
    export_client,
    open_exported,
    take_over,
    unpack_own_token,
)
from specie.bank.supervision import Unsupervised
from specie.bank.teller import Teller
from specie.bank.tracing import trace_double_spend
from specie.crypto.addresses import Address
from specie.crypto.secrets import ScanKey, SealingKey, ViewKey
from specie.identity.participants import Role
from specie.identity.roster import is_served
from specie.ledger.outline import Outline
from specie.ledger.promises import verify_promise
from specie.ledger.records import Attestation, AttestationRole, Claim, Output
from specie.ledger.transactions import Promise, VoidPromise
from specie.ports.clients import (
    Client,
    ClientStatus,
    ClientStore,
    ExpectedArrival,
    Movement,
    WatchedToken,
)
from specie.ports.journal import Journal
from specie.ports.notary import NotaryPort
from specie.ports.paid import PaidOutputs
from specie.ports.supervision import Supervisor
from specie.tokens.building import BuiltTransaction
from specie.tokens.disclosures import PayeeView
from specie.tokens.holdings import Token
from specie.tokens.scanning import scan_for_clients
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ClientId,
    OrderId,
    OutputRef,
    ParticipantNumber,
    TransactionId,
)
from specie.wallet.vault import Vault

VAULT_CLIENT: Final = ClientId("vault")

CheckPayment = Callable[[Client, BuiltTransaction], None]
"""A rule for payments of clients: raises, or lets the payment be attested for the first time."""


@dataclass(frozen=True, slots=True, repr=False)
class _Seen:
    """Of a payment, as it was looked at: whose it is stays so until it is recorded."""

    payer: Client | None
    ours: dict[int, Client]
    owned: Sequence[Owned]
    movements: list[Movement]
    outputs: Sequence[Token]  # as far as this bank was shown them


@dataclass(frozen=True, slots=True, repr=False)
class BankKeys:
    """Secrets of the institution besides its vault's."""

    attester: Attester
    scan_key: ScanKey


class Bank:
    """`BankPort`, in this process."""

    def __init__(
        self,
        name: str,
        keys: BankKeys,
        vault: Vault,
        clients: ClientStore,
        books: DepositBooks,
        journal: Journal,
        teller: Teller | None = None,
        supervisor: Supervisor | None = None,
    ) -> None:
        self.number: ParticipantNumber = keys.attester.number
        self.vault = vault
        self.vault_address: Address = vault.keys.address
        self.books = books
        self.journal = journal
        self.teller = teller or Teller(books)
        self._keys = keys
        self._clients = clients
        self._supervisor = supervisor or Unsupervised()
        self._roster = keys.attester.roster
        self._clock = vault.surroundings.clock
        self.checks: list[CheckPayment] = []  # each may refuse, before anything is attested
        self.paid: PaidOutputs | None = None  # what clients pay to others, where it is kept
        if clients.find_client(VAULT_CLIENT) is None:
            standing = ClientStatus.GOOD
            own = Client(VAULT_CLIENT, name, self.vault_address, vault.keys.view, standing)
            clients.add_client(own)

    def open_wallet(
        self,
        client: ClientId,
        name: str,
        address: Address,
        view: ViewKey,
        status: ClientStatus = ClientStatus.GOOD,
    ) -> None:
        """Register a client's wallet and deposit account, after identifying the person (T3).

        Idempotent; `client_exists` if the id or the address is taken by another.
        """
        is_ours = address.bank == self.number or is_served(address.bank, self.number, self._roster)
        if not is_ours or view.public != address.view:
            raise SpecieError(ErrorCode.NOT_SERVED_HERE, "the address is not one of this bank")
        check_client_id(client)
        self._add_client(Client(client, name, address, view, status))
        self.books.open_deposit(client)

    def _add_client(self, client: Client) -> None:
        """Again is nothing, at the same moment too."""
        try:
            self._clients.add_client(client)
        except SpecieError as error:
            known = self._clients.find_client(client.id)
            mine = (client.name, client.address)
            is_same = known is not None and (known.name, known.address) == mine
            if error.code is not ErrorCode.CLIENT_EXISTS or not is_same:
                raise

    @property
    def clients(self) -> ClientStore:
        """Where it keeps them."""
        return self._clients

    def block(self, client: ClientId) -> None:
        """Stop attesting for a client, with its next wallet if this one is lost."""
        self._change_status(client, BLOCKED_BY)

    def unblock(self, client: ClientId) -> None:
        """Attest again; what is lost or closed stays so."""
        self._change_status(client, {after: before for before, after in BLOCKED_BY.items()})

    def _change_status(self, client: ClientId, to: Mapping[ClientStatus, ClientStatus]) -> None:
        with self._clients.recording():
            status = self.get_client(client).status
            if status not in {*to, *to.values()}:
                raise SpecieError(ErrorCode.CLIENT_BLOCKED, f"the wallet is {status.value}")
            self._clients.set_status(client, to.get(status, status))

    def get_client(self, client: ClientId) -> Client:
        """`client_unknown` if there is none of this id."""
        return _get_known(self._clients.find_client(client))

    def find_client_at(self, address: Address) -> Client:
        """`client_unknown` if nobody of ours has this address."""
        return _get_known(self._clients.find_by_address(address))

    def check_good(self, client: ClientId) -> None:
        """`client_blocked` unless we would attest for it."""
        self._check_good([self.get_client(client)])

    def is_attested(self, txid: TransactionId) -> bool:
        """Whether we have recorded it, and so may have signed."""
        return self._clients.is_attested(txid)

    def check_payer(self, client: ClientId, built: BuiltTransaction) -> None:
        """`not_served_here` unless all inputs are this client's, whoever asks in its name."""
        known = self._clients.find_tokens(built.signed.body.inputs)
        owners = {known[ref].client for ref in built.signed.body.inputs if ref in known}
        whose = {get_heir(one) or one for one in owners}
        if len(known) != len(built.signed.body.inputs) or whose != {client}:
            raise SpecieError(ErrorCode.NOT_SERVED_HERE, "an input is not this client's")

    def export_clients(self, key: SealingKey) -> list[ExportedClient]:
        """For our successor: everybody but the vault, with what is theirs and unspent."""
        clients = [one for one in self._clients.load_clients() if one.id != VAULT_CLIENT]
        return [export_client(one, self._clients, key) for one in clients]

    def import_clients(self, exported: Sequence[ExportedClient], key: SealingKey) -> int:
        """Clients of a bank whose successor we are (T2); again is the same. Gives the new ones.

        `not_served_here` if we are not, or a view key is not the address's.
        """
        fresh = 0
        for one in exported:
            client = open_exported(one, key)
            if not is_served(client.address.bank, self.number, self._roster):
                raise SpecieError(ErrorCode.NOT_SERVED_HERE, "we are not that bank's successor")
            if self._clients.find_by_address(client.address) is None:
                self._clients.add_client(client)
                self.books.open_deposit(client.id)
                fresh += 1
            take_over(one, key, self._clients, self._roster)
        return fresh

    def unpack_claimed(self, client: ClientId, tokens: Sequence[bytes]) -> list[Token]:
        """Tokens of a client whose bank is lost, as it shows them; each once, each its own."""
        is_here = self.get_client(client).address.bank == self.number
        if is_here or len({*tokens}) != len(tokens):
            raise SpecieError(ErrorCode.NOT_SERVED_HERE, "tokens of a lost bank, each once")

        def is_own(one: Address) -> bool:
            owner = self._clients.find_by_address(one)
            return owner is not None and owner.id == client

        return [unpack_own_token(one, is_own, self._roster) for one in tokens]

    def add_tokens(self, client: ClientId, tokens: Sequence[Token]) -> None:
        """Tokens that are this client's, final and unspent; known ones are left alone."""
        self._clients.add_found([(client, token) for token in tokens])

    def attest_payment(self, built: BuiltTransaction) -> Attestation:
        """As the payer's bank: recompute the whole payment, record it, then sign."""
        body = built.signed.body
        check_counts(len(body.inputs), len(body.outputs))
        check_network(body, self._roster)
        outputs = rebuild_outputs(built, self._roster)
        seen: list[_Seen] = []
        policy = self._admit(
            body.txid,
            lambda: self._look_at_payment(built, outputs, seen),
            lambda: self._record(body.txid, body.inputs, seen[0]),
        )
        payer, ours = seen[0].payer, seen[0].ours
        assert payer is not None, "looked at above"
        role = AttestationRole.BOTH if len(ours) == len(outputs) else AttestationRole.PAYER
        owners = {payer.id, *(owner.id for owner in ours.values())}
        attester, indexes = self._keys.attester, list(ours)
        claim = Claim.VAULT if owners == {VAULT_CLIENT} else Claim.CLIENT
        return attester.attest(body.txid, role, len(body.inputs), indexes, claim, policy)

    def _look_at_payment(
        self, built: BuiltTransaction, outputs: Sequence[Token], seen: list[_Seen]
    ) -> list[Movement]:
        """Whose it is, and whether it may go; gives what is to be judged."""
        body = built.signed.body
        inputs = self._get_inputs(body.inputs, body.txid)
        check_conserved([one.token for one in inputs], outputs, body.supply_change)
        payer = self._get_payer(inputs)
        check_not_empty(outputs, payer.address)
        ours = self._find_owners(outputs)
        owned = [(ours[index], outputs[index]) for index in ours]
        if self._is_fresh(body.outline):
            self._check_payer(payer, ours, len(outputs))
            if payer.id != VAULT_CLIENT:
                check_own_deposit(payer.id, self._list_vaults(owned), self._clients.find_expected)
            for check in self.checks:
                check(payer, built)
        spent = sum(one.token.amount for one in inputs)
        vault = (VAULT_CLIENT, self._clock.now())
        movements = list_movements(body.outline, (payer, spent), outputs, owned, vault)
        seen.append(_Seen(payer, ours, owned, movements, outputs))
        return movements

    def attest_receipt(self, view: PayeeView) -> Attestation:
        """As a payee's bank: check what is shown, record it, then sign for it."""
        check_counts(0, len(view.outline.slots))
        tokens = rebuild_revealed(view, self._roster, self.number)
        check_not_empty(tokens, self.vault_address if view.outline.supply_change > 0 else None)
        txid = view.outline.compute_id()
        if view.outline.supply_change > 0:
            self._clients.expect(ExpectedArrival(name_issue(txid), sender=self._issuer))
        seen: list[_Seen] = []
        policy = self._admit(
            txid,
            lambda: self._look_at_receipt(view.outline, tokens, seen),
            lambda: self._record(txid, (), seen[0]),
        )
        owned = seen[0].owned
        is_vault = {owner.id for owner, _ in owned} == {VAULT_CLIENT}
        claim = Claim.VAULT if is_vault else Claim.CLIENT  # nothing else is concerned
        indexes = [shown.index for shown in view.outputs]
        attester = self._keys.attester
        return attester.attest(txid, AttestationRole.PAYEE, 0, indexes, claim, policy)

    def _look_at_receipt(
        self, outline: Outline, tokens: Sequence[Token], seen: list[_Seen]
    ) -> list[Movement]:
        """The same of a payment of which only our clients' outputs are shown."""
        owned = [(self._get_owner(token), token) for token in tokens]
        if self._is_fresh(outline):
            self._check_good(owner for owner, _ in owned)
            if outline.supply_change <= 0:
                check_announced(self._list_vaults(owned), self._clients.find_expected)
        vault = (VAULT_CLIENT, self._clock.now())
        movements = list_movements(outline, None, tokens, owned, vault)
        seen.append(_Seen(None, {}, owned, movements, tokens))
        return movements

    def deliver(self, promise: Promise) -> None:
        """The transaction is final; our clients' outputs are theirs, the vault's are ours.

        What arrived in the vault under an expected order is booked, each output once: the amount
        is the output's, whatever anybody says of it.
        """
        verify_promise(promise, self._roster)
        found = self._clients.finalise(promise.txid)
        own = [one.token for one in found if one.client == VAULT_CLIENT]
        if own:
            self.vault.receive([token.output for token in own])
        if own and not is_from(VAULT_CLIENT, self._clients.find_movements(promise.txid)):
            find = self._clients.find_expected
            book_arrivals(promise.txid, own, find, self.teller, self._issuer)

    def expect_deposit(self, order: OrderId, client: ClientId) -> None:
        """What arrives in our vault under this order is a deposit of this client (T19)."""
        check_order(order)
        _get_known(self._clients.find_client(client))
        self.teller.get_account(client)
        self._clients.expect(ExpectedArrival(order, client=client), self._clock.now())

    def expect_transfer(self, order: OrderId, sender: ParticipantNumber) -> None:
        """What arrives in our vault under this order is vault money of that bank (P14)."""
        check_order(order)
        self._clients.expect(ExpectedArrival(order, sender=sender))

    def book_sent_transfer(self, promise: Promise, receiver: ParticipantNumber) -> None:
        """What really left our vault with this transaction is due from that bank (P14)."""
        verify_promise(promise, self._roster)
        for one in self._clients.find_movements(promise.txid):
            is_sent = one.client == VAULT_CLIENT and one.is_final and not one.is_incoming
            if is_sent and one.amount:
                entry = derive_vault_entry(promise.txid)
                self.books.send_vault_money(entry, receiver, one.amount)

    def count_vault(self) -> Minor:
        """For a stock-taking: tokens of our vault, by our books (P5)."""
        return self.books.get_vault()

    def identify(
        self, evidence: bytes, notary: NotaryPort, defence: Sequence[VoidPromise] = ()
    ) -> Client:
        """Whose token was spent twice: from evidence that holds, and what we know (T15).

        `client_unknown` if the output is of no client of ours.
        """
        ref = trace_double_spend(evidence, notary, defence, self._roster)
        watched = self._clients.find_tokens([ref]).get(ref)
        return _get_known(self._clients.find_client(watched.client) if watched else None)

    def fetch_outputs(self, client: ClientId) -> list[Output]:
        """What is final and not yet on the client's device, which checks it for itself."""
        return self._clients.load_undelivered(client)

    def load_outputs(self, client: ClientId) -> list[Output]:
        """For a device that restores: all that was ever this client's; it checks it (T19)."""
        return self._clients.load_outputs(client)

    def confirm_fetched(self, client: ClientId, refs: Sequence[OutputRef]) -> None:
        """The device has recorded these."""
        self._clients.mark_delivered(client, refs)

    def load_movements(
        self, client: ClientId, start: int = 0, limit: int | None = None
    ) -> list[Movement]:
        """What this client paid and received, as far as its bank attested it (T20)."""
        return self._clients.load_movements(client, start, limit)

    def scan_published(self, outputs: Sequence[Output]) -> int:
        """Find our clients' outputs among published ones by their hints; gives how many were new.

        What a client is owed is then known even if nobody ever told us (T11).
        """
        clients = self._clients.load_clients()
        member = self._roster.current.get(self.number)
        watched = [(client.view_key, client.address.spend) for client in clients]
        found = scan_for_clients(outputs, watched, member, self._keys.scan_key)
        pairs = [(clients[one.client].id, one.token) for one in found]
        known = self._clients.find_tokens([output.ref for output in outputs])
        pairs += [(one.client, one.token) for one in known.values() if not one.is_final]
        fresh = self._clients.add_found(pairs)
        own = [one.token.output for one in found if clients[one.client].id == VAULT_CLIENT]
        if own:
            self.vault.receive(own)
        return fresh

    @property
    def _issuer(self) -> ParticipantNumber:
        members = self._roster.current.participants.values()
        return next(one.number for one in members if one.role is Role.CENTRAL_BANK)

    def _get_inputs(self, refs: Sequence[OutputRef], txid: TransactionId) -> list[WatchedToken]:
        known = self._clients.find_tokens(refs)
        inputs = []
        for ref in refs:
            one = known.get(ref)
            if one is None or not one.is_final:
                raise SpecieError(ErrorCode.NOT_SERVED_HERE, "an input is not of our clients")
            if one.spent_by not in (None, txid):
                raise SpecieError(ErrorCode.INPUT_SPENT, "an input is spent already")
            inputs.append(one)
        return inputs

    def _get_payer(self, inputs: Sequence[WatchedToken]) -> Client:
        owners = {one.client for one in inputs}
        if len(owners) != 1:
            raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "inputs of one client, at least one")
        return _get_known(self._clients.find_client(owners.pop()))

    def _find_owners(self, outputs: Sequence[Token]) -> dict[int, Client]:
        """Our clients' outputs, with those that we have taken over of a bank that we succeed."""
        owners: dict[int, Client] = {}
        for index, token in enumerate(outputs):
            bank = token.opening.bank
            if bank == self.number:
                owners[index] = self._get_owner(token)
            elif is_served(bank, self.number, self._roster):
                known = self._clients.find_by_address(get_address(token))
                owners |= {} if known is None else {index: known}
        return owners

    @staticmethod
    def _list_vaults(owned: Sequence[Owned]) -> list[Token]:
        return [token for owner, token in owned if owner.id == VAULT_CLIENT]

    def _get_owner(self, token: Token) -> Client:
        return _get_known(self._clients.find_by_address(get_address(token)))

    def _is_fresh(self, outline: Outline) -> bool:
        """Whether it was not attested before: a retry gets the same answer, whoever is blocked."""
        if self._clients.is_attested(outline.compute_id()):
            return False
        check_window_near(outline, self._clock.now())
        return True

    def _check_good(self, clients: Iterable[Client]) -> None:
        """Within the transaction that records: a block holds from its first moment on."""
        if any(client.status is not ClientStatus.GOOD for client in clients):
            raise SpecieError(ErrorCode.CLIENT_BLOCKED, "a client is blocked")

    def _check_payer(self, payer: Client, ours: dict[int, Client], outputs: int) -> None:
        """A wallet that was lost pays its owner's new address and itself; others must be good."""
        heir, others = get_heir(payer.id), [one for one in ours.values() if one.id != payer.id]
        is_inside = len(ours) == outputs and all(one.id == heir for one in others)
        if payer.status.is_lost and heir is not None and is_inside:
            self._check_good(others)
        else:
            self._check_good([payer, *others])

    def _admit(
        self,
        txid: TransactionId,
        look: Callable[[], list[Movement]],
        record: Callable[[], None],
    ) -> int:
        """Looked at, judged and recorded, or refused; the vault is judged by nobody."""
        return self._supervisor.admit(
            txid, lambda: [one for one in look() if one.client != VAULT_CLIENT], record
        )

    def _record(self, txid: TransactionId, inputs: Sequence[OutputRef], seen: _Seen) -> None:
        pairs = [(owner.id, one) for owner, one in seen.owned]
        self._clients.record_attested(txid, inputs, pairs, seen.movements)
        if self.paid is not None and seen.payer is not None:
            payer = seen.payer.id
            self.paid.record(payer, txid, list_others(payer, seen.outputs, seen.owned))


def _get_known(client: Client | None) -> Client:
    if client is None:
        raise SpecieError(ErrorCode.CLIENT_UNKNOWN, "no client of ours has this address")
    return client
