"""Two versions side by side: what the older one cannot know is not said to it (X3, page 08).

A process of the version before has no path of what came later, refuses fields that it does not
know, and so does whoever asks one of ours. The same with real processes is in
tests/network/test_upgrade.py.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, cast

import pytest

from specie.api import gate as gates
from specie.api.gate import Asking, Gate, Listener
from specie.identity.services import ServiceRole
from specie.remote import signing
from specie.remote.accounting_operations import ACCOUNTING
from specie.remote.bank_operations import BANK
from specie.remote.channel import Channel, Speaker
from specie.remote.client_models import Standing, Succession, SuccessionClient
from specie.remote.compliance_operations import COMPLIANCE
from specie.remote.desk_operations import CENTRAL_BANK
from specie.remote.directory_operations import (
    BANK_DIRECTORY,
    DESK_DIRECTORY,
    NOTARY_DIRECTORY,
    REGISTRATION_DIRECTORY,
)
from specie.remote.encoding import CBOR, JSON, check_sayable, decode, encode
from specie.remote.fields import CountField, Message, Since
from specie.remote.notary_operations import NOTARY
from specie.remote.operations import VERSION, Operation
from specie.remote.payment_operations import PAYMENTS
from specie.remote.registration_operations import AUDITOR, REGISTRATION
from specie.remote.wire import Answer
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId, ParticipantNumber, PublicKey, ServiceName
from tests.clocks import MORNING, ManualClock
from tests.country import refused
from tests.unit.api.cast import Cast, make_cast
from tests.unit.api.test_gate import ask

OLDER = VERSION - 1
NAME = ServiceName("notary")


class Number(Message):
    """One number, and one that came later."""

    number: CountField
    later: Annotated[CountField, Since(VERSION)] = 0


ASKED = frozenset({ServiceRole.BANK})
DOUBLE = Operation("double", "POST", "/v1/double", Number, Number, ASKED, "Twice as much.")
TREBLE = Operation("treble", "POST", "/v1/treble", Number, Number, ASKED, "Thrice.", since=VERSION)
LOST = Operation("lost", "POST", "/v1/lost", Number, Number, ASKED, "Nobody offers it.")


@dataclass
class Street:
    """A notary's gate, of this version or the one before, and bank 2's channel to it."""

    cast: Cast
    patch: pytest.MonkeyPatch
    is_older: bool = True
    heard: list[Number] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)

    def open_channel(self) -> Channel:
        speaker = Speaker("bank-2", self.cast.bank_key)
        with self.patch.context() as patch:
            patch.setattr(Channel, "_make_wire", lambda _: self)
            return Channel(speaker, self.cast.peers, cast("Any", None), ManualClock(MORNING))

    def ask(
        self, method: str, url: str, _most: int, body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        """As `Wire` does, without a wire."""
        self.spoken.append(headers["specie-version"])
        path = "/" + url.split("/", 3)[3]
        with self.patch.context() as patch:
            for module in (gates, signing):
                patch.setattr(module, "VERSION", OLDER if self.is_older else VERSION)
            patch.setattr(Gate, "_check_asking", lambda *_: None)
            speaker = Speaker(NAME, self.cast.notary_key)
            peers, clock = self.cast.peers, ManualClock(MORNING)
            gate = Gate(Listener.INSTITUTIONS, NAME, speaker, peers, clock)
            app = gate.build_app([(DOUBLE, self.count(2)), *self.list_newer()])
            return Answer(*ask(app, body, dict(headers), path=path, method=method))

    def count(self, times: int) -> Callable[[Asking, Any], Message]:
        def handle(_: Asking, asked: Number) -> Message:
            self.heard.append(asked)
            return Number(number=times * asked.number, later=7)

        return handle

    def list_newer(self) -> Sequence[gates.Offer]:
        return () if self.is_older else ((TREBLE, self.count(3)),)


@pytest.fixture
def street(monkeypatch: pytest.MonkeyPatch) -> Street:
    return Street(make_cast(), monkeypatch)


def test_what_came_later_is_refused_with_its_code(street: Street) -> None:
    """Nothing settles what nobody signed; but nobody waits for what an older one will never do."""
    channel = street.open_channel()
    for _ in range(2):
        with refused(ErrorCode.VERSION_UNKNOWN):
            channel.call(NAME, TREBLE, Number(number=2))
    assert channel.call(NAME, DOUBLE, Number(number=2)).number == 4
    with refused(ErrorCode.VERSION_UNKNOWN):
        channel.call(NAME, TREBLE, Number(number=2))
    street.is_older = False
    assert channel.call(NAME, TREBLE, Number(number=2)).number == 6, "upgraded meanwhile"


def test_a_path_that_is_not_there_settles_nothing(street: Street) -> None:
    """It is of a version that the other side speaks: somebody is in the way, or it is broken."""
    channel = street.open_channel()
    for street.is_older in (True, False):
        with refused(ErrorCode.UNREACHABLE):
            channel.call(NAME, LOST, Number(number=2))


def test_the_older_side_is_spoken_to_in_its_version(street: Street) -> None:
    channel = street.open_channel()
    for _ in range(2):
        assert channel.call(NAME, DOUBLE, Number(number=2)) == Number(number=4)
    assert street.spoken == [str(VERSION), str(OLDER), str(OLDER)]
    street.is_older = False
    channel.call(NAME, DOUBLE, Number(number=2))
    assert channel.call(NAME, DOUBLE, Number(number=2)) == Number(number=4, later=7)
    assert street.spoken[3:] == [str(OLDER), str(VERSION)]


def test_a_request_loses_nothing(street: Street) -> None:
    """What the older side has no field for is not left out: it is not asked."""
    channel = street.open_channel()
    channel.call(NAME, DOUBLE, Number(number=2, later=0))
    street.heard.clear()
    with refused(ErrorCode.VERSION_UNKNOWN):
        channel.call(NAME, DOUBLE, Number(number=2, later=1))
    assert not street.heard


def test_an_answer_leaves_out_what_the_older_side_would_refuse() -> None:
    whole = Standing(deposit=Minor(5), status="good", account="KZ1", waterfall=True)
    bare = Standing(deposit=Minor(5), status="good")
    for kind in (CBOR, JSON):
        assert decode(encode(whole, kind, OLDER), kind, Standing) == bare
        assert decode(encode(whole, kind), kind, Standing) == whole


def test_fields_of_what_is_inside_are_left_out_too() -> None:
    key = PublicKey(bytes(32))
    names: dict[str, Any] = {"sealed_name": b"n", "sealed_view": b"v", "tokens": [], "device": b""}
    places: dict[str, Any] = {"bank": ParticipantNumber(2), "view": key, "spend": key}
    one = SuccessionClient(
        client=ClientId("anna"), status="good", sealed_rule=b"rule", **places, **names
    )
    sent = Succession(salt=bytes(16), clients=[one, one])
    found = decode(encode(sent, CBOR, OLDER), CBOR, Succession)
    assert [client.sealed_rule for client in found.clients] == [b"", b""]
    with refused(ErrorCode.VERSION_UNKNOWN):
        check_sayable(sent, OLDER)
    check_sayable(found, OLDER)
    check_sayable(sent, VERSION)


def test_what_version_1_has_is_frozen() -> None:
    """An operation that is added says with which version it came."""
    tables = (NOTARY, ACCOUNTING, CENTRAL_BANK, BANK, REGISTRATION, AUDITOR, PAYMENTS, COMPLIANCE)
    later = (*BANK_DIRECTORY, *DESK_DIRECTORY, *NOTARY_DIRECTORY, *REGISTRATION_DIRECTORY)
    found = {one.name: one.since for table in (*tables, later) for one in table}
    assert {name for name, since in found.items() if since == 1} == set(FIRST.split())
    assert set(found.values()) == {1, VERSION}


FIRST = """
accept_void apply apply_issue approve attest_receipt audit authorise authorise_supply block
claim_tokens complete_issue confirm_outputs cosign count_backing count_stock credit_for_redemption
debit_for_issue deliver end_redemption enrol expect_deposit expect_transfer export_clients
find_produced_promise find_promise find_signed find_void get_application get_checkpoint get_facts
get_own_reserves get_publication get_reserves get_standing get_supply get_vault get_witnessed
hold_redemption import_clients invite is_issue_over lend lend_client list_enrolments list_leaves
list_loans list_movements list_outputs list_proposals list_tasks list_vaults notarise
open_reserves open_wallet pay prove_time read_batch read_judged redeem release_issue
release_redemption renew settle_redemption sign_proposal state_outputs transfer unblock void
withdraw
"""
