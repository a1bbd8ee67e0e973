"""Every face against its own description: whatever is sent, never a failure of ours (RFC 9457).

Requests are made by Schemathesis from `/openapi.json`, as described and not as described, and
signed by somebody who may ask, so that they come through to what carries them out.
"""

import http.client
import json
import socket
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
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

from specie.api.gate import Listener
from specie.assembly.system import SystemClock
from specie.assembly.tls import ROOT, build_client_context, build_public_context
from specie.crypto.secrets import InstitutionKey, InstitutionSigner
from specie.remote.channel import get_host
from specie.remote.signing import Target, name_receiver, sign_request
from specie.store.key_file import KeyFile
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ServiceName
from tests.network.pilot import Pilot

SERVICES = {
    "notary": "bank-2",
    "accounting": "central-bank",
    "central-bank": "bank-2",
    "registration": "bank-2",
    "bank-2": "registration",
    "auditor": "registration",
}
"""Each service, and who asks it on the institutions' listener."""
OFFICER = "officer-1"
EXAMPLES = 3  # of each operation, as described and not as described
NOT_HEARD = ("message_signature_invalid",)
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

    def __post_init__(self) -> None:
        self.receiver = name_receiver(self.pilot.load_peers().network, ServiceName(self.service))
        self.clock = SystemClock()
        self.context = build_public_context(self.pilot.public / ROOT)
        if self.listener is Listener.PUBLIC:
            path = self.pilot.data / "officers" / "1" / "keys.json"
            keys = KeyFile(path, self.pilot.get_passphrase(OFFICER))
            self.name = OFFICER
            self.key: InstitutionSigner = keys.get("officer", InstitutionKey.unseal)
            return
        self.name = SERVICES[self.service]
        self.key = self.pilot.get_key(self.name)
        if self.listener is Listener.INSTITUTIONS:
            password = self.pilot.open_keys(self.name).get_secret("tls-password")
            self.context = build_client_context(self.pilot.data / self.name, password)

    def ask(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        connection = self._connect()
        try:
            connection.request(method, target, body or None, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.headers.get("content-type", ""), answer.read()
        finally:
            connection.close()

    def sign(self, method: str, target: str, body: bytes) -> dict[str, str]:
        path, _, query = target.partition("?")
        where = Target(method, path, query, self.receiver)
        return sign_request(where, body, self.name, self.key, self.clock.now())

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
def face(pilot: Pilot, request: pytest.FixtureRequest) -> Face:
    name, listener = request.param
    return Face(pilot, name, listener)


def test_nothing_that_is_sent_makes_it_fail(face: Face) -> None:
    """T2: as described, not as described, and not even JSON: an answer, and never a 5xx."""
    found = face.ask("GET", "/openapi.json", b"", {})
    document = json.loads(found[2])
    schema = schemathesis.openapi.from_dict(document)
    for found_operation in schema.get_all_operations():
        assert isinstance(found_operation, Ok), found_operation
        for mode in GenerationMode:
            send_many(face, document, found_operation.ok(), mode)


def send_many(face: Face, document: dict[str, Any], operation: Any, mode: GenerationMode) -> None:
    junk = st.none() | st.binary(max_size=40)

    @settings(
        max_examples=EXAMPLES,
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
        headers = {**_HEADERS, **face.sign(case.method, target, body)}
        check(document, operation, face.ask(case.method, target, body, headers))

    # Where a request has no fields, none can be wrong.
    with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
        send()


def get_body(found: Any) -> bytes:
    """JSON as it was generated; for CBOR Schemathesis generates bytes."""
    if isinstance(found, NotSet):
        return b""
    return found if isinstance(found, bytes) else json.dumps(found).encode()


def check(document: dict[str, Any], operation: Any, answer: Answer) -> None:
    status, kind, body = answer
    where = f"{operation.method} {operation.path}: {status} {body[:300]!r}"
    assert status < 500, where
    if status != 200:
        assert kind == "application/problem+json", where
        code = json.loads(body)["code"]
        assert code in tuple(ErrorCode), where
        assert code not in NOT_HEARD, where
        return
    described = document["paths"][operation.path][operation.method]["responses"]["200"]
    reference = described["content"]["application/json"]["schema"]
    whole = {**reference, "components": document["components"]}
    validator_for(whole).validate(json.loads(body))
