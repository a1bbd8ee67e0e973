"""Settings that hold for every test: how many random examples, and what a passphrase costs."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from specie.crypto import secrets
from tests.sharing import get_place, make_scheduler

# No deadline: one proof takes milliseconds, and the machine may be busy with other tests.
settings.register_profile("test", deadline=None, suppress_health_check=[HealthCheck.too_slow])

# The same examples on every run would find the same bugs; these two keep looking for new ones.
settings.register_profile("soak", settings.get_profile("test"), max_examples=2_000)
settings.register_profile(
    "fuzz",
    settings.get_profile("test"),
    max_examples=int(os.environ.get("SPECIE_FUZZ_EXAMPLES", "2000")),
    print_blob=True,
)

settings.load_profile("test")

# What a passphrase costs in this process; `limits` stay what they are.
vars(secrets).update(ARGON2_MEMORY_KIB=64, ARGON2_PASSES=1, ARGON2_LANES=1)
SPARING, PATHS = str(Path(__file__).with_name("sparing")), "PYTHONPATH"  # Python's own variable


def pytest_configure(config: pytest.Config) -> None:
    """The same for processes that tests start; xdist's workers are none of them."""
    if hasattr(config, "workerinput") or config.getoption("dist", "no") == "no":
        os.environ[PATHS] = os.pathsep.join(filter(None, [SPARING, os.environ.get(PATHS)]))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: get_place(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return make_scheduler(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: while a network waits for its next round, another computes."""
    return (os.cpu_count() or 1) + 1
