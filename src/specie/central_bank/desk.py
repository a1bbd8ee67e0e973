"""Issuance and redemption at the central bank (P8, P9).

apply → approve → produce | void → authorise → complete
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from specie.central_bank.officers import (
    OfficerDesk,
    check_application,
    check_approval,
    check_approvals,
    check_authorisation,
    check_matches,
    check_reserve,
)
from specie.crypto.addresses import Address
from specie.identity.participants import SERVING_ROLES
from specie.identity.roster import Roster
from specie.ledger.promises import verify_promise
from specie.ledger.records import Attestation, Authorisation, ReserveReference, SupplySection
from specie.ledger.state import SupplyState
from specie.ledger.transactions import AttestedTransaction, Promise
from specie.ports.issuance import (
    Application,
    ApplicationState,
    ApplicationStore,
    Direction,
    SupplyPlace,
)
from specie.ports.journal import FlowState, Journal
from specie.ports.notary import NotaryPort
from specie.tokens.building import BuildContext, BuiltTransaction, build_issue
from specie.tokens.holdings import HolderKeys
from specie.values.amounts import Minor, check_positive, sum_minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import OrderId, ParticipantNumber, Signature
from specie.values.limits import APPLICATIONS_OPEN_MAX, SUPPLY_CHANGE_MAX
from specie.values.times import get_day
from specie.wallet.vault import Surroundings


class IssuanceLimits(Protocol):
    """What officers have decided besides genesis."""

    def check_issuance(self, amount: int, issued_today: int) -> None:
        """Whether this much more may be issued now."""
        ...


_OPEN: Final = (ApplicationState.APPLIED, ApplicationState.APPROVED, ApplicationState.PRODUCED)


@dataclass(frozen=True, slots=True, repr=False)
class OfficerTask:
    """An open application, and how far officers have come with it."""

    application: Application
    approved_by: list[int]
    built: BuiltTransaction | None
    place: SupplyPlace  # of what was built, if it were next
    authorised_by: list[int]


def find_place(built: BuiltTransaction, supply: SupplyState) -> SupplyPlace:
    """The next place in the order of changes."""
    return SupplyPlace(supply.serial + 1, supply.total + built.signed.body.supply_change)


class CentralBankDesk:
    """`IssuanceDesk` and `RedemptionDesk`, in this process."""

    def __init__(
        self,
        keys: HolderKeys,
        officers: Sequence[OfficerDesk],
        store: ApplicationStore,
        surroundings: Surroundings,
        journal: Journal,
        limits: IssuanceLimits | None = None,
    ) -> None:
        self.journal = journal
        self._limits = limits
        self._keys = keys
        self._officers = tuple(officers)
        self._store = store
        self._surroundings = surroundings

    @property
    def _roster(self) -> Roster:
        return self._surroundings.roster

    def apply(
        self,
        order: OrderId,
        direction: Direction,
        participant: ParticipantNumber,
        vault: Address,
        amount: Minor,
    ) -> Application:
        """Record an application of an active participant; a known one is compared only."""
        state = ApplicationState.APPLIED
        application = Application(order, direction, participant, amount, vault, state)
        if self._store.find(order) is None:
            member = self._roster.current.get_active(participant)
            if member.role not in SERVING_ROLES or vault.bank != participant:
                raise SpecieError(ErrorCode.SUPPLY_NOT_INSTITUTION, "only to one's own vault")
            if check_positive(amount) > SUPPLY_CHANGE_MAX:
                raise SpecieError(ErrorCode.AMOUNT_OUT_OF_RANGE, "more than one change may be")
            if self._count_open(participant) >= APPLICATIONS_OPEN_MAX:
                reason = f"{APPLICATIONS_OPEN_MAX} applications are open"
                raise SpecieError(ErrorCode.LIMIT_EXCEEDED, reason)
        return self._store.add(application)

    def list_vaults(self, participant: ParticipantNumber) -> list[Address]:
        """Where what was issued to it has gone: its vault, or vaults."""
        return self._store.load_vaults(participant)

    def find_promise(self, order: OrderId, notary: NotaryPort) -> Promise | None:
        """The promise for whatever was produced for this order, if one of it is final."""
        for txid in self._store.load_produced(order):
            promise = notary.find_promise(txid)
            if promise is not None:
                return promise
        return None

    def approve(self, order: OrderId) -> None:
        """Four eyes: as many officers as genesis asks look at the application and sign it."""
        application = self._store.get(order)
        for officer in self._officers:
            signature = officer.approve(application, self._roster)
            self._store.record_approval(order, officer.number, signature)
        self._check_approved(application)
        self._store.advance(order, ApplicationState.APPROVED)

    def check_issuable(self, order: OrderId, supply: SupplyState) -> None:
        """Before any reserve is touched: the participant is active, the cap of the day holds.

        The notary's contract decides; this only spares a debit that would have to wait.
        """
        application = self._store.get(order)
        check_application(application, self._roster)
        today = get_day(self._surroundings.clock.now())
        issued = supply.issued_on_day if supply.day == today else 0
        if self._limits is not None:
            self._limits.check_issuance(application.amount, issued)
        if issued + application.amount > self._roster.genesis.supply_cap_day:
            raise SpecieError(ErrorCode.SUPPLY_CAP_EXCEEDED, "over the cap of the day")

    def produce(self, order: OrderId, notary: NotaryPort) -> BuiltTransaction:
        """The currency for an approved issue; anew only once the last one can never be final.

        All of an order's productions rest on one reserve debit, which the notary takes once: even
        if clocks differ, no two of them become final.
        """
        application = self._get_approved(order, Direction.ISSUE)
        known = self._store.find_produced(order)
        if known is not None and not self._is_lost(known, notary):
            return known
        context: BuildContext = self._surroundings.build_context()
        built = build_issue(application.vault, application.amount, self._keys, context)
        return self._store.record_produced(order, built, known.signed.txid if known else None)

    def accept_void(self, order: OrderId, built: BuiltTransaction) -> BuiltTransaction:
        """The participant's own voiding transaction, once it is what was applied for.

        `order_conflict` if it serves another order: one voiding redeems one order.
        """
        application = self._get_approved(order, Direction.REDEEM)
        check_matches(application, built, self._roster)
        return self._store.record_produced(order, built)

    def authorise(
        self,
        order: OrderId,
        attestation: Attestation,
        reserve: ReserveReference | None,
        supply: SupplyState,
    ) -> AttestedTransaction:
        """Officers verify what they see and sign this change at its place in the order."""
        application = self._store.get(order)
        built = self._store.find_produced(order)
        if built is None:
            raise SpecieError(ErrorCode.APPLICATION_UNKNOWN, "nothing was produced for it")
        place = find_place(built, supply)
        check_reserve(application, reserve, self._roster)
        found = self._store.load_authorisations(built.signed.txid, place)
        given = [Authorisation(number, signature) for number, signature in found.items()]
        for officer in self._officers:
            given.append(
                officer.authorise(
                    application, built, self._roster, place.serial, place.total_after, reserve
                )
            )
        if len(given) < self._roster.genesis.officers_required:
            raise SpecieError(ErrorCode.APPROVALS_MISSING, "too few officers have authorised it")
        section = SupplySection(place.serial, place.total_after, tuple(given), reserve)
        return AttestedTransaction(replace(built.signed, supply=section), (attestation,))

    def record_approval(self, order: OrderId, officer: int, signature: Signature) -> Application:
        """An officer's signature over an application, made wherever that officer's key is.

        With the last one that is asked for, the application is approved.
        """
        application = self._store.get(order)
        check_approval(application, officer, signature, self._roster)
        count = self._store.record_approval(order, officer, signature)
        if count >= self._roster.genesis.officers_required:
            self._check_approved(application)
            self._store.advance(order, ApplicationState.APPROVED)
        return self._store.get(order)

    def record_authorisation(
        self, order: OrderId, place: SupplyPlace, officer: int, signature: Signature
    ) -> None:
        """An officer's signature over what was produced, at its place in the order of changes."""
        built = self._store.find_produced(order)
        if built is None:
            raise SpecieError(ErrorCode.APPLICATION_UNKNOWN, "nothing was produced for it")
        check_authorisation(built, place, officer, signature, self._roster)
        self._store.record_authorisation(built.signed.txid, place, officer, signature)

    def list_tasks(self, supply: SupplyState) -> list[OfficerTask]:
        """What officers have to look at now, as far as the supply has come."""
        return [self._describe_task(application, supply) for application in self._load_open()]

    def get_application(self, order: OrderId) -> tuple[Application, list[int]]:
        """An application, and which officers' signatures are recorded for it."""
        application = self._store.get(order)
        return application, sorted(self._store.load_approvals(order))

    def find_produced(self, order: OrderId) -> BuiltTransaction | None:
        """The newest that was produced for an order."""
        return self._store.find_produced(order)

    def refuse(self, order: OrderId) -> None:
        """Officers do not want it: at its end before anything was touched; again is nothing.

        `order_conflict` once it is approved.
        """
        with self.journal.transaction():
            application = self._store.get(order)
            if application.state is ApplicationState.ENDED:
                return
            if application.state is not ApplicationState.APPLIED:
                raise SpecieError(ErrorCode.ORDER_CONFLICT, "it is approved already")
            self._store.advance(order, ApplicationState.ENDED)
            if self.journal.find_state(order) is not None:
                self.journal.end(order, FlowState.ENDED)

    def _load_open(self) -> list[Application]:
        return [
            application
            for direction in Direction
            for state in _OPEN
            for application in self._store.load_in_state(direction, state)
        ]

    def _count_open(self, participant: ParticipantNumber) -> int:
        return sum(one.participant == participant for one in self._load_open())

    def _describe_task(self, application: Application, supply: SupplyState) -> OfficerTask:
        approved_by = sorted(self._store.load_approvals(application.order))
        built = self._store.find_produced(application.order)
        place, authorised_by = SupplyPlace(0, 0), list[int]()
        if built is not None:
            place = find_place(built, supply)
            authorised_by = sorted(self._store.load_authorisations(built.signed.txid, place))
        return OfficerTask(application, approved_by, built, place, authorised_by)

    def check_final(self, order: OrderId, promise: Promise) -> Application:
        """What was applied for, if the promise is for what was produced for it."""
        verify_promise(promise, self._roster)
        if promise.txid not in self._store.load_produced(order):
            raise SpecieError(ErrorCode.PROMISE_INVALID, "a promise for another transaction")
        return self._store.get(order)

    def count_issuance_vault(self, notary: NotaryPort) -> Minor:
        """What was produced for issues of which nothing is final yet (P3)."""
        produced = self._store.load_in_state(Direction.ISSUE, ApplicationState.PRODUCED)
        waiting = [one for one in produced if self.find_promise(one.order, notary) is None]
        return sum_minor([one.amount for one in waiting])

    def is_behind(self, notary: NotaryPort) -> bool:
        """Whether more changes of the supply are final than there are orders for them here.

        What is produced is recorded before the notary sees it: then this database came back from
        an old copy. Counted in this order, an order that goes on meanwhile is not missed.
        """
        serial = notary.get_supply().serial
        produced = [
            one
            for direction in Direction
            for one in self._store.load_in_state(direction, ApplicationState.PRODUCED)
        ]
        final = [one for one in produced if self.find_promise(one.order, notary) is not None]
        return len(final) + self._store.count_completed() < serial

    def give_up(self, order: OrderId) -> None:
        """Nothing that was produced for it can be final any more: it leaves the issuance vault."""
        if self._store.get(order).state is ApplicationState.COMPLETED:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "the order is completed")
        self._store.advance(order, ApplicationState.ENDED)

    def complete(self, order: OrderId, promise: Promise) -> None:
        """Final, and everything that follows from it is done."""
        self.check_final(order, promise)
        self._store.advance(order, ApplicationState.COMPLETED)

    def _get_approved(self, order: OrderId, direction: Direction) -> Application:
        application = self._store.get(order)
        if application.direction is not direction:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "the order asks for something else")
        if application.state is ApplicationState.ENDED:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "the order was given up")
        if application.state is ApplicationState.APPLIED:
            raise SpecieError(ErrorCode.APPROVALS_MISSING, "not approved yet")
        self._check_approved(application)
        return application

    def _check_approved(self, application: Application) -> None:
        check_approvals(application, self._store.load_approvals(application.order), self._roster)

    def _is_lost(self, built: BuiltTransaction, notary: NotaryPort) -> bool:
        """Its window is over and the notary has given no promise for it."""
        is_over = self._surroundings.clock.now() > built.signed.body.not_after
        return is_over and notary.find_promise(built.signed.txid) is None
