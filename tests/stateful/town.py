"""A small country under observation: what it is asked, what it answers, what it has.

Requests run through the real flows, may be interrupted at any call, and are repeated with the same
id, after a restart or without one. Every promise that was heard is kept.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from specie.assembly.network import InProcessNetwork, Settings, build_network
from specie.bank.service import Bank
from specie.flows.distribution import deposit, transfer_vault_money, withdraw
from specie.flows.issuance import issue
from specie.flows.payment import pay
from specie.flows.receiving import collect
from specie.flows.redemption import redeem
from specie.identity.genesis import ProofMode
from specie.ledger.transactions import Promise
from specie.ledger.wire import decode_attested
from specie.log.leaves import HeaderLeaf, Leaf, SpentLeaf, unpack_leaf
from specie.ports.notary import NotaryPort
from specie.store.log_files import LogFolder
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.identifiers import (
    ClientId,
    EntryId,
    OrderId,
    OutputRef,
    ParticipantNumber,
)
from specie.values.times import Timestamp
from specie.wallet.releasing import LogView
from specie.wallet.vault import Vault
from tests.clocks import ManualClock, SeededIdentifiers
from tests.country import load_published_outputs
from tests.stateful.interruptions import Fuse
from tests.stateful.model import Model
from tests.stateful.reopening import close_network, reopen_network, reopen_wallet

NORTH: Final = ParticipantNumber(2)
SOUTH: Final = ParticipantNumber(3)
BANKS: Final = (NORTH, SOUTH)
HOMES: Final = {"ann": NORTH, "bob": NORTH, "cem": SOUTH, "dee": SOUTH}
PROOF_SIZES: Final = {ProofMode.PUBLISHED: 577, ProofMode.AGGREGATED: 0}

Holder = str | ParticipantNumber
"""A person's name or a bank's number."""
Flow = Callable[[Fuse], object]


class Hearing:
    """The notary of the moment; every promise that it hands on is kept."""

    def __init__(self, town: "Town") -> None:
        self._town = town

    def notarise(self, data: bytes) -> Promise:
        """Ask, and keep the answer."""
        promise = self._town.network.notary.notarise(data)
        self._town.keep(data, promise)
        return promise

    def __getattr__(self, name: str) -> Any:
        """All else is the notary's own."""
        return getattr(self._town.network.notary, name)


@dataclass(slots=True)
class Town:
    """The country, its people's devices, and the model it is compared with."""

    root: Path
    network: InProcessNetwork  # all institutions, since the last restart
    clock: ManualClock
    model: Model = field(default_factory=Model)
    wallets: dict[str, Vault] = field(default_factory=dict)
    promises: dict[bytes, Promise] = field(default_factory=dict)  # by the bytes that were sent
    spent: set[OutputRef] = field(default_factory=set)
    restarts: int = 0

    @property
    def notary(self) -> NotaryPort:
        """The notary, as flows see it."""
        return cast(NotaryPort, Hearing(self))

    @property
    def now(self) -> int:
        """The time of day."""
        return self.clock.now()

    def bank(self, number: ParticipantNumber) -> Bank:
        """A bank."""
        return self.network.banks[number]

    def vault(self, holder: Holder) -> Vault:
        """A person's wallet or a bank's vault."""
        return self.wallets[holder] if isinstance(holder, str) else self.bank(holder).vault

    def list_vaults(self) -> list[Vault]:
        """Of everybody."""
        return [*self.wallets.values(), *(bank.vault for bank in self.network.banks.values())]

    def order(self, holder: Holder, amount: int) -> PaymentOrder:
        """Pay this holder."""
        return PaymentOrder(self.vault(holder).keys.address, Minor(amount), Memo())

    def draw_order(self) -> OrderId:
        """A fresh order id."""
        return OrderId(self.network.surroundings.identifiers.draw())

    def keep(self, data: bytes, promise: Promise) -> None:
        """Remember a promise with its bytes; its inputs were nobody else's (T15)."""
        body = decode_attested(data).body
        assert promise.txid == body.txid, "a promise for something else"
        if promise not in self.promises.values():
            assert self.spent.isdisjoint(body.inputs), "an output was spent twice"
            self.spent.update(body.inputs)
        assert self.promises.setdefault(data, promise) == promise, "another answer than before"

    # --- flows ------------------------------------------------------------------------------------

    def lend(self, number: ParticipantNumber, amount: int) -> None:
        """Reserves against collateral, in the books of both sides."""
        entry = EntryId(self.draw_order())
        self.network.accounting.lend(entry, number, Minor(amount))
        self.bank(number).books.borrow_reserves(entry, Minor(amount))

    def lend_to_client(self, name: str, amount: int) -> None:
        """A loan makes a deposit."""
        books = self.bank(HOMES[name]).books
        books.lend_to_client(EntryId(self.draw_order()), ClientId(name), Minor(amount))

    def issue(self, number: ParticipantNumber, amount: int, order: OrderId, fuse: Fuse) -> None:
        """Reserves → vault, booked by the bank."""
        bank, network = fuse.guard(self.bank(number)), self.network
        desk, accounting = fuse.guard(network.desk), fuse.guard(network.accounting)
        issue(order, Minor(amount), bank, desk, accounting, fuse.guard(self.notary))

    def redeem(self, number: ParticipantNumber, amount: int, order: OrderId, fuse: Fuse) -> None:
        """Vault → reserves, booked by the bank."""
        bank, network = fuse.guard(self.bank(number)), self.network
        desk, accounting = fuse.guard(network.desk), fuse.guard(network.accounting)
        notary = fuse.guard(self.notary)
        redeem(order, Minor(amount), bank.vault, bank, desk, accounting, notary)

    def withdraw(
        self,
        number: ParticipantNumber,
        paid: Sequence[tuple[str, int]],
        order: OrderId,
        fuse: Fuse,
    ) -> None:
        """Deposits → wallets."""
        requests = [(ClientId(name), self.order(name, amount)) for name, amount in paid]
        bank, notary = fuse.guard(self.bank(number)), fuse.guard(self.notary)
        withdraw(order, requests, bank, fuse.guard(self.network), notary)

    def deposit(self, name: str, amount: int, order: OrderId, fuse: Fuse) -> None:
        """Wallet → deposit."""
        bank, notary = fuse.guard(self.bank(HOMES[name])), fuse.guard(self.notary)
        wallet, banks = fuse.guard(self.wallets[name]), fuse.guard(self.network)
        deposit(order, ClientId(name), wallet, Minor(amount), bank, banks, notary)

    def transfer(self, sender: ParticipantNumber, amount: int, order: OrderId, fuse: Fuse) -> None:
        """Vault → the other bank's vault."""
        giving, taking = (fuse.guard(self.bank(number)) for number in (sender, get_other(sender)))
        banks, notary = fuse.guard(self.network), fuse.guard(self.notary)
        transfer_vault_money(order, Minor(amount), giving, taking, banks, notary)

    def pay(
        self, payer: str, paid: Sequence[tuple[Holder, int]], order: OrderId, fuse: Fuse
    ) -> None:
        """Wallet → wallets."""
        orders = [self.order(holder, amount) for holder, amount in paid]
        bank, notary = fuse.guard(self.bank(HOMES[payer])), fuse.guard(self.notary)
        wallet, banks = fuse.guard(self.wallets[payer]), fuse.guard(self.network)
        pay(wallet, orders, order, bank, banks, notary)

    def collect(self, name: str) -> None:
        """The device comes online."""
        collect(ClientId(name), self.wallets[name], self.bank(HOMES[name]))

    # --- time, restarts, the log ------------------------------------------------------------------

    def restart(self) -> None:
        """Everybody's machine loses power and starts again from its files."""
        old, identifiers = self.network, self.network.surroundings.identifiers
        self.restarts += 1
        data = self.root / f"life {self.restarts}"
        self.network = reopen_network(old, data, self.clock, identifiers)
        close_network(old)
        shutil.rmtree(old.settings.data)
        for name, home in HOMES.items():
            self.wallets[name] = reopen_wallet(self.network, name, home)

    def copy(self) -> "Town":
        """Another town that begins where this one stands; this one is left as it is."""
        root = Path(tempfile.mkdtemp(prefix="specie-"))
        clock = ManualClock(self.clock.now())
        identifiers = SeededIdentifiers(seed=2)
        network = reopen_network(self.network, root / "life 0", clock, identifiers)
        wallets = {name: reopen_wallet(network, name, home) for name, home in HOMES.items()}
        return Town(
            root,
            network,
            clock,
            deepcopy(self.model),
            wallets,
            dict(self.promises),
            set(self.spent),
        )

    def publish(self, *, is_forced: bool) -> bool:
        """Publish; every bank then looks for its clients' outputs in the log."""
        if not self.network.notary.publish(is_forced=is_forced):
            return False
        outputs = load_published_outputs(self.network.public)
        for bank in self.network.banks.values():
            bank.scan_published(outputs)
        return True

    def iterate_log(self) -> Iterator[Leaf]:
        """Every published leaf."""
        if not self.model.published[1]:
            return
        folder = LogFolder(self.network.public)
        size = int(folder.read_checkpoint().split("\n")[1])
        for leaf in folder.iterate_leaves(size):
            yield unpack_leaf(leaf, PROOF_SIZES[self.network.genesis.proof_mode])

    def release_expired(self) -> tuple[Timestamp, int]:
        """Payments that can no longer become final give their tokens back; log's time, number."""
        leaves = list(self.iterate_log())
        time = max((leaf.time for leaf in leaves if isinstance(leaf, HeaderLeaf)), default=0)
        spent = {leaf.ref for leaf in leaves if isinstance(leaf, SpentLeaf)}
        log_time = Timestamp(time)
        view = LogView(log_time, frozenset(spent))
        return log_time, sum(vault.release_expired(view) for vault in self.list_vaults())

    def close(self) -> None:
        """Leave nothing behind."""
        close_network(self.network)
        shutil.rmtree(self.root)


def get_other(bank: ParticipantNumber) -> ParticipantNumber:
    """The other of the two banks."""
    return SOUTH if bank == NORTH else NORTH


def build_town(mode: ProofMode) -> Town:
    """Two banks, two people each, nobody with any money."""
    root = Path(tempfile.mkdtemp(prefix="specie-"))
    settings = Settings(data=root / "life 0", proof_mode=mode)
    clock = ManualClock()
    town = Town(root, build_network(settings, clock, SeededIdentifiers()), clock)
    for bank in BANKS:
        town.model.add_bank(bank)
    for name, home in HOMES.items():
        wallet = town.network.make_wallet(name, home)
        town.bank(home).open_wallet(ClientId(name), name, wallet.keys.address, wallet.keys.view)
        town.wallets[name] = wallet
        town.model.add_person(name)
    return town
