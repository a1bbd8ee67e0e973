"""Identifiers that nobody can guess come from outside; secrets come from the kernel alone."""

from typing import Protocol


class Identifiers(Protocol):
    """A source of fresh identifiers."""

    def draw(self) -> bytes:
        """16 bytes that have not been drawn before."""
        ...
