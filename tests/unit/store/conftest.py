"""The store suite runs once for each engine."""

from pathlib import Path

import pytest

from tests.country import country
from tests.unit.store.engines import ENGINES, Engine
from tests.unit.store.samples import Samples

__all__ = ["country", "engine", "samples"]


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """An engine without data."""
    return ENGINES[request.param](tmp_path)


@pytest.fixture
def samples() -> Samples:
    """Random records, the same in every run."""
    return Samples()
