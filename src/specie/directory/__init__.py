"""The directory of phone numbers: what an entry says, who may change it, what a payer verifies.

In: phone numbers, entries and answers as bytes, keys, lists, a time. Out: entries and answers that
hold, or the code of the rule that is broken. Pure: no clock, no disk, no network.
Imported by: ports, wallet, bank, central_bank, remote, store, assembly, cli.
Keeps: a number's entry changes by its owner's key, or by the word of the bank that serves it; every
version is a leaf of the log; an answer of nothing looks like any other.
"""
