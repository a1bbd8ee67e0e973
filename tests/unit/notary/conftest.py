"""The notary's tests start from one country and copy its ledger."""

from pathlib import Path

import pytest

from tests.country import Country, country
from tests.unit.notary.house import House, build_house

__all__ = ["country", "house"]


@pytest.fixture
def house(country: Country, tmp_path: Path) -> House:
    """A notary of one's own; open it once the test's people have their money."""
    return build_house(country, tmp_path)
