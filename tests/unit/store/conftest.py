"""The store suite runs once for each engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.country import country
from tests.postgres import postgres
from tests.unit.store.engines import ENGINES, Engine
from tests.unit.store.samples import Samples

__all__ = ["country", "engine", "postgres", "samples"]


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine without data."""
    made = ENGINES[request.param](tmp_path, lambda: request.getfixturevalue("postgres"))
    yield made
    made.close()


@pytest.fixture
def samples() -> Samples:
    """Random records, the same in every run."""
    return Samples()
