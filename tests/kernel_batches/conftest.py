"""The stock of statements, proven once a session."""

import pytest

from tests.kernel_batches.statements import Stock, build_stock


@pytest.fixture(scope="session")
def stock() -> Stock:
    """32 payments, 1,024 redemptions, 64 outputs with their proofs."""
    return build_stock(payments=32, redemptions=1_024, proofs=64)
