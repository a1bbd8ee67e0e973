"""Golden messages of spec page 08: what anybody's client has to send and to believe (T2)."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from specie.assembly.joining import compute_enrolment_message, hash_enrolment, verify_enrolment
from specie.crypto.secrets import InstitutionKey
from specie.identity.genesis import verify_genesis
from specie.identity.services import ServiceRole, verify_services
from specie.remote import client_models, models
from specie.remote.encoding import CBOR, JSON, PROBLEM, Problem, decode, encode
from specie.remote.fields import Message
from specie.remote.signing import (
    Asked,
    Target,
    check_digest,
    name_receiver,
    read_signer,
    sign_answer,
    sign_request,
    verify_answer,
    verify_request,
)
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import InstitutionPublicKey, NetworkId, ServiceName
from specie.values.times import Timestamp
from tests.country import refused
from tests.reference import handles, messages, schnorr
from tests.reference.refusals import Refused
from tests.vectors.files import load, raw
from tests.vectors.generate import MAKERS

CONTENT = load("messages")
EXCHANGES: list[dict[str, Any]] = CONTENT["exchanges"]
NETWORK = NetworkId(raw(CONTENT["network"]))
NOW = Timestamp(CONTENT["created"] * 1000)
MODELS: tuple[tuple[type[Message] | None, type[Message]], ...] = (
    (models.Submission, models.Outcomes),
    (None, models.Leaves),
    (models.Signed, Problem),
    (None, client_models.Standing),
)
"""Of each exchange: request and answer."""


def get_key(name: str) -> InstitutionPublicKey:
    return InstitutionPublicKey(raw(CONTENT["keys"][name]["public"]))


def open_key(name: str) -> InstitutionKey:
    return handles.institution_key(raw(CONTENT["keys"][name]["seed"]))


def get_target(exchange: dict[str, Any]) -> Target:
    asked = exchange["request"]
    headers = asked["headers"]
    receiver, version = headers["specie-receiver"], headers["specie-version"]
    return Target(asked["method"], asked["path"], asked["query"], receiver, version)


def get_asked(exchange: dict[str, Any]) -> Asked:
    headers = exchange["request"]["headers"]
    return Asked(get_target(exchange), headers["content-digest"], headers["signature"])


def read(message: dict[str, Any]) -> dict[str, Any]:
    """As the twin takes it: the body in bytes."""
    return {**message, "body": raw(message["body"])}


def test_generator_still_makes_these_bytes() -> None:
    assert MAKERS["messages"](CONTENT) == CONTENT


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda one: one["signed_by"][:12])
def test_the_twin_believes_them(exchange: dict[str, Any]) -> None:
    request, answer = read(exchange["request"]), read(exchange["answer"])
    who, to = exchange["signed_by"], exchange["answered_by"]
    now = CONTENT["created"] + 60
    messages.verify_request(request, exchange["receiver"], who, get_key(who), now)
    messages.verify_answer(answer, request, to, get_key(to), now)
    with pytest.raises(Refused, match="message_out_of_time"):
        messages.verify_request(request, exchange["receiver"], who, get_key(who), now + 1)
    for message, components in (
        (request, messages.list_request(request)),
        (answer, messages.list_answer(answer, request)),
    ):
        params = message["headers"]["signature-input"].removeprefix("sig=")
        assert messages.build_base(components, params) == message["base"]


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda one: one["signed_by"][:12])
def test_we_sign_and_believe_the_same(exchange: dict[str, Any]) -> None:
    who, to = exchange["signed_by"], exchange["answered_by"]
    request, answer = read(exchange["request"]), read(exchange["answer"])
    assert name_receiver(NETWORK, ServiceName(to)) == exchange["receiver"]
    target, headers = get_target(exchange), request["headers"]
    assert sign_request(target, request["body"], who, open_key(who), NOW) == headers
    signed = read_signer(headers)
    assert signed.name == who
    verify_request(target, headers, signed, get_key(who))
    check_digest(request["body"], headers)
    asked, status, later = get_asked(exchange), answer["status"], Timestamp(NOW + 1000)
    made = sign_answer(status, answer["body"], asked, to, open_key(to), later)
    assert made == answer["headers"]
    verify_answer(status, answer["body"], made, asked, (to, get_key(to)), NOW)


@pytest.mark.parametrize("place", range(len(EXCHANGES)))
def test_bodies_say_what_stands_beside_them(place: int) -> None:
    """CBOR as the twin spells it, JSON with hex digits."""
    for side, model in zip(("request", "answer"), MODELS[place], strict=True):
        message = EXCHANGES[place][side]
        kind = JSON if message["content-type"] == PROBLEM else message["content-type"]
        if model is None:
            assert message["body"] == ""
            continue
        found = decode(raw(message["body"]), kind, model)
        assert messages.show(found.model_dump(exclude_none=True)) == message["message"]
        assert encode(found, kind).hex() == message["body"]
        assert messages.encode_cbor(found.model_dump(exclude_none=True)) == encode(found, CBOR)


def change(exchange: dict[str, Any], side: str, changes: dict[str, Any]) -> dict[str, Any]:
    """One exchange with one thing of one side another."""
    changes = dict(changes)
    if "request" in changes and side == "answer":
        return change(exchange, "request", changes["request"])
    message = dict(exchange[side])
    headers = {**message["headers"], **changes.pop("headers", {})}
    for name, pattern in (("created", "created={}"), ("keyid", 'keyid="{}"'), ("alg", 'alg="{}"')):
        if name in changes:
            told = headers["signature-input"]
            old = told.partition(f"{name}=")[2].partition(";")[0].strip('"')
            new = pattern.format(changes.pop(name))
            headers["signature-input"] = told.replace(pattern.format(old), new)
    gone = changes.pop("without", None)
    if gone:
        headers["signature-input"] = headers["signature-input"].replace(gone, "")
    return {**exchange, side: {**message, **changes, "headers": headers}}


@pytest.mark.parametrize("case", CONTENT["refused"], ids=lambda one: f"{one['of']}: {one['why']}")
def test_what_was_changed_is_refused(case: dict[str, Any]) -> None:
    first = EXCHANGES[0]
    changed = change(first, case["of"], case["changes"])
    assert changed != first
    check = _check_request if case["of"] == "request" else _check_answer
    by_twin, by_us = check(changed)
    with pytest.raises(Refused, match="message_signature_invalid"):
        by_twin()
    with refused(ErrorCode.MESSAGE_SIGNATURE_INVALID):
        by_us()
    for one in check(first):
        one()


def _check_request(exchange: dict[str, Any]) -> tuple[Callable[[], None], Callable[[], None]]:
    request, receiver = read(exchange["request"]), EXCHANGES[0]["receiver"]

    def by_twin() -> None:
        now = CONTENT["created"]
        messages.verify_request(request, receiver, "bank-2", get_key("bank-2"), now)

    def by_us() -> None:
        headers, target = request["headers"], get_target(exchange)
        signed = read_signer(headers)
        if signed.name != "bank-2" or target.receiver != receiver:  # as the gate looks
            raise SpecieError(ErrorCode.MESSAGE_SIGNATURE_INVALID, "somebody else")
        verify_request(target, headers, signed, get_key("bank-2"))
        check_digest(request["body"], headers)

    return by_twin, by_us


def _check_answer(exchange: dict[str, Any]) -> tuple[Callable[[], None], Callable[[], None]]:
    request, answer = read(exchange["request"]), read(exchange["answer"])

    def by_twin() -> None:
        now = CONTENT["created"]
        messages.verify_answer(answer, request, "notary", get_key("notary"), now)

    def by_us() -> None:
        asked, expected = get_asked(exchange), ("notary", get_key("notary"))
        headers, status = answer["headers"], answer["status"]
        verify_answer(status, answer["body"], headers, asked, expected, NOW)

    return by_twin, by_us


def test_the_list_of_services_is_read() -> None:
    found = CONTENT["services"]
    genesis = verify_genesis(raw(CONTENT["genesis"]))
    listed = verify_services(found["signed"].encode(), genesis)
    assert (genesis.network, listed.origin) == (NETWORK, found["origin"])
    assert listed.version == found["version"]
    for one in found["services"]:
        service = listed.get(ServiceName(one["name"]))
        assert (service.role, service.number) == (ServiceRole(one["role"]), one["number"])
        assert (service.url, service.public_url) == (one["url"], one["public_url"])
        assert service.key.hex() == one["key"]
    newer = replace(listed, version=listed.version + 1)
    for signed in (found["signed"].replace("version 3", "version 4"), newer.format()):
        with refused(ErrorCode.SERVICES_INVALID):
            verify_services(signed.encode(), genesis)


def test_an_enrolment_is_proven() -> None:
    found = CONTENT["enrolment"]
    enrolment = client_models.Enrolment.model_validate_json(json.dumps(found["enrolment"]))
    assert compute_enrolment_message(enrolment, NETWORK) == raw(found["message"])
    assert messages.compute_enrolment(NETWORK, enrolment.model_dump()) == raw(found["message"])
    verify_enrolment(enrolment, NETWORK)
    assert hash_enrolment(enrolment) == found["digest"]
    assert messages.compute_enrolment_digest(found["enrolment"]) == found["digest"]
    message = raw(found["message"])
    schnorr.verify(enrolment.attestation_key, message, enrolment.attestation_proof)
    other = enrolment.model_copy(update={"url": "https://elsewhere.example:8443"})
    with refused(ErrorCode.SIGNATURE_INVALID):
        verify_enrolment(other, NETWORK)
