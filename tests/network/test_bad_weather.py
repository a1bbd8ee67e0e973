"""Messages cut, delayed, doubled, reordered, twisted between all processes; each of them replayed.

Whatever the network does, or a peer says, each order comes to one end, and comes to it once (T1,
P4, P8, P9): also while two are apart, and when a clock is off.
"""

import json
import re
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from specie.assembly.service_settings import load_settings, write_settings
from tests.network.middleman import Middleman, Weather, standing_between
from tests.network.mischief import Mischief
from tests.network.pilot import PASSPHRASE, Pilot

STORM = Weather(seed=7, cut_before=0.02, cut_after=0.04, doubled=0.25, delayed=0.3)
FRESH_S = 50  # a message counts for a minute
SLOW = frozenset({"registration", "bank-3"})
TWISTED_S = 120  # by then everything has been twisted in every way


@dataclass
class Between:
    """The network, and who stands in it."""

    pilot: Pilot
    middleman: Middleman
    bob: str


@pytest.fixture(scope="module")
def between() -> Iterator[Between]:
    with (
        tempfile.TemporaryDirectory(prefix="sp") as folder,
        standing_between(Path(folder), _change_habits) as (pilot, middleman),
    ):
        yield Between(pilot, middleman, _make_money(pilot))


def _change_habits(pilot: Pilot) -> None:
    """The auditor asks for newer lists once in an hour, unless it has to; two are impatient."""
    _change_work(pilot, "auditor", lists_ms=3_600_000)
    for name in SLOW:
        _change_work(pilot, name, answer_ms=5_000)


def _change_work(pilot: Pilot, name: str, **changes: int) -> None:
    folder = pilot.data / name
    settings = load_settings(folder)
    work = settings.work.model_copy(update=changes)
    write_settings(folder, settings.model_copy(update={"work": work}))


def _make_money(pilot: Pilot) -> str:
    pilot.fund(2, "500.00")
    pilot.lend(2, "500.00")
    pilot.give("alice", 2, "100.00")
    return pilot.open_wallet("bob", 3)


def get_state(pilot: Pilot) -> dict[str, object]:
    """Everything that somebody owns or owes."""
    at = str(pilot.data / "central-bank")
    found: dict[str, object] = {
        "stock": json.loads(pilot.run("central-bank", "stock", "--at", at, "--json"))
    }
    for number in (2, 3):
        found[f"bank-{number}"] = json.loads(pilot.bank(number, "show", "--json"))
    for holder in ("alice", "bob"):
        found[holder] = re.findall(r"balance: (\S+)", pilot.wallet(holder, "collect"))
        found[f"{holder} at the bank"] = pilot.wallet(holder, "account")
    return found


def do_everything(between: Between) -> None:
    """An issue, a payment, a deposit, a redemption, each with its own order."""
    pilot = between.pilot
    orders = [secrets.token_hex(16) for _ in range(4)]
    at = ("--at", str(pilot.data / "bank-2"))
    pilot.insist("bank", "issue", "20.00", "--order", orders[0], *at)
    pilot.approve(orders[0])
    commands = [
        pilot.spell("alice", "pay", between.bob, "5.00", "--order", orders[1]),
        pilot.spell("bob", "collect"),
        pilot.spell("bob", "deposit", "2.00", "--order", orders[2]),
    ]
    for command in commands:
        pilot.insist(*command, stdin=f"{PASSPHRASE}\n")
    pilot.insist("bank", "redeem", "10.00", "--order", orders[3], *at)
    pilot.approve(orders[3])


def get_list(state: dict[str, object], name: str) -> list[str]:
    found = state[name]
    assert isinstance(found, list)
    return found


def check_end(pilot: Pilot, before: dict[str, object], after: dict[str, object]) -> None:
    """What one of each has changed, and nothing else."""
    old, new = (one["stock"] for one in (before, after))
    assert isinstance(old, dict) and isinstance(new, dict)
    assert new["outstanding"] == old["outstanding"] + 2_000 - 1_000
    assert new["backed_by"] == new["outstanding"]
    balances = [
        [float(text) for one in (before, after) for text in get_list(one, holder)]
        for holder in ("alice", "bob")
    ]
    assert balances[0][1] == balances[0][0] - 5
    assert balances[1][1] == balances[1][0] + 5 - 2
    pilot.run("audit", pilot.get_url("registration"), "--root", str(pilot.public / "root.pem"))


def test_every_recorded_request_again(between: Between) -> None:
    """No second effect of anything that was said between anybody."""
    before = get_state(between.pilot)
    between.middleman.recorded.clear()
    do_everything(between)
    after = get_state(between.pilot)
    check_end(between.pilot, before, after)
    fresh = [one for one in between.middleman.recorded if one.time > time.time() - FRESH_S]
    fresh = [one for one in fresh if "signature" in one.headers]
    answers = Counter[int]()
    for one in fresh:
        answers[between.middleman.send(one).status] += 1
    assert get_state(between.pilot) == after
    posts = {(one.service, one.path) for one in fresh if one.method == "POST"}
    assert {service for service, _ in posts} >= {"notary", "accounting", "central-bank", "bank-2"}
    assert not [status for status in answers if status >= 500]
    assert answers[200] > len(fresh) / 2


def test_bad_weather_changes_no_end(between: Between) -> None:
    """Cut before and after, doubled, delayed, overtaken: the same end, once."""
    before = get_state(between.pilot)
    between.middleman.weather = STORM
    try:
        do_everything(between)
    finally:
        between.middleman.weather = Weather()
    check_end(between.pilot, before, get_state(between.pilot))
    assert all(STORM.struck[name] for name in ("cut_before", "cut_after", "doubled", "delayed"))
    assert_calm(between)


# --- two that are apart -------------------------------------------------------------------------


@dataclass
class Purses:
    """What two people have after everything that was sent has come to its end."""

    pilot: Pilot
    bob: str

    def pay(self, order: str) -> tuple[str, ...]:
        return self.pilot.spell("alice", "pay", self.bob, "1.00", "--order", order)

    def count(self) -> list[float]:
        """Alice's money and Bob's."""
        texts = []
        for holder in ("alice", "bob"):
            said = self.pilot.insist(*self.pilot.spell(holder, "collect"), stdin=f"{PASSPHRASE}\n")
            texts += re.findall(r"balance: (\S+)", said)
        return [float(text) for text in texts]


@pytest.fixture
def purses(between: Between) -> Purses:
    return Purses(between.pilot, between.bob)


def try_to_pay(purses: Purses, order: str) -> dict[str, object]:
    return purses.pilot.try_run(*purses.pay(order), stdin=f"{PASSPHRASE}\n")


def insist_on_paying(purses: Purses, *orders: str) -> None:
    for order in orders:
        purses.pilot.insist(*purses.pay(order), stdin=f"{PASSPHRASE}\n")


def set_apart(between: Between, *names: str) -> None:
    between.middleman.weather = Weather(apart=frozenset(names))


def was_cut(between: Between) -> bool:
    return between.middleman.weather.struck["apart"] > 0


@pytest.mark.parametrize("other", ["notary", pytest.param("bank-3", marks=pytest.mark.soak)])
def test_a_bank_apart_from_one_other(between: Between, purses: Purses, other: str) -> None:
    """Its client cannot pay, others' clients can; then both payments are there once."""
    pilot, order = between.pilot, secrets.token_hex(16)
    insist_on_paying(purses, secrets.token_hex(16))
    before = purses.count()
    set_apart(between, "bank-2", other)
    try:
        assert try_to_pay(purses, order)["code"] != 0
        assert "balance" in pilot.wallet("bob", "deposit", "1.00")
        assert try_to_pay(purses, order)["code"] != 0
        assert was_cut(between)
    finally:
        between.middleman.weather = Weather()
    insist_on_paying(purses, order, order)  # again is nothing
    assert purses.count() == [before[0] - 1, before[1] - 1 + 1]


def test_the_desk_apart_from_the_accounting(between: Between, purses: Purses) -> None:
    """An issue waits, payments go on; reserves are debited once."""
    pilot, order = between.pilot, secrets.token_hex(16)
    before, reserves = purses.count(), pilot.get_fact(2, "reserves")
    approve = ("officer", "approve", order, "--data", str(pilot.data), "--wait", "1")
    set_apart(between, "central-bank", "accounting")
    try:
        pilot.insist("bank", "issue", "3.00", "--order", order, "--at", str(pilot.data / "bank-2"))
        held_up = pilot.try_run(*approve, "--officer", "1", "--officer", "2", stdin="y\n")
        assert held_up["code"] != 0
        insist_on_paying(purses, secrets.token_hex(16))
        assert was_cut(between)
    finally:
        between.middleman.weather = Weather()
    pilot.approve(order)
    assert pilot.get_fact(2, "reserves") == reserves - 300
    assert purses.count() == [before[0] - 1, before[1] + 1]


def test_the_registration_apart_from_the_notary(between: Between, purses: Purses) -> None:
    """What is paid meanwhile is published afterwards, and everybody vouches for it.

    The auditor as well, although it is judged by a list of which it has not heard: it asks.
    """
    pilot, lists = between.pilot, [between.pilot.data / name for name in ("notary", "auditor")]
    old = (lists[1] / "participants").read_bytes()
    set_apart(between, "registration", "notary")
    try:
        assert "done" in pilot.officer("decide", "suspend-officer", "--set", "officer=3")
        pilot.wait(lambda: (lists[0] / "participants").read_bytes() != old)
        behind = count_published(between)
        insist_on_paying(purses, secrets.token_hex(16))
        note = pilot.data / "notary" / "public" / "checkpoint"
        pilot.wait(lambda: read_size(note.read_text()) > behind)
        assert count_published(between) == behind
        assert was_cut(between)
    finally:
        between.middleman.weather = Weather()
    pilot.wait(lambda: count_published(between) > behind)
    check_vouched_for(pilot)
    # what was vouched for may still be an earlier batch; by itself it would ask in an hour
    pilot.wait(lambda: (lists[1] / "participants").read_bytes() != old)
    check_vouched_for(pilot)
    assert_calm(between)


def read_size(note: str) -> int:
    return int(note.split("\n")[1])


def count_published(between: Between) -> int:
    url = between.pilot.get_url("registration")
    return read_size(between.pilot.fetch(f"{url}/checkpoint").data.decode())


def check_vouched_for(pilot: Pilot) -> None:
    """By both witnesses and the auditor, sooner or later."""
    root = str(pilot.public / "root.pem")
    command = ("audit", pilot.get_url("registration"), "--root", root, "--require-cosigners")
    pilot.insist(*command)


def assert_calm(between: Between) -> None:
    """No alarm: nobody takes bad weather for a fork, or for a broken rule."""
    pilot = between.pilot
    pilot.wait(lambda: not any(pilot.read_alarms(name) for name in pilot.children), 30)


# --- peers that do not behave -------------------------------------------------------------------


def test_whatever_a_peer_says(between: Between, purses: Purses) -> None:
    """Truncated, changed, malformed, unsigned, oversized, endless: nothing is lost or changed.

    Meanwhile one bank cosigns a byte a second: who asked it gives up in time, and publishes.
    """
    pilot, orders = between.pilot, [secrets.token_hex(16)]
    insist_on_paying(purses, secrets.token_hex(16))
    before, running = purses.count(), dict(pilot.children)
    mischief = Mischief(seed=5)
    weather = between.middleman.weather = Weather(dribbled=SLOW, mischief=mischief)
    end = time.monotonic() + TWISTED_S
    try:
        while mischief.list_missing():
            assert time.monotonic() < end, mischief.list_missing()
            if try_to_pay(purses, orders[-1])["code"] == 0:
                orders.append(secrets.token_hex(16))
    finally:
        weather.mischief = None
    published = count_published(between)
    orders.append(secrets.token_hex(16))  # those before may be final, and published, unheard of
    insist_on_paying(purses, *orders)
    pilot.wait(lambda: count_published(between) > published)
    assert purses.count() == [before[0] - len(orders), before[1] + len(orders)]
    pilot.wait(lambda: weather.struck["given up"] > 0)
    between.middleman.weather = Weather()
    assert pilot.children == running and all(one.running.poll() is None for one in running.values())
    assert '"event": "failed"' not in pilot.read_logs(), "what comes is never our own mistake"
    assert '"event": "worker failed"' not in pilot.read_logs()
    check_vouched_for(pilot)
    assert_calm(between)


# --- a clock that is off ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "seconds", [-300, pytest.param(300, marks=pytest.mark.soak)], ids=["behind", "ahead"]
)
def test_a_clock_that_is_off(
    between: Between, purses: Purses, tmp_path: Path, seconds: int
) -> None:
    """Nobody believes its messages, it says why, and others go on; then all goes on."""
    pilot, order, place = between.pilot, secrets.token_hex(16), tmp_path / "seconds"
    before = purses.count()
    place.write_text(str(seconds))
    pilot.kill("bank-3")
    pilot.start_as("skewed.py", "bank-3", str(place))
    pilot.network.wait_ready(pilot.children["bank-3"])
    pilot.wait(lambda: "clock_off" in pilot.read_alarms("bank-3"))
    assert f"{-seconds:+d} s" in pilot.read_alarms("bank-3")["clock_off"]
    refused = try_to_pay(purses, order)
    assert refused["code"] != 0
    assert "message_out_of_time" in str(refused["err"])
    log = (pilot.data / "logs" / "notary.jsonl").read_text()
    assert '"code": "message_out_of_time"' in log, "its own are refused as well"
    pilot.bank(2, "issue", "1.00")  # others go on
    pilot.wallet("alice", "account")
    if seconds < 0:
        _write_at_once(place, "0")
    else:  # a clock that was ahead stands still until time has come so far, or the next start
        pilot.restart("bank-3")
    pilot.wait(lambda: not pilot.read_alarms("bank-3"))
    insist_on_paying(purses, order)
    assert purses.count() == [before[0] - 1, before[1] + 1]


def _write_at_once(place: Path, text: str) -> None:
    draft = place.with_suffix(".new")
    draft.write_text(text)
    draft.rename(place)
