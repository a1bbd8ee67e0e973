"""Whatever is done to a sound folder, it reads as a sound profile or is refused with file and line;
and whatever reads as a profile gives a feasible workload (T26)."""

import re
import tempfile
from pathlib import Path
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from specie.store.profile_folder import read_profile
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.workload.builtin import build_builtin_profile
from specie.workload.orders import (
    WorkloadPlan,
    build_distribution,
    compute_starting_balances,
    generate_orders,
)
from specie.workload.profile import PROFILE_FILES, Profile, parse_profile
from tests.unit.workload.samples import assert_sound, build_folder, replay

PLACE: Final = re.compile(r"(?P<file>[A-Za-z]+\.csv):(?P<line>[1-9][0-9]*): .+")

NUMBERS: Final = ["0", "-0", "-1", "1", "1.5", "24", "+1", "1e12", "999999999999"]
EXTREMES: Final = ["1e99", "1e-99", "0.000000000000000001e-99", "1e999", "nan", "inf", "-inf"]
NO_NUMBERS: Final = ["", ",", '"', "\r", "\x00", "0x10", "1_0"]
NAMES: Final = ["CASH_IN", "PAYMENT", "DEPOSIT", "PICKUP", "action", "freq"]

CELLS = st.one_of(
    st.sampled_from([*NUMBERS, *EXTREMES, *NO_NUMBERS, *NAMES]),
    st.integers().map(str),
    st.floats(width=32).map(str),
    st.text(max_size=8),
)


@st.composite
def mutated_texts(draw: st.DrawFn) -> dict[str, str]:
    """A sound folder with one to three faults (some of which are none)."""
    files = build_folder()
    for _ in range(draw(st.integers(1, 3))):
        file = draw(st.sampled_from(PROFILE_FILES))
        if file in files:
            _mutate(draw, files, file)
    return files


def _mutate(draw: st.DrawFn, files: dict[str, str], file: str) -> None:
    lines = files[file].split("\n")
    at = draw(st.integers(0, len(lines) - 1))
    match draw(st.sampled_from(("cell", "cell", "cell", "drop", "twice", "swap", "cut", "text"))):
        case "cell":
            cells = lines[at].split(",")
            cells[draw(st.integers(0, len(cells) - 1))] = draw(CELLS)
            lines[at] = ",".join(cells)
        case "drop":
            del lines[at]
        case "twice":
            lines.insert(at, lines[at])
        case "swap":
            lines[at], lines[-1] = lines[-1], lines[at]
        case "cut":
            lines = [files[file][: draw(st.integers(0, len(files[file])))]]
        case _:
            lines = [draw(st.text(max_size=60))]
    files[file] = "\n".join(lines)
    if draw(st.integers(0, 19)) == 0:
        del files[file]


def assert_refused_with_place(error: SpecieError) -> None:
    assert error.code in {ErrorCode.PROFILE_MALFORMED, ErrorCode.PROFILE_MISSING}
    place = PLACE.fullmatch(error.message)
    assert place is not None, error.message
    assert place["file"] in PROFILE_FILES
    assert error.message.isascii() and error.message.isprintable()


def assert_usable(profile: Profile, seed: int) -> None:
    assert_sound(profile)
    plan = WorkloadPlan(profile, 5, 20, seed)
    starting = compute_starting_balances(plan)
    replay(plan, starting, [*build_distribution(starting), *generate_orders(plan)])


@given(files=mutated_texts(), seed=st.integers(0, 3))
@settings(max_examples=400, deadline=None)
def test_mutated_texts_parse_or_are_refused_with_place(files: dict[str, str], seed: int) -> None:
    try:
        profile = parse_profile(files)
    except SpecieError as error:
        assert_refused_with_place(error)
        number = PLACE.fullmatch(error.message)
        assert number is not None
        lines = files.get(number["file"], "").count("\n") + 2  # one past the end: a row is missing
        assert int(number["line"]) <= lines
    else:
        assert_usable(profile, seed)


@given(
    file=st.sampled_from(PROFILE_FILES),
    at=st.floats(0, 1),
    cut=st.integers(0, 40),
    noise=st.binary(max_size=40),
)
@settings(max_examples=100, deadline=None)
def test_mutated_bytes_on_disk_parse_or_are_refused_with_place(
    file: str, at: float, cut: int, noise: bytes
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for other, text in build_folder().items():
            (folder / other).write_text(text, encoding="utf-8")
        content = (folder / file).read_bytes()
        start = int(at * len(content))
        (folder / file).write_bytes(content[:start] + noise + content[start + cut :])
        try:
            profile = read_profile(folder)
        except SpecieError as error:
            assert_refused_with_place(error)
        else:
            assert_usable(profile, 1)


@given(
    clients=st.integers(3, 60),
    payments=st.integers(0, 200),
    seed=st.integers(),
    decimals=st.integers(0, 8),
    amount_max=st.integers(1, 10**11),
)
@settings(max_examples=150, deadline=None)
def test_any_plan_is_feasible(
    clients: int, payments: int, seed: int, decimals: int, amount_max: int
) -> None:
    plan = WorkloadPlan(build_builtin_profile(), clients, payments, seed, decimals, amount_max)
    starting = compute_starting_balances(plan)
    orders = list(generate_orders(plan))
    assert len(orders) == payments
    assert all(order.amount <= amount_max for order in orders)
    replay(plan, starting, [*build_distribution(starting), *orders])
