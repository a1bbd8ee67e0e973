"""Our profile of RFC 9421 against another implementation of it, in both directions (T2)."""

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    InvalidSignature,
    MappingKeyResolver,
    algorithms,
)

from specie.assembly.system import SystemClock
from specie.crypto.secrets import InstitutionKey
from specie.remote.operations import VERSION
from specie.remote.signing import (
    Asked,
    Target,
    check_digest,
    check_time,
    compute_digest,
    name_receiver,
    read_signer,
    sign_answer,
    sign_request,
    verify_answer,
    verify_request,
)
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import InstitutionPublicKey, NetworkId, ServiceName
from tests.country import refused

BODY = b"\xa1anote"
PATH, QUERY = "/v1/payments/a%20b", "start=1&limit=2"
URL = f"https://bank.example:8443{PATH}?{QUERY}"
RECEIVER = name_receiver(NetworkId(b"a network".ljust(16)), ServiceName("notary"))
REQUEST = ("@method", "@path", "@query", "content-digest", "specie-receiver", "specie-version")
ANSWER = (
    *("@status", "content-digest", "specie-version", '"@method";req', '"@path";req'),
    *('"@query";req', '"content-digest";req', '"signature";req'),
)
NAME = "bank-2"


def verify(message: Any, key: InstitutionKey, components: tuple[str, ...]) -> None:
    """By the other implementation; every component has to be covered."""
    public = Ed25519PublicKey.from_public_bytes(key.public)
    keys = MappingKeyResolver(public_keys={NAME: public}, private_keys={})
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=keys)
    [found] = verifier.verify(message, max_age=dt.timedelta(minutes=1))
    covered = {str(one).replace('"', "") for one in found.covered_components}
    assert covered >= {one.replace('"', "") for one in components}


def sign(message: Any, components: tuple[str, ...]) -> InstitutionPublicKey:
    """By the other implementation, as anybody would who reads the protocol."""
    private = Ed25519PrivateKey.generate()
    keys = MappingKeyResolver(public_keys={}, private_keys={NAME: private})
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=keys)
    given: Any = {"key_id": NAME, "label": "sig", "covered_component_ids": components}
    signer.sign(message, use_existing_digest=True, **given)
    return InstitutionPublicKey(private.public_key().public_bytes_raw())


def make_request(headers: dict[str, str]) -> Any:
    return SimpleNamespace(method="POST", url=URL, headers=headers)


TARGET = Target("POST", PATH, QUERY, RECEIVER)
ASKED = Asked(TARGET, compute_digest(b"asked"), "sig=:AAAA:")
ASKING = {"signature": ASKED.signature, "content-digest": ASKED.digest}
OTHERS = (
    replace(ASKED, signature="sig=:BBBB:"),
    replace(ASKED, digest=compute_digest(b"other")),
    replace(ASKED, target=replace(TARGET, method="GET")),
    replace(ASKED, target=replace(TARGET, path="/v1/other")),
    replace(ASKED, target=replace(TARGET, query="start=2")),
)


def test_others_verify_our_requests() -> None:
    key = InstitutionKey.generate()
    headers = sign_request(TARGET, BODY, NAME, key, SystemClock().now())
    verify(make_request(headers), key, REQUEST)
    changes = {"specie-receiver": "0/notary", "content-digest": compute_digest(b"x")}
    for name, value in {**changes, "specie-version": str(VERSION - 1)}.items():
        with pytest.raises(InvalidSignature):
            verify(make_request({**headers, name: value}), key, REQUEST)


def test_we_verify_others_requests() -> None:
    headers = {"content-digest": compute_digest(BODY), "specie-receiver": RECEIVER}
    headers["specie-version"] = str(VERSION)
    key = sign(make_request(headers), REQUEST)
    found = {name.lower(): value for name, value in headers.items()}
    signed = read_signer(found)
    assert signed.name == NAME
    verify_request(TARGET, found, signed, key)
    check_digest(BODY, found)
    check_time(signed, SystemClock().now())
    for other in (replace(TARGET, query="start=2"), replace(TARGET, version=str(VERSION - 1))):
        with refused(ErrorCode.MESSAGE_SIGNATURE_INVALID):
            verify_request(other, found, signed, key)


def test_others_verify_our_answers() -> None:
    key = InstitutionKey.generate()
    headers = sign_answer(409, BODY, ASKED, NAME, key, SystemClock().now())
    answer = SimpleNamespace(status_code=409, headers=headers, request=make_request(ASKING))
    verify(answer, key, ANSWER)
    for name, value in (("status_code", 200), ("headers", {**headers, "specie-version": "1"})):
        with pytest.raises(InvalidSignature):
            verify(SimpleNamespace(**{**vars(answer), name: value}), key, ANSWER)
    other = make_request(ASKING)
    other.method = "GET"
    with pytest.raises(InvalidSignature):
        verify(SimpleNamespace(**{**vars(answer), "request": other}), key, ANSWER)


def test_we_verify_others_answers() -> None:
    headers = {"content-digest": compute_digest(BODY), "specie-version": str(VERSION)}
    answer = SimpleNamespace(status_code=200, headers=headers, request=make_request(ASKING))
    key = sign(answer, ANSWER)
    found, now = {name.lower(): value for name, value in headers.items()}, SystemClock().now()
    verify_answer(200, BODY, found, ASKED, (NAME, key), now)
    for other in OTHERS:
        with refused(ErrorCode.MESSAGE_SIGNATURE_INVALID):
            verify_answer(200, BODY, found, other, (NAME, key), now)
    with refused(ErrorCode.MESSAGE_SIGNATURE_INVALID):
        older = {**found, "specie-version": str(VERSION - 1)}
        verify_answer(200, BODY, older, ASKED, (NAME, key), now)
