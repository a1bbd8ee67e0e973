"""What is said when a wallet is closed, lost, found again; of certificates (T19, X7, T25)."""

from typing import Annotated

from pydantic import Field

from specie.remote.acting import Tracked
from specie.remote.fields import (
    BytesField,
    ClientField,
    CodeField,
    CountField,
    DigestField,
    Message,
    ParticipantField,
    PointField,
    RefField,
    TimeField,
)
from specie.values.limits import DEVICE_REVOCATIONS_MAX


class LossCode(Message):
    """The hash of the code with which this client's loss is reported from another device."""

    code_hash: DigestField


class LossReport(Message):
    """Whoever has the code may stop the wallet, and nothing else."""

    code: CodeField


class PhraseShare(Message):
    """One of several shares of a phrase; alone it says nothing."""

    share: Annotated[str, Field(min_length=1, max_length=1_000, description="SLIP-39 words")]


class LostQuery(Message):
    """A page of what the lost wallet at this address holds."""

    bank: ParticipantField
    view: PointField
    spend: PointField
    start: CountField = 0


class HeldRef(Message):
    """An output for which a payment was attested that may still become final, and until when."""

    ref: RefField
    until: TimeField


class LostOutputs(Message):
    """Unspent outputs of a page, by reference; whether there are more; what has to wait."""

    outputs: list[BytesField]
    is_more: Annotated[bool, Field(description="whether there is another page")]
    held: list[HeldRef]


class LossOrder(Tracked):
    """Which client has lost its device, and who has made sure of it."""

    client: ClientField


class DeviceRequest(Message):
    """A certificate request of a device's own key, PEM."""

    request: BytesField


SubjectField = Annotated[
    str, Field(pattern=r"^device-[0-9a-f]{32}$", description="name in a certificate")
]


class DeviceRevocation(Message):
    """Devices whose certificates no longer count, by the names in them."""

    subjects: Annotated[list[SubjectField], Field(min_length=1, max_length=DEVICE_REVOCATIONS_MAX)]


class UnknownDevices(Message):
    """Those of them for which this bank never asked for a certificate."""

    subjects: list[SubjectField]
