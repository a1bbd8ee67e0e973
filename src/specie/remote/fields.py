"""Fields of messages: bytes travel as they are in CBOR, as hex digits in JSON.

One model serves both spellings. Sizes and ranges stand in the type: checked where a message
comes in, and documented in the OpenAPI description.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from specie.values.amounts import Minor
from specie.values.identifiers import (
    ClientId,
    CoreAccount,
    Digest,
    EndToEndId,
    EntryId,
    InstitutionPublicKey,
    NetworkId,
    OrderId,
    OutputRef,
    ParticipantNumber,
    PublicKey,
    Signature,
    TransactionId,
)
from specie.values.limits import (
    AMOUNT_MAX,
    MESSAGE_BYTES_MAX,
    TRANSACTION_BYTES_MAX,
)
from specie.values.phones import PhoneNumber
from specie.values.times import TIMESTAMP_MAX, Timestamp


class Message(BaseModel):
    """Anything that travels: unknown fields are refused, nothing is coerced."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, defer_build=True
    )

    def __repr__(self) -> str:
        """Its kind alone: messages hold openings, amounts, names."""
        return f"{type(self).__name__}(…)"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Since:
    """The version of the protocol that a field came with: who speaks an older one refuses it."""

    version: int


class Empty(Message):
    """Nothing to say."""


def _from_hex(value: Any) -> Any:
    if isinstance(value, str):
        if value != value.lower():
            raise ValueError("hex digits are lower case")
        return bytes.fromhex(value)
    return value


def _sized(least: int, most: int, about: str) -> tuple[Any, ...]:
    count = f"{{{least}}}" if least == most else f"{{{least},{most}}}"
    pattern = f"^([0-9a-f]{{2}}){count}$" if most <= 64 else "^([0-9a-f]{2})*$"
    schema = {"type": "string", "pattern": pattern, "maxLength": 2 * most, "description": about}
    return (
        BeforeValidator(_from_hex),
        Field(min_length=least, max_length=most),
        PlainSerializer(bytes.hex, when_used="json"),
        WithJsonSchema(schema),
    )


def sized_exactly(size: int, about: str) -> tuple[Any, ...]:
    """What a field of so many bytes is annotated with."""
    return _sized(size, size, f"{about}, {size} bytes")


_NUMBER: Final = Field(ge=1, le=2**32 - 1, description="number of a participant in the list")
_AMOUNT: Final = Field(ge=0, le=AMOUNT_MAX, description="minor units of the currency")
_TIME: Final = Field(ge=0, le=TIMESTAMP_MAX, description="milliseconds since 1970, UTC")

OrderField = Annotated[OrderId, *sized_exactly(16, "id of an order, drawn by who gives it")]
EntryField = Annotated[EntryId, *sized_exactly(16, "id of an entry in the books")]
NetworkField = Annotated[NetworkId, *sized_exactly(16, "id of the network")]
CodeField = Annotated[bytes, *sized_exactly(16, "drawn at random")]
PaymentIdField = Annotated[bytes, *sized_exactly(16, "id of a payment")]
TxidField = Annotated[TransactionId, *sized_exactly(32, "id of a transaction")]
RefField = Annotated[OutputRef, *sized_exactly(32, "OutputRef")]
DigestField = Annotated[Digest, *sized_exactly(32, "a hash")]
PointField = Annotated[PublicKey, *sized_exactly(32, "public key, a point of ristretto255")]
InstitutionKeyField = Annotated[InstitutionPublicKey, *sized_exactly(32, "public key, Ed25519")]
SecretField = Annotated[bytes, *sized_exactly(32, "a secret")]
SignatureField = Annotated[Signature, *sized_exactly(64, "a signature")]
TransactionField = Annotated[bytes, *_sized(1, TRANSACTION_BYTES_MAX, "a transaction, page 03")]
BytesField = Annotated[bytes, *_sized(0, MESSAGE_BYTES_MAX, "bytes in the form of docs/spec")]
AmountField = Annotated[Minor, _AMOUNT]
ParticipantField = Annotated[ParticipantNumber, _NUMBER]
TimeField = Annotated[Timestamp, _TIME]
CountField = Annotated[int, Field(ge=0, le=2**63 - 1, description="a number, from 0 on")]
TextField = Annotated[str, Field(max_length=1_000, description="text")]
ParametersField = Annotated[  # keys of a cosigner are long
    str, Field(max_length=8_000, description="JSON, keys sorted, without spaces")
]
PhoneField = Annotated[
    PhoneNumber, Field(pattern=r"^\+[0-9]{7,15}$", description="phone number, E.164")
]
NameField = Annotated[str, Field(min_length=1, max_length=48, description="name of a person")]
ClientField = Annotated[
    ClientId, Field(min_length=1, max_length=48, description="id of a client at its bank")
]
EndToEndField = Annotated[EndToEndId, *sized_exactly(16, "end-to-end id of a movement, ISO 20022")]
CoreAccountField = Annotated[
    CoreAccount,
    Field(pattern=r"^[A-Za-z0-9]{1,34}$", description="account number at a core system"),
]
NoteField = Annotated[
    str, Field(max_length=MESSAGE_BYTES_MAX, description="a signed note, or a line of one (C2SP)")
]
