"""A process killed in the middle of what others wait for: started again, the same end, once.

All steps are stopped at in the simulator (tests/simulation, tests/stateful); here a sample of them
is, with real processes, real files and SIGKILL (T1, P4, P8, P9, X12).
"""

import json
import random
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.network.pilot import PASSPHRASE, Pilot

RANDOM = random.Random(11)
DELAY_S = 0.8  # what is under way takes about as long


@dataclass(frozen=True)
class Scene:
    """Who pays whom."""

    pilot: Pilot
    bob: str

    def get_facts(self) -> tuple[int, int, float, float]:
        """Outstanding, backing, balances of alice and bob; nothing in transit any more."""
        at = str(self.pilot.data / "central-bank")
        stock = json.loads(self.pilot.run("central-bank", "stock", "--at", at, "--json"))
        balances = []
        for holder in ("alice", "bob"):
            said = self.pilot.insist(*self.pilot.spell(holder, "collect"), stdin=f"{PASSPHRASE}\n")
            balances += [float(text) for text in re.findall(r"balance: (\S+)", said)]
        return stock["outstanding"], stock["backed by"], balances[0], balances[1]

    def pay(self, order: str) -> tuple[str, ...]:
        return self.pilot.spell("alice", "pay", self.bob, "1.00", "--order", order)


@pytest.fixture(scope="module")
def scene(pilot: Pilot) -> Scene:
    pilot.fund(2, "500.00")
    pilot.lend(2, "500.00")
    pilot.give("alice", 2, "100.00")
    return Scene(pilot, pilot.open_wallet("bob", 3))


def issue(scene: Scene, order: str) -> Callable[[], None]:
    pilot = scene.pilot
    at = str(pilot.data / "bank-2")
    pilot.insist("bank", "issue", "20.00", "--order", order, "--at", at)
    return lambda: pilot.approve(order)


def redeem(scene: Scene, order: str) -> Callable[[], None]:
    pilot = scene.pilot
    at = str(pilot.data / "bank-2")
    pilot.insist("bank", "redeem", "10.00", "--order", order, "--at", at)
    return lambda: pilot.approve(order)


CHANGES = {"issue": (2_000, 0), "redeem": (-1_000, 0), "pay": (0, 1)}


@pytest.mark.parametrize(
    ("what", "victim"),
    [
        ("pay", "notary"),
        ("pay", "bank-3"),
        ("issue", "accounting"),
        ("redeem", "central-bank"),
        pytest.param("pay", "bank-2", marks=pytest.mark.soak),
        pytest.param("issue", "notary", marks=pytest.mark.soak),
        pytest.param("issue", "central-bank", marks=pytest.mark.soak),
        pytest.param("redeem", "accounting", marks=pytest.mark.soak),
        pytest.param("redeem", "bank-2", marks=pytest.mark.soak),
        pytest.param("pay", "registration", marks=pytest.mark.soak),
        pytest.param("pay", "auditor", marks=pytest.mark.soak),
    ],
)
def test_the_same_end(scene: Scene, what: str, victim: str) -> None:
    pilot, order = scene.pilot, secrets.token_hex(16)
    before = scene.get_facts()
    if what == "pay":
        begun = pilot.begin(*scene.pay(order), stdin=f"{PASSPHRASE}\n")

        def end() -> None:
            pilot.insist(*scene.pay(order), stdin=f"{PASSPHRASE}\n")
    else:
        end = (issue if what == "issue" else redeem)(scene, order)
        command = ("officer", "approve", order, "--data", str(pilot.data), "--wait", "1")
        begun = pilot.begin(*command, "--officer", "1", "--officer", "2", stdin="y\n")
    time.sleep(0.5 + RANDOM.random() * DELAY_S)  # Python starts for about half a second
    pilot.kill(victim)
    pilot.start(victim)
    begun.communicate()
    end()
    end()  # again is nothing
    supply, paid = CHANGES[what]
    pilot.wait(lambda: scene.get_facts()[0] == scene.get_facts()[1])
    after = scene.get_facts()
    assert after[0] == before[0] + supply
    assert after[2:] == (before[2] - paid, before[3] + paid)


def test_the_log_holds_afterwards(scene: Scene) -> None:
    """X1: whoever was killed, the currency adds up from public data."""
    pilot = scene.pilot
    url, root = pilot.get_url("registration"), str(pilot.public / "root.pem")

    def is_whole() -> bool:
        done = pilot.try_run("audit", url, "--root", root, "--require-cosigners", "--json")
        outstanding = scene.get_facts()[0]
        return bool(done["code"] == 0 and json.loads(done["out"])["supply minor"] == outstanding)

    pilot.wait(is_whole)
