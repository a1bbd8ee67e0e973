"""What a device and its bank say to each other before there is a client: applications (T3)."""

from typing import Annotated

from pydantic import Field

from specie.remote.acting import NO_REASON, ReasonField, Tracked
from specie.remote.fields import (
    BytesField,
    ClientField,
    CodeField,
    InstitutionKeyField,
    Message,
    NameField,
    PhoneField,
    PointField,
    SignatureField,
    TextField,
    TimeField,
)
from specie.values.limits import PAGE_ITEMS_MAX, PERSON_FIELDS_MAX

_Data = Annotated[
    dict[str, str],
    Field(max_length=PERSON_FIELDS_MAX, description="name of a field → what the person says"),
]
NumberField = Annotated[
    str, Field(pattern=r"^[0-9a-f]{32}$", description="number of an application, 32 hex digits")
]
TierField = Annotated[str, Field(min_length=1, max_length=32, description="name of a tier")]


class TransitKeyMessage(Message):
    """For what only this bank may open; the answer is signed with the bank's key."""

    key: BytesField


class AccountRequest(Message):
    """A device asks for a wallet. Address and device key are shown to be its own."""

    id: CodeField  # drawn by the device, which alone knows it
    name: NameField
    phone: PhoneField | None = None
    data: _Data = Field(default_factory=dict)
    tier: TierField
    view: PointField
    spend: PointField
    device: InstitutionKeyField
    sealed_view: BytesField  # under a transit secret
    sealed_secret: BytesField  # that secret, HPKE for the bank's transit key
    spend_proof: SignatureField
    device_proof: SignatureField


class AccountQuery(Message):
    """By whoever knows the id."""

    id: CodeField


class AccountAnswer(Message):
    """`waiting`, `approved` with the client's id, `refused` with a reason, or `expired`."""

    state: TextField
    client: ClientField | None = None
    reason: TextField = ""
    expires: TimeField


# --- the bank's operators ------------------------------------------------------------------------


class ApplicationQuery(Tracked):
    """By its number."""

    number: NumberField


class ApplicationShown(Message):
    """What somebody says of himself, for whoever decides."""

    number: NumberField
    state: TextField
    tier: TextField
    time: TimeField
    expires: TimeField
    client: TextField = ""
    decided_by: TextField = ""
    reason: TextField = ""
    person: Annotated[dict[str, str], Field(description="what the person says of himself")]


class ApplicationsQuery(Tracked):
    """In which state."""

    state: TextField = "waiting"


class ApplicationsShown(Message):
    """The oldest first, a page."""

    applications: list[ApplicationShown]


class AccountApproval(Message):
    """One of the bank's people says yes."""

    number: NumberField
    client: ClientField | None = None
    tier: TierField | None = None
    by: NameField
    reason: ReasonField = NO_REASON


class AccountRefusal(Message):
    """One of the bank's people says no, for good, to one or to many."""

    numbers: Annotated[list[NumberField], Field(min_length=1, max_length=PAGE_ITEMS_MAX)]
    reason: Annotated[str, Field(min_length=1, max_length=500, description="why not")]
    by: NameField
