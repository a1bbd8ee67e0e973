"""Schnorr signatures on ristretto255, as schnorrkel 0.11 makes them (docs/spec/01).

    t = Transcript("SigningContext"), append("", "specie/v1"), append("sign-bytes", message)
    t: append("proto-name", "Schnorr-sig"), append("sign:pk", P), append("sign:R", R)
    c = challenge("sign:c", 64 bytes) mod l
    R = k*G         s = k + c*x         verify: R = s*G - c*P, compared as bytes
    signature = R32 || s32, top bit of the last byte set

The library draws k from the secret, the message and fresh randomness; here it is given.
"""

from tests.reference import ristretto
from tests.reference.hashing import ORDER, decode_scalar, encode_scalar
from tests.reference.merlin import Transcript
from tests.reference.refusals import Refused


def public_key(secret: int) -> bytes:
    """X = x*G."""
    return ristretto.encode(ristretto.multiply(secret, ristretto.BASE))


def challenge(public: bytes, message: bytes, nonce_point: bytes) -> int:
    """c: depends on the message, the key and R."""
    transcript = Transcript(b"SigningContext")
    transcript.append(b"", b"specie/v1")
    transcript.append(b"sign-bytes", message)
    transcript.append(b"proto-name", b"Schnorr-sig")
    transcript.append(b"sign:pk", public)
    transcript.append(b"sign:R", nonce_point)
    return int.from_bytes(transcript.challenge(b"sign:c", 64), "little") % ORDER


def sign(secret: int, nonce: int, message: bytes) -> bytes:
    """A signature with a given nonce; giving one nonce twice gives the secret away."""
    nonce_point = public_key(nonce)
    c = challenge(public_key(secret), message, nonce_point)
    raw = bytearray(nonce_point + encode_scalar(nonce + c * secret))
    raw[63] |= 0x80
    return bytes(raw)


def verify(public: bytes, message: bytes, signature: bytes) -> None:
    """Refuses unless the signature holds; key and R must not be the identity.

    A bad key has the codes of a point, all that is wrong in the 64 bytes is `signature_invalid`.
    """
    if len(signature) != 64 or len(message) != 32:
        raise Refused("size_invalid")
    key = ristretto.decode_key(public)
    nonce_point = signature[:32]
    try:
        ristretto.decode_key(nonce_point)
        s = decode_scalar(signature[32:63] + bytes([signature[63] & 0x7F]))
    except Refused:
        raise Refused("signature_invalid") from None
    if not signature[63] & 0x80:
        raise Refused("signature_invalid")
    c = challenge(public, message, nonce_point)
    expected = ristretto.multiply_many([s, ORDER - c], [ristretto.BASE, key])
    if ristretto.encode(expected) != nonce_point:
        raise Refused("signature_invalid")
