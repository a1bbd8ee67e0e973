"""Without the network's processes: receipts, private batches, a wallet from its words."""

import json
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from specie.cli import app
from specie.crypto.secrets import KeyTree
from specie.values.errors import SpecieError
from specie.values.limits import PROOF_BYTES_MAX
from tests.unit.cli.conftest import Demo

RECEIPT = "receipts/rent.tlog-proof"


@pytest.fixture(scope="session")
def kept(demos: dict[str, Demo]) -> Path:
    """What one demo left."""
    return demos["published"].data


def invoke(*arguments: str | Path, phrase: str = "") -> str:
    """A command that must end well; gives its output."""
    done = CliRunner().invoke(app, list(map(str, arguments)), input=phrase)
    if isinstance(done.exception, SpecieError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_receipt_is_verified_offline(kept: Path, tmp_path: Path) -> None:  # X2
    for name in ("genesis", "participants", "cosigners"):
        shutil.copy(kept / "public" / name, tmp_path / name)
    facts = json.loads(invoke("verify-receipt", kept / RECEIPT, "--public", tmp_path, "--json"))
    assert facts["paid_minor"] == 74_219 and facts["payer_wrote_name"] == "Aigerim"
    assert facts["witnesses"] == "2 of 2 witnesses: witness.one, witness.two"
    assert facts["auditors"] == "1 of 1 auditors: auditor"
    assert facts["which_rests_on"] == "the folder's own word; give --network"
    own = tmp_path / "own"
    own.write_text("")
    trusting_nobody = ("verify-receipt", kept / RECEIPT, "--public", tmp_path, "--cosigners", own)
    assert "0 of 0 witnesses" in invoke(*trusting_nobody)
    with pytest.raises(SpecieError, match="cosigners_missing: 0 of 0 witnesses"):
        invoke(*trusting_nobody, "--require-cosigners")


def test_a_receipt_is_a_regular_file(kept: Path, tmp_path: Path) -> None:
    public = kept / "public"
    (tmp_path / "link").symlink_to(kept / RECEIPT)  # a file of one's own may be a link
    facts = json.loads(invoke("verify-receipt", tmp_path / "link", "--public", public, "--json"))
    assert "payer_wrote_order_id" in facts
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        with pytest.raises(SpecieError, match=r"receipt_invalid.*not a regular file"):
            invoke("verify-receipt", path, "--public", public)
    (tmp_path / "long").write_bytes(b"x" * (PROOF_BYTES_MAX + 1))
    with pytest.raises(SpecieError, match="limit_exceeded"):
        invoke("verify-receipt", tmp_path / "long", "--public", public)


def test_a_changed_receipt_is_refused(kept: Path, tmp_path: Path) -> None:
    text = (kept / RECEIPT).read_text()
    path = tmp_path / "changed"
    for place in range(0, len(text), 37):
        other = "A" if text[place] != "A" else "B"
        path.write_text(text[:place] + other + text[place + 1 :])
        with pytest.raises(SpecieError):
            invoke("verify-receipt", path, "--public", kept / "public")


def test_a_receipt_becomes_qr_codes(kept: Path, tmp_path: Path) -> None:
    public = kept / "public"
    invoke("verify-receipt", kept / RECEIPT, "--public", public, "--qr", tmp_path / "rent.svg")
    saved = sorted(tmp_path.glob("*.svg"))
    assert saved and all(path.read_text().startswith("<?xml") for path in saved)


def test_what_is_no_folder_of_batches_is_said(kept: Path, tmp_path: Path) -> None:
    for folder in (tmp_path / "nowhere", kept / "public"):
        with pytest.raises(SpecieError, match=r"setting_invalid: --batches .*: no batches/ in it"):
            invoke("audit", kept / "public", "--batches", folder)
    shutil.copytree(kept / "notary" / "lists", tmp_path / "lists")
    (tmp_path / "batches").mkdir()
    with pytest.raises(SpecieError, match="log_invalid: batches: 1: No such file"):
        invoke("audit", kept / "public", "--batches", tmp_path)


def test_auditors_judge_the_private_batches(kept: Path, tmp_path: Path) -> None:  # X3
    private = tmp_path / "notary"
    shutil.copytree(kept / "notary", private)
    found = json.loads(invoke("audit", kept / "public", "--batches", private, "--json"))
    assert found["transactions_judged"] == found["kernels"] > 0
    batch = private / "batches" / "1"
    good = batch.read_bytes()
    for data in (good[:-1], good + b"\0", good[:200] + bytes([good[200] ^ 1]) + good[201:]):
        batch.write_bytes(data)
        with pytest.raises(SpecieError):
            invoke("audit", kept / "public", "--batches", private)
    batch.unlink()
    with pytest.raises(SpecieError, match="log_invalid"):
        invoke("audit", kept / "public", "--batches", private)


def test_a_phrase_has_its_addresses(kept: Path) -> None:  # X7
    phrase = invoke("wallet", "new").strip()
    assert len(phrase.split()) == 24
    arguments = ("--public", kept / "public", "--bank", "2", "--subwallets", "2")
    first = invoke("wallet", "address", *arguments, phrase=phrase)
    assert first == invoke("wallet", "address", *arguments, phrase=phrase)
    addresses = first.split()
    assert len(set(addresses)) == 2 and all(one.startswith("spc1") for one in addresses)
    drawn = invoke("wallet", "address", *arguments, "--qr", phrase=phrase)
    assert "█" in drawn and addresses[1] in drawn


def test_an_empty_wallet_is_restored_as_empty(kept: Path) -> None:  # T19
    phrase = KeyTree.generate().phrase()
    arguments = ("wallet", "restore", "--public", kept / "public", "--bank", "3", "--json")
    facts = json.loads(invoke(*arguments, phrase=phrase))
    assert facts["balance_minor"] == 0 and facts["tokens_ever"] == 0 and facts["log_size"] > 0


@pytest.mark.parametrize("words", ["", "one two three", "abandon " * 24, "ж" * 30])
def test_a_wrong_phrase_is_refused(kept: Path, words: str) -> None:
    with pytest.raises(SpecieError, match="phrase_invalid"):
        invoke(*("wallet", "restore", "--public", kept / "public", "--bank", "2"), phrase=words)
