"""Twin of `specie.log.tree` and `specie.log.proofs`: RFC 6962, section 2.1, as it stands there.

Recursive and slow: every hash is made from the leaves below it, none is kept.
"""

import hashlib
from collections.abc import Sequence

Hashes = Sequence[bytes]


def hash_leaf(leaf: bytes) -> bytes:
    """SHA-256(0x00 ‖ leaf)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def hash_tree(hashes: Hashes) -> bytes:
    """MTH over leaf hashes."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    half = split(len(hashes))
    return hashlib.sha256(b"\x01" + hash_tree(hashes[:half]) + hash_tree(hashes[half:])).digest()


def build_path(index: int, hashes: Hashes) -> list[bytes]:
    """PATH(m, D[n])."""
    if len(hashes) == 1:
        return []
    half = split(len(hashes))
    if index < half:
        return [*build_path(index, hashes[:half]), hash_tree(hashes[half:])]
    return [*build_path(index - half, hashes[half:]), hash_tree(hashes[:half])]


def build_consistency(old: int, hashes: Hashes) -> list[bytes]:
    """PROOF(m, D[n])."""
    return build_subproof(old, hashes, is_whole=True)


def build_subproof(old: int, hashes: Hashes, *, is_whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b)."""
    if old == len(hashes):
        return [] if is_whole else [hash_tree(hashes)]
    half = split(len(hashes))
    if old <= half:
        return [*build_subproof(old, hashes[:half], is_whole=is_whole), hash_tree(hashes[half:])]
    right = build_subproof(old - half, hashes[half:], is_whole=False)
    return [*right, hash_tree(hashes[:half])]


def split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    half = 1
    while half * 2 < size:
        half *= 2
    return half
