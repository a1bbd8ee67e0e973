"""Receipts convince a third party offline of a leaf, and of what a payment paid (X2)."""

import base64
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionKey
from specie.identity.genesis import ProofMode
from specie.ledger.outline import compute_slot_salt
from specie.ledger.receipts import (
    PaymentPart,
    ReceiptTrust,
    VerifiedReceipt,
    build_receipt,
    verify_receipt,
)
from specie.log.checkpoint import Checkpoint
from specie.log.inclusion import parse_inclusion
from specie.log.leaves import (
    ConflictLeaf,
    CreatedLeaf,
    HeaderLeaf,
    KernelLeaf,
    SpentLeaf,
    VoidLeaf,
)
from specie.log.notes import (
    SignatureType,
    VerifierKey,
    append_lines,
    cosign,
    format_note,
    get_verifier_key,
    sign_as_log,
)
from specie.log.tree import compute_leaf_hash, compute_node_hash
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, ParticipantNumber, TransactionId
from specie.values.limits import PROOF_BYTES_MAX
from tests.building import NORTH, SOUTH, make_world
from tests.press import Press, press_history
from tests.refusing import refuse
from tests.unit.ledger.history import make_history

KINDS: Final = (HeaderLeaf, CreatedLeaf, SpentLeaf, KernelLeaf, ConflictLeaf, VoidLeaf)
OTHERS: Final = (ConflictLeaf(b"\1" * 655).pack(), VoidLeaf(TransactionId(b"\2" * 32)).pack())
HUGE: Final = 10**8
RECEIPT_BYTES_MAX: Final = 4_096


@pytest.fixture(scope="module", params=list(ProofMode), ids=lambda mode: mode.name.lower())
def press(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Press:
    """A small log in both proof modes, with a conflict and a void."""
    made = press_history(make_history(request.param), tmp_path_factory.mktemp("log"))
    made.publish([], OTHERS)
    return made


@pytest.fixture
def payment(press: Press) -> PaymentPart:
    """900 to Bob of the South, 100 of change to Alice of the North."""
    return make_part(press, 0)


def make_part(press: Press, index: int) -> PaymentPart:
    """Output `index` of the first payment."""
    draft = make_history(press.world.genesis.proof_mode).drafts[1][0]
    salt = compute_slot_salt(draft.body.offset, index)
    return PaymentPart(draft.body.outline, index, salt, draft.openings[index])


def find_place(press: Press, payment: PaymentPart) -> int:
    """Of the payment's kernels."""
    wanted = b"\3" + payment.outline.compute_id()
    return next(at for at, leaf in enumerate(press.leaves) if leaf.startswith(wanted))


def write(press: Press, index: int, payment: PaymentPart | None = None) -> str:
    """A receipt by whoever has the log."""
    note = press.log.read_checkpoint()
    return build_receipt(press.leaves[index], index, press.prove(index), note, payment)


def write_payment(press: Press, payment: PaymentPart) -> str:
    """A receipt of a payment at the place of its kernels, whatever else it says."""
    return write(press, find_place(press, make_part(press, 0)), payment)


def with_extra(text: str, extra: bytes) -> str:
    """The same proof with another `extra`."""
    return replace(parse_inclusion(text), extra=extra).format()


# --- what holds ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_leaf(press: Press, kind: type) -> None:
    places = [at for at, leaf in enumerate(press.leaves) if leaf[0] == KINDS.index(kind)]
    assert places
    for place in places:
        found = verify_receipt(write(press, place), press.trust)
        assert isinstance(found.leaf, kind) and found.leaf.pack() == press.leaves[place]
        assert (found.index, found.payment) == (place, None)
        assert found.checkpoint.checkpoint == press.checkpoint


@pytest.mark.parametrize("index", [0, 1])
def test_a_payment(press: Press, index: int) -> None:
    part = make_part(press, index)
    found = verify_receipt(write_payment(press, part), press.trust)
    assert found.payment is not None
    assert found.payment.opening == part.opening
    assert found.payment.opening.amount == (900, 100)[index]
    assert isinstance(found.leaf, KernelLeaf)
    assert found.leaf.txid == part.outline.compute_id()


def test_it_shows_nothing_of_inputs_and_change(press: Press, payment: PaymentPart) -> None:
    draft = make_history(press.world.genesis.proof_mode).drafts[1][0]
    extra = parse_inclusion(write_payment(press, payment)).extra
    change, alice = draft.openings[1], press.world.institutions[NORTH].alice
    hidden = [*draft.body.inputs, draft.body.outputs[1].ref, draft.body.outputs[1].data[:32]]
    hidden += [draft.body.offset, compute_slot_salt(draft.body.offset, 1), change.anchor]
    hidden += [alice.address.spend, alice.address.view, *(one.data for one in draft.body.proofs)]
    assert change.spend == alice.address.spend
    for secret in hidden:
        assert len(secret) >= 16 and secret not in extra


# --- what does not ------------------------------------------------------------------------------


def attempt(text: str, trust: ReceiptTrust) -> VerifiedReceipt | None:
    """None if it is refused, with whatever code."""
    try:
        return verify_receipt(text, trust)
    except SpecieError:
        return None


@pytest.mark.parametrize("kind", KINDS)
def test_every_character_of_a_receipt_counts(press: Press, kind: type) -> None:
    place = next(at for at, leaf in enumerate(press.leaves) if leaf[0] == KINDS.index(kind))
    check_every_character(write(press, place), press.trust)


def test_every_character_of_a_payment_receipt_counts(press: Press, payment: PaymentPart) -> None:
    check_every_character(write_payment(press, payment), press.trust)


def check_every_character(text: str, trust: ReceiptTrust) -> None:
    assert attempt(text, trust)
    for place, letter in enumerate(text):
        kept, rest = text[:place], text[place + 1 :]
        other = "B" if letter == "A" else "A"
        for changed in (kept + rest, kept + chr(ord(letter) ^ 1) + rest, kept + other + rest):
            assert changed == text or attempt(changed, trust) is None, place
        assert attempt(kept, trust) is None
    for tail in ("\n", " ", "A", "\0", text):
        assert attempt(text + tail, trust) is None and attempt(tail + text, trust) is None


def test_every_flipped_byte_of_the_meaning_is_refused(press: Press, payment: PaymentPart) -> None:
    text = write_payment(press, payment)
    extra = parse_inclusion(text).extra
    for place in range(len(extra)):
        for bit in (1, 128):
            flipped = bytes([extra[place] ^ bit])
            changed = with_extra(text, extra[:place] + flipped + extra[place + 1 :])
            assert attempt(changed, press.trust) is None, place
    for other in (extra[:-1], extra + b"\0", b""):
        assert attempt(with_extra(text, other), press.trust) is None


def test_another_network(press: Press, payment: PaymentPart) -> None:
    """With the same keys under another name: the origin is another."""
    other = press.world.with_genesis(name="another")
    trust = ReceiptTrust(other.genesis, other.members)
    for text in (write(press, 0), write_payment(press, payment)):
        assert refuse(verify_receipt, text, trust) is ErrorCode.CHECKPOINT_INVALID


def test_a_payment_of_another_network_in_this_log(press: Press, tmp_path: Path) -> None:
    """The log's key signs anything, but the outline names its network."""
    part = make_part(press, 0)
    other = replace(press.world.with_genesis(name="another"), notary_key=press.world.notary_key)
    foreign = Press(other, tmp_path / "foreign")
    foreign.append(press.leaves)
    text = write_payment(foreign, part)
    assert refuse(verify_receipt, text, foreign.trust) is ErrorCode.NETWORK_MISMATCH


def test_another_key_of_the_log(press: Press) -> None:
    stranger = replace(press.world, notary_key=InstitutionKey.generate())
    checkpoint = press.checkpoint
    note = format_note(checkpoint, [sign_as_log(checkpoint, stranger.notary_key)])
    text = build_receipt(press.leaves[3], 3, press.prove(3), note, None)
    assert refuse(verify_receipt, text, press.trust) is ErrorCode.CHECKPOINT_INVALID


def test_a_checkpoint_that_the_log_has_not_signed(press: Press) -> None:
    witness = InstitutionKey.generate()
    line = cosign(press.checkpoint, "witness", witness, 1)
    trust = replace(press.trust, cosigners=(get_verifier_key("witness", witness),))
    note = format_note(press.checkpoint, [line])
    text = build_receipt(press.leaves[0], 0, press.prove(0), note, None)
    assert refuse(verify_receipt, text, trust) is ErrorCode.CHECKPOINT_INVALID
    both = append_lines(press.sign(press.checkpoint), [line])
    text = build_receipt(press.leaves[0], 0, press.prove(0), both, None)
    assert verify_receipt(text, trust).checkpoint.is_signed_by("witness")
    assert refuse(verify_receipt, text, press.trust) is ErrorCode.CHECKPOINT_INVALID


def test_a_tampered_log(press: Press, tmp_path: Path) -> None:
    """A leaf exchanged in the files: no path leads from it to the signed root."""
    tampered = Press(press.world, tmp_path / "tampered")
    forged = VoidLeaf(TransactionId(b"\7" * 32)).pack()
    tampered.append([*press.leaves[:2], forged, *press.leaves[3:]])
    note = press.log.read_checkpoint()
    for index in range(len(press.leaves)):
        leaf, path = tampered.leaves[index], tampered.prove(index)
        text = build_receipt(leaf, index, path, note, None)
        assert refuse(verify_receipt, text, press.trust) is ErrorCode.LOG_INVALID
        moved = build_receipt(press.leaves[index], index ^ 1, press.prove(index), note, None)
        assert refuse(verify_receipt, moved, press.trust) is ErrorCode.LOG_INVALID


def test_leaves_that_are_none(press: Press, tmp_path: Path) -> None:
    """Even under the log's own signature."""
    odd = Press(press.world, tmp_path / "odd")
    odd.append([b"\x06directory", b"", b"\2short"])
    codes = {refuse(verify_receipt, write(odd, index), odd.trust) for index in range(3)}
    assert codes <= {ErrorCode.LEAF_MALFORMED, ErrorCode.TRUNCATED}, codes


# --- payments that were not made ----------------------------------------------------------------


def check_payment_refused(
    press: Press, part: PaymentPart, code: ErrorCode = ErrorCode.RECEIPT_INVALID
) -> None:
    assert refuse(verify_receipt, write_payment(press, part), press.trust) is code


def test_another_amount_payee_or_memo(press: Press, payment: PaymentPart) -> None:
    south = press.world.institutions[SOUTH]
    opening = payment.opening
    for changed in (
        replace(opening, amount=Minor(opening.amount + 1)),
        replace(opening, spend=south.alice.address.spend, view=south.alice.address.view),
        replace(opening, memo=bytes([opening.memo[0] ^ 1]) + opening.memo[1:]),
        replace(opening, anchor=bytes(16)),
        replace(opening, bank=NORTH),
        make_part(press, 1).opening,
    ):
        check_payment_refused(press, replace(payment, opening=changed))


def test_another_place_salt_or_outline(press: Press, payment: PaymentPart) -> None:
    other = make_part(press, 1)
    second = make_history(press.world.genesis.proof_mode).drafts[1][1]
    for changed in (
        replace(payment, index=1),
        replace(payment, index=2),
        replace(payment, index=255),
        replace(payment, salt=other.salt),
        replace(payment, index=1, salt=other.salt),
        replace(payment, outline=second.body.outline),
        replace(payment, outline=replace(payment.outline, slots=payment.outline.slots[::-1])),
        replace(payment, outline=replace(payment.outline, slots=payment.outline.slots[:1])),
    ):
        check_payment_refused(press, changed)


def test_a_bank_that_does_not_exist(press: Press, payment: PaymentPart) -> None:
    opening = replace(payment.opening, bank=ParticipantNumber(99))
    check_payment_refused(press, replace(payment, opening=opening), ErrorCode.PARTICIPANT_UNKNOWN)


def test_only_kernels_pay(press: Press, payment: PaymentPart) -> None:
    for index, leaf in enumerate(press.leaves):
        if not leaf.startswith(b"\3" + payment.outline.compute_id()):
            text = write(press, index, payment)
            assert refuse(verify_receipt, text, press.trust) is ErrorCode.RECEIPT_INVALID


def test_forms_that_are_not_known(press: Press) -> None:
    text = write(press, 0)
    extra = parse_inclusion(text).extra
    for start, code in (
        (b"\2\1", ErrorCode.VERSION_UNKNOWN),
        (b"\1\0", ErrorCode.KIND_UNKNOWN),
        (b"\1\3", ErrorCode.KIND_UNKNOWN),
    ):
        assert refuse(verify_receipt, with_extra(text, start + extra[2:]), press.trust) is code
    code = refuse(verify_receipt, "x" * (PROOF_BYTES_MAX + 1), press.trust)
    assert code is ErrorCode.LIMIT_EXCEEDED
    for place in ("-1", "01", "+1", "1_0", "²", " 1", "1 ", "", "1" * 20):
        changed = text.replace("index 0", f"index {place}")
        assert refuse(verify_receipt, changed, press.trust) is ErrorCode.RECEIPT_INVALID


# --- size ---------------------------------------------------------------------------------------


def write_huge(press: Press, payment: PaymentPart, *names: str) -> tuple[str, ReceiptTrust]:
    """A receipt in a log of 10⁸ leaves: 27 made up siblings make up the root."""
    index, last = HUGE // 3, HUGE - 1
    leaf = press.leaves[find_place(press, payment)]
    found, place = compute_leaf_hash(leaf), index
    path: list[Digest] = []
    while last:
        if place & 1 or place < last:
            sibling = Digest(hashlib.sha256(f"level {len(path)}".encode()).digest())
            pair = (sibling, found) if place & 1 else (found, sibling)
            found = compute_node_hash(*pair)
            path.append(sibling)
        place, last = place >> 1, last >> 1
    assert len(path) == 27
    checkpoint = Checkpoint(press.checkpoint.origin, HUGE, found)
    keys = [
        CosignerKey.generate() if name.startswith("safe") else InstitutionKey.generate()
        for name in names
    ]
    known = [get_verifier_key(name, key) for name, key in zip(names, keys, strict=True)]
    lines = [
        cosign(checkpoint, name, key, 1_800_000_000) for name, key in zip(names, keys, strict=True)
    ]
    note = append_lines(press.sign(checkpoint), lines)
    trust = replace(press.trust, cosigners=tuple(known))
    return build_receipt(leaf, index, path, note, payment), trust


def test_size_in_a_huge_log(press: Press, payment: PaymentPart) -> None:
    """Log, two witnesses and an auditor in Ed25519: at most 4 KiB; ML-DSA-44 costs what it does."""
    text, trust = write_huge(press, payment, "witness.one", "witness.two", "auditor")
    found = verify_receipt(text, trust)
    assert found.payment is not None and len(found.checkpoint.signers) == 4
    classic = len(text.encode())
    assert classic <= RECEIPT_BYTES_MAX
    safe, trust = write_huge(
        press,
        payment,
        "witness.one",
        "witness.two",
        "auditor",
        "safe.one",
        "safe.two",
        "safe.auditor",
    )
    assert verify_receipt(safe, trust).payment is not None
    line = (len(safe.encode()) - classic) // 3
    raw = 4 + 8 + 2_420
    assert len(base64.b64encode(bytes(raw))) <= line <= len(base64.b64encode(bytes(raw))) + 24
    print(  # noqa: T201  # for the closing note
        f"receipt {classic} bytes; with 3 lines of ML-DSA-44 {len(safe.encode())}"
    )


def test_keys_of_the_trust(press: Press) -> None:
    world = make_world(press.world.genesis.proof_mode)
    key = press.trust.get_log_key()
    assert key == VerifierKey(key.name, SignatureType.LOG, world.notary_key.public)
