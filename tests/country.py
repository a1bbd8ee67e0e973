"""A small country for tests: every institution real, on SQLite files and the real kernel.

Its clock is moved by hand; what it counts as money it counts by itself, from the outside.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from specie.assembly.network import InProcessNetwork, Settings, build_network
from specie.bank.service import Bank
from specie.crypto.outputs import OUTPUT_BYTES
from specie.crypto.secrets import SealingKey
from specie.flows.distribution import withdraw
from specie.flows.issuance import issue
from specie.flows.payment import pay
from specie.flows.receiving import collect
from specie.identity.genesis import compute_origin, verify_genesis
from specie.identity.participants import verify_participants
from specie.ledger.audit import PublicAudit, Totals, split_batches
from specie.ledger.records import Output
from specie.ledger.transactions import AttestedTransaction, Promise
from specie.log.notes import verify_checkpoint
from specie.log.tree import Frontier, compute_leaf_hash
from specie.store.log_files import LogFolder
from specie.store.vault_store import VaultDatabase
from specie.tokens.building import BuiltTransaction, PaymentOrder, build_payment
from specie.tokens.holdings import Memo, Token
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, EntryId, OrderId, ParticipantNumber
from specie.values.limits import WINDOW_MS_DEFAULT
from specie.wallet.releasing import LogView
from specie.wallet.vault import Vault
from tests.clocks import ManualClock, SeededIdentifiers

NORTH: Final = ParticipantNumber(2)
SOUTH: Final = ParticipantNumber(3)
RESERVES: Final = Minor(10**12)
VAULT: Final = Minor(10**10)

__all__ = ["Country", "Person", "build_country", "country", "find_code", "refused"]


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """A client with a wallet on a device."""

    id: ClientId
    wallet: Vault
    bank: Bank

    def collect(self) -> int:
        """The device comes online."""
        return collect(self.id, self.wallet, self.bank)


@dataclass(slots=True, repr=False)
class Country:
    """A network with two banks, its clock, and whoever lives there."""

    network: InProcessNetwork
    clock: ManualClock
    identifiers: SeededIdentifiers
    people: list[Person] = field(default_factory=list)
    opened: int = 0

    @property
    def north(self) -> Bank:
        """Bank 2."""
        return self.network.banks[NORTH]

    @property
    def south(self) -> Bank:
        """Bank 3."""
        return self.network.banks[SOUTH]

    def draw_order(self) -> OrderId:
        """A fresh order id."""
        return OrderId(self.identifiers.draw())

    def lend_reserves(self, bank: Bank, amount: Minor = RESERVES) -> None:
        """In the books of both sides."""
        entry = EntryId(self.draw_order())
        self.network.accounting.lend(entry, bank.number, amount)
        bank.books.borrow_reserves(entry, amount)

    def issue(self, bank: Bank, amount: int, order: OrderId | None = None) -> Promise:
        """Money into a bank's vault, booked by the bank."""
        order = order or self.draw_order()
        network = self.network
        return issue(order, Minor(amount), bank, network.desk, network.accounting, network.notary)

    def open_person(
        self, bank: Bank, *tokens: int, name: str = "", wallet: Vault | None = None
    ) -> Person:
        """A new client whose wallet holds one token of each of these amounts."""
        self.opened += 1
        client = ClientId(name or f"person {self.opened}")
        wallet = wallet or self.network.make_wallet(client, bank.number)
        bank.open_wallet(client, f"Name of {client}", wallet.keys.address, wallet.keys.view)
        person = Person(client, wallet, bank)
        self.people.append(person)
        if tokens:
            self.lend_deposit(person, sum(tokens))
        for start in range(0, len(tokens), 15):
            self.withdraw(person, *tokens[start : start + 15])
        person.collect()
        return person

    def copy_wallet(self, person: Person, path: Path) -> Vault:
        """Another device with the same keys and the same tokens, which knows of no payment."""
        store = VaultDatabase(path).open_holder("copy", SealingKey.generate())
        copy = Vault(person.wallet.keys, store, self.network.surroundings)
        copy.receive([token.output for token in person.wallet.load_tokens()])
        return copy

    def lend_deposit(self, person: Person, amount: int) -> None:
        """A loan makes a deposit."""
        entry = EntryId(self.draw_order())
        person.bank.books.lend_to_client(entry, person.id, Minor(amount))

    def withdraw(self, person: Person, *amounts: int) -> Promise:
        """Deposit money becomes tokens, one of each amount."""
        requests = [(person.id, self.order(person, amount)) for amount in amounts]
        network = self.network
        return withdraw(self.draw_order(), requests, person.bank, network, network.notary)

    def order(self, payee: Person, amount: int) -> PaymentOrder:
        """Pay this person."""
        return PaymentOrder(payee.wallet.keys.address, Minor(amount), Memo())

    def pay(
        self, payer: Person, payee: Person, amount: int, payment_id: bytes | None = None
    ) -> Promise:
        """From wallet to wallet, final; the payee's device is not asked."""
        return pay(
            payer.wallet,
            [self.order(payee, amount)],
            payment_id or self.identifiers.draw(),
            payer.bank,
            self.network,
            self.network.notary,
        )

    def build(self, payer: Person, payee: Person, amount: int, *tokens: Token) -> BuiltTransaction:
        """Signed from these tokens (or all), with no vault that would remember it."""
        return build_payment(
            [self.order(payee, amount)],
            tokens or payer.wallet.load_tokens(),
            payer.wallet.keys,
            self.network.surroundings.build_context(),
        )

    def attest(self, built: BuiltTransaction, bank: Bank) -> AttestedTransaction:
        """Signed by all banks that have a part in it."""
        others = sorted({one.bank for one in built.disclosure.openings} - {bank.number})
        attestations = [bank.attest_payment(built)]
        for number in others:
            payee = self.network.banks[number]
            attestations.append(payee.attest_receipt(built.build_payee_view(number)))
        return AttestedTransaction(built.signed, tuple(attestations))

    def audit(self) -> Totals:
        """Publish what waits, then verify everything from the public folder alone (X1)."""
        self.network.notary.publish(is_forced=True)
        return audit_folder(self.network.public)

    def forget_payments(self, person: Person) -> None:
        """Wait until no payment of this wallet can become final, and free its tokens."""
        self.clock.advance(2 * WINDOW_MS_DEFAULT)
        person.wallet.release_expired(LogView(self.clock.now(), frozenset()))

    def count_money(self) -> int:
        """All that vaults and wallets can spend, once every device has come online."""
        for person in self.people:
            person.collect()
        vaults = [bank.vault for bank in self.network.banks.values()]
        wallets = [person.wallet for person in self.people]
        return sum(vault.get_balance() for vault in (*vaults, *wallets))

    def check_money(self) -> None:
        """Design §5, invariant 1: tokens = issuance fund = produced - redeemed on the log."""
        fund = self.network.accounting.get_fund()
        totals = self.audit()
        assert totals.supply == fund == self.network.notary.get_supply().total
        assert self.count_money() == fund
        for bank in self.network.banks.values():
            assert bank.books.get_vault() == bank.vault.get_balance()


def build_country(
    data: Path, *, settings: Settings | None = None, is_funded: bool = True
) -> Country:
    """A new country in an empty folder; funded means reserves and full vaults."""
    clock, identifiers = ManualClock(), SeededIdentifiers()
    network = build_network(settings or Settings(data), clock, identifiers)
    made = Country(network, clock, identifiers)
    if is_funded:
        for bank in (made.north, made.south):
            made.lend_reserves(bank)
            made.issue(bank, VAULT)
    return made


def audit_folder(public: Path) -> Totals:
    """Genesis, list, checkpoint, tree, sums: all from the files that anyone may read."""
    genesis = verify_genesis((public / "genesis").read_bytes())
    members = verify_participants((public / "participants").read_bytes(), genesis)
    folder = LogFolder(public)
    checkpoint = verify_checkpoint(
        folder.read_checkpoint(), compute_origin(genesis), members.notary_key
    )
    leaves = list(folder.iterate_leaves(checkpoint.size))
    frontier = Frontier().append(compute_leaf_hash(leaf) for leaf in leaves)
    assert frontier.compute_root() == checkpoint.root
    audit = PublicAudit(genesis, members)
    for batch in split_batches(leaves):
        audit.add_batch(batch)
    return audit.finish()


def load_published_outputs(public: Path) -> list[Output]:
    """Every output that stands in the published log."""
    folder = LogFolder(public)
    size = int(folder.read_checkpoint().split("\n")[1])
    return [
        Output(leaf[1 : 1 + OUTPUT_BYTES])
        for leaf in folder.iterate_leaves(size)
        if leaf[:1] == b"\x01"
    ]


def refused(code: ErrorCode) -> pytest.RaisesExc[SpecieError]:
    """The rule is broken, and it is this one."""
    return pytest.raises(SpecieError, check=lambda error: error.code is code)


def find_code(act: Callable[[], object]) -> ErrorCode | None:
    """The code with which it is refused, None if it is not."""
    try:
        act()
    except SpecieError as error:
        return error.code
    return None


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    """One country for the tests of a module; each test brings its own people."""
    return build_country(tmp_path_factory.mktemp("country"))
