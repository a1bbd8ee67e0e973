"""Messages between processes (docs/spec/08): what is signed of a request and of its answer.

    line     = "name": value                     one for each component, in the profile's order
    base     = lines joined by 0x0a, the last is "@signature-params": params
    params   = (components);created=seconds;keyid="name";alg="ed25519"
    headers  = signature-input: sig=params       signature: sig=:base64(Ed25519(key, base)):

CBOR as in RFC 8949, the plain part of it; Ed25519 by the library `cryptography`.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tests.reference.hashing import tagged_hash
from tests.reference.refusals import Refused

REQUEST: Final = (
    *("@method", "@path", "@query", "content-digest", "specie-receiver", "specie-version"),
)
ANSWER: Final = ("@status", "content-digest", "specie-version")
ASKED: Final = ("@method", "@path", "@query", "content-digest", "signature")  # of the request
MINUTE_S: Final = 60

Content = Mapping[str, Any]


def compute_digest(body: bytes) -> str:
    """RFC 9530."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def list_request(request: Content) -> list[tuple[str, str]]:
    """Components of a request with their values: its line and its headers."""
    values = {
        **request["headers"],
        "@method": request["method"],
        "@path": request["path"],
        "@query": f"?{request['query']}",
    }
    return [(f'"{name}"', values[name]) for name in REQUEST]


def list_answer(answer: Content, request: Content) -> list[tuple[str, str]]:
    """Components of an answer; those of its request are marked."""
    values = {**answer["headers"], "@status": str(answer["status"])}
    asked = {**dict(list_request(request)), '"signature"': request["headers"]["signature"]}
    own = [(f'"{name}"', values[name]) for name in ANSWER]
    return [*own, *((f'"{name}";req', asked[f'"{name}"']) for name in ASKED)]


def format_params(components: Sequence[tuple[str, str]], created: int, keyid: str) -> str:
    """What is signed, when, by whom."""
    names = " ".join(name for name, _ in components)
    return f'({names});created={created};keyid="{keyid}";alg="ed25519"'


def build_base(components: Sequence[tuple[str, str]], params: str) -> str:
    """The text under the signature."""
    lines = [f"{name}: {value}" for name, value in components]
    return "\n".join([*lines, f'"@signature-params": {params}'])


def sign(
    seed: bytes, components: Sequence[tuple[str, str]], created: int, keyid: str
) -> dict[str, str]:
    """The two headers."""
    params = format_params(components, created, keyid)
    raw = Ed25519PrivateKey.from_private_bytes(seed).sign(build_base(components, params).encode())
    return {
        "signature-input": f"sig={params}",
        "signature": f"sig=:{base64.b64encode(raw).decode()}:",
    }


def verify_request(request: Content, receiver: str, keyid: str, key: bytes, now: int) -> None:
    """As the receiver does; `now` in seconds."""
    if request["headers"]["specie-receiver"] != receiver:
        raise Refused("message_signature_invalid")
    _verify(request, list_request(request), keyid, key, now)


def verify_answer(answer: Content, request: Content, keyid: str, key: bytes, now: int) -> None:
    """As who asked does."""
    _verify(answer, list_answer(answer, request), keyid, key, now)


def _verify(
    message: Content, components: Sequence[tuple[str, str]], keyid: str, key: bytes, now: int
) -> None:
    headers = message["headers"]
    told = re.fullmatch(r"sig=(.*;created=([0-9]+);.*)", headers["signature-input"])
    shown = re.fullmatch(r"sig=:(.{88}):", headers["signature"])
    if told is None or shown is None:
        raise Refused("message_signature_invalid")
    created = int(told[2])
    params = format_params(components, created, keyid)
    if told[1] != params or headers["content-digest"] != compute_digest(message["body"]):
        raise Refused("message_signature_invalid")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(
            base64.b64decode(shown[1]), build_base(components, params).encode()
        )
    except InvalidSignature:
        raise Refused("message_signature_invalid") from None
    if abs(now - created) > MINUTE_S:
        raise Refused("message_out_of_time")


# --- bodies --------------------------------------------------------------------------------------


def encode_cbor(value: Any) -> bytes:
    """Whole numbers, bytes, text, lists, maps of text, true, false; shorter keys first."""
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, Sequence):
        return _head(4, len(value)) + b"".join(encode_cbor(one) for one in value)
    pairs = sorted((encode_cbor(name), encode_cbor(inner)) for name, inner in value.items())
    pairs.sort(key=lambda pair: len(pair[0]))
    return _head(5, len(pairs)) + b"".join(name + inner for name, inner in pairs)


def show(value: Any) -> Any:
    """The same in JSON: bytes are hex digits."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {name: show(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [show(inner) for inner in value]
    return value


def _head(major: int, value: int) -> bytes:
    if value < 24:
        return bytes([major << 5 | value])
    for more, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 1 << 8 * size:
            return bytes([major << 5 | more]) + value.to_bytes(size, "big")
    raise Refused("size_invalid")


# --- lists and enrolment -------------------------------------------------------------------------


def sign_note(seed: bytes, text: str, name: str) -> str:
    """A C2SP signed note: the text, an empty line, one line of type 1."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes_raw()
    key_id = hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]
    line = base64.b64encode(key_id + key.sign(text.encode())).decode()
    return f"{text}\n\u2014 {name} {line}\n"


def format_services(origin: str, version: int, services: Sequence[Content]) -> str:
    """The text of a list of services."""
    lines = ["specie services v1", origin, f"version {version}"]
    for one in sorted(services, key=lambda one: str(one["name"])):
        fields = ("name", "role", "number", "url", "public_url", "key")
        lines.append(" ".join(str(one[name]) or "-" for name in fields))
    return "".join(f"{line}\n" for line in lines)


def compute_enrolment(network: bytes, enrolment: Mapping[str, Any]) -> bytes:
    """What each of the new keys signs."""
    urls = f"{enrolment['url']}\n{enrolment['public_url']}".encode()
    fields = network + tagged_hash("code", enrolment["code"])
    fields += hashlib.sha256(enrolment["request"]).digest()
    fields += len(urls).to_bytes(4, "little") + urls
    for name in ("scan_key", "attestation_key", "institution_key"):
        fields += enrolment[name]
    return tagged_hash("enrol", fields)


def compute_enrolment_digest(shown: Content) -> str:
    """What officers compare; of the enrolment as JSON has it."""
    left_out = ("code", "attestation_proof", "institution_proof")
    fields = sorted((name, value) for name, value in shown.items() if name not in left_out)
    text = ", ".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in fields)
    return hashlib.sha256(f"{{{text}}}".encode()).hexdigest()
