"""Issuance and redemption at the central bank (P8, P9).

apply → approve → produce | void → authorise → complete
"""

from collections.abc import Sequence
from dataclasses import replace

from specie.central_bank.officers import OfficerDesk, check_matches
from specie.crypto.addresses import Address
from specie.identity.participants import SERVING_ROLES
from specie.identity.roster import Roster
from specie.ledger.promises import verify_promise
from specie.ledger.records import Attestation, ReserveReference, SupplySection
from specie.ledger.state import SupplyState
from specie.ledger.transactions import AttestedTransaction, Promise
from specie.ports.issuance import (
    Application,
    ApplicationState,
    ApplicationStore,
    Direction,
)
from specie.tokens.building import BuildContext, BuiltTransaction, build_issue
from specie.tokens.holdings import HolderKeys
from specie.values.amounts import Minor, check_positive
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import OrderId, ParticipantNumber
from specie.values.limits import SUPPLY_CHANGE_MAX
from specie.wallet.vault import Surroundings


class CentralBankDesk:
    """`IssuanceDesk`, in this process."""

    def __init__(
        self,
        keys: HolderKeys,
        officers: Sequence[OfficerDesk],
        store: ApplicationStore,
        surroundings: Surroundings,
    ) -> None:
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
        """Record an application of an active participant."""
        member = self._roster.current.get_active(participant)
        if member.role not in SERVING_ROLES or vault.bank != participant:
            raise SpecieError(ErrorCode.SUPPLY_NOT_INSTITUTION, "only to one's own vault")
        if amount > SUPPLY_CHANGE_MAX:
            raise SpecieError(ErrorCode.AMOUNT_OUT_OF_RANGE, "more than one change may be")
        return self._store.add(
            Application(
                order,
                direction,
                participant,
                check_positive(amount),
                vault,
                ApplicationState.APPLIED,
            )
        )

    def approve(self, order: OrderId) -> None:
        """Four eyes: as many officers as genesis asks sign the application."""
        application = self._store.get(order)
        network = self._roster.genesis.network
        count = 0
        for officer in self._officers:
            signature = officer.approve(application, network)
            count = self._store.record_approval(order, officer.number, signature)
        if count < self._roster.genesis.officers_required:
            raise SpecieError(ErrorCode.APPROVALS_MISSING, "too few officers have approved")
        self._store.advance(order, ApplicationState.APPROVED)

    def produce(self, order: OrderId) -> BuiltTransaction:
        """The currency for an approved issue, once."""
        application = self._get_approved(order, Direction.ISSUE)
        known = self._store.find_produced(order)
        if known is not None:
            return known
        context: BuildContext = self._surroundings.build_context()
        built = build_issue(application.vault, application.amount, self._keys, context)
        return self._store.record_produced(order, built)

    def accept_void(self, order: OrderId, built: BuiltTransaction) -> BuiltTransaction:
        """The participant's own voiding transaction, once it is what was applied for."""
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
        serial = supply.serial + 1
        total_after = supply.total + built.signed.body.supply_change
        authorisations = tuple(
            officer.authorise(application, built, self._roster, serial, total_after)
            for officer in self._officers
        )
        section = SupplySection(serial, total_after, authorisations, reserve)
        return AttestedTransaction(replace(built.signed, supply=section), (attestation,))

    def complete(self, order: OrderId, promise: Promise) -> None:
        """Final."""
        verify_promise(promise, self._roster)
        built = self._store.find_produced(order)
        if built is None or built.signed.txid != promise.txid:
            raise SpecieError(ErrorCode.PROMISE_INVALID, "a promise for another transaction")
        self._store.advance(order, ApplicationState.COMPLETED)

    def _get_approved(self, order: OrderId, direction: Direction) -> Application:
        application = self._store.get(order)
        if application.direction is not direction:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "the order asks for something else")
        if application.state is ApplicationState.APPLIED:
            raise SpecieError(ErrorCode.APPROVALS_MISSING, "not approved yet")
        return application
