"""Which tokens pay an amount: enough, few, never one twice (T8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specie.tokens.selection import select_merge, select_tokens
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.limits import AMOUNT_MAX, INPUTS_MAX
from tests.refusing import attempt, refuse


@dataclass(frozen=True)
class Coin:
    """A candidate; `number` tells equal amounts apart."""

    number: int
    amount: Minor


def make_coins(values: Sequence[int]) -> list[Coin]:
    return [Coin(number, Minor(value)) for number, value in enumerate(values)]


small = st.integers(0, 50)
purses = st.lists(small | st.integers(0, AMOUNT_MAX // 40), max_size=40)


def find_fewest(values: Sequence[int], amount: int) -> int:
    """The smallest number of tokens that reach the amount, by trying all."""
    for size in range(1, len(values) + 1):
        if any(sum(some) >= amount for some in combinations(values, size)):
            return size
    raise AssertionError("the caller looked that all together are enough")


@given(purses, st.integers(1, AMOUNT_MAX))
def test_selection_reaches_the_amount_or_says_why_not(values: list[int], amount: int) -> None:
    coins = make_coins(values)
    chosen = attempt(select_tokens, coins, Minor(amount))
    largest = sum(sorted(values, reverse=True)[:INPUTS_MAX])
    if sum(values) < amount:
        assert chosen is ErrorCode.FUNDS_INSUFFICIENT
    elif largest < amount:
        assert chosen is ErrorCode.TOKENS_TOO_MANY
    else:
        assert not isinstance(chosen, ErrorCode)
        assert sum(one.amount for one in chosen) >= amount
        assert 1 <= len(chosen) <= INPUTS_MAX
        assert len({one.number for one in chosen}) == len(chosen)
        assert set(chosen) <= set(coins)


@given(st.lists(small, min_size=1, max_size=9), st.data())
def test_selection_takes_the_fewest_but_sweeps_one_up(
    values: list[int], data: st.DataObject
) -> None:
    """Two inputs are usual; more only when fewer would not do."""
    total = sum(values)
    if total == 0:
        return
    amount = data.draw(st.integers(1, total))
    chosen = select_tokens(make_coins(values), Minor(amount))
    assert len(chosen) == max(find_fewest(values, amount), min(2, len(values)))


@pytest.mark.parametrize(
    ("values", "amount", "expected"),
    [
        ([5], 5, [5]),
        ([5, 7, 9], 6, [7, 5]),  # the smallest that is enough, and the smallest of the rest
        ([9, 9, 1, 3], 9, [9, 1]),
        ([4, 4, 4, 1], 9, [4, 4, 4]),
        ([0, 0, 8], 8, [8, 0]),
        ([1, 2, 3], 6, [3, 2, 1]),
        ([10, 6, 5], 11, [10, 6]),
    ],
)
def test_examples(values: list[int], amount: int, expected: list[int]) -> None:
    assert [one.amount for one in select_tokens(make_coins(values), Minor(amount))] == expected


def test_sixteen_are_enough_and_seventeen_too_many() -> None:
    coins = make_coins([1] * 40)
    assert len(select_tokens(coins, Minor(16))) == INPUTS_MAX
    assert refuse(select_tokens, coins, Minor(17)) is ErrorCode.TOKENS_TOO_MANY
    assert refuse(select_tokens, coins, Minor(41)) is ErrorCode.FUNDS_INSUFFICIENT


@pytest.mark.parametrize("amount", [0, -1, 2**64])
def test_amounts_that_cannot_be_paid(amount: int) -> None:
    code = refuse(select_tokens, make_coins([5]), Minor(amount))
    assert code is ErrorCode.AMOUNT_OUT_OF_RANGE


def test_an_empty_purse() -> None:
    assert refuse(select_tokens, [], Minor(1)) is ErrorCode.FUNDS_INSUFFICIENT


def test_equal_tokens_are_not_confused() -> None:
    """Two tokens of one amount are two tokens, also when they compare equal."""
    twins = [Coin(0, Minor(5)), Coin(0, Minor(5))]
    assert len(select_tokens(twins, Minor(10))) == 2
    assert len(select_tokens(twins, Minor(5))) == 2


# --- merging ------------------------------------------------------------------------------------


def merge_until_payable(values: Sequence[int], amount: int, dust: Sequence[int] = ()) -> int:
    """Merge, with this dust arriving after each merge, until it can be paid; how many merges."""
    coins, merges = make_coins(values), 0
    while attempt(select_tokens, coins, Minor(amount)) is ErrorCode.TOKENS_TOO_MANY:
        chosen = select_merge(coins)
        left = [one.amount for one in coins if one not in chosen]
        coins = make_coins([*left, sum(one.amount for one in chosen), 0, *dust])
        merges += 1
    assert sum(one.amount for one in select_tokens(coins, Minor(amount))) >= amount
    return merges


@given(
    st.lists(st.integers(0, 9) | st.integers(0, 2**50), min_size=1, max_size=90),
    st.lists(st.integers(0, 1), max_size=15),
    st.data(),
)
def test_whatever_suffices_is_payable_after_finitely_many_merges(
    values: list[int], dust: list[int], data: st.DataObject
) -> None:
    """Also while others send dust, as fast as we merge: it does not set the pace."""
    if sum(values) == 0:
        return
    amount = data.draw(st.integers(1, sum(values)))
    assert merge_until_payable(values, amount, dust) <= -(-len(values) // 15)


@given(purses)
def test_a_merge_takes_the_largest_and_nothings_where_there_is_room(values: list[int]) -> None:
    chosen = attempt(select_merge, make_coins(values))
    if sum(values) == 0:
        assert chosen is ErrorCode.FUNDS_INSUFFICIENT
        return
    assert not isinstance(chosen, ErrorCode)
    amounts = [one.amount for one in chosen]
    assert amounts == sorted(values, reverse=True)[:INPUTS_MAX]


def test_money_among_more_nothings_than_fit_can_be_merged() -> None:
    coins = make_coins([0] * 40 + [7])
    assert [one.amount for one in select_merge(coins)][:2] == [7, 0]
    assert len(select_merge(coins)) == INPUTS_MAX
