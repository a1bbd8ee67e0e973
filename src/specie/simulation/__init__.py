"""A whole country under a seeded scheduler: what may go wrong does, and an auditor looks on.

In: a seed and how many minutes to simulate. Out: what was found, and the hash of what happened.
Imported by the command line; imports assembly and everything below.
Invariants: the same seed takes the same decisions; none depends on bytes that the kernel drew.
"""
