"""How banks share the filler of a batch (T10)."""

import pytest

from specie.flows.filling import compute_share, compute_small


@pytest.mark.parametrize(
    ("count", "banks", "share"),
    [(0, 3, 0), (1, 3, 1), (3, 3, 1), (4, 3, 2), (32, 2, 16), (5, 0, 5)],
)
def test_shares_together_are_what_is_missing(count: int, banks: int, share: int) -> None:
    assert compute_share(count, banks) == share
    assert count <= share * max(1, banks) < count + max(1, banks)


def test_a_vault_is_ready_for_its_share_of_a_whole_batch() -> None:
    """Small tokens that a filler has just made rest, so there are more than fillers."""
    assert compute_small(32, 2) == 4 * compute_share(32, 2) == 64
    assert compute_small(1, 8) == 4
