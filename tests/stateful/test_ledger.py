"""A batch is judged as if its transactions had come one after the other (design §5; T15, T16).

Members of a family that compete for outputs, serials and debits, that need each other, that come
too early or too late, or have one fault each, are sent in any order and in any company. A model
that sees no bytes says which are accepted.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Final, cast

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from specie.crypto.sums import SupplySum
from specie.ledger.evidence import verify_evidence
from specie.ledger.state import SupplyState
from specie.ledger.transactions import Promise
from specie.notary.notarisation import NotaryRules, Outcome, notarise
from specie.ports.notary import NotaryStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpentError
from specie.values.identifiers import EntryId, OutputRef, TransactionId
from specie.values.times import Timestamp
from tests.building import NOW
from tests.stateful.family import MINUTE_MS, Member, make_family
from tests.stateful.memory import MemoryStore
from tests.stateful.playing import play

Codes = set[ErrorCode]
MEMBERS: Final = 160
"""More than there are: numbers are counted over the end."""
choices = st.sampled_from(["able", "able", "nearly", "whole", "any"])
"""Members that the model would accept at their place, those with one reason against them, those
without a fault, or all."""


@dataclass(slots=True)
class Ledger:
    """The model: which references are there and which are gone, and how far the supply is."""

    made: set[OutputRef] = field(default_factory=set)
    gone: set[OutputRef] = field(default_factory=set)
    debits: set[EntryId] = field(default_factory=set)
    accepted: set[TransactionId] = field(default_factory=set)
    serial: int = 0
    total: int = 0

    def find_reasons(self, member: Member, now: int) -> Codes:
        """Why it must be refused now; nothing if it must be accepted."""
        found = {
            ErrorCode.NOT_YET_VALID: now < member.window[0],
            ErrorCode.EXPIRED: now > member.window[1],
            ErrorCode.INPUT_UNKNOWN: not self.made.issuperset(member.inputs),
            ErrorCode.INPUT_SPENT: not self.gone.isdisjoint(member.inputs),
            ErrorCode.OUTPUT_EXISTS: not self.made.isdisjoint(member.outputs),
            ErrorCode.KERNEL_EXISTS: not self.made.isdisjoint(member.outputs),
            ErrorCode.SERIAL_WRONG: member.serial not in (0, self.serial + 1),
            ErrorCode.TOTAL_WRONG: bool(member.serial)
            and member.total != self.total + member.change,
            ErrorCode.RESERVE_REFERENCE_USED: member.reserve in self.debits,
        }
        reasons = {code for code, is_broken in found.items() if is_broken}
        return reasons | ({member.fault} if member.fault else set())

    def accept(self, member: Member) -> None:
        """It has happened."""
        self.made.update(member.outputs)
        self.gone.update(member.inputs)
        self.accepted.add(member.txid)
        if member.serial:
            self.serial, self.total = member.serial, member.total
        if member.reserve:
            self.debits.add(member.reserve)


class LedgerMachine(RuleBasedStateMachine):
    """The notary's function over a store in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.family = make_family()
        self.store = MemoryStore()
        self.ledger = Ledger()
        self.now = NOW
        self.promises: dict[bytes, Promise] = {}
        world = self.family.world
        self.judged_by = NotaryRules(world.genesis, world.members, world.notary_key)

    @rule(
        picks=st.lists(st.tuples(choices, st.integers(0, MEMBERS)), max_size=8),
        minutes=st.sampled_from([0, 0, 0, 0, 1, 2]),
    )
    def send(self, picks: list[tuple[str, int]], minutes: int) -> None:
        """One batch, after a while in which windows open and close."""
        self.now = Timestamp(self.now + minutes * MINUTE_MS)
        batch = self.choose(picks)
        before = set(self.ledger.accepted)
        expected: dict[str, Codes] = {}
        for member in batch:
            if member.name not in expected:  # the same bytes are judged once, where they first are
                expected[member.name] = self.judge(member)
        store = cast(NotaryStore, self.store)
        outcomes = notarise([one.data for one in batch], store, self.judged_by, self.now)
        for member, outcome in zip(batch, outcomes, strict=True):
            self.compare(member, expected[member.name], outcome)
        fresh = self.ledger.accepted - before
        assert set(self.store.promises) - before == fresh

    @invariant()
    def the_store_is_what_the_model_says(self) -> None:
        """Nothing of what was refused is recorded; nothing that was accepted is missing."""
        assert set(self.store.outputs) == self.ledger.made
        assert set(self.store.spends) == self.ledger.gone
        assert self.store.reserves == self.ledger.debits
        supply: SupplyState = self.store.supply
        assert (supply.serial, supply.total) == (self.ledger.serial, self.ledger.total)
        assert self.ledger.gone <= self.ledger.made

    @invariant()
    def commitments_add_up_to_the_supply(self) -> None:  # X1, P10
        """Σ created - Σ spent - supply·H = ΣK + Σo·G, whatever was refused in between."""
        store, total = self.store, SupplySum()
        total.add_commitments([one.output.commitment for one in store.outputs.values()])
        total.subtract_commitments([store.outputs[ref].output.commitment for ref in store.spends])
        total.subtract_commitments(list(store.kernels))
        for body in store.bodies:
            total.subtract_offset(body.offset)
        total.subtract_supply(self.ledger.total)
        total.verify_balanced()

    # --- parts of rules --------------------------------------------------------------------------

    def choose(self, picks: list[tuple[str, int]]) -> list[Member]:
        """Members by number, of those that the choice leaves."""
        everyone = list(self.family.members.values())
        draft, batch = deepcopy(self.ledger), []
        for choice, number in picks:
            against = {one.name: len(draft.find_reasons(one, self.now)) for one in everyone}
            left = {
                "able": [one for one in everyone if against[one.name] == 0],
                "nearly": [one for one in everyone if against[one.name] == 1 and not one.fault],
                "whole": [one for one in everyone if not one.fault],
                "any": everyone,
            }[choice] or everyone
            member = left[number % len(left)]
            batch.append(member)
            if not draft.find_reasons(member, self.now):
                draft.accept(member)
        return batch

    def judge(self, member: Member) -> Codes:
        """In turn: what was accepted before it, in this batch too, counts."""
        if member.txid in self.ledger.accepted:
            return set()
        reasons = self.ledger.find_reasons(member, self.now)
        if not reasons:
            self.ledger.accept(member)
        return reasons

    def compare(self, member: Member, reasons: Codes, outcome: Outcome) -> None:
        """A promise for what is accepted, always the same; else one of the reasons."""
        if isinstance(outcome, Promise):
            assert member.txid in self.ledger.accepted, f"{member.name}: foretold {reasons}"
            assert outcome.txid == member.txid
            assert self.promises.setdefault(member.txid, outcome) == outcome
            return
        assert outcome.code in reasons, f"{member.name}: {outcome}; foretold {reasons}"
        if isinstance(outcome, SpentError):
            found = verify_evidence(outcome.evidence, self.family.world.genesis.network)
            assert found.second.txid == member.txid
            assert found.first.txid in self.ledger.accepted
            assert found.output.ref in member.inputs


@pytest.mark.hypothesis
@pytest.mark.parametrize("part", range(12))
def test_a_batch_is_judged_in_its_order(part: int) -> None:  # T15, T16
    """In parts of few examples: after its first ten, Hypothesis mostly varies what it has."""
    play(LedgerMachine, steps=20)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(12))
def test_many_batches_are_judged_in_their_order(part: int) -> None:  # T15, T16
    play(LedgerMachine, steps=60)
