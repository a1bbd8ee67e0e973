"""Windows: never two over one token, and nothing of the device's clock in them (T15, X5)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specie.ledger.evidence import DoubleSpend, verify_evidence
from specie.ledger.state import Spend
from specie.ledger.transactions import SignedTransaction
from specie.tokens.building import BuiltTransaction
from specie.tokens.holdings import Token
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import OutputRef
from specie.values.limits import WINDOW_MS_DEFAULT, WINDOW_STEP_MS
from specie.values.times import Timestamp
from specie.wallet.releasing import LogView
from specie.wallet.vault import Vault
from specie.wallet.windows import compute_window, is_signable
from tests.clocks import MORNING, ManualClock
from tests.country import Country, Person, refused
from tests.refusing import attempt

MINUTE = 60_000


def get_spend(signed: SignedTransaction, ref: OutputRef) -> Spend:
    """What an owner's signature over one input says."""
    body = signed.body
    signature = signed.owner_signatures[body.inputs.index(ref)]
    return Spend(body.txid, body.not_before, body.not_after, signature)


def check_no_evidence(country: Country, token: Token, *built: BuiltTransaction) -> None:
    """Whoever saw all of these has nothing against their owner."""
    network = country.network.genesis.network
    spends = [get_spend(one.signed, token.ref) for one in built]
    for place, first in enumerate(spends):
        for second in spends[place + 1 :]:
            evidence = DoubleSpend(network, token.output, first, second).pack()
            with refused(ErrorCode.EVIDENCE_INVALID):
                verify_evidence(evidence, network)


def with_clock(country: Country, person: Person, clock: ManualClock) -> Vault:
    """The person's device, with a clock of its own."""
    surroundings = replace(country.network.surroundings, clock=clock)
    store = person.wallet._store  # noqa: SLF001  # the same device, whose clock is wrong
    return Vault(person.wallet.keys, store, surroundings)


def test_an_honest_wallet_makes_no_evidence_against_itself(country: Country) -> None:  # T15
    anna, boris = country.open_person(country.north, 1000), country.open_person(country.south)
    (token,) = anna.wallet.load_tokens()
    seen = []
    for amount in (5, 7, 9):
        prepared = anna.wallet.prepare_payment([country.order(boris, amount)], bytes([amount]) * 16)
        seen.append(prepared.built)
        country.clock.advance(WINDOW_MS_DEFAULT + 1)
        assert anna.wallet.release_expired(LogView(country.clock.now(), frozenset())) == 1
    check_no_evidence(country, token, *seen)
    country.pay(anna, boris, 11)
    country.check_money()


def test_nor_with_a_clock_that_is_slow(country: Country) -> None:  # T15
    """The log's time frees the token; by the device's clock its window is not over."""
    anna, boris = country.open_person(country.north, 1000), country.open_person(country.south)
    (token,) = anna.wallet.load_tokens()
    slow = ManualClock(Timestamp(country.clock.now() - 15 * MINUTE))
    wallet = with_clock(country, anna, slow)
    first = wallet.prepare_payment([country.order(boris, 5)], b"1" * 16)
    assert wallet.release_expired(LogView(country.clock.now(), frozenset())) == 1
    with refused(ErrorCode.TOKEN_UNAVAILABLE):
        wallet.prepare_payment([country.order(boris, 5)], b"2" * 16)
    with refused(ErrorCode.TOKEN_UNAVAILABLE):
        wallet.prepare_merge(b"3" * 16)
    with refused(ErrorCode.FUNDS_INSUFFICIENT):
        wallet.prepare_payment([country.order(boris, 1001)], b"4" * 16)
    assert wallet.get_balance() == 1000  # it is ours, and not reserved
    slow.advance(WINDOW_MS_DEFAULT)
    second = wallet.prepare_payment([country.order(boris, 5)], b"2" * 16)
    check_no_evidence(country, token, first.built, second.built)
    country.clock.advance(2 * WINDOW_MS_DEFAULT)
    assert wallet.release_expired(LogView(country.clock.now(), frozenset())) == 1


def test_nor_with_a_clock_that_is_set_back(country: Country) -> None:
    anna, boris = country.open_person(country.north, 1000), country.open_person(country.south)
    fast = with_clock(country, anna, ManualClock(Timestamp(country.clock.now() + 60 * MINUTE)))
    fast.prepare_payment([country.order(boris, 5)], b"1" * 16)
    later = Timestamp(country.clock.now() + 100 * MINUTE)
    assert fast.release_expired(LogView(later, frozenset())) == 1
    with refused(ErrorCode.TOKEN_UNAVAILABLE):
        country.pay(anna, boris, 5)


def test_other_tokens_are_taken_while_one_is_held_by_its_window(country: Country) -> None:
    anna, boris = country.open_person(country.north, 1000, 90), country.open_person(country.south)
    slow = with_clock(country, anna, ManualClock(Timestamp(country.clock.now() - 15 * MINUTE)))
    first = slow.prepare_payment([country.order(boris, 1)], b"1" * 16)
    assert len(first.built.signed.body.inputs) == 2
    assert slow.release_expired(LogView(country.clock.now(), frozenset())) == 1
    country.lend_deposit(anna, 60)
    country.withdraw(anna, 60)
    anna.collect()
    second = slow.prepare_payment([country.order(boris, 60)], b"2" * 16)
    assert len(second.built.signed.body.inputs) == 1
    with refused(ErrorCode.TOKEN_UNAVAILABLE):
        slow.can_pay(country.order(boris, 1000).amount)
    country.forget_payments(anna)


times = st.integers(0, 2**50).map(Timestamp)


@given(times, st.none() | times)
def test_windows_are_whole_minutes_after_what_was_signed(  # X5
    now: Timestamp, signed_until: Timestamp | None
) -> None:
    window = attempt(compute_window, now, signed_until)
    if isinstance(window, ErrorCode):
        assert window is ErrorCode.TOKEN_UNAVAILABLE
        assert signed_until is not None and now < signed_until + WINDOW_STEP_MS
        assert not is_signable(now, signed_until)
        return
    not_before, not_after = window
    assert is_signable(now, signed_until)
    assert not_before % WINDOW_STEP_MS == (not_after + 1) % WINDOW_STEP_MS == 0
    assert max(0, now - WINDOW_MS_DEFAULT - WINDOW_STEP_MS) <= not_before <= now
    assert now + WINDOW_MS_DEFAULT - WINDOW_STEP_MS <= not_after < now + WINDOW_MS_DEFAULT
    assert signed_until is None or not_before > signed_until


@given(times, st.integers(0, WINDOW_STEP_MS - 1))
def test_within_a_minute_all_clocks_sign_the_same_window(now: Timestamp, later: int) -> None:  # X5
    minute = now - now % WINDOW_STEP_MS
    assert compute_window(Timestamp(minute + later)) == compute_window(Timestamp(minute))


def test_the_next_window_begins_when_the_last_has_ended() -> None:
    first = compute_window(MORNING)
    at_end = Timestamp(first[1] + 1)
    assert compute_window(at_end, first[1])[0] == at_end
    with refused(ErrorCode.TOKEN_UNAVAILABLE):
        compute_window(first[1], first[1])


@pytest.mark.parametrize("amount", [50, 10])
def test_a_payment_that_cannot_be_signed_now_reserves_nothing(
    country: Country, amount: int
) -> None:
    anna, boris = country.open_person(country.north, 50), country.open_person(country.south)
    slow = with_clock(country, anna, ManualClock(Timestamp(country.clock.now() - 15 * MINUTE)))
    slow.prepare_payment([country.order(boris, amount)], b"1" * 16)
    slow.release_expired(LogView(country.clock.now(), frozenset()))
    for _ in range(2):
        with refused(ErrorCode.TOKEN_UNAVAILABLE):
            slow.prepare_payment([country.order(boris, amount)], b"2" * 16)
    assert slow.get_balance() == 50
    country.forget_payments(anna)
    country.pay(anna, boris, amount)
