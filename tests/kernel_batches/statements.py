"""Statements that hold, and the means to break one part of one of them.

A payment has 2 inputs, 2 outputs, a kernel, 2 owners' signatures and 2 attestations, with one proof
an output (published) or one over both (aggregated). Proving costs milliseconds, so payments come
from a pool; what needs no proof is made fresh for every place of a batch.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from specie.crypto.proofs import (
    BatchRefusedError,
    Statement,
    build_balance_key,
    build_statement,
    prove_range,
    verify_statements,
)
from specie.crypto.secrets import Mask, SigningKey
from specie.crypto.signatures import sign
from specie.values.amounts import Minor
from specie.values.identifiers import Scalar
from tests.reference.hashing import encode_scalar

KINDS: Final = ("kernel", "owner", "attestation", "balance", "proof")
WAYS: Final = 3
"""In how many ways each kind can be broken."""

Record = tuple[bytes, bytes, bytes]
"""(public32, message32, signature64)"""
Named = tuple[int, str, int]
"""(statement, part, position inside the part)"""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a statement is made of, open to changes; the first signature is the kernel's."""

    signatures: tuple[Record, ...]
    owners: int
    inputs: tuple[bytes, ...]
    outputs: tuple[bytes, ...]
    value: int
    offset: Scalar | None
    proofs: tuple[tuple[bytes, int], ...]
    kernels: int = 1

    def build(self) -> Statement:
        """The statement, as the notary makes it."""
        return build_statement(
            self.signatures,
            self.kernels,
            self.inputs,
            self.outputs,
            self.value,
            self.offset,
            self.proofs,
        )


@dataclass(frozen=True, slots=True)
class Stock:
    """What batches are put together from; made once a session."""

    payments: tuple[Parts, ...]  # alternately published and aggregated
    redemptions: tuple[Statement, ...]  # 1,024 different ones; no outputs, so no proofs
    proofs: tuple[Parts, ...]  # one output each with its proof, and nothing else

    def find_published(self) -> Parts:
        """A payment with one proof an output."""
        return next(one for one in self.payments if len(one.proofs) == 2)

    def mix(self, size: int, every: int) -> list[Statement]:
        """`size` statements: every so often a payment, between them redemptions, all different."""
        paid = [one.build() for one in self.payments]
        return [
            paid[place // every % len(paid)] if place % every == 0 else self.redemptions[place]
            for place in range(size)
        ]


def build_stock(payments: int, redemptions: int, proofs: int) -> Stock:
    """Proves 2 outputs a payment and one a proof."""
    return Stock(
        tuple(make_payment(place, is_aggregated=place % 2 == 1) for place in range(payments)),
        tuple(make_redemption(place).build() for place in range(redemptions)),
        tuple(make_proof(place) for place in range(proofs)),
    )


def make_record(key: SigningKey, number: int) -> Record:
    """A signature over a message of its own."""
    message = number.to_bytes(32, "little")
    return key.public, message, sign(key, message)


def make_payment(number: int, *, is_aggregated: bool, gain: int = 0, value: int = 0) -> Parts:
    """A payment that holds; with a `gain` other than `value`, one whose amounts do not balance."""
    return make_payment_and_kernel(number, is_aggregated=is_aggregated, gain=gain, value=value)[0]


def make_payment_and_kernel(
    number: int, *, is_aggregated: bool, gain: int = 0, value: int = 0
) -> tuple[Parts, SigningKey]:
    """The payment, and its kernel's secret for those who forge."""
    paid, made = (1_000 + number, 7), (5, 1_002 + number + gain)
    in_masks, out_masks = [[Mask.generate(), Mask.generate()] for _ in range(2)]
    kernel, offset = build_balance_key(out_masks, in_masks)
    keys = [kernel, *(SigningKey.generate() for _ in range(4))]
    groups = [slice(0, 2)] if is_aggregated else [slice(0, 1), slice(1, 2)]
    amounts = [Minor(amount) for amount in made]
    parts = Parts(
        signatures=tuple(make_record(key, 8 * number + at) for at, key in enumerate(keys)),
        owners=2,
        inputs=tuple(mask.commit(amount) for mask, amount in zip(in_masks, paid, strict=True)),
        outputs=tuple(mask.commit(amount) for mask, amount in zip(out_masks, made, strict=True)),
        value=value,
        offset=offset,
        proofs=tuple(
            (prove_range(amounts[part], out_masks[part]), len(amounts[part])) for part in groups
        ),
    )
    return parts, kernel


def make_redemption(number: int) -> Parts:
    """Everything an input had is void: a kernel, an owner, an attestation and a balance."""
    mask = Mask.generate()
    kernel, offset = build_balance_key([], [mask])
    keys = [kernel, SigningKey.generate(), SigningKey.generate()]
    return Parts(
        signatures=tuple(make_record(key, 8 * number + at) for at, key in enumerate(keys)),
        owners=1,
        inputs=(mask.commit(number),),
        outputs=(),
        value=-number,
        offset=offset,
        proofs=(),
    )


def make_proof(number: int) -> Parts:
    """One output and its proof: what a public auditor verifies of a created leaf."""
    mask = Mask.generate()
    amount = Minor(2**64 - 1 - number)
    proofs = ((prove_range([amount], [mask]), 1),)
    return Parts((), 0, (), (mask.commit(amount),), 0, None, proofs, kernels=0)


# --- breaking ------------------------------------------------------------------------------------


def spoil(parts: Parts, kind: str, way: int, stranger: Parts) -> tuple[Parts, tuple[str, int]]:
    """One part broken so that everything still decodes; gives how the kernel has to name it.

    What a part is replaced by holds where it comes from: `stranger` is another payment that holds.
    """
    if kind == "balance":
        return _spoil_balance(parts, way, stranger), ("balance", 0)
    if kind == "proof":
        return _spoil_proof(parts, way, stranger)
    others = len(parts.signatures) - 1 - parts.owners
    first, count = {
        "kernel": (0, 1),
        "owner": (1, parts.owners),
        "attestation": (1 + parts.owners, others),
    }[kind]
    place = first + way // WAYS % count
    named = ("kernel", 0) if kind == "kernel" else ("signature", place - 1)
    return _spoil_signature(parts, place, way, stranger), named


def _spoil_signature(parts: Parts, place: int, way: int, stranger: Parts) -> Parts:
    public, message, signature = parts.signatures[place]
    other = stranger.signatures[place % len(stranger.signatures)]
    changed: Record = (
        (public, message, move_response(signature, 1)),
        (public, message, other[2]),
        (public, other[1], signature),
    )[way % WAYS]
    signatures = list(parts.signatures)
    signatures[place] = changed
    return replace(parts, signatures=tuple(signatures))


def _spoil_balance(parts: Parts, way: int, stranger: Parts) -> Parts:
    if way % WAYS == 0:
        return replace(parts, value=parts.value + (1 if way // WAYS % 2 else -1))
    if way % WAYS == 1:
        assert parts.offset is not None
        return replace(parts, offset=move_scalar(parts.offset, 1))
    return replace(parts, inputs=(*parts.inputs[:-1], stranger.inputs[0]))


def _spoil_proof(parts: Parts, way: int, stranger: Parts) -> tuple[Parts, tuple[str, int]]:
    place = way // WAYS % len(parts.proofs)
    proof, covers = parts.proofs[place]
    fitting = [other for other, count in stranger.proofs if count == covers]
    changed = (
        proof[:1] + move_scalar(proof[1:33], 1) + proof[33:],  # d1, a scalar
        fitting[0] if fitting else proof[:1] + move_scalar(proof[1:33], 2) + proof[33:],
        proof[:33] + proof[65:97] + proof[33:65] + proof[97:],  # A and A1 exchanged
    )[way % WAYS]
    proofs = list(parts.proofs)
    proofs[place] = (changed, covers)
    return replace(parts, proofs=tuple(proofs)), ("proof", place)


def move_scalar(scalar: bytes, step: int) -> Scalar:
    """scalar + step mod l."""
    return Scalar(encode_scalar(int.from_bytes(scalar, "little") + step))


def move_response(signature: bytes, step: int) -> bytes:
    """The same R with s + step; the library's marker bit stays."""
    raw = bytearray(signature)
    raw[63] &= 0x7F
    raw[32:] = encode_scalar(int.from_bytes(raw[32:], "little") + step)
    raw[63] |= 0x80
    return bytes(raw)


# --- asking --------------------------------------------------------------------------------------


def find_named(statements: Sequence[Statement]) -> list[Named]:
    """What `verify_statements` names; nothing if it accepts."""
    try:
        verify_statements(statements)
    except BatchRefusedError as refused:
        return [(one.index, one.part, one.position) for one in refused.failures]
    return []


def draw_positions(size: int, fixed: Sequence[int], number: int) -> list[int]:
    """The fixed positions and `number` others at random, fresh on every run."""
    rest = sorted(set(range(size)) - set(fixed))
    return sorted({*fixed, *random.SystemRandom().sample(rest, number)})


def list_edges(size: int) -> list[int]:
    """Where counting from zero or in chunks goes wrong: around 0, 64, 256, 512, and the end."""
    around = [place + step for place in (0, 64, 256, 512) for step in range(-2, 3)]
    return sorted({place for place in (*around, size - 2, size - 1) if 0 <= place < size})
