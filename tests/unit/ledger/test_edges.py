"""What the contracts still accept, up to the last millisecond, unit, input and successor."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from specie.crypto.outputs import OUTPUT_BYTES
from specie.identity.genesis import ProofMode
from specie.identity.participants import Status
from specie.ledger.records import AttestationRole, Claim, Kind
from specie.ledger.state import LedgerOutput
from specie.ledger.wire import decode_attested, encode_attested
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ParticipantNumber
from specie.values.limits import (
    INPUTS_MAX,
    KERNELS_MAX,
    OUTPUTS_MAX,
    SUCCESSOR_HOPS_MAX,
    WINDOW_MS_MAX,
)
from specie.values.times import DAY_MS, Timestamp, get_day
from tests.building import (
    CAP,
    CENTRAL,
    EAST,
    NORTH,
    NOW,
    SOUTH,
    WINDOW,
    Voice,
    World,
    accept,
    assemble,
    build,
    build_issue,
    build_redemption,
    find_code,
    make_context,
    make_opening,
    make_view,
    make_world,
    mint,
    sign,
)
from tests.unit.ledger.scenes import Scene, make_issue, make_payment, overwrite, set_supply

# --- windows ------------------------------------------------------------------------------------


@pytest.mark.parametrize("now", WINDOW)
def test_both_ends_of_the_window_are_inside(now: Timestamp) -> None:  # T16
    accept(*replace(make_payment(), now=now).judge())


def test_a_window_may_be_a_moment_or_two_days() -> None:  # T16
    scene = make_payment()
    for end in (NOW, Timestamp(NOW + WINDOW_MS_MAX)):
        accept(*scene.judge(scene.draft.with_body(not_before=NOW, not_after=end)))


# --- sizes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", tuple(ProofMode), ids=lambda mode: mode.name)
def test_as_many_inputs_outputs_and_kernels_as_there_may_be(mode: ProofMode) -> None:  # T16
    world, view = make_world(mode), make_view()
    alice = world.institutions[NORTH].alice
    holdings = [mint(world, view, alice, amount) for amount in range(INPUTS_MAX)]
    openings = [make_opening(alice.address, amount) for amount in range(OUTPUTS_MAX)]
    draft = assemble(world, holdings, openings, kernels=KERNELS_MAX)
    assert [voice.role for voice in draft.voices] == [AttestationRole.BOTH]
    transaction = sign(draft)
    accept(decode_attested(encode_attested(transaction)), make_context(world, view))


def test_one_output_of_nothing_is_enough_for_the_contract() -> None:
    world, view = make_world(), make_view()
    alice = world.institutions[NORTH].alice
    accept(
        sign(build(world, [mint(world, view, alice, 0)], [(alice, 0)])), make_context(world, view)
    )


def test_two_outputs_with_one_owner_key_are_two_outputs() -> None:  # T10, T11
    """Refusing the same P twice would let a payer burn money of a payee who is offline."""
    scene = make_payment()
    transaction, context = scene.judge()
    paid = transaction.body.outputs[0]
    twin = overwrite(paid, OUTPUT_BYTES - 1, bytes([paid.data[-1] ^ 1]))
    assert twin.owner == paid.owner and twin.ref != paid.ref
    scene.view.outputs[twin.ref] = LedgerOutput(twin, Kind.CASH, SOUTH)
    accept(transaction, context)


# --- banks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", tuple(Claim), ids=lambda claim: claim.name)
def test_a_payment_may_be_of_clients_or_of_vaults(claim: Claim) -> None:  # P14, T16
    scene = make_payment()
    accept(*scene.with_voices(*(replace(voice, claim=claim) for voice in scene.draft.voices)))


def test_one_bank_on_both_sides_attests_once() -> None:  # T16
    scene = make_payment()
    payees = [(scene.north.bob, 900), (scene.north.alice, 100)]
    draft = build(scene.world, scene.holdings, payees)
    assert draft.voices == (Voice(AttestationRole.BOTH, NORTH, 0b11, 0b11),)
    accept(*scene.judge(draft))


def test_inputs_of_two_banks_are_attested_by_both() -> None:  # T16, T25
    scene = make_payment()
    other = mint(scene.world, scene.view, scene.south.alice, 10)
    payees = [(scene.world.institutions[EAST].bob, 700), (scene.north.alice, 10)]
    draft = build(scene.world, [scene.holdings[0], other], payees)
    assert [voice.bank for voice in draft.voices] == [NORTH, SOUTH, EAST]
    accept(*scene.judge(draft))


def _judge_by(world: World, attester: ParticipantNumber) -> ErrorCode | None:
    """The code, when `attester` speaks for the outputs of the south."""
    scene = make_payment()
    payer, payee = scene.draft.voices
    draft = replace(scene.draft, voices=(payer, replace(payee, bank=attester)))
    return find_code(*scene.judge(draft, world))


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.REVOKED], ids=lambda one: one.name)
def test_the_named_successor_attests_for_a_failed_bank(status: Status) -> None:  # T2, T16
    world = make_world().with_member(SOUTH, status, EAST)
    assert _judge_by(world, EAST) is None
    assert _judge_by(world, CENTRAL) is ErrorCode.ATTESTER_WRONG
    refused = {
        Status.SUSPENDED: ErrorCode.ATTESTER_SUSPENDED,
        Status.REVOKED: ErrorCode.ATTESTER_REVOKED,
    }
    assert _judge_by(world, SOUTH) is refused[status]


def test_the_successor_frees_what_the_failed_bank_served() -> None:  # T2
    """Inputs served by the north, which is revoked: the east attests the payer's side."""
    scene = make_payment()
    payer, payee = scene.draft.voices
    world = scene.world.with_member(NORTH, Status.REVOKED, EAST)
    draft = replace(scene.draft, voices=(replace(payer, bank=EAST), payee))
    assert find_code(*scene.judge(draft, world)) is None


def test_an_active_bank_needs_no_successor() -> None:  # T2
    assert _judge_by(make_world().with_member(SOUTH, Status.ACTIVE, EAST), EAST) is (
        ErrorCode.ATTESTER_WRONG
    )


def test_successors_have_successors() -> None:  # T2
    world = make_world().with_member(SOUTH, Status.SUSPENDED, EAST)
    world = world.with_member(EAST, Status.REVOKED, CENTRAL)
    assert _judge_by(world, CENTRAL) is None
    assert _judge_by(world, EAST) is ErrorCode.ATTESTER_REVOKED
    assert _judge_by(world, NORTH) is ErrorCode.ATTESTER_WRONG


@pytest.mark.parametrize("last", [0, 77, SOUTH], ids=["none", "unknown", "a loop"])
def test_a_line_of_successors_that_ends_nowhere(last: int) -> None:  # T2
    world = make_world().with_member(SOUTH, Status.SUSPENDED, EAST)
    world = world.with_member(EAST, Status.SUSPENDED, last)
    assert world.members.find_attester(SOUTH) is None
    assert _judge_by(world, NORTH) is ErrorCode.ATTESTER_WRONG


def test_the_line_of_successors_is_bounded() -> None:  # T2
    members = make_world().members
    template = members.participants[SOUTH]
    failed = {
        ParticipantNumber(number): replace(
            template,
            number=ParticipantNumber(number),
            status=Status.REVOKED,
            successor=number + 1,
        )
        for number in range(100, 100 + SUCCESSOR_HOPS_MAX)
    }
    end = ParticipantNumber(100 + SUCCESSOR_HOPS_MAX)
    line = {**failed, end: replace(template, number=end)}
    chain = replace(members, participants=line)
    assert chain.find_attester(ParticipantNumber(101)) == line[end]
    assert chain.find_attester(ParticipantNumber(100)) is None


# --- supply -------------------------------------------------------------------------------------


def test_an_issue_up_to_the_cap_and_again_the_next_day() -> None:  # T4, P2
    scene = make_issue()
    set_supply(scene, day=get_day(NOW), issued_on_day=CAP - 5_000)
    accept(*scene.judge())
    set_supply(scene, issued_on_day=CAP - 4_999)
    assert find_code(*scene.judge()) is ErrorCode.SUPPLY_CAP_EXCEEDED
    tomorrow = Timestamp((get_day(NOW) + 1) * DAY_MS)
    draft = scene.draft.with_body(not_before=NOW, not_after=tomorrow)
    accept(*replace(scene, now=tomorrow).judge(draft))
    assert find_code(*replace(scene, now=Timestamp(tomorrow - 1)).judge(draft)) is (
        ErrorCode.SUPPLY_CAP_EXCEEDED
    )


def test_the_cap_is_not_for_redemptions() -> None:  # P9, T19
    scene = make_payment()
    vault = scene.north.vault
    set_supply(scene, day=get_day(NOW), issued_on_day=CAP)
    holdings = [mint(scene.world, scene.view, vault, amount) for amount in (2_000_000, 1)]
    draft = build_redemption(scene.world, scene.view.supply, holdings, 2_000_001)
    accept(*scene.judge(draft))


def test_everything_may_be_redeemed() -> None:  # P9, T19
    world = make_world()
    view, vault = make_view(5_000), world.institutions[NORTH].vault
    draft = build_redemption(world, view.supply, [mint(world, view, vault, 5_000)], 5_000)
    assert draft.supply is not None and draft.supply.total_after == 0
    accept(sign(draft), make_context(world, view))


def test_an_issue_may_add_to_money_of_the_vault() -> None:  # T4
    """New money and old in one transaction: the balance tells them apart."""
    scene = make_issue()
    old = mint(scene.world, scene.view, scene.north.vault, 70)
    draft = build(scene.world, [old], [(scene.north.vault, 5_070)], change=5_000)
    accept(*scene.judge(replace(draft, supply=scene.plan)))


def test_more_officers_than_needed_and_no_fewer() -> None:  # T4, P2
    scene = make_issue()
    officers = tuple(scene.world.officers.items())
    accept(*scene.with_plan(replace(scene.plan, officers=officers)))
    strict = scene.world.with_genesis(officers_required=4)
    draft = build_issue(strict, scene.view.supply, [(scene.north.vault, 1)])
    plan = replace(draft.supply, officers=officers) if draft.supply else None
    assert find_code(*scene.judge(replace(draft, supply=plan), strict)) is None
    plan = replace(draft.supply, officers=officers[:3]) if draft.supply else None
    assert find_code(*scene.judge(replace(draft, supply=plan), strict)) is (
        ErrorCode.AUTHORISATION_MISSING
    )


@pytest.mark.parametrize("make", [make_payment, make_issue], ids=lambda make: make.__name__)
def test_judging_changes_nothing(make: Callable[[], Scene]) -> None:
    """The contract only reads: the same transaction is accepted again."""
    scene = make()
    case = scene.judge()
    accept(*case)
    accept(*case)
    assert (scene.view.outputs, scene.view.spends, scene.view.kernels) == ({}, {}, set())
