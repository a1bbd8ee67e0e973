"""A sample core bank, for integrators: customers' accounts, holds, entries, statements (P13).

In: what a bank's gateway asks, and what people pay in at its counter. Out: balances, a position.
Imported by assembly, api and cli; imports ports and what is below. No other actor knows it.
Invariants: debits = credits; an account never pays what it has not, nor what is held for another.
"""
