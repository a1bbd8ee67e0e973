"""Memos and the keys of sub-wallets (spec pages 01 and 02)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specie.crypto.outputs import MEMO_SIZE
from specie.crypto.secrets import KeyTree, parse_phrase
from specie.tokens.holdings import Memo, derive_keys, unpack_memo
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import OrderId, Signature
from tests.building import NORTH, SOUTH
from tests.refusing import refuse

PHRASE = "abandon " * 11 + "about"
names = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12)
ids = st.binary(min_size=16, max_size=16)
memos = st.builds(
    Memo,
    order_id=ids.map(OrderId),
    end_to_end_id=ids,
    travel_rule=ids,
    name_signature=st.binary(min_size=64, max_size=64).map(Signature),
    name=names.map(lambda name: unicodedata.normalize("NFC", name)).filter(
        lambda name: len(name.encode()) <= 48
    ),
)


@given(memos)
def test_memos_are_packed_and_read_back(memo: Memo) -> None:
    packed = memo.pack()
    assert len(packed) == MEMO_SIZE
    assert unpack_memo(packed) == memo


def test_an_empty_memo_is_zeros() -> None:  # T9
    assert Memo().pack() == bytes(MEMO_SIZE)
    assert unpack_memo(bytes(MEMO_SIZE)) == Memo()


@given(st.binary(min_size=MEMO_SIZE, max_size=MEMO_SIZE))
def test_whatever_a_payer_writes_can_be_read(raw: bytes) -> None:  # T11
    """A payee cannot be hindered by a memo; what is no text is no name."""
    memo = unpack_memo(raw)
    assert raw.startswith(memo.order_id + memo.end_to_end_id + memo.travel_rule)
    assert memo.name == "" or memo.pack() == raw


@pytest.mark.parametrize("name", [b"\x1b[2J", b"\xff\xfe", b"a\0b", b"e\xcc\x81", b"one\ntwo"])
def test_a_name_that_could_do_harm_is_none(name: bytes) -> None:  # X5
    assert unpack_memo(bytes(112) + name.ljust(48, b"\0")).name == ""


def test_memos_of_the_wrong_size() -> None:
    assert refuse(unpack_memo, bytes(MEMO_SIZE - 1)) is ErrorCode.TRUNCATED
    assert refuse(unpack_memo, bytes(MEMO_SIZE + 1)) is ErrorCode.TRAILING_BYTES
    assert refuse(Memo(name="x" * 49).pack) is ErrorCode.TEXT_INVALID
    assert refuse(Memo(name="two\nlines").pack) is ErrorCode.TEXT_INVALID


def test_sub_wallets_have_nothing_in_common() -> None:  # T3, T25
    tree = parse_phrase(PHRASE)
    addresses = [derive_keys(tree, number, NORTH).address for number in (0, 1, 2, 2**32 - 1)]
    keys = {key for one in addresses for key in (one.view, one.spend)}
    assert len(keys) == 8


def test_a_phrase_gives_the_same_keys_again() -> None:  # T19, X7
    first, again = (derive_keys(parse_phrase(PHRASE), 3, NORTH) for _ in range(2))
    assert first.address == again.address
    moved = derive_keys(parse_phrase(PHRASE), 3, SOUTH).address
    assert (moved.view, moved.spend) == (first.address.view, first.address.spend)
    assert moved.bank != first.address.bank


@pytest.mark.parametrize(
    "phrase", ["", "abandon", PHRASE.upper(), PHRASE.replace("about", "above"), PHRASE + " about"]
)
def test_phrases_with_an_error(phrase: str) -> None:  # X7
    assert refuse(parse_phrase, phrase) is ErrorCode.PHRASE_INVALID


def test_a_fresh_phrase_opens_the_same_wallet() -> None:  # X7
    tree = KeyTree.generate()
    assert len(tree.phrase().split()) == 24
    copy = parse_phrase(tree.phrase())
    assert derive_keys(copy, 0, NORTH).address == derive_keys(tree, 0, NORTH).address
