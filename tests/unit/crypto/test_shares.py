"""A phrase in shares: any k of n give it back, fewer tell nothing (X7)."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from specie.crypto.secrets import KeyTree
from specie.crypto.shares import combine_shares, split_phrase
from specie.values.catalogue import ErrorCode
from specie.values.limits import SHARES_MAX
from tests.country import refused

TWELVE = "legal winner thank year wave sausage worth useful legal winner thank yellow"


@settings(max_examples=10)
@given(st.integers(2, 5), st.integers(0, 3), st.data())
def test_any_k_give_it_back(threshold: int, more: int, data: st.DataObject) -> None:
    phrase = KeyTree.generate().phrase()
    shares = split_phrase(phrase, threshold, threshold + more)
    chosen = data.draw(st.permutations(shares))[:threshold]
    assert combine_shares(chosen) == phrase
    with refused(ErrorCode.PHRASE_INVALID):
        combine_shares(chosen[1:])


def test_shorter_phrases_too_and_every_pair() -> None:
    shares = split_phrase(TWELVE, 2, 3)
    for pair in combinations(shares, 2):
        assert combine_shares([f"  {pair[0].upper()} ", pair[1]]) == TWELVE


def test_shares_of_two_phrases_and_changed_ones_are_refused() -> None:
    first, second = (split_phrase(KeyTree.generate().phrase(), 2, 3) for _ in range(2))
    words = first[1].split()
    changed = " ".join([*words[:-1], "academic" if words[-1] != "academic" else "acid"])
    for bad in (
        [first[0], second[1]],
        [first[0], changed],
        [first[0], first[0]],
        [first[0], "not a share"],
        [],
    ):
        with refused(ErrorCode.PHRASE_INVALID):
            combine_shares(bad)


def test_one_of_n_is_no_split() -> None:
    for threshold, count in ((1, 3), (0, 3), (4, 3)):
        with refused(ErrorCode.SETTING_INVALID):
            split_phrase(TWELVE, threshold, count)
    with refused(ErrorCode.LIMIT_EXCEEDED):
        split_phrase(TWELVE, 2, SHARES_MAX + 1)
    with refused(ErrorCode.PHRASE_INVALID):
        split_phrase(TWELVE.replace("yellow", "zoo"), 2, 3)


def test_one_share_says_nothing_of_the_phrase() -> None:
    """Shares of the same phrase are other words each time."""
    made = [split_phrase(TWELVE, 2, 3)[0].split()[4:-3] for _ in range(3)]
    assert len({tuple(one) for one in made}) == 3
