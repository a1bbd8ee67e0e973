"""The Merkle tree of RFC 6962 over the leaves, grown at its right edge.

    leaf hash = SHA-256(0x00 ‖ leaf)      node = SHA-256(0x01 ‖ left ‖ right)

A `Frontier` keeps one hash per complete subtree (at most 64), which is all that appending needs.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from specie.values.identifiers import Digest

EMPTY_ROOT: Final = Digest(hashlib.sha256(b"").digest())


def compute_leaf_hash(leaf: bytes) -> Digest:
    """SHA-256(0x00 ‖ leaf)."""
    return Digest(hashlib.sha256(b"\x00" + leaf).digest())


def compute_node_hash(left: Digest, right: Digest) -> Digest:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return Digest(hashlib.sha256(b"\x01" + left + right).digest())


@dataclass(frozen=True, slots=True)
class Frontier:
    """The complete subtrees of a tree of `size` leaves, the largest first."""

    size: int = 0
    roots: tuple[Digest, ...] = ()

    def append(self, hashes: Iterable[Digest]) -> "Frontier":
        """The frontier after these leaf hashes."""
        size, roots = self.size, list(self.roots)
        for one in hashes:
            merged, place = one, size
            while place & 1:
                merged = compute_node_hash(roots.pop(), merged)
                place >>= 1
            roots.append(merged)
            size += 1
        return Frontier(size, tuple(roots))

    def compute_root(self) -> Digest:
        """The tree's root hash."""
        if not self.roots:
            return EMPTY_ROOT
        root = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            root = compute_node_hash(left, root)
        return root
