"""The published sequence, pure: leaves, the Merkle tree over them, checkpoints.

In: fixed-width records. Out: leaf bytes, tree hashes, signed notes; or `leaf_malformed`.
Imported by ledger and above; imports `crypto` and `values`.
Invariants: leaves are append-only; a batch is header, created, spent, kernels, each sorted.
"""
