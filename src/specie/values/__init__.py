"""Amounts, identifiers, times, fixed-width encoding, errors, limits.

In: plain integers and bytes. Out: checked values and `SpecieError` with a catalogued code.
Imported by everything; imports nothing of ours.
Invariants: an amount is 0 ≤ v < 2**64 of one currency; bytes decode in exactly one way.
"""
