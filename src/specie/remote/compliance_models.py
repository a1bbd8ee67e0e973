"""What a bank's people ask it about policy, cases, freezes and the access log."""

from typing import Annotated

from pydantic import Field

from specie.remote.acting import Acting, PersonField, ReasonField
from specie.remote.fields import (
    AmountField,
    BytesField,
    ClientField,
    CountField,
    Message,
    ParticipantField,
    PointField,
    TextField,
    TimeField,
)
from specie.values.limits import NOTE_BYTES_MAX, PAGE_ITEMS_MAX, POLICY_BYTES_MAX

PolicyField = Annotated[str, Field(max_length=POLICY_BYTES_MAX, description="TOML")]
LimitField = Annotated[int, Field(ge=1, le=PAGE_ITEMS_MAX, description="of a page")]
WordField = Annotated[str, Field(max_length=64, description="a name")]
HeadField = Annotated[str, Field(max_length=NOTE_BYTES_MAX, description="a signed note (C2SP)")]


class PolicyRequest(Acting):
    """A policy to set or to try."""

    text: PolicyField


class PolicyMessage(Message):
    """One version."""

    version: CountField
    text: PolicyField
    time: TimeField
    officer: PersonField
    reason: ReasonField


class PolicyLine(Message):
    """One version of the history, without its text."""

    version: CountField
    time: TimeField
    officer: PersonField
    reason: ReasonField


class Policies(Message):
    """Oldest first."""

    policies: list[PolicyLine]


class PolicyQuery(Message):
    """One version; 0 is the one in force."""

    version: CountField = 0


class TallyMessage(Message):
    """How many payments, how much, how many clients."""

    payments: CountField
    amount: Annotated[int, Field(ge=0, description="minor units, together")]
    clients: CountField


class RehearsalRow(Message):
    """What one limit or rule finds among the clients of one tier."""

    tier: WordField
    rule: WordField
    consequence: WordField
    tally: TallyMessage


class RehearsalMessage(Message):
    """What a policy would have stopped."""

    judged: TallyMessage
    refused: TallyMessage
    held: TallyMessage
    rows: list[RehearsalRow]


class TierRequest(Acting):
    """A client's tier from now on."""

    client: ClientField
    tier: WordField


class ClientAct(Acting):
    """About one client."""

    client: ClientField


class FreezeRequest(Acting):
    """By order of an authority, until a time."""

    client: ClientField
    reference: Annotated[str, Field(max_length=140, description="of the order")]
    until: TimeField


class FreezeMessage(Message):
    """The order, also after its end; nothing if there is none."""

    reference: TextField = ""
    since: TimeField | None = None
    until: TimeField | None = None
    officer: PersonField = ""


class AddressMessage(Message):
    """Of a counterparty."""

    bank: ParticipantField
    view: PointField
    spend: PointField


class SearchRequest(Acting):
    """Which movements; what is not there does not matter. `before` is a page's `after`."""

    client: ClientField | None = None
    since: TimeField | None = None
    until: TimeField | None = None
    least: AmountField | None = None
    most: AmountField | None = None
    party: AddressMessage | None = None
    is_incoming: bool | None = None
    before: CountField = 0
    limit: LimitField = 100


class FoundMovement(Message):
    """A client's side of a payment, as its bank keeps it."""

    txid: BytesField
    client: ClientField
    amount: AmountField
    time: TimeField
    is_incoming: bool
    is_final: bool
    is_own_bank: Annotated[bool, Field(description="with the bank's own vault")]
    order: BytesField
    parties: list[AddressMessage]
    names: list[TextField]


class FoundMovements(Message):
    """Newest first; `after` is where the next page goes on, 0 if there is none."""

    movements: list[FoundMovement]
    after: CountField


class CasesRequest(Acting):
    """A page of cases, newest first, of numbers below `before`; 0: from the newest."""

    is_open: Annotated[bool, Field(description="only those that wait")] = True
    before: CountField = 0
    limit: LimitField = 100


class CaseRequest(Acting):
    """About one case."""

    number: CountField


class NoteRequest(CaseRequest):
    """A note to a case."""

    text: TextField


class DecisionRequest(CaseRequest):
    """release, refuse or close."""

    verdict: WordField


class DecisionMessage(Message):
    """Of one person."""

    officer: PersonField
    verdict: WordField
    time: TimeField
    reason: ReasonField


class CaseMessage(Message):
    """A case without notes."""

    number: CountField
    kind: WordField
    client: ClientField
    opened: TimeField
    state: WordField
    rules: list[WordField]
    amount: AmountField
    txid: BytesField
    order: BytesField
    text: TextField
    people_needed: CountField
    decisions: list[DecisionMessage]
    direction: WordField
    parties: list[AddressMessage]
    names: list[TextField]
    released_until: TimeField
    is_used: Annotated[bool, Field(description="a payment has passed by the release")]


class Cases(Message):
    """A page."""

    cases: list[CaseMessage]


class CaseNoteMessage(Message):
    """What somebody wrote."""

    officer: PersonField
    time: TimeField
    text: TextField


class CaseFileMessage(Message):
    """All that the bank has of a case."""

    case: CaseMessage
    tier: WordField
    notes: list[CaseNoteMessage]
    movements: list[FoundMovement]
    is_complete: Annotated[bool, Field(description="else older movements are left out")]


class ReportMessage(Message):
    """The report of a case, JSON."""

    report: Annotated[str, Field(description="JSON")]


class AccessQuery(Acting):
    """A page of the access log from an entry on."""

    start: CountField = 1
    limit: LimitField = 100


class AccessMessage(Message):
    """One entry."""

    number: CountField
    time: TimeField
    officer: PersonField
    action: WordField
    client: Annotated[str, Field(max_length=48, description="id of a client, or empty")]
    subject: TextField
    reason: ReasonField


class AccessEntries(Message):
    """Oldest first."""

    entries: list[AccessMessage]


class AccessHeads(Message):
    """Heads that somebody was given before."""

    heads: Annotated[list[HeadField], Field(max_length=64)]
    told: Annotated[list[TextField], Field(max_length=64, description="SIZE:HASH")] = Field(
        default_factory=list
    )


class AccessHeadMessage(Message):
    """The newest head, signed."""

    head: HeadField
