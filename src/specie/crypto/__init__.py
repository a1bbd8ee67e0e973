"""The only importer of the native kernel: hashing, keys, outputs, proofs, signatures, sealing.

In: bytes and opaque secret handles. Out: bytes, handles, or `SpecieError` with the kernel's code.
Imported by every layer above; imports `values` only.
Invariants: secrets never leave a handle but sealed; nothing takes a random source; `verify_*`
raises and returns nothing.
"""
