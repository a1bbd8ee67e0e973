"""Who sees what: docs/privacy.md, a test for each cell, on real processes (X5, T9, T11).

The page's own tables are read: a cell that is changed there is tested as it then stands, and what
these tests do not know fails. What happens is in privacy_story.py, what is searched in evidence.py.
"""

import json
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from tests.network import privacy_story
from tests.network.core_bank_beside import create_core_bank
from tests.network.evidence import AT_REST, Evidence, Hit, Kind
from tests.network.middleman import PUBLIC, Recorded, standing_between
from tests.network.pilot import Pilot
from tests.network.privacy_opened import add_opened
from tests.network.privacy_page import (
    ASIDE,
    COLUMNS,
    DEVICES,
    EVERYBODY,
    INSTITUTIONS,
    KEPT,
    NAMES,
    NOWHERE,
    ON_THE_DISK,
    OWN,
    PARTIES,
    PARTS,
    RECEIVERS,
    SPEAKERS,
    Cell,
    read_cells,
)
from tests.network.privacy_people import tell_of_people
from tests.network.privacy_readers import tell_of_readers, watch
from tests.network.privacy_returns import tell_of_returns
from tests.network.privacy_safety import tell_of_safety
from tests.network.privacy_story import PAID, PAYEE, PAYER, Story, opened
from tests.network.privacy_travel import tell_of_travel
from tests.network.webhook_receiver import receiving

CELLS = list(read_cells())

PAYMENT = ("transaction", "inputs", "payee's output", "change output")
SUPPLY = ("supply transaction", "supply order", "openings of the outputs")
PERSON = ("client id", "payer's address", "device's key and name")
CLIENT_IDS = ("client id", "payee's client id", "told client id")
ASKED = ("proof of a request",)
EVENTS = ("event refund.arrived", "event return.requested", "event return.declined")
CHAPTERS = (tell_of_returns, tell_of_travel, tell_of_people, tell_of_readers, tell_of_safety)
TOGETHER = {  # what has to stand in one record with any of the second
    "owner of an output": (("change output",), PERSON),
    "look-up by a client": (("phone number",), PERSON),
    "payer's standing": (("standing",), PERSON),
    "owner of a return address": (("payer's return address",), CLIENT_IDS),
    "client of a request": (("id of a request",), CLIENT_IDS),
    "client of a told payment": (("told transaction",), CLIENT_IDS),
    "client of an event": (EVENTS, CLIENT_IDS),
}
TIMES = (
    *("time of the payer's device", "time at bank-2", "time at bank-3"),
    *("time of the notary's decision", "time of the publication batch"),
)
CUT = {Kind.ROW, Kind.LINE}
LOG_PLACES = ("public/", "registration.db")
LOG_PATHS = ("/v1/leaves", "/v1/checkpoint", "/v1/publication", "/v1/time", "/tile/", "/checkpoint")


@dataclass
class Seen:
    """What was found, by party and field."""

    story: Story
    evidence: Evidence = field(default_factory=Evidence)
    hits: dict[tuple[str, str], list[Hit]] = field(default_factory=dict)

    def get(self, party: str, part: str) -> list[Hit]:
        return self.hits.get((party, part), [])

    def has(self, parties: tuple[str, ...], part: str) -> list[Hit]:
        return [hit for party in parties for hit in self.get(party, part)]


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    banks = ("Bank of the North", "Bank of the South", "Bank of the West")
    plan: dict[str, Any] = {
        "banks": banks,
        "traces": True,
        "batch_payments_min": 8,
        "batch_age_ms_max": 6_000,
    }
    with (
        tempfile.TemporaryDirectory(prefix="sp") as folder,
        receiving("/spent/ephraim-4471") as of_payer,
        receiving("/taken/barnaby-5582") as of_payee,
        standing_between(Path(folder), _add_core_bank, **plan) as (pilot, middleman),
    ):
        receivers = {"qz": of_payer, "ow": of_payee}
        story = privacy_story.tell(pilot, middleman, receivers)
        for tell in CHAPTERS:
            tell(story)
        privacy_story.publish(story)
        for party in PARTIES:
            pilot.kill(party)  # so that nothing is tidied away
        seen = Seen(story)
        watch(story, seen.evidence)
        yield look(seen)


def _add_core_bank(pilot: Pilot) -> None:
    create_core_bank(pilot, 3)


def look(seen: Seen) -> Seen:
    """Into everything; into the files before their stores are opened, which tidies them."""
    story, pilot = seen.story, seen.story.pilot
    for party in PARTIES:
        seen.evidence.add_folder(party, pilot.data / party)
        seen.evidence.add_file(party, pilot.data / "logs" / f"{party}.jsonl", "log.jsonl")
    for holder, party in {**DEVICES, **ASIDE}.items():
        for path in pilot.devices.glob(f"{holder}.*"):
            seen.evidence.add_file(party, path, path.name)
    for number, said in enumerate(story.middleman.recorded):
        _add_message(seen, said, is_payers=said.is_here and number in story.alone)
    for holder, receiver in story.receivers.items():
        bank = {"qz": "bank-2", "ow": "bank-3"}[holder]
        for told in receiver.told:
            where = (bank, RECEIVERS[holder], "webhook", "POST", told.path, told.headers)
            said = Recorded(*where, told.body, 204, b"", 0.0)
            seen.evidence.add_message(RECEIVERS[holder], bank, said)
    add_opened(story, seen.evidence)
    seen.hits = seen.evidence.search(story.cage)
    _derive(seen)
    return seen


def _add_message(seen: Seen, said: Recorded, *, is_payers: bool) -> None:
    caller, middleman = said.caller, seen.story.middleman
    if caller == PUBLIC:
        caller = "payer" if is_payers else _find_device(seen.story, said)
    known = caller == "payer" or said.caller != PUBLIC
    origin = middleman.get_address(said.caller) if known else ""
    seen.evidence.add_message(caller, said.service, said)
    seen.evidence.add_message(said.service, said.caller, said, origin)


def _find_device(story: Story, said: Recorded) -> str:
    """Whose; or somebody's."""
    signed = str(said.headers).encode()
    for holder, (name, key) in story.devices.items():
        if name in signed or key in said.body:
            return SPEAKERS[holder]
    return "somebody"


def _derive(seen: Seen) -> None:
    """What no value says by itself: which bank stands beside a payment, whose standing it is."""
    for party in EVERYBODY:
        payment = _list_cut(seen, party, PAYMENT)
        supply = _list_cut(seen, party, SUPPLY)
        origin = {id(hit.record) for hit in seen.get(party, "address of the payer's bank")}
        added = {
            "payer's bank": [
                *seen.get(party, "change bank"),
                *(hit for hit in payment if "2" in hit.record.banks),
            ],
            "payee's bank": [hit for hit in payment if "3" in hit.record.banks],
            "payer's bank of a request": [
                hit for hit in _list_cut(seen, party, ASKED) if "2" in hit.record.banks
            ],
            "which bank": [hit for hit in supply if "2" in hit.record.banks],
            "payment from the payer's bank": [hit for hit in payment if id(hit.record) in origin],
            "client of a case, of a freeze": [
                hit
                for hit in _list_cut(seen, party, CLIENT_IDS)
                if hit.record.where.endswith((" bank_case", " client_freeze"))
            ],
        }
        for part, (parts, beside) in TOGETHER.items():
            whose = {id(hit.record) for hit in _list_cut(seen, party, beside)}
            found = _list_cut(seen, party, parts)
            added[part] = [hit for hit in found if id(hit.record) in whose]
        told = added["client of a told payment"]
        added["client and bank of a told payment"] = [hit for hit in told if hit.record.banks]
        for part, hits in added.items():
            seen.hits[party, part] = [*seen.get(party, part), *hits]
        about = {id(hit.record) for hit in payment}
        for part in TIMES:  # others were paid in the same millisecond
            seen.hits[party, part] = [
                hit for hit in seen.get(party, part) if id(hit.record) in about or is_log(hit)
            ]


def _join(seen: Seen, party: str, parts: tuple[str, ...]) -> list[Hit]:
    return [hit for part in parts for hit in seen.get(party, part)]


def _list_cut(seen: Seen, party: str, parts: tuple[str, ...]) -> list[Hit]:
    """What stands in one of these has to do with the rest of it; in a whole file it has not."""
    return [hit for hit in _join(seen, party, parts) if hit.record.kind is not Kind.FILE]


def is_log(hit: Hit) -> bool:
    """Whether it is a copy of what everybody may read."""
    record = hit.record
    if record.kind is Kind.MESSAGE:
        return any(f" {path}" in record.where for path in LOG_PATHS)
    return record.kind in AT_REST and record.where.startswith(LOG_PLACES)


def check_seen(seen: Seen, cell: Cell, parties: tuple[str, ...], parts: set[str]) -> None:
    """These parts of the row and no others."""
    for part in PARTS[cell.table][cell.row]:
        hits = seen.has(parties, part)
        if part in parts:
            assert hits, f"it sees {part}, and the search does not find it"
        else:
            told = [(hit.record.kind, hit.found) for hit in hits]
            assert not told, told[:4]


def check_yes(seen: Seen, cell: Cell, parties: tuple[str, ...]) -> None:
    check_seen(seen, cell, parties, set(PARTS[cell.table][cell.row]))


def check_no(seen: Seen, cell: Cell, parties: tuple[str, ...]) -> None:
    check_seen(seen, cell, parties, set())


def check_own(seen: Seen, cell: Cell, parties: tuple[str, ...]) -> None:
    check_seen(seen, cell, parties, OWN[cell.column] & set(PARTS[cell.table][cell.row]))


def check_log(seen: Seen, cell: Cell, parties: tuple[str, ...]) -> None:
    """In the public log, and here in copies of it alone."""
    for part in PARTS[cell.table][cell.row]:
        public = [hit for hit in seen.get("registration", part) if is_log(hit)]
        assert public, f"{part} is not in the public log"
        told = [hit for hit in seen.has(parties, part) if not is_log(hit)]
        assert not told, [(hit.record.kind, hit.found) for hit in told[:4]]


def check_set(seen: Seen, cell: Cell, parties: tuple[str, ...]) -> None:
    """In the log, and no row or line has two things of the payment."""
    check_log(seen, cell, parties)
    for party in parties:
        assert not seen.get(party, "payment's graph")
        pairs = {(id(hit.record), hit.found.field) for hit in _join(seen, party, PAYMENT)}
        lone = {id(hit.record) for hit in _join(seen, party, PAYMENT) if hit.record.kind in CUT}
        together = Counter(record for record, _ in pairs if record in lone)
        assert not together or max(together.values()) == 1


def check_sum(seen: Seen, cell: Cell, parties: tuple[str, ...]) -> None:
    check_no(seen, cell, parties)
    assert [hit for hit in seen.get("registration", "offset of the batch") if is_log(hit)]


def check_memo(seen: Seen, cell: Cell, parties: tuple[str, ...]) -> None:
    """Not by the system; what the payer wrote arrives."""
    check_no(seen, cell, parties)
    assert seen.has(parties, "memo")


def check_refused(seen: Seen, cell: Cell, parties: tuple[str, ...]) -> None:
    """A payee that is blocked cannot be paid: its payer, and the bank that asks for it, hear it."""
    check_no(seen, cell, parties)
    told = "that a payee is blocked"
    hearing = {party for party in EVERYBODY if _is_told(seen, party, told)}
    assert hearing == {"payer", "bank-2", "bank-3", RECEIVERS["qz"]}


def check_certified(seen: Seen, cell: Cell, parties: tuple[str, ...]) -> None:
    """The central bank's desk certifies a key of a bank's device, nobody else hears of it."""
    check_no(seen, cell, tuple(one for one in parties if one != "central-bank"))
    check_yes(seen, cell, ("central-bank",))


def _is_told(seen: Seen, party: str, part: str) -> bool:
    return any(hit.record.kind is Kind.MESSAGE for hit in seen.get(party, part))


WORDS: dict[str, Callable[[Seen, Cell, tuple[str, ...]], None]] = {
    "yes": check_yes,
    "no": check_no,
    "–": check_no,
    "own": check_own,
    "log": check_log,
    "set": check_set,
    "sum of the batch": check_sum,
    "if in the memo": check_memo,
    "no; who pays it hears that it is blocked": check_refused,
    "no; the desk sees the key": check_certified,
}


@pytest.mark.parametrize("cell", [one for one in CELLS if one.table != ON_THE_DISK], ids=str)
def test_a_cell(seen: Seen, cell: Cell) -> None:
    WORDS[cell.says](seen, cell, COLUMNS[cell.table][cell.column])


@pytest.mark.parametrize("cell", [one for one in CELLS if one.table == ON_THE_DISK], ids=str)
def test_who_reads_files_without_keys(seen: Seen, cell: Cell) -> None:
    """Whoever has the files of these parties can read it there, and of no others."""
    said = {NAMES.get(name, name) for name in cell.says.split(", ") if name != "nobody"}
    parties = [
        *PARTIES,
        *DEVICES.values(),
        *ASIDE.values(),
    ]  # nothing lies at who is only told of events
    for part in KEPT[cell.row]:
        hits = {
            party: [hit for hit in seen.get(party, part) if hit.record.kind in AT_REST]
            for party in parties
        }
        found = {party for party in parties if [hit for hit in hits[party] if not is_log(hit)]}
        assert found == said, {party: hits[party][:2] for party in found ^ said}


def test_the_page_and_the_tests_know_the_same_rows_and_columns() -> None:
    """So no row of the page is without a test, and no test is about what the page does not say."""
    for table, columns in COLUMNS.items():
        mine = [one for one in CELLS if one.table == table]
        assert {one.row for one in mine} == set(PARTS[table])
        assert {one.column for one in mine} == set(columns)
        assert len(mine) == len(PARTS[table]) * len(columns)
        assert {one.says for one in mine} <= set(WORDS)
    assert {one.table for one in CELLS} == {*COLUMNS, ON_THE_DISK}
    assert {one.row for one in CELLS if one.table == ON_THE_DISK} == set(KEPT)


def test_every_canary_is_found_somewhere(seen: Seen) -> None:
    """One that nobody ever has would prove nothing where it is not found."""
    silent = set(seen.story.cage.spellings) - {name for _, name in seen.hits}
    assert silent == NOWHERE


def test_what_is_planted_at_each_party_is_found(seen: Seen, tmp_path: Path) -> None:
    """In a database that nobody has tidied, a log, traces, a message either way: otherwise "no"
    above would mean nothing. Each kind of place in each spelling is in test_canaries.py."""
    cage = seen.story.cage.keep(["payer's name", "payee's name", "amount paid"])
    paid = cage.spellings["amount paid"]["big endian raw"]
    for party in PARTIES:
        folder = tmp_path / party
        shutil.copytree(seen.story.pilot.data / party, folder, ignore=_list_sockets)
        evidence = Evidence()
        with closing(
            sqlite3.connect(next(folder.glob("*.db"), folder / "planted.db"), isolation_level=None)
        ) as database:
            database.execute("PRAGMA wal_autocheckpoint = 0")
            database.execute("CREATE TABLE planted (paid INTEGER, name TEXT)")
            database.execute("INSERT INTO planted VALUES (?, ?)", (PAID, PAYER))
            with (folder / "traces.jsonl").open("ab") as file:
                file.write(b'{"attributes": {"to": "' + PAYEE.encode() + b'"}}\n')
            evidence.add_folder(party, folder)
        evidence.add_message(party, "bank-4", _say(body=paid))
        evidence.add_message(party, "bank-4", _say(answer=PAYER.encode()))
        hits = evidence.search(cage)
        found = {(part, hit.record.kind) for (_, part), some in hits.items() for hit in some}
        both = ("amount paid", "payer's name")
        kinds = (Kind.FILE, Kind.ROW, Kind.MESSAGE)
        assert {(part, kind) for part in both for kind in kinds} <= found, party
        assert ("payee's name", Kind.LINE) in found, party


def _list_sockets(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if (Path(folder) / name).is_socket()}


def _say(*, body: bytes = b"", answer: bytes = b"") -> Recorded:
    where = ("bank-4", "bank-2", "institutions")
    return Recorded(*where, "POST", "/v1/receipts", {}, body, 200, answer, 0.0)


def read_spans(path: Path) -> Iterator[dict[str, Any]]:
    """As OTLP nests them in each line."""
    for line in path.read_text().splitlines():
        for resource in json.loads(line)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                yield from scope["spans"]


def test_traces_follow_one_payment_and_tell_nothing_of_it(seen: Seen) -> None:
    """X3: one trace through both banks and the notary, to its publication; from there, where what
    belongs together is public no more, by the size of the log through registration and witnesses.

    What it tells is in the cells above.
    """
    traces: dict[str, list[tuple[str, str, int]]] = {}
    for party in INSTITUTIONS:
        for one in read_spans(seen.story.pilot.data / party / "traces.jsonl"):
            found = {at["key"]: at["value"] for at in one.get("attributes", ())}
            size = int(found.get("specie.log_size", {}).get("intValue", 0))
            traces.setdefault(one["traceId"], []).append((party, one["name"], size))
    through = [
        spans
        for spans in traces.values()
        if {"bank-2", "bank-3", "notary"} <= {party for party, _, _ in spans}
    ]
    published = {
        size
        for spans in through
        for party, name, size in spans
        if (party, name) == ("notary", "published")
    }
    assert published
    later = [
        {party for party, _, _ in spans}
        for spans in traces.values()
        for party, name, size in spans
        if (party, name) == ("registration", "registered") and size >= min(published)
    ]
    assert any("notary" in parties for parties in later)
    assert any({"bank-2", "bank-3", "auditor"} <= parties for parties in later)


def test_a_device_asks_the_central_bank_for_lists_only_if_its_bank_has_none(seen: Seen) -> None:
    """T2: who has lost its bank has to hear who the successor is."""
    story, said = seen.story, seen.story.middleman.recorded
    first = len(said)
    story.pilot.start("central-bank")
    with opened(story, "qz") as online, pytest.raises(SpecieError) as refused:
        online.bank.get_standing()
    assert refused.value.code is ErrorCode.UNREACHABLE
    asked = {(one.service, one.path) for one in said[first:] if one.is_here}
    assert ("central-bank", "/lists") in asked
