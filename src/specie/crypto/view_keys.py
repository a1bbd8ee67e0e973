"""A view key as text, for whoever its holder lets see one address (spec page 01).

    payload = version u8 (1) ‖ bank u32 ‖ B32 ‖ secret32 ‖ sealed view key 72
    check   = H("watch-key", address prefix ‖ 0x00 ‖ payload)[:8]
    text    = bech32m("specieview", payload ‖ check)

A handle shows its bytes to nobody: what is written down is the handle sealed under a random secret,
with that secret beside it.
"""

from typing import Final

from specie._kernel import bech32m_decode, bech32m_encode, check_point
from specie.crypto.addresses import Address
from specie.crypto.hashing import tagged_hash
from specie.crypto.native import translated_errors
from specie.crypto.secrets import ViewKey, unseal
from specie.crypto.transit import TRANSIT_KEY_BYTES, derive_transit_sealing, draw_transit_secret
from specie.values.catalogue import ErrorCode
from specie.values.encoding import Reader, encode_text, u8, u32
from specie.values.errors import SpecieError
from specie.values.identifiers import ParticipantNumber, PublicKey

_PREFIX: Final = "specieview"
_VERSION: Final = 1
_AAD: Final = b"view key of an address"
_SEALED_SIZE: Final = 72
_PAYLOAD_SIZE: Final = 5 + 32 + TRANSIT_KEY_BYTES + _SEALED_SIZE
_CHECK_SIZE: Final = 8


def format_view_key(view: ViewKey, address: Address, prefix: str) -> str:
    """A secret: whoever has it sees what the address is paid. Another text each time."""
    secret = draw_transit_secret()
    with translated_errors():
        sealed = view.seal(derive_transit_sealing(secret), _AAD)
    payload = u8(_VERSION) + u32(address.bank) + address.spend + secret + sealed
    with translated_errors():
        return bech32m_encode(_PREFIX, payload + _compute_check(prefix, payload))


def parse_view_key(text: str, prefix: str) -> tuple[ViewKey, Address]:
    """On the network with this address prefix; `address_invalid` for a typing error."""
    encode_text(text)  # else what is no text is refused with an error that carries it
    with translated_errors():
        found, raw = bech32m_decode(text)
    if found != _PREFIX or len(raw) != _PAYLOAD_SIZE + _CHECK_SIZE:
        raise SpecieError(ErrorCode.ADDRESS_INVALID, "not a view key")
    payload, check = raw[:-_CHECK_SIZE], raw[-_CHECK_SIZE:]
    if check != _compute_check(prefix, payload):
        reason = "the view key has a typing error, or is of another network"
        raise SpecieError(ErrorCode.ADDRESS_INVALID, reason)
    reader = Reader(payload)
    if reader.u8() != _VERSION:
        raise SpecieError(ErrorCode.VERSION_UNKNOWN, "unknown version of a view key")
    bank, spend = ParticipantNumber(reader.u32()), PublicKey(reader.take(32))
    sealing = derive_transit_sealing(reader.take(TRANSIT_KEY_BYTES))
    view = unseal(ViewKey.unseal, sealing, reader.take(_SEALED_SIZE), _AAD)
    reader.finish()
    with translated_errors():
        check_point(spend)
    return view, Address(bank, PublicKey(view.public), spend)


def _compute_check(prefix: str, payload: bytes) -> bytes:
    return tagged_hash("watch-key", prefix.encode(), b"\0", payload)[:_CHECK_SIZE]
