"""Numbered deeds of all stores of one institution, and how many of them a database holds.

A deed is one transaction over several stores, as a flow makes it. A database holds the deeds
1 … n whole, or it is broken.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Final

from specie.books.entries import Account, Entry, Posting, Side
from specie.crypto.secrets import SealingKey
from specie.ledger.batches import RecordedBatch, RecordedTransaction
from specie.ledger.state import SupplyState
from specie.log.checkpoint import Checkpoint
from specie.ports.clients import ExpectedArrival
from specie.store.books_store import SqliteBooksStore
from specie.store.client_store import SqliteClientStore
from specie.store.database import Database
from specie.store.notary_store import SqliteNotaryStore
from specie.store.vault_store import VaultDatabase
from specie.store.witness_store import SqliteWitnessStore
from specie.tokens.holdings import Token
from specie.values.amounts import Minor
from specie.values.identifiers import (
    AccountName,
    Digest,
    EntryId,
    OrderId,
    ParticipantNumber,
)
from specie.values.times import Timestamp
from tests.unit.store.samples import Samples

DEBTOR, CREDITOR = AccountName("debtor"), AccountName("creditor")
ORIGIN: Final = "log.example/1"
_KEY: Final = SealingKey.generate()
_DEEDS_MAX: Final = 120


@cache
def _draw_deeds() -> list[tuple[RecordedTransaction, Token]]:
    samples = Samples()
    return [(samples.recorded(time=number), samples.token()) for number in range(_DEEDS_MAX)]


@dataclass(slots=True)
class House:
    """Every store on one database, opened as after a start."""

    database: Database
    books: SqliteBooksStore = field(init=False)
    notary: SqliteNotaryStore = field(init=False)
    clients: SqliteClientStore = field(init=False)
    vaults: VaultDatabase = field(init=False)
    witness: SqliteWitnessStore = field(init=False)

    def __post_init__(self) -> None:
        self.books = SqliteBooksStore(self.database)
        self.notary = SqliteNotaryStore(self.database)
        self.clients = SqliteClientStore(self.database, _KEY)
        self.vaults = VaultDatabase(self.database)
        self.witness = SqliteWitnessStore(self.database)

    def begin(self) -> None:
        """The accounts; idempotent."""
        self.books.open_account(Account(DEBTOR, Side.DEBIT))
        self.books.open_account(Account(CREDITOR, Side.CREDIT))

    def do(self, number: int) -> None:
        """Deed 1, 2, …: acknowledged when it returns."""
        recorded, token = _draw_deeds()[number - 1]
        vault = self.vaults.open_holder("vault", _KEY)
        with self.database.transaction():
            self.notary.record_batch([recorded], SupplyState(serial=number, total=number))
            self.books.post(_make_entry(number))
            vault.add_tokens([token], Timestamp(number))
            self.clients.expect(ExpectedArrival(_make_order(number), sender=ParticipantNumber(2)))
            self.witness.replace(self.witness.load(ORIGIN), _make_tip(number))
            leaves = tuple(bytes([number, place]) * 400 for place in range(5))
            txids = (recorded.transaction.txid,)
            self.notary.record_publication(RecordedBatch(number, Timestamp(number), leaves, txids))

    def count_deeds(self) -> int:
        """How many are there, whole; fails if one is there in part, or one is missing below it."""
        with self.database.reading() as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
        assert found == "ok", found
        count = self.notary.load_batch_number()
        deeds = _draw_deeds()
        promises = self.notary.find_promises([one.transaction.txid for one, _ in deeds])
        assert set(promises) == {one.transaction.txid for one, _ in deeds[:count]}
        assert self.notary.load_waiting(9) == []
        assert self.notary.load_supply().serial == count
        assert self.notary.count_leaves() == len(self.notary.load_leaves(0, 9_999)) == 5 * count
        balances = self.books.load_balances()
        assert set(balances.values()) <= {count * (count + 1) // 2}
        for number in range(1, count + 2):
            entry = self.books.load_entry(_make_entry(number).id)
            assert entry == (_make_entry(number) if number <= count else None)
            assert (self.clients.find_expected(_make_order(number)) is None) == (number > count)
        held = self.vaults.open_holder("vault", _KEY).load_tokens()
        assert [one.ref for one in held] == [token.ref for _, token in deeds[:count]]
        tip = self.witness.load(ORIGIN)
        assert tip == (_make_tip(count) if count else None)
        return count


def _make_entry(number: int) -> Entry:
    amount = Minor(number)
    postings = (Posting(DEBTOR, Side.DEBIT, amount), Posting(CREDITOR, Side.CREDIT, amount))
    return Entry(EntryId(number.to_bytes(16, "big")), Timestamp(number), "a deed", postings)


def _make_order(number: int) -> OrderId:
    return OrderId(number.to_bytes(16, "big"))


def _make_tip(number: int) -> Checkpoint:
    return Checkpoint(ORIGIN, number, Digest(number.to_bytes(32, "big")))
