"""Parties that break one rule each, for a simulated country to find."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from secrets import token_bytes
from typing import Any, Final

from specie.assembly.losses import Losses
from specie.bank.deposits import DepositBooks
from specie.bank.directory import BankDirectory
from specie.bank.service import Bank
from specie.bank.teller import Teller
from specie.books.entries import Posting
from specie.directory.answers import RecordedEntry
from specie.directory.entries import Authority, SignedEntry, sign_as_bank, sign_as_owner
from specie.ledger.records import Attestation
from specie.ledger.wire import decode_signed
from specie.notary.service import Notary
from specie.ports.core_bank import CreditReason
from specie.ports.directory import StoredEntry
from specie.simulation.country import HOMES, Country
from specie.simulation.world import Machine
from specie.store.database import Database
from specie.tokens.building import PaymentOrder, build_payment
from specie.tokens.disclosures import PayeeView
from specie.values.amounts import Minor
from specie.values.identifiers import AccountName, ClientId, Digest, EntryId
from specie.values.phones import PhoneNumber
from specie.wallet.vault import PreparedPayment, Vault

BANKS: Final = ("bank-2", "bank-3")


class Resigning(Vault):
    """Asked again for a payment, it signs for the same tokens anew."""

    def prepare_payment(self, orders: Sequence[PaymentOrder], payment_id: bytes) -> PreparedPayment:
        """Other outputs each time."""
        known = self.find_payment(payment_id)
        prepared = super().prepare_payment(orders, payment_id)
        if known is None:
            return prepared
        inputs = decode_signed(known.data).body.inputs
        tokens = [token for ref in inputs if (token := self._store.find_token(ref))]
        context = self.surroundings.build_context()
        return PreparedPayment(payment_id, build_payment(orders, tokens, self.keys, context))


class Eager(Bank):
    """Delivers what it has only attested."""

    def attest_receipt(self, view: PayeeView) -> Attestation:
        """Final at once, it says."""
        attestation = super().attest_receipt(view)
        self._clients.finalise(view.outline.compute_id())
        return attestation


class Repeating(DepositBooks):
    """Books a step as often as it is told to."""

    def _post(
        self, entry: EntryId, text: str, first: Posting, second: AccountName, amount: Minor
    ) -> None:
        super()._post(EntryId(token_bytes(len(entry))), text, first, second, amount)


class Procrastinating:
    """A notary's store that records a batch only when the next one comes."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._late: Any = None

    def record_batch(self, *batch: Any) -> None:
        """Soon."""
        self._late = batch

    def __getattr__(self, name: str) -> Any:
        if name == "load_view" and self._late is not None:
            late, self._late = self._late, None
            self._store.record_batch(*late)
        return getattr(self._store, name)


class Hasty(Notary):
    """Promises first."""

    def procrastinate(self) -> "Hasty":
        """From now on."""
        self._store = Procrastinating(self._store)
        return self


class Redirecting(BankDirectory):
    """Whoever puts its number is followed by the bank's word that its vault is paid."""

    __slots__ = ()

    def put(self, client: ClientId, phone: PhoneNumber, signed: SignedEntry) -> RecordedEntry:
        """As it should be, and one more."""
        recorded = super().put(client, phone, signed)
        entry = replace(
            recorded.signed.entry,
            version=recorded.signed.entry.version + 1,
            authority=Authority.BANK,
            address=self.bank.vault_address,
            time=self.clock.now(),
            name="",
        )
        owner, bank = sign_as_owner(entry, self.bank.vault.keys.spend), self.key
        turned = SignedEntry(entry, owner, bank=sign_as_bank(entry, bank))
        self.directory.put(self.bank.number, phone, turned)
        return recorded


class Outdated:
    """A directory's store that tells payers what stood first."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def find_newest(self, index: Digest, *, is_promised: bool = False) -> StoredEntry | None:
        """The first, for payers."""
        found: StoredEntry | None = self._store.find_newest(index, is_promised=is_promised)
        if is_promised and found is not None:
            found = self._store.find_version(index, 1)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class Deaf(Losses):
    """Says that a loss is recorded."""

    __slots__ = ()

    def report(self, client: ClientId, by: str = "bank") -> None:
        """It is not."""


class Keeping(Teller):
    """Takes a deposit into the vault, and credits nobody."""

    __slots__ = ()

    def credit(
        self,
        entry: EntryId,
        client: ClientId,
        amount: Minor,
        reason: CreditReason = CreditReason.DEPOSIT,
    ) -> None:
        """Loans are as ever."""
        if reason is CreditReason.LOAN:
            super().credit(entry, client, amount, reason)


def let_stores_skip_syncs(country: Country) -> None:
    """What a bank and the notary commit is not synced."""

    def skip(machine: Machine, service: Any) -> Any:
        machine.disk.connection.execute("PRAGMA synchronous=NORMAL")
        return service

    _change(country, ("notary", *BANKS), skip)


def let_the_notary_promise_first(country: Country) -> None:
    """It answers before it records."""

    def change(_machine: Machine, service: Notary) -> Notary:
        hasty: Hasty = _turn_into(Hasty)(_machine, service)
        return hasty.procrastinate()

    _change(country, ("notary",), change)


def let_wallets_sign_again(country: Country) -> None:
    """Every person's."""
    _change(country, tuple(HOMES), _turn_into(Resigning))


def let_banks_deliver_early(country: Country) -> None:
    """Both."""
    _change(country, BANKS, _turn_into(Eager))


def let_banks_book_again(country: Country) -> None:
    """Both."""

    def change(_machine: Machine, service: Bank) -> Bank:
        service.books.__class__ = Repeating
        return service

    _change(country, BANKS, change)


def let_banks_redirect_numbers(country: Country) -> None:
    """Both."""
    _turn_part(country, lambda process: process.directory, Redirecting)


def let_the_directory_be_outdated(country: Country) -> None:
    """The central bank's."""

    def change(machine: Machine, service: Any) -> Any:
        directory = machine.parts["directory"]
        directory.store = Outdated(directory.store)
        return service

    _change(country, ("central_bank",), change)


def let_banks_ignore_losses(country: Country) -> None:
    """Both."""
    _turn_part(country, lambda process: process.people.losses, Deaf)


def let_banks_keep_deposits(country: Country) -> None:
    """Both."""
    _turn_part(country, lambda process: process.bank.teller, Keeping)


def let_devices_hear_of_no_limit(country: Country) -> None:
    """At both banks."""

    def change(machine: Machine, service: Any) -> Any:
        machine.parts["process"].money.holding_limit = lambda _client: None
        return service

    _change(country, BANKS, change)


def _turn_part(country: Country, find: Callable[[Any], Any], kind: type) -> None:
    """A part of both banks' processes."""

    def change(machine: Machine, service: Any) -> Any:
        find(machine.parts["process"]).__class__ = kind
        return service

    _change(country, BANKS, change)


def _turn_into(kind: type) -> Callable[[Machine, Any], Any]:
    def change(_machine: Machine, service: Any) -> Any:
        service.__class__ = kind
        return service

    return change


def _change(country: Country, names: Sequence[str], change: Callable[[Machine, Any], Any]) -> None:
    """Whenever one of these machines starts from now on."""

    def start(machine: Machine, make: Callable[[Database], Any], database: Database) -> Any:
        return change(machine, make(database))

    for name in names:
        machine = country.machine(name)
        machine.make = partial(start, machine, machine.make)
