"""The public check of the currency: it holds for a true ledger, and for no forged one (X1, P10).

Each forgery is as consistent as a dishonest notary can make it: counts, order, header and sums are
made anew. What is left to find is the one thing it cannot make, and that gives the code.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import pytest

from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import SigningKey
from specie.crypto.signatures import sign as sign_schnorr
from specie.crypto.sums import SupplySum, sum_scalars
from specie.identity.genesis import ProofMode
from specie.ledger.audit import PublicAudit, split_batches
from specie.ledger.messages import compute_kernel_message
from specie.ledger.state import SupplyState
from specie.log.leaves import CreatedLeaf, HeaderLeaf, KernelLeaf, SpentLeaf, SupplyChange
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, OutputRef, PublicKey, Scalar, TransactionId
from specie.values.limits import BATCH_LEAVES_MAX
from specie.values.times import Timestamp
from tests.building import NORTH, NOW, build_redemption, make_holding, make_world
from tests.reference.hashing import ORDER
from tests.refusing import attempt, refuse
from tests.unit.ledger.forging import append_issue, inflate, shift, shift_kernel
from tests.unit.ledger.history import (
    ISSUE,
    PAYMENTS,
    REDEMPTION,
    SECOND_ISSUE,
    History,
    arrange,
    find_leaf,
    make_history,
)

COMMITMENT: Final = slice(65, 97)


@pytest.fixture
def history() -> History:
    return make_history()


def test_a_batch_has_a_limit() -> None:
    """Whoever holds the log's key cannot make a reader hold a whole log in memory."""
    header, leaf = bytes(98), b"\5"
    most = [header, *[leaf] * (BATCH_LEAVES_MAX - 1)]
    assert list(split_batches([header, *most, header])) == [[header], most, [header]]
    with pytest.raises(SpecieError, match=f"log_invalid: batch 2, leaf {BATCH_LEAVES_MAX}: "):
        list(split_batches([header, *most, leaf]))


# --- a true ledger ------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", tuple(ProofMode), ids=lambda mode: mode.name)
def test_a_true_ledger_is_verified(mode: ProofMode) -> None:  # X1, P10
    totals = make_history(mode).audit()
    assert (totals.batches, totals.created, totals.spent) == (4, 11, 4)
    assert (totals.kernels, totals.authorisations, totals.serial) == (5, 6, 3)
    assert totals.supply == 10_000 - 3_000 + 500
    assert totals.range_proofs == (11 if mode is ProofMode.PUBLISHED else 0)


def test_an_empty_ledger_is_verified() -> None:
    world = make_world()
    assert PublicAudit(world.genesis, world.members).finish().supply == 0


def test_the_leaves_name_no_bank_and_no_amount(history: History) -> None:  # X5, T10, T4
    everything = b"".join(leaf for batch in history.batches for leaf in batch)
    private = [
        part
        for batch in history.drafts
        for draft in batch
        for part in (
            draft.body.offset if len(batch) > 1 else b"",
            *(opening.view for opening in draft.openings),
            *(opening.spend for opening in draft.openings),
            *(terms.nonce for terms in draft.body.terms),
            draft.supply.reserve.entry if draft.supply and draft.supply.reserve else b"",
        )
    ]
    assert not [part for part in private if part and part in everything]


def test_batches_are_cut_at_their_headers(history: History) -> None:
    leaves = [leaf for batch in history.batches for leaf in batch]
    assert [tuple(batch) for batch in split_batches(leaves)] == list(history.batches)
    assert list(split_batches([])) == []
    assert list(split_batches(leaves[1:3])) == [leaves[1:3]]


# --- forms --------------------------------------------------------------------------------------


def test_batches_in_another_form(history: History) -> None:  # X1
    first, *others = history.batches[PAYMENTS]
    issue = history.batches[ISSUE]
    wrong = {
        "no batch at all": [],
        "no header": others,
        "two headers": [first, first, *others],
        "the header of another batch": [issue[0], *others],
        "out of order": [first, *others[::-1]],
        "two leaves turned": [first, others[1], others[0], *others[2:]],
        "a leaf twice": [first, others[0], *others],
        "a leaf left out": [first, *others[1:]],
        "the last leaf left out": [first, *others[:-1]],
        "a leaf of another batch": [first, *sorted([*others, issue[1]])],
    }
    for name, leaves in wrong.items():
        forged = history.with_batch(PAYMENTS, leaves)
        assert refuse(forged.audit) is ErrorCode.LOG_INVALID, name
    malformed = history.with_batch(PAYMENTS, [first, b"", *others])
    assert refuse(malformed.audit) is ErrorCode.LEAF_MALFORMED


def test_batches_count_up_from_one(history: History) -> None:  # X1
    for number in (0, 1, 3, 2**64 - 1):
        forged = history.edit_header(PAYMENTS, number=number)
        assert refuse(forged.audit) is ErrorCode.LOG_INVALID
    left_out = replace(history, batches=(history.batches[ISSUE], *history.batches[2:]))
    assert refuse(left_out.audit) is ErrorCode.LOG_INVALID
    turned = replace(history, batches=history.batches[::-1])
    assert refuse(turned.audit) is ErrorCode.LOG_INVALID


def test_time_does_not_go_back(history: History) -> None:  # X1
    early = history.edit_header(PAYMENTS, time=Timestamp(NOW - 1))
    assert refuse(early.audit) is ErrorCode.LOG_INVALID
    late = history.edit_header(PAYMENTS, time=Timestamp(NOW + 1))
    assert refuse(late.audit) is ErrorCode.LOG_INVALID


@pytest.mark.parametrize("field", ["created", "spent", "kernels"])
def test_headers_count_what_follows(history: History, field: str) -> None:  # X1
    for wrong in (0, 1, 2**32 - 1):
        forged = history.edit_header(PAYMENTS, **{field: wrong})
        assert refuse(forged.audit) is ErrorCode.LOG_INVALID


# --- outputs and sums ---------------------------------------------------------------------------


def is_balanced(history: History) -> bool:
    """The sum alone, without any of the rules."""
    total, outputs, supply = SupplySum(), {}, 0
    for number in range(len(history.batches)):
        for leaf in history.unpack(number):
            if isinstance(leaf, CreatedLeaf):
                outputs[tagged_hash("output", leaf.output)] = leaf.output[COMMITMENT]
            elif isinstance(leaf, SpentLeaf):
                del outputs[Digest(leaf.ref)]
            elif isinstance(leaf, KernelLeaf):
                total.subtract_commitments([public for public, _ in leaf.kernels])
                supply += leaf.supply_change
            elif isinstance(leaf, HeaderLeaf):
                total.subtract_offset(leaf.offset)
    total.add_commitments(list(outputs.values()))
    total.subtract_supply(supply)
    return attempt(total.verify_balanced) is None


@pytest.mark.parametrize("mode", tuple(ProofMode), ids=lambda mode: mode.name)
@pytest.mark.parametrize("more", [1, 1_000_000, -650])
def test_an_inflated_output(mode: ProofMode, more: int) -> None:  # X1, P10
    """More money, or less: the sum does not close."""
    forged = inflate(make_history(mode), more)
    assert not is_balanced(forged)
    assert refuse(forged.audit) is ErrorCode.SUPPLY_NOT_VERIFIED


@pytest.mark.parametrize("mode", tuple(ProofMode), ids=lambda mode: mode.name)
def test_an_inflated_output_hidden_in_a_kernel(mode: ProofMode) -> None:  # X1, P10
    """K + H closes the sum over a batch made anew; nobody can sign for such a kernel."""
    forged = shift_kernel(inflate(make_history(mode), 1_000), 1_000)
    assert is_balanced(forged)
    assert refuse(forged.audit) is ErrorCode.KERNEL_SIGNATURE_INVALID


def test_a_kernel_signed_anew_is_no_help(history: History) -> None:  # X1
    """A kernel that the forger can sign for has no H-part, so the sum stays open."""
    key = SigningKey.generate()

    def change(leaf: KernelLeaf) -> KernelLeaf:
        message = compute_kernel_message(history.world.genesis.network, leaf.txid, 0)
        return replace(leaf, kernels=((PublicKey(key.public), sign_schnorr(key, message)),))

    forged = inflate(history, 1_000).edit(PAYMENTS, KernelLeaf, change)
    assert refuse(forged.audit) is ErrorCode.SUPPLY_NOT_VERIFIED


def test_a_wrong_offset(history: History) -> None:  # X1
    header = history.unpack(PAYMENTS)[0]
    assert isinstance(header, HeaderLeaf)
    one = Scalar((1).to_bytes(32, "little"))
    wrong = history.edit_header(PAYMENTS, offset=sum_scalars([header.offset, one]))
    assert refuse(wrong.audit) is ErrorCode.SUPPLY_NOT_VERIFIED
    second = int.from_bytes(header.offset, "little") + ORDER
    spelled = history.edit_header(PAYMENTS, offset=Scalar(second.to_bytes(32, "little")))
    assert refuse(spelled.audit) is ErrorCode.SCALAR_INVALID


@pytest.mark.parametrize("kind", [CreatedLeaf, SpentLeaf, KernelLeaf])
def test_a_leaf_left_out_of_a_batch_made_anew(  # X1
    history: History, kind: type[CreatedLeaf] | type[SpentLeaf] | type[KernelLeaf]
) -> None:
    """The redemption's batch, whose outputs are not spent later."""
    forged = history.drop(REDEMPTION, kind)
    wanted = ErrorCode.SERIAL_WRONG if kind is KernelLeaf else ErrorCode.SUPPLY_NOT_VERIFIED
    assert refuse(forged.audit) is wanted


def test_outputs_that_are_not_there_to_spend(history: History) -> None:  # X1, T15
    _, spent = find_leaf(history.unpack(REDEMPTION), SpentLeaf)
    twice = history.add(SECOND_ISSUE, spent)
    assert refuse(twice.audit) is ErrorCode.INPUT_SPENT
    unknown = history.add(SECOND_ISSUE, SpentLeaf(OutputRef(bytes(range(32)))))
    assert refuse(unknown.audit) is ErrorCode.INPUT_UNKNOWN
    early = history.add(ISSUE, SpentLeaf(history.drafts[PAYMENTS][0].body.outputs[1].ref))
    assert refuse(early.audit) is ErrorCode.INPUT_UNKNOWN


def test_an_output_created_again(history: History) -> None:  # X1
    """Unspent or spent long ago: a reference is unique over the whole log."""
    size = len(history.unpack(ISSUE))
    for place in range(1, size):
        leaf = history.unpack(ISSUE)[place]
        if isinstance(leaf, CreatedLeaf):
            forged = history.add(SECOND_ISSUE, leaf)
            assert refuse(forged.audit) is ErrorCode.OUTPUT_EXISTS


def test_ranges_are_proven(history: History) -> None:  # X1
    """A negative output and a larger one sum to the same: only the proofs tell."""
    other = history.unpack(ISSUE)[1]
    assert isinstance(other, CreatedLeaf)
    borrowed = history.edit(
        SECOND_ISSUE, CreatedLeaf, lambda leaf: replace(leaf, proof=other.proof)
    )
    assert refuse(borrowed.audit) is ErrorCode.PROOF_INVALID
    negative = history
    for value in (-501, 501):
        output = _take_created(history, 0 if value < 0 else 1)
        moved = output[:65] + shift(output[COMMITMENT], value) + output[97:]
        negative = _swap_output(negative, output, moved)
    assert is_balanced(negative)
    assert refuse(negative.audit) is ErrorCode.PROOF_INVALID


@pytest.mark.parametrize("mode", tuple(ProofMode), ids=lambda mode: mode.name)
def test_commitments_are_points(mode: ProofMode) -> None:  # X1
    base = make_history(mode)
    output = _take_created(base, 0)
    for point, codes in (
        (bytes(32), {ErrorCode.IDENTITY_POINT, ErrorCode.POINT_INVALID}),
        (b"\xff" * 32, {ErrorCode.POINT_INVALID}),
    ):
        moved = output[:65] + point + output[97:]
        assert refuse(_swap_output(base, output, moved).audit) in codes


def _take_created(history: History, place: int) -> bytes:
    leaves = [leaf for leaf in history.unpack(SECOND_ISSUE) if isinstance(leaf, CreatedLeaf)]
    return leaves[place].output


def _swap_output(history: History, old: bytes, new: bytes) -> History:
    leaves = [
        replace(leaf, output=new) if isinstance(leaf, CreatedLeaf) and leaf.output == old else leaf
        for leaf in history.unpack(SECOND_ISSUE)
    ]
    return history.with_batch(SECOND_ISSUE, arrange(leaves))


# --- kernels ------------------------------------------------------------------------------------


def test_kernels_stand_once(history: History) -> None:  # X1
    _, leaf = find_leaf(history.unpack(PAYMENTS), KernelLeaf)
    renamed = replace(leaf, txid=TransactionId(bytes(32)))
    fresh = replace(leaf, kernels=((PublicKey(SigningKey.generate().public), leaf.kernels[0][1]),))
    for again in (leaf, renamed, fresh):
        forged = history.add(REDEMPTION, again)
        assert refuse(forged.audit) is ErrorCode.KERNEL_EXISTS


KernelChange = Callable[[KernelLeaf], KernelLeaf]


@pytest.mark.parametrize(
    "change",
    [
        lambda leaf: replace(leaf, txid=TransactionId(bytes(32))),
        lambda leaf: replace(leaf, supply_change=leaf.supply_change + 1),
        lambda leaf: replace(leaf, supply_change=-leaf.supply_change),
        lambda leaf: replace(leaf, supply_change=0, supply=None),
    ],
    ids=["another id", "one unit more", "the other sign", "no change at all"],
)
def test_kernels_sign_id_and_change(history: History, change: KernelChange) -> None:  # X1, P10
    forged = history.edit(SECOND_ISSUE, KernelLeaf, change)
    assert refuse(forged.audit) is ErrorCode.KERNEL_SIGNATURE_INVALID


def test_an_identity_as_a_kernel(history: History) -> None:  # X1
    def change(leaf: KernelLeaf) -> KernelLeaf:
        return replace(leaf, kernels=((PublicKey(bytes(32)), leaf.kernels[0][1]),))

    forged = history.edit(PAYMENTS, KernelLeaf, change)
    assert refuse(forged.audit) is ErrorCode.IDENTITY_POINT


# --- supply -------------------------------------------------------------------------------------


def get_supply(history: History, number: int) -> SupplyChange:
    _, leaf = find_leaf(history.unpack(number), KernelLeaf)
    assert leaf.supply is not None
    return leaf.supply


def test_a_third_issue_is_fine(history: History) -> None:
    assert append_issue(history, lambda supply: supply).audit().supply == 7_600


def test_authorisations_of_an_earlier_issue(history: History) -> None:  # X1, P2
    """Replayed as they are, with the new serial, and one of them beside a true one."""
    earlier = get_supply(history, SECOND_ISSUE)
    assert refuse(append_issue(history, lambda _: earlier).audit) is ErrorCode.SERIAL_WRONG
    replayed = append_issue(
        history, lambda supply: replace(supply, authorisations=earlier.authorisations)
    )
    assert refuse(replayed.audit) is ErrorCode.AUTHORISATION_INVALID
    mixed = append_issue(
        history,
        lambda supply: replace(
            supply, authorisations=(supply.authorisations[0], earlier.authorisations[1])
        ),
    )
    assert refuse(mixed.audit) is ErrorCode.AUTHORISATION_INVALID


SupplyEdit = Callable[[SupplyChange], SupplyChange]
SUPPLY_EDITS: Final[Sequence[tuple[str, SupplyEdit, ErrorCode]]] = (
    ("a gap", lambda one: replace(one, serial=5), ErrorCode.SERIAL_WRONG),
    ("a serial again", lambda one: replace(one, serial=3), ErrorCode.SERIAL_WRONG),
    ("another total", lambda one: replace(one, total_after=7_601), ErrorCode.TOTAL_WRONG),
    ("nobody", lambda one: replace(one, authorisations=()), ErrorCode.AUTHORISATION_MISSING),
    (
        "one officer",
        lambda one: replace(one, authorisations=one.authorisations[:1]),
        ErrorCode.AUTHORISATION_MISSING,
    ),
    (
        "one officer twice",
        lambda one: replace(one, authorisations=one.authorisations[:1] * 2),
        ErrorCode.AUTHORISATION_MISSING,
    ),
    (
        "an officer too many, and no officer",
        lambda one: replace(
            one, authorisations=(*one.authorisations, (9, one.authorisations[0][1]))
        ),
        ErrorCode.AUTHORISATION_INVALID,
    ),
    (
        "names exchanged",
        lambda one: replace(
            one,
            authorisations=(
                (one.authorisations[1][0], one.authorisations[0][1]),
                (one.authorisations[0][0], one.authorisations[1][1]),
            ),
        ),
        ErrorCode.AUTHORISATION_INVALID,
    ),
)


@pytest.mark.parametrize(
    ("edit", "code"),
    [(edit, code) for _, edit, code in SUPPLY_EDITS],
    ids=[name for name, _, _ in SUPPLY_EDITS],
)
def test_an_issue_that_is_not_in_order(  # X1, P2, P10
    history: History, edit: SupplyEdit, code: ErrorCode
) -> None:
    assert refuse(append_issue(history, edit).audit) is code


def test_a_change_left_out_leaves_a_gap(history: History) -> None:  # X1, P10
    without = replace(
        history,
        batches=(
            *history.batches[:REDEMPTION],
            history.edit_header(SECOND_ISSUE, number=REDEMPTION + 1).batches[SECOND_ISSUE],
        ),
    )
    assert refuse(without.audit) is ErrorCode.SERIAL_WRONG


def test_more_redeemed_than_there_is(history: History) -> None:  # X1, P10
    """The total never becomes negative, whoever signs."""
    world = history.world
    vault = world.institutions[NORTH].vault
    token = make_holding(world, vault, 8_000)
    draft = build_redemption(world, SupplyState(3, 8_000), [token], 8_000)
    forged = history.append(draft).drop(len(history.batches), SpentLeaf)
    assert refuse(forged.audit) is ErrorCode.TOTAL_WRONG


def test_officers_of_the_list_only(history: History) -> None:  # P2
    """Another list, other officers: the same log does not hold."""
    officers = {**history.world.members.officers, 1: history.world.members.officers[3]}
    members = replace(history.world.members, officers=officers)
    stranger = replace(history, world=replace(history.world, members=members))
    assert refuse(stranger.audit) is ErrorCode.AUTHORISATION_INVALID
    other = replace(history, world=history.world.with_genesis(name="another network"))
    assert refuse(other.audit) is ErrorCode.KERNEL_SIGNATURE_INVALID
