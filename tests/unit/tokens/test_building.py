"""Building: amounts are checked before anything is signed, and what comes out is accepted (T8)."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specie.identity.genesis import ProofMode
from specie.ledger.outline import compute_slot
from specie.ledger.records import Claim, Kind
from specie.ledger.state import LedgerOutput
from specie.ledger.transactions import AttestedTransaction
from specie.ledger.wire import decode_signed, encode_signed
from specie.tokens.building import (
    BuiltTransaction,
    PaymentOrder,
    build_issue,
    build_payment,
    build_redemption,
)
from specie.tokens.holdings import HolderKeys, Memo, Token
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import OrderId
from specie.values.limits import AMOUNT_MAX, INPUTS_MAX, OUTPUTS_MAX, SUPPLY_CHANGE_MAX
from tests.building import (
    NORTH,
    SOUTH,
    accept,
    attest,
    make_context,
    make_holding,
    make_view,
    make_voices,
    make_world,
)
from tests.refusing import refuse
from tests.unit.tokens.contexts import make_build_context

WORLD = make_world()
CONTEXT = make_build_context(WORLD)
ALICE, VAULT = WORLD.institutions[NORTH].alice, WORLD.institutions[NORTH].vault
BOB = WORLD.institutions[SOUTH].bob


def make_tokens(keys: HolderKeys, amounts: Sequence[int]) -> list[Token]:
    return [make_holding(WORLD, keys, amount).token for amount in amounts]


def make_order(amount: int, keys: HolderKeys = BOB) -> PaymentOrder:
    return PaymentOrder(keys.address, Minor(amount), Memo(OrderId(b"sixteen byte id.")))


def judge(built: BuiltTransaction, tokens: Sequence[Token]) -> None:
    """Attested by the banks concerned, it is accepted in a ledger that has the tokens."""
    view = make_view()
    for token in tokens:
        view.outputs[token.ref] = LedgerOutput(token.output, Kind.CASH, token.opening.bank)
    banks = [token.opening.bank for token in tokens]
    voices = make_voices(banks, built.disclosure.openings, Claim.CLIENT)
    body = built.signed.body
    attested = AttestedTransaction(built.signed, tuple(attest(WORLD, body, one) for one in voices))
    accept(attested, make_context(WORLD, view))


# --- payments -----------------------------------------------------------------------------------


@given(
    st.lists(st.integers(0, 2**60), min_size=1, max_size=INPUTS_MAX),
    st.integers(1, 3),
    st.data(),
)
@settings(max_examples=12)
def test_payments_balance_and_are_accepted(  # T8, T16
    amounts: list[int], count: int, data: st.DataObject
) -> None:
    if sum(amounts) < count:
        amounts = [*amounts[1:], count]
    left, orders = sum(amounts), []
    for place in range(count):
        orders.append(make_order(data.draw(st.integers(1, left - (count - place - 1)))))
        left -= orders[-1].amount
    tokens = make_tokens(ALICE, amounts)
    built = build_payment(orders, tokens, ALICE, CONTEXT)
    openings = built.disclosure.openings
    paid = [one.amount for one in openings if one.view == BOB.address.view]
    change = [one.amount for one in openings if one.view == ALICE.address.view]
    assert sorted(paid) == sorted(order.amount for order in orders)
    assert change == [left]
    judge(built, tokens)


def test_an_exact_payment_has_a_change_of_nothing() -> None:  # T9
    """Two outputs always, so that their number says nothing."""
    tokens = make_tokens(ALICE, [700, 300])
    built = build_payment([make_order(1_000)], tokens, ALICE, CONTEXT)
    assert sorted(one.amount for one in built.disclosure.openings) == [0, 1_000]
    judge(built, tokens)


def test_the_place_of_the_change_says_nothing() -> None:  # T9
    """Outputs are sorted by their random references, and openings stand in the same order."""
    tokens = make_tokens(ALICE, [700])
    places = set()
    for _ in range(20):
        built = build_payment([make_order(100)], tokens, ALICE, CONTEXT)
        outputs = built.signed.body.outputs
        assert [one.ref for one in outputs] == sorted(one.ref for one in outputs)
        places.add([one.amount for one in built.disclosure.openings].index(Minor(100)))
    assert places == {0, 1}


def test_the_same_order_twice_gives_two_transactions() -> None:  # T10
    tokens = make_tokens(ALICE, [700])
    one, other = (build_payment([make_order(100)], tokens, ALICE, CONTEXT) for _ in range(2))
    assert one.signed.txid != other.signed.txid
    owners = {output.owner for built in (one, other) for output in built.signed.body.outputs}
    assert len(owners) == 4


def test_an_order_leaves_the_memo_to_the_payee_alone() -> None:  # T12
    built = build_payment([make_order(100)], make_tokens(ALICE, [700]), ALICE, CONTEXT)
    memos = {one.amount: one.memo for one in built.disclosure.openings}
    assert memos[Minor(100)] == Memo(OrderId(b"sixteen byte id.")).pack()
    assert memos[Minor(600)] == bytes(160)


@pytest.mark.parametrize("amount", [0, -1, 2**64, 2**64 + 1])
def test_amounts_that_cannot_be_paid(amount: int) -> None:  # T16
    tokens = make_tokens(ALICE, [AMOUNT_MAX])
    orders = [make_order(amount)]
    code = refuse(build_payment, orders, tokens, ALICE, CONTEXT)
    assert code is ErrorCode.AMOUNT_OUT_OF_RANGE


def test_sums_that_overflow() -> None:  # T16
    """Neither what is paid nor what is spent may pass 64 bits: it is refused, it does not wrap."""
    two = make_tokens(ALICE, [AMOUNT_MAX, 1])
    most = make_order(AMOUNT_MAX)
    overflow = ErrorCode.AMOUNT_OUT_OF_RANGE
    assert refuse(build_payment, [make_order(1)], two, ALICE, CONTEXT) is overflow
    assert refuse(build_payment, [most, make_order(1)], two[:1], ALICE, CONTEXT) is overflow
    built = build_payment([most], two[:1], ALICE, CONTEXT)
    judge(built, two[:1])


def test_more_than_there_is() -> None:
    tokens = make_tokens(ALICE, [700, 300])
    code = refuse(build_payment, [make_order(1_001)], tokens, ALICE, CONTEXT)
    assert code is ErrorCode.FUNDS_INSUFFICIENT
    assert refuse(build_payment, [make_order(1)], [], ALICE, CONTEXT) is code


def test_more_inputs_or_outputs_than_fit() -> None:
    tokens = make_tokens(ALICE, [1] * (INPUTS_MAX + 1))
    limit = ErrorCode.LIMIT_EXCEEDED
    assert refuse(build_payment, [make_order(1)], tokens, ALICE, CONTEXT) is limit
    orders = [make_order(1)] * OUTPUTS_MAX  # and the change
    assert refuse(build_payment, orders, tokens[:INPUTS_MAX], ALICE, CONTEXT) is limit


def test_tokens_of_somebody_else() -> None:  # T5, T11
    tokens = make_tokens(BOB, [700])
    code = refuse(build_payment, [make_order(1)], tokens, ALICE, CONTEXT)
    assert code is ErrorCode.OPENING_MISMATCH


# --- changes of the supply ----------------------------------------------------------------------


def test_an_issue_pays_the_vault_and_nobody_else() -> None:  # T4, P8
    built = build_issue(VAULT.address, Minor(5_000), ALICE, CONTEXT)
    body = built.signed.body
    assert (body.supply_change, body.inputs) == (5_000, ())
    assert sorted(one.amount for one in built.disclosure.openings) == [0, 5_000]
    assert {one.spend for one in built.disclosure.openings} == {VAULT.address.spend}


def test_a_redemption_keeps_the_rest() -> None:  # T19, P9
    tokens = make_tokens(VAULT, [5_000])
    built = build_redemption(Minor(3_000), tokens, VAULT, CONTEXT)
    assert built.signed.body.supply_change == -3_000
    assert sorted(one.amount for one in built.disclosure.openings) == [0, 2_000]


@pytest.mark.parametrize("amount", [0, -1, 2**63, 2**64 - 1, 2**64])
def test_supply_changes_that_cannot_be(amount: int) -> None:  # T4, T16
    """The change is a signed 64-bit number: 2**63 is an amount, but no change of the supply."""
    code = refuse(build_issue, VAULT.address, Minor(amount), ALICE, CONTEXT)
    assert code is ErrorCode.AMOUNT_OUT_OF_RANGE
    tokens = make_tokens(VAULT, [AMOUNT_MAX])
    code = refuse(build_redemption, Minor(amount), tokens, VAULT, CONTEXT)
    assert code is ErrorCode.AMOUNT_OUT_OF_RANGE


def test_the_largest_supply_change() -> None:  # T4
    most = Minor(SUPPLY_CHANGE_MAX)
    built = build_issue(VAULT.address, most, ALICE, CONTEXT)
    assert decode_signed(encode_signed(built.signed)) == built.signed
    tokens = make_tokens(VAULT, [SUPPLY_CHANGE_MAX])
    assert build_redemption(most, tokens, VAULT, CONTEXT).signed.body.supply_change == -most
    code = refuse(build_redemption, most, make_tokens(VAULT, [5]), VAULT, CONTEXT)
    assert code is ErrorCode.FUNDS_INSUFFICIENT


# --- what is shown ------------------------------------------------------------------------------


def test_each_payees_bank_is_shown_its_own() -> None:  # T9
    built = build_payment(
        [make_order(100), make_order(50, VAULT)], make_tokens(ALICE, [700]), ALICE, CONTEXT
    )
    view = built.build_payee_view(SOUTH)
    [shown] = view.outputs
    body = built.signed.body
    assert shown.opening.amount == 100
    assert view.outline.compute_id() == body.txid
    ref = body.outputs[shown.index].ref
    assert compute_slot(shown.salt, shown.index, ref) == view.outline.slots[shown.index]
    others = [output.ref for output in body.outputs if output.ref != ref]
    assert compute_slot(shown.salt, shown.index, others[0]) not in view.outline.slots


@pytest.mark.parametrize("mode", tuple(ProofMode), ids=lambda mode: mode.name)
def test_proofs_follow_the_networks_mode(mode: ProofMode) -> None:  # X1
    world = make_world(mode)
    keys = world.institutions[NORTH].alice
    tokens = [make_holding(world, keys, 700).token]
    built = build_payment([make_order(100, keys)], tokens, keys, make_build_context(world))
    covers = [proof.covers for proof in built.signed.body.proofs]
    assert covers == ([1, 1] if mode is ProofMode.PUBLISHED else [2])
