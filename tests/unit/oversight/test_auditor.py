"""The auditor finds what the public cannot see, and vouches for nothing it has not judged (X3)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionKey, SigningKey
from specie.identity.genesis import ProofMode
from specie.identity.participants import ParticipantList, Status
from specie.ledger.audit import PublicAudit, split_batches
from specie.ledger.batches import build_leaves, pack_private, read_newest_list
from specie.ledger.records import Output, RangeProof
from specie.ledger.transactions import AttestedTransaction
from specie.ledger.voids import VoidRequest
from specie.ledger.wire import encode_signed
from specie.log.leaves import CONFLICT, VoidLeaf
from specie.log.notes import verify_note
from specie.oversight.auditor import Auditor, BatchAudit
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Signature
from specie.values.times import Timestamp
from tests.building import NORTH, NOW, SOUTH, Draft, World, build, sign
from tests.clocks import ManualClock
from tests.press import Press, PressedBatch, press_history
from tests.reference import commitment, ristretto
from tests.reference.hashing import ORDER
from tests.refusing import refuse
from tests.unit.ledger.history import hold_output, make_history

KEYS = (InstitutionKey.generate(), CosignerKey.generate())
COMMITMENT = 65
JUNK = Signature(bytes(range(63)) + b"\x80")


@pytest.fixture(params=list(ProofMode), ids=lambda mode: mode.name.lower())
def press(request: pytest.FixtureRequest, tmp_path: Path) -> Press:
    """The whole history, published."""
    return press_history(make_history(request.param), tmp_path / "log")


@pytest.fixture
def started(tmp_path: Path) -> Press:
    """Only the issue, on an aggregated network: what follows is up to the test."""
    return press_history(make_history(ProofMode.AGGREGATED), tmp_path / "log", batches=1)


def start_audit(press: Press, lists: Mapping[int, ParticipantList] | None = None) -> BatchAudit:
    """Nothing audited yet."""
    members = press.world.members
    return BatchAudit(press.world.genesis, lists or {members.version: members})


def audit_all(press: Press, lists: Mapping[int, ParticipantList] | None = None) -> BatchAudit:
    """Every batch as published."""
    audit = start_audit(press, lists)
    for batch in press.batches:
        audit.add_batch(batch.private, batch.leaves)
    return audit


def audit_publicly(press: Press) -> None:
    """What anyone can do with the log alone."""
    audit = PublicAudit(press.world.genesis, press.world.members)
    for batch in split_batches(press.log.iterate_leaves(len(press.leaves))):
        audit.add_batch(batch)
    audit.finish()


def draft_payment(world: World) -> Draft:
    """1,000 of Alice's issue: 900 to Bob of the South, 100 back."""
    issue = make_history(world.genesis.proof_mode).drafts[0][0]
    north, south = world.institutions[NORTH], world.institutions[SOUTH]
    holdings = [hold_output(issue, 0), hold_output(issue, 1)]
    return build(world, holdings, [(south.bob, 900), (north.alice, 100)])


# --- what is right ------------------------------------------------------------------------------


def test_real_batches_pass_and_are_counted(press: Press) -> None:
    audit_publicly(press)
    audit = audit_all(press)
    audit.check_covers(press.checkpoint)
    totals = audit.totals
    assert (totals.batches, totals.transactions) == (4, 5)
    assert (totals.inputs, totals.outputs) == (4, 11)
    assert totals.attestations == sum(
        len(draft.voices)
        for drafts in make_history(press.world.genesis.proof_mode).drafts
        for draft in drafts
    )


def test_a_log_of_the_same_length_is_another_history(press: Press) -> None:
    audit = audit_all(press)
    forked = press.commit([*press.leaves[:-1], press.leaves[0]])
    assert audit.is_contradicted_by(forked)
    assert refuse(audit.check_covers, forked) is ErrorCode.LOG_INVALID
    for other in (press.checkpoint, press.commit(press.leaves[:-1])):
        assert not audit.is_contradicted_by(other)


def test_by_which_lists_a_batch_was_judged(press: Press) -> None:
    """Seen without decoding what is in it; what is cut off has none."""
    drafts = make_history(press.world.genesis.proof_mode).drafts[0]
    judged = [press.judge(sign(one), version=version) for one in drafts for version in (3, 7, 5)]
    private = pack_private(1, NOW, judged)
    assert read_newest_list(private) == 7
    assert read_newest_list(pack_private(1, NOW, [])) == 0
    assert refuse(read_newest_list, private[:40]) is ErrorCode.TRUNCATED


# --- batches that are not those of the log ------------------------------------------------------


def test_every_kind_of_gap(press: Press) -> None:
    first, second, third, fourth = press.batches
    for wrong in (
        (second,),
        (first, third),
        (first, first),
        (first, second, fourth),
        (first, second, second),
    ):
        audit = start_audit(press)
        for batch in wrong[:-1]:
            audit.add_batch(batch.private, batch.leaves)
        code = refuse(audit.add_batch, wrong[-1].private, wrong[-1].leaves)
        assert code is ErrorCode.LOG_INVALID
        assert refuse(audit.check_covers, press.checkpoint) is ErrorCode.LOG_INVALID


def test_a_private_batch_that_is_not_in_the_header(press: Press, tmp_path: Path) -> None:
    """Other signatures of the same payment leave every leaf but the header as it was."""
    audit = start_audit(press)
    audit.add_batch(press.batches[0].private, press.batches[0].leaves)
    other = Press(press.world, tmp_path / "other")
    drafts = make_history(press.world.genesis.proof_mode).drafts
    for part in drafts[:2]:
        other.publish_all(*(sign(draft) for draft in part))
    assert other.batches[1].private != press.batches[1].private
    code = refuse(audit.add_batch, other.batches[1].private, press.batches[1].leaves)
    assert code is ErrorCode.LOG_INVALID
    right = press.batches[1]  # too late: it has failed
    assert refuse(audit.add_batch, right.private, right.leaves) is ErrorCode.LOG_INVALID


def test_every_changed_byte_of_a_private_batch(press: Press) -> None:
    batch = press.batches[0]
    for place in {*range(100), *range(100, len(batch.private), 37)}:
        flipped = bytes([batch.private[place] ^ 1])
        changed = batch.private[:place] + flipped + batch.private[place + 1 :]
        with pytest.raises(SpecieError):
            start_audit(press).add_batch(changed, batch.leaves)
    for changed in (batch.private[:-1], batch.private + b"\0", b""):
        with pytest.raises(SpecieError):
            start_audit(press).add_batch(changed, batch.leaves)


@pytest.mark.parametrize("change", ["dropped", "added", "swapped", "altered", "none"])
def test_leaves_that_do_not_follow_from_the_batch(press: Press, change: str) -> None:
    private, leaves = press.batches[0].private, list(press.batches[0].leaves)
    changed = {
        "dropped": leaves[:-1],
        "added": [*leaves, leaves[-1]],
        "swapped": [leaves[0], leaves[2], leaves[1], *leaves[3:]],
        "altered": [*leaves[:-1], leaves[-1][:-1] + bytes([leaves[-1][-1] ^ 1])],
        "none": [],
    }[change]
    assert refuse(start_audit(press).add_batch, private, changed) is ErrorCode.LOG_INVALID


# --- rules broken under the log's own signature -------------------------------------------------


def wrap_amounts(draft: Draft) -> AttestedTransaction:
    """1,500 to Bob, and -500 to Alice: it balances, and no commitment says how."""
    moved = []
    for output, value in zip(draft.body.outputs, (600, -600), strict=True):
        shift = ristretto.multiply(value % ORDER, commitment.value_generator())
        point = ristretto.decode(output.data[COMMITMENT : COMMITMENT + 32])
        data = ristretto.encode(ristretto.add(point, shift))
        moved.append(Output(output.data[:COMMITMENT] + data + output.data[COMMITMENT + 32 :]))
    return sign(draft.with_body(outputs=tuple(moved)))


def spoil_proof(draft: Draft) -> AttestedTransaction:
    """A proof that proves nothing."""
    [proof] = draft.body.proofs
    data = proof.data[:-32] + bytes([proof.data[-32] ^ 1]) + proof.data[-31:]
    return sign(draft.with_body(proofs=(RangeProof(proof.covers, data),)))


def spoil_attestation(draft: Draft) -> AttestedTransaction:
    """A bank that has not attested."""
    signed = sign(draft)
    first = replace(signed.attestations[0], signature=JUNK)
    return replace(signed, attestations=(first, *signed.attestations[1:]))


def drop_attestation(draft: Draft) -> AttestedTransaction:
    """The payee's bank was never asked."""
    signed = sign(draft)
    return replace(signed, attestations=signed.attestations[:1])


def spoil_owner(draft: Draft) -> AttestedTransaction:
    """Not signed by who owns the money."""
    signed = sign(draft)
    owners = (JUNK, *signed.signed.owner_signatures[1:])
    return replace(signed, signed=replace(signed.signed, owner_signatures=owners))


@pytest.mark.parametrize(
    ("forge", "code"),
    [
        (wrap_amounts, ErrorCode.PROOF_INVALID),
        (spoil_proof, ErrorCode.PROOF_INVALID),
        (spoil_attestation, ErrorCode.ATTESTATION_SIGNATURE_INVALID),
        (drop_attestation, ErrorCode.ATTESTATION_MISSING),
        (spoil_owner, ErrorCode.OWNER_SIGNATURE_INVALID),
    ],
)
def test_what_the_public_cannot_see(
    started: Press, forge: Callable[[Draft], AttestedTransaction], code: ErrorCode
) -> None:
    """All leaves and hashes are right, the log has signed: only who judges again finds it."""
    started.publish_all(forge(draft_payment(started.world)))
    audit_publicly(started)
    audit = start_audit(started)
    audit.add_batch(started.batches[0].private, started.batches[0].leaves)
    bad = started.batches[1]
    assert refuse(audit.add_batch, bad.private, bad.leaves) is code
    assert refuse(audit.check_covers, started.checkpoint) is ErrorCode.LOG_INVALID


def check_last_refused(press: Press, code: ErrorCode) -> None:
    audit = start_audit(press)
    for batch in press.batches[:-1]:
        audit.add_batch(batch.private, batch.leaves)
    last = press.batches[-1]
    assert refuse(audit.add_batch, last.private, last.leaves) is code


def test_a_token_spent_twice(started: Press) -> None:
    """In an earlier batch: its owner's key is remembered, for voids handed in late."""
    started.publish_all(sign(draft_payment(started.world)))
    started.publish_all(sign(draft_payment(started.world)))
    check_last_refused(started, ErrorCode.INPUT_SPENT)


def test_a_token_spent_twice_in_one_batch(started: Press) -> None:
    payments = [sign(draft_payment(started.world)) for _ in range(2)]
    started.publish_all(*payments)
    check_last_refused(started, ErrorCode.INPUT_SPENT)


def test_a_payment_published_twice(started: Press) -> None:
    payment = sign(draft_payment(started.world))
    started.publish_all(payment, payment)
    check_last_refused(started, ErrorCode.KERNEL_EXISTS)


def test_money_out_of_nothing(started: Press) -> None:
    """An input that was never created."""
    payment = make_history(ProofMode.AGGREGATED).drafts[1][1]  # spends the first payment's output
    started.publish_all(sign(payment))
    check_last_refused(started, ErrorCode.INPUT_UNKNOWN)


def test_a_transaction_that_is_void(started: Press) -> None:
    draft = draft_payment(started.world)
    started.cancel(draft, started.judge(sign(draft)))
    check_last_refused(started, ErrorCode.TRANSACTION_VOID)


def test_what_was_cancelled_and_paid_again(started: Press) -> None:
    """The owner was free to sign again, in the same batch and after it."""
    first, second, third = (draft_payment(started.world) for _ in range(3))
    started.cancel(first)
    started.cancel(second, started.judge(sign(third)))
    started.cancel(draft_payment(started.world))  # signed before, handed in late: no rule is broken
    audit = audit_all(started)
    audit.check_covers(started.checkpoint)
    audit_publicly(started)
    assert audit.totals.voids == 3


def test_who_cancelled_it_is_checked(started: Press) -> None:
    """The notary alone cannot say that something is void, nor for whom."""
    draft = draft_payment(started.world)
    started.cancel(draft, owner=SigningKey.generate())
    check_last_refused(started, ErrorCode.OWNER_SIGNATURE_INVALID)


def test_a_void_of_what_its_owner_never_signed(started: Press) -> None:
    draft = draft_payment(started.world)
    forged = replace(draft, owners=(draft.owners[0], SigningKey.generate()))
    started.cancel(forged)
    check_last_refused(started, ErrorCode.OWNER_SIGNATURE_INVALID)


def test_a_void_of_money_that_nobody_knows(started: Press) -> None:
    payment = make_history(ProofMode.AGGREGATED).drafts[1][1]
    started.cancel(payment)
    check_last_refused(started, ErrorCode.INPUT_UNKNOWN)


def test_a_void_of_what_is_final(started: Press) -> None:
    draft = draft_payment(started.world)
    started.publish_all(sign(draft))
    started.cancel(draft)
    check_last_refused(started, ErrorCode.KERNEL_EXISTS)


def test_voids_and_requests_are_the_same(started: Press) -> None:
    """A leaf that nobody asked for, and a request without its leaf."""
    signed = sign(draft_payment(started.world)).signed
    request = VoidRequest(NOW, encode_signed(signed), Signature(bytes(64)))
    leaf = VoidLeaf(signed.txid).pack()
    for leaves, voids in (([leaf], ()), ((), [request]), ([leaf, leaf], [request])):
        press = replace(started, batches=started.batches[:1], leaves=started.leaves[:])
        press.publish((), leaves, voids)
        check_last_refused(press, ErrorCode.LOG_INVALID)


def test_judged_too_late(started: Press) -> None:
    payment = sign(draft_payment(started.world))
    late = Timestamp(payment.body.not_after + 1)
    started.publish([started.judge(payment, late)])
    check_last_refused(started, ErrorCode.EXPIRED)


# --- lists --------------------------------------------------------------------------------------


def test_a_bank_suspended_at_that_version(started: Press) -> None:
    suspended = started.world.with_member(SOUTH, Status.SUSPENDED)
    lists = {1: started.world.members, 2: suspended.members}
    payment = sign(draft_payment(started.world))
    started.publish([started.judge(payment, version=2)])
    code = refuse(audit_all, started, lists)
    assert code is ErrorCode.ATTESTER_SUSPENDED
    started.batches[-1:] = []
    honest = Press(started.world, started.folder.with_name("honest"))
    honest.publish_all(sign(make_history(ProofMode.AGGREGATED).drafts[0][0]))
    honest.publish([honest.judge(payment, version=1)])
    audit_all(honest, lists)


def test_a_list_that_never_was(started: Press) -> None:
    payment = sign(draft_payment(started.world))
    started.publish([started.judge(payment, version=9)])
    check_last_refused(started, ErrorCode.LOG_INVALID)


def test_neither_lists_nor_time_go_back(tmp_path: Path) -> None:
    """Or a bank could be heard by the list of the day before it was suspended."""
    history = make_history(ProofMode.AGGREGATED)
    lists = {1: history.world.members, 2: replace(history.world.members, version=2)}
    issue, payment = sign(history.drafts[0][0]), sign(draft_payment(history.world))
    later = Timestamp(NOW + 1)
    for name, first, second, is_right in (
        ("right", (NOW, 1), (later, 2), True),
        ("list", (NOW, 2), (later, 1), False),
        ("time", (later, 1), (NOW, 2), False),
    ):
        press = Press(history.world, tmp_path / name)
        press.publish([press.judge(issue, *first)])
        press.publish([press.judge(payment, *second)])
        if is_right:
            audit_all(press, lists)
        else:
            assert refuse(audit_all, press, lists) is ErrorCode.LOG_INVALID


# --- what the log adds of its own, and what comes after a failure --------------------------------


def test_a_batch_that_failed_leaves_nothing_behind(tmp_path: Path) -> None:
    """An issue judged, then refused with its batch, is no money for the next try."""
    history = make_history(ProofMode.AGGREGATED)
    press = Press(history.world, tmp_path / "log")
    issue, payment = (
        [press.judge(sign(draft)) for draft in drafts] for drafts in history.drafts[:2]
    )
    wrong = [*issue, press.judge(sign(history.drafts[1][0]), NOW, 99)]
    audit = start_audit(press)
    for judged in (wrong, payment, issue):
        private = pack_private(1, NOW, judged)
        leaves = build_leaves(1, NOW, judged, (), history.world.genesis, private)
        assert refuse(audit.add_batch, private, leaves) is ErrorCode.LOG_INVALID
        assert refuse(audit.check_covers, press.checkpoint) is ErrorCode.LOG_INVALID
    assert audit.totals.batches == audit.totals.transactions == 0


def test_a_conflict_that_proves_nothing(started: Press) -> None:
    """Anyone would refuse it, so the auditor does."""
    started.publish((), [bytes([CONFLICT]) + b"junk"])
    check_last_refused(started, ErrorCode.TRUNCATED)


def test_a_void_twice(started: Press) -> None:
    draft = draft_payment(started.world)
    started.cancel(draft)
    started.cancel(draft)
    check_last_refused(started, ErrorCode.KERNEL_EXISTS)


def test_a_log_ahead_of_time_is_not_cosigned(started: Press) -> None:
    audit, ahead = start_audit(started), Timestamp(NOW + 600_001)
    feed(audit, started.batches[0])
    private = pack_private(2, ahead, [])
    leaves = build_leaves(2, ahead, [], (), started.world.genesis, private)
    audit.add_batch(private, leaves)
    started.append(leaves)
    note, log_key = started.sign(started.checkpoint), started.trust.get_log_key()
    early = Auditor("auditor", KEYS, log_key, audit, ManualClock(NOW))
    assert refuse(early.cosign, note) is ErrorCode.LOG_INVALID
    later = Auditor("auditor", KEYS, log_key, audit, ManualClock(Timestamp(NOW + 1)))
    assert len(later.cosign(note)) == len(KEYS)


# --- cosigning ----------------------------------------------------------------------------------


def open_auditor(press: Press, audit: BatchAudit) -> Auditor:
    return Auditor("auditor.example", KEYS, press.trust.get_log_key(), audit, ManualClock(NOW))


def feed(audit: BatchAudit, batch: PressedBatch) -> None:
    audit.add_batch(batch.private, batch.leaves)


def test_it_cosigns_exactly_what_it_has_audited(press: Press) -> None:
    auditor = open_auditor(press, start_audit(press))
    size = 0
    for batch in press.batches:
        note = press.sign(press.commit(press.leaves[: size + len(batch.leaves)]))
        assert refuse(auditor.cosign, note) is ErrorCode.LOG_INVALID
        feed(auditor.audit, batch)
        size += len(batch.leaves)
        whole = note + "".join(f"{line.format()}\n" for line in auditor.cosign(note))
        signed = verify_note(whole, press.trust.get_log_key(), auditor.verifier_keys)
        assert signed.checkpoint.size == size and len(signed.signers) == 3
    earlier = press.sign(press.commit(press.leaves[:-1]))
    assert refuse(auditor.cosign, earlier) is ErrorCode.LOG_INVALID


def test_same_size_other_leaves(press: Press) -> None:
    auditor = open_auditor(press, audit_all(press))
    forked = press.sign(press.commit([*press.leaves[:-1], b"\2" + bytes(32)]))
    assert refuse(auditor.cosign, forked) is ErrorCode.LOG_INVALID
    stranger = replace(press.world, notary_key=InstitutionKey.generate())
    note = Press(stranger, press.folder).sign(press.checkpoint)
    assert refuse(auditor.cosign, note) is ErrorCode.CHECKPOINT_INVALID
    auditor.cosign(press.sign(press.checkpoint))
