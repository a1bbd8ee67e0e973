"""The search itself: it finds every spelling that it says it knows, everywhere, nothing by chance.

What test_privacy.py says of "no" rests on this: a leak is planted in each kind of place, in each
spelling, and has to be found there (X5).
"""

import base64
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import cbor2
import pytest

from tests.network.canaries import Cage, spell_number
from tests.network.evidence import Evidence, Kind
from tests.network.middleman import Recorded

AMOUNT = 7_654_321
LARGE = 1_176_543_212_347
NAME = "Zaphira Quillon"
KEY = bytes(range(0xE0, 0x100))  # no line ends within


@pytest.fixture
def cage() -> Cage:
    cage = Cage()
    cage.add_amount("amount", AMOUNT, ["76,543.21"])
    cage.add_amount("large", LARGE, ["11,765,432,123.47"])
    cage.add_text("name", NAME)
    cage.add_bytes("key", KEY)
    return cage


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("amount", b"paid 76,543.21 DCU"),
        ("amount", b'{"amount":7654321}'),
        ("amount", b"x" + AMOUNT.to_bytes(8, "big")),
        ("amount", b"x" + AMOUNT.to_bytes(8, "little") + b"y"),
        ("amount", cbor2.dumps({"amount": AMOUNT})),
        ("amount", AMOUNT.to_bytes(8, "big").hex().encode()),
        ("amount", base64.b64encode(b"a" + AMOUNT.to_bytes(8, "little"))),
        ("large", b"row" + LARGE.to_bytes(6, "big")),
        ("large", base64.b64encode(cbor2.dumps({"amount": LARGE}))),
        ("name", json.dumps({"x": NAME}).encode()),
        ("name", base64.b64encode(b"ab" + NAME.encode() + b"c")),
        ("key", base64.b64encode(b"abcd" + KEY + b"e")),
        ("key", base64.urlsafe_b64encode(b"abcd" + KEY + b"e")),
        ("key", KEY.hex().upper().encode()),
        ("key", json.dumps({"key": str(KEY)}).encode()),
        ("key", f"refused: {KEY!r}".encode()),
    ],
)
def test_every_spelling_is_found(cage: Cage, field: str, written: bytes) -> None:
    assert field in {one.field for one in cage.search("here", written)}


def test_a_time_is_found_and_is_no_part_of_a_finer_one() -> None:
    cage = Cage()
    cage.add_time("time", 1_764_456_789_123)
    for text in (b'{"time": 1764456789123}', b"time=1764456789123\0", b"at 1764456789123, then"):
        assert list(cage.search("here", text)), text
    assert list(cage.search("here", cbor2.dumps([1_764_456_789_123])))
    assert not list(cage.search("here", b'{"start_ns": 1764456789123456789}'))


def test_nothing_is_found_by_chance(cage: Cage) -> None:
    noise = os.urandom(3_000_000)
    assert not list(cage.search("noise", noise))
    assert not list(cage.search("noise", base64.b64encode(noise)))


@pytest.mark.parametrize("amount", [70_000, AMOUNT, 3_322_110_099, LARGE])
def test_no_spelling_is_short_enough_to_be_there_by_chance(amount: int) -> None:
    """Four characters of base64 stood by chance in one run's hundred megabytes of messages."""
    for spelling, pattern in spell_number(amount).items():
        bits = len(pattern) * (6 if "base64" in spelling else 4 if "hex" in spelling.lower() else 8)
        assert bits >= 36 or spelling == "decimal", spelling


def test_fewer_bytes_than_five_are_no_canary(cage: Cage) -> None:
    with pytest.raises(ValueError, match="4 bytes are found by chance"):
        cage.add_bytes("short", b"abcd")


# --- a leak in each place, in each spelling -------------------------------------------------------

Plant = Callable[[Evidence, Path, bytes], Kind]


def in_a_file(evidence: Evidence, folder: Path, leak: bytes) -> Kind:
    (folder / "deep").mkdir()
    (folder / "deep" / "draft").write_bytes(os.urandom(5_000) + leak + b"\0")
    evidence.add_folder("bank", folder)
    return Kind.FILE


def in_a_row(evidence: Evidence, folder: Path, leak: bytes) -> Kind:
    """So large that its bytes lie on many pages, with other pages' bytes in between."""
    with closing(connect(folder)) as database, database:
        database.execute("CREATE TABLE planted (id INTEGER, data BLOB)")
        database.execute("INSERT INTO planted VALUES (1, ?)", (leak * (20_000 // len(leak)),))
    evidence.add_folder("bank", folder)
    return Kind.ROW


def in_a_text(evidence: Evidence, folder: Path, leak: bytes) -> Kind:
    with closing(connect(folder)) as database, database:
        database.execute("CREATE TABLE planted (data TEXT)")
        database.execute("INSERT INTO planted VALUES (CAST(? AS TEXT))", (b"to " + leak,))
    evidence.add_folder("bank", folder)
    return Kind.ROW


def in_a_row_that_is_gone(evidence: Evidence, folder: Path, leak: bytes) -> Kind:
    """Deleted; its page is still there."""
    with closing(connect(folder)) as database, database:
        database.execute("PRAGMA secure_delete = OFF")
        database.execute("CREATE TABLE planted (data BLOB)")
        database.execute("INSERT INTO planted VALUES (?)", (b"to " + leak,))
        database.execute("DELETE FROM planted")
    evidence.add_folder("bank", folder)
    return Kind.FILE


def in_a_write_ahead_log(evidence: Evidence, folder: Path, leak: bytes) -> Kind:
    """Of a database that is open; nothing has brought it into the file yet."""
    with closing(connect(folder)) as database:
        database.isolation_level = None
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA wal_autocheckpoint = 0")
        database.execute("CREATE TABLE planted (data BLOB)")
        database.execute("INSERT INTO planted VALUES (?)", (b"to " + leak,))
        database.execute("UPDATE planted SET data = x'00'")
        evidence.add_folder("bank", folder)
    [found] = [one for one in evidence.records if one.where == "bank.db" and one.kind is Kind.FILE]
    assert leak not in found.data
    return Kind.FILE


def in_a_log(evidence: Evidence, folder: Path, leak: bytes) -> Kind:
    (folder / "bank.jsonl").write_bytes(b'{"event": "ready"}\n{"event": "' + leak + b'"}\n')
    evidence.add_file("bank", folder / "bank.jsonl", "log")
    return Kind.LINE


def in_traces(evidence: Evidence, folder: Path, leak: bytes) -> Kind:
    line = b'{"trace": "1", "attributes": {"paid": "' + leak + b'"}}\n'
    (folder / "traces.jsonl").write_bytes(line)
    evidence.add_folder("bank", folder)
    return Kind.LINE


def in_a_request(evidence: Evidence, _: Path, leak: bytes) -> Kind:
    evidence.add_message("bank", "bank-4", record(body=b"\xa1" + leak))
    return Kind.MESSAGE


def in_a_request_head(evidence: Evidence, _: Path, leak: bytes) -> Kind:
    evidence.add_message("bank", "bank-4", record(headers={"x-note": leak.decode("latin-1")}))
    return Kind.MESSAGE


def in_an_answer(evidence: Evidence, _: Path, leak: bytes) -> Kind:
    evidence.add_message("bank", "bank-4", record(answer=b"\xa1" + leak))
    return Kind.MESSAGE


def in_an_answer_head(evidence: Evidence, _: Path, leak: bytes) -> Kind:
    told = {"x-note": leak.decode("latin-1")}
    evidence.add_message("bank", "bank-4", record(answer_headers=told))
    return Kind.MESSAGE


def connect(folder: Path) -> sqlite3.Connection:
    database = sqlite3.connect(folder / "bank.db")
    database.execute("PRAGMA synchronous = OFF")
    return database


def record(**given: object) -> Recorded:
    fields = {"headers": {}, "body": b"", "answer": b"", "answer_headers": {}, **given}
    where = {"caller": "bank-4", "service": "bank", "listener": "institutions"}
    said = {"method": "POST", "path": "/v1/payments", "status": 200, "time": 0.0}
    return Recorded(**where, **said, **fields)  # type: ignore[arg-type]  # fields of several types


def list_spellings() -> Iterator[tuple[str, str, bytes]]:
    cage = Cage()
    cage.add_amount("large", LARGE, ["11,765,432,123.47"])
    cage.add_text("name", NAME)
    cage.add_bytes("key", KEY)
    for field, spellings in cage.spellings.items():
        for spelling, pattern in spellings.items():
            yield field, spelling, pattern


@pytest.mark.parametrize(
    "plant",
    [
        *(in_a_file, in_a_row, in_a_text, in_a_row_that_is_gone, in_a_write_ahead_log),
        *(in_a_log, in_traces, in_a_request, in_an_answer),
    ],
)
def test_a_planted_leak_is_found(cage: Cage, tmp_path: Path, plant: Plant) -> None:
    for number, (field, spelling, leak) in enumerate(list_spellings()):
        folder = tmp_path / str(number)
        folder.mkdir()
        evidence = Evidence()
        kind = plant(evidence, folder, leak)
        hits = evidence.search(cage).get(("bank", field), [])
        where = [hit for hit in hits if hit.record.kind is kind and hit.found.spelling == spelling]
        assert where, (field, spelling)


@pytest.mark.parametrize("plant", [in_a_request_head, in_an_answer_head])
def test_a_planted_leak_is_found_in_a_head(cage: Cage, tmp_path: Path, plant: Plant) -> None:
    """Heads are text: what is no text can stand there in another spelling alone."""
    for field, spelling, leak in list_spellings():
        if leak.isascii() and leak.decode().isprintable():
            evidence = Evidence()
            plant(evidence, tmp_path, leak)
            found = {hit.found.spelling for hit in evidence.search(cage)["bank", field]}
            assert spelling in found


def test_what_stands_in_one_row_belongs_together(tmp_path: Path) -> None:
    """Columns that name a bank, and names of banks, are seen beside what they stand with."""
    with closing(sqlite3.connect(tmp_path / "notary.db")) as database, database:
        database.execute("CREATE TABLE output (ref BLOB, bank INTEGER)")
        database.execute("INSERT INTO output VALUES (?, 3)", (KEY,))
        database.execute("CREATE TABLE other (ref BLOB, note TEXT)")
        database.execute("INSERT INTO other VALUES (?, 'of bank-2')", (KEY,))
    evidence, cage = Evidence(), Cage()
    cage.add_bytes("key", KEY)
    evidence.add_folder("notary", tmp_path)
    hits = evidence.search(cage)["notary", "key"]
    named = [hit.record.banks for hit in hits if hit.record.kind is Kind.ROW]
    assert sorted(named, key=sorted) == [{"2"}, {"3"}]


def test_a_message_names_the_bank_at_its_other_end_and_those_in_it() -> None:
    evidence = Evidence()
    body = cbor2.dumps({"payments": [{"receiver": 2, "amount": 3}]})
    evidence.add_message("notary", "bank-3", record(body=body))
    evidence.add_message("notary", "auditor", record(answer=b"of the South"))
    assert [one.banks for one in evidence.records] == [{"2", "3"}, {"3"}]
