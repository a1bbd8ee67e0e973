"""A ceremony that cannot be held begins with nothing: no key is drawn, no file is written (T2)."""

from pathlib import Path
from typing import Any

import pytest

from specie.assembly.ceremony import Plan, create_network
from specie.assembly.system import SystemClock
from specie.cli.officer_commands import invite
from specie.cli.processes import bring_up
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

NAMES = "a name has 1 to 48 bytes and no controls"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"officers": 1}, "setting_invalid: 2 to 32 officers"),
        ({"officers": 300}, "setting_invalid: 2 to 32 officers"),
        ({"banks": ()}, "setting_invalid: 1 to 998 banks"),
        ({"banks": tuple(map(str, range(999)))}, "setting_invalid: 1 to 998 banks"),
        ({"banks": ("North", "")}, f"text_invalid: {NAMES}"),
        ({"banks": (" ",)}, f"text_invalid: {NAMES}"),
        ({"banks": ("N" * 49,)}, f"text_invalid: {NAMES}"),
        ({"name": "two\nlines"}, f"text_invalid: {NAMES}"),
        ({"banks": ("North", "North")}, "setting_invalid: North: the name of another institution"),
        ({"banks": ("Central Bank",)}, "setting_invalid: Central Bank: the name of another"),
        ({"host": "a b"}, "setting_invalid: a b: a name or an address"),
        ({"hosts": {"bank-2": "http://x"}}, "setting_invalid: http://x: a name or an address"),
        ({"hosts": {"bank-9": "x"}}, "setting_invalid: no service bank-9: central-bank, "),
        ({"batch_age_ms_max": 3_600_001}, "setting_invalid: T_max is 1 ms to 1 hour"),
        ({"address_prefix": ""}, "setting_invalid: address prefix: "),
        ({"supply_cap_day": Minor(2**64)}, "amount_out_of_range: "),
    ],
)
def test_nothing_is_written(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    plan = Plan(tmp_path / "n", **changes)
    with pytest.raises(SpecieError) as caught:
        create_network(plan, SystemClock())
    assert str(caught.value).startswith(message)
    with pytest.raises(SpecieError):
        bring_up(plan.data, plan, print)
    assert list(tmp_path.iterdir()) == []


def test_only_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(SpecieError) as caught:
        create_network(Plan(tmp_path), SystemClock())
    assert str(caught.value) == f"setting_invalid: {tmp_path}: not empty"
    assert [one.name for one in tmp_path.iterdir()] == ["mine"]


def test_nobody_without_a_name_is_invited(tmp_path: Path) -> None:
    """Before a key is asked for: there is none."""
    with pytest.raises(SpecieError) as caught:
        invite("", tmp_path, 1)
    assert caught.value.code is ErrorCode.TEXT_INVALID
