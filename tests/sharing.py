"""Which tests go to one worker, and in which order: what takes longest begins first.

Tests of a module share what it has made, those of a row of `TOGETHER` one network, or what one
demo has left. Times are of a quiet machine with two cores; who is not named takes less than half a
minute.
"""

from typing import Any, Final

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # ships none

_CLI: Final = "tests/unit/cli/test_"
TOGETHER: Final = (
    ("tests/network/people/",),
    (f"{_CLI}demo.py", f"{_CLI}devices.py", f"{_CLI}receipts_and_wallets.py"),
)
LONGEST: Final = (
    *("tests/network/test_rotation.py", "tests/network/people/", "tests/network/test_bad_weather"),
    *("tests/network/test_tour.py", "tests/network/test_ceremony.py", "tests/network/test_schemas"),
    *("tests/network/", "tests/stateful/", "tests/unit/cli/", "tests/kernel_batches/"),
    *("tests/fuzz/", "tests/simulation/", "tests/property/", "tests/killing/", "tests/disk/"),
)


class Sharing(LoadScopeScheduling):  # type: ignore[misc]  # for the same reason
    """`--dist loadfile`, but that several modules may be as one."""

    def _split_scope(self, nodeid: str) -> str:
        return next(
            (row[0] for row in TOGETHER if nodeid.startswith(row)),
            nodeid.split("::", maxsplit=1)[0],
        )


def get_place(nodeid: str) -> int:
    """In the order of the table; then all others as they were found."""
    places = (at for at, prefix in enumerate(LONGEST) if nodeid.startswith(prefix))
    return next(places, len(LONGEST))


def make_scheduler(config: Any, log: Any) -> LoadScopeScheduling | None:
    """For `--dist loadfile`; the order is that of collection, not of how many tests there are."""
    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return Sharing(config, log)
