"""A request to pay: one spelling, signed by its payee, paid once (T8, T18)."""

import unicodedata
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specie.crypto.secrets import KeyTree
from specie.tokens.holdings import derive_keys
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import NetworkId, OrderId, ParticipantNumber
from specie.values.limits import AMOUNT_MAX, REQUEST_BYTES_MAX, TEXT_MAX
from specie.values.times import Timestamp
from specie.wallet.requests import (
    PaymentRequest,
    RequestState,
    check_payable,
    choose_amount,
    compute_request_state,
    derive_payment_id,
    format_request,
    parse_request,
)
from tests.country import refused

NETWORK, PREFIX = NetworkId(bytes(range(16))), "spc"
KEYS = derive_keys(KeyTree.generate(), 0, ParticipantNumber(2))
OTHER = derive_keys(KeyTree.generate(), 0, ParticipantNumber(2))
PLAIN = PaymentRequest(NETWORK, KEYS.address, Minor(1_250), OrderId(b"o" * 16))
FULL = replace(
    PLAIN,
    end_to_end_id=b"e" * 16,
    expiry=Timestamp(60_000),
    name="Café Şymbūlaq",
    text="2 & 1 = 3?",
)


def write(request: PaymentRequest) -> str:
    return format_request(request, KEYS.spend, PREFIX)


def read(link: str) -> PaymentRequest:
    return parse_request(link, NETWORK, PREFIX)


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20).map(
    lambda text: unicodedata.normalize("NFC", text)
)


@settings(max_examples=60, deadline=None)
@given(
    amount=st.integers(0, AMOUNT_MAX),
    order=st.binary(min_size=16, max_size=16).filter(any),
    end_to_end=st.binary(min_size=16, max_size=16),
    seconds=st.integers(0, 2**40),
    text=TEXTS,
)
def test_what_is_written_is_read(
    amount: int, order: bytes, end_to_end: bytes, seconds: int, text: str
) -> None:
    wanted = replace(
        PLAIN,
        amount=Minor(amount),
        order=OrderId(order),
        end_to_end_id=end_to_end,
        expiry=Timestamp(seconds * 1000),
        text=text,
    )
    link = write(wanted)
    assert len(link) <= REQUEST_BYTES_MAX and read(link) == wanted and link.isascii()


def test_its_longest_text_fits_a_link() -> None:
    assert read(write(replace(FULL, text="ж" * TEXT_MAX))).text == "ж" * TEXT_MAX
    with refused(ErrorCode.LIMIT_EXCEEDED):
        write(replace(FULL, text="😀" * TEXT_MAX))
    with refused(ErrorCode.TEXT_INVALID):
        write(replace(FULL, text="x" * (TEXT_MAX + 1)))


CHANGES: dict[str, Callable[[str], str]] = {
    "amount": lambda link: link.replace("&m=1250", "&m=1251"),
    "no amount": lambda link: link.replace("&m=1250", ""),
    "order": lambda link: link.replace("&o=6f", "&o=6e"),
    "end-to-end id": lambda link: link.replace("&e=65", "&e=66"),
    "expiry": lambda link: link.replace("&x=60", "&x=61"),
    "text": lambda link: link.replace("&t=2", "&t=3"),
    "name": lambda link: link.replace("&p=Caf", "&p=Kaf"),
    "no name": lambda link: link.replace("&p=Caf%C3%A9%20%C5%9Eymb%C5%ABlaq", ""),
    "signature": lambda link: link[:-1] + ("0" if link[-1] != "0" else "1"),
    "short signature": lambda link: link[:-2],
    "no signature": lambda link: link.partition("&s=")[0],
    "twice": lambda link: link + "&v=1",
    "another order of fields": lambda link: link.replace("?v=1&n=", "?n=").replace(
        "&a=", "&v=1&a="
    ),
    "unknown field": lambda link: link + "&z=1",
    "empty field": lambda link: link.replace("&m=1250", "&m="),
    "zero before": lambda link: link.replace("&m=1250", "&m=01250"),
    "sign before": lambda link: link.replace("&m=1250", "&m=+1250"),
    "spaces in hex": lambda link: link.replace("&o=6f", "&o=6f ")[:-1],
    "capitals": lambda link: link.replace("%C3", "%c3"),
    "letter that needs no escape": lambda link: link.replace("&p=C", "&p=%43"),
    "scheme": lambda link: link.replace("specie:pay", "specie:buy"),
    "no order": lambda link: link.replace("6f" * 16, "00" * 16),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_altered_is_refused(change: str) -> None:
    link = write(FULL)
    changed = CHANGES[change](link)
    assert changed != link and read(link) == FULL
    with refused(ErrorCode.REQUEST_INVALID):
        read(changed)


def test_nobody_asks_in_anothers_name() -> None:
    with refused(ErrorCode.REQUEST_INVALID):
        read(format_request(FULL, OTHER.spend, PREFIX))
    mine, theirs = (
        write(FULL),
        format_request(replace(FULL, payee=OTHER.address), OTHER.spend, PREFIX),
    )
    here, there = (link.partition("&a=")[2].partition("&")[0] for link in (mine, theirs))
    with refused(ErrorCode.REQUEST_INVALID):
        read(mine.replace(here, there))


def test_requests_of_elsewhere_and_of_later_are_refused() -> None:
    link = write(FULL)
    with refused(ErrorCode.NETWORK_MISMATCH):
        parse_request(link, NetworkId(bytes(16)), PREFIX)
    with refused(ErrorCode.VERSION_UNKNOWN):
        read(link.replace("?v=1", "?v=2"))
    with refused(ErrorCode.LIMIT_EXCEEDED):
        read(link + "0" * REQUEST_BYTES_MAX)
    with refused(ErrorCode.AMOUNT_OUT_OF_RANGE):
        read(link.replace("&m=1250", f"&m={AMOUNT_MAX + 1}"))
    with refused(ErrorCode.TEXT_INVALID):
        read(link.replace("&t=2", "&t=e%CC%812"))  # a letter in two parts


def test_it_counts_until_its_last_moment() -> None:
    check_payable(FULL, FULL.expiry)
    check_payable(PLAIN, Timestamp(2**62))
    with refused(ErrorCode.REQUEST_EXPIRED):
        check_payable(FULL, Timestamp(FULL.expiry + 1))
    with refused(ErrorCode.REQUEST_INVALID):
        write(replace(FULL, expiry=Timestamp(60_001)))


def test_an_open_amount_is_the_payers_to_say() -> None:
    free = replace(PLAIN, amount=Minor(0))
    assert choose_amount(free, Minor(7)) == 7
    assert choose_amount(PLAIN, None) == choose_amount(PLAIN, Minor(1_250)) == 1_250
    for wanted, offered in ((free, None), (free, Minor(0)), (PLAIN, Minor(1_249))):
        with refused(ErrorCode.REQUEST_AMOUNT_WRONG):
            choose_amount(wanted, offered)


@pytest.mark.parametrize(
    ("arrived", "now", "state"),
    [
        ((), 0, RequestState.OPEN),
        ((), 60_000, RequestState.OPEN),
        ((), 60_001, RequestState.EXPIRED),
        ((1_249,), 60_001, RequestState.PARTLY),
        ((1_249, 1), 60_001, RequestState.PAID),
        ((1_250,), 0, RequestState.PAID),
        ((1_250, 1), 0, RequestState.OVERPAID),
    ],
)
def test_what_has_become_of_it(arrived: tuple[int, ...], now: int, state: RequestState) -> None:
    paid = [Minor(one) for one in arrived]
    assert compute_request_state(FULL, paid, Timestamp(now)) is state
    if paid:
        free = replace(FULL, amount=Minor(0))
        assert compute_request_state(free, paid, Timestamp(now)) is RequestState.PAID


def test_a_payers_ids_are_one_for_each_attempt() -> None:
    others = (PLAIN, replace(PLAIN, order=OrderId(b"p" * 16)), replace(PLAIN, payee=OTHER.address))
    ids = {derive_payment_id(one, attempt) for one in others for attempt in range(3)}
    assert len(ids) == 9 and {len(one) for one in ids} == {16}
    assert derive_payment_id(replace(PLAIN, amount=Minor(0)), 0) in ids, "the order tells it"
