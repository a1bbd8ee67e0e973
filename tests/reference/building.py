"""Builds whole transactions from a seed: for golden vectors and for properties.

    o random,  k = sum m_out - sum m_in - o,  K = k*G
    sum C_out - sum C_in - supply_change*H = K + o*G

Every secret comes from the seed, so the same seed gives the same bytes. For tests only.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.reference import schnorr, transaction, wire
from tests.reference.hashing import ORDER, encode_scalar
from tests.reference.output import (
    NO_LOCK,
    Derived,
    Opening,
    derive_output,
    derive_reference,
)
from tests.reference.range_prover import derive_nonces, prove_range
from tests.reference.statement import Statement
from tests.reference.transaction import Transaction
from tests.reference.wire import Witnesses

NETWORK: Final = bytes.fromhex("00112233445566778899aabbccddeeff")
NOT_BEFORE: Final = 1_800_000_000_000
NOT_AFTER: Final = 1_800_000_060_000
KIND_CASH: Final = 1
POLICY: Final = 7

Prover = Callable[[Sequence[int], Sequence[int], bytes], bytes]
"""(values, masks, seed) -> one proof over all of them."""


class Draw:
    """Bytes that follow from a seed: SHA-512(seed || counter)."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._counter = 0

    def take(self, size: int) -> bytes:
        """`size` bytes, at most 64."""
        self._counter += 1
        return hashlib.sha512(self._seed + self._counter.to_bytes(4, "little")).digest()[:size]

    def scalar(self) -> int:
        """A scalar."""
        return int.from_bytes(self.take(64), "little") % ORDER


@dataclass(frozen=True, slots=True)
class Money:
    """An output with everything its owner and its maker know."""

    opening: Opening
    derived: Derived
    view: int
    spend: int

    @property
    def reference(self) -> bytes:
        """OutputRef."""
        return derive_reference(self.derived.output)

    @property
    def owner(self) -> int:
        """b + t."""
        return (self.spend + self.derived.owner_tweak) % ORDER

    @property
    def commitment(self) -> bytes:
        """C."""
        return self.derived.output[65:97]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a transaction shall move; the sums must balance."""

    inputs: Sequence[int]
    outputs: Sequence[int]
    supply_change: int = 0
    aggregated: bool = False
    attesters: int = 2


@dataclass(frozen=True, slots=True)
class Built:
    """A complete transaction: fields, witnesses, wire form and what is to be verified."""

    transaction: Transaction
    witnesses: Witnesses
    txid: bytes
    statement: Statement
    ed25519: Sequence[tuple[bytes, bytes, bytes]]

    @property
    def encoded(self) -> bytes:
        """The wire form."""
        return wire.encode_transaction(self.transaction, self.witnesses)


def prove_plainly(values: Sequence[int], masks: Sequence[int], seed: bytes) -> bytes:
    """A range proof by the twin."""
    return prove_range(values, masks, derive_nonces(seed, len(values)))


def make_money(draw: Draw, value: int, bank: int) -> Money:
    """A cash output of a fresh client."""
    view, spend, scan = draw.scalar(), draw.scalar(), draw.scalar()
    opening = Opening(
        view_public=schnorr.public_key(view),
        spend_public=schnorr.public_key(spend),
        bank=bank,
        anchor=draw.take(16),
        value=value,
        kind=KIND_CASH,
        label=0,
        lock=NO_LOCK,
        expiry=0,
        memo=(draw.take(48)).ljust(160, b"\0"),
    )
    return Money(opening, derive_output(opening, schnorr.public_key(scan), None), view, spend)


def build_transaction(plan: Plan, seed: bytes, prove: Prover = prove_plainly) -> Built:
    """Everything, signed by everybody."""
    assert sum(plan.inputs) + plan.supply_change == sum(plan.outputs)
    draw = Draw(seed)
    spent = [make_money(draw, value, 1) for value in plan.inputs]
    made = [make_money(draw, value, 1 + at % 2) for at, value in enumerate(plan.outputs)]
    offset = draw.scalar()
    masks = [money.derived.mask for money in made]
    kernel = (sum(masks) - sum(money.derived.mask for money in spent) - offset) % ORDER
    step = len(made) if plan.aggregated else 1
    proofs = [
        (step, prove(plan.outputs[at : at + step], masks[at : at + step], draw.take(32)))
        for at in range(0, len(made), step)
    ]
    body = Transaction(
        version=1,
        network=NETWORK,
        kind=KIND_CASH,
        supply_change=plan.supply_change,
        not_before=NOT_BEFORE,
        not_after=NOT_AFTER,
        offset=encode_scalar(offset),
        inputs=[money.reference for money in spent],
        outputs=[money.derived.output for money in made],
        proofs=proofs,
    )
    return _sign(plan, body, spent, made, kernel, draw)


def _sign(
    plan: Plan,
    body: Transaction,
    spent: Sequence[Money],
    made: Sequence[Money],
    kernel: int,
    draw: Draw,
) -> Built:
    txid = transaction.compute_txid(body)
    records: list[bytes] = []

    def sign(secret: int, message: bytes) -> bytes:
        signature = schnorr.sign(secret, draw.scalar(), message)
        records.append(schnorr.public_key(secret) + message + signature)
        return signature

    change = plan.supply_change
    kernels = [
        (
            schnorr.public_key(kernel),
            sign(kernel, transaction.kernel_message(NETWORK, txid, change)),
        )
    ]
    owners = [
        sign(
            money.owner,
            transaction.owner_message(NETWORK, money.reference, NOT_BEFORE, NOT_AFTER, txid),
        )
        for money in spent
    ]
    attestations = [_attest(place, plan, txid, draw, sign) for place in range(plan.attesters)]
    supply, ed25519 = _authorise(plan, txid, draw) if change else (None, [])
    terms = [wire.Terms(m.derived.terms_nonce, KIND_CASH, m.opening.bank) for m in made]
    statement = Statement(
        signatures=b"".join(records),
        kernels=1,
        inputs=b"".join(money.commitment for money in spent),
        outputs=b"".join(money.commitment for money in made),
        value=change,
        offset=body.offset,
        proofs=[(proof, covers) for covers, proof in body.proofs],
    )
    witnesses = Witnesses(terms, kernels, owners, attestations, supply)
    return Built(body, witnesses, txid, statement, ed25519)


def _attest(
    place: int, plan: Plan, txid: bytes, draw: Draw, sign: Callable[[int, bytes], bytes]
) -> wire.Attestation:
    """Bank 1 attests the inputs and what it receives, bank 2 what it receives; alone: both."""
    own = [at % 2 == place or plan.attesters == 1 for at in range(len(plan.outputs))]
    outputs = sum(1 << at for at, mine in enumerate(own) if mine)
    inputs = (1 << len(plan.inputs)) - 1 if place == 0 else 0
    role = 3 if plan.attesters == 1 else place + 1
    message = transaction.attestation_message(role, NETWORK, txid, inputs, outputs, place, POLICY)
    signature = sign(draw.scalar(), message)
    return wire.Attestation(role, place + 1, inputs, outputs, place, POLICY, signature)


def _authorise(
    plan: Plan, txid: bytes, draw: Draw
) -> tuple[wire.Supply, list[tuple[bytes, bytes, bytes]]]:
    """Two officers, and accounting if money is made; all Ed25519."""
    signed: list[tuple[bytes, bytes, bytes]] = []

    def sign(message: bytes) -> bytes:
        key = Ed25519PrivateKey.from_private_bytes(draw.take(32))
        signed.append((key.public_key().public_bytes_raw(), message, key.sign(message)))
        return signed[-1][2]

    change, serial, total = plan.supply_change, 12, 10**12 + plan.supply_change
    message = transaction.issue_message(NETWORK, serial, txid, change, total)
    officers = [(officer, sign(message)) for officer in (0, 3)]
    reserve = None
    if change > 0:
        entry, participant = draw.take(16), 1
        debit = transaction.reserve_message(NETWORK, entry, participant, change, NOT_BEFORE)
        reserve = wire.Reserve(entry, participant, change, NOT_BEFORE, sign(debit))
    return wire.Supply(serial, total, officers, reserve), signed
