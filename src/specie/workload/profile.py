"""The profile of real payments: how often, when, how much, by whom; and reading it from text.

The form is the folder of parameter files of PaySim (Lopez-Rojas, Elmir, Axelsson, EMSS 2016): six
sheets, all of which must be there and sound (T26). Three things in the real folder look wrong and
are right: the sheets on clients name kinds that the hourly statistics do not have (checked, left
out); the header of the clients' profiles says `maxCount,minCount` over the lower and the higher
number (either order is read); shares are rounded, so that they add up to 1 only about (they are
normalised where they are used), and ranges of balances may overlap.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from specie.workload.kinds import ACTIONS_NOT_PLAYED, Action
from specie.workload.limits import COUNT_MAX, MONEY_MAX, OCCURRENCES_MAX, STEP_MAX, SUM_MAX
from specie.workload.sheets import Row, SheetForm, build_malformed, read_sheet, show

HOURS: Final = 24
SHARES_TOLERANCE: Final = 0.01  # by which shares may miss 1: hundreds of rows, rounded
SUM_TOLERANCE: Final = 0.01  # by which a sum may miss count × mean, relatively

KINDS_SHEET: Final = SheetForm("transactionsTypes.csv", ("action",))
HOURS_SHEET: Final = SheetForm(
    "aggregatedTransactions.csv",
    ("action", "month", "day", "hour", "count", "sum", "avg", "std", "step"),
)
CLIENTS_SHEET: Final = SheetForm(
    "clientsProfiles.csv",
    ("action", "maxCount", "minCount", "averageAmount", "stdAmount", "freq"),
)
OCCURRENCES_SHEET: Final = SheetForm("maxOccurrencesPerClient.csv", ("action", "max(numTrans)"))
BALANCES_SHEET: Final = SheetForm(
    "initialBalancesDistribution.csv", ("range_start", "range_end", "percentage")
)
OVERDRAFTS_SHEET: Final = SheetForm(
    "overdraftLimits.csv", ("lowerbound", "higherbound", "overdraftLimit")
)
PROFILE_SHEETS: Final = (
    KINDS_SHEET,
    HOURS_SHEET,
    CLIENTS_SHEET,
    OCCURRENCES_SHEET,
    BALANCES_SHEET,
    OVERDRAFTS_SHEET,
)
PROFILE_FILES: Final = tuple(form.file for form in PROFILE_SHEETS)


@dataclass(frozen=True, slots=True)
class AmountStatistics:
    """How many payments, and the mean and standard deviation of their amounts, in currency units.

    Without payments both are 0; with payments the mean is positive.
    """

    count: int
    mean: float
    std: float


@dataclass(frozen=True, slots=True)
class ActivityBand:
    """A share of the clients who make a kind of payment, and how many of them each one makes."""

    occurrences_min: int
    occurrences_max: int
    share: float


@dataclass(frozen=True, slots=True)
class ActionProfile:
    """One kind of payment: by hour of day (24 of them), and by how busy clients are."""

    action: Action
    hours: tuple[AmountStatistics, ...]
    activity: tuple[ActivityBand, ...]
    occurrences_max: int


@dataclass(frozen=True, slots=True)
class BalanceRange:
    """A share of the clients, and between which balances they begin, in currency units."""

    start: float
    end: float
    share: float


@dataclass(frozen=True, slots=True)
class Profile:
    """Statistics of real payments. At least one kind, each with at least one payment."""

    actions: tuple[ActionProfile, ...]
    balances: tuple[BalanceRange, ...]


NO_PAYMENTS: Final = AmountStatistics(0, 0.0, 0.0)


def parse_profile(files: Mapping[str, str]) -> Profile:
    """File name → text, to a profile. Other files than the six are ignored.

    Raises `PROFILE_MISSING` or `PROFILE_MALFORMED`, with `file:line: ` before the reason.
    """
    played = _parse_kinds(files)
    hours = _parse_hours(files, played)
    activity = _parse_activity(files, played)
    occurrences = _parse_occurrences(files, played)
    actions = tuple(
        ActionProfile(action, hours[action], activity[action], occurrences[action])
        for action in played
    )
    balances = _parse_balances(files)
    _check_overdrafts(files)
    return Profile(actions, balances)


def pool(first: AmountStatistics, second: AmountStatistics) -> AmountStatistics:
    """The statistics of two groups taken together, the difference of their means included."""
    count = first.count + second.count
    if first.count == 0 or second.count == 0:
        return first if second.count == 0 else second
    distance = second.mean - first.mean
    mean = first.mean + distance * (second.count / count)
    between = distance**2 * (first.count / count) * (second.count / count)
    within = first.std**2 * (first.count / count) + second.std**2 * (second.count / count)
    return AmountStatistics(count, mean, math.sqrt(within + between))


def iterate_cells(profile: Profile) -> Iterator[tuple[Action, int, AmountStatistics]]:
    """Every kind and hour with its statistics, kind by kind."""
    for kind in profile.actions:
        for hour, statistics in enumerate(kind.hours):
            yield kind.action, hour, statistics


def _parse_kinds(files: Mapping[str, str]) -> tuple[Action, ...]:
    played: list[Action] = []
    for row in read_sheet(files, KINDS_SHEET):
        action = _get_action(row)
        if action is None:
            raise row.build_error(f"{show(row.get_text('action'))} is not a kind that is played")
        if action in played:
            raise row.build_error(f"{action} is named twice")
        played.append(action)
    return tuple(played)


def _parse_hours(
    files: Mapping[str, str], played: tuple[Action, ...]
) -> dict[Action, tuple[AmountStatistics, ...]]:
    """Days of the observation are pooled into one typical day."""
    pooled = {action: [NO_PAYMENTS] * HOURS for action in played}
    steps: set[tuple[Action, int]] = set()
    line = 0
    for row in read_sheet(files, HOURS_SHEET):
        line = row.line
        action = _get_action(row)
        if action not in pooled:
            raise row.build_error(f"{show(row.get_text('action'))} is not in {KINDS_SHEET.file}")
        hour = _parse_time(row, action, steps)
        pooled[action][hour] = pool(pooled[action][hour], _parse_statistics(row))
    for action, hours in pooled.items():
        if not any(statistics.count for statistics in hours):
            raise build_malformed(HOURS_SHEET.file, line, f"no payment of kind {action}")
    return {action: tuple(hours) for action, hours in pooled.items()}


def _parse_time(row: Row, action: Action, steps: set[tuple[Action, int]]) -> int:
    row.get_integer("month", 1, 12)
    row.get_integer("day", 0, 31)
    step = row.get_integer("step", 0, STEP_MAX)
    if (action, step) in steps:
        raise row.build_error(f"step {step} of {action} is there twice")
    steps.add((action, step))
    return row.get_integer("hour", 0, HOURS - 1)


def _parse_statistics(row: Row) -> AmountStatistics:
    count = row.get_integer("count", 0, COUNT_MAX)
    total = row.get_number("sum", 0, SUM_MAX)
    mean = row.get_number("avg", 0, MONEY_MAX)
    std = row.get_number("std", 0, MONEY_MAX)
    if abs(total - count * mean) > SUM_TOLERANCE * max(total, count * mean):
        raise row.build_error("sum is not count times avg")
    if count == 0:
        return NO_PAYMENTS
    if mean == 0:
        raise row.build_error("payments of nothing: avg is 0")
    return AmountStatistics(count, mean, std)


def _parse_activity(
    files: Mapping[str, str], played: tuple[Action, ...]
) -> dict[Action, tuple[ActivityBand, ...]]:
    """Amounts are checked and left out: how much is paid follows the hourly statistics."""
    bands: dict[str, list[ActivityBand]] = {action: [] for action in played}
    line = 0
    for row in read_sheet(files, CLIENTS_SHEET):
        line = row.line
        _get_action(row)
        bands.setdefault(row.get_text("action"), []).append(_parse_band(row))
    for name, found in bands.items():
        if not found:
            raise build_malformed(CLIENTS_SHEET.file, line, f"no clients of kind {name}")
        _check_shares(CLIENTS_SHEET.file, line, name, [band.share for band in found])
    return {action: tuple(bands[action]) for action in played}


def _parse_band(row: Row) -> ActivityBand:
    bounds = sorted(
        (
            row.get_integer("maxCount", 1, OCCURRENCES_MAX),
            row.get_integer("minCount", 1, OCCURRENCES_MAX),
        )
    )
    row.get_number("averageAmount", 0, MONEY_MAX)
    row.get_number("stdAmount", 0, MONEY_MAX)
    return ActivityBand(bounds[0], bounds[1], row.get_number("freq", 0, 1))


def _parse_occurrences(files: Mapping[str, str], played: tuple[Action, ...]) -> dict[Action, int]:
    found: dict[str, int] = {}
    line = 0
    for row in read_sheet(files, OCCURRENCES_SHEET):
        line = row.line
        action = _get_action(row)
        name = row.get_text("action")
        if name in found:
            raise row.build_error(f"{name} is there twice")
        low = 1 if action in played else 0
        found[name] = row.get_integer("max(numTrans)", low, OCCURRENCES_MAX)
    for action in played:
        if action not in found:
            raise build_malformed(OCCURRENCES_SHEET.file, line, f"{action} is not there")
    return {action: found[action] for action in played}


def _parse_balances(files: Mapping[str, str]) -> tuple[BalanceRange, ...]:
    rows = tuple(read_sheet(files, BALANCES_SHEET))
    ranges = tuple(_parse_range(row) for row in rows)
    _check_shares(BALANCES_SHEET.file, rows[-1].line, "balances", [r.share for r in ranges])
    return ranges


def _parse_range(row: Row) -> BalanceRange:
    start = row.get_number("range_start", 0, MONEY_MAX)
    end = row.get_number("range_end", start, MONEY_MAX)
    return BalanceRange(start, end, row.get_number("percentage", 0, 1))


def _check_overdrafts(files: Mapping[str, str]) -> None:
    """Bands of income that join each other, open at both outer ends. Not kept: tokens and
    deposits of `specie` cannot be overdrawn."""
    rows = tuple(read_sheet(files, OVERDRAFTS_SHEET))
    joint = ""
    for position, row in enumerate(rows):
        row.get_number("overdraftLimit", -MONEY_MAX, 0)
        if row.get_text("lowerbound") != joint:
            raise row.build_error("lowerbound is not where the row before ends")
        low = row.get_number("lowerbound", -MONEY_MAX, MONEY_MAX) if joint else -MONEY_MAX
        joint = row.get_text("higherbound")
        if joint or position < len(rows) - 1:
            row.get_number("higherbound", low, MONEY_MAX)


def _get_action(row: Row) -> Action | None:
    """The kind of a row; None for one the operator has and we do not play."""
    name = row.get_text("action")
    if name in ACTIONS_NOT_PLAYED:
        return None
    if name not in Action.__members__:
        raise row.build_error(f"unknown action {show(name)}")
    return Action(name)


def _check_shares(file: str, line: int, name: str, shares: list[float]) -> None:
    total = math.fsum(shares)
    if abs(total - 1) > SHARES_TOLERANCE:
        raise build_malformed(file, line, f"shares of {name} add up to {total:.4f}, not to 1")
