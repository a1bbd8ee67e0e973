"""Witnesses and auditor put their lines under the checkpoint, or nothing is changed (X3, X13)."""

from dataclasses import replace
from pathlib import Path

import pytest

from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionKey
from specie.flows.cosigning import add_each, cosign_checkpoint
from specie.identity.genesis import ProofMode
from specie.log.notes import cosign, parse_note, pick_lines, verify_note
from specie.oversight.auditor import Auditor, BatchAudit
from specie.oversight.witness import Witness
from specie.registration.service import Registration
from specie.store.witness_store import SqliteWitnessStore
from specie.values.catalogue import ErrorCode
from specie.values.limits import NOTE_SIGNATURES_MAX
from tests.building import NOW, sign
from tests.clocks import ManualClock
from tests.press import Press, press_history
from tests.refusing import refuse
from tests.unit.ledger.history import make_history


class Panel:
    """Two witnesses and an auditor, each with both kinds of key."""

    def __init__(self, press: Press, folder: Path) -> None:
        self.press, self.audited = press, 0
        log_key, clock = press.trust.get_log_key(), ManualClock(NOW)
        self.witnesses = [
            Witness(
                name,
                (InstitutionKey.generate(), CosignerKey.generate()),
                log_key,
                SqliteWitnessStore(folder / f"{name}.db"),
                clock,
            )
            for name in ("witness.one", "witness.two")
        ]
        audit = BatchAudit(press.world.genesis, {1: press.world.members})
        keys = (InstitutionKey.generate(), CosignerKey.generate())
        self.auditor = Auditor("auditor", keys, log_key, audit, clock)
        self.keys = [key for one in self.witnesses for key in one.verifier_keys]
        self.keys += self.auditor.verifier_keys

    def audit(self) -> None:
        """What is new."""
        for batch in self.press.batches[self.audited :]:
            self.auditor.audit.add_batch(batch.private, batch.leaves)
            self.audited += 1

    def cosign(self, registration: Registration) -> str:
        """Everybody."""
        size = len(self.press.leaves)
        log = self.press.log
        return cosign_checkpoint(log, registration, self.witnesses, [self.auditor], size)


@pytest.fixture
def press(tmp_path: Path) -> Press:
    """The first batch."""
    return press_history(make_history(ProofMode.AGGREGATED), tmp_path / "log", batches=1)


@pytest.fixture
def panel(press: Press, tmp_path: Path) -> Panel:
    return Panel(press, tmp_path)


def test_batch_after_batch(press: Press, panel: Panel) -> None:
    registration = press.open_registration(panel.keys)
    for drafts in (*make_history(ProofMode.AGGREGATED).drafts[1:], ()):
        registration.catch_up()
        panel.audit()
        note = panel.cosign(registration)
        assert press.log.read_checkpoint() == note
        signed = verify_note(note, press.trust.get_log_key(), panel.keys)
        assert signed.checkpoint == press.checkpoint
        assert signed.signers == (press.trust.get_log_key(), *panel.keys)
        assert panel.cosign(registration) == note  # again: nothing is added twice
        if drafts:
            press.publish_all(*(sign(draft) for draft in drafts))


def test_without_the_auditor_nothing_is_published(press: Press, panel: Panel) -> None:
    registration = press.open_registration(panel.keys)
    before = press.log.read_checkpoint()
    assert refuse(panel.cosign, registration) is ErrorCode.LOG_INVALID
    assert press.log.read_checkpoint() == before


def test_a_log_that_has_grown_meanwhile(press: Press, panel: Panel) -> None:
    registration = press.open_registration(panel.keys)
    panel.audit()
    before = press.log.read_checkpoint()
    code = refuse(cosign_checkpoint, press.log, registration, panel.witnesses, [panel.auditor], 1)
    assert code is ErrorCode.LOG_INVALID
    assert press.log.read_checkpoint() == before


def test_lines_that_do_not_hold_are_not_published(press: Press, panel: Panel) -> None:
    """What a cosigner answers is looked at: one wrong line spoils the note for every reader."""
    note, witness = press.log.read_checkpoint(), panel.witnesses[0]
    lines, keys = witness.cosign(note, ()), witness.verifier_keys
    assert pick_lines(note, lines, keys) == lines
    assert pick_lines(note, [*lines, *lines], keys) == lines
    assert pick_lines(note, lines, keys[:1]) == lines[:1]
    assert pick_lines(note, lines, panel.witnesses[1].verifier_keys) == ()
    for wrong in (
        replace(lines[0], signature=bytes(len(lines[0].signature))),
        replace(lines[1], signature=lines[1].signature[:-1]),
        replace(lines[0], signature=lines[1].signature),
    ):
        code = refuse(pick_lines, note, [wrong, *lines], keys)
        assert code is ErrorCode.CHECKPOINT_INVALID


def test_what_one_has_too_many_of_costs_no_other_its_lines(press: Press) -> None:
    checkpoint, lines = press.checkpoint, []
    for name, count in (("one", 1), ("greedy", NOTE_SIGNATURES_MAX), ("two", 2)):
        keys = [InstitutionKey.generate() for _ in range(count)]
        lines += [cosign(checkpoint, name, key, 1) for key in keys]
    (refusal,) = add_each(press.log, checkpoint, lines)
    assert refusal.code is ErrorCode.LIMIT_EXCEEDED
    found = parse_note(press.log.read_checkpoint())[1]
    assert [line.name for line in found[1:]] == ["one", "two", "two"]
    press.append([press.leaves[0]])
    assert refuse(add_each, press.log, checkpoint, lines) is ErrorCode.LOG_INVALID


def test_a_forked_log_gets_no_line(press: Press, panel: Panel, tmp_path: Path) -> None:
    panel.audit()
    panel.cosign(press.open_registration(panel.keys))
    forked = Press(press.world, tmp_path / "forked")
    forked.append([*press.leaves[:-1], press.leaves[1]])
    other = forked.open_registration(panel.keys)
    code = refuse(cosign_checkpoint, forked.log, other, panel.witnesses, [], len(forked.leaves))
    assert code is ErrorCode.LOG_INVALID
