"""What signatories of a client and their bank say to each other (T1)."""

from typing import Annotated

from pydantic import Field

from specie.remote.acting import Tracked
from specie.remote.fields import (
    AmountField,
    ClientField,
    CodeField,
    CountField,
    DigestField,
    InstitutionKeyField,
    Message,
    NameField,
    OrderField,
    ParticipantField,
    PointField,
    SignatureField,
    TextField,
    TimeField,
)
from specie.remote.models import BuiltMessage
from specie.values.limits import SIGNATORIES_MAX

_Names = Annotated[list[NameField], Field(max_length=SIGNATORIES_MAX)]


class SeatsProposal(Tracked):
    """Who is to sign for a client, and how many of them; nobody of none ends it."""

    client: ClientField
    need: CountField
    names: _Names


class SeatCode(Message):
    """With which a signatory's device comes, once."""

    name: NameField
    code: CodeField


class SeatsProposed(Message):
    """Codes of those who are new; in force at once, or when those of before have approved."""

    codes: list[SeatCode]
    digest: DigestField
    is_in_force: Annotated[bool, Field(description="now, or after those of before")]


class SeatMessage(Message):
    """One of them."""

    name: NameField
    code_hash: DigestField
    is_known: Annotated[bool, Field(description="whether its device has come")] = False


class SeatsShown(Message):
    """Who signs for a client now; 0 of nobody if it signs alone."""

    need: CountField
    seats: list[SeatMessage]


class SignatoryEnrolment(Message):
    """A signatory's device comes with its code, once."""

    code: CodeField
    device: InstitutionKeyField
    proof: SignatureField


class SignatoryEnrolled(Message):
    """Whose payments it may approve, and what of them comes back to the payer."""

    client: ClientField
    name: NameField
    bank: ParticipantField
    view: PointField
    spend: PointField


class SeatsChange(Message):
    """Another set of signatories."""

    need: CountField
    version: CountField
    seats: Annotated[list[SeatMessage], Field(max_length=SIGNATORIES_MAX)]


class SignedWithdrawal(Message):
    """Deposit money that becomes tokens of the client."""

    order: OrderField
    amount: AmountField


class SubjectMessage(Message):
    """One thing that waits; the device recomputes its digest from the part that is there."""

    digest: DigestField
    kind: CountField
    expires: TimeField
    yes: CountField
    need: CountField
    mine: TextField = ""  # what this signatory has said: yes, no or nothing
    payment: BuiltMessage | None = None
    withdrawal: SignedWithdrawal | None = None
    change: SeatsChange | None = None


class SubjectsShown(Message):
    """What waits for this signatory's client."""

    subjects: list[SubjectMessage]


class SignatoryVote(Message):
    """Signed with the signatory's key over what it has seen."""

    digest: DigestField
    is_yes: Annotated[bool, Field(description="approved, or rejected")]
    signature: SignatureField


class VoteOutcome(Message):
    """What the votes say now: open, approved or rejected."""

    outcome: TextField
