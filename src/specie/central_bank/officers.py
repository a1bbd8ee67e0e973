"""Officers: people whose keys authorise a change of the supply (P2, design §5 invariant 7).

An officer approves only an application it has looked at, and authorises only what it has
recomputed: the transaction's change is the application's amount, every output rebuilds from its
opening and goes to the applicant's vault, and an issue has its reserve debit behind it. Approvals
count once they are verified against the officers of the participant list.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from specie.crypto.addresses import Address
from specie.crypto.hashing import tagged_hash
from specie.crypto.outputs import Opening, derive_output
from specie.crypto.secrets import InstitutionSigner
from specie.crypto.signatures import sign_as_institution, verify_institution_signature
from specie.identity.participants import SERVING_ROLES, Officer, Status
from specie.identity.roster import Roster
from specie.ledger.messages import compute_reserve_message, compute_supply_message
from specie.ledger.records import Authorisation, ReserveReference
from specie.ports.issuance import Application, Direction, SupplyPlace
from specie.tokens.building import BuiltTransaction
from specie.values.amounts import check_positive
from specie.values.catalogue import ErrorCode
from specie.values.encoding import u8, u32, u64
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, EntryId, NetworkId, Signature
from specie.values.limits import SUPPLY_CHANGE_MAX


@dataclass(frozen=True, slots=True, repr=False)
class OfficerDesk:
    """One officer with its key."""

    number: int
    key: InstitutionSigner

    def approve(self, application: Application, roster: Roster) -> Signature:
        """A signature over the application itself, after looking at it."""
        check_application(application, roster)
        message = compute_approval_message(application, roster.genesis.network)
        return sign_as_institution(self.key, message)

    def authorise(
        self,
        application: Application,
        built: BuiltTransaction,
        roster: Roster,
        serial: int,
        total_after: int,
        reserve: ReserveReference | None,
    ) -> Authorisation:
        """A signature over this change, after recomputing it and looking at the reserve debit."""
        check_matches(application, built, roster)
        check_reserve(application, reserve, roster)
        body = built.signed.body
        message = compute_supply_message(
            body.network, serial, body.txid, body.supply_change, total_after
        )
        return Authorisation(self.number, sign_as_institution(self.key, message))


def check_authorisation(
    built: BuiltTransaction,
    place: SupplyPlace,
    officer: int,
    signature: Signature,
    roster: Roster,
) -> None:
    """`authorisation_invalid` unless an active officer of the list signed this change."""
    found, body = roster.current.officers.get(officer), built.signed.body
    message = compute_supply_message(
        body.network, place.serial, body.txid, body.supply_change, place.total_after
    )
    if not _is_approval(found, message, signature):
        raise SpecieError(ErrorCode.AUTHORISATION_INVALID, "not signed by an active officer")


def check_approval(
    application: Application, officer: int, signature: Signature, roster: Roster
) -> None:
    """`approvals_missing` unless an active officer of the list signed this application."""
    message = compute_approval_message(application, roster.genesis.network)
    if not _is_approval(roster.current.officers.get(officer), message, signature):
        raise SpecieError(ErrorCode.APPROVALS_MISSING, "not signed by an active officer")


def compute_approval_message(application: Application, network: NetworkId) -> Digest:
    """What an approval signs; internal to the central bank."""
    is_issue = application.direction is Direction.ISSUE
    return tagged_hash(
        "approve",
        network,
        application.order,
        u8(is_issue),
        u32(application.participant),
        u64(application.amount),
        application.vault.view,
        application.vault.spend,
    )


def check_application(application: Application, roster: Roster) -> None:
    """An active institution, its own vault, an amount that the network can issue in a day."""
    member = roster.current.get_active(application.participant)
    if member.role not in SERVING_ROLES or application.vault.bank != application.participant:
        raise SpecieError(ErrorCode.SUPPLY_NOT_INSTITUTION, "only to one's own vault")
    if check_positive(application.amount) > SUPPLY_CHANGE_MAX:
        raise SpecieError(ErrorCode.AMOUNT_OUT_OF_RANGE, "more than one change may be")
    is_issue = application.direction is Direction.ISSUE
    if is_issue and application.amount > roster.genesis.supply_cap_day:
        raise SpecieError(ErrorCode.SUPPLY_CAP_EXCEEDED, "over the cap of any day")


def check_approvals(
    application: Application, approvals: Mapping[int, Signature], roster: Roster
) -> None:
    """`approvals_missing` unless enough active officers of the list have signed this application.

    Signatures that do not hold today, for whatever reason, count for nothing.
    """
    message = compute_approval_message(application, roster.genesis.network)
    officers = roster.current.officers
    count = sum(
        _is_approval(officers.get(number), message, signature)
        for number, signature in approvals.items()
    )
    if count < roster.genesis.officers_required:
        raise SpecieError(ErrorCode.APPROVALS_MISSING, "too few officers have approved")


def check_reserve(
    application: Application, reserve: ReserveReference | None, roster: Roster
) -> None:
    """`reserve_reference_invalid` unless the accounting signed for this order's debit."""
    if application.direction is Direction.REDEEM:
        if reserve is not None:
            raise SpecieError(ErrorCode.RESERVE_REFERENCE_INVALID, "a redemption debits nothing")
        return
    if reserve is None:
        raise SpecieError(ErrorCode.RESERVE_REFERENCE_INVALID, "an issue names a reserve debit")
    shown = (reserve.entry, reserve.participant, reserve.amount)
    if shown != (EntryId(application.order), application.participant, application.amount):
        raise SpecieError(ErrorCode.RESERVE_REFERENCE_INVALID, "the reserve debit is another")
    message = compute_reserve_message(roster.genesis.network, *shown, reserve.time)
    try:
        verify_institution_signature(roster.current.accounting_key, message, reserve.signature)
    except SpecieError:
        raise SpecieError(
            ErrorCode.RESERVE_REFERENCE_INVALID, "not signed by the accounting"
        ) from None


def check_matches(application: Application, built: BuiltTransaction, roster: Roster) -> None:
    """`disclosure_mismatch` unless the transaction is exactly what was applied for."""
    body, openings = built.signed.body, built.disclosure.openings
    is_issue = application.direction is Direction.ISSUE
    wanted = application.amount if is_issue else -application.amount
    if body.supply_change != wanted or body.network != roster.genesis.network:
        raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "not the amount applied for")
    if len(openings) != len(body.outputs):
        raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "not all outputs are shown")
    for opening, output in zip(openings, body.outputs, strict=True):
        _check_output(opening, output.data, application.vault, roster)
    total = sum(opening.amount for opening in openings)
    if is_issue and total != application.amount:
        raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "outputs are not the amount applied for")


def _is_approval(officer: Officer | None, message: bytes, signature: Signature) -> bool:
    if officer is None or officer.status is not Status.ACTIVE:
        return False
    try:
        verify_institution_signature(officer.key, message, signature)
    except SpecieError:
        return False
    return True


def _check_output(opening: Opening, output: bytes, vault: Address, roster: Roster) -> None:
    if (opening.bank, opening.view, opening.spend) != (vault.bank, vault.view, vault.spend):
        raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "an output leaves the applicant's vault")
    scan_key = roster.current.get(opening.bank).scan_key
    if derive_output(opening, scan_key).data != output:
        raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "an output is not what is shown")
