"""On the path of every process that tests start: a passphrase's key costs next to nothing.

Deriving it takes a quarter of a second and 64 MiB, as it has to, and tests do so a thousand times.
`tests/unit/wallet/test_keys.py` shows what it is where this is not on the path.
"""

from contextlib import suppress

with suppress(ImportError):
    from specie.values import limits

    vars(limits).update(ARGON2_MEMORY_KIB=64, ARGON2_PASSES=1, ARGON2_LANES=1)
