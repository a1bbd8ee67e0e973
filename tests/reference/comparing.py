"""What the property tests of kernel and twins share: how two calls are compared, and inputs."""

from collections.abc import Callable
from typing import Final

from hypothesis import strategies as st

from specie import _kernel as kernel
from tests.reference import ristretto, schnorr
from tests.reference.hashing import ORDER
from tests.reference.refusals import Refused
from tests.reference.statement import Failure

FEW: Final = 4
SOME: Final = 15
AMOUNT_MAX: Final = 2**64 - 1

numbers = st.sampled_from([0, 1, 2**32 - 1]) | st.integers(0, 2**32 - 1)
amounts = st.sampled_from([0, 1, 2**63, AMOUNT_MAX]) | st.integers(0, AMOUNT_MAX)
scalars = st.sampled_from([1, 2, ORDER - 1]) | st.integers(1, ORDER - 1)
words32 = st.binary(min_size=32, max_size=32)
points = scalars.map(schnorr.public_key)
spellings = st.sampled_from(
    [number.to_bytes(32, "little") for number in (0, 1, 2, ristretto.P - 1, ristretto.P, ORDER)]
)
"""32 bytes at the edges: the identity, no points, scalars that are just too large."""


def outcome(call: Callable[..., object], *arguments: object) -> tuple[str, object]:
    """What a call gives, or the code it refuses with: the same for kernel and twin."""
    try:
        return "gives", call(*arguments)
    except Refused as refused:
        return "refuses", refused.code
    except kernel.KernelError as refused:
        return "refuses", refused.code


def find_native_failures(verify: Callable[..., None], *arguments: object) -> tuple[Failure, ...]:
    """What the kernel names; nothing if it accepts."""
    try:
        verify(*arguments)
    except kernel.KernelError as refused:
        if refused.code != "batch_refused":
            raise
        failures: tuple[Failure, ...] = vars(refused)["failures"]
        return failures
    return ()


def flip(data: bytes, bit: int) -> bytes:
    """One bit changed, counted over the end."""
    raw = bytearray(data)
    raw[bit // 8 % len(raw)] ^= 1 << bit % 8
    return bytes(raw)
