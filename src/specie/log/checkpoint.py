"""Checkpoints: the log's size and root, in the C2SP form tlog-checkpoint; `notes.py` signs them.

text = origin ‖ "\\n" ‖ size ‖ "\\n" ‖ base64(root) ‖ "\\n"
"""

import base64
from dataclasses import dataclass

from specie.values.identifiers import Digest


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A commitment to the first `size` leaves."""

    origin: str
    size: int
    root: Digest

    def format(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"
