"""What the payee's bank can find out of the payer's side: nothing (T9, T10, X5).

It has the outline, its own output with salt and opening, the promise, the participant list and
the whole public log. It knows every output of the ledger, so whatever is only hashed can be tried;
that is why every part has a salt from the offset. The attacker tries all it knows as the salt, and
all outputs and proofs as contents; the same attacker finds everything once it is given the offset.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, permutations
from pathlib import Path

import pytest

from specie.crypto.hashing import tagged_hash
from specie.crypto.sums import SupplySum
from specie.ledger.outline import Outline
from specie.ledger.transactions import Promise
from specie.ledger.wire import encode_attested
from specie.log.leaves import CreatedLeaf, HeaderLeaf, KernelLeaf, SpentLeaf, unpack_leaf
from specie.store.notary_store import SqliteNotaryStore
from specie.tokens.building import BuiltTransaction
from specie.tokens.disclosures import Disclosure, PayeeView
from specie.values.encoding import u8
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, OutputRef, Scalar
from tests.building import NORTH, SOUTH, Draft, Holding, build, make_world, sign
from tests.station import Station
from tests.unit.ledger.history import publish

PROOF_SIZE = 577
INPUTS_PLACE, PROOFS_PLACE = 0xFF, 0xFE


@dataclass(frozen=True)
class Knowledge:
    """All that the payee's bank has, and all 32-byte words that can be read out of it."""

    view: PayeeView
    promise: Promise
    created: Sequence[CreatedLeaf]
    spent: Sequence[SpentLeaf]
    kernels: Sequence[KernelLeaf]
    headers: Sequence[HeaderLeaf]
    participants: bytes

    @property
    def outline(self) -> Outline:
        return self.view.outline

    @property
    def refs(self) -> dict[OutputRef, CreatedLeaf]:
        return {OutputRef(tagged_hash("output", leaf.output)): leaf for leaf in self.created}

    @property
    def kernel(self) -> KernelLeaf:
        """Its transaction's own leaf: the id is no secret."""
        return next(leaf for leaf in self.kernels if leaf.txid == self.promise.txid)

    def list_words(self) -> set[bytes]:
        outline, kernel = self.outline, self.kernel
        known: list[bytes] = [
            outline.offset_hash,
            outline.inputs_hash,
            outline.proofs_hash,
            *outline.slots,
        ]
        known += [self.promise.txid, self.promise.signature[:32], self.promise.signature[32:]]
        known += [kernel.kernels[0][0], kernel.kernels[0][1][:32], kernel.kernels[0][1][32:]]
        known += [bytes(32), *(header.offset for header in self.headers), *self.refs]
        known += [header.batch_hash for header in self.headers]
        for shown in self.view.outputs:
            packed = shown.opening.pack()
            known += [shown.salt, *(packed[at : at + 32] for at in range(0, 256, 32))]
        for leaf in self.created:
            known += [leaf.output[start : start + 32] for start in (0, 32, 65, 105, 137)]
        known += [self.participants[at : at + 32] for at in range(0, len(self.participants), 16)]
        return {word for word in known if len(word) == 32}


# --- the attacker -------------------------------------------------------------------------------


def derive_salts(words: Iterable[bytes]) -> set[bytes]:
    """Every word as the salt itself, and as the offset that salts are made from."""
    words = set(words)
    places = (*range(16), PROOFS_PLACE, INPUTS_PLACE)
    return words | {tagged_hash("blind", word, u8(place)) for word in words for place in places}


def find_slots(knowledge: Knowledge, salts: set[bytes]) -> set[OutputRef]:
    """The transaction's outputs among all outputs."""
    return {
        ref
        for salt in salts
        for ref in knowledge.refs
        for index, slot in enumerate(knowledge.outline.slots)
        if tagged_hash("slot", salt, u8(index), ref) == slot
    }


def find_inputs(knowledge: Knowledge, salts: set[bytes]) -> set[OutputRef]:
    """The transaction's inputs among all spent outputs, one or two of them in either order."""
    refs = [leaf.ref for leaf in knowledge.spent]
    guesses = list(chain(permutations(refs, 1), permutations(refs, 2)))
    return {
        ref
        for salt in salts
        for guess in guesses
        if tagged_hash("in", salt, u8(len(guess)), *guess) == knowledge.outline.inputs_hash
        for ref in guess
    }


def find_proofs(knowledge: Knowledge, salts: set[bytes]) -> set[OutputRef]:
    """The transaction's outputs by their proofs, which stand beside them in the log."""
    known = list(knowledge.refs.items())
    packed = [
        (first, second, u8(2) + u8(1) + one.proof + u8(1) + two.proof)
        for (first, one), (second, two) in permutations(known, 2)
    ]
    return {
        ref
        for salt in {*salts, b""}  # once there was no salt, and the change was found like this
        for first, second, proofs in packed
        if tagged_hash("range", salt, proofs) == knowledge.outline.proofs_hash
        for ref in (first, second)
    }


def find_by_balance(knowledge: Knowledge, words: Iterable[bytes]) -> set[OutputRef]:
    """The change and the inputs by the balance: ΣC_out − ΣC_in = K + o·G for a known o."""
    kernel = knowledge.kernel.kernels[0][0]
    own = knowledge.view.outputs[0]
    own_ref = next(ref for ref in knowledge.refs if _is_own(knowledge, own.index, own.salt, ref))
    spent = [leaf.ref for leaf in knowledge.spent if leaf.ref in knowledge.refs]
    guesses = [
        (change, pair)
        for change in set(knowledge.refs) - {own_ref}
        for pair in permutations(spent, 2)
    ]
    return {
        ref
        for offset in words
        for change, pair in guesses
        if _is_balanced(knowledge, (own_ref, change), pair, kernel, offset)
        for ref in (change, *pair)
    }


def _is_own(knowledge: Knowledge, index: int, salt: bytes, ref: OutputRef) -> bool:
    return tagged_hash("slot", salt, u8(index), ref) == knowledge.outline.slots[index]


def _is_balanced(
    knowledge: Knowledge,
    outputs: Sequence[OutputRef],
    inputs: Sequence[OutputRef],
    kernel: bytes,
    offset: bytes,
) -> bool:
    total = SupplySum()
    try:
        total.add_commitments([knowledge.refs[ref].output[65:97] for ref in outputs])
        total.subtract_commitments([knowledge.refs[ref].output[65:97] for ref in inputs])
        total.subtract_commitments([kernel])
        total.subtract_offset(Scalar(offset))
        total.verify_balanced()
    except SpecieError:
        return False
    return True


# --- the scene ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Attack:
    """The bank's knowledge, and what it must not find."""

    knowledge: Knowledge
    draft: Draft
    own: OutputRef
    change: OutputRef
    inputs: set[OutputRef]


def observe(station: Station, drafts: Sequence[Draft], held: Sequence[Holding]) -> Attack:
    """Notarise and publish the drafts in one batch; the first is the payment looked at."""
    promises = station.notarise([encode_attested(sign(draft)) for draft in drafts])
    assert all(isinstance(promise, Promise) for promise in promises)
    recorded = [one.transaction for one in station.store.load_waiting(1_000)]
    cut = len(recorded) - len(drafts)
    leaves = [
        unpack_leaf(leaf, PROOF_SIZE)
        for number, part in enumerate((recorded[:cut], recorded[cut:]))
        for leaf in publish(station.world, number, part)
    ]
    draft, promise = drafts[0], promises[0]
    assert isinstance(promise, Promise)
    built = BuiltTransaction(sign(draft).signed, Disclosure(draft.openings))
    knowledge = Knowledge(
        view=built.build_payee_view(SOUTH),
        promise=promise,
        created=[leaf for leaf in leaves if isinstance(leaf, CreatedLeaf)],
        spent=[leaf for leaf in leaves if isinstance(leaf, SpentLeaf)],
        kernels=[leaf for leaf in leaves if isinstance(leaf, KernelLeaf)],
        headers=[leaf for leaf in leaves if isinstance(leaf, HeaderLeaf)],
        participants=station.world.members.pack(),
    )
    own, change = (output.ref for output in draft.body.outputs)
    return Attack(knowledge, draft, own, change, {one.token.ref for one in held})


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(make_world(), SqliteNotaryStore(tmp_path / "notary.db"))


@pytest.fixture
def attack(station: Station) -> Attack:
    """The payment in a batch with another, so that Σo of the batch is not its own offset."""
    north, south = (station.world.institutions[bank] for bank in (NORTH, SOUTH))
    held = station.fund([(north.alice, 700), (north.alice, 300), (north.bob, 50)])
    drafts = [
        build(station.world, held[:2], [(south.bob, 900), (north.alice, 100)]),
        build(station.world, held[2:], [(north.alice, 20), (north.bob, 30)]),
    ]
    return observe(station, drafts, held[:2])


def test_the_payees_bank_finds_only_its_own_output(attack: Attack) -> None:  # T9, T10, X5
    knowledge = attack.knowledge
    words = knowledge.list_words()
    salts = derive_salts(words)
    assert len(words) > 100
    assert find_slots(knowledge, salts) == {attack.own}
    assert find_inputs(knowledge, salts) == set()
    assert find_proofs(knowledge, salts) == set()
    assert find_by_balance(knowledge, {header.offset for header in knowledge.headers}) == set()


def test_the_offset_opens_everything(attack: Attack) -> None:  # T9, X5
    """The control: the same attacker succeeds with the one secret that it lacks."""
    knowledge, offset = attack.knowledge, attack.draft.body.offset
    salts = derive_salts([offset])
    assert find_slots(knowledge, salts) == {attack.own, attack.change}
    assert find_inputs(knowledge, salts) == attack.inputs
    assert find_proofs(knowledge, salts) == {attack.own, attack.change}
    assert find_by_balance(knowledge, [offset]) == {attack.change, *attack.inputs}


def test_proofs_without_a_salt_would_tell_the_change(attack: Attack) -> None:  # T9, ADR 0011
    """The attack behind ADR 0011: an unsalted hash is found by trying all leaves."""
    proofs = b"".join(u8(proof.covers) + proof.data for proof in attack.draft.body.proofs)
    unsalted = Digest(tagged_hash("range", u8(2), proofs))
    old = replace(attack.knowledge.outline, proofs_hash=unsalted)
    view = PayeeView(old, attack.knowledge.view.outputs)
    knowledge = replace(attack.knowledge, view=view)
    assert find_proofs(knowledge, set()) == {attack.own, attack.change}


def test_a_batch_of_one_payment_hides_nothing(station: Station) -> None:  # X5
    """Why N_min is what anonymity rests on: alone in its batch, a payment's offset is the sum."""
    north, south = (station.world.institutions[bank] for bank in (NORTH, SOUTH))
    held = station.fund([(north.alice, 700), (north.alice, 300)])
    draft = build(station.world, held, [(south.bob, 900), (north.alice, 100)])
    lonely = observe(station, [draft], held)
    salts = derive_salts(lonely.knowledge.list_words())
    assert find_slots(lonely.knowledge, salts) == {lonely.own, lonely.change}
    assert find_inputs(lonely.knowledge, salts) == lonely.inputs


def test_the_payees_view_holds_nothing_of_the_payer(attack: Attack) -> None:  # T9, X5
    """No ref, key, commitment, amount or salt of the payer's side stands in it, whole."""
    knowledge, draft = attack.knowledge, attack.draft
    outline = knowledge.outline
    shown: list[bytes] = [
        outline.offset_hash,
        outline.inputs_hash,
        outline.proofs_hash,
        *outline.slots,
    ]
    for one in knowledge.view.outputs:
        shown += [one.salt, one.opening.pack()]
    everything = b"".join(shown)
    change = draft.openings[1]
    private = [draft.body.offset, *attack.inputs, attack.change, change.view, change.spend]
    private += [change.anchor, draft.body.outputs[1].owner, draft.body.outputs[1].commitment]
    private += [tagged_hash("blind", draft.body.offset, u8(1))]
    assert not [part for part in private if part in everything]
    assert [one.opening.bank for one in knowledge.view.outputs] == [SOUTH]
