"""One country with its directory for the tests of a module; each brings its own people."""

import pytest

from specie.values.phones import PhoneNumber
from tests.country import build_country
from tests.unit.directory.world import World, build_world, draw_phone


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Every part real."""
    folder = tmp_path_factory.mktemp("directory")
    country = build_country(folder / "country", is_funded=False)
    return build_world(country, folder)


@pytest.fixture
def first() -> PhoneNumber:
    """Nobody has it yet."""
    return draw_phone()


@pytest.fixture
def second() -> PhoneNumber:
    """Another one."""
    return draw_phone()
