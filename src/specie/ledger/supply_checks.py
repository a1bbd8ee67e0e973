"""Named checks of the supply: creating money takes two officers, a reserve debit and these rules.

Design §5, invariant 7; T4, P2, P8, P9. They run on the notary, whatever the workflow did.
"""

from specie.crypto.signatures import verify_institution_signature
from specie.identity.participants import SERVING_ROLES, Officer, Status
from specie.ledger.checks import ContractContext
from specie.ledger.messages import compute_reserve_message, compute_supply_message
from specie.ledger.records import Authorisation, Claim, ReserveReference, SupplySection
from specie.ledger.transactions import AttestedTransaction
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import AMOUNT_MAX, RESERVE_AGE_MS_MAX
from specie.values.times import Timestamp, get_day


def check_supply_unchanged(transaction: AttestedTransaction, context: ContractContext) -> None:
    """A payment neither makes nor ends money."""
    if transaction.signed.supply is not None:
        raise SpecieError(ErrorCode.SUPPLY_SECTION_UNEXPECTED, "the supply does not change")


def check_supply_between_institutions(
    transaction: AttestedTransaction, context: ContractContext
) -> None:
    """Only vaults of institutions: every attestation is of the attester's own vault."""
    for attestation in transaction.attestations:
        member = context.participants.get(attestation.bank)
        if attestation.claim is not Claim.VAULT or member.role not in SERVING_ROLES:
            raise SpecieError(ErrorCode.SUPPLY_NOT_INSTITUTION, "only vaults issue and redeem")


def check_authorisations_enough(transaction: AttestedTransaction, context: ContractContext) -> None:
    """As many different officers as genesis asks, two at least."""
    supply = _get_supply(transaction)
    officers = {one.officer for one in supply.authorisations}
    if len(officers) != len(supply.authorisations):
        raise SpecieError(ErrorCode.AUTHORISATION_INVALID, "an officer signed twice")
    if len(officers) < context.genesis.officers_required:
        raise SpecieError(ErrorCode.AUTHORISATION_MISSING, "too few officers have signed")


def check_serial(transaction: AttestedTransaction, context: ContractContext) -> None:
    """Serials count up by one over the whole log, so none is replayed or left out."""
    if _get_supply(transaction).serial != context.ledger.supply.serial + 1:
        raise SpecieError(ErrorCode.SERIAL_WRONG, "the supply's serial is not the next one")


def check_total(transaction: AttestedTransaction, context: ContractContext) -> None:
    """Officers signed the total after the change; it is never negative."""
    total = context.ledger.supply.total + transaction.body.supply_change
    if not 0 <= total <= AMOUNT_MAX or _get_supply(transaction).total_after != total:
        raise SpecieError(ErrorCode.TOTAL_WRONG, "the total after the change is another")


def check_cap(transaction: AttestedTransaction, context: ContractContext) -> None:
    """What is issued in one UTC day stays under the network's cap."""
    state = context.ledger.supply
    issued = state.issued_on_day if state.day == get_day(context.now) else 0
    change = transaction.body.supply_change
    if change > 0 and issued + change > context.genesis.supply_cap_day:
        raise SpecieError(ErrorCode.SUPPLY_CAP_EXCEEDED, "over the cap of the day")


def check_reserve_fits(transaction: AttestedTransaction, context: ContractContext) -> None:
    """The debit is of this amount, of the bank whose vault receives, and not used before."""
    body = transaction.body
    if body.supply_change < 0:
        return
    reserve = _get_reserve(_get_supply(transaction))
    if reserve.amount != body.supply_change or reserve.time > context.now:
        raise SpecieError(ErrorCode.RESERVE_REFERENCE_INVALID, "the reserve debit is another")
    if any(terms.bank != reserve.participant for terms in body.terms):
        raise SpecieError(ErrorCode.RESERVE_REFERENCE_INVALID, "reserves of another bank")
    if context.ledger.has_reserve(reserve.entry):
        raise SpecieError(ErrorCode.RESERVE_REFERENCE_USED, "this debit has backed an issue")


def check_reserve_fresh(transaction: AttestedTransaction, context: ContractContext) -> None:
    """A debit backs an issue for 48 hours; after that the accounting may give it back (P8)."""
    if transaction.body.supply_change < 0:
        return
    if is_reserve_over(_get_reserve(_get_supply(transaction)).time, context.now):
        raise SpecieError(ErrorCode.RESERVE_REFERENCE_EXPIRED, "the reserve debit is too old")


def is_reserve_over(debited: Timestamp, now: Timestamp) -> bool:
    """Whether a debit of that time backs nothing any more; `now` is the notary's time."""
    return now > debited + RESERVE_AGE_MS_MAX


def check_reserve_signed(transaction: AttestedTransaction, context: ContractContext) -> None:
    """The accounting's key signed the reference."""
    body = transaction.body
    if body.supply_change < 0:
        return
    reserve = _get_reserve(_get_supply(transaction))
    message = compute_reserve_message(
        body.network, reserve.entry, reserve.participant, reserve.amount, reserve.time
    )
    try:
        verify_institution_signature(
            context.participants.accounting_key, message, reserve.signature
        )
    except SpecieError:
        raise SpecieError(
            ErrorCode.RESERVE_REFERENCE_INVALID, "not signed by the accounting"
        ) from None


def check_authorisations_signed(transaction: AttestedTransaction, context: ContractContext) -> None:
    """Each authorisation is of an active officer and over this very change."""
    supply = _get_supply(transaction)
    body = transaction.body
    message = compute_supply_message(
        body.network, supply.serial, body.txid, body.supply_change, supply.total_after
    )
    for authorisation in supply.authorisations:
        officer = context.participants.officers.get(authorisation.officer)
        verify_authorisation(authorisation, officer, message)


def verify_authorisation(
    authorisation: Authorisation, officer: Officer | None, message: bytes
) -> None:
    """`authorisation_invalid` unless an active officer signed the message."""
    if officer is None or officer.status is not Status.ACTIVE:
        raise SpecieError(ErrorCode.AUTHORISATION_INVALID, "not an active officer")
    try:
        verify_institution_signature(officer.key, message, authorisation.signature)
    except SpecieError:
        raise SpecieError(ErrorCode.AUTHORISATION_INVALID, "wrong signature") from None


def _get_supply(transaction: AttestedTransaction) -> SupplySection:
    supply = transaction.signed.supply
    if supply is None:
        raise SpecieError(ErrorCode.AUTHORISATION_MISSING, "a change of supply is authorised")
    return supply


def _get_reserve(supply: SupplySection) -> ReserveReference:
    if supply.reserve is None:
        raise SpecieError(ErrorCode.RESERVE_REFERENCE_INVALID, "an issue names a reserve debit")
    return supply.reserve
