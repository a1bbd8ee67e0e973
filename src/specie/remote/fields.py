"""Fields of messages: bytes travel as they are in CBOR, as hex digits in JSON.

One model serves both spellings. Sizes and ranges stand in the type: checked where a message
comes in, and documented in the OpenAPI description.
"""

from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from specie.values.amounts import Minor
from specie.values.identifiers import (
    ClientId,
    Digest,
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
from specie.values.times import TIMESTAMP_MAX, Timestamp


class Message(BaseModel):
    """Anything that travels: unknown fields are refused, nothing is coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    def __repr__(self) -> str:
        """Its kind alone: messages hold openings, amounts, names."""
        return f"{type(self).__name__}(…)"

    __str__ = __repr__


class Empty(Message):
    """Nothing to say."""


def _from_hex(value: Any) -> Any:
    if isinstance(value, str):
        if value != value.lower():
            raise ValueError("hex digits are lower case")
        return bytes.fromhex(value)
    return value


def _sized(least: int, most: int) -> tuple[Any, ...]:
    count = f"{{{least}}}" if least == most else f"{{{least},{most}}}"
    pattern = f"^([0-9a-f]{{2}}){count}$" if most <= 64 else "^([0-9a-f]{2})*$"
    schema = {"type": "string", "pattern": pattern, "maxLength": 2 * most}
    return (
        BeforeValidator(_from_hex),
        Field(min_length=least, max_length=most),
        PlainSerializer(bytes.hex, when_used="json"),
        WithJsonSchema(schema),
    )


_ID, _HASH, _KEY, _SIGNATURE = (_sized(size, size) for size in (16, 32, 32, 64))
_NUMBER: Final = Field(ge=1, le=2**32 - 1)

OrderField = Annotated[OrderId, *_ID]
EntryField = Annotated[EntryId, *_ID]
NetworkField = Annotated[NetworkId, *_ID]
CodeField = Annotated[bytes, *_ID]
PaymentIdField = Annotated[bytes, *_ID]
TxidField = Annotated[TransactionId, *_HASH]
RefField = Annotated[OutputRef, *_HASH]
DigestField = Annotated[Digest, *_HASH]
PointField = Annotated[PublicKey, *_KEY]
InstitutionKeyField = Annotated[InstitutionPublicKey, *_KEY]
SecretField = Annotated[bytes, *_KEY]
SignatureField = Annotated[Signature, *_SIGNATURE]
TransactionField = Annotated[bytes, *_sized(1, TRANSACTION_BYTES_MAX)]
BytesField = Annotated[bytes, *_sized(0, MESSAGE_BYTES_MAX)]
AmountField = Annotated[Minor, Field(ge=0, le=AMOUNT_MAX)]
ParticipantField = Annotated[ParticipantNumber, _NUMBER]
TimeField = Annotated[Timestamp, Field(ge=0, le=TIMESTAMP_MAX)]
CountField = Annotated[int, Field(ge=0, le=2**63 - 1)]
TextField = Annotated[str, Field(max_length=1_000)]
ParametersField = Annotated[str, Field(max_length=8_000)]  # keys of a cosigner are long
NameField = Annotated[str, Field(min_length=1, max_length=48)]
ClientField = Annotated[ClientId, Field(min_length=1, max_length=48)]
NoteField = Annotated[str, Field(max_length=MESSAGE_BYTES_MAX)]
