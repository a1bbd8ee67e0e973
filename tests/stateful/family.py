"""A family of transactions, made once, that the lighter machine sends in any order.

    issues compete for serials and for one reserve debit; payments for the same outputs; children
    wait for parents; some windows are over early or begin late; each has copies with one fault

What a member needs, makes and suffers from is written down beside it, so that a model can judge it
without looking at its bytes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

from specie.ledger.records import Attestation
from specie.ledger.state import SupplyState
from specie.ledger.transactions import AttestedTransaction
from specie.ledger.wire import encode_attested
from specie.tokens.holdings import HolderKeys
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import EntryId, OutputRef, Scalar, Signature, TransactionId
from specie.values.times import Timestamp
from tests.building import (
    NORTH,
    NOW,
    SOUTH,
    Draft,
    Holding,
    World,
    build,
    build_issue,
    build_redemption,
    hold,
    make_reserve,
    make_world,
    sign,
)
from tests.kernel_batches.statements import move_response, move_scalar

MINUTE_MS: Final = 60_000
USUAL: Final = (NOW, Timestamp(NOW + 10 * MINUTE_MS))
EARLY: Final = (NOW, Timestamp(NOW + MINUTE_MS))
LATE: Final = (Timestamp(NOW + 2 * MINUTE_MS), Timestamp(NOW + 10 * MINUTE_MS))


@dataclass(frozen=True, slots=True)
class Member:
    """One transaction as sent, and all that decides its fate."""

    name: str
    data: bytes
    txid: TransactionId
    inputs: tuple[OutputRef, ...]
    outputs: tuple[OutputRef, ...]
    window: tuple[Timestamp, Timestamp]
    change: int = 0
    serial: int = 0  # 0: the supply does not change
    total: int = 0
    reserve: EntryId | None = None
    fault: ErrorCode | None = None


@dataclass(slots=True)
class Family:
    """Members by name; the drafts and who holds their outputs, while it is being made."""

    world: World
    members: dict[str, Member] = field(default_factory=dict)
    holdings: dict[str, tuple[Holding, ...]] = field(default_factory=dict)

    def add(self, name: str, draft: Draft, payees: Sequence[HolderKeys]) -> None:
        """A member that holds, and its faulty copies."""
        right = describe(name, sign(draft), draft)
        self.members[name] = right
        self.holdings[name] = tuple(
            hold(self.world, keys, opening)
            for keys, opening in zip(payees, draft.openings, strict=True)
        )
        for code, spoil in FAULTS.items():
            spoilt = spoil(draft)
            if spoilt is not None:
                copy = f"{name} with {code}"
                self.members[copy] = replace(describe(copy, spoilt, draft), fault=code)

    def issue(
        self,
        name: str,
        supply: tuple[int, int],
        payees: Sequence[tuple[HolderKeys, int]],
        reserve_of: str = "",
    ) -> None:
        """New money at this serial, onto this total."""
        draft = build_issue(self.world, SupplyState(*supply), payees, window=USUAL)
        if reserve_of:
            entry, bank = self.members[reserve_of].reserve, payees[0][0].address.bank
            reserve = make_reserve(self.world, bank, draft.body.supply_change, NOW, entry)
            assert draft.supply is not None
            draft = replace(draft, supply=replace(draft.supply, reserve=reserve))
        self.add(name, draft, [keys for keys, _ in payees])

    def redeem(self, name: str, supply: tuple[int, int], spent: Holding, amount: int) -> None:
        """Money ends at this serial."""
        draft = build_redemption(self.world, SupplyState(*supply), [spent], amount)
        body = {"not_before": USUAL[0], "not_after": USUAL[1]}
        self.add(name, draft.with_body(**body), [spent.keys, spent.keys])

    def pay(
        self,
        name: str,
        spent: Sequence[Holding],
        payees: Sequence[tuple[HolderKeys, int]],
        window: tuple[Timestamp, Timestamp] = USUAL,
    ) -> None:
        """The rest goes back to the first holder."""
        rest = sum(one.token.amount for one in spent) - sum(amount for _, amount in payees)
        whole = [*payees, (spent[0].keys, rest)]
        draft = build(self.world, spent, whole, window=window)
        self.add(name, draft, [keys for keys, _ in whole])


def describe(name: str, transaction: AttestedTransaction, draft: Draft) -> Member:
    """What a transaction needs and makes."""
    body, supply = transaction.body, draft.supply
    return Member(
        name=name,
        data=encode_attested(transaction),
        txid=body.txid,
        inputs=body.inputs,
        outputs=tuple(output.ref for output in body.outputs),
        window=(body.not_before, body.not_after),
        change=body.supply_change,
        serial=supply.serial if supply else 0,
        total=supply.total_after if supply else 0,
        reserve=supply.reserve.entry if supply and supply.reserve else None,
    )


# --- faults -------------------------------------------------------------------------------------


def _spoil_owner(draft: Draft) -> AttestedTransaction | None:
    right = sign(draft)
    if not right.signed.owner_signatures:
        return None
    first, *others = right.signed.owner_signatures
    owners = (Signature(move_response(first, 1)), *others)
    return replace(right, signed=replace(right.signed, owner_signatures=owners))


def _spoil_kernel(draft: Draft) -> AttestedTransaction:
    right = sign(draft)
    [kernel] = right.signed.kernels
    changed = replace(kernel, signature=Signature(move_response(kernel.signature, 1)))
    return replace(right, signed=replace(right.signed, kernels=(changed,)))


def _spoil_attestation(draft: Draft) -> AttestedTransaction:
    right = sign(draft)
    first, *others = right.attestations
    changed: Attestation = replace(first, signature=Signature(move_response(first.signature, 1)))
    return replace(right, attestations=(changed, *others))


def _spoil_proof(draft: Draft) -> AttestedTransaction:
    first, *others = draft.body.proofs
    data = first.data[:1] + move_scalar(first.data[1:33], 1) + first.data[33:]
    return sign(draft.with_body(proofs=(replace(first, data=data), *others)))


def _spoil_balance(draft: Draft) -> AttestedTransaction:
    return sign(draft.with_body(offset=Scalar(move_scalar(draft.body.offset, 1))))


def _forget_attestation(draft: Draft) -> AttestedTransaction:
    return replace(sign(draft), attestations=())


FAULTS: Final[dict[ErrorCode, Callable[[Draft], AttestedTransaction | None]]] = {
    ErrorCode.OWNER_SIGNATURE_INVALID: _spoil_owner,  # these four keep the txid
    ErrorCode.KERNEL_SIGNATURE_INVALID: _spoil_kernel,
    ErrorCode.ATTESTATION_SIGNATURE_INVALID: _spoil_attestation,
    ErrorCode.ATTESTATION_MISSING: _forget_attestation,
    ErrorCode.PROOF_INVALID: _spoil_proof,  # these two have another
    ErrorCode.BALANCE_INVALID: _spoil_balance,
}


# --- the family -----------------------------------------------------------------------------------


@cache
def make_family() -> Family:
    """About twenty members that hold, and six faulty copies of each."""
    world = make_world()
    family = Family(world)
    north, south = world.institutions[NORTH], world.institutions[SOUTH]
    family.issue("first", (0, 0), [(north.vault, 300), (north.vault, 200)])
    family.issue("rival first", (0, 0), [(south.vault, 400), (south.vault, 0)])
    family.issue("second", (1, 500), [(south.vault, 400), (south.vault, 7)])
    family.issue("second after rival", (1, 400), [(north.vault, 300), (north.vault, 50)])
    family.issue("same debit", (1, 500), [(north.vault, 500)], reserve_of="first")
    held = family.holdings
    family.redeem("redeemed", (1, 500), held["first"][0], 300)
    family.redeem("redeemed third", (2, 907), held["first"][0], 120)

    family.pay("alice", [held["first"][1]], [(north.alice, 150)])
    family.pay("alice again", [held["first"][1]], [(north.bob, 120)])
    family.pay("alice early", [held["first"][1]], [(south.bob, 10)], EARLY)
    family.pay("both", held["first"], [(north.alice, 450)])
    family.pay("child", [held["alice"][0]], [(south.alice, 100)])
    family.pay("rival child", [held["alice"][0]], [(south.bob, 40)])
    family.pay("late child", [held["alice"][0]], [(south.bob, 149)], LATE)
    family.pay("grandchild", [held["child"][1]], [(north.bob, 50)])
    family.pay("to itself", [held["child"][0]], [(south.alice, 100)])
    family.pay("cousin", [held["alice again"][0]], [(south.alice, 119)])
    family.pay("south", [held["second"][0]], [(south.alice, 1), (north.alice, 398)])
    family.pay("meeting", [held["south"][0], held["child"][0]], [(south.bob, 101)])
    family.pay("rival", [held["rival first"][0]], [(south.alice, 399)])
    return family
