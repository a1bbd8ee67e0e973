"""A reader at a bank's public face: by its own key, in JSON and in CBOR, and once (T3, P12)."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cbor2
import pytest

from specie.api.consent_face import offer_consents
from specie.api.gate import Gate, Listener
from specie.crypto.secrets import InstitutionKey
from specie.identity.consents import sign_consent
from specie.ports.clients import Client
from specie.ports.consents import KeptConsent
from specie.remote.channel import Speaker
from specie.remote.consent_client import Grant, ReaderClient
from specie.remote.consent_models import (
    AccountMessage,
    ConsentMessage,
    ConsentShown,
    TransactionsQuery,
)
from specie.remote.encoding import CBOR, JSON, decode, decode_problem, encode
from specie.remote.fields import Message
from specie.remote.peers import CLIENT, READER
from specie.remote.signing import Target, name_receiver, sign_request
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import InstitutionPublicKey, ServiceName
from tests.consenting import Counter, open_counter
from tests.country import refused
from tests.unit.api.cast import make_cast
from tests.unit.api.test_gate import ask, get_code

PAYMENTS = "/v1/account-information/transactions"
CONSENTS = "/v1/account-access-consents"
BANK = ServiceName("bank-2")


class House:
    """A bank's public face with its desk, a client's device and a reader."""

    def __init__(self, path: Path) -> None:
        self.counter: Counter = open_counter(path)
        self.alice: Client = self.counter.open_client("alice")
        self.device, self.reader = InstitutionKey.generate(), InstitutionKey.generate()
        players, clock = make_cast(), self.counter.clock
        self.peers = players.peers
        speaker = Speaker(BANK, players.bank_key)
        self.gate = Gate(Listener.PUBLIC, BANK, speaker, self.peers, clock)
        self.gate.find_reader = self.counter.desk.find_reader
        device = InstitutionPublicKey(self.device.public)
        self.gate.find_client = lambda _: ("alice", device)
        process: Any = SimpleNamespace(
            consents=self.counter.desk,
            base=SimpleNamespace(clock=clock),
            get_client=lambda _: self.alice,
        )
        self.app = self.gate.build_app(offer_consents(process))

    def give(self) -> KeptConsent:
        return self.counter.give(self.alice, reader=InstitutionPublicKey(self.reader.public))

    def ask(
        self, path: str, message: Message, kind: str, speaker: Speaker
    ) -> tuple[int, dict[str, str], bytes]:
        return self.send(path, *self.sign(path, message, kind, speaker))

    def sign(
        self, path: str, message: Message, kind: str, speaker: Speaker
    ) -> tuple[bytes, dict[str, str]]:
        body, receiver = encode(message, kind), name_receiver(self.peers.network, BANK)
        target, now = Target("POST", path, "", receiver), self.counter.clock.now()
        headers = sign_request(target, body, speaker.name, speaker.key, now)
        return body, {**headers, "content-type": kind, "accept": kind}

    def send(
        self, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        return ask(self.app, body, headers, path=path)

    def make_query(self, kept: KeptConsent, number: int) -> TransactionsQuery:
        account = AccountMessage.wrap(kept.consent.account)
        return TransactionsQuery(consent_id=kept.id, account=account, number=number)

    def speak(self, key: InstitutionKey) -> Speaker:
        return Speaker(READER + key.public.hex(), key)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "bank.db")


@pytest.mark.parametrize("kind", [JSON, CBOR])
def test_it_is_read_in_both_spellings(house: House, kind: str) -> None:
    paid = house.counter.pay(house.alice, 7)
    kept, reader = house.give(), house.speak(house.reader)
    status, headers, body = house.ask(PAYMENTS, house.make_query(kept, 1), kind, reader)
    assert status == 200 and "signature" in headers
    found = json.loads(body) if kind == JSON else cbor2.loads(body)
    [shown] = found["transactions"]
    spell = bytes.hex if kind == JSON else bytes
    assert shown == {
        "txid": spell(paid.txid),
        "amount": 7,
        "time": paid.time,
        "is_incoming": True,
        "is_final": False,
        "order": spell(paid.order),
        "end_to_end": spell(paid.end_to_end),
        "name": "Dana",
    }


def test_a_request_that_was_recorded_is_refused_within_its_minute(house: House) -> None:
    """Signature, body and time hold; its number was used."""
    kept, reader = house.give(), house.speak(house.reader)
    asked = house.sign(PAYMENTS, house.make_query(kept, 1), JSON, reader)
    assert house.send(PAYMENTS, *asked)[0] == 200
    assert get_code(house.send(PAYMENTS, *asked)) == (409, ErrorCode.READING_REPEATED.value)


def test_who_is_named_by_nobody_is_not_known(house: House) -> None:
    """Nor does anybody speak in the name of whoever is."""
    kept, stranger = house.give(), InstitutionKey.generate()
    query, unknown = house.make_query(kept, 1), (401, ErrorCode.CALLER_UNKNOWN.value)
    assert get_code(house.ask(PAYMENTS, query, JSON, house.speak(stranger))) == unknown
    forged = Speaker(house.speak(house.reader).name, stranger)
    forbidden = (401, ErrorCode.MESSAGE_SIGNATURE_INVALID.value)
    assert get_code(house.ask(PAYMENTS, query, JSON, forged)) == forbidden


def test_a_reader_does_nothing_in_its_clients_name(house: House) -> None:
    """Nor does a client read in a reader's."""
    kept = house.give()
    message = ConsentMessage.wrap(kept.consent, kept.signature)
    refused = (403, ErrorCode.CALLER_NOT_ALLOWED.value)
    assert get_code(house.ask(CONSENTS, message, JSON, house.speak(house.reader))) == refused
    device = Speaker(f"{CLIENT}alice", house.device)
    assert get_code(house.ask(PAYMENTS, house.make_query(kept, 1), JSON, device)) == refused


@pytest.mark.parametrize("kind", [JSON, CBOR])
def test_a_client_gives_one_by_its_device(house: House, kind: str) -> None:
    """The message says what was signed, whole: it is unpacked to the same statement."""
    counter = house.counter
    consent = counter.make(house.alice)
    signature = sign_consent(consent, counter.place, counter.people[house.alice.id].spend)
    message = ConsentMessage.wrap(consent, signature)
    assert message.unwrap() == consent
    device = Speaker(f"{CLIENT}alice", house.device)
    status, _, body = house.ask(CONSENTS, message, kind, device)
    shown = decode(body, kind, ConsentShown)
    assert (status, shown.status, shown.consent) == (200, "Authorised", message)
    assert shown.consent.permissions == [
        "ReadBalances",
        "ReadTransactionsBasic",
        "ReadTransactionsDetail",
    ]


class Line:
    """A channel that hands every request to the desk, and may send one twice."""

    def __init__(self, house: House, *, is_breaking: bool) -> None:
        self.house, self.is_breaking = house, is_breaking
        self.clock, self.peers = house.counter.clock, SimpleNamespace(get_serving=lambda _: self)
        self.name = BANK

    def call(self, _to: ServiceName, operation: Any, request: Any) -> Any:
        speaker = self.house.speak(self.house.reader)
        answer = self.house.ask(operation.path, request, CBOR, speaker)
        if self.is_breaking:
            answer = self.house.ask(operation.path, request, CBOR, speaker)
        self.is_breaking = False
        if answer[0] != 200:
            raise decode_problem(answer[2])
        return decode(answer[2], CBOR, operation.response)


@pytest.mark.parametrize("is_breaking", [False, True])
def test_a_reader_asks_again_where_a_connection_broke(house: House, is_breaking: bool) -> None:
    """The answer to the first was lost: with a new number it is another reading, and both are
    recorded; requests of one moment have numbers of their own."""
    house.counter.pay(house.alice, 7)
    kept = house.give()
    line: Any = Line(house, is_breaking=is_breaking)
    client = ReaderClient(line, Grant(kept.id, kept.consent.account))
    assert [one.amount for one in client.read_transactions(None, 0, 10).transactions] == [7]
    assert client.read_balances().wallet == 0
    assert house.counter.access.verify([]) == 2 + is_breaking
    house.counter.revoke(kept)
    with refused(ErrorCode.CONSENT_REVOKED):
        client.read_balances()
