"""A process killed in the middle of what others wait for: started again, the same end, once.
Or put back from a backup: it notices, catches up, and goes on.

All steps are stopped at in the simulator (tests/simulation, tests/stateful); here a sample of them
is, with real processes, real files and SIGKILL (T1, P4, P8, P9, X12): at random moments, and aimed
at chosen steps. There a flow waits for officers, or for a process that stands still meanwhile,
until journals and stores, read from outside, say that it has come just so far.
"""

import json
import os
import random
import re
import secrets
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from specie.assembly.folders import PASSPHRASES
from specie.assembly.foundation import find_database_file
from specie.log.notes import parse_note
from specie.remote import models
from specie.remote import notary_operations as notary
from specie.remote import registration_operations as registration
from specie.remote.fields import Empty
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import TransactionId
from tests.network.pilot import PASSPHRASE, Pilot, catch, name

RANDOM = random.Random(11)
DELAY_S = 0.8  # what is under way takes about as long
ANSWER_S = 2.0  # by then the payer's bank has heard the payee's, and asks the notary


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
        return stock["outstanding"], stock["backed_by"], balances[0], balances[1]

    def pay(self, order: str) -> tuple[str, ...]:
        return self.pilot.spell("alice", "pay", self.bob, "1.00", "--order", order)

    def withdraw(self, order: str) -> tuple[str, ...]:
        """Of what is lent when the network is made."""
        return self.pilot.spell("alice", "withdraw", "1.00", "--order", order)


@pytest.fixture(scope="module")
def scene(pilot: Pilot) -> Scene:
    pilot.fund(2, "500.00")
    pilot.lend(2, "500.00")
    pilot.give("alice", 2, "100.00")
    pilot.bank(2, "lend", "alice", "10.00")
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


@dataclass(frozen=True)
class Step:
    """Where an order stands still, who is killed then, and what journals and stores say of it."""

    what: str
    victim: str
    found: dict[str, str]
    held: str = ""  # who does not answer meanwhile
    last: str = ""  # who answers again when all have attested


STEPS = {
    "issue approved, nothing debited": Step(
        "issue", "central-bank", {"desk flow": "open", "application": "approved"}, "accounting"
    ),
    "issue produced, in transit": Step(
        "issue", "central-bank", {"desk flow": "open", "application": "produced"}
    ),
    "redemption begun": Step("redeem", "bank-2", {"bank flow": "open", "application": "applied"}),
    "redemption in transit": Step(
        "redeem",
        "bank-2",
        {"bank flow": "open", "application": "produced", "vault payment": "prepared"},
    ),
    "withdrawal signed": Step(
        "withdraw", "bank-2", {"bank flow": "open", "vault payment": "prepared"}, "notary"
    ),
    "payment attested by one bank": Step(
        "pay", "bank-2", {"payer's bank": "attested", "payee's bank": ""}, "bank-3"
    ),
    "payment final, not delivered": Step(
        "pay", "bank-2", {"payer's bank": "", "payee's bank": "attested"}, "bank-3", "notary"
    ),
}
STATES = {
    "desk flow": ("central-bank", "SELECT state FROM flow WHERE order_id = :order"),
    "bank flow": ("bank-2", "SELECT state FROM flow WHERE order_id = :order"),
    "application": ("central-bank", "SELECT state FROM application WHERE order_id = :order"),
    "vault payment": ("bank-2", "SELECT state FROM payment WHERE id = :order"),
    "payer's bank": (
        "bank-2",
        "SELECT 'attested' FROM movement WHERE client = 'alice' AND is_final = 0",
    ),
    "payee's bank": (
        "bank-3",
        "SELECT 'attested' FROM movement WHERE client = 'bob' AND is_final = 0",
    ),
}


def read_state(pilot: Pilot, what: str, order: str) -> str:
    """From outside, by the process' file; empty if there is none of it."""
    service, query = STATES[what]
    path = find_database_file(pilot.data / service, name(service))
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        row = connection.execute(query, {"order": bytes.fromhex(order)}).fetchone()
    return str(row[0]) if row else ""


def begin(scene: Scene, step: Step, order: str) -> Callable[[], None]:
    """As far as it goes; gives how it is brought to its end."""
    pilot = scene.pilot
    if step.what in ("issue", "redeem"):
        end = (issue if step.what == "issue" else redeem)(scene, order)
        officers = ("1", "2") if step.found["application"] != "applied" else ()
        for number in officers:  # one after the other: neither authorises what is produced
            approve = ("officer", "approve", order, "--data", str(pilot.data), "--wait", "0")
            pilot.run(*approve, "--officer", number, stdin="y\n", code=1)
        return end
    words = scene.pay(order) if step.what == "pay" else scene.withdraw(order)
    begun = pilot.begin(*words, stdin=f"{PASSPHRASE}\n")

    def insist() -> None:
        if begun.poll() is None:
            begun.communicate()
        pilot.insist(*words, stdin=f"{PASSPHRASE}\n")

    return insist


def hold(pilot: Pilot, service: str, how: signal.Signals) -> None:
    """It stands still, or goes on."""
    if service:
        os.killpg(pilot.children[service].running.pid, how)


def let_attest(pilot: Pilot, step: Step, order: str) -> None:
    """Whoever is held attests and hears no more, while the notary answers nobody."""
    pilot.wait(lambda: read_state(pilot, "payer's bank", order) == "attested")
    hold(pilot, step.last, signal.SIGSTOP)
    hold(pilot, step.held, signal.SIGCONT)
    pilot.wait(lambda: read_state(pilot, "payee's bank", order) == "attested")
    time.sleep(ANSWER_S)
    hold(pilot, step.held, signal.SIGSTOP)
    hold(pilot, step.last, signal.SIGCONT)


@pytest.mark.parametrize(
    "aim",
    [
        pytest.param("issue approved, nothing debited", marks=pytest.mark.soak),
        "issue produced, in transit",
        pytest.param("redemption begun", marks=pytest.mark.soak),
        "redemption in transit",
        pytest.param("withdrawal signed", marks=pytest.mark.soak),
        "payment attested by one bank",
        "payment final, not delivered",
    ],
)
def test_the_same_end_from_a_chosen_step(scene: Scene, aim: str) -> None:
    """What was aimed at is what is found after the kill; from there on, everything once."""
    pilot, order, step = scene.pilot, secrets.token_hex(16), STEPS[aim]
    before = scene.get_facts()

    def find() -> dict[str, str]:
        return {what: read_state(pilot, what, order) for what in step.found}

    hold(pilot, step.held, signal.SIGSTOP)
    try:
        end = begin(scene, step, order)
        if step.last:
            let_attest(pilot, step, order)
        pilot.wait(lambda: find() == step.found)
        pilot.kill(step.victim)
        assert find() == step.found, "not a step further, and nothing lost"
    finally:
        for one in (step.last, step.held):
            hold(pilot, one, signal.SIGCONT)
    pilot.start(step.victim)
    end()
    end()  # again is nothing
    supply, paid = CHANGES.get(step.what, (0, 0))
    drawn = 1 if step.what == "withdraw" else 0
    pilot.wait(lambda: scene.get_facts()[0] == scene.get_facts()[1])
    after = scene.get_facts()
    assert after[0] == before[0] + supply
    assert after[2:] == (before[2] - paid + drawn, before[3] + paid)
    ends = {"desk flow": "completed", "bank flow": "completed", "application": "completed"}
    wanted = {what: state for what, state in ends.items() if what in step.found}
    pilot.wait(lambda: wanted == {what: read_state(pilot, what, order) for what in wanted})


def check_log(scene: Scene) -> None:
    """X1: the currency adds up from public data, and every witness has cosigned it."""
    pilot = scene.pilot
    url, root = pilot.get_url("registration"), str(pilot.public / "root.pem")

    def is_whole() -> bool:
        done = pilot.try_run("audit", url, "--root", root, "--require-cosigners", "--json")
        outstanding = scene.get_facts()[0]
        return bool(done["code"] == 0 and json.loads(done["out"])["supply_minor"] == outstanding)

    pilot.wait(is_whole)


def test_the_log_holds_afterwards(scene: Scene) -> None:
    """Whoever was killed."""
    check_log(scene)


def read_promises(pilot: Pilot) -> tuple[list[tuple[bytes, bytes]], int]:
    """All that the notary has promised, by its file; how many of them are not published."""
    file = f"file:{pilot.data / 'notary' / 'notary.db'}?mode=ro"
    with closing(sqlite3.connect(file, uri=True)) as connection:
        query = "SELECT txid, promise, batch IS NULL FROM notarised ORDER BY sequence"
        rows = connection.execute(query).fetchall()
    return [(txid, promise) for txid, promise, _ in rows], sum(row[2] for row in rows)


def wait_quiet(pilot: Pilot) -> None:
    """Everything is published, all have cosigned it, and nothing new has come meanwhile."""

    def is_quiet() -> bool:
        promises, waiting = read_promises(pilot)
        note = pilot.fetch(f"{pilot.get_url('registration')}/checkpoint").data.decode()
        own = (pilot.data / "notary" / "public" / "checkpoint").read_text()
        checkpoint, lines = parse_note(note)
        names = {line.name for line in lines[1:]}
        if waiting or parse_note(own)[0] != checkpoint or names != {"auditor", "bank-2", "bank-3"}:
            return False
        time.sleep(1.0)
        return read_promises(pilot) == (promises, 0)

    pilot.wait(is_quiet)


def put_back(pilot: Pilot, service: str, backup: Path) -> None:
    """As after the loss of its disk."""
    folder = pilot.data / service
    pilot.kill(service)
    folder.rename(backup.with_suffix(".lost"))
    pilot.run("restore", str(backup), str(folder))


def check_outdated(pilot: Pilot, service: str) -> None:
    """It does not start, and says why."""
    pilot.children[service] = pilot.network.start(service)
    error = catch(lambda: pilot.network.wait_ready(pilot.children[service]))
    assert ErrorCode.STORE_OUTDATED.value in error.message
    pilot.network.children.remove(pilot.children[service])


def catch_up(pilot: Pilot, service: str) -> list[str]:
    """Gives what is printed."""
    passphrase = str(pilot.data / PASSPHRASES / service)
    command = ("catch-up", str(pilot.data / service), "--passphrase-file", passphrase)
    return pilot.run(*command).splitlines()


def test_a_notary_from_a_backup_catches_up(scene: Scene, tmp_path: Path) -> None:
    """P11: log, archive and database are all as old as the backup; others have kept the rest."""
    pilot, backup = scene.pilot, tmp_path / "notary.tar"
    wait_quiet(pilot)
    pilot.run("backup", str(pilot.data / "notary"), str(backup))
    known, _ = read_promises(pilot)
    before = scene.get_facts()
    pilot.insist(*scene.pay(secrets.token_hex(16)), stdin=f"{PASSPHRASE}\n")
    wait_quiet(pilot)
    promises, _ = read_promises(pilot)
    assert len(promises) > len(known)
    put_back(pilot, "notary", backup)
    check_outdated(pilot, "notary")
    assert read_promises(pilot)[0] == known
    passphrase = str(pilot.data / PASSPHRASES / "accounting")
    words = ("catch-up", str(pilot.data / "accounting"), "--passphrase-file", passphrase)
    assert "is running" in pilot.run(*words, code=1)
    restored, lost = catch_up(pilot, "notary")
    assert re.fullmatch(
        rf"restored: \d+ batches, {len(promises) - len(known)} transactions", restored
    )
    assert lost.startswith("what was promised after 20")
    assert read_promises(pilot)[0] == promises, "to the byte"
    pilot.start("notary")
    channel = pilot.open_channel("bank-2")
    query = models.TransactionQuery(txid=TransactionId(promises[-1][0]))
    assert channel.call(name("notary"), notary.FIND_PROMISE, query).promise is not None
    pilot.insist(*scene.pay(secrets.token_hex(16)), stdin=f"{PASSPHRASE}\n")
    after = scene.get_facts()
    assert after[2:] == (before[2] - 2, before[3] + 2)
    check_log(scene)


def test_who_did_not_sign_learns_nothing_of_it(scene: Scene) -> None:
    """What a notary or witness may ask back is its own; private batches are the notary's."""
    pilot = scene.pilot
    for service in ("bank-2", "bank-3"):
        note = pilot.open_channel(service).call(
            name("registration"), registration.FIND_SIGNED, Empty()
        )
        assert {line.name for line in parse_note(note.note)[1][1:]} == {service}
    accounting, bank = pilot.open_channel("accounting"), pilot.open_channel("bank-2")
    query = models.ChunkQuery(number=1, offset=0)
    for error in (
        catch(lambda: accounting.call(name("registration"), registration.FIND_SIGNED, Empty())),
        catch(lambda: bank.call(name("auditor"), registration.READ_JUDGED, query)),
    ):
        assert error.code is ErrorCode.CALLER_NOT_ALLOWED


@pytest.mark.soak
def test_a_witness_from_a_backup_cannot_be_led_astray(scene: Scene, tmp_path: Path) -> None:
    """X3: what a bank has cosigned says how old its database is."""
    pilot, backup = scene.pilot, tmp_path / "bank-3.tar"
    pilot.run("backup", str(pilot.data / "bank-3"), str(backup))
    pilot.insist(*scene.pay(secrets.token_hex(16)), stdin=f"{PASSPHRASE}\n")
    wait_quiet(pilot)
    pilot.kill("registration")
    put_back(pilot, "bank-3", backup)
    pilot.start("bank-3")  # nobody can say how old it is
    child = pilot.children["bank-3"]
    pilot.start("registration")
    assert child.running.wait(60) == 0, "it has heard of it, and ends"
    pilot.network.children.remove(child)
    check_outdated(pilot, "bank-3")
    witness, rest = catch_up(pilot, "bank-3")
    assert re.fullmatch(r"witness: goes on \d+ leaves later", witness)
    assert rest.startswith("clients, books and vault are as old as the copy")
    assert catch_up(pilot, "bank-3") == ["witness: goes on 0 leaves later"]
    pilot.start("bank-3")
    check_log(scene)


def test_older_books_of_the_central_bank_are_noticed(scene: Scene, tmp_path: Path) -> None:
    """P3: its desk and its accounting run, as nothing else can replace them, and say it.

    The last test of this network: an issue is forgotten for good.
    """
    pilot, order = scene.pilot, secrets.token_hex(16)
    services = ("accounting", "central-bank")
    for service in services:
        pilot.run("backup", str(pilot.data / service), str(tmp_path / service))
    issue(scene, order)()
    for service in services:
        pilot.kill(service)
        (pilot.data / service).rename(tmp_path / f"{service}.lost")
        pilot.run("restore", str(tmp_path / service), str(pilot.data / service))
    pilot.start(*services)
    pilot.wait(lambda: "stock_mismatch" in pilot.read_alarms("central-bank"))
    pilot.wait(lambda: "applications_lost" in pilot.read_alarms("central-bank"))
