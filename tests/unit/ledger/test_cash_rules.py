"""Every rule of the cash contract, broken in a payment where all else is left whole (T16)."""

from dataclasses import replace
from typing import Final

import pytest

from specie.identity.genesis import ProofMode
from specie.identity.participants import Role, Status
from specie.ledger.checks import (
    check_attestation_form,
    check_attesters_active,
    check_inputs_attested,
    check_inputs_distinct,
    check_inputs_known,
    check_inputs_present,
    check_inputs_unspent,
    check_kernels_new,
    check_network,
    check_not_early,
    check_not_late,
    check_not_void,
    check_outputs_attested,
    check_outputs_distinct,
    check_outputs_new,
    check_points_sound,
    check_range_cover,
    check_terms,
    check_terms_are_cash,
    check_window,
)
from specie.ledger.records import AttestationRole, Kind, Terms
from specie.ledger.state import LedgerOutput
from specie.ledger.supply_checks import check_supply_unchanged
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import NetworkId, PublicKey
from specie.values.limits import WINDOW_MS_MAX
from specie.values.times import Timestamp
from tests.building import (
    EAST,
    NOBODY,
    NOW,
    SOUTH,
    Voice,
    assemble,
    build,
    make_holding,
    make_opening,
    plan_supply,
    prove,
)
from tests.reference import handles
from tests.reference.hashing import ORDER, decode_scalar
from tests.unit.ledger.scenes import (
    Break,
    Breaks,
    Case,
    Scene,
    check_break,
    make_payment,
    make_spend,
    overwrite,
    replace_output,
)

CASH_BREAKS: Final = Breaks()
breaks = CASH_BREAKS.of

PAYER, PAYEE, BOTH = AttestationRole.PAYER, AttestationRole.PAYEE, AttestationRole.BOTH
OWNER, EPHEMERAL, COMMITMENT, TERMS = 0, 32, 65, 137
IDENTITY, NO_POINT = bytes(32), b"\x01" + bytes(31)


# --- form ---------------------------------------------------------------------------------------


@breaks(check_network, ErrorCode.NETWORK_MISMATCH)
def another_network(scene: Scene) -> Case:
    return scene.judge(scene.draft.with_body(network=NetworkId(bytes(range(16)))))


@breaks(check_window, ErrorCode.WINDOW_INVALID, [check_not_early, check_not_late])
def window_ends_before_it_begins(scene: Scene) -> Case:
    return scene.judge(scene.draft.with_body(not_before=NOW, not_after=Timestamp(NOW - 1)))


@breaks(check_window, ErrorCode.WINDOW_INVALID)
def window_too_long(scene: Scene) -> Case:
    end = Timestamp(NOW + WINDOW_MS_MAX + 1)
    return scene.judge(scene.draft.with_body(not_before=NOW, not_after=end))


@breaks(check_not_early, ErrorCode.NOT_YET_VALID)
def a_millisecond_early(scene: Scene) -> Case:
    start = scene.draft.body.not_before
    return replace(scene, now=Timestamp(start - 1)).judge()


@breaks(check_not_late, ErrorCode.EXPIRED)
def a_millisecond_late(scene: Scene) -> Case:
    end = scene.draft.body.not_after
    return replace(scene, now=Timestamp(end + 1)).judge()


@breaks(check_inputs_present, ErrorCode.INPUTS_MISSING)
def nothing_is_spent(scene: Scene) -> Case:
    payees = [(scene.south.bob, 0), (scene.north.alice, 0)]
    return scene.judge(build(scene.world, [], payees))


@breaks(check_inputs_distinct, ErrorCode.INPUT_REPEATED)
def one_token_twice(scene: Scene) -> Case:
    token = scene.holdings[0]
    payees = [(scene.south.bob, 900), (scene.north.alice, 500)]
    return scene.judge(build(scene.world, [token, token], payees))


@breaks(check_outputs_distinct, ErrorCode.OUTPUT_REPEATED)
def one_output_twice(scene: Scene) -> Case:
    opening = make_opening(scene.south.bob.address, 500)
    return scene.judge(assemble(scene.world, scene.holdings, [opening, opening]))


def _with_point(scene: Scene, place: int, point: bytes) -> Case:
    changed = overwrite(scene.draft.body.outputs[0], place, point)
    return scene.judge(replace_output(scene.draft, 0, changed))


@breaks(check_points_sound, ErrorCode.IDENTITY_POINT)
def owner_is_the_identity(scene: Scene) -> Case:
    return _with_point(scene, OWNER, IDENTITY)


@breaks(check_points_sound, ErrorCode.IDENTITY_POINT)
def ephemeral_is_the_identity(scene: Scene) -> Case:
    return _with_point(scene, EPHEMERAL, IDENTITY)


@breaks(check_points_sound, ErrorCode.IDENTITY_POINT, is_provable=False)
def commitment_is_the_identity(scene: Scene) -> Case:
    return _with_point(scene, COMMITMENT, IDENTITY)


@breaks(check_points_sound, ErrorCode.IDENTITY_POINT, is_provable=False)
def kernel_is_the_identity(scene: Scene) -> Case:
    transaction, context = scene.judge()
    kernel = replace(transaction.signed.kernels[0], public=PublicKey(IDENTITY))
    signed = replace(transaction.signed, kernels=(kernel,))
    return replace(transaction, signed=signed), context


@breaks(check_points_sound, ErrorCode.POINT_INVALID)
def owner_is_no_point(scene: Scene) -> Case:
    return _with_point(scene, OWNER, NO_POINT)


@breaks(check_points_sound, ErrorCode.POINT_INVALID)
def ephemeral_is_no_point(scene: Scene) -> Case:
    return _with_point(scene, EPHEMERAL, NO_POINT)


@breaks(check_points_sound, ErrorCode.POINT_INVALID, is_provable=False)
def commitment_is_no_point(scene: Scene) -> Case:
    return _with_point(scene, COMMITMENT, NO_POINT)


@breaks(check_terms, ErrorCode.TERMS_MISMATCH)
def terms_of_another_output(scene: Scene) -> Case:
    first, second = scene.draft.body.terms
    return scene.judge(scene.draft.with_body(terms=(replace(first, nonce=second.nonce), second)))


def _with_terms(scene: Scene, terms: Terms) -> Case:
    body = scene.draft.body
    changed = overwrite(body.outputs[0], TERMS, terms.compute_hash())
    draft = replace_output(scene.draft, 0, changed)
    return scene.judge(draft.with_body(terms=(terms, body.terms[1])))


@breaks(check_terms_are_cash, ErrorCode.TERMS_NOT_ALLOWED)
def cash_with_a_label(scene: Scene) -> Case:
    return _with_terms(scene, replace(scene.draft.body.terms[0], label=1))


@breaks(check_terms_are_cash, ErrorCode.TERMS_NOT_ALLOWED)
def cash_with_a_lock(scene: Scene) -> Case:
    return _with_terms(scene, replace(scene.draft.body.terms[0], lock=b"\x01" * 32))


@breaks(check_terms_are_cash, ErrorCode.TERMS_NOT_ALLOWED)
def cash_with_an_expiry(scene: Scene) -> Case:
    return _with_terms(scene, replace(scene.draft.body.terms[0], expiry=Timestamp(NOW + 1)))


@breaks(check_terms_are_cash, ErrorCode.TERMS_NOT_ALLOWED)
def an_output_of_another_kind(scene: Scene) -> Case:
    return _with_terms(scene, replace(scene.draft.body.terms[0], kind=Kind.LOCKED))


@breaks(check_range_cover, ErrorCode.RANGE_COVER_INVALID)
def proofs_of_the_other_mode(scene: Scene) -> Case:
    other = {
        ProofMode.PUBLISHED: ProofMode.AGGREGATED,
        ProofMode.AGGREGATED: ProofMode.PUBLISHED,
    }[scene.world.genesis.proof_mode]
    proofs = prove(other, scene.draft.openings, scene.draft.masks)
    return scene.judge(scene.draft.with_body(proofs=proofs))


@breaks(check_range_cover, ErrorCode.RANGE_COVER_INVALID, is_provable=False)
def an_output_without_a_proof(scene: Scene) -> Case:
    first = prove(ProofMode.PUBLISHED, scene.draft.openings, scene.draft.masks)[:1]
    return scene.judge(scene.draft.with_body(proofs=first))


@breaks(check_supply_unchanged, ErrorCode.SUPPLY_SECTION_UNEXPECTED)
def a_payment_with_authorisations(scene: Scene) -> Case:
    plan = plan_supply(scene.world, scene.view.supply, 0, SOUTH, NOW)
    return scene.judge(replace(scene.draft, supply=plan))


# --- state --------------------------------------------------------------------------------------


@breaks(check_inputs_known, ErrorCode.INPUT_UNKNOWN, [check_inputs_attested], is_provable=False)
def money_from_nowhere(scene: Scene) -> Case:
    token = make_holding(scene.world, scene.north.alice, 1_000)
    payees = [(scene.south.bob, 1_600), (scene.north.alice, 100)]
    return scene.judge(build(scene.world, [scene.holdings[0], token], payees))


@breaks(check_not_void, ErrorCode.TRANSACTION_VOID)
def cancelled_by_its_owner(scene: Scene) -> Case:
    scene.view.voids.add(scene.draft.body.txid)
    return scene.judge()


def _spend_before(scene: Scene, window: tuple[Timestamp, Timestamp]) -> None:
    body, key = scene.draft.body, scene.draft.owners[1]
    scene.view.spends[body.inputs[1]] = make_spend(body, body.inputs[1], key, window)


@breaks(check_inputs_unspent, ErrorCode.INPUT_SPENT)
def spent_before(scene: Scene) -> Case:
    _spend_before(scene, (scene.draft.body.not_before, scene.draft.body.not_after))
    return scene.judge()


@breaks(check_inputs_unspent, ErrorCode.INPUT_SPENT)
def spent_in_an_earlier_window(scene: Scene) -> Case:
    _spend_before(scene, (Timestamp(0), Timestamp(scene.draft.body.not_before - 1)))
    return scene.judge()


@breaks(check_inputs_unspent, ErrorCode.OWNER_SIGNATURE_INVALID, is_provable=False)
def spent_again_by_somebody_else(scene: Scene) -> Case:
    _spend_before(scene, (scene.draft.body.not_before, scene.draft.body.not_after))
    owners = scene.draft.owners
    return scene.judge(replace(scene.draft, owners=(owners[0], owners[0])))


@breaks(check_outputs_new, ErrorCode.OUTPUT_EXISTS)
def an_output_of_the_ledger(scene: Scene) -> Case:
    output = scene.draft.body.outputs[0]
    scene.view.outputs[output.ref] = LedgerOutput(output, Kind.CASH, SOUTH)
    return scene.judge()


@breaks(check_kernels_new, ErrorCode.KERNEL_EXISTS)
def a_kernel_of_the_ledger(scene: Scene) -> Case:
    transaction, context = scene.judge()
    scene.view.kernels.add(transaction.signed.kernels[0].public)
    return transaction, context


@breaks(check_kernels_new, ErrorCode.KERNEL_EXISTS)
def one_kernel_twice(scene: Scene) -> Case:
    whole = decode_scalar(handles.expose(scene.draft.kernels[0], "signing-key"))
    half = handles.signing_key(whole * pow(2, -1, ORDER) % ORDER)
    return scene.judge(replace(scene.draft, kernels=(half, half)))


# --- attestation --------------------------------------------------------------------------------


@breaks(check_attestation_form, ErrorCode.ATTESTATION_EXCESS)
def attested_an_input_that_is_not_there(scene: Scene) -> Case:
    payer, payee = scene.draft.voices
    return scene.with_voices(replace(payer, inputs=0b111), payee)


@breaks(check_attestation_form, ErrorCode.ATTESTATION_EXCESS)
def attested_an_output_that_is_not_there(scene: Scene) -> Case:
    payer, payee = scene.draft.voices
    return scene.with_voices(payer, replace(payee, outputs=payee.outputs | 1 << 15))


@breaks(check_attestation_form, ErrorCode.ATTESTATION_EXCESS)
def a_payees_bank_speaks_for_inputs(scene: Scene) -> Case:
    payer, payee = scene.draft.voices
    return scene.with_voices(replace(payer, role=PAYEE), payee)


@breaks(check_attestation_form, ErrorCode.ATTESTATION_EXCESS)
def a_payers_bank_speaks_for_no_input(scene: Scene) -> Case:
    payer, payee = scene.draft.voices
    return scene.with_voices(payer, replace(payee, role=PAYER))


@breaks(check_attestation_form, ErrorCode.ATTESTATION_EXCESS)
def a_bank_speaks_for_nothing(scene: Scene) -> Case:
    return scene.with_voices(*scene.draft.voices, Voice(PAYEE, EAST, 0, 0))


@breaks(
    check_attesters_active,
    ErrorCode.ATTESTER_UNKNOWN,
    [check_outputs_attested],
    is_provable=False,
)
def attested_by_nobody(scene: Scene) -> Case:
    payer, payee = scene.draft.voices
    return scene.with_voices(payer, replace(payee, bank=NOBODY, key=scene.south.attestation))


@breaks(check_attesters_active, ErrorCode.ATTESTER_SUSPENDED, [check_outputs_attested])
def attested_by_a_suspended_bank(scene: Scene) -> Case:
    return scene.judge(world=scene.world.with_member(SOUTH, Status.SUSPENDED, EAST))


@breaks(check_attesters_active, ErrorCode.ATTESTER_REVOKED, [check_outputs_attested])
def attested_by_a_revoked_bank(scene: Scene) -> Case:
    return scene.judge(world=scene.world.with_member(SOUTH, Status.REVOKED, EAST))


@breaks(check_attesters_active, ErrorCode.ATTESTER_WRONG)
def attested_by_an_auditor(scene: Scene) -> Case:
    return scene.judge(world=scene.world.with_member(SOUTH, Status.ACTIVE, role=Role.AUDITOR))


@breaks(check_inputs_attested, ErrorCode.ATTESTATION_MISSING)
def an_input_nobody_attested(scene: Scene) -> Case:
    payer, payee = scene.draft.voices
    return scene.with_voices(replace(payer, inputs=0b01), payee)


@breaks(check_inputs_attested, ErrorCode.ATTESTATION_EXCESS)
def two_banks_speak_for_an_input(scene: Scene) -> Case:
    return scene.with_voices(*scene.draft.voices, Voice(PAYER, EAST, 0b10, 0))


@breaks(check_inputs_attested, ErrorCode.ATTESTER_WRONG)
def another_bank_speaks_for_the_inputs(scene: Scene) -> Case:
    payer, payee = scene.draft.voices
    rest = Voice(PAYEE, payer.bank, 0, payer.outputs)
    return scene.with_voices(replace(payer, bank=EAST, outputs=0), rest, payee)


@breaks(check_outputs_attested, ErrorCode.ATTESTATION_MISSING)
def an_output_nobody_attested(scene: Scene) -> Case:
    return scene.with_voices(scene.draft.voices[0])


@breaks(check_outputs_attested, ErrorCode.ATTESTATION_EXCESS)
def two_banks_speak_for_an_output(scene: Scene) -> Case:
    outputs = scene.draft.voices[1].outputs
    return scene.with_voices(*scene.draft.voices, Voice(PAYEE, EAST, 0, outputs))


@breaks(check_outputs_attested, ErrorCode.ATTESTER_WRONG)
def another_bank_speaks_for_an_output(scene: Scene) -> Case:
    payer, payee = scene.draft.voices
    return scene.with_voices(payer, replace(payee, bank=EAST))


@breaks(check_outputs_attested, ErrorCode.ATTESTER_WRONG)
def the_payers_bank_speaks_for_the_payee(scene: Scene) -> Case:
    payer, _ = scene.draft.voices
    return scene.with_voices(replace(payer, outputs=0b11, role=BOTH))


# --- tried --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", tuple(ProofMode), ids=lambda mode: mode.name)
@pytest.mark.parametrize("broken", CASH_BREAKS, ids=[one.name for one in CASH_BREAKS])
def test_a_broken_rule_gives_its_code(broken: Break, mode: ProofMode) -> None:  # T16, T2, T15
    check_break(broken, make_payment(mode))
