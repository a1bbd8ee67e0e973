"""Messages cut, delayed, doubled and reordered between all processes; every one of them replayed.

Whatever the network does, each order comes to one end, and comes to it once (T1, P4, P8, P9).
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

from tests.network.middleman import Middleman, Weather, standing_between
from tests.network.pilot import PASSPHRASE, Pilot

STORM = Weather(seed=7, cut_before=0.02, cut_after=0.04, doubled=0.25, delayed=0.3)
FRESH_S = 50  # a message counts for a minute


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
        standing_between(Path(folder)) as (pilot, middleman),
    ):
        yield Between(pilot, middleman, _make_money(pilot))


def _make_money(pilot: Pilot) -> str:
    pilot.fund(2, "500.00")
    pilot.officer("decide", "lend-reserves", "--set", "participant=2", "--set", "amount=50000")
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
    assert new["backed by"] == new["outstanding"]
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
