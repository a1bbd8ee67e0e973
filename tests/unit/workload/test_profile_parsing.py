"""Reading a profile: what is sound is read, what is not is refused with file and line."""

import re
from collections.abc import Callable

import pytest

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.workload.kinds import Action
from specie.workload.profile import (
    PROFILE_FILES,
    ActivityBand,
    AmountStatistics,
    BalanceRange,
    parse_profile,
    pool,
)
from specie.workload.sheets import show
from tests.unit.workload.samples import (
    BALANCES,
    CLIENTS,
    HOURLY,
    KINDS,
    OCCURRENCES,
    OVERDRAFTS,
    assert_sound,
    build_folder,
    replace_line,
)

HOUR_ROW = "CASH_IN,3,0,8,300,30000,100,40,8"  # the sound form of line 2

MALFORMED_ROWS = (
    # sheet, line, what stands there instead, what the message must say
    (KINDS, 1, "kind", "column action is missing"),
    (KINDS, 3, "CASH_SIDEWAYS", "unknown action 'CASH_SIDEWAYS'"),
    (KINDS, 3, "cash_out", "unknown action"),
    (KINDS, 3, "", "unknown action ''"),
    (KINDS, 3, "CASH_IN", "named twice"),
    (KINDS, 3, "PICKUP", "not a kind that is played"),
    (KINDS, 4, "", "unknown action ''"),
    (HOURLY, 1, "action,month,day,hour,count,sum,avg,step", "column std is missing"),
    (HOURLY, 1, "action,month,day,hour,count,sum,std,avg,step", "the header is not action,month"),
    (HOURLY, 1, "action,month,day,hour,count,sum,avg,std,step,x", "the header is not"),
    (HOURLY, 2, "CASH_IN,3,0,8,300,30000,100,40", "8 cells instead of 9"),
    (HOURLY, 2, HOUR_ROW + ",1", "10 cells instead of 9"),
    (HOURLY, 2, "", "1 cells instead of 9"),
    (HOURLY, 2, "PICKUP,3,0,8,300,30000,100,40,8", "'PICKUP' is not in transactionsTypes.csv"),
    (HOURLY, 2, "LOAN,3,0,8,300,30000,100,40,8", "unknown action 'LOAN'"),
    (HOURLY, 2, "CASH_IN,0,0,8,300,30000,100,40,8", "month is not within 1 to 12"),
    (HOURLY, 2, "CASH_IN,3,32,8,300,30000,100,40,8", "day is not within 0 to 31"),
    (HOURLY, 2, "CASH_IN,3,0,24,300,30000,100,40,8", "hour is not within 0 to 23"),
    (HOURLY, 2, "CASH_IN,3,0,-1,300,30000,100,40,8", "hour is not within 0 to 23"),
    (HOURLY, 2, "CASH_IN,3,0,8.5,300,30000,100,40,8", "hour is not a whole number"),
    (HOURLY, 2, "CASH_IN,3,0,8,-300,-30000,100,40,8", "count is not within"),
    (HOURLY, 2, "CASH_IN,3,0,8,2e9,30000,100,40,8", "count is not within"),
    (HOURLY, 2, "CASH_IN,3,0,8,300,30000,nan,40,8", "avg is not a finite number: 'nan'"),
    (HOURLY, 2, "CASH_IN,3,0,8,300,inf,100,40,8", "sum is not a finite number: 'inf'"),
    (HOURLY, 2, "CASH_IN,3,0,8,300,30000,100,-Infinity,8", "std is not a finite number"),
    (HOURLY, 2, "CASH_IN,3,0,8,300,30000,100,1e999,8", "std is not a finite number"),
    (HOURLY, 2, "CASH_IN,3,0,8,300,30000,100,1e99,8", "std is not within"),
    (HOURLY, 2, "CASH_IN,3,0,8,300,30000,100,-40,8", "std is not within"),
    (HOURLY, 2, "CASH_IN,3,0,8,300,30000,100,,8", "std is not a finite number: ''"),
    (HOURLY, 2, "CASH_IN,3,0,8,300,30000,0x64,40,8", "avg is not a finite number"),
    (HOURLY, 2, "CASH_IN,3,0,8,3_0_0,30000,100,40,8", "count is not a finite number"),
    (HOURLY, 2, "CASH_IN,3,0,8,٣٠٠,30000,100,40,8", "count is not a finite number"),
    (HOURLY, 2, "CASH_IN,3,0,8,300,30000,100,4\x000,8", r"std is not a finite number: '4\x000'"),
    (HOURLY, 2, "CASH_IN,3,0,8,300,40000,100,40,8", "sum is not count times avg"),
    (HOURLY, 2, "CASH_IN,3,0,8,300,0,0,40,8", "avg is 0"),
    (HOURLY, 2, "CASH_IN,3,0,8,300,30000,100,40,-8", "step is not within"),
    (HOURLY, 3, "CASH_IN,3,0,8,300,30000,100,40,8", "step 8 of CASH_IN is there twice"),
    (HOURLY, 2, '"CASH_IN",3,0,8,300,30000,100,40,8', "unknown action"),
    (HOURLY, 2, "CASH_IN;3;0;8;300;30000;100;40;8", "1 cells instead of 9"),
    (HOURLY, 2, "CASH_IN," + "0" * 1000, "longer than 1000 characters"),
    (CLIENTS, 1, "action,maxCount,minCount,averageAmount,stdAmount", "column freq is missing"),
    (CLIENTS, 2, "CASH_IN,0,1,100,0,0.5", "maxCount is not within 1"),
    (CLIENTS, 2, "CASH_IN,1,1.5,100,0,0.5", "minCount is not a whole number"),
    (CLIENTS, 2, "CASH_IN,1,1,-100,0,0.5", "averageAmount is not within"),
    (CLIENTS, 2, "CASH_IN,1,1,100,x,0.5", "stdAmount is not a finite number"),
    (CLIENTS, 2, "CASH_IN,1,1,100,0,1.5", "freq is not within 0 to 1"),
    (CLIENTS, 2, "SALARY,1,1,100,0,0.5", "unknown action 'SALARY'"),
    (OCCURRENCES, 2, "CASH_IN,0", "max(numTrans) is not within 1"),
    (OCCURRENCES, 3, "CASH_IN,5", "CASH_IN is there twice"),
    (OCCURRENCES, 4, "CASH_OUT_BAR,7", "unknown action 'CASH_OUT_BAR'"),
    (BALANCES, 2, "-1,99,0.7", "range_start is not within 0"),
    (BALANCES, 2, "99,0,0.7", "range_end is not within 99"),
    (BALANCES, 2, "0,99,-0.7", "percentage is not within 0 to 1"),
    (BALANCES, 2, "0,1e13,0.7", "range_end is not within"),
    (OVERDRAFTS, 2, ",0,100", "overdraftLimit is not within"),
    (OVERDRAFTS, 2, "5,0,0", "lowerbound is not where the row before ends"),
    (OVERDRAFTS, 3, "1,500,-250", "lowerbound is not where the row before ends"),
    (OVERDRAFTS, 3, "0,,-250", "higherbound is not a finite number"),
    (OVERDRAFTS, 3, "0,-5,-250", "higherbound is not within 0"),
)

WHOLE_SHEETS = (
    # sheet, its text, the line to be named, what the message must say
    (HOURLY, "", 1, "the file is empty"),
    (HOURLY, "\n\n \n", 1, "the file is empty"),
    (HOURLY, "\ufeff", 1, "the file is empty"),
    (HOURLY, "action,month,day,hour,count,sum,avg,std,step\n", 2, "no row after the header"),
    (KINDS, "action\n" * 100_002, 100_001, "the file is too large"),
    (KINDS, "\n" * 17_000_000, 100_001, "the file is too large"),
    (KINDS, "action\n" + "x" * 17_000_000, 2, "the file is too large"),
    (OCCURRENCES, "action,max(numTrans)\nCASH_IN,5\n", 2, "CASH_OUT is not there"),
    (BALANCES, "range_start,range_end,percentage\n0,9,0.5\n9,20,0.4\n", 3, "add up to 0.9000"),
    (BALANCES, "range_start,range_end,percentage\n0,9,0.5\n9,20,0.6\n", 3, "add up to 1.1000"),
)


def refuse(files: dict[str, str]) -> SpecieError:
    with pytest.raises(SpecieError) as caught:
        parse_profile(files)
    return caught.value


def test_sound_folder_is_read() -> None:  # T26
    profile = parse_profile(build_folder())
    assert_sound(profile)
    cash_in, cash_out, debit, payment, transfer = profile.actions
    assert [kind.action for kind in profile.actions] == list(Action)
    assert cash_in.hours[8] == AmountStatistics(600, 100.0, 40.0)  # two equal days
    assert cash_in.hours[9] == AmountStatistics(0, 0.0, 0.0)
    assert cash_in.activity == (ActivityBand(1, 1, 0.5), ActivityBand(2, 9, 0.49999))
    assert [kind.occurrences_max for kind in profile.actions] == [5, 3, 2, 50, 4]
    assert debit.hours[20].mean == 15.5
    assert sum(cell.count for cell in payment.hours) == 2000
    assert cash_out.hours[20].std == 45.0
    assert transfer.hours[12] == AmountStatistics(120, 200.0, 300.0)
    assert profile.balances[1] == BalanceRange(90.0, 199.0, 0.2)


def test_days_with_different_means_are_pooled() -> None:
    files = build_folder()
    files[HOURLY] = files[HOURLY].replace(
        "CASH_IN,3,1,8,300,30000.0,100.0,40.0,32", "CASH_IN,3,1,8,100,20000,200,0,32"
    )
    found = parse_profile(files).actions[0].hours[8]
    # By hand: 400 amounts, mean 125; squares 300·(40² + 100²) + 100·200², less 125² each.
    assert found.count == 400
    assert found.mean == pytest.approx(125)
    assert found.std == pytest.approx(((300 * 11_600 + 100 * 40_000) / 400 - 125**2) ** 0.5)


def test_pooling_with_nothing_changes_nothing() -> None:
    some, nothing = AmountStatistics(7, 3.5, 1.25), AmountStatistics(0, 0.0, 0.0)
    assert pool(some, nothing) == pool(nothing, some) == some


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.rstrip("\n"),
        lambda text: text + "\n\r\n\n",
        lambda text: text.replace(",", " ,\t"),
    ],
    ids=["windows", "byte order mark", "no last line end", "empty lines at the end", "blanks"],
)
def test_harmless_differences_of_form_are_forgiven(rewrite: Callable[[str], str]) -> None:
    files = {file: rewrite(text) for file, text in build_folder().items()}
    assert parse_profile(files) == parse_profile(build_folder())


def test_other_files_are_ignored() -> None:
    files = build_folder() | {"README.md": "\x00", "notes.csv": ""}
    assert parse_profile(files) == parse_profile(build_folder())


def test_counts_may_be_in_scientific_notation_and_hours_without_payments() -> None:
    files = build_folder()
    files[HOURLY] = replace_line(files[HOURLY], 2, "CASH_IN,3,0,8,3e+02,3e+04,1e+02,40,8")
    assert parse_profile(files) == parse_profile(build_folder())
    files[HOURLY] = replace_line(files[HOURLY], 2, "CASH_IN,3,0,8,0,0,0,0,8")
    assert parse_profile(files).actions[0].hours[8].count == 300


def test_a_folder_may_play_fewer_kinds() -> None:
    files = build_folder()
    files[KINDS] = "action\nPAYMENT\n"
    rows = files[HOURLY].split("\n")
    files[HOURLY] = "\n".join([rows[0], *(row for row in rows if row.startswith("PAYMENT"))])
    assert [kind.action for kind in parse_profile(files).actions] == [Action.PAYMENT]


@pytest.mark.parametrize("file", PROFILE_FILES)
def test_missing_file_is_named(file: str) -> None:  # T26
    files = build_folder()
    del files[file]
    error = refuse(files)
    assert error.code is ErrorCode.PROFILE_MISSING
    assert error.message == f"{file}:1: the file is missing"


@pytest.mark.parametrize(("file", "line", "row", "reason"), MALFORMED_ROWS)
def test_malformed_row_is_named(file: str, line: int, row: str, reason: str) -> None:  # T26
    files = build_folder()
    files[file] = replace_line(files[file], line, row)
    error = refuse(files)
    assert error.code is ErrorCode.PROFILE_MALFORMED
    assert error.message.startswith(f"{file}:{line}: ")
    assert reason in error.message


@pytest.mark.parametrize(
    ("file", "text", "line", "reason"), WHOLE_SHEETS, ids=[row[3] for row in WHOLE_SHEETS]
)
def test_malformed_sheet_is_named(file: str, text: str, line: int, reason: str) -> None:
    error = refuse(build_folder() | {file: text})
    assert error.code is ErrorCode.PROFILE_MALFORMED
    assert error.message.startswith(f"{file}:{line}: ")
    assert reason in error.message


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("CASH_IN,1,1,100,0,0.5", "CASH_IN,1,1,100,0,0.4", "shares of CASH_IN add up to 0.9000"),
        ("DEPOSIT,10,20,5000,9000,1", "DEPOSIT,10,20,5000,9000,0.5", "shares of DEPOSIT"),
        ("TRANSFER,1,5,170,100,1\n", "", "no clients of kind TRANSFER"),
    ],
)
def test_shares_of_clients_are_checked_at_the_last_line(old: str, new: str, reason: str) -> None:
    files = build_folder()
    files[CLIENTS] = files[CLIENTS].replace(old, new)
    last = files[CLIENTS].count("\n")
    message = refuse(files).message
    assert message.startswith(f"{CLIENTS}:{last}: ")
    assert reason in message


def test_kind_without_payments_is_refused() -> None:
    files = build_folder()
    files[HOURLY] = re.sub(r"DEBIT,3,(\d),20,20,310.0", r"DEBIT,3,\1,20,0,0", files[HOURLY])
    assert "no payment of kind DEBIT" in refuse(files).message


def test_what_an_error_shows_of_a_cell_is_short_and_printable() -> None:
    assert show("é\x1b[31m" + "x" * 500) == ascii("é\x1b[31m" + "x" * 34)
