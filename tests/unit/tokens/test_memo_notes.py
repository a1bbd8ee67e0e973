"""What a memo holds in the place of a name: a return address, or what it returns (page 02, T9)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specie.crypto.addresses import Address
from specie.crypto.outputs import MEMO_SIZE
from specie.tokens.holdings import Memo, unpack_memo
from specie.tokens.memo_notes import (
    NOTE_BYTES,
    MemoNote,
    RefundReference,
    ReturnAddress,
    pack_note,
    read_note,
)
from specie.values.identifiers import (
    Digest,
    OrderId,
    OutputRef,
    ParticipantNumber,
    PublicKey,
)

KEYS = st.binary(min_size=32, max_size=32)
ADDRESSES = st.builds(
    Address,
    st.integers(1, 2**32 - 1).map(ParticipantNumber),
    KEYS.map(PublicKey),
    KEYS.map(PublicKey),
)
NOTES: st.SearchStrategy[MemoNote] = st.one_of(
    st.builds(ReturnAddress, ADDRESSES),
    st.builds(RefundReference, KEYS.map(OutputRef), KEYS.map(Digest)),
)


@given(note=NOTES, order=st.binary(min_size=16, max_size=16))
def test_a_note_is_packed_and_read_back(note: MemoNote, order: bytes) -> None:
    memo = Memo(order_id=OrderId(order), note=note)
    packed = memo.pack()
    assert len(packed) == MEMO_SIZE and len(pack_note(note)) == NOTE_BYTES
    assert unpack_memo(packed) == memo


@given(raw=st.binary(min_size=NOTE_BYTES, max_size=NOTE_BYTES))
def test_a_note_has_one_spelling(raw: bytes) -> None:
    marked = raw[:64] + b"\xff" + raw[65:]
    for one in (raw, marked, marked[:65] + b"\1" + marked[66:70] + bytes(42)):
        found = read_note(one)
        assert found is None or pack_note(found) == one


@pytest.mark.parametrize("place", [64, 65, 66, 111])
def test_what_is_no_note_is_nothing(place: int) -> None:
    """Another mark, another kind, something where zeros belong; a payer writes what it likes."""
    refund = pack_note(RefundReference(OutputRef(b"r" * 32), Digest(b"p" * 32)))
    broken = refund[:place] + bytes([refund[place] ^ 0x40]) + refund[place + 1 :]
    assert read_note(refund) is not None and read_note(broken) is None
    assert unpack_memo(bytes(48) + broken).note is None
    address = Address(ParticipantNumber(2), PublicKey(b"v" * 32), PublicKey(b"s" * 32))
    given = pack_note(ReturnAddress(address))
    assert read_note(given[:70] + b"\1" + given[71:]) is None
    assert read_note(given[:66] + bytes(46)) is None, "no bank has the number 0"
    assert read_note(given[:-1]) is None


def test_a_memo_has_a_name_or_a_note() -> None:
    note = RefundReference(OutputRef(b"r" * 32), Digest(b"p" * 32))
    with pytest.raises(AssertionError):
        replace(Memo(name="Anna"), note=note).pack()
    assert unpack_memo(Memo(note=note).pack()).name == ""
