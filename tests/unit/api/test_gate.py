"""The gate alone: who asks, is it well-formed, is there room. No network, no process (X5, P12)."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any, cast

import cbor2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from structlog.testing import capture_logs

from specie.api import bodies
from specie.api import gate as gates
from specie.api.gate import PEER, Asking, Gate, Listener
from specie.identity.certificates import name_peer
from specie.identity.services import ServiceRole
from specie.remote.channel import Speaker, build_request
from specie.remote.encoding import CBOR, JSON
from specie.remote.fields import CountField, Empty, Message
from specie.remote.operations import VERSION, Caller, Operation
from specie.remote.peers import Certified
from specie.remote.signing import (
    Asked,
    Target,
    name_receiver,
    read_signer,
    sign_request,
    verify_answer,
)
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ServiceName
from specie.values.limits import CRL_DAYS, STRANGER_BYTES_MAX
from specie.values.times import DAY_MS, Timestamp
from tests.clocks import MORNING, ManualClock
from tests.unit.api.cast import Cast, make_cast

NOW = MORNING


class Number(Message):
    """One number."""

    number: CountField


DOUBLE = Operation(
    "double",
    "POST",
    "/v1/double",
    Number,
    Number,
    frozenset({ServiceRole.BANK}),
    "Twice as much.",
)
LOOK = Operation(
    "look", "GET", "/v1/look/{number}", Number, Number, frozenset({Caller.ANYONE}), "The same."
)


PAY = Operation(
    "pay", "POST", "/v1/pay", Number, Number, frozenset({Caller.CLIENT}), "The same, of clients."
)


class House:
    """A gate of a notary, and bank 2 that asks."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.clock = ManualClock(NOW)
        service = ServiceName("notary")
        speaker = Speaker(service, cast.notary_key)
        self.gate = Gate(Listener.INSTITUTIONS, service, speaker, cast.peers, self.clock)
        self.public = Gate(Listener.PUBLIC, service, speaker, cast.peers, self.clock)
        self.saw: Callable[[Asking], None] = lambda _: None
        self.handle: Callable[[Asking, Any], Message] = lambda _, one: Number(number=2 * one.number)
        offers = [
            (DOUBLE, self.call),
            (LOOK, self.look),
            (PAY, self.look),
        ]
        self.app = self.gate.build_app(offers)
        self.public_app = self.public.build_app(offers)

    def call(self, asking: Asking, one: Any) -> Message:
        return self.handle(asking, one)

    def look(self, asking: Asking, one: Any) -> Message:
        self.saw(asking)
        return cast("Message", one)

    def sign(self, body: bytes, path: str = "/v1/double", **changes: Any) -> dict[str, str]:
        receiver = name_receiver(self.cast.peers.network, ServiceName(changes.get("to", "notary")))
        version = changes.get("version", str(VERSION))
        method, query = changes.get("method", "POST"), changes.get("query", "")
        target = Target(method, path, query, receiver, version)
        name, key = changes.get("name", "bank-2"), changes.get("key", self.cast.bank_key)
        signed = sign_request(target, body, name, key, changes.get("now", NOW))
        return {**signed, "content-type": changes.get("kind", CBOR), "accept": CBOR}

    def read_asked(
        self, headers: dict[str, str], path: str = "/v1/double", method: str = "POST"
    ) -> Asked:
        target = Target(method, path, "", headers["specie-receiver"], headers["specie-version"])
        return Asked(target, headers["content-digest"], headers["signature"])

    def certify(self, service: str = "bank-2", serial: int = 7) -> dict[str, Any]:
        name = name_peer(self.cast.peers.network, ServiceName(service))
        return {PEER: Certified(serial, frozenset({name}))}


@pytest.fixture
def house() -> House:
    return House(make_cast())


def ask(
    app: Starlette,
    body: bytes | list[bytes],
    headers: dict[str, str],
    extensions: dict[str, Any] | None = None,
    **scope: Any,
) -> tuple[int, dict[str, str], bytes]:
    """As uvicorn calls it."""
    return asyncio.run(ask_async(app, body, headers, extensions, **scope))


async def ask_async(
    app: Starlette,
    body: bytes | list[bytes],
    headers: dict[str, str],
    extensions: dict[str, Any] | None = None,
    **scope: Any,
) -> tuple[int, dict[str, str], bytes]:
    chunks = [body] if isinstance(body, bytes) else list(body)
    stalls: bool = scope.pop("stalls", False)  # whether the body never ends
    sent: list[dict[str, Any]] = []
    path = scope.pop("path", "/v1/double")
    whole = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
        "scheme": "https",
        "root_path": "",
        "extensions": extensions or {},
        **scope,
    }

    async def receive() -> dict[str, Any]:
        if chunks:
            part = chunks.pop(0)
            return {"type": "http.request", "body": part, "more_body": stalls or bool(chunks)}
        await asyncio.sleep(3600)
        raise AssertionError("nobody waits so long")

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(whole, receive, send)  # type: ignore[arg-type]  # plain dictionaries are scopes
    start = sent[0]
    found = {k.decode(): v.decode() for k, v in start["headers"]}
    return start["status"], found, b"".join(one.get("body", b"") for one in sent[1:])


def get_code(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, str]:
    return answer[0], json.loads(answer[2])["code"]


BODY = cbor2.dumps({"number": 21})


def test_who_is_known_is_answered_and_the_answer_is_signed(house: House) -> None:
    headers = house.sign(BODY)
    status, found, body = ask(house.app, BODY, headers, house.certify())
    assert (status, cbor2.loads(body)) == (200, {"number": 42})
    expected = ("notary", house.cast.peers.roster.current.notary_key)
    asked = house.read_asked(headers)
    verify_answer(status, body, found, asked, expected, NOW)
    with pytest.raises(SpecieError, match="message_signature_invalid"):
        verify_answer(status, body + b"!", found, asked, expected, NOW)
    with pytest.raises(SpecieError, match="message_signature_invalid"):
        verify_answer(status, body, found, house.read_asked(house.sign(b"x")), expected, NOW)


def test_an_answer_to_anybody_is_to_what_was_asked(house: House) -> None:
    """Nobody looks whose signature it is; it cannot be shown as the answer to anything else."""
    headers = house.sign(b"", "/v1/look/7", method="GET")
    head: Any = {"path": "/v1/look/7", "method": "GET"}
    status, found, body = ask(house.public_app, b"", headers, **head)
    expected = ("notary", house.cast.peers.roster.current.notary_key)
    asked = house.read_asked(headers, "/v1/look/7", "GET")
    verify_answer(status, body, found, asked, expected, NOW)
    for path, method in (("/v1/double", "POST"), ("/v1/look/7", "POST"), ("/v1/look/8", "GET")):
        with pytest.raises(SpecieError, match="message_signature_invalid"):
            verify_answer(
                status, body, found, house.read_asked(headers, path, method), expected, NOW
            )
    other = ask(house.public_app, b"another body", headers, **head)
    assert get_code(other) == (401, "message_signature_invalid")
    bare = {name: value for name, value in headers.items() if name != "content-digest"}
    assert "signature" not in ask(house.public_app, b"", bare, **head)[1]


def test_people_read_json(house: House) -> None:
    body = b'{"number":4}'
    headers = house.sign(body, kind=JSON) | {"accept": JSON}
    status, found, answer = ask(house.app, body, headers, house.certify())
    assert (status, found["content-type"], answer) == (200, JSON, b'{"number":8}')


@pytest.mark.parametrize(
    ("changes", "certificate", "expected"),
    [
        ({"name": "bank-9"}, "bank-9", (401, "caller_unknown")),
        ({"to": "accounting"}, "bank-2", (401, "message_signature_invalid")),
        ({"path": "/v1/other"}, "bank-2", (401, "message_signature_invalid")),
        ({"query": "a=b"}, "bank-2", (401, "message_signature_invalid")),
        ({"method": "GET"}, "bank-2", (401, "message_signature_invalid")),
        ({"now": Timestamp(NOW - 61_000)}, "bank-2", (401, "message_out_of_time")),
        ({"now": Timestamp(NOW + 61_000)}, "bank-2", (401, "message_out_of_time")),
        ({}, "bank-3", (403, "certificate_invalid")),
    ],
)
def test_who_is_not_who_it_says_is_refused(
    house: House, changes: dict[str, Any], certificate: str, expected: tuple[int, str]
) -> None:
    path = changes.pop("path", "/v1/double")
    headers = house.sign(BODY, path, **changes)
    assert get_code(ask(house.app, BODY, headers, house.certify(certificate))) == expected


def test_nothing_is_signed_for_who_is_not_known(house: House) -> None:
    """Else anybody could have answers made that are bound to somebody else's request."""
    good = house.sign(BODY)
    forged = {**house.sign(b"other", name="bank-3"), "signature": good["signature"]}
    for headers in (house.sign(BODY, name="bank-9"), forged, {"signature": good["signature"]}):
        assert "signature" not in ask(house.app, BODY, headers, house.certify())[1]
    elsewhere = ask(house.app, BODY, good, house.certify(), path="/v1/nothing")
    assert get_code(elsewhere)[1] == "not_found"
    assert "signature" not in elsewhere[1]
    late = house.sign(BODY, now=Timestamp(NOW - 61_000))
    for headers in (late, house.sign(BODY, version="0")):
        assert "signature" in ask(house.app, BODY, headers, house.certify())[1]


@pytest.mark.parametrize("name", ["bank-9", "accounting"])
def test_a_body_is_read_of_who_may_send_one(house: House, name: str) -> None:
    """It never comes, and the refusal does not wait for it."""
    headers = house.sign(BODY, name=name, key=house.cast.accounting_key)
    answer = ask(house.app, b"", headers, house.certify(name), stalls=True)
    assert get_code(answer)[1] in {"caller_unknown", "caller_not_allowed"}


def test_clocks_may_differ_by_a_minute(house: House) -> None:
    for now in (NOW - 60_000, NOW + 60_000):
        headers = house.sign(BODY, now=Timestamp(now))
        assert ask(house.app, BODY, headers, house.certify())[0] == 200


def test_the_signature_is_of_this_body_in_this_profile(house: House) -> None:
    headers, certified = house.sign(BODY), house.certify()
    other = cbor2.dumps({"number": 22})
    expected = (401, "message_signature_invalid")
    assert get_code(ask(house.app, other, headers, certified)) == expected
    assert get_code(ask(house.app, BODY, {}, certified)) == expected
    for name in ("signature", "signature-input", "content-digest"):
        broken = {**headers, name: headers[name].replace("=", "x", 1)}
        assert get_code(ask(house.app, BODY, broken, certified)) == expected
    found = read_signer(headers)
    fewer = headers["signature-input"].replace('"@query" ', "")
    broken = {**headers, "signature-input": fewer}
    assert found.components != read_signer(broken).components
    assert get_code(ask(house.app, BODY, broken, certified)) == expected


def test_a_revoked_certificate_counts_no_more(house: House) -> None:
    """Also on a connection that was open before: it is looked at with each request."""
    house.cast.revoke(7)
    answer = ask(house.app, BODY, house.sign(BODY), house.certify())
    assert get_code(answer) == (403, "certificate_invalid")
    assert ask(house.app, BODY, house.sign(BODY), house.certify(serial=8))[0] == 200


def test_a_certificate_ends_on_an_open_connection(house: House) -> None:
    name = name_peer(house.cast.peers.network, ServiceName("bank-2"))
    for ends, status in ((NOW, 200), (NOW - 1, 403)):
        shown = {PEER: Certified(7, frozenset({name}), Timestamp(ends))}
        assert ask(house.app, BODY, house.sign(BODY), shown)[0] == status


def test_without_a_list_of_this_week_nobody_is_heard(house: House) -> None:
    house.cast.revoke(8)
    house.clock.advance(CRL_DAYS * DAY_MS)
    now = house.clock.now()
    assert ask(house.app, BODY, house.sign(BODY, now=now), house.certify())[0] == 200
    house.clock.advance(1_000)
    now = house.clock.now()
    answer = ask(house.app, BODY, house.sign(BODY, now=now), house.certify())
    assert get_code(answer) == (403, "certificate_invalid")


def test_roles_ask_for_what_is_theirs(house: House) -> None:
    headers = house.sign(BODY, name="accounting", key=house.cast.accounting_key)
    answer = ask(house.app, BODY, headers, house.certify("accounting"))
    assert get_code(answer) == (403, "caller_not_allowed")


def test_the_log_says_which_institution_was_refused(house: House) -> None:
    """An operator knows whom to call; who shows no signature that holds is nobody."""
    headers = house.sign(BODY, name="accounting", key=house.cast.accounting_key)
    with capture_logs() as told:
        ask(house.app, BODY, headers, house.certify("accounting"))
        ask(house.app, BODY, {**headers, "signature": "sig1=:AAAA:"}, house.certify("accounting"))
    found = [(one["code"], one["caller"]) for one in told]
    assert found == [
        ("caller_not_allowed", "accounting"),
        ("message_signature_invalid", "not an institution"),
    ]


def test_a_suspended_bank_is_not_heard(house: House) -> None:
    house.cast.suspend(2)
    answer = ask(house.app, BODY, house.sign(BODY), house.certify())
    assert get_code(answer) == (403, "participant_inactive")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"\x81" * 10_000,
        BODY + b"\0",
        cbor2.dumps({"number": "21"}),
        cbor2.dumps({"number": -1}),
        cbor2.dumps({"number": 2**64}),
        cbor2.dumps({"number": 1.0}),
        cbor2.dumps({"number": True}),
        cbor2.dumps({"number": 1, "other": 2}),
        cbor2.dumps([21]),
        cbor2.dumps(cbor2.CBORTag(1234, {"number": 21})),
        b"\xd8\x1c\x81\xd8\x1d\x00",
    ],
)
def test_what_is_no_message_is_refused(house: House, body: bytes) -> None:
    answer = ask(house.app, body, house.sign(body), house.certify())
    assert get_code(answer) == (422, "message_malformed")


def test_other_kinds_of_body_are_refused(house: House) -> None:
    headers = house.sign(BODY, kind="text/xml")
    assert get_code(ask(house.app, BODY, headers, house.certify())) == (422, "message_malformed")


def test_a_body_is_limited(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "MESSAGE_BYTES_MAX", 64)
    body = [b"x" * 40, b"x" * 40]
    headers = house.sign(b"".join(body))
    assert get_code(ask(house.app, body, headers, house.certify())) == (413, "limit_exceeded")


def test_a_strangers_body_is_short(house: House) -> None:
    def look(size: int) -> tuple[int, dict[str, str], bytes]:
        return ask(house.public_app, bytes(size), {}, path="/v1/look/7", method="GET")

    assert look(STRANGER_BYTES_MAX)[0] == 200
    assert get_code(look(STRANGER_BYTES_MAX + 1)) == (413, "limit_exceeded")


def test_a_slow_body_is_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MESSAGE_SECONDS_MAX", 0.05)

    answer = ask(house.app, b"x", house.sign(b"x"), house.certify(), stalls=True)
    assert get_code(answer) == (401, "message_out_of_time")


def test_versions_this_one_and_the_one_before(house: House) -> None:
    for version, status in ((VERSION, 200), (VERSION - 1, 200), (VERSION - 2, 422), ("x", 422)):
        headers = house.sign(BODY, version=str(version))
        answer = ask(house.app, BODY, headers, house.certify())
        assert answer[0] == status
        assert answer[1]["specie-version"] == str(VERSION)
        assert status == 200 or get_code(answer)[1] == "version_unknown"
    changed = house.sign(BODY) | {"specie-version": str(VERSION - 1)}
    answer = ask(house.app, BODY, changed, house.certify())
    assert get_code(answer)[1] == "message_signature_invalid", "what is spoken is signed"


def test_path_and_query_are_read_strictly(house: House) -> None:
    def look(path: str, query: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        return ask(house.public_app, b"", {}, path=path, method="GET", query_string=query)

    assert json.loads(look("/v1/look/7")[2]) == {"number": 7}
    for path in ("/v1/look/x", "/v1/look/-1", "/v1/look/1e3", "/v1/look/99999999999999999999999"):
        assert get_code(look(path)) == (422, "message_malformed")
    assert get_code(look("/v1/look/7", b"a=1&a=2")) == (422, "message_malformed")
    assert get_code(look("/v1/look/7", b"other=1")) == (422, "message_malformed")
    assert get_code(look("/v1/nothing")) == (404, "not_found")
    assert get_code(ask(house.public_app, b"", {}, path="/v1/look/7"))[1] == "not_found"


def test_what_is_not_public_is_not_there_for_the_public(house: House) -> None:
    assert get_code(ask(house.public_app, BODY, house.sign(BODY)))[1] == "not_found"


def test_our_own_mistake_says_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """X5: neither the answer nor the log holds what the mistake was about."""

    def fail(_: Asking, __: Any) -> Message:
        raise ValueError("the amount was 4711")

    house.handle = fail
    with pytest.raises(ValueError, match="4711"):  # Starlette raises it again for the server's log
        ask(house.app, BODY, house.sign(BODY), house.certify())
    assert "4711" not in capsys.readouterr().out
    code = json.loads(asyncio.run(_fail(house)))["code"]
    assert code == ErrorCode.INTERNAL


async def _fail(house: House) -> bytes:
    sent: list[dict[str, Any]] = []
    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    request = Request(scope, receive)
    fail = house.gate._fail  # noqa: SLF001  # the application calls it
    response = await fail(request, ValueError("x"))
    await response(scope, receive, send)  # type: ignore[arg-type]  # plain dictionaries
    return b"".join(one.get("body", b"") for one in sent)


def test_one_callers_flood_leaves_room_for_others(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X5: so many at once of one caller, the next is told to come later; others are not."""
    monkeypatch.setattr(gates, "CALLS_AT_ONCE_MAX", 3)
    monkeypatch.setattr(gates, "REFUSAL_SECONDS", 0)
    release = threading.Event()

    def wait(asking: Asking, one: Number) -> Message:
        if asking.name == "bank-2":
            assert release.wait(10)
        return one

    house.handle = wait

    async def flood() -> list[tuple[int, dict[str, str], bytes]]:
        mine = [
            asyncio.create_task(ask_async(house.app, BODY, house.sign(BODY), house.certify()))
            for _ in range(4)
        ]
        await asyncio.sleep(0.3)
        headers = house.sign(BODY, name="bank-3", key=house.cast.other_bank_key)
        other = await ask_async(house.app, BODY, headers, house.certify("bank-3"))
        house.gate.is_draining = True
        draining = await ask_async(house.app, BODY, house.sign(BODY), house.certify())
        assert not await house.gate.wait_for_work(0.05)
        release.set()
        assert await house.gate.wait_for_work(5)
        return [*(await asyncio.gather(*mine)), other, draining]

    *mine, other, draining = asyncio.run(flood())
    assert sorted(answer[0] for answer in mine) == [200, 200, 200, 429]
    refused = next(answer for answer in mine if answer[0] == 429)
    assert get_code(refused) == (429, "rate_exceeded")
    assert refused[1]["retry-after"] == "0"
    assert "signature" in refused[1]
    assert other[0] == 200
    assert get_code(draining) == (503, "draining")


def test_requests_are_built_as_they_are_read() -> None:
    assert build_request(LOOK, Number(number=7)) == ("/v1/look/7", "", b"")
    assert build_request(DOUBLE, Number(number=21)) == ("/v1/double", "", BODY)
    assert Empty() == Empty()
    assert repr(Number(number=4711)) == "Number(…)"
