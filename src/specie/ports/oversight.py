"""What a witness must not forget."""

from typing import Protocol

from specie.log.checkpoint import Checkpoint


class WitnessStore(Protocol):
    """The last checkpoint that was cosigned."""

    def load(self, origin: str) -> Checkpoint | None:
        """None before the first."""
        ...

    def replace(self, old: Checkpoint | None, new: Checkpoint) -> None:
        """Durable before the cosignature leaves; `log_invalid` if `old` is no longer the last."""
        ...
