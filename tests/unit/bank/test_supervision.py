"""A bank asks its policy before it signs: limits at their edge, holds, cases, freezes (T6, T8, T20)

Every payment here is a real one, of real wallets, at two banks.
"""

import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from specie.assembly.compliance import Premises, build_compliance
from specie.bank.access import Operator
from specie.bank.compliance import Compliance
from specie.bank.movements import unpack_address
from specie.bank.service import Bank
from specie.bank.supervision import Neighbours
from specie.crypto.addresses import format_address
from specie.policy import builtin
from specie.policy.cases import Case, CaseState, Verdict
from specie.store.client_store import SqliteClientStore
from specie.tokens.building import BuiltTransaction, PaymentOrder, build_payment
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, OrderId, TransactionId
from specie.values.limits import ATTEST_EARLY_MS_MAX, CASES_OPEN_MAX, WINDOW_MS_DEFAULT
from specie.values.times import DAY_MS
from tests.country import NORTH, Country, Person, build_country, find_code, refused

ADA, GRACE = Operator("Ada", "my watch"), Operator("Grace", "my watch")
HEAD = """
default_tier = "one"
[cases]
two_people_from = 80
release_minutes = 30
[[tier]]
name = "one"
[[tier]]
name = "other"
"""


@pytest.fixture
def ours(country: Country) -> Country:
    """Each test sets the policy that it needs, for people of its own."""
    for number in country.network.compliance:
        set_policy(country, bank=number)
    return country


def set_policy(country: Country, limits: str = "", rules: str = "", bank: int = NORTH) -> int:
    """In force at one bank."""
    text = HEAD.replace('name = "one"', f'name = "one"\nlimits = {{ {limits} }}', 1) + rules
    return get_desk(country, bank).set_policy(ADA, text).version


def get_desk(country: Country, bank: int = NORTH) -> Compliance:
    return next(one for number, one in country.network.compliance.items() if number == bank)


def list_open(desk: Compliance, person: Person) -> list[Case]:
    found = desk.list_cases(ADA, 0, 100, is_open=True)
    return [one for one in found if one.client == person.id]


def hold_from(amount: int, *, direction: str = "out") -> str:
    rule = f'[[rule]]\nname = "large"\nkind = "threshold"\namount = {amount}\n'
    return f'{rule}direction = "{direction}"\nconsequence = "hold"\n'


def attest(country: Country, bank: Bank, built: BuiltTransaction) -> ErrorCode | None:
    """The code of its refusal, if any; on record is nothing then."""
    people = [one.id for one in country.people if one.bank is bank]
    before = [bank.load_movements(one) for one in people]
    code = find_code(lambda: bank.attest_payment(built))
    if code is not None:
        assert [bank.load_movements(one) for one in people] == before
    return code


def build(
    country: Country, payer: Person, payee: Person, amount: int, order: bytes = bytes(16)
) -> BuiltTransaction:
    """From one token that covers it."""
    free = sorted(payer.wallet.load_tokens(), key=lambda one: one.amount)
    token = next(one for one in free if one.amount >= amount)
    request = PaymentOrder(payee.wallet.keys.address, Minor(amount), Memo(order_id=OrderId(order)))
    context = country.network.surroundings.build_context()
    return build_payment([request], [token], payer.wallet.keys, context)


def refused_for_holding() -> pytest.RaisesExc[SpecieError]:
    """Whoever pays hears that a bank says no; why, stands in the bank's own log alone."""

    def check(error: SpecieError) -> bool:
        cause = error.__cause__
        assert isinstance(cause, SpecieError) and cause.code is ErrorCode.HOLDING_LIMIT_EXCEEDED
        return error.code is ErrorCode.PAYMENT_REFUSED_BY_POLICY

    return pytest.raises(SpecieError, check=check)


def prepare(country: Country, *amounts: int) -> tuple[Person, Person]:
    return country.open_person(country.north, *amounts), country.open_person(country.south)


def test_a_client_has_a_limited_number_of_open_cases(ours: Country) -> None:
    """What is held beyond them gets its case when one of them is decided."""
    set_policy(ours, rules=hold_from(2))
    anna, boris = prepare(ours, 100)
    desk = get_desk(ours)
    held = [build(ours, anna, boris, 10, n.to_bytes(16, "big")) for n in range(CASES_OPEN_MAX + 1)]
    for one in held:
        assert attest(ours, ours.north, one) is ErrorCode.PAYMENT_HELD
    cases = list_open(desk, anna)
    assert len(cases) == CASES_OPEN_MAX
    desk.decide(ADA, cases[0].number, Verdict.REFUSE)
    assert attest(ours, ours.north, held[-1]) is ErrorCode.PAYMENT_HELD
    assert list_open(desk, anna)[0].txid == held[-1].signed.txid


# --- limits --------------------------------------------------------------------------------------


def test_the_built_in_policy_holds_up_nobody(tmp_path: Path) -> None:
    ours = build_country(tmp_path)
    anna, boris = prepare(ours, 500)
    one = ours.north.attest_payment(build(ours, anna, boris, 500))
    assert one.policy == builtin.VERSION == get_desk(ours).get_policy().version
    assert get_desk(ours).get_tier(anna.id).name == "person"


def test_one_payment_at_its_limit(ours: Country) -> None:
    anna, boris = prepare(ours, 101, 100)
    before = get_desk(ours).get_policy().version
    version = set_policy(ours, "payment = 100")
    over = build(ours, anna, boris, 101)
    assert attest(ours, ours.north, over) is ErrorCode.PAYMENT_LIMIT_EXCEEDED
    one = ours.north.attest_payment(build(ours, anna, boris, 100))
    assert one.policy == version == before + 1


def test_the_days_of_a_client_count_together_and_roll(ours: Country) -> None:
    anna, boris = prepare(ours, 60, 41, 40, 100)
    set_policy(ours, "day = 100")
    began = ours.clock.now()
    ours.pay(anna, boris, 60)
    assert attest(ours, ours.north, build(ours, anna, boris, 41)) is ErrorCode.DAILY_LIMIT_EXCEEDED
    assert attest(ours, ours.north, build(ours, anna, boris, 40)) is None
    ours.clock.advance(began + DAY_MS - ours.clock.now() - 1)
    assert attest(ours, ours.north, build(ours, anna, boris, 41)) is ErrorCode.DAILY_LIMIT_EXCEEDED
    ours.clock.advance(1)
    assert attest(ours, ours.north, build(ours, anna, boris, 100)) is None


def test_sent_again_it_counts_once_and_gets_the_same_answer(ours: Country) -> None:
    anna, boris = prepare(ours, 60, 40)
    set_policy(ours, "day = 100")
    built = build(ours, anna, boris, 60)
    first = ours.north.attest_payment(built)
    set_policy(ours, "day = 100, payment = 50")
    for _ in range(3):
        again = ours.north.attest_payment(built)
        assert replace(again, signature=first.signature) == first
    assert attest(ours, ours.north, build(ours, anna, boris, 40)) is None


def test_what_cannot_become_final_eats_no_limit(ours: Country) -> None:
    anna, boris = prepare(ours, 100, 99)
    set_policy(ours, "day = 100")
    lost = build(ours, anna, boris, 99)
    ours.north.attest_payment(lost)
    ends = lost.signed.body.not_after + ATTEST_EARLY_MS_MAX
    ours.clock.advance(ends - ours.clock.now())
    assert attest(ours, ours.north, build(ours, anna, boris, 99)) is ErrorCode.DAILY_LIMIT_EXCEEDED
    ours.clock.advance(1)
    assert attest(ours, ours.north, build(ours, anna, boris, 99)) is None


def test_two_payments_at_once_never_pass_the_limit_together(ours: Country) -> None:
    """Each fits, both do not: one of them is refused, whichever comes second."""
    anna, boris = prepare(ours, *(60 for _ in range(4)))
    set_policy(ours, "day = 100")
    tokens = anna.wallet.load_tokens()
    context = ours.network.surroundings.build_context()
    order = ours.order(boris, 60)
    payments = [build_payment([order], [one], anna.wallet.keys, context) for one in tokens]
    codes: list[ErrorCode | None] = []
    started = threading.Barrier(len(payments))

    def send(built: BuiltTransaction) -> None:
        started.wait()
        codes.append(find_code(lambda: ours.north.attest_payment(built)))

    threads = [threading.Thread(target=send, args=(one,)) for one in payments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes.count(None) == 1
    assert codes.count(ErrorCode.DAILY_LIMIT_EXCEEDED) == 3


def test_what_a_payee_may_hold(ours: Country) -> None:
    anna, boris = prepare(ours, 60, 41)
    clara = ours.open_person(ours.north, 60)
    ours.pay(clara, boris, 60)
    set_policy(ours, "holding = 100", bank=3)
    built = build(ours, anna, boris, 41)
    view = built.build_payee_view(ours.south.number)
    ours.north.attest_payment(built)
    with refused_for_holding():
        ours.south.attest_receipt(view)
    fits = build(ours, anna, boris, 40)
    ours.south.attest_receipt(fits.build_payee_view(ours.south.number))
    # what is on its way counts as if it were there
    one_more = build(ours, anna, boris, 1)
    with refused_for_holding():
        ours.south.attest_receipt(one_more.build_payee_view(ours.south.number))


def test_a_payer_hears_of_its_own_limits_alone(ours: Country) -> None:
    """Within the bank as well: the payee's limit is told in no other words than any rule (X5)."""
    anna, clara = ours.open_person(ours.north, 11), ours.open_person(ours.north, 90)
    built, told = build(ours, anna, clara, 11), []
    rule = hold_from(11, direction="in").replace('"hold"', '"refuse"')
    for limits, rules in (("holding = 100", ""), ("", rule)):
        set_policy(ours, limits, rules)
        with pytest.raises(SpecieError) as caught:
            ours.north.attest_payment(built)
        told.append((caught.value.code, caught.value.message))
    assert told[0] == told[1] and told[0][0] is ErrorCode.PAYMENT_REFUSED_BY_POLICY
    set_policy(ours, "holding = 100, payment = 10")
    assert attest(ours, ours.north, built) is ErrorCode.PAYMENT_LIMIT_EXCEEDED
    set_policy(ours, "holding = 101")
    assert attest(ours, ours.north, built) is None


def test_several_outputs_for_one_payee_are_one_payment(ours: Country) -> None:
    anna, boris = prepare(ours, 100)
    set_policy(ours, "holding = 99", bank=3)
    order = ours.order(boris, 50)
    context = ours.network.surroundings.build_context()
    tokens = anna.wallet.load_tokens()
    built = build_payment([order, order], tokens, anna.wallet.keys, context)
    with refused_for_holding():
        ours.south.attest_receipt(built.build_payee_view(ours.south.number))


def test_a_withdrawal_is_no_payment_but_is_held(tmp_path: Path) -> None:
    """The refused one keeps the vault's token for a while: a country of its own."""
    ours = build_country(tmp_path)
    set_policy(ours, "holding = 100, payment = 1, day = 1")
    anna = ours.open_person(ours.north, 60, 40)
    supervision = get_desk(ours).supervision
    supervision.check_room(anna.id, Minor(0))
    with refused(ErrorCode.HOLDING_LIMIT_EXCEEDED):
        supervision.check_room(anna.id, Minor(1))
    ours.lend_deposit(anna, 1)
    with refused(ErrorCode.HOLDING_LIMIT_EXCEEDED):
        ours.withdraw(anna, 1)


def test_a_merge_is_no_payment(ours: Country) -> None:
    anna, _ = prepare(ours, 60, 40)
    set_policy(ours, "payment = 1, day = 1, payments_per_hour = 0, holding = 100")
    merged = anna.wallet.prepare_merge(ours.identifiers.draw())
    assert attest(ours, ours.north, merged.built) is None


def test_the_vault_has_no_limits(ours: Country) -> None:
    set_policy(ours, "payment = 0, day = 0, holding = 0", rules=hold_from(1))
    before = ours.north.books.get_vault()
    ours.issue(ours.north, 1_000)
    assert ours.north.books.get_vault() == before + 1_000


def test_tiers_are_set_and_known(ours: Country) -> None:
    anna, boris = prepare(ours, 60, 60)
    set_policy(ours, "payment = 10")
    desk = get_desk(ours)
    assert attest(ours, ours.north, build(ours, anna, boris, 60)) is not None
    desk.set_tier(anna.id, "other")
    assert desk.get_tier(anna.id).name == "other"
    assert attest(ours, ours.north, build(ours, anna, boris, 60)) is None
    with refused(ErrorCode.TIER_UNKNOWN):
        desk.set_tier(anna.id, "gold")
    for nobody in ("nobody", "vault"):
        with refused(ErrorCode.CLIENT_UNKNOWN):
            desk.set_tier(ClientId(nobody), "other")
    without = HEAD.replace('name = "other"', 'name = "another"')
    for act in (lambda: desk.set_policy(ADA, without), lambda: desk.rehearse(ADA, without)):
        with pytest.raises(SpecieError, match="other, which it does not have"):
            act()


def test_a_waterfall_lets_pass_what_is_too_much(ours: Country) -> None:
    """Once, until it is poured. The switch is somebody else's to keep; it is asked for each."""
    anna, boris = prepare(ours, 60)
    bank = ours.south
    clients = bank._clients  # noqa: SLF001  # the bank's own store, for another supervision
    assert isinstance(clients, SqliteClientStore)
    key = clients._key  # noqa: SLF001  # with which it is sealed
    premises = Premises(bank.number, ours.network.list_key, ours.network.genesis, key)
    database = ours.network.databases.open("bank-3")
    neighbours = Neighbours(is_waterfall_on=lambda client: client == boris.id)
    other = build_compliance(database, clients, ours.clock, premises, neighbours)
    ours.pay(anna, boris, 60)
    set_policy(ours, "holding = 60", bank=3)
    (received,) = ours.south.load_movements(boris.id)
    again = replace(received, txid=TransactionId(b"t" * 32))
    done: list[int] = []
    other.supervision.admit(again.txid, lambda: [again], lambda: done.append(1))
    assert done == [1]
    plain = get_desk(ours, 3)
    with refused_for_holding():
        plain.supervision.admit(TransactionId(b"u" * 32), lambda: [again], lambda: done.append(1))
    assert done == [1]
    set_policy(ours, "holding = 59", bank=3)
    with refused_for_holding():
        other.supervision.admit(TransactionId(b"v" * 32), lambda: [again], lambda: done.append(1))
    with refused(ErrorCode.HOLDING_LIMIT_EXCEEDED):
        other.supervision.check_room(boris.id, Minor(1))
    assert done == [1]


# --- holds, cases --------------------------------------------------------------------------------


def test_a_held_payment_is_released_once_for_a_while(ours: Country) -> None:
    anna, boris = prepare(ours, 50, 50, 50)
    set_policy(ours, rules=hold_from(50))
    desk, built = get_desk(ours), build(ours, anna, boris, 50)
    for _ in range(3):
        assert attest(ours, ours.north, built) is ErrorCode.PAYMENT_HELD
    (case,) = list_open(desk, anna)
    assert (case.client, case.amount, case.rules) == (anna.id, 50, ("large",))
    assert [unpack_address(one) for one in case.parties] == [boris.wallet.keys.address]
    assert desk.decide(ADA, case.number, Verdict.RELEASE).state is CaseState.RELEASED
    assert attest(ours, ours.north, build(ours, anna, boris, 49)) is None  # another payment
    assert attest(ours, ours.north, built) is None
    assert attest(ours, ours.north, built) is None
    other = build(ours, anna, boris, 50)
    assert other.signed.txid != built.signed.txid
    assert attest(ours, ours.north, other) is ErrorCode.PAYMENT_HELD
    assert len(list_open(desk, anna)) == 1


def test_a_rebuilt_payment_of_the_same_order_passes_by_the_release(ours: Country) -> None:
    anna, boris = prepare(ours, 50)
    set_policy(ours, rules=hold_from(50))
    order, desk = ours.draw_order(), get_desk(ours)
    assert attest(ours, ours.north, build(ours, anna, boris, 50, order)) is ErrorCode.PAYMENT_HELD
    (case,) = list_open(desk, anna)
    desk.decide(ADA, case.number, Verdict.RELEASE)
    ours.clock.advance(2 * WINDOW_MS_DEFAULT)
    stranger = build(ours, anna, boris, 50, ours.draw_order())
    assert attest(ours, ours.north, stranger) is ErrorCode.PAYMENT_HELD
    assert attest(ours, ours.north, build(ours, anna, boris, 50, order)) is None


def test_a_release_ends_and_is_free_again_if_its_payment_came_to_nothing(ours: Country) -> None:
    anna, boris = prepare(ours, 50)
    set_policy(ours, rules=hold_from(50))
    order, desk = ours.draw_order(), get_desk(ours)
    first = build(ours, anna, boris, 50, order)
    assert attest(ours, ours.north, first) is ErrorCode.PAYMENT_HELD
    (case,) = list_open(desk, anna)
    until = desk.decide(ADA, case.number, Verdict.RELEASE).released_until
    assert attest(ours, ours.north, first) is None  # and never final
    assert attest(ours, ours.north, build(ours, anna, boris, 50, order)) is not None
    ours.clock.advance(first.signed.body.not_after + ATTEST_EARLY_MS_MAX + 1 - ours.clock.now())
    second = build(ours, anna, boris, 50, order)
    assert attest(ours, ours.north, second) is None
    ours.clock.advance(until + 1 - ours.clock.now())
    assert attest(ours, ours.north, build(ours, anna, boris, 50, order)) is ErrorCode.PAYMENT_HELD


def test_large_payments_need_two_people(ours: Country) -> None:
    anna, boris = prepare(ours, 80)
    set_policy(ours, rules=hold_from(50))
    desk, built = get_desk(ours), build(ours, anna, boris, 80)
    assert attest(ours, ours.north, built) is ErrorCode.PAYMENT_HELD
    number = list_open(get_desk(ours), anna)[0].number
    assert desk.decide(ADA, number, Verdict.RELEASE).state is CaseState.OPEN
    assert attest(ours, ours.north, built) is ErrorCode.PAYMENT_HELD
    with refused(ErrorCode.DECISION_REPEATED):
        desk.decide(ADA, number, Verdict.RELEASE)
    assert desk.decide(GRACE, number, Verdict.RELEASE).state is CaseState.RELEASED
    assert attest(ours, ours.north, built) is None


def test_refused_stays_refused(ours: Country) -> None:
    anna, boris = prepare(ours, 50)
    set_policy(ours, rules=hold_from(50))
    desk, order = get_desk(ours), ours.draw_order()
    built = build(ours, anna, boris, 50, order)
    assert attest(ours, ours.north, built) is ErrorCode.PAYMENT_HELD
    number = list_open(get_desk(ours), anna)[0].number
    desk.decide(ADA, number, Verdict.REFUSE)
    set_policy(ours)  # no rule holds it any more
    for again in (built, build(ours, anna, boris, 50, order)):
        assert attest(ours, ours.north, again) is ErrorCode.PAYMENT_REFUSED_BY_POLICY
    assert attest(ours, ours.north, build(ours, anna, boris, 50)) is None


def test_the_payees_bank_holds_what_comes_in(ours: Country) -> None:
    anna, boris = prepare(ours, 50)
    set_policy(ours, rules=hold_from(50, direction="in"), bank=3)
    built = build(ours, anna, boris, 50)
    view = built.build_payee_view(ours.south.number)
    for _ in range(2):
        with refused(ErrorCode.PAYMENT_HELD):
            ours.south.attest_receipt(view)
    desk = get_desk(ours, 3)
    (case,) = list_open(desk, boris)
    assert case.client == boris.id
    desk.decide(ADA, case.number, Verdict.RELEASE)
    ours.south.attest_receipt(view)


def test_both_sides_at_one_bank_have_a_case_each(ours: Country) -> None:
    anna, boris = ours.open_person(ours.north, 50), ours.open_person(ours.north)
    set_policy(ours, rules=hold_from(50, direction="both"))
    desk, built = get_desk(ours), build(ours, anna, boris, 50)
    assert attest(ours, ours.north, built) is ErrorCode.PAYMENT_HELD
    cases = [*list_open(desk, anna), *list_open(desk, boris)]
    assert {one.client for one in cases} == {anna.id, boris.id}
    assert {one.names for one in cases} == {(f"Name of {anna.id}",), (f"Name of {boris.id}",)}
    desk.decide(ADA, cases[0].number, Verdict.RELEASE)
    assert attest(ours, ours.north, built) is ErrorCode.PAYMENT_HELD
    desk.decide(ADA, cases[1].number, Verdict.RELEASE)
    assert attest(ours, ours.north, built) is None


def test_a_rule_that_refuses_beats_a_release(ours: Country) -> None:
    anna, boris = ours.open_person(ours.north, 50), ours.open_person(ours.north)
    listed = f'[[rule]]\nname = "wanted"\nkind = "listed"\nnames = ["name of {boris.id}"]\n'
    set_policy(ours, rules=hold_from(50))
    built = build(ours, anna, boris, 50)
    assert attest(ours, ours.north, built) is ErrorCode.PAYMENT_HELD
    number = list_open(get_desk(ours), anna)[0].number
    get_desk(ours).decide(ADA, number, Verdict.RELEASE)
    set_policy(ours, rules=f'{hold_from(50)}{listed}consequence = "refuse"\n')
    assert attest(ours, ours.north, built) is ErrorCode.PAYMENT_REFUSED_BY_POLICY
    # in another tier the same, but signed; what a rule notes stands beside the payment
    set_policy(ours, rules=f'{listed}consequence = "sign"\n')
    assert attest(ours, ours.north, built) is None


def test_a_listed_address_is_found(ours: Country) -> None:
    anna, boris = prepare(ours, 50)
    prefix = ours.network.genesis.address_prefix
    address = format_address(boris.wallet.keys.address, prefix)
    rule = f'[[rule]]\nname = "wanted"\nkind = "listed"\naddresses = ["{address}"]\n'
    set_policy(ours, rules=f'{rule}consequence = "refuse"\n')
    built = build(ours, anna, boris, 50)
    assert attest(ours, ours.north, built) is ErrorCode.PAYMENT_REFUSED_BY_POLICY


def test_a_release_without_an_order_is_for_its_payer(ours: Country) -> None:
    """Under an order any payer passes, as docs/policy.md says; without one the same payment."""
    set_policy(ours, rules=hold_from(50, direction="in"))
    payee, desk = ours.open_person(ours.north), get_desk(ours)
    payers = [ours.open_person(ours.south, 100, 100) for _ in range(2)]
    for order, code in ((bytes(16), ErrorCode.PAYMENT_HELD), (b"o" * 16, None)):
        first, other = (build(ours, one, payee, 60, order) for one in payers)
        with refused(ErrorCode.PAYMENT_HELD):
            ours.north.attest_receipt(first.build_payee_view(NORTH))
        desk.decide(ADA, list_open(desk, payee)[0].number, Verdict.RELEASE)
        view = other.build_payee_view(NORTH)
        assert find_code(partial(ours.north.attest_receipt, view)) is code
        if code is not None:
            ours.north.attest_receipt(first.build_payee_view(NORTH))
