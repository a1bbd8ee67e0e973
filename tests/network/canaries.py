"""Values that stand out, and a search for them in whatever way they could have been written."""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import cbor2

ENDS = "\0\n ,;:)}]\"'&<"  # what stands behind a number that is not the start of a longer one
RUNS = (re.compile(rb"[A-Za-z0-9+/=_-]{6,}"), re.compile(rb"[ -~]{6,}"))
SHORTEST = 5  # bytes
SQLITE_BYTES = 6  # how a database writes whole numbers between 2**31 and 2**47


@dataclass(frozen=True)
class Found:
    """A canary that sang."""

    field: str
    where: str
    spelling: str


@dataclass
class Cage:
    """All canaries, each with its spellings."""

    spellings: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def add_text(self, name: str, text: str) -> None:
        self._add(name, {"text": text.encode(), **spell_bytes(text.encode())})

    def add_amount(self, name: str, minor: int, shown: Sequence[str]) -> None:
        """As people and machines write it; widths that cannot be there by chance."""
        found = {f"shown as {one}": one.encode() for one in shown}
        self._add(name, found | spell_number(minor))

    def add_time(self, name: str, value: int) -> None:
        """In milliseconds; decimal digits alone, since all times begin like finer ones."""
        found = spell_number(value)
        digits = found.pop("decimal")
        ended = {f"decimal {end!r}": digits + end.encode() for end in ENDS}
        self._add(name, found | ended)

    def add_bytes(self, name: str, data: bytes) -> None:
        self._add(name, spell_bytes(data))

    def keep(self, names: Iterable[str]) -> "Cage":
        """These alone."""
        return Cage({name: self.spellings[name] for name in names})

    def search(self, where: str, data: bytes) -> Iterator[Found]:
        """Digits, hex, base64 and text stand in runs of their own characters: only there, or all
        takes twice as long. What is shorter than a run, or is no text, is looked for everywhere.
        """
        runs = [(run, b"\0".join(run.findall(data))) for run in RUNS]
        for name, spellings in self.spellings.items():
            for spelling, pattern in spellings.items():
                places = (found for run, found in runs if run.fullmatch(pattern))
                if pattern in next(places, data):
                    yield Found(name, where, spelling)

    def _add(self, name: str, spellings: Mapping[str, bytes]) -> None:
        """Each pattern once; a field's second value has a second one of each spelling."""
        known = self.spellings.setdefault(name, {})
        fresh = {pattern: spelling for spelling, pattern in reversed([*spellings.items()])}
        for pattern, spelling in fresh.items():
            if pattern in known.values():
                continue
            times = sum(one.rstrip("'") == spelling for one in known)
            known[spelling + "'" * times] = pattern


def spell_number(value: int) -> dict[str, bytes]:
    """Decimal, eight bytes of both orders, CBOR, and as a database writes what is that large."""
    found = {"decimal": str(value).encode()}
    for order in ("big", "little"):
        wide = value.to_bytes(8, order)
        found |= {f"{order} endian {key}": one for key, one in spell_bytes(wide).items()}
    found |= {f"CBOR {key}": one for key, one in spell_bytes(cbor2.dumps(value)).items()}
    if 2**31 <= value < 2**47:
        found["in a database"] = value.to_bytes(SQLITE_BYTES, "big")
    return found


def spell_bytes(data: bytes) -> dict[str, bytes]:
    """Raw, hex of both cases, escaped, and both base64 at each of its three alignments.

    Of base64 each character that is these bytes' alone: with fewer than five bytes, less than 32
    bits of them, random data would spell them by chance.
    """
    if len(data) < SHORTEST:
        raise ValueError(f"{len(data)} bytes are found by chance; {SHORTEST} are not")
    found = {"raw": data, "hex": data.hex().encode(), "HEX": data.hex().upper().encode()}
    escaped = repr(data)[2:-1]
    found |= {"escaped": escaped.encode(), "escaped twice": json.dumps(escaped)[1:-1].encode()}
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + data)
        start, end = -(-shift * 8 // 6), (shift + len(data)) * 8 // 6
        found[f"base64+{shift}"] = encoded[start:end]
        found[f"base64url+{shift}"] = encoded[start:end].translate(bytes.maketrans(b"+/", b"-_"))
    return found
