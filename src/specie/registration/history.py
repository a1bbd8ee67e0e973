"""Batches and supply over time, from the log alone: its headers and kernel leaves (P5).

Kept in memory, read once and followed from where it was read: per batch 24 bytes.
"""

import threading
from array import array
from bisect import bisect_right
from dataclasses import dataclass, field

from specie.log.checkpoint import Checkpoint
from specie.log.leaves import HEADER, KERNELS, HeaderLeaf, KernelLeaf, unpack_leaf
from specie.ports.log import LogReader
from specie.values.times import Timestamp


@dataclass(frozen=True, slots=True)
class SupplyPoint:
    """The total that is outstanding from a batch on."""

    time: Timestamp
    serial: int
    total: int  # minor units


@dataclass(frozen=True, slots=True)
class Batch:
    """Where a batch begins in the log, and when it was closed."""

    number: int
    time: Timestamp
    position: int  # of its header


def _make_column() -> "array[int]":
    return array("Q")


@dataclass(slots=True)
class LogHistory:
    """What a log has been through."""

    points: list[SupplyPoint] = field(default_factory=list)
    _numbers: "array[int]" = field(default_factory=_make_column)
    _times: "array[int]" = field(default_factory=_make_column)
    _positions: "array[int]" = field(default_factory=_make_column)
    _size: int = 0
    _following: threading.Lock = field(default_factory=threading.Lock)

    def __len__(self) -> int:
        return len(self._numbers)

    def follow(self, log: LogReader, checkpoint: Checkpoint) -> None:
        """Leaves that a verified checkpoint covers; several changes of one batch give its last."""
        with self._following:
            start = self._size
            if checkpoint.size <= start:
                return
            for place, leaf in enumerate(log.iterate_leaves(checkpoint.size, start), start):
                if leaf[0] == HEADER:
                    self._open_batch(place, unpack_leaf(leaf, 0))
                elif leaf[0] == KERNELS:
                    self._add(unpack_leaf(leaf, 0))
            self._size = checkpoint.size

    def find_batch(self, position: int) -> Batch:
        """The batch that a leaf stands in; the leaf has been followed."""
        place = bisect_right(self._positions, position) - 1
        assert place >= 0, "a log begins with a header"
        return self._get(place)

    def get_last(self) -> Batch | None:
        """None while nothing is in the log."""
        return self._get(len(self) - 1) if len(self) else None

    def _get(self, place: int) -> Batch:
        time = Timestamp(self._times[place])
        return Batch(self._numbers[place], time, self._positions[place])

    def _open_batch(self, position: int, leaf: object) -> None:
        assert isinstance(leaf, HeaderLeaf), "by its first byte"
        self._numbers.append(leaf.number)
        self._times.append(leaf.time)
        self._positions.append(position)

    def _add(self, leaf: object) -> None:
        if not isinstance(leaf, KernelLeaf) or leaf.supply is None:
            return
        point = SupplyPoint(Timestamp(self._times[-1]), leaf.supply.serial, leaf.supply.total_after)
        later = [one for one in self.points if one.serial > point.serial]
        before = [one for one in self.points if one.serial < point.serial]
        self.points = [*before, point, *later]
