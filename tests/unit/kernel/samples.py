"""A right statement, the means to break it, and what the kernel says then."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from specie import _kernel as kernel
from specie._kernel import ERROR_CODES, KernelError, KeyTree, Mask, SigningKey, Statement

IDENTITY = bytes(32)
GARBAGE = b"\xff" * 32
G = kernel.blinding_generator()
MESSAGE = b"m" * 32
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"


def get_code(call: Callable[[], object]) -> str:
    with pytest.raises(KernelError) as caught:
        call()
    assert caught.value.args[0] == caught.value.code
    assert caught.value.code in ERROR_CODES
    return caught.value.code


def get_failures(call: Callable[[], object]) -> tuple[tuple[int, str, int], ...]:
    with pytest.raises(KernelError) as caught:
        call()
    assert caught.value.code == "batch_refused"
    assert caught.value.failures == tuple(sorted(caught.value.failures))
    return caught.value.failures


def make_record(key: SigningKey, message: bytes = MESSAGE) -> bytes:
    return key.public + message + key.sign(message)


@dataclass(frozen=True)
class Parts:
    """What a statement is made of."""

    signatures: bytes
    inputs: bytes
    outputs: bytes
    value: int
    offset: bytes | None
    proofs: tuple[tuple[bytes, int], ...]

    def statement(self) -> Statement:
        return Statement(
            self.signatures, 1, self.inputs, self.outputs, self.value, self.offset, self.proofs
        )


def make_parts() -> Parts:
    """Two inputs (3, 4) and two outputs (5, 2), a kernel and two more signatures, one proof."""
    ins, outs = [Mask.generate(), Mask.generate()], [Mask.generate(), Mask.generate()]
    key, offset = kernel.balance_key(outs, ins)
    signatures = b"".join(map(make_record, [key, SigningKey.generate(), SigningKey.generate()]))
    proof = kernel.prove_range([5, 2], outs)
    inputs = ins[0].commit(3) + ins[1].commit(4)
    outputs = outs[0].commit(5) + outs[1].commit(2)
    return Parts(signatures, inputs, outputs, 0, offset, ((proof, 2),))


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def put(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


PARTS = make_parts()
TREE = KeyTree.from_phrase(PHRASE)
