"""A small sound folder of our own, where the real one may lie, and an independent auditor."""

import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import pytest

from specie.workload.kinds import OrderKind
from specie.workload.orders import StartingBalance, WorkloadOrder, WorkloadPlan
from specie.workload.profile import HOURS, AmountStatistics, Profile

ROOT: Final = Path(__file__).resolve().parents[3]

KINDS: Final = "transactionsTypes.csv"
HOURLY: Final = "aggregatedTransactions.csv"
CLIENTS: Final = "clientsProfiles.csv"
OCCURRENCES: Final = "maxOccurrencesPerClient.csv"
BALANCES: Final = "initialBalancesDistribution.csv"
OVERDRAFTS: Final = "overdraftLimits.csv"

# Kind, hour, count, mean, standard deviation; on each of two days.
_CELLS: Final = (
    ("CASH_IN", 8, 300, 100.0, 40.0),
    ("CASH_IN", 12, 100, 80.0, 0.0),
    ("CASH_OUT", 12, 150, 120.0, 60.0),
    ("CASH_OUT", 20, 50, 30.0, 45.0),
    ("DEBIT", 20, 20, 15.5, 5.0),
    ("PAYMENT", 8, 200, 9.5, 4.0),
    ("PAYMENT", 12, 500, 12.25, 12.0),
    ("PAYMENT", 20, 300, 20.0, 30.0),
    ("TRANSFER", 12, 60, 200.0, 300.0),
    ("TRANSFER", 20, 40, 150.0, 90.0),
)


def build_folder() -> dict[str, str]:
    """File name → text of a sound folder, with the oddities that the real one has too."""
    hourly = ["action,month,day,hour,count,sum,avg,std,step"]
    hourly += [
        f"{action},3,{day},{hour},{count},{count * mean},{mean},{std},{day * HOURS + hour}"
        for day in (0, 1)
        for action, hour, count, mean, std in _CELLS
    ]
    return {
        KINDS: "action\nCASH_IN\nCASH_OUT\nDEBIT\nPAYMENT\nTRANSFER\n",
        HOURLY: "\n".join(hourly) + "\n",
        CLIENTS: (
            "action,maxCount,minCount,averageAmount,stdAmount,freq\n"
            "CASH_IN,1,1,100,0,0.5\nCASH_IN,2,9,90,30,0.49999\n"
            "CASH_OUT,1,3,100,50,1\nDEBIT,1,1,15,5,1\nDEPOSIT,10,20,5000,9000,1\n"
            "PAYMENT,1,2,12,3,0.6\nPAYMENT,40,60,11,9,0.4001\nTRANSFER,1,5,170,100,1\n"
        ),
        OCCURRENCES: (
            "action,max(numTrans)\nCASH_IN,5\nCASH_OUT,3\nCASH_OUT_ATM,7\nDEBIT,2\n"
            "PAYMENT,50\nPICKUP,1\nTRANSFER,4\nTRANSFER_TO_VOUCHER,2\nDEPOSIT,0\n"
        ),
        BALANCES: "range_start,range_end,percentage\n0,99,0.7\n90,199,0.2\n100,999,0.0999\n",
        OVERDRAFTS: (
            "lowerbound,higherbound,overdraftLimit\n,0,0\n0,500,-250\n500,900,-800\n900,,-900\n"
        ),
    }


def replace_line(text: str, line: int, new: str) -> str:
    """The text with one line, counted from 1, replaced."""
    lines = text.split("\n")
    lines[line - 1] = new
    return "\n".join(lines)


def get_paysim_folder() -> Path:
    """The folder of real statistics, or the test is skipped."""
    folder = Path(os.environ.get("SPECIE_PAYSIM", ROOT.parent / "shared" / "data" / "paysim"))
    if not folder.is_dir():
        pytest.skip("no statistics of real payments: SPECIE_PAYSIM names no folder")
    return folder


def assert_sound(profile: Profile) -> None:
    """Everything a profile promises to whoever draws from it."""
    assert profile.actions and profile.balances
    assert len({kind.action for kind in profile.actions}) == len(profile.actions)
    for kind in profile.actions:
        assert len(kind.hours) == HOURS and any(cell.count for cell in kind.hours)
        assert kind.activity and kind.occurrences_max >= 1
        assert math.isclose(sum(band.share for band in kind.activity), 1, abs_tol=0.011)
        assert all(1 <= band.occurrences_min <= band.occurrences_max for band in kind.activity)
        for cell in kind.hours:
            _assert_cell_sound(cell)
    assert math.isclose(sum(r.share for r in profile.balances), 1, abs_tol=0.011)
    assert all(0 <= r.start <= r.end for r in profile.balances)


def _assert_cell_sound(cell: AmountStatistics) -> None:
    assert math.isfinite(cell.mean) and math.isfinite(cell.std)
    assert cell.count >= 0 and cell.std >= 0
    assert (cell.count > 0) == (cell.mean > 0)


def replay(
    plan: WorkloadPlan, starting: Sequence[StartingBalance], orders: Iterable[WorkloadOrder]
) -> tuple[list[int], list[int]]:
    """Carry the orders out with a model of its own; deposits and tokens at the end.

    Fails at the first order that could not be carried out, or that is not one of the plan's form.
    """
    deposits = [start.deposit + 0 for start in starting]
    tokens = [0] * len(starting)
    for order in orders:
        assert order.amount >= 1
        assert (order.payee is not None) == (order.kind in {OrderKind.PURCHASE, OrderKind.TRANSFER})
        source = deposits if order.kind is OrderKind.WITHDRAW else tokens
        assert source[order.payer] >= order.amount
        source[order.payer] -= order.amount
        if order.payee is None:
            target = tokens if order.kind is OrderKind.WITHDRAW else deposits
            target[order.payer] += order.amount
        else:
            assert order.payee != order.payer
            assert (order.payee in plan.shops) == (order.kind is OrderKind.PURCHASE)
            assert order.payer not in plan.shops
            tokens[order.payee] += order.amount
    assert sum(deposits) + sum(tokens) == sum(start.deposit for start in starting)
    return deposits, tokens
