"""All that a party has or is told, cut into records: what stands in one record belongs together.

row      of a database, every column with its name
line     of a log or of traces
file     as it lies there: pages of a database that no row uses any more, write-ahead logs
message  to or from the party, decrypted: head, body and answer
opened   what the party's own keys open of its files
"""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import cbor2

from tests.network.canaries import Cage, Found
from tests.network.middleman import Recorded

_LINES = {".jsonl"}
_EMPTY = re.compile(rb"\0{65,}")  # parts of pages that nothing was ever written to
_NAMING = {"bank", "participant", "sender", "receiver"}


class Kind(StrEnum):
    """What kind of record."""

    ROW = "row"
    LINE = "line"
    FILE = "file"
    MESSAGE = "message"
    OPENED = "opened"


AT_REST = {Kind.ROW, Kind.LINE, Kind.FILE}


@dataclass(frozen=True)
class Record:
    """One of them."""

    party: str
    kind: Kind
    where: str
    data: bytes
    banks: frozenset[str] = frozenset()  # that it names, or that stand at the other end of it


@dataclass(frozen=True)
class Hit:
    """A canary in a record."""

    record: Record
    found: Found


@dataclass
class Evidence:
    """Of all parties."""

    records: list[Record] = field(default_factory=list)

    def add_folder(self, party: str, folder: Path) -> None:
        """With all that lies below it."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.add_file(party, path, str(path.relative_to(folder)))

    def add_file(self, party: str, path: Path, where: str) -> None:
        """The bytes, and what they say to who reads a file of this kind."""
        data = _EMPTY.sub(bytes(64), path.read_bytes())
        self.records.append(Record(party, Kind.FILE, where, data))
        if path.suffix in _LINES:
            for line in data.splitlines():
                self.records.append(Record(party, Kind.LINE, where, line, name_banks(line)))
        if path.suffix == ".db":
            self.records += read_rows(party, path, where)

    def add_message(self, party: str, other: str, said: Recorded, origin: str = "") -> None:
        """As one of its two ends has it; `origin`: the address from which it comes."""
        fields = [*said.headers.items(), *said.answer_headers.items()]
        head = [f"{origin} {said.method} {said.path}", *(f"{key}: {one}" for key, one in fields)]
        data = b"\n".join((*(one.encode("latin-1") for one in head), said.body, said.answer))
        where = f"{said.caller or 'somebody'} to {said.service}: {said.method} {said.path}"
        named = name_banks(other.encode()) | name_banks(data)
        for part in (said.body, said.answer):
            named |= _name_decoded(part)
        self.records.append(Record(party, Kind.MESSAGE, where, data, named))

    def search(self, cage: Cage) -> dict[tuple[str, str], list[Hit]]:
        """By party and field. Each party's records are looked at together first: most have none."""
        groups: dict[str, list[Record]] = defaultdict(list)
        for record in self.records:
            groups[record.party].append(record)
        hits: dict[tuple[str, str], list[Hit]] = defaultdict(list)
        for party, records in groups.items():
            whole = b"\0\0".join({record.data: None for record in records})
            there = {(one.field, one.spelling) for one in cage.search(party, whole)}
            patterns = [(*one, cage.spellings[one[0]][one[1]]) for one in sorted(there)]
            for record, name, spelling in _find(records, patterns):
                hits[party, name].append(Hit(record, Found(name, record.where, spelling)))
        return dict(hits)


def read_rows(party: str, path: Path, where: str) -> Iterator[Record]:
    """Every row of every table, as any process reads it, so with what is in the write-ahead log."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        names = "SELECT name FROM sqlite_master WHERE type = 'table'"
        tables = [name.decode() for (name,) in connection.execute(names)]
        for table in tables:
            rows = connection.execute(f'SELECT * FROM "{table}"')
            columns = [one[0] for one in rows.description]
            for row in rows:
                cells = dict(zip(columns, row, strict=True))
                data = b"".join(
                    name.encode() + b"=" + _spell(cell) + b"\0" for name, cell in cells.items()
                )
                named = _name_listed(cells) | name_banks(data)
                yield Record(party, Kind.ROW, f"{where} {table}", data, named)


def name_banks(data: bytes) -> frozenset[str]:
    """Banks that are called by their names in it."""
    titles = {b"bank-2": "2", b"bank-3": "3", b"of the North": "2", b"of the South": "3"}
    return frozenset(number for title, number in titles.items() if title in data)


def _find(
    records: Iterable[Record], patterns: Iterable[tuple[str, str, bytes]]
) -> Iterator[tuple[Record, str, str]]:
    for record in records:
        for name, spelling, pattern in patterns:
            if pattern in record.data:
                yield record, name, spelling


def _spell(cell: Any) -> bytes:
    return cell if isinstance(cell, bytes) else str(cell).encode()


def _name_listed(fields: Mapping[Any, Any]) -> frozenset[str]:
    """By a field that says which participant."""
    values = [value for name, value in fields.items() if name in _NAMING]
    return frozenset(str(value) for value in values if value in (2, 3))


def _name_decoded(data: bytes) -> frozenset[str]:
    try:
        value = cbor2.loads(data)
    except (cbor2.CBORDecodeError, ValueError):
        return frozenset()
    return _walk(value)


def _walk(value: Any) -> frozenset[str]:
    if isinstance(value, dict):
        return _name_listed(value).union(*(_walk(one) for one in value.values()))
    if isinstance(value, list):
        return frozenset().union(*(_walk(one) for one in value))
    return frozenset()
