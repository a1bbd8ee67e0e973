"""The supply over time, from the log alone: what its kernel leaves say after each change (P5)."""

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


@dataclass(slots=True)
class SupplyHistory:
    """Read once, and followed from where it was read."""

    points: list[SupplyPoint] = field(default_factory=list)
    _size: int = 0
    _time: Timestamp = Timestamp(0)

    def follow(self, log: LogReader, checkpoint: Checkpoint) -> None:
        """Leaves that a verified checkpoint covers; several changes of one batch give its last."""
        for leaf in log.iterate_leaves(checkpoint.size, self._size):
            if leaf[0] == HEADER:
                header = unpack_leaf(leaf, 0)
                assert isinstance(header, HeaderLeaf), "by its first byte"
                self._time = header.time
            elif leaf[0] == KERNELS:
                self._add(unpack_leaf(leaf, 0))
        self._size = checkpoint.size

    def _add(self, leaf: object) -> None:
        if not isinstance(leaf, KernelLeaf) or leaf.supply is None:
            return
        point = SupplyPoint(self._time, leaf.supply.serial, leaf.supply.total_after)
        later = [one for one in self.points if one.serial > point.serial]
        before = [one for one in self.points if one.serial < point.serial]
        self.points = [*before, point, *later]
