"""The built-in profile: round figures of our own for an ordinary day of a retail economy.

They say what everybody knows: the night is quiet, shops live from noon and the early evening,
people settle among themselves later; purchases are many and small, transfers few and uneven; about
as much is withdrawn as redeemed. They are nobody's statistics. Whoever has real ones passes a
folder (T26).
"""

from typing import Final

from specie.workload.kinds import Action
from specie.workload.profile import (
    NO_PAYMENTS,
    ActionProfile,
    ActivityBand,
    AmountStatistics,
    BalanceRange,
    Profile,
)

# Hour by hour: weight of purchases, of transfers, of withdrawals and redemptions (each column adds
# up to 1,000), and the size of an amount in per cent of its mean.
_DAY: Final = (
    (5, 10, 4, 120),
    (3, 5, 2, 120),
    (1, 2, 1, 110),
    (1, 2, 1, 100),
    (2, 2, 2, 90),
    (6, 4, 5, 80),
    (20, 10, 15, 70),
    (44, 20, 35, 70),
    (55, 35, 65, 80),
    (50, 50, 90, 95),
    (50, 55, 95, 105),
    (60, 55, 85, 100),
    (85, 60, 80, 90),
    (70, 60, 75, 95),
    (50, 50, 70, 105),
    (48, 50, 70, 110),
    (60, 55, 75, 105),
    (85, 70, 80, 100),
    (95, 85, 60, 105),
    (80, 95, 40, 110),
    (55, 90, 25, 110),
    (40, 70, 14, 115),
    (25, 45, 8, 120),
    (10, 20, 3, 120),
)
_PURCHASES, _TRANSFERS, _CASH, _SIZE = range(4)

# Kind: its column above; payments in 1,000; mean and standard deviation at a size of 100 %; and how
# many payments each share of the clients makes in a month.
_KINDS: Final = (
    (Action.CASH_IN, _CASH, 180, 80.0, 60.0, ((1, 2, 0.5), (3, 5, 0.4), (6, 12, 0.1))),
    (Action.CASH_OUT, _CASH, 120, 90.0, 110.0, ((1, 1, 0.6), (2, 4, 0.3), (5, 30, 0.1))),
    (Action.DEBIT, _CASH, 20, 40.0, 30.0, ((1, 1, 0.7), (2, 3, 0.3))),
    (Action.PAYMENT, _PURCHASES, 600, 18.0, 24.0, ((1, 9, 0.3), (10, 29, 0.5), (30, 90, 0.2))),
    (Action.TRANSFER, _TRANSFERS, 80, 75.0, 150.0, ((1, 2, 0.5), (3, 8, 0.4), (9, 40, 0.1))),
)

# Starting balances: from, to, share of the clients.
_BALANCES: Final = (
    (0.0, 50.0, 0.25),
    (50.0, 250.0, 0.3),
    (250.0, 1_000.0, 0.3),
    (1_000.0, 5_000.0, 0.13),
    (5_000.0, 40_000.0, 0.02),
)


def build_builtin_profile() -> Profile:
    """The profile that `specie demo` uses when it is given no folder."""
    actions = tuple(
        ActionProfile(
            action,
            tuple(_build_hour(row, column, share, mean, std) for row in _DAY),
            tuple(ActivityBand(*band) for band in bands),
            max(occurrences_max for _, occurrences_max, _ in bands),
        )
        for action, column, share, mean, std, bands in _KINDS
    )
    return Profile(actions, tuple(BalanceRange(*balances) for balances in _BALANCES))


def _build_hour(
    row: tuple[int, int, int, int], column: int, share: int, mean: float, std: float
) -> AmountStatistics:
    count = row[column] * share
    size = row[_SIZE] / 100
    return AmountStatistics(count, mean * size, std * size) if count else NO_PAYMENTS
