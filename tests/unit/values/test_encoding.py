"""Fixed-width fields, texts, times: each value has one spelling, and every byte is counted."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specie.values.catalogue import ErrorCode
from specie.values.encoding import (
    Reader,
    i64,
    pad_text,
    split_fixed,
    u8,
    u16,
    u32,
    u64,
    unpad_text,
)
from specie.values.errors import SpecieError, SpentError
from specie.values.limits import SUPPLY_CHANGE_MAX
from specie.values.times import (
    DAY_MS,
    TIMESTAMP_MAX,
    Timestamp,
    check_timestamp,
    format_time,
    get_day,
)
from tests.refusing import attempt, refuse

WIDTHS = {1: (u8, Reader.u8), 2: (u16, Reader.u16), 4: (u32, Reader.u32), 8: (u64, Reader.u64)}


# --- integers -----------------------------------------------------------------------------------


@given(st.sampled_from(sorted(WIDTHS)), st.data())
def test_integers_are_little_endian_of_their_width(width: int, data: st.DataObject) -> None:
    write, read = WIDTHS[width]
    value = data.draw(st.integers(0, 256**width - 1))
    assert write(value) == bytes(value >> 8 * at & 0xFF for at in range(width))
    reader = Reader(write(value))
    assert read(reader) == value
    reader.finish()
    assert refuse(read, Reader(write(value)[:-1])) is ErrorCode.TRUNCATED


@pytest.mark.parametrize("width", WIDTHS)
def test_our_own_mistakes_are_not_wrapped(width: int) -> None:
    write, _ = WIDTHS[width]
    for value in (-1, 256**width):
        with pytest.raises(OverflowError):
            write(value)


@given(st.integers(-SUPPLY_CHANGE_MAX, SUPPLY_CHANGE_MAX))
def test_changes_of_the_supply_have_a_sign(value: int) -> None:
    assert Reader(i64(value)).supply_change() == value


def test_the_change_without_a_twin_is_refused() -> None:
    lowest = i64(-(2**63))
    assert refuse(Reader(lowest).supply_change) is ErrorCode.AMOUNT_OUT_OF_RANGE


# --- reading ------------------------------------------------------------------------------------


@given(st.binary(max_size=40), st.lists(st.integers(0, 20), max_size=5))
def test_a_reader_counts_every_byte(data: bytes, sizes: list[int]) -> None:
    reader, taken = Reader(data), b""
    for size in sizes:
        if len(taken) + size > len(data):
            assert refuse(reader.take, size) is ErrorCode.TRUNCATED
            return
        taken += reader.take(size)
    assert taken == data[: len(taken)]
    if len(taken) == len(data):
        reader.finish()
    else:
        assert refuse(reader.finish) is ErrorCode.TRAILING_BYTES


def test_counts_have_limits() -> None:
    assert [Reader(u8(number)).count(1, 3, "things") for number in (1, 2, 3)] == [1, 2, 3]
    for number in (0, 4, 255):
        assert refuse(Reader(u8(number)).count, 1, 3, "things") is ErrorCode.LIMIT_EXCEEDED


@given(st.lists(st.binary(min_size=3, max_size=3), max_size=5))
def test_equal_records_are_cut_apart(records: list[bytes]) -> None:
    assert split_fixed(b"".join(records), 3) == records
    assert refuse(split_fixed, b"".join(records) + b"x", 3) is ErrorCode.TRUNCATED


# --- text ---------------------------------------------------------------------------------------

printable = st.text(
    st.characters(exclude_categories=["Cc", "Cs"]), max_size=12
)  # at most 48 bytes of UTF-8


@given(printable)
def test_texts_are_padded_and_read_back(text: str) -> None:
    normal = unicodedata.normalize("NFC", text)
    size = len(normal.encode()) + 5
    padded = pad_text(text, size)
    assert len(padded) == size
    assert unpad_text(padded) == normal
    assert unpad_text(pad_text(text, size - 5)) == normal
    if normal:
        assert refuse(pad_text, text, size - 6) is ErrorCode.TEXT_INVALID


@pytest.mark.parametrize(
    "text", ["a\0b", "\0", "a\n", "\x1b[31mred", "\x7f", "\x85", "\ud800", "ok\udfff"]
)
def test_texts_hold_no_controls_and_no_halves(text: str) -> None:  # X5
    assert refuse(pad_text, text, 48) is ErrorCode.TEXT_INVALID


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"\xff\0\0\0", "not UTF-8"),
        (b"\xed\xa0\x80\0", "half of a surrogate pair"),
        (b"\xc0\x80\0\0", "overlong zero"),
        (b"a\0b\0", "a zero inside"),
        (b"e\xcc\x81\0", "not composed: a second spelling of é"),
        (b"a\x1b\0\0", "a control"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_texts_have_one_spelling(raw: bytes, why: str) -> None:
    assert refuse(unpad_text, raw) is ErrorCode.TEXT_INVALID


@given(st.binary(max_size=12))
def test_whatever_is_read_as_text_is_written_back(raw: bytes) -> None:
    text = attempt(unpad_text, raw)
    if text is not ErrorCode.TEXT_INVALID:
        assert pad_text(text, len(raw)) == raw


# --- times --------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, 1, TIMESTAMP_MAX])
def test_times_a_database_can_hold(value: int) -> None:
    assert check_timestamp(value) == value
    assert Reader(u64(value)).time() == value


@pytest.mark.parametrize("value", [-1, TIMESTAMP_MAX + 1, 2**64 - 1])
def test_times_it_cannot_hold(value: int) -> None:
    assert refuse(check_timestamp, value) is ErrorCode.NOT_CANONICAL
    if value > 0:
        assert refuse(Reader(u64(value)).time) is ErrorCode.NOT_CANONICAL


def test_days_begin_at_midnight_utc() -> None:
    assert [get_day(Timestamp(time)) for time in (0, DAY_MS - 1, DAY_MS, 2 * DAY_MS)] == [
        *(0, 0, 1, 2)
    ]


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_800_000_000_007, "2027-01-15T08:00:00.007Z"),
        (951_827_696_789, "2000-02-29T12:34:56.789Z"),
    ],
)
def test_times_are_shown_to_the_millisecond(time: int, text: str) -> None:
    assert format_time(Timestamp(time)) == text


# --- errors -------------------------------------------------------------------------------------


def test_errors_carry_their_code_and_a_sentence() -> None:
    error = SpecieError(ErrorCode.FUNDS_INSUFFICIENT, "not enough money")
    assert (error.code, error.message) == (ErrorCode.FUNDS_INSUFFICIENT, "not enough money")
    assert str(error) == "funds_insufficient: not enough money"
    assert SpecieError(ErrorCode.SERIAL_WRONG).message == "serial wrong"


def test_the_spent_error_carries_evidence() -> None:  # T15
    error = SpentError("spent", b"evidence")
    assert (error.code, error.evidence) == (ErrorCode.INPUT_SPENT, b"evidence")
