"""What a bank attests for the first time: near in time, and something (T16, T20)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from specie.flows.payment import complete_payment
from specie.ledger.wire import encode_attested
from specie.tokens.building import BuildContext, BuiltTransaction, PaymentOrder, build_payment
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.limits import ATTEST_AHEAD_MS_MAX, ATTEST_EARLY_MS_MAX, WINDOW_MS_DEFAULT
from specie.values.times import Timestamp
from tests.country import Country, Person, refused

YEAR = 365 * 24 * 3600 * 1000
Act = Callable[[], object]


def build_within(
    country: Country, payer: Person, payee: Person, begin: int, end: int
) -> BuiltTransaction:
    """A payment of 10 whose window is told relative to now."""
    now = country.clock.now()
    context: BuildContext = replace(
        country.network.surroundings.build_context(),
        not_before=Timestamp(now + begin),
        not_after=Timestamp(now + end),
    )
    orders = [country.order(payee, 10)]
    return build_payment(orders, payer.wallet.load_tokens(), payer.wallet.keys, context)


def list_acts(country: Country, built: BuiltTransaction) -> list[Act]:
    """What both sides' banks are asked."""
    view = built.build_payee_view(country.south.number)
    return [
        lambda: country.north.attest_payment(built),
        lambda: country.south.attest_receipt(view),
    ]


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (ATTEST_EARLY_MS_MAX + 1, ATTEST_AHEAD_MS_MAX),
        (0, ATTEST_AHEAD_MS_MAX + 1),
        (YEAR, YEAR + 47 * 3600 * 1000),
    ],
)
def test_windows_to_be_stocked_up_are_refused(country: Country, begin: int, end: int) -> None:
    """Else a client that is blocked later has attestations left, for years (T20)."""
    anna, boris = country.open_person(country.north, 30), country.open_person(country.south)
    for act in list_acts(country, build_within(country, anna, boris, begin, end)):
        with refused(ErrorCode.WINDOW_INVALID):
            act()
    assert country.south.load_movements(boris.id) == []


@pytest.mark.parametrize(
    ("begin", "end"), [(ATTEST_EARLY_MS_MAX, ATTEST_AHEAD_MS_MAX), (-1000, -1), (0, 0)]
)
def test_windows_that_are_near_are_attested(country: Country, begin: int, end: int) -> None:
    """A window that is over is the notary's to refuse."""
    anna, boris = country.open_person(country.north, 30), country.open_person(country.south)
    for act in list_acts(country, build_within(country, anna, boris, begin, end)):
        act()


def test_a_freeze_holds_after_an_hour(country: Country) -> None:  # T20
    anna, boris = country.open_person(country.north, 30), country.open_person(country.south)
    built = build_within(country, anna, boris, 0, ATTEST_AHEAD_MS_MAX)
    attested = country.attest(built, country.north)
    country.north.block(anna.id)
    country.clock.advance(ATTEST_AHEAD_MS_MAX + 1)
    with refused(ErrorCode.EXPIRED):
        country.network.notary.notarise(encode_attested(attested))
    with refused(ErrorCode.CLIENT_BLOCKED):
        country.pay(anna, boris, 1)


def test_what_was_attested_is_attested_again(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A retry gets the same answer, though its window would not be near enough today."""
    anna, boris = country.open_person(country.north, 30), country.open_person(country.south)
    built = build_within(country, anna, boris, 0, WINDOW_MS_DEFAULT)
    for act in list_acts(country, built):
        act()
    monkeypatch.setattr("specie.bank.attestation.ATTEST_AHEAD_MS_MAX", 0)
    for act in list_acts(country, built):
        act()
    other = build_within(country, anna, boris, 0, WINDOW_MS_DEFAULT)
    with refused(ErrorCode.WINDOW_INVALID):
        country.north.attest_payment(other)


def build_dust(country: Country, payer: Person, payees: list[Person]) -> BuiltTransaction:
    """Nothing to each, as only a program of the payer's own makes it."""
    orders = [PaymentOrder(one.wallet.keys.address, Minor(0), Memo()) for one in payees]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("specie.tokens.building.check_positive", Minor)
        context = country.network.surroundings.build_context()
        return build_payment(orders, payer.wallet.load_tokens(), payer.wallet.keys, context)


def test_nobody_is_sent_nothing(country: Country) -> None:
    """It would cost the payer nothing, and fill the payee's wallet."""
    anna, boris = country.open_person(country.north, 30), country.open_person(country.north)
    carla = country.open_person(country.south)
    for payees in ([boris] * 15, [carla], [anna, boris]):
        with refused(ErrorCode.AMOUNT_OUT_OF_RANGE):
            country.north.attest_payment(build_dust(country, anna, payees))
    view = build_dust(country, anna, [carla]).build_payee_view(country.south.number)
    with refused(ErrorCode.AMOUNT_OUT_OF_RANGE):
        country.south.attest_receipt(view)
    country.north.attest_payment(build_dust(country, anna, [anna]))


def test_change_of_nothing_and_changes_of_the_supply_are_attested(country: Country) -> None:
    """Two outputs always (T9): the payer's own may be of nothing, and a vault's."""
    anna, boris = country.open_person(country.north, 30), country.open_person(country.south)
    country.pay(anna, boris, 30)
    country.issue(country.north, 5)
    vault, network = country.north.vault, country.network
    prepared = vault.prepare_payment(
        [country.order(anna, vault.get_balance())], b"all of it".ljust(16)
    )
    promise = complete_payment(prepared.built, country.north, network, network.notary)
    vault.settle(prepared.payment_id, promise)
    assert vault.get_balance() == 0
