"""The rules of money: records, transaction stages, contracts of named checks, evidence.

In: bytes and frozen values, with the state of the ledger as a parameter. Out: typed stages,
statements for the kernel, or `SpecieError` with the code of the first broken rule.
Imported by tokens, ports and everything above; imports `log`, `crypto`, `values`, `identity`.
Invariants: no clock, disk, network or randomness; a transaction has exactly one encoding.
"""
