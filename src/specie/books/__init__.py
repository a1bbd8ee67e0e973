"""Double entry, pure: accounts, entries that balance, balances that follow from entries.

In: accounts and entries as values. Out: new balances, or the code of the broken rule.
Imported by ports, accounting, bank and above; imports `values` only.
Invariants: debits = credits in each entry; a balance is never negative on its normal side.
"""
