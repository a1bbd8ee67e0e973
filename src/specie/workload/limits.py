"""Limits of a profile and of a workload. Each is enforced where its comment says."""

from typing import Final

# Sheets of a profile (sheets.py; store/profile_folder.py)
SHEET_BYTES_MAX: Final = 16 * 1024 * 1024
SHEET_LINES_MAX: Final = 100_000
LINE_CHARACTERS_MAX: Final = 1_000

# Cells of a profile (profile.py), in the profile's own currency units where they are money
COUNT_MAX: Final = 10**9  # payments of one kind in one hour
SUM_MAX: Final = 10**18
MONEY_MAX: Final = 10**12  # a mean, a standard deviation, a balance
OCCURRENCES_MAX: Final = 10**9  # payments of one client
STEP_MAX: Final = 1_000_000  # hours since the beginning of the observation

# Orders (orders.py)
CLIENTS_MIN: Final = 3  # two people who can pay each other, and a shop
DECIMALS_MAX: Final = 8
ORDER_AMOUNT_MAX: Final = 10**11  # minor units; times the most payments it still fits the supply
