"""Into circulation and out: reserves, fund and ledger agree at every stop (T4, P8, P9, P10)."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from specie.accounting.reserves import Accounting
from specie.assembly.network import Settings
from specie.bank.service import Bank
from specie.central_bank.desk import CentralBankDesk
from specie.flows.issuance import issue
from specie.flows.redemption import redeem
from specie.identity.genesis import ProofMode
from specie.identity.participants import Status
from specie.ledger.transactions import Promise
from specie.ledger.wire import encode_attested
from specie.ports.issuance import Direction
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import OrderId, ParticipantNumber
from specie.values.limits import WINDOW_MS_DEFAULT
from specie.values.times import DAY_MS
from specie.wallet.vault import Vault
from tests.country import NORTH, RESERVES, SOUTH, Country, build_country, find_code, refused
from tests.faults import Deed, kill_everywhere, stop
from tests.unit.flows.liars import Greedy


def run_issue(country: Country, order: OrderId, amount: int, bank: Bank | None = None) -> Promise:
    """Only the flow, without the bank's own books."""
    network, bank = country.network, bank or country.north
    return issue(order, Minor(amount), bank, network.desk, network.accounting, network.notary)


def run_redeem(country: Country, order: OrderId, amount: int) -> Promise:
    """Out of bank 2's vault, booked by the bank."""
    network, bank = country.network, country.north
    desk, accounting, notary = network.desk, network.accounting, network.notary
    return redeem(order, Minor(amount), bank.vault, bank, desk, accounting, notary)


def read(country: Country) -> tuple[int, int, int, int]:
    """Reserves of bank 2, the fund, the supply, the vault of bank 2."""
    network = country.network
    return (
        network.accounting.get_reserves(NORTH),
        network.accounting.get_fund(),
        network.notary.get_supply().total,
        country.north.vault.get_balance(),
    )


# --- issuance -----------------------------------------------------------------------------------


def test_reserves_become_tokens(country: Country) -> None:  # T4, P8
    reserves, fund, supply, vault = read(country)
    serial = country.network.notary.get_supply().serial
    money = country.network.accounting.compute_money()
    country.issue(country.north, 500)
    assert read(country) == (reserves - 500, fund + 500, supply + 500, vault + 500)
    assert country.network.notary.get_supply().serial == serial + 1
    assert country.network.accounting.compute_money() == money  # P10
    country.check_money()


def test_an_issue_twice_is_once(country: Country) -> None:
    order = country.draw_order()
    promise = country.issue(country.north, 500, order)
    before = read(country)
    country.clock.advance(3_600_000)
    assert country.issue(country.north, 500, order) == promise
    assert read(country) == before


def test_an_issue_has_one_content(country: Country) -> None:
    order = country.draw_order()
    country.issue(country.north, 500, order)
    before = read(country)
    for amount, bank in ((501, country.north), (500, country.south)):
        with refused(ErrorCode.ORDER_CONFLICT):
            run_issue(country, order, amount, bank)
    with refused(ErrorCode.ORDER_CONFLICT):
        run_redeem(country, order, 500)
    assert read(country) == before


def test_without_reserves_nothing_is_issued(country: Country) -> None:  # P8
    before = read(country)
    with refused(ErrorCode.ACCOUNT_OVERDRAWN):
        run_issue(country, country.draw_order(), before[0] + 1)
    for amount in (0, -5):
        with refused(ErrorCode.AMOUNT_OUT_OF_RANGE):
            run_issue(country, country.draw_order(), amount)
    assert read(country) == before
    order = country.draw_order()
    with refused(ErrorCode.ACCOUNT_OVERDRAWN):
        country.issue(country.north, before[0] + 7, order)
    country.lend_reserves(country.north, Minor(7))
    country.issue(country.north, before[0] + 7, order)  # the same order, once there is enough
    assert country.network.accounting.get_reserves(NORTH) == 0
    country.lend_reserves(country.north)
    country.check_money()


def test_the_daily_cap_holds_at_the_notary(tmp_path: Path) -> None:
    """What is over the cap is refused before a reserve is touched, and is issued the next day."""
    settings = Settings(tmp_path, supply_cap_day=Minor(1_000))
    country = build_country(tmp_path, settings=settings, is_funded=False)
    country.lend_reserves(country.north)
    country.issue(country.north, 700)
    order = country.draw_order()
    with refused(ErrorCode.SUPPLY_CAP_EXCEEDED):
        country.issue(country.north, 301, order)
    assert read(country) == (RESERVES - 700, 700, 700, 700)
    country.issue(country.north, 300)
    country.clock.advance(DAY_MS)
    country.issue(country.north, 301, order)
    country.issue(country.north, 699)
    assert country.network.notary.get_supply().total == 2_000
    with refused(ErrorCode.SUPPLY_CAP_EXCEEDED):  # more than any day allows: nobody approves it
        run_issue(country, country.draw_order(), 1_001)
    country.check_money()


def test_an_issue_that_met_the_cap_at_the_notary_is_produced_anew(tmp_path: Path) -> None:
    """The desk looked while there was room; the reserves wait and are not lost."""
    settings = Settings(tmp_path, supply_cap_day=Minor(1_000))
    country = build_country(tmp_path, settings=settings, is_funded=False)
    country.lend_reserves(country.north)
    country.issue(country.north, 700)
    order = country.draw_order()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CentralBankDesk, "check_issuable", lambda *_: None)
        with refused(ErrorCode.SUPPLY_CAP_EXCEEDED):
            country.issue(country.north, 301, order)
    assert read(country) == (RESERVES - 1_001, 1_001, 700, 700)
    for _ in range(2):
        country.clock.advance(DAY_MS)
        country.issue(country.north, 301, order)
        assert read(country) == (RESERVES - 1_001, 1_001, 1_001, 1_001)
    country.check_money()


def test_an_issue_whose_bank_was_down_is_produced_anew(country: Country) -> None:
    before, order = read(country), country.draw_order()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bank, "attest_receipt", stop)
        with pytest.raises(KeyboardInterrupt):
            country.issue(country.north, 5, order)
    first = country.network.desk.produce(order, country.network.notary)
    country.clock.advance(first.signed.body.not_after - country.clock.now())
    assert country.network.desk.produce(order, country.network.notary) == first
    country.clock.advance(1)
    country.issue(country.north, 5, order)
    assert country.network.desk.produce(order, country.network.notary) != first
    assert read(country) == (before[0] - 5, before[1] + 5, before[2] + 5, before[3] + 5)
    country.check_money()


def test_what_became_final_late_is_not_produced_anew(country: Country) -> None:
    """The promise was lost on its way, and the window is long over: the notary is asked first."""
    before, order = read(country), country.draw_order()
    notarise = country.network.notary.notarise
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(country.network.notary, "notarise", lambda data: stop(notarise(data)))
        with pytest.raises(KeyboardInterrupt):
            country.issue(country.north, 5, order)
    country.clock.advance(2 * DAY_MS)
    suspend(country, NORTH)
    country.issue(country.north, 5, order)
    suspend(country, NORTH, Status.ACTIVE)
    assert read(country) == (before[0] - 5, before[1] + 5, before[2] + 5, before[3] + 5)
    country.check_money()


def suspend(country: Country, bank: ParticipantNumber, status: Status = Status.SUSPENDED) -> None:
    """The next participant list."""
    current = country.network.roster.current
    changed = replace(current.participants[bank], status=status)
    participants = {**current.participants, bank: changed}
    version = current.version + 1
    country.network.replace_participants(
        replace(current, version=version, participants=participants)
    )


def test_a_suspended_bank_gets_nothing(tmp_path: Path) -> None:  # T2
    country = build_country(tmp_path, is_funded=False)
    country.lend_reserves(country.north)
    suspend(country, NORTH)
    with refused(ErrorCode.PARTICIPANT_INACTIVE):
        run_issue(country, country.draw_order(), 5)
    assert read(country) == (RESERVES, 0, 0, 0)


def test_money_for_a_client_is_not_issued(tmp_path: Path) -> None:  # T4
    """Whoever names a client's address as the vault is stopped by the notary's contract."""
    country = build_country(tmp_path)
    person = country.open_person(country.north)
    before = read(country)
    bank = country.north
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bank, "vault_address", person.wallet.keys.address)
        with refused(ErrorCode.SUPPLY_NOT_INSTITUTION):
            run_issue(country, country.draw_order(), 5)
    assert read(country)[2:] == before[2:]


# --- redemption ---------------------------------------------------------------------------------


def test_tokens_become_reserves(country: Country) -> None:  # T19, P9
    reserves, fund, supply, vault = read(country)
    money = country.network.accounting.compute_money()
    order = country.draw_order()
    promise = run_redeem(country, order, 300)
    assert read(country) == (reserves + 300, fund - 300, supply - 300, vault - 300)
    assert run_redeem(country, order, 300) == promise
    assert read(country) == (reserves + 300, fund - 300, supply - 300, vault - 300)
    assert country.network.accounting.compute_money() == money  # P10
    totals = country.audit()
    assert totals.supply == fund - 300  # unspent on the log = produced - redeemed
    country.check_money()


def test_a_redemption_has_one_content(country: Country) -> None:
    order = country.draw_order()
    run_redeem(country, order, 300)
    before = read(country)
    with refused(ErrorCode.ORDER_CONFLICT):
        run_redeem(country, order, 301)
    with refused(ErrorCode.ORDER_CONFLICT):
        run_issue(country, order, 300)
    assert read(country) == before


def test_one_voiding_redeems_one_order(tmp_path: Path) -> None:  # C1
    country = build_country(tmp_path)
    network, bank, vault = country.network, country.north, Greedy(country.north.vault)
    before, orders = read(country), [country.draw_order() for _ in range(3)]

    def run(order: OrderId) -> None:
        desk, accounting, notary = network.desk, network.accounting, network.notary
        redeem(order, Minor(1_000), vault, bank, desk, accounting, notary)

    for order in orders:
        code = find_code(partial(run, order))
        assert code is (None if order is orders[0] else ErrorCode.ORDER_CONFLICT)
    run(orders[0])
    expected = (before[0] + 1_000, before[1] - 1_000, before[2] - 1_000, before[3] - 1_000)
    assert read(country) == expected


@pytest.mark.parametrize("step", ["notarised", "credited", "delivered"])
def test_what_is_void_is_credited_whatever_the_bank_is_by_now(
    tmp_path: Path, step: str
) -> None:  # M1
    """Stopped behind the promise; then the bank is suspended and its scan key renewed."""
    country = build_country(tmp_path)
    before, order = read(country), country.draw_order()
    owner, name = {
        "notarised": (Accounting, "credit_for_redemption"),
        "credited": (Bank, "deliver"),
        "delivered": (Vault, "settle"),
    }[step]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, stop)
        with pytest.raises(KeyboardInterrupt):
            run_redeem(country, order, 1_000)
    country.clock.advance(2 * DAY_MS)
    suspend(country, NORTH)
    run_redeem(country, order, 1_000)
    expected = (before[0] + 1_000, before[1] - 1_000, before[2] - 1_000, before[3] - 1_000)
    assert read(country) == expected
    country.check_money()


def test_more_than_the_vault_holds_is_not_redeemed(country: Country) -> None:
    before, order = read(country), country.draw_order()
    with refused(ErrorCode.FUNDS_INSUFFICIENT):
        run_redeem(country, order, before[3] + 1)
    assert country.north.journal.find_state(order) is None, "nobody goes on with it later"
    with refused(ErrorCode.AMOUNT_OUT_OF_RANGE):
        run_redeem(country, country.draw_order(), 0)
    assert read(country) == before


def test_all_of_a_vault_can_be_redeemed(tmp_path: Path) -> None:  # P9
    country = build_country(tmp_path)
    run_redeem(country, country.draw_order(), country.north.vault.get_balance())
    assert country.north.vault.get_balance() == country.north.books.get_vault() == 0
    assert country.network.accounting.get_reserves(NORTH) == RESERVES
    country.check_money()


def test_clients_money_is_not_redeemed_by_others(country: Country) -> None:
    """A voiding transaction of a client's tokens is attested as a client's, and refused."""
    network = country.network
    person = country.open_person(country.north, 50)
    order = country.draw_order()
    network.desk.apply(order, Direction.REDEEM, NORTH, person.wallet.keys.address, Minor(20))
    network.desk.approve(order)
    prepared = person.wallet.prepare_redemption(Minor(20), order)
    built = network.desk.accept_void(order, prepared.built)
    attestation = country.north.attest_payment(built)
    supply = network.notary.get_supply()
    authorised = network.desk.authorise(order, attestation, None, supply)
    with refused(ErrorCode.SUPPLY_NOT_INSTITUTION):
        network.notary.notarise(encode_attested(authorised))
    assert network.notary.get_supply() == supply
    country.forget_payments(person)
    country.check_money()


# --- killed at every step -----------------------------------------------------------------------


def test_an_issue_survives_being_killed(country: Country) -> None:  # P8, X12
    start, done = read(country), 0

    def make_deed() -> Deed:
        order = country.draw_order()
        return lambda: country.issue(country.north, 5, order)

    def check() -> None:
        nonlocal done
        done += 1
        assert read(country) == (
            start[0] - 5 * done,
            start[1] + 5 * done,
            start[2] + 5 * done,
            start[3] + 5 * done,
        )

    killed_at = kill_everywhere(make_deed, lambda: None, check)
    for step in ("SqliteApplicationStore.record_produced", "Notary.notarise", "Bank.deliver"):
        assert f"before {step}" in killed_at
    country.check_money()


@pytest.mark.parametrize(
    "pause", [pytest.param(2 * WINDOW_MS_DEFAULT, marks=pytest.mark.soak), 2 * DAY_MS]
)
def test_an_issue_is_finished_however_late(tmp_path: Path, pause: int) -> None:  # H3
    """Killed at every step, and taken up again when the window is over."""
    country = build_country(tmp_path)
    start, done = read(country), 0

    def make_deed() -> Deed:
        order = country.draw_order()
        return lambda: country.issue(country.north, 5, order)

    def check() -> None:
        nonlocal done
        done += 1
        moved = 5 * done
        expected = (start[0] - moved, start[1] + moved, start[2] + moved, start[3] + moved)
        assert read(country) == expected

    assert len(kill_everywhere(make_deed, lambda: country.clock.advance(pause), check)) > 10
    country.check_money()


def test_a_redemption_survives_being_killed(country: Country) -> None:  # P9, X12
    start, done = read(country), 0

    def make_deed() -> Deed:
        order = country.draw_order()
        return lambda: run_redeem(country, order, 5)

    def check() -> None:
        nonlocal done
        done += 1
        assert read(country) == (
            start[0] + 5 * done,
            start[1] - 5 * done,
            start[2] - 5 * done,
            start[3] - 5 * done,
        )

    killed_at = kill_everywhere(make_deed, lambda: None, check)
    for step in (
        "CentralBankDesk.accept_void",
        "SqliteVaultStore.settle",
        "CentralBankDesk.complete",
    ):
        assert f"before {step}" in killed_at
    country.check_money()


# --- everything together ------------------------------------------------------------------------


def test_aggregated_proofs_serve_as_well(tmp_path: Path) -> None:
    """The other mode of genesis: one proof for each transaction, none of them published."""
    country = build_country(tmp_path, settings=Settings(tmp_path, proof_mode=ProofMode.AGGREGATED))
    anna, boris = country.open_person(country.north, 60, 40), country.open_person(country.south)
    country.pay(anna, boris, 70)
    run_redeem(country, country.draw_order(), 25)
    country.check_money()
    assert country.audit().range_proofs == 0


def test_totals_hold_through_a_long_day(country: Country) -> None:  # P1, P10, P14
    """Issue, hand out, pay across banks, pay back, redeem; checked after each round."""
    network = country.network
    money = network.accounting.compute_money()
    people = [country.open_person(bank, 200, 50) for bank in (country.north, country.south)]
    for round_ in range(3):
        country.issue(country.south, 1_000 + round_)
        country.pay(people[0], people[1], 30 + round_)
        people[1].collect()
        country.check_money()
        country.pay(people[1], people[0], 70)
        people[0].collect()
        run_redeem(country, country.draw_order(), 10 + round_)
        country.clock.advance(60_000)
        country.check_money()
    assert network.accounting.compute_money() == money
    reserves = sum(network.accounting.get_reserves(number) for number in (NORTH, SOUTH))
    assert reserves + network.accounting.get_fund() == money
