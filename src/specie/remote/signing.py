"""Signed messages: a fixed profile of RFC 9421, RFC 9530's digest, Ed25519 (spec page 08).

    request   "@method" "@path" "@query" "content-digest" "specie-receiver" "specie-version"
    answer    "@status" "content-digest" "specie-version", and of its request, with ;req (2.4):
              "@method" "@path" "@query" "content-digest" "signature"
    base      each component on a line, then "@signature-params": created, keyid, alg
    receiver  network id in hex / name of the service
    version   of the protocol: the request's that is spoken, the answer's newest

    Signature = Ed25519(institution key, base)

The receiver binds a message to one service of one network. An answer says what was asked, and by
which signature: where anybody may ask nobody looks whose that is, and the answer is still to this
method, path, query and body. The profile is the same in all versions, so that each can read what
another says of itself. A message counts for a minute either way; sent again within it, it is the
same order, entry or transaction again, and has the same one effect.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from specie.crypto.secrets import InstitutionSigner
from specie.crypto.signatures import sign_as_institution, verify_institution_signature
from specie.remote.operations import VERSION
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    InstitutionPublicKey,
    NetworkId,
    ServiceName,
    Signature,
)
from specie.values.limits import MESSAGE_AGE_MS_MAX
from specie.values.times import Timestamp

RECEIVER: Final = "specie-receiver"
SPOKEN: Final = "specie-version"
_REQUEST: Final = '("@method" "@path" "@query" "content-digest" "specie-receiver" "specie-version")'
_ANSWER: Final = (
    '("@status" "content-digest" "specie-version" "@method";req "@path";req "@query";req'
    ' "content-digest";req "signature";req)'
)
_INPUT: Final = re.compile(
    r'sig=(\([^)]*\));created=([0-9]{1,12});keyid="([a-z0-9:-]{1,80})";alg="ed25519"'
)
_SIGNATURE: Final = re.compile(r"sig=:([A-Za-z0-9+/]{86}==):")

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SignedBy:
    """What the head of a message claims, before anything is believed."""

    name: str  # whose key
    created_ms: Timestamp
    components: str
    signature: Signature


@dataclass(frozen=True, slots=True)
class Target:
    """What a request asks for."""

    method: str
    path: str
    query: str  # without its question mark
    receiver: str
    version: str = str(VERSION)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as its answer is bound to it."""

    target: Target
    digest: str
    signature: str  # the header


def name_receiver(network: NetworkId, service: ServiceName) -> str:
    """One service of one network."""
    return f"{network.hex()}/{service}"


def sign_request(
    target: Target, body: bytes, name: str, key: InstitutionSigner, now: Timestamp
) -> dict[str, str]:
    """The headers to send with it."""
    digest = compute_digest(body)
    params = _format_params(_REQUEST, name, now)
    base = _build_request_base(target, digest, params)
    return {
        "content-digest": digest,
        RECEIVER: target.receiver,
        SPOKEN: target.version,
        "signature-input": f"sig={params}",
        "signature": _format_signature(sign_as_institution(key, base)),
    }


def sign_answer(
    status: int, body: bytes, asked: Asked, name: str, key: InstitutionSigner, now: Timestamp
) -> dict[str, str]:
    """The headers of an answer to this request; ours is the newest version that we speak."""
    digest, version = compute_digest(body), str(VERSION)
    params = _format_params(_ANSWER, name, now)
    base = _build_answer_base(status, digest, version, asked, params)
    return {
        "content-digest": digest,
        SPOKEN: version,
        "signature-input": f"sig={params}",
        "signature": _format_signature(sign_as_institution(key, base)),
    }


def read_signer(headers: Headers) -> SignedBy:
    """Who claims to have signed; `message_signature_invalid` if it is not our profile."""
    found = _INPUT.fullmatch(headers.get("signature-input", ""))
    signed = _SIGNATURE.fullmatch(headers.get("signature", ""))
    if found is None or signed is None:
        raise SpecieError(ErrorCode.MESSAGE_SIGNATURE_INVALID, "not signed as messages are here")
    try:
        raw = base64.b64decode(signed[1], validate=True)
    except binascii.Error:
        raise SpecieError(ErrorCode.MESSAGE_SIGNATURE_INVALID, "not base64") from None
    return SignedBy(found[3], Timestamp(int(found[2]) * 1000), found[1], Signature(raw))


def verify_request(
    target: Target, headers: Headers, signed: SignedBy, key: InstitutionPublicKey
) -> None:
    """`message_signature_invalid` unless `key` signed this head; time and body are checked apart.

    So a body is read only of who is known.
    """
    params = _format_params(_REQUEST, signed.name, signed.created_ms)
    if signed.components != _REQUEST:
        raise SpecieError(ErrorCode.MESSAGE_SIGNATURE_INVALID, "other components are signed")
    digest = headers.get("content-digest", "")
    _verify(key, _build_request_base(target, digest, params), signed.signature)


def verify_answer(
    status: int,
    body: bytes,
    headers: Headers,
    asked: Asked,
    expected: tuple[str, InstitutionPublicKey],
    now: Timestamp,
) -> None:
    """Whether the service that was asked gave this answer to this request."""
    signed, digest = read_signer(headers), check_digest(body, headers)
    name, key = expected
    if signed.components != _ANSWER or signed.name != name:
        raise SpecieError(ErrorCode.MESSAGE_SIGNATURE_INVALID, "answered by somebody else")
    params = _format_params(_ANSWER, name, signed.created_ms)
    version = headers.get(SPOKEN, "")
    _verify(key, _build_answer_base(status, digest, version, asked, params), signed.signature)
    check_time(signed, now)


def check_time(signed: SignedBy, now: Timestamp) -> None:
    """Old messages are not kept to be sent later; clocks differ by less than a minute."""
    if abs(now - signed.created_ms) > MESSAGE_AGE_MS_MAX:
        raise SpecieError(ErrorCode.MESSAGE_OUT_OF_TIME, "signed more than a minute from now")


def compute_digest(body: bytes) -> str:
    """RFC 9530."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def check_digest(body: bytes, headers: Headers) -> str:
    """The digest, if it is the body's; `message_signature_invalid`."""
    digest = compute_digest(body)
    if headers.get("content-digest") != digest:
        raise SpecieError(ErrorCode.MESSAGE_SIGNATURE_INVALID, "the digest is not the body's")
    return digest


def _format_params(components: str, name: str, now: Timestamp) -> str:
    return f'{components};created={now // 1000};keyid="{name}";alg="ed25519"'


def _format_signature(signature: Signature) -> str:
    return f"sig=:{base64.b64encode(signature).decode()}:"


def _build_request_base(target: Target, digest: str, params: str) -> bytes:
    lines = (
        f'"@method": {target.method}',
        f'"@path": {target.path}',
        f'"@query": ?{target.query}',
        f'"content-digest": {digest}',
        f'"{RECEIVER}": {target.receiver}',
        f'"{SPOKEN}": {target.version}',
        f'"@signature-params": {params}',
    )
    return "\n".join(lines).encode()


def _build_answer_base(status: int, digest: str, version: str, asked: Asked, params: str) -> bytes:
    lines = (
        f'"@status": {status}',
        f'"content-digest": {digest}',
        f'"{SPOKEN}": {version}',
        f'"@method";req: {asked.target.method}',
        f'"@path";req: {asked.target.path}',
        f'"@query";req: ?{asked.target.query}',
        f'"content-digest";req: {asked.digest}',
        f'"signature";req: {asked.signature}',
        f'"@signature-params": {params}',
    )
    return "\n".join(lines).encode()


def _verify(key: InstitutionPublicKey, base: bytes, signature: Signature) -> None:
    try:
        verify_institution_signature(key, base, signature)
    except SpecieError:
        raise SpecieError(
            ErrorCode.MESSAGE_SIGNATURE_INVALID, "the signature does not hold"
        ) from None
