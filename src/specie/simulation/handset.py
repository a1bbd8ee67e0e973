"""A person's device: one database with its keys, sub-wallets, notes, number, and its bank at hand.

What `specie wallet` does on a device (`cli/moving.py`, `cli/waterfalls.py` …) with the same stores,
flows and vaults; the order in which a holder asks for it is of this folder (`lives.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from specie.bank.openings import (
    OpeningRequest,
    compute_transit_aad,
    derive_transit_key,
    sign_opening,
)
from specie.crypto.addresses import Address
from specie.crypto.secrets import KeyTree, SealingKey
from specie.directory.answers import AnswerTrust, RecordedEntry
from specie.directory.entries import SignedEntry
from specie.directory.watching import WatchReport, watch
from specie.flows.receiving import collect
from specie.flows.releasing import LogWitness
from specie.flows.sending import give_up, send, send_again
from specie.flows.sweeping import sweep
from specie.flows.waterfall import empty_deposit, pour_excess, top_up
from specie.identity.codes import hash_code
from specie.ledger.records import Output
from specie.ledger.transactions import Promise
from specie.log.notes import verify_note
from specie.ports.core_bank import Switches
from specie.ports.directory import Located
from specie.ports.onboarding import AccountApplication, Person
from specie.ports.vault import PaymentState
from specie.remote.client_models import Opening
from specie.remote.people_client import build_account_request
from specie.store.account_store import Account, SqliteAccountStore
from specie.store.database import Database
from specie.store.device_notes import SqliteDeviceNotes, get_current, set_current
from specie.store.log_files import LogFolder
from specie.store.own_phone_store import SqliteOwnPhoneStore
from specie.store.refusal_store import SqliteRefusalStore
from specie.store.top_up_store import SqliteTopUps
from specie.store.vault_store import VaultDatabase
from specie.tokens.building import BuiltTransaction, PaymentOrder
from specie.tokens.holdings import Memo
from specie.tokens.scanning import scan
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ClientId,
    Digest,
    InstitutionPublicKey,
    OrderId,
    OutputRef,
    ParticipantNumber,
    PublicKey,
    ServiceName,
)
from specie.values.limits import PAGE_ITEMS_MAX
from specie.values.phones import PhoneNumber
from specie.wallet.keys import OpenedKeys, create_keys, get_subholder, open_keys
from specie.wallet.phone import HolderPhone
from specie.wallet.subwallets import Wallet
from specie.wallet.vault import PreparedPayment, Surroundings, Vault, rebuild_payment

Reach = Callable[[str, str], Any]
"""Machine and part of it → a port."""
LOST: Final = "lost "  # before a holder's name: the phrase of the wallet that was lost
_DEAD: Final = (PaymentState.REFUSED, PaymentState.CANCELLED)


@dataclass(frozen=True, slots=True, repr=False)
class AtCounter:
    """A client's own bank, as its device reaches it: its key goes with everything that it asks."""

    port: Any
    device: InstitutionPublicKey

    def pay(self, built: BuiltTransaction) -> Promise:
        """`PayingBank`."""
        promise: Promise = self.port.pay(self.device, built)
        return promise

    def fetch_outputs(self, _client: ClientId) -> list[Output]:
        """`ServingBank`."""
        found: list[Output] = self.port.fetch_outputs(self.device)
        return found

    def confirm_fetched(self, _client: ClientId, refs: Sequence[OutputRef]) -> None:
        """`ServingBank`."""
        self.port.confirm_fetched(self.device, refs)

    def locate(self, phone: PhoneNumber, former: PublicKey | None) -> tuple[Located, str]:
        """`ServingDirectoryPort`."""
        found: tuple[Located, str] = self.port.locate(self.device, phone, former)
        return found

    def put(self, phone: PhoneNumber, signed: SignedEntry) -> RecordedEntry:
        """`ServingDirectoryPort`."""
        recorded: RecordedEntry = self.port.put(self.device, phone, signed)
        return recorded

    def find(self, phone: PhoneNumber) -> bytes:
        """`ServingDirectoryPort`."""
        answer: bytes = self.port.find(self.device, phone)
        return answer


@dataclass(slots=True, repr=False)
class Handset:
    """What runs on a person's device; it is built again whenever the device starts."""

    holder: str
    database: Database
    master: SealingKey
    surroundings: Surroundings
    trust: AnswerTrust
    public: Path
    reach: Reach
    stores: VaultDatabase = field(init=False)
    opened: OpenedKeys = field(init=False)
    notes: SqliteDeviceNotes = field(init=False)
    accounts: SqliteAccountStore = field(init=False)
    numbers: SqliteOwnPhoneStore = field(init=False)
    top_ups: SqliteTopUps = field(init=False)
    refusals: SqliteRefusalStore = field(init=False)
    _wallet: Wallet = field(init=False)

    def __post_init__(self) -> None:
        self.stores = VaultDatabase(self.database)
        if self.stores.find_keys(self.holder) is None:
            self.adopt(self.holder, KeyTree.generate())
        self.opened = open_keys(self.stores, self.holder, self.master)
        key = self.opened.vault_key
        self.notes = SqliteDeviceNotes(self.database, self.holder, key)
        self.accounts = SqliteAccountStore(self.database)
        self.numbers = SqliteOwnPhoneStore(self.database, self.holder, key)
        self.top_ups = SqliteTopUps(self.database, self.holder, key)
        self.refusals = SqliteRefusalStore(self.database, self.holder)
        self._wallet = Wallet(self.holder, self.opened, self.stores, self.surroundings)

    def adopt(self, holder: str, tree: KeyTree) -> None:
        """A phrase on this device; again is nothing."""
        if self.stores.find_keys(holder) is None:
            create_keys(self.stores, holder, self.master, bytes(16), tree)

    # --- places --------------------------------------------------------------------------------

    @property
    def place(self) -> int:
        """The sub-wallet in use."""
        return get_current(self.notes)

    @property
    def vault(self) -> Vault:
        """Its tokens."""
        return self.open_vault(self.place)

    def prepare(self, place: int, bank: ParticipantNumber) -> Account:
        """With the key that speaks for it; drawn once."""
        holder = get_subholder(self.holder, place)
        return self.accounts.prepare(holder, bank, self.opened.vault_key)

    def get_account(self, place: int) -> Account:
        """`client_unknown` if no bank has opened it."""
        return self.accounts.get(get_subholder(self.holder, place), self.opened.vault_key)

    def is_open(self, place: int) -> bool:
        """Whether the device has heard that a bank has opened it."""
        try:
            self.get_account(place)
        except SpecieError as error:
            if error.code is not ErrorCode.CLIENT_UNKNOWN:
                raise
            return False
        return True

    def open_vault(self, place: int) -> Vault:
        """One that a bank has opened."""
        return self._wallet.open_vault(place, self.get_account(place).bank)

    def at_counter(self, place: int) -> AtCounter:
        """The bank of a sub-wallet."""
        account = self.get_account(place)
        port = self.reach(f"bank-{account.bank}", "counter")
        return AtCounter(port, InstitutionPublicKey(account.key.public))

    # --- becoming a client -----------------------------------------------------------------------

    def apply(
        self, place: int, bank: ParticipantNumber, secret: bytes, told: tuple[Person, str]
    ) -> AccountApplication:
        """From this device; again gives how far it has come, and an approval is recorded here."""
        account = self.prepare(place, bank)
        desk, keys = self.reach(f"bank-{bank}", "onboarding"), self._wallet.open_vault(place, bank)
        device = InstitutionPublicKey(account.key.public)
        network = self.surroundings.genesis.network
        asked = OpeningRequest(network, bank, hash_code(secret), keys.keys.address, device)
        transit = desk.get_transit_key()
        request = build_account_request(asked, (secret, *told), keys.keys, account.key, transit)
        found: AccountApplication = desk.apply(request, self.holder)
        return found

    def record_client(self, place: int, client: ClientId) -> None:
        """The bank has opened the sub-wallet."""
        self.accounts.record_client(get_subholder(self.holder, place), client)

    def open_with_code(self, bank: ParticipantNumber, code: bytes) -> None:
        """A device in the place of one that was lost; again is the same."""
        account = self.prepare(0, bank)
        keys = self._wallet.open_vault(0, bank).keys
        network, device = (
            self.surroundings.genesis.network,
            InstitutionPublicKey(account.key.public),
        )
        asked = OpeningRequest(network, bank, hash_code(code), keys.address, device)
        proofs = sign_opening(asked, keys.spend, account.key)
        sealing = derive_transit_key(code)
        name = ServiceName(f"bank-{bank}")
        opening = Opening(
            code=code,
            view=keys.address.view,
            spend=keys.address.spend,
            sealed_view=keys.view.seal(sealing, compute_transit_aad(network, name)),
            device=device,
            spend_proof=proofs.spend,
            device_proof=proofs.device,
        )
        self.record_client(0, self.reach(name, "process").open_wallet(opening))

    # --- money -----------------------------------------------------------------------------------

    def come_online(self, place: int) -> Minor:
        """As `specie wallet collect`: what has arrived, what was cut off; gives the excess."""
        vault, counter = self.open_vault(place), self.at_counter(place)
        client = self.get_account(place).client
        collect(client, vault, counter)
        send_again(vault, counter, self.refusals, self.surroundings.clock)
        self.give_up(place)
        collect(client, vault, counter)
        switches, limit = self.find_waterfall(place)
        return pour_excess(_Pouring(self, place), limit) if switches.waterfall else Minor(0)

    def give_up(self, place: int) -> int:
        """Payments that can never be final any more."""
        witness: LogWitness = self.reach("registration", "")
        return give_up(self.open_vault(place), witness, self.trust.receipts)

    def pay(self, place: int, request: PaymentOrder, payment: OrderId) -> None:
        """Recorded here before it leaves; many small tokens are merged first."""
        vault, counter = self.open_vault(place), self.at_counter(place)
        is_recorded = vault.find_payment(payment) is not None
        while not is_recorded and not vault.can_pay(request.amount):
            merge = vault.prepare_merge(self.draw_order())
            vault.settle(merge.payment_id, counter.pay(merge.built))
        prepared = vault.prepare_payment([request], payment)
        send(prepared, vault, counter, self.refusals, self.surroundings.clock)

    def find_prepared(self, payment: OrderId) -> int | None:
        """The sub-wallet in which a payment was recorded; its holder remembers which it was."""
        for place in range(self.place + 1):
            if self.is_open(place) and self.open_vault(place).find_payment(payment) is not None:
                return place
        return None

    def pay_again(self, place: int, payment: OrderId) -> None:
        """What is recorded already, byte for byte; `order_conflict` once it was given up."""
        vault = self.open_vault(place)
        known = vault.find_payment(payment)
        assert known is not None, "asked for one that is recorded"
        if known.state in _DEAD:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, f"it was {known.state.value}")
        if known.state is PaymentState.PREPARED:
            prepared = PreparedPayment(payment, rebuild_payment(known))
            clock = self.surroundings.clock
            send(prepared, vault, self.at_counter(place), self.refusals, clock)

    def withdraw_missing(self, payment: OrderId, amount: Minor) -> Minor:
        """Out of the deposit, for a payment that is not recorded yet, if it is switched on."""
        if self.top_ups.find(payment) is None:
            is_short = self.vault.get_balance() < amount
            if not is_short or not self.find_waterfall(self.place)[0].reverse:
                return Minor(0)
        return top_up(_Pouring(self, self.place), self.top_ups, payment, amount)

    def withdraw(self, order: OrderId, amount: Minor) -> None:
        """Out of the deposit."""
        counter = self.at_counter(self.place)
        counter.port.withdraw(counter.device, order, amount)

    def find_waterfall(self, place: int) -> tuple[Switches, Minor | None]:
        """By the bank."""
        counter = self.at_counter(place)
        found: tuple[Switches, Minor | None] = counter.port.get_waterfall(counter.device)
        return found

    def draw_order(self) -> OrderId:
        """A fresh id."""
        return OrderId(self.surroundings.identifiers.draw())

    # --- moving, and having it back ----------------------------------------------------------

    def empty(self, place: int, creditor: Address) -> None:
        """Deposit and tokens of a sub-wallet to another address, and the account is closed."""
        vault, counter = self.open_vault(place), self.at_counter(place)

        def get_standing() -> tuple[Minor, str]:
            found: tuple[Minor, str] = counter.port.get_standing(counter.device)
            return found

        if get_standing()[1] == "closed":
            return
        collect(self.get_account(place).client, vault, counter)
        empty_deposit(_Pouring(self, place), self.top_ups, lambda: get_standing()[0])
        self.give_up(place)
        sweep(vault, creditor, counter, self.draw_order)
        counter.port.close(counter.device)

    def use(self, place: int) -> None:
        """The last step of a move."""
        set_current(self.notes, place)

    def take_back(self, tree: KeyTree, places: Sequence[tuple[ParticipantNumber, int]]) -> int:
        """What is in lost wallets of this phrase comes to the new one; gives what has to wait."""
        self.adopt(LOST + self.holder, tree)
        opened = open_keys(self.stores, LOST + self.holder, self.master)
        lost = Wallet(LOST + self.holder, opened, self.stores, self.surroundings)
        counter, creditor = self.at_counter(0), self.open_vault(0).keys.address
        held = 0
        for bank, place in places:
            vault = lost.open_vault(place, bank)
            found = self._take_lost(vault, counter)
            if found is not None:
                self._end_expired(vault)
                sweep(vault, creditor, counter, self.draw_order)
                held += found + len(vault.list_waiting())
        return held

    def _end_expired(self, vault: Vault) -> None:
        give_up(vault, self.reach("registration", ""), self.trust.receipts)

    def _take_lost(self, vault: Vault, counter: AtCounter) -> int | None:
        member = self.surroundings.roster.current.get(vault.keys.address.bank)
        start, held, is_more = 0, 0, True
        while is_more:
            try:
                page = counter.port.list_lost(counter.device, vault.keys.address, start)
            except SpecieError as error:
                if error.code is not ErrorCode.CLIENT_UNKNOWN:
                    raise
                return None
            keys = vault.keys
            tokens = scan(page.outputs, keys.view, keys.address.spend, member)
            vault.take_rescued(tokens, dict(page.held))
            held += len(page.held)
            start, is_more = start + PAGE_ITEMS_MAX, page.is_more
        return held

    # --- the directory -----------------------------------------------------------------------

    def open_phone(self, place: int) -> HolderPhone:
        """With the bank of a sub-wallet."""
        vault = self.open_vault(place)
        return HolderPhone(
            address=vault.keys.address,
            spend=vault.keys.spend,
            serving=vault.keys.address.bank,
            bank=self.at_counter(place),
            store=self.numbers,
            trust=self.trust,
            clock=self.surroundings.clock,
            former=tuple(self.opened.tree.spend_key(one) for one in range(place)),
        )

    def watch(self) -> WatchReport:
        """Over the whole log, as it is published."""
        trust, log = self.trust.receipts, LogFolder(self.public)
        checkpoint = verify_note(log.read_checkpoint(), trust.get_log_key(), ()).checkpoint
        leaves = log.iterate_leaves(checkpoint.size)
        report = watch(leaves, checkpoint, self.numbers.load_watched(), trust.genesis)
        self.numbers.record_seen(report.seen)
        self.numbers.forget_relied(report.kept)
        return report

    def set_loss_code(self, code: bytes) -> None:
        """The bank learns its hash only."""
        counter = self.at_counter(self.place)
        counter.port.set_loss_code(counter.device, Digest(hash_code(code)))

    def switch(self, place: int, switches: Switches) -> None:
        """What the device does by itself from now on."""
        counter = self.at_counter(place)
        counter.port.switch(counter.device, switches)


@dataclass(frozen=True, slots=True, repr=False)
class _Pouring:
    """`PouringDevice`."""

    handset: Handset
    place: int

    def get_balance(self) -> Minor:
        return self.handset.open_vault(self.place).get_balance()

    def collect(self) -> int:
        client, vault = self.handset.get_account(self.place).client, self._vault
        return collect(client, vault, self.handset.at_counter(self.place))

    def draw_order(self) -> OrderId:
        return self.handset.draw_order()

    def withdraw(self, order: OrderId, amount: Minor) -> None:
        counter = self.handset.at_counter(self.place)
        counter.port.withdraw(counter.device, order, amount)

    def deposit(self, order: OrderId, amount: Minor) -> None:
        counter = self.handset.at_counter(self.place)
        address = counter.port.expect_deposit(counter.device, order)
        self.handset.pay(self.place, PaymentOrder(address, amount, Memo(order_id=order)), order)

    @property
    def _vault(self) -> Vault:
        return self.handset.open_vault(self.place)
