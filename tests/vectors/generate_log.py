"""Makes `log.json`: promise, leaves, tree, checkpoint, evidence, and two whole small ledgers."""

import base64
import hashlib
import struct
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from specie.assembly.network import InProcessNetwork, Settings, build_network
from specie.flows.cancelling import cancel
from specie.flows.distribution import withdraw
from specie.flows.issuance import issue
from specie.flows.payment import pay
from specie.flows.redemption import redeem
from specie.identity.genesis import ProofMode
from specie.ledger.transactions import AttestedTransaction
from specie.ledger.wire import encode_attested
from specie.store.batch_files import BatchFolder
from specie.store.log_files import LogFolder
from specie.tokens.building import PaymentOrder, build_payment
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.errors import SpentError
from specie.values.identifiers import (
    ClientId,
    EntryId,
    OrderId,
    ParticipantNumber,
)
from specie.values.times import Timestamp
from specie.wallet.vault import Vault
from tests.reference import schnorr, transaction
from tests.reference.building import NETWORK, NOT_AFTER, NOT_BEFORE, Draw, Money, make_money
from tests.reference.hashing import encode_scalar, tagged_hash
from tests.vectors.generate_ledger import get_ed25519_public, sign_ed25519

Content = dict[str, Any]

HEADER: Final = struct.Struct("<BBQQIIII32s32s")
PRIVATE: Final = struct.Struct("<QII")  # time, version of the participant list, length
KERNELS: Final = struct.Struct("<B32sqB")
SUPPLY: Final = struct.Struct("<QQB")
SPEND: Final = struct.Struct("<QQ32s64s")

# The leaves with which Certificate Transparency's own libraries test their trees.
TREE_LEAVES: Final = (
    *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
    "606162636465666768696a6b6c6d6e6f",
)
_HOUR_MS: Final = 3_600_000
_NORTH: Final = ParticipantNumber(2)
_SOUTH: Final = ParticipantNumber(3)


def make_log(old: Mapping[str, Any]) -> Content:
    """Everything from seeds, but the two ledgers: the kernel's proofs are random, made once."""
    draw = Draw(b"log.json")
    return {
        "provenance": "docs/spec/05. Leaves packed with Python's struct, hashed with hashlib, "
        "Ed25519 by `cryptography`, Schnorr by tests/reference. tree: the leaves are those of "
        "Certificate Transparency's tests. ledgers: made once by specie itself.",
        "network": NETWORK.hex(),
        "promise": _make_promise(draw),
        "tree": _make_tree(),
        "checkpoint": _make_checkpoint(draw),
        "tiles": _list_tiles(),
        "leaves": _make_leaves(draw),
        "refused_leaves": _spoil_leaves(draw),
        "evidence": _make_evidence(draw),
        "ledgers": old.get("ledgers") or [_run_ledger(mode) for mode in ProofMode],
    }


def _make_promise(draw: Draw) -> Content:
    seed, txid = draw.take(32), draw.take(32)
    message = tagged_hash("promise", NETWORK + txid + struct.pack("<Q", NOT_AFTER))
    return {
        "notary_key": get_ed25519_public(seed).hex(),
        "txid": txid.hex(),
        "publish_by": NOT_AFTER,
        "message": message.hex(),
        "signature": sign_ed25519(seed, message).hex(),
    }


# --- tree, checkpoint, tiles ---------------------------------------------------------------------


def compute_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, 2.1, by its own recursion."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(
        b"\x01" + compute_root(leaves[:half]) + compute_root(leaves[half:])
    ).digest()


def _make_tree() -> Content:
    leaves = [bytes.fromhex(text) for text in TREE_LEAVES]
    roots = [compute_root(leaves[:size]).hex() for size in range(len(leaves) + 1)]
    return {"leaves": list(TREE_LEAVES), "roots": roots}


def _make_checkpoint(draw: Draw) -> Content:
    seed, root = draw.take(32), draw.take(32)
    public = get_ed25519_public(seed)
    origin, size = f"specie/spc/{NETWORK.hex()}", 20_852_163
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    key_id = hashlib.sha256(origin.encode() + b"\n\x01" + public).digest()[:4]
    signature = sign_ed25519(seed, text.encode())
    note = f"{text}\n\u2014 {origin} {base64.b64encode(key_id + signature).decode()}\n"
    return {
        "key": public.hex(),
        "origin": origin,
        "size": size,
        "root": root.hex(),
        "key_id": key_id.hex(),
        "note": note,
        "refused": [
            {"why": why, "note": spoiled}
            for why, spoiled in {
                "another size": note.replace(str(size), str(size + 1)),
                "size with a leading zero": note.replace(str(size), f"0{size}"),
                "size is no number": note.replace(str(size), "many"),
                "another origin": note.replace(origin, f"{origin}x"),
                "an extension line": note.replace("\n\n", "\nextension\n\n"),
                "a second signature": note + note.split("\n")[4] + "\n",
                "no signature": f"{text}\n",
                "another key": note.replace(
                    base64.b64encode(key_id + signature).decode(),
                    base64.b64encode(bytes(4) + signature).decode(),
                ),
                "base64 with a second spelling": note.replace("=\n\n", "\n\n"),
                "no newline at the end": note[:-1],
                "empty": "",
            }.items()
        ],
    }


def _list_tiles() -> list[Content]:
    return [
        {"level": level, "number": number, "width": width, "path": path}
        for level, number, width, path in (
            ("entries", 0, 256, "tile/entries/000"),
            ("entries", 0, 1, "tile/entries/000.p/1"),
            ("0", 999, 255, "tile/0/999.p/255"),
            ("0", 1_000, 256, "tile/0/x001/000"),
            ("2", 1_234_067, 256, "tile/2/x001/x234/067"),
        )
    ]


# --- leaves --------------------------------------------------------------------------------------


def _make_leaves(draw: Draw) -> list[Content]:
    header = (1, 7, 1_800_000_000_000, 4, 3, 2, 1, encode_scalar(draw.scalar()), draw.take(32))
    output, proof = draw.take(64) * 6 + draw.take(30), draw.take(64) * 9 + draw.take(1)
    txid, ref = draw.take(32), draw.take(32)
    kernels = [draw.take(32) + draw.take(64) for _ in range(4)]
    officers = [(1, draw.take(64)), (255, draw.take(64))]
    signed = b"".join(bytes([officer]) + signature for officer, signature in officers)
    cases = {
        "header": (0, HEADER.pack(0, *header)),
        "created, published": (577, b"\x01" + output + proof),
        "created, aggregated": (0, b"\x01" + output),
        "spent": (577, b"\x02" + ref),
        "one kernel": (577, KERNELS.pack(3, txid, 0, 1) + kernels[0]),
        "four kernels": (0, KERNELS.pack(3, txid, 0, 4) + b"".join(kernels)),
        "issue": (
            577,
            KERNELS.pack(3, txid, 2**63 - 1, 1) + kernels[0] + SUPPLY.pack(1, 2**63, 2) + signed,
        ),
        "redemption": (
            0,
            KERNELS.pack(3, txid, -1, 1) + kernels[0] + SUPPLY.pack(2**64 - 1, 0, 2) + signed,
        ),
    }
    others = Draw(b"log.json, other leaves")  # drawn apart: what was there before stays the same
    cases["conflict"] = (577, b"\x04" + others.take(64) * 10 + others.take(15))
    cases["void"] = (0, b"\x05" + others.take(32))
    entry = Draw(b"log.json, directory leaf")
    place = b"\x06" + entry.take(32) + struct.pack("<I", 2**32 - 1)
    cases["directory"] = (0, place + entry.take(64) + entry.take(64))
    return [
        {
            "name": name,
            "proof_size": proof_size,
            "leaf": leaf.hex(),
            "hash": hashlib.sha256(b"\x00" + leaf).hexdigest(),
        }
        for name, (proof_size, leaf) in cases.items()
    ]


def _spoil_leaves(draw: Draw) -> list[Content]:
    """All read as leaves of an aggregated network."""
    header = HEADER.pack(0, 2, 7, 1, 4, 3, 2, 1, bytes(32), bytes(32))
    kernel, txid = draw.take(64) + draw.take(32), draw.take(32)
    cases = {
        "empty": ("leaf_malformed", b""),
        **{f"reserved type {kind}": ("leaf_malformed", bytes([kind] * 33)) for kind in (7, 8)},
        "unknown type": ("leaf_malformed", bytes([9] * 33)),
        "header version 2": ("leaf_malformed", header),
        "header without a count of others": ("truncated", b"\0\x01" + header[2:30] + bytes(64)),
        "conflict, a byte missing": ("truncated", b"\x04" + bytes(654)),
        "conflict, a byte more": ("trailing_bytes", b"\x04" + bytes(656)),
        "void, a byte missing": ("truncated", b"\x05" + bytes(31)),
        "void, a byte more": ("trailing_bytes", b"\x05" + bytes(33)),
        "directory, a byte missing": ("truncated", b"\x06" + bytes([1] * 163)),
        "directory, a byte more": ("trailing_bytes", b"\x06" + bytes([1] * 165)),
        "directory, version 0": ("leaf_malformed", b"\x06" + bytes(164)),
        "spent, a byte missing": ("truncated", b"\x02" + bytes(31)),
        "spent, a byte more": ("trailing_bytes", b"\x02" + bytes(33)),
        "created with a proof": ("trailing_bytes", b"\x01" + bytes(414 + 577)),
        "no kernel": ("limit_exceeded", KERNELS.pack(3, txid, 0, 0)),
        "five kernels": ("limit_exceeded", KERNELS.pack(3, txid, 0, 5) + kernel * 5),
        "change of -2**63": (
            "amount_out_of_range",
            KERNELS.pack(3, txid, -(2**63), 1) + kernel + SUPPLY.pack(1, 0, 0),
        ),
        "nine authorisations": (
            "limit_exceeded",
            KERNELS.pack(3, txid, 1, 1) + kernel + SUPPLY.pack(1, 1, 9) + bytes(9 * 65),
        ),
        "supply without a change": (
            "trailing_bytes",
            KERNELS.pack(3, txid, 0, 1) + kernel + SUPPLY.pack(1, 1, 0),
        ),
    }
    return [{"why": why, "code": code, "leaf": leaf.hex()} for why, (code, leaf) in cases.items()]


# --- evidence ------------------------------------------------------------------------------------


def _make_evidence(draw: Draw) -> Content:
    money = make_money(draw, 1_000, 1)
    first = _spend(draw, money, NOT_BEFORE, NOT_AFTER)
    touching = _spend(draw, money, NOT_AFTER, NOT_AFTER + 1)
    later = _spend(draw, money, NOT_AFTER + 1, NOT_AFTER + 2)
    stranger = _spend(draw, make_money(draw, 1, 1), NOT_BEFORE, NOT_AFTER)
    head, pair = b"\x01" + NETWORK + money.derived.output, first + touching
    cases = {
        "windows do not overlap": ("evidence_invalid", head + first + later),
        "the same transaction": ("evidence_invalid", head + first + first),
        "signed by another": ("evidence_invalid", head + first + stranger),
        "another network": ("evidence_invalid", b"\x01" + bytes(16) + head[17:] + pair),
        "another output": ("evidence_invalid", head[:-1] + bytes([head[-1] ^ 1]) + pair),
        "version 2": ("version_unknown", b"\x02" + head[1:] + pair),
        "a byte missing": ("truncated", (head + pair)[:-1]),
        "a byte more": ("trailing_bytes", head + pair + b"\0"),
    }
    return {
        "evidence": (head + pair).hex(),
        "refused": [
            {"why": why, "code": code, "evidence": evidence.hex()}
            for why, (code, evidence) in cases.items()
        ],
    }


def _spend(draw: Draw, money: Money, not_before: int, not_after: int) -> bytes:
    txid = draw.take(32)
    message = transaction.owner_message(NETWORK, money.reference, not_before, not_after, txid)
    return SPEND.pack(
        not_before, not_after, txid, schnorr.sign(money.owner, draw.scalar(), message)
    )


# --- whole ledgers -------------------------------------------------------------------------------


class _Clock:
    """A second passes each time somebody looks."""

    def __init__(self) -> None:
        self._now = NOT_BEFORE

    def now(self) -> Timestamp:
        """Milliseconds since 1970."""
        self._now += 1_000
        return Timestamp(self._now)


class _Identifiers:
    """1, 2, 3 … with the last byte left to count lines."""

    def __init__(self) -> None:
        self._count = 0

    def draw(self) -> bytes:
        """16 bytes."""
        self._count += 1
        return self._count.to_bytes(15, "big") + b"\0"


def _run_ledger(mode: ProofMode) -> Content:
    """Issue; then withdraw, cancel, pay across banks, spend again, redeem. Two batches."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder), proof_mode=mode, batch_age_ms_max=_HOUR_MS)
        network = build_network(settings, _Clock(), _Identifiers())
        _issue(network)
        network.notary.publish(is_forced=True)
        _circulate(network)
        network.notary.publish(is_forced=True)
        log = LogFolder(network.public)
        archive = BatchFolder(Path(folder) / "notary" / "batches")
        checkpoint = log.read_checkpoint()
        return {
            "made_by": "kernel",
            "proof_mode": int(mode),
            "genesis": (network.public / "genesis").read_bytes().hex(),
            "participants": (network.public / "participants").read_bytes().hex(),
            "checkpoint": checkpoint,
            "leaves": [leaf.hex() for leaf in log.iterate_leaves(int(checkpoint.split("\n")[1]))],
            "private_batches": [archive.read(number).hex() for number in (1, 2)],
        }


def _issue(network: InProcessNetwork) -> None:
    draw, amount = network.surroundings.identifiers.draw, Minor(1_000_000)
    network.accounting.lend(EntryId(draw()), _NORTH, amount)
    bank = network.banks[_NORTH]
    issue(OrderId(draw()), amount, bank, network.desk, network.accounting, network.notary)


def _copy_payment(network: InProcessNetwork, orders: Sequence[PaymentOrder], payer: Vault) -> bytes:
    """Attested by both banks, from tokens that the payer's vault will spend itself."""
    context = network.surroundings.build_context()
    built = build_payment(orders, payer.load_tokens(), payer.keys, context)
    attestations = (
        network.banks[_NORTH].attest_payment(built),
        network.banks[_SOUTH].attest_receipt(built.build_payee_view(_SOUTH)),
    )
    return encode_attested(AttestedTransaction(built.signed, attestations))


def _circulate(network: InProcessNetwork) -> None:
    draw = network.surroundings.identifiers.draw
    north, south, client = network.banks[_NORTH], network.banks[_SOUTH], ClientId("payer")
    payer, payee = network.make_wallet("payer", _NORTH), network.make_wallet("payee", _SOUTH)
    north.open_wallet(client, "Payer", payer.keys.address, payer.keys.view)
    south.open_wallet(ClientId("payee"), "Payee", payee.keys.address, payee.keys.view)
    north.books.lend_to_client(EntryId(draw()), client, Minor(5_000))
    north.books.borrow_reserves(EntryId(draw()), Minor(1_000_000))
    north.books.receive_issue(EntryId(draw()), Minor(1_000_000))
    withdrawal = PaymentOrder(payer.keys.address, Minor(5_000), Memo())
    withdraw(OrderId(draw()), [(client, withdrawal)], north, network, network.notary)
    payer.receive(north.fetch_outputs(client))
    orders = [PaymentOrder(payee.keys.address, Minor(1_999), Memo())]
    taken_back = draw()
    payer.prepare_payment(orders, taken_back)
    cancel(payer, taken_back, network.notary)
    copied = _copy_payment(network, orders, payer)
    pay(payer, orders, draw(), north, network, network.notary)
    with suppress(SpentError):
        network.notary.notarise(copied)
    order, amount = OrderId(draw()), Minor(250_000)
    redeem(order, amount, north.vault, north, network.desk, network.accounting, network.notary)
