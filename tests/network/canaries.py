"""Values that stand out, and a search for them in whatever way they could have been written."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cbor2


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
        found["decimal"] = str(minor).encode()
        for order in ("big", "little"):
            wide = minor.to_bytes(8, order)
            found |= {f"{order} endian {key}": one for key, one in spell_bytes(wide).items()}
        found |= {f"CBOR {key}": one for key, one in spell_bytes(cbor2.dumps(minor)).items()}
        self._add(name, found)

    def add_bytes(self, name: str, data: bytes) -> None:
        self._add(name, spell_bytes(data))

    def search(self, where: str, data: bytes) -> Iterator[Found]:
        for name, spellings in self.spellings.items():
            for spelling, pattern in spellings.items():
                if pattern in data:
                    yield Found(name, where, spelling)

    def search_folder(self, folder: Path) -> Iterator[Found]:
        """Every file, with write-ahead logs, drafts and traces."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield from self.search(str(path.relative_to(folder)), path.read_bytes())

    def _add(self, name: str, spellings: Mapping[str, bytes]) -> None:
        self.spellings.setdefault(name, {}).update(spellings)


def spell_bytes(data: bytes) -> dict[str, bytes]:
    """Raw, hex of both cases, and base64 at each of its three alignments."""
    found = {"raw": data, "hex": data.hex().encode(), "HEX": data.hex().upper().encode()}
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + data)
        start, end = (0, 2, 3)[shift], len(encoded) - (0, 4, 4)[(shift + len(data)) % 3]
        found[f"base64+{shift}"] = encoded[start:end]
    return found
