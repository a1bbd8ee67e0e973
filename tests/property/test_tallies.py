"""The tally on files judges as the one in memory does: same sums, same code, same place."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specie.ledger.tally import MemoryTally, Place, Tally
from specie.store.tally_files import TallyFolder
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Commitment, OutputRef, TransactionId

Step = tuple[str, bytes]
Verdict = tuple[ErrorCode, str] | list[Commitment]

ACTS = ("create", "spend", "unique", "void", "accused")
ITEMS = st.sampled_from(
    [bytes([first, *range(30), last]) for first in (0, 9, 255) for last in (0, 1)]
)
SAME_FILE = st.sampled_from([bytes([7, *range(30), last]) for last in range(6)])


def list_steps(items: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[Step]]:
    """A history, right or wrong."""
    return st.lists(st.tuples(st.sampled_from(ACTS), items), max_size=14)


def play(tally: Tally, steps: Sequence[Step]) -> Verdict:
    """Feed it all; what it says at the end."""
    try:
        for number, (what, item) in enumerate(steps):
            place = Place(number // 3, number % 3)
            if what == "create":
                tally.create(OutputRef(item), Commitment(item[::-1]), place)
            elif what == "spend":
                tally.spend(OutputRef(item), place)
            elif what == "void":
                tally.add_void(TransactionId(item), place)
            elif what == "accused":
                tally.add_accused(TransactionId(item), place)
            else:
                tally.add_unique(item, place)
        return sorted(one for group in tally.iterate_spent() for one in group)
    except SpecieError as error:
        return error.code, error.message


def play_on_files(steps: Sequence[Step]) -> Verdict:
    """The same in a folder of its own."""
    with TemporaryDirectory() as folder:
        tally = TallyFolder(Path(folder))
        try:
            return play(tally, steps)
        finally:
            tally.close()


def keep_right(steps: Sequence[Step]) -> list[Step]:
    """The steps of a history that break no rule."""
    kept: list[Step] = []
    for step in steps:
        if isinstance(play(MemoryTally(), [*kept, step]), list):
            kept.append(step)
    return kept


@settings(max_examples=40)
@given(list_steps(SAME_FILE))
def test_the_first_wrong_thing_is_the_same(steps: list[Step]) -> None:
    assert play_on_files(steps) == play(MemoryTally(), steps)


@settings(max_examples=40)
@given(list_steps(ITEMS), st.tuples(st.sampled_from(ACTS), ITEMS))
def test_right_histories_and_one_wrong_step(steps: list[Step], last: Step) -> None:
    right = keep_right(steps)
    assert play_on_files(right) == play(MemoryTally(), right)
    assert play_on_files([*right, last]) == play(MemoryTally(), [*right, last])


@settings(max_examples=40)
@given(list_steps(ITEMS))
def test_both_accept_or_both_refuse(steps: list[Step]) -> None:
    """Of several wrong things each may name another one first."""
    files, memory = play_on_files(steps), play(MemoryTally(), steps)
    assert isinstance(files, list) == isinstance(memory, list)
    assert files == memory or isinstance(files, tuple)


def test_every_rule_on_both() -> None:
    one = bytes(range(32))
    for steps, code in (
        ([("create", one)] * 2, ErrorCode.OUTPUT_EXISTS),
        ([("create", one), ("spend", one), ("create", one)], ErrorCode.OUTPUT_EXISTS),
        ([("create", one), ("spend", one), ("spend", one)], ErrorCode.INPUT_SPENT),
        ([("spend", one)], ErrorCode.INPUT_UNKNOWN),
        ([("spend", one), ("create", one)], ErrorCode.INPUT_UNKNOWN),
        ([("unique", one)] * 2, ErrorCode.KERNEL_EXISTS),
    ):
        for verdict in (play(MemoryTally(), steps), play_on_files(steps)):
            assert isinstance(verdict, tuple) and verdict[0] is code


@pytest.mark.parametrize("steps", [("void", "accused"), ("accused", "accused", "void")])
def test_what_is_void_accuses_nobody(steps: Sequence[str]) -> None:
    item = bytes(range(32))
    last = len(steps) - 1
    where = f"batch {last // 3}, leaf {last % 3}: a void transaction is in a conflict"
    for judge in (play_on_files, lambda one: play(MemoryTally(), one)):
        assert judge([(what, item) for what in steps]) == (ErrorCode.EVIDENCE_INVALID, where)
        assert judge([("accused", item), ("unique", item), ("accused", item)]) == []
