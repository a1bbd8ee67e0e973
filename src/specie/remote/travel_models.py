"""What two banks say to each other of large payments, and what a bank's people ask about it."""

from typing import Annotated

from pydantic import Field

from specie.remote.acting import Acting
from specie.remote.compliance_models import LimitField
from specie.remote.fields import (
    BytesField,
    ClientField,
    Message,
    ParticipantField,
    PointField,
    SignatureField,
    TimeField,
    TxidField,
)
from specie.values.limits import TRAVEL_BYTES_MAX

DataField = Annotated[str, Field(max_length=TRAVEL_BYTES_MAX, description="IVMS101, JSON")]
PartField = Annotated[str, Field(max_length=100, description="a part of a name")]


class TravelKey(Message):
    """What data for this bank are sealed to, with the bank's word for it."""

    key: PointField
    signature: SignatureField


class TravelMessage(Message):
    """Who pays and who is paid, sealed to the payee's bank, signed by the payer's."""

    txid: TxidField
    sealed: Annotated[BytesField, Field(max_length=TRAVEL_BYTES_MAX)]
    signature: SignatureField


class TravelQuery(Acting):
    """Of one client, or of one payment, or the newest of all."""

    client: ClientField | None = None
    txid: TxidField | None = None
    limit: LimitField = 100


class TravelRecordMessage(Message):
    """What was said of one payment."""

    txid: TxidField
    client: ClientField
    is_originating: bool = Field(description="whether our client pays")
    bank: ParticipantField  # of the other side
    time: TimeField
    data: DataField


class TravelRecords(Message):
    """The newest first."""

    records: list[TravelRecordMessage]


class IdentityRequest(Acting):
    """What the bank knows of a client, beyond the registered name."""

    client: ClientField
    is_legal: bool = Field(description="a company, an authority; else a human being")
    primary: Annotated[PartField, Field(min_length=1)]
    secondary: PartField = ""
    birth_date: Annotated[PartField, Field(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")] = ""
    birth_place: Annotated[PartField, Field(max_length=70)] = ""
    national_id: Annotated[PartField, Field(max_length=35)] = ""
