"""A `Tally` in bounded memory: records are spread over files by reference and judged at the end.

    record = type u8 ‖ batch u64 ‖ leaf u32 ‖ item32 ‖ commitment32 (created only)

All records of one reference are in one file, in the order of the log, so each file is judged by
itself with the rules of `MemoryTally`; memory is that of the largest file, 1/256 of the log.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from specie.ledger.tally import MemoryTally, Place
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Commitment, OutputRef, TransactionId

_FILES: Final = 256
_BUFFER: Final = 32_768
_CREATED, _SPENT, _UNIQUE, _VOID, _ACCUSED = 1, 2, 3, 4, 5
_HEAD: Final = struct.Struct("<BQI")
_ITEM_SIZE: Final = 32
_SIZES: Final = {_CREATED: 64, _SPENT: 32, _UNIQUE: 32, _VOID: 32, _ACCUSED: 32}  # behind the head


class TallyFolder:
    """`Tally` on files in an empty folder, which the caller removes."""

    def __init__(self, folder: Path) -> None:
        self._paths = [folder / f"{number:02x}" for number in range(_FILES)]
        self._files: list[BinaryIO] = [path.open("wb", buffering=_BUFFER) for path in self._paths]

    def create(self, ref: OutputRef, commitment: Commitment, place: Place) -> None:
        """Judged at the end."""
        self._write(_CREATED, place, ref + commitment)

    def spend(self, ref: OutputRef, place: Place) -> None:
        """Judged at the end."""
        self._write(_SPENT, place, ref)

    def add_unique(self, item: bytes, place: Place) -> None:
        """Judged at the end."""
        self._write(_UNIQUE, place, item)

    def add_void(self, txid: TransactionId, place: Place) -> None:
        """Judged at the end."""
        self._write(_VOID, place, txid)

    def add_accused(self, txid: TransactionId, place: Place) -> None:
        """Judged at the end."""
        self._write(_ACCUSED, place, txid)

    def iterate_spent(self) -> Iterator[list[Commitment]]:
        """File by file."""
        for file in self._files:
            file.close()
        for path in self._paths:
            tally = MemoryTally()
            _replay(path.read_bytes(), tally)
            yield from tally.iterate_spent()

    def close(self) -> None:
        """Close what is still open."""
        for file in self._files:
            file.close()

    def _write(self, kind: int, place: Place, record: bytes) -> None:
        try:
            self._files[record[0]].write(_HEAD.pack(kind, *place) + record)
        except OSError as error:
            raise SpecieError(ErrorCode.STORE_UNUSABLE, f"tally: {error.strerror}") from None


def _replay(data: bytes, tally: MemoryTally) -> None:
    position = 0
    while position < len(data):
        kind, batch, leaf = _HEAD.unpack_from(data, position)
        start = position + _HEAD.size
        position = start + _SIZES[kind]
        record, place = data[start:position], Place(batch, leaf)
        if kind == _CREATED:
            tally.create(OutputRef(record[:_ITEM_SIZE]), Commitment(record[_ITEM_SIZE:]), place)
        elif kind == _SPENT:
            tally.spend(OutputRef(record), place)
        elif kind == _VOID:
            tally.add_void(TransactionId(record), place)
        elif kind == _ACCUSED:
            tally.add_accused(TransactionId(record), place)
        else:
            tally.add_unique(record, place)
