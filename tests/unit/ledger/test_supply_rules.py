"""Every rule of the supply's contract, broken in an issue or a redemption (T4, P2, P8, P9)."""

from dataclasses import replace
from typing import Final

import pytest

from specie.identity.genesis import ProofMode
from specie.identity.participants import Role, Status
from specie.ledger.checks import check_attesters_active
from specie.ledger.records import Claim
from specie.ledger.supply_checks import (
    check_authorisations_enough,
    check_authorisations_signed,
    check_cap,
    check_reserve_fits,
    check_reserve_fresh,
    check_reserve_signed,
    check_serial,
    check_supply_between_institutions,
    check_total,
)
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import Signature
from specie.values.limits import AMOUNT_MAX, RESERVE_AGE_MS_MAX
from specie.values.times import Timestamp, get_day
from tests.building import CAP, NORTH, NOW, SOUTH, make_reserve
from tests.unit.ledger.scenes import (
    Break,
    Breaks,
    Case,
    Scene,
    check_break,
    make_issue,
    make_redemption,
    set_supply,
)

ISSUE_BREAKS: Final = Breaks()
REDEMPTION_BREAKS: Final = Breaks()
CHANGE_BREAKS: Final = Breaks()  # tried on both
issue = ISSUE_BREAKS.of
redemption = REDEMPTION_BREAKS.of
change = CHANGE_BREAKS.of


# --- both ---------------------------------------------------------------------------------------


@change(check_authorisations_enough, ErrorCode.AUTHORISATION_MISSING)
def nobody_authorised(scene: Scene) -> Case:
    return scene.with_plan(replace(scene.plan, officers=()))


@change(check_authorisations_enough, ErrorCode.AUTHORISATION_MISSING)
def one_officer_alone(scene: Scene) -> Case:
    return scene.with_plan(replace(scene.plan, officers=scene.plan.officers[:1]))


@change(check_authorisations_enough, ErrorCode.AUTHORISATION_INVALID)
def one_officer_twice(scene: Scene) -> Case:
    return scene.with_plan(replace(scene.plan, officers=scene.plan.officers[:1] * 2))


@change(check_authorisations_enough, ErrorCode.AUTHORISATION_INVALID)
def one_officer_twice_beside_another(scene: Scene) -> Case:
    officers = scene.plan.officers
    return scene.with_plan(replace(scene.plan, officers=(*officers, officers[0])))


@change(check_authorisations_signed, ErrorCode.AUTHORISATION_INVALID)
def an_officer_who_does_not_exist(scene: Scene) -> Case:
    _, key = scene.plan.officers[0]
    return scene.with_plan(replace(scene.plan, officers=((9, key), scene.plan.officers[1])))


@change(check_authorisations_signed, ErrorCode.AUTHORISATION_INVALID)
def an_officer_who_is_suspended(scene: Scene) -> Case:
    return scene.judge(world=scene.world.with_officer(2, Status.SUSPENDED))


@change(check_authorisations_signed, ErrorCode.AUTHORISATION_INVALID)
def an_officer_who_is_revoked(scene: Scene) -> Case:
    return scene.judge(world=scene.world.with_officer(1, Status.REVOKED))


@change(check_authorisations_signed, ErrorCode.AUTHORISATION_INVALID)
def signed_with_a_colleagues_key(scene: Scene) -> Case:
    first, (number, _) = scene.plan.officers
    return scene.with_plan(replace(scene.plan, officers=(first, (number, first[1]))))


@change(check_authorisations_signed, ErrorCode.AUTHORISATION_INVALID)
def authorisations_of_another_change(scene: Scene) -> Case:
    """Replayed: signed for the same serial and total, but for another transaction."""
    other, _ = scene.judge(scene.draft.with_body(not_after=Timestamp(NOW + 1)))
    transaction, context = scene.judge()
    assert other.signed.supply is not None
    signed = replace(transaction.signed, supply=other.signed.supply)
    return replace(transaction, signed=signed), context


@change(check_supply_between_institutions, ErrorCode.SUPPLY_NOT_INSTITUTION)
def a_client_receives_new_money(scene: Scene) -> Case:
    voices = [replace(voice, claim=Claim.CLIENT) for voice in scene.draft.voices]
    return scene.with_voices(*voices)


@change(check_attesters_active, ErrorCode.ATTESTER_WRONG, [check_supply_between_institutions])
def an_auditor_receives_new_money(scene: Scene) -> Case:
    return scene.judge(world=scene.world.with_member(NORTH, Status.ACTIVE, role=Role.AUDITOR))


@change(check_serial, ErrorCode.SERIAL_WRONG)
def a_serial_again(scene: Scene) -> Case:
    return scene.with_plan(replace(scene.plan, serial=scene.view.supply.serial))


@change(check_serial, ErrorCode.SERIAL_WRONG)
def a_serial_left_out(scene: Scene) -> Case:
    return scene.with_plan(replace(scene.plan, serial=scene.view.supply.serial + 2))


@change(check_total, ErrorCode.TOTAL_WRONG)
def another_total(scene: Scene) -> Case:
    return scene.with_plan(replace(scene.plan, total_after=scene.plan.total_after + 1))


# --- issue --------------------------------------------------------------------------------------


@issue(check_total, ErrorCode.TOTAL_WRONG)
def more_than_can_be_counted(scene: Scene) -> Case:
    set_supply(scene, total=AMOUNT_MAX - 4_999)
    return scene.with_plan(replace(scene.plan, total_after=0))


@issue(check_cap, ErrorCode.SUPPLY_CAP_EXCEEDED)
def one_unit_over_the_cap(scene: Scene) -> Case:
    set_supply(scene, day=get_day(scene.now), issued_on_day=CAP - 4_999)
    return scene.judge()


@issue(check_reserve_fits, ErrorCode.RESERVE_REFERENCE_INVALID)
def a_debit_of_another_amount(scene: Scene) -> Case:
    return scene.with_plan(replace(scene.plan, reserve=make_reserve(scene.world, NORTH, 4_999)))


@issue(check_reserve_fits, ErrorCode.RESERVE_REFERENCE_INVALID)
def a_debit_of_the_future(scene: Scene) -> Case:
    later = Timestamp(NOW + 1)
    reserve = make_reserve(scene.world, NORTH, 5_000, later)
    return scene.with_plan(replace(scene.plan, reserve=reserve))


@issue(check_reserve_fits, ErrorCode.RESERVE_REFERENCE_INVALID)
def a_debit_of_another_bank(scene: Scene) -> Case:
    return scene.with_plan(replace(scene.plan, reserve=make_reserve(scene.world, SOUTH, 5_000)))


@issue(
    check_reserve_fits,
    ErrorCode.RESERVE_REFERENCE_INVALID,
    [check_reserve_fresh, check_reserve_signed],
)
def no_debit_at_all(scene: Scene) -> Case:
    return scene.with_plan(replace(scene.plan, reserve=None))


@issue(check_reserve_fits, ErrorCode.RESERVE_REFERENCE_USED)
def a_debit_used_before(scene: Scene) -> Case:
    assert scene.plan.reserve is not None
    scene.view.reserves.add(scene.plan.reserve.entry)
    return scene.judge()


@issue(check_reserve_fresh, ErrorCode.RESERVE_REFERENCE_EXPIRED)
def a_debit_of_too_long_ago(scene: Scene) -> Case:
    old = Timestamp(NOW - RESERVE_AGE_MS_MAX - 1)
    reserve = make_reserve(scene.world, NORTH, 5_000, time=old)
    return scene.with_plan(replace(scene.plan, reserve=reserve))


@issue(check_reserve_signed, ErrorCode.RESERVE_REFERENCE_INVALID)
def a_debit_signed_by_an_officer(scene: Scene) -> Case:
    reserve = make_reserve(scene.world, NORTH, 5_000, key=scene.world.officers[1])
    return scene.with_plan(replace(scene.plan, reserve=reserve))


@issue(check_reserve_signed, ErrorCode.RESERVE_REFERENCE_INVALID)
def a_debit_of_another_entry(scene: Scene) -> Case:
    first = make_reserve(scene.world, NORTH, 5_000)
    second = make_reserve(scene.world, NORTH, 5_000)
    mixed = replace(first, signature=second.signature)
    return scene.with_plan(replace(scene.plan, reserve=mixed))


@issue(check_reserve_signed, ErrorCode.RESERVE_REFERENCE_INVALID)
def a_debit_without_a_signature(scene: Scene) -> Case:
    reserve = replace(make_reserve(scene.world, NORTH, 5_000), signature=Signature(bytes(64)))
    return scene.with_plan(replace(scene.plan, reserve=reserve))


# --- redemption ---------------------------------------------------------------------------------


@redemption(check_total, ErrorCode.TOTAL_WRONG)
def more_than_there_is(scene: Scene) -> Case:
    set_supply(scene, total=2_999)
    return scene.with_plan(replace(scene.plan, total_after=0))


# --- tried --------------------------------------------------------------------------------------

ISSUES: Final = [*CHANGE_BREAKS, *ISSUE_BREAKS]
REDEMPTIONS: Final = [*CHANGE_BREAKS, *REDEMPTION_BREAKS]


@pytest.mark.parametrize("mode", tuple(ProofMode), ids=lambda mode: mode.name)
@pytest.mark.parametrize("broken", ISSUES, ids=[one.name for one in ISSUES])
def test_an_issue_that_breaks_a_rule(broken: Break, mode: ProofMode) -> None:  # T4, P2, P8
    check_break(broken, make_issue(mode))


@pytest.mark.parametrize("mode", tuple(ProofMode), ids=lambda mode: mode.name)
@pytest.mark.parametrize("broken", REDEMPTIONS, ids=[one.name for one in REDEMPTIONS])
def test_a_redemption_that_breaks_a_rule(broken: Break, mode: ProofMode) -> None:  # T19, P2, P9
    check_break(broken, make_redemption(mode))
