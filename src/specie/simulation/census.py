"""What an auditor knows of people who come by themselves, from requests and answers alone.

It hears payments as devices hand them in, applications as banks answer them, losses as they are
reported, and is told what devices see: look-ups, and the log that they watch.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from specie.bank.losses import name_retired
from specie.crypto.addresses import Address
from specie.crypto.secrets import KeyTree
from specie.directory.entries import DirectoryEntry
from specie.directory.watching import WatchReport
from specie.ports.clients import ClientStatus
from specie.ports.core_bank import Switches
from specie.ports.onboarding import AccountApplication, AccountState
from specie.simulation.auditor import Auditor, Violation
from specie.simulation.country import BANKS, Country, name_bank
from specie.simulation.handset import Handset
from specie.simulation.house import HOLDING
from specie.simulation.orders import Order, State
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo, unpack_memo
from specie.values.amounts import Minor
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ClientId,
    Digest,
    InstitutionPublicKey,
    OrderId,
    ParticipantNumber,
    TransactionId,
)
from specie.values.phones import PhoneNumber

Moves = Sequence[tuple[str, int]]
LOSSES_MAX: Final = 4


@dataclass(slots=True, eq=False, repr=False)
class Life:
    """A person, as everybody would know it who saw everything."""

    name: str
    home: ParticipantNumber
    phone: PhoneNumber
    tier: str
    code: bytes  # for a loss
    switches: Switches
    device: str  # the machine in its hands
    is_willing: bool = True  # to be found by its number from the first day on
    mishaps: tuple[str, ...] = ()  # of its applications, before one is approved
    clients: list[tuple[ParticipantNumber, ClientId]] = field(default_factory=list)
    addresses: list[Address] = field(default_factory=list)
    lent: dict[ParticipantNumber, int] = field(default_factory=lambda: defaultdict(int))
    is_ready: bool = False  # a client with a loss code, who may be paid and may pay
    is_listed: bool = False  # its number is to be found
    version: int = 0  # of its directory entry, as far as it was told
    stolen: str = ""  # a device that was lost
    is_reported: bool = False
    has_moved: bool = False
    device_keys: list[InstitutionPublicKey] = field(default_factory=list)
    tree: KeyTree | None = None  # the phrase, on paper

    @property
    def account(self) -> str:
        """In the model: deposits and tokens together, for devices move money between the two."""
        return f"wealth {self.name}"


class Census:
    """The model of all of them."""

    def __init__(self, country: Country, auditor: Auditor, lives: Sequence[Life]) -> None:
        self.country = country
        self.auditor = auditor
        self.lives = lives
        self.payments: dict[OrderId, Moves] = {}  # what an order moves once it is final
        self._moves: dict[TransactionId, Moves] = {}
        self._heard: dict[TransactionId, OrderId | None] = {}
        self._forbidden: set[TransactionId] = set()
        self._final: set[TransactionId] = set()
        self._lost_keys: set[InstitutionPublicKey] = set()
        self._applications: dict[Digest, tuple[AccountState, ClientId | None]] = {}
        country.world.askers.append(self.hear_request)
        country.world.listeners.append(self.hear_answer)
        auditor.promised.append(self.hear_promise)
        auditor.find_flow = self.count_flow

    # --- what is heard -------------------------------------------------------------------------

    def hear_request(self, callee: str, method: str, arguments: tuple[Any, ...]) -> None:
        """A payment, as a device hands it in: which order it is shows in its memo."""
        if not callee.endswith("/counter") or method != "pay":
            return
        device, built = arguments
        txid = built.signed.txid
        if txid in self._heard:
            return
        orders = [unpack_memo(one.memo).order_id for one in built.disclosure.openings]
        known = next((one for one in orders if one in self.payments), None)
        self._heard[txid] = known
        if known is not None:
            self._moves[txid] = self.payments[known]
        if device in self._lost_keys:
            self._forbidden.add(txid)

    def hear_answer(
        self, callee: str, method: str, arguments: tuple[Any, ...], answer: Any
    ) -> None:
        """A loss that a bank has recorded; how far an application has come."""
        if callee.endswith("/losses") and method == "report_by_code":
            life = next(one for one in self.lives if one.code == arguments[0])
            life.is_reported = True
            self._lost_keys.update(life.device_keys)
        if callee.endswith("/onboarding") and method in ("apply", "ask"):
            self._note_application(answer)

    def hear_promise(self, txid: TransactionId) -> None:
        """It is final."""
        _expect(txid not in self._forbidden, "a device that was reported lost pays nobody")
        self._final.add(txid)
        for account, amount in self._moves.get(txid, ()):
            self.auditor.accounts[account] += amount

    def _note_application(self, found: AccountApplication) -> None:
        before = self._applications.get(found.code_hash, (AccountState.WAITING, None))
        now = (found.state, found.client)
        is_open = before[0] is AccountState.WAITING
        _expect(is_open or before == now, "what was decided of an application stays so")
        self._applications[found.code_hash] = now

    # --- what devices see ----------------------------------------------------------------------

    def check_found(self, payee: Life, entry: DirectoryEntry, least: int) -> None:
        """A look-up that a device has verified; `least` as its owner knew before it was begun."""
        _expect(entry.address in payee.addresses, "a look-up gives an address of its owner")
        _expect(entry.version >= least, "a look-up gives nothing older than its owner was told of")

    def check_watched(self, life: Life, report: WatchReport) -> None:
        """Of a device that is in its owner's hands."""
        alarm = report.alarm
        _expect(alarm is None, f"{life.name}: {alarm}")

    # --- at rest -------------------------------------------------------------------------------

    def count_flow(self, account: str) -> int:
        """What people's devices have carried between a bank's vault and their deposits there."""
        numbers = [number for number in BANKS if name_bank(number) == account]
        return sum(
            self._sum_deposits(life, number) - life.lent[number]
            for number in numbers
            for life in self.lives
        )

    def check_rest(self, orders: Sequence[Order]) -> None:
        """Everybody has what the model says, in one wallet, within the limit."""
        for order in orders:
            if order.kind == "phone payment" and order.state is State.REFUSED:
                paid = [txid for txid, one in self._heard.items() if one == order.id]
                _expect(not self._final.intersection(paid), f"{order.name}: refused is not paid")
        for life in self.lives:
            if life.is_ready:
                self._check_life(life)
            if life.stolen and life.is_reported:
                self._try_stolen(life)

    def _check_life(self, life: Life) -> None:
        handset: Handset = self.country.machine(life.device).get()
        balance = handset.vault.get_balance()
        _expect(not handset.vault.list_waiting(), f"{life.name}: no payment waits")
        everywhere = sum(self._list_holdings(life))
        _expect(everywhere == balance, f"{life.name}: {everywhere} by banks, {balance} in use")
        deposits = sum(self._sum_deposits(life, number) for number in BANKS)
        self.auditor.compare(life.account, deposits + balance, "deposits and wallet")
        is_moved = bool(life.stolen) or life.has_moved  # a person's own money is not refused
        if life.switches.waterfall or not is_moved:
            limit = HOLDING[life.tier]
            _expect(balance <= limit, f"{life.name}: {balance} is above the limit of {limit}")
        number, client = life.clients[-1]
        house = self.country.machine(name_bank(number)).get("process")
        status, tier = house.get_client(client).status, house.compliance.get_tier(client).name
        _expect(status is ClientStatus.GOOD, f"{life.name}: the wallet in use is {status.value}")
        _expect(tier == life.tier, f"{life.name}: tier {tier}, applied for as {life.tier}")

    def _list_holdings(self, life: Life) -> list[int]:
        found = []
        for number, client in life.clients:
            clients = self.country.machine(name_bank(number)).get().clients
            retired = [name_retired(client, place) for place in range(1, LOSSES_MAX)]
            found += [clients.count_holding(one) for one in (client, *retired)]
        return found

    def _sum_deposits(self, life: Life, number: ParticipantNumber) -> int:
        books = self.country.machine(name_bank(number)).get().books
        return sum(books.get_deposit(client) for one, client in life.clients if one == number)

    def _try_stolen(self, life: Life) -> None:
        """Whoever has the device that was lost can do nothing with it."""
        thief: Handset = self.country.machine(life.stolen).get()
        request = PaymentOrder(self.country.addresses["ann"], Minor(1), Memo())
        try:
            thief.pay(thief.place, request, thief.draw_order())
        except SpecieError:
            return
        raise Violation(f"{life.name}: the device that was lost has paid")


def _expect(holds: bool, rule: str) -> None:  # noqa: FBT001  # an assertion of the auditor's
    if not holds:
        raise Violation(rule)
