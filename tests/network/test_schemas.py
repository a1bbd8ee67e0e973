"""Every face against its own description: whatever is sent, never a failure of ours (RFC 9457).

Requests are made by Schemathesis from `/openapi.json`, as described and not as described, and
signed by somebody who may ask, so that they come through to what carries them out.
"""

import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from jsonschema_rs import validator_for
from schemathesis import GenerationMode
from schemathesis.core import NotSet
from schemathesis.core.result import Ok
from schemathesis.transport.serialization import Binary

from specie.api.gate import Listener
from specie.api.pages import OCSP_REQUEST
from specie.assembly.system import SystemClock
from specie.assembly.tls import ROOT, build_client_context, build_public_context
from specie.cli.devices import opened_device
from specie.cli.online_commands import opened_online
from specie.cli.places import Site
from specie.cli.signing_tool import load_role
from specie.crypto.secrets import InstitutionKey
from specie.remote.channel import Speaker, get_host
from specie.remote.peers import READER, SIGNATORY
from specie.remote.signing import Target, name_receiver, sign_request
from specie.store.device_store import name_device
from specie.store.key_file import KeyFile
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import InstitutionPublicKey, ServiceName
from specie.values.limits import REFUSAL_SECONDS
from tests.network.pilot import PASSPHRASE, Pilot

SERVICES = ("notary", "accounting", "central-bank", "registration", "bank-2", "auditor")
ASKING = ("bank-3", "central-bank", "registration", "notary", "auditor")
"""Who asks on an institutions' listener, until one of them may."""
OFFICER = "officer-1"
EXAMPLES = 2  # of each operation, as described and not as described
SOAK_SHARE = 10  # with the profile `soak`, one in so many of its examples: each is a message
NOT_ALLOWED = "caller_not_allowed"
NOT_HEARD = ("message_signature_invalid", NOT_ALLOWED)
"""Who gets this has not come through to anything."""
Answer = tuple[int, str, bytes]
_HEADERS = {"content-type": "application/json", "accept": "application/json"}


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)


@dataclass
class Face:
    """One listener of one service, and who asks it."""

    pilot: Pilot
    service: str
    listener: Listener
    client: Speaker
    signatory: Speaker
    reader: Speaker

    def __post_init__(self) -> None:
        self.receiver = name_receiver(self.pilot.load_peers().network, ServiceName(self.service))
        self.clock = SystemClock()
        self.asking = list(self._list_asking())
        self.speaker, self.context = self.asking[0]

    def _list_asking(self) -> Iterator[tuple[Speaker, ssl.SSLContext]]:
        """Officer, client, signatory and reader, or institutions."""
        public = build_public_context(self.pilot.public / ROOT)
        if self.listener is not Listener.INSTITUTIONS:
            path = self.pilot.data / "officers" / "1" / "keys.json"
            keys = KeyFile(path, self.pilot.get_passphrase(OFFICER))
            yield Speaker(OFFICER, keys.get("officer", InstitutionKey.unseal)), public
            yield self.client, public
            yield self.signatory, public
            yield self.reader, public
            return
        for name in ASKING:
            if name != self.service:
                password = self.pilot.open_keys(name).get_secret("tls-password")
                context = build_client_context(self.pilot.data / name, password)
                yield Speaker(name, self.pilot.get_key(name)), context

    def ask_as_who_may(self, method: str, target: str, body: bytes) -> Answer:
        """The first that is allowed to ask is the one who asks from now on."""
        answer = self._ask_signed(method, target, body)
        while answer[0] == HTTPStatus.TOO_MANY_REQUESTS:
            time.sleep(REFUSAL_SECONDS)
            answer = self._ask_signed(method, target, body)
        for speaker, context in self.asking:
            if is_refused(answer):
                self.speaker, self.context = speaker, context
                answer = self._ask_signed(method, target, body)
        return answer

    def _ask_signed(self, method: str, target: str, body: bytes) -> Answer:
        headers = {**_HEADERS, **self.sign(method, target, body)}
        return self.ask(method, target, body, headers)

    def ask(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        connection = self._connect()
        try:
            while not _is_let_in(connection):
                time.sleep(REFUSAL_SECONDS)
            connection.request(method, target, body or None, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.headers.get("content-type", ""), answer.read()
        finally:
            connection.close()

    def sign(self, method: str, target: str, body: bytes) -> dict[str, str]:
        path, _, query = target.partition("?")
        where = Target(method, path, query, self.receiver)
        return sign_request(where, body, self.speaker.name, self.speaker.key, self.clock.now())

    def _connect(self) -> http.client.HTTPConnection:
        if self.listener is Listener.CONTROL:
            return _Unix(str(self.pilot.data / self.service / "control.sock"))
        host, port = get_host(self.pilot.get_url(self.service, self.listener.value))
        return http.client.HTTPSConnection(host, port, context=self.context, timeout=20)


@pytest.fixture(
    scope="module",
    params=[(name, one) for name in SERVICES for one in Listener],
    ids=lambda one: f"{one[0]}-{one[1].value}",
)
def face(
    pilot: Pilot,
    client: Speaker,
    signatory: Speaker,
    reader: Speaker,
    request: pytest.FixtureRequest,
) -> Face:
    name, listener = request.param
    return Face(pilot, name, listener, client, signatory, reader)


@pytest.fixture(scope="module")
def client(pilot: Pilot) -> Speaker:
    """A person's device at bank 2."""
    pilot.open_wallet("alice", 2)
    place = pilot.devices / "alice.db"
    with opened_online(place, "alice", pilot.public, None, PASSPHRASE) as online:
        return online.channel.speaker


@pytest.fixture(scope="module")
def signatory(pilot: Pilot, client: Speaker) -> Speaker:
    """The device of one who signs for a company at bank 2."""
    pilot.open_wallet("company", 2)
    asked = ("signatories", "company", "aru", "--need", "1", "--json")
    [seat] = json.loads(pilot.bank(2, *asked))["codes"]
    pilot.wallet("aru", "create")
    pilot.wallet("aru", "sign-as", seat["code"], "--bank", "2")
    place = pilot.devices / "aru.db"
    with opened_device(place, "aru", PASSPHRASE) as opened:
        key = load_role(Site(opened, place, pilot.public, None)).key
    return Speaker(SIGNATORY + name_device(InstitutionPublicKey(key.public)), key)


@pytest.fixture(scope="module")
def reader(pilot: Pilot, client: Speaker) -> Speaker:
    """Whom a client of bank 2 lets read its account."""
    key = InstitutionKey.generate()
    named = ("--reader", key.public.hex(), "--name", "a reader")
    pilot.wallet("alice", "consent", "give", *named)
    return Speaker(READER + key.public.hex(), key)


@schemathesis.serializer(OCSP_REQUEST)
def serialize_status(_context: object, value: object) -> bytes:
    """DER is not for Schemathesis to make: any bytes."""
    return value.data if isinstance(value, Binary) else str(value).encode()


def _is_let_in(connection: http.client.HTTPConnection) -> bool:
    """Who has connected too often is not greeted, for a while."""
    try:
        connection.connect()
    except (ssl.SSLEOFError, ConnectionResetError):
        return False
    return True


def is_refused(answer: Answer) -> bool:
    """For who asks, not for what is asked."""
    return answer[0] in (401, 403) and json.loads(answer[2])["code"] in NOT_HEARD


def test_nothing_that_is_sent_makes_it_fail(face: Face) -> None:
    """T2: as described, not as described, and not even JSON: an answer, and never a 5xx."""
    send_everything(face)


@pytest.mark.soak
def test_nothing_makes_it_fail_however_much_is_sent(face: Face) -> None:
    """T2: the same for longer; no other test looks so deep."""
    assert count_examples() > EXAMPLES, "make soak has the profile"
    send_everything(face)


def count_examples() -> int:
    """More for who has time."""
    if settings.get_current_profile_name() != "soak":
        return EXAMPLES
    return settings.get_profile("soak").max_examples // SOAK_SHARE


def send_everything(face: Face) -> None:
    """What is signed is signed here: headers are not for Schemathesis to make."""
    document = json.loads(face.ask("GET", "/openapi.json", b"", {})[2])
    del document["components"]["securitySchemes"]
    for path in document["paths"].values():
        for found in path.values():
            found["parameters"] = [one for one in found["parameters"] if "$ref" not in one]
            del found["security"]
    schema = schemathesis.openapi.from_dict(document)
    for found_operation in schema.get_all_operations():
        assert isinstance(found_operation, Ok), found_operation
        for mode in GenerationMode:
            send_many(face, document, found_operation.ok(), mode)


def send_many(face: Face, document: dict[str, Any], operation: Any, mode: GenerationMode) -> None:
    junk = st.none() | st.binary(max_size=40)

    @settings(
        max_examples=count_examples(),
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode), junk)
    def send(case: Any, other: bytes | None) -> None:
        body = other if other and case.body else get_body(case.body)
        query = urlencode(case.query or {}, doseq=True)
        target = quote(case.formatted_path, safe="/:@%") + (f"?{query}" if query else "")
        check(document, operation, face.ask_as_who_may(case.method, target, body))

    # Where a request has no fields, none can be wrong.
    with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
        send()


def get_body(found: Any) -> bytes:
    """JSON as it was generated; for CBOR and DER Schemathesis generates bytes."""
    if isinstance(found, NotSet):
        return b""
    if isinstance(found, Binary):
        return found.data
    return found if isinstance(found, bytes) else json.dumps(found).encode()


def check(document: dict[str, Any], operation: Any, answer: Answer) -> None:
    status, kind, body = answer
    where = f"{operation.method} {operation.path}: {status} {body[:300]!r}"
    assert status < 500, where
    responses = document["paths"][operation.path][operation.method]["responses"]
    if str(status) not in responses:
        assert kind == "application/problem+json", where
        code = json.loads(body)["code"]
        assert code in tuple(ErrorCode), where
        assert code not in NOT_HEARD, where
        return
    described = responses[str(status)].get("content", {})
    assert not described or kind.partition(";")[0] in described, where
    if not kind.startswith("application/json"):
        return
    reference = described["application/json"]["schema"]
    whole = {**reference, "components": document["components"]}
    validator_for(whole).validate(json.loads(body))
