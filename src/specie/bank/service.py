"""A bank as an institution: `BankPort` for others, clients and vault for itself (T3, T6, T9, T20).

The bank's vault is a holder like any other; it is watched as the client `VAULT_CLIENT`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from specie.bank.attestation import (
    Attester,
    check_conserved,
    check_network,
    rebuild_outputs,
    rebuild_revealed,
)
from specie.bank.deposits import DepositBooks
from specie.crypto.addresses import Address
from specie.crypto.secrets import ScanKey, ViewKey
from specie.ledger.promises import verify_promise
from specie.ledger.records import Attestation, AttestationRole, Claim, Output
from specie.ledger.transactions import Promise
from specie.ports.clients import Client, ClientStatus, ClientStore, Movement, WatchedToken
from specie.tokens.building import BuiltTransaction
from specie.tokens.disclosures import PayeeView
from specie.tokens.holdings import Token
from specie.tokens.scanning import scan_for_clients
from specie.values.amounts import check_minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, OutputRef, ParticipantNumber, TransactionId
from specie.wallet.vault import Vault

VAULT_CLIENT: Final = ClientId("vault")

_Owned = tuple[Client, Token]


@dataclass(frozen=True, slots=True, repr=False)
class BankKeys:
    """Secrets of the institution besides its vault's."""

    attester: Attester
    scan_key: ScanKey


class Bank:
    """`BankPort`, in this process."""

    def __init__(
        self, name: str, keys: BankKeys, vault: Vault, clients: ClientStore, books: DepositBooks
    ) -> None:
        self.number: ParticipantNumber = keys.attester.number
        self.vault = vault
        self.vault_address: Address = vault.keys.address
        self.books = books
        self._keys = keys
        self._clients = clients
        self._roster = keys.attester.roster
        self._clock = vault.surroundings.clock
        if clients.find_client(VAULT_CLIENT) is None:
            standing = ClientStatus.GOOD
            own = Client(VAULT_CLIENT, name, self.vault_address, vault.keys.view, standing)
            clients.add_client(own)

    def open_wallet(self, client: ClientId, name: str, address: Address, view: ViewKey) -> None:
        """Register a client's wallet and deposit account, after identifying the person (T3).

        Idempotent; `client_exists` if the id or the address is taken by another.
        """
        if address.bank != self.number or view.public != address.view:
            raise SpecieError(ErrorCode.NOT_SERVED_HERE, "the address is not one of this bank")
        known = self._clients.find_client(client)
        if known is None or (known.name, known.address) != (name, address):
            self._clients.add_client(Client(client, name, address, view, ClientStatus.GOOD))
        self.books.open_deposit(client)

    def block(self, client: ClientId) -> None:
        """Stop attesting for a client; its money stays where it is."""
        self._clients.set_status(client, ClientStatus.BLOCKED)

    def unblock(self, client: ClientId) -> None:
        """Attest again."""
        self._clients.set_status(client, ClientStatus.GOOD)

    def attest_payment(self, built: BuiltTransaction) -> Attestation:
        """As the payer's bank: recompute the whole payment, record it, then sign."""
        body = built.signed.body
        check_network(body, self._roster)
        outputs = rebuild_outputs(built, self._roster)
        inputs = self._get_inputs(body.inputs, body.txid)
        check_conserved([one.token for one in inputs], outputs, body.supply_change)
        payer = self._get_payer(inputs)
        spent = sum(one.token.amount for one in inputs)
        ours = {
            index: self._get_owner(token)
            for index, token in enumerate(outputs)
            if token.opening.bank == self.number
        }
        owned = [(ours[index], outputs[index]) for index in ours]
        self._check_standing(body.txid, [payer, *ours.values()])
        movements = self._list_movements(body.txid, (payer, spent), owned)
        pairs = [(owner.id, token) for owner, token in owned]
        self._clients.record_attested(body.txid, body.inputs, pairs, movements)
        role = AttestationRole.BOTH if len(ours) == len(outputs) else AttestationRole.PAYER
        owners = {payer.id, *(owner.id for owner in ours.values())}
        attester = self._keys.attester
        return attester.attest(body.txid, role, len(body.inputs), list(ours), _get_claim(owners))

    def attest_receipt(self, view: PayeeView) -> Attestation:
        """As a payee's bank: check what is shown, record it, then sign for it."""
        tokens = rebuild_revealed(view, self._roster, self.number)
        txid = view.outline.compute_id()
        owned = [(self._get_owner(token), token) for token in tokens]
        self._check_standing(txid, [owner for owner, _ in owned])
        movements = self._list_movements(txid, None, owned)
        pairs = [(owner.id, token) for owner, token in owned]
        self._clients.record_attested(txid, (), pairs, movements)
        claim = _get_claim({owner.id for owner, _ in owned})
        indexes = [shown.index for shown in view.outputs]
        return self._keys.attester.attest(txid, AttestationRole.PAYEE, 0, indexes, claim)

    def deliver(self, promise: Promise) -> None:
        """The transaction is final; our clients' outputs are theirs, the vault's are ours."""
        verify_promise(promise, self._roster)
        found = self._clients.finalise(promise.txid)
        own = [one.token.output for one in found if one.client == VAULT_CLIENT]
        if own:
            self.vault.receive(own)

    def fetch_outputs(self, client: ClientId) -> list[Output]:
        """What is final and not yet on the client's device, which checks it for itself."""
        return self._clients.load_undelivered(client)

    def confirm_fetched(self, client: ClientId, refs: Sequence[OutputRef]) -> None:
        """The device has recorded these."""
        self._clients.mark_delivered(client, refs)

    def load_movements(self, client: ClientId) -> list[Movement]:
        """What this client paid and received, as far as its bank attested it (T20)."""
        return self._clients.load_movements(client)

    def scan_published(self, outputs: Sequence[Output]) -> int:
        """Find our clients' outputs among published ones by their hints; gives how many were new.

        What a client is owed is then known even if nobody ever told us (T11).
        """
        clients = self._clients.load_clients()
        member = self._roster.current.get(self.number)
        watched = [(client.view_key, client.address.spend) for client in clients]
        found = scan_for_clients(outputs, watched, member, self._keys.scan_key)
        pairs = [(clients[one.client].id, one.token) for one in found]
        fresh = self._clients.add_found(pairs)
        own = [one.token.output for one in found if clients[one.client].id == VAULT_CLIENT]
        if own:
            self.vault.receive(own)
        return fresh

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

    def _get_owner(self, token: Token) -> Client:
        opening = token.opening
        address = Address(opening.bank, opening.view, opening.spend)
        return _get_known(self._clients.find_by_address(address))

    def _check_standing(self, txid: TransactionId, clients: Sequence[Client]) -> None:
        """Nobody blocked, but for what was attested before: a retry gets the same answer."""
        if self._clients.is_attested(txid):
            return
        if any(client.status is not ClientStatus.GOOD for client in clients):
            raise SpecieError(ErrorCode.CLIENT_BLOCKED, "a client is blocked")

    def _list_movements(
        self, txid: TransactionId, payer: tuple[Client, int] | None, owned: Sequence[_Owned]
    ) -> list[Movement]:
        """What each client receives, and what the payer spends without what comes back to it."""
        now = self._clock.now()
        payer_id = payer[0].id if payer else None
        movements = [
            Movement(txid, owner.id, token.amount, now, is_incoming=True, is_final=False)
            for owner, token in owned
            if owner.id != payer_id
        ]
        if payer is not None:
            client, spent = payer
            change = sum(token.amount for owner, token in owned if owner.id == client.id)
            amount = check_minor(spent - change)
            movements.append(
                Movement(txid, client.id, amount, now, is_incoming=False, is_final=False)
            )
        return movements


def _get_known(client: Client | None) -> Client:
    if client is None:
        raise SpecieError(ErrorCode.CLIENT_UNKNOWN, "no client of ours has this address")
    return client


def _get_claim(owners: set[ClientId]) -> Claim:
    """`VAULT` only if nothing but our own vault is concerned."""
    return Claim.VAULT if owners == {VAULT_CLIENT} else Claim.CLIENT
