"""A real notary process is killed with SIGKILL at random moments, under load (X12, T15).

Every acknowledged payment is there once and with the same promise, every other one ends with the
same answer when it is sent again, no token is spent twice, and the audit of the folder passes.
"""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Client, Connection
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from specie.ledger.transactions import Promise, VoidPromise
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import TransactionId
from tests.killing.house import ISSUES, OUTPUTS, SOCKET, Job, live

KILLS: Final = 50
SOAKED: Final = [pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 41)]
LONGEST_LIFE_S: Final = 0.06
PAYERS: Final = 4


@dataclass(slots=True)
class Town:
    """The house, and what everybody was told."""

    place: Path
    house: Connection
    jobs: list[Job]
    notary: int = 0
    told: dict[TransactionId, object] = field(default_factory=dict)
    is_over: bool = False
    contradictions: list[str] = field(default_factory=list)
    unheard: int = 0

    def start(self, *, is_hasty: bool = False) -> None:
        """Fork a notary; the one before it is gone."""
        self.kill()
        self.house.send(is_hasty)
        self.notary = self.house.recv()

    def kill(self) -> None:
        """No warning, no clean-up."""
        if self.notary:
            os.kill(self.notary, signal.SIGKILL)
            self.notary = 0

    def ask(self, *request: Any) -> Any:
        """Until there is an answer, however often the notary dies meanwhile."""
        while True:
            try:
                with Client(str(self.place / SOCKET), "AF_UNIX") as line:
                    line.send(request)
                    return line.recv()
            except (EOFError, OSError):
                self.unheard += 1
                time.sleep(0.002)

    def hear(self, txid: TransactionId, answer: object) -> None:
        """What was told once is told for ever."""
        if answer is ErrorCode.STORE_UNUSABLE:
            return  # nothing is said of the payment
        known = self.told.setdefault(txid, answer)
        if known != answer:
            self.contradictions.append(f"{known} and then {answer}")

    def settle(self, job: Job, chance: Random) -> None:
        """Send what belongs to it, in any order, until all of it is answered."""
        requests: list[tuple[TransactionId, tuple[Any, ...]]] = [(job.txid, ("notarise", job.data))]
        if job.rival:
            requests.append((job.rival[0], ("notarise", job.rival[1])))
        chance.shuffle(requests)
        if job.void and chance.random() < 0.5:
            self.cancel(job)
        for txid, request in requests:
            self.hear(txid, self.ask(*request))
        if job.void:
            self.cancel(job)

    def cancel(self, job: Job) -> None:
        """It is void from now on, or final already."""
        assert job.void
        answer = self.ask("void", *job.void)
        if isinstance(answer, VoidPromise):
            self.hear(job.txid, ErrorCode.TRANSACTION_VOID)


@contextmanager
def open_town(place: Path) -> Iterator[Town]:
    """A house of its own; gone afterwards."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=live, args=(str(place), theirs))
    process.start()
    theirs.close()
    town = Town(place, mine, mine.recv())
    try:
        yield town
    finally:
        town.is_over = True
        town.kill()
        mine.close()
        process.join(10)
        assert process.exitcode == 0, "the house is gone as well"


def pay_everybody(town: Town, seed: int) -> None:
    """All jobs in an order of one's own; whoever is through begins again: the answers stay."""
    chance = Random(seed)
    while not town.is_over:
        for job in chance.sample(town.jobs, len(town.jobs)):
            if town.is_over:
                return
            town.settle(job, chance)


def kill_often(town: Town, kills: int, seed: int, *, is_hasty: bool = False) -> None:
    """Under load; a life lasts up to 60 ms."""
    chance = Random(seed)
    town.start(is_hasty=is_hasty)
    payers = [
        threading.Thread(target=pay_everybody, args=(town, seed + one)) for one in range(PAYERS)
    ]
    for payer in payers:
        payer.start()
    for _ in range(kills):
        time.sleep(chance.random() * LONGEST_LIFE_S)
        town.start(is_hasty=is_hasty)
    town.is_over = True
    for payer in payers:
        payer.join()


def run_audit(town: Town) -> dict[str, Any]:
    """The real command on the public folder."""
    command = [sys.executable, "-m", "specie", "audit", "--json", str(town.place / "public")]
    ran = subprocess.run(command, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr
    totals: dict[str, Any] = json.loads(ran.stdout)
    return totals


@pytest.mark.parametrize("seed", [1, *SOAKED])
def test_a_killed_notary_keeps_its_word(tmp_path: Path, seed: int) -> None:
    with open_town(tmp_path) as town:
        kill_often(town, KILLS, seed)
        for job in town.jobs:  # what nobody had sent, or heard
            town.settle(job, Random(2))
        assert town.contradictions == []
        assert town.unheard >= KILLS  # each death interrupted somebody
        promised = {txid for txid, answer in town.told.items() if isinstance(answer, Promise)}
        for job in town.jobs:
            ours = {job.txid, job.rival[0]} if job.rival else {job.txid}
            assert ours <= set(town.told), "nothing is stuck"
            if job.void is None:
                assert len(ours & promised) == 1, "one of two, and always one"
            refused = {town.told[txid] for txid in ours - promised}
            assert refused <= {ErrorCode.INPUT_SPENT, ErrorCode.TRANSACTION_VOID}
        for txid in promised:
            assert town.ask("find_promise", txid) == town.told[txid]
        town.ask("publish")
        while town.ask("count_missing"):
            time.sleep(0.01)
        totals = run_audit(town)
        assert totals["kernels"] == ISSUES + len(promised)
        assert totals["spent"] == len(promised)
        assert totals["voids"] == list(town.told.values()).count(ErrorCode.TRANSACTION_VOID)
        assert totals["created"] == ISSUES * OUTPUTS + 2 * len(promised)


def test_a_notary_that_answers_before_it_records_is_caught(tmp_path: Path) -> None:
    with open_town(tmp_path) as town:
        kill_often(town, 10, 1, is_hasty=True)
        town.start()
        time.sleep(0.05)
        lost = [
            txid
            for txid, answer in town.told.items()
            if isinstance(answer, Promise) and town.ask("find_promise", txid) != answer
        ]
        assert lost or town.contradictions
