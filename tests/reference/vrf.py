"""The verifiable random function of schnorrkel 0.11 (docs/spec/01).

    t = Transcript("SigningContext"), append("", "specie/v1/vrf"), append("sign-bytes", message)
    t: append("vrf-nm-pk", P);  h = map_one_way(challenge("VRFHash", 64))
    gamma = x*h
    d = Transcript("VRF"), append("proto-name", "DLEQProof"), append("vrf:h", h),
        append("vrf:R=g^r", R = k*G), append("vrf:h^r", k*h), append("vrf:pk", P),
        append("vrf:h^sk", gamma);  c = challenge("prove", 64) mod l;  s = k - c*x
    value = gamma32 || c32 || s32       verify: R = c*P + s*G, R' = c*gamma + s*h

The library draws k from the secret, the transcript and fresh randomness; here it is given.
"""

from tests.reference import ristretto
from tests.reference.hashing import ORDER, decode_scalar, encode_scalar
from tests.reference.merlin import Transcript
from tests.reference.refusals import Refused
from tests.reference.ristretto import Point


def hash_to_point(public: bytes, message: bytes) -> Point:
    """h: bound to the key, so that nobody carries a value from one key to another."""
    transcript = Transcript(b"SigningContext")
    transcript.append(b"", b"specie/v1/vrf")
    transcript.append(b"sign-bytes", message)
    transcript.append(b"vrf-nm-pk", public)
    return ristretto.map_one_way(transcript.challenge(b"VRFHash", 64))


def challenge(h: Point, nonce: Point, nonce_h: Point, public: bytes, gamma: bytes) -> int:
    """c of the proof that one x makes both P of G and gamma of h."""
    transcript = Transcript(b"VRF")
    transcript.append(b"proto-name", b"DLEQProof")
    transcript.append(b"vrf:h", ristretto.encode(h))
    transcript.append(b"vrf:R=g^r", ristretto.encode(nonce))
    transcript.append(b"vrf:h^r", ristretto.encode(nonce_h))
    transcript.append(b"vrf:pk", public)
    transcript.append(b"vrf:h^sk", gamma)
    return int.from_bytes(transcript.challenge(b"prove", 64), "little") % ORDER


def evaluate(secret: int, nonce: int, message: bytes) -> bytes:
    """gamma and a proof with a given nonce."""
    public = ristretto.encode(ristretto.multiply(secret, ristretto.BASE))
    h = hash_to_point(public, message)
    gamma = ristretto.encode(ristretto.multiply(secret, h))
    points = ristretto.multiply(nonce, ristretto.BASE), ristretto.multiply(nonce, h)
    c = challenge(h, *points, public, gamma)
    return gamma + encode_scalar(c) + encode_scalar(nonce - c * secret)


def verify(public: bytes, message: bytes, value: bytes) -> None:
    """Refuses unless the value is that of the key: its own codes for a bad key, else one."""
    if len(message) != 32 or len(value) != 96:
        raise Refused("size_invalid")
    key = ristretto.decode_key(public)
    try:
        gamma = ristretto.decode_key(value[:32])
        c, s = decode_scalar(value[32:64]), decode_scalar(value[64:])
    except Refused:
        raise Refused("proof_invalid") from None
    h = hash_to_point(public, message)
    nonce = ristretto.multiply_many([c, s], [key, ristretto.BASE])
    nonce_h = ristretto.multiply_many([c, s], [gamma, h])
    if challenge(h, nonce, nonce_h, public, value[:32]) != c:
        raise Refused("proof_invalid")
