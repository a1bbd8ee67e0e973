"""What is fuzzed: a decoder, the inputs to begin from, and what must hold of whatever it takes.

Of each: nothing but `SpecieError` comes out, and what is accepted has one spelling, so encoding it
again gives the same bytes. Inputs to begin from are the golden vectors.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from specie.crypto.addresses import format_address, parse_address
from specie.crypto.outputs import OUTPUT_BYTES, unpack_opening
from specie.crypto.proofs import get_proof_size
from specie.crypto.secrets import InstitutionKey, KeyTree, SealingKey, open_sealed
from specie.identity.cosigners import (
    CosignerList,
    parse_trusted,
    sign_cosigners,
    verify_cosigners,
)
from specie.identity.genesis import compute_origin, unpack_genesis, verify_genesis
from specie.identity.participants import (
    Participant,
    Role,
    Status,
    unpack_participants,
    verify_participants,
)
from specie.ledger.batches import pack_private, unpack_private
from specie.ledger.evidence import verify_evidence
from specie.ledger.judging import Candidate, Rules, judge
from specie.ledger.receipts import ReceiptTrust, verify_receipt
from specie.ledger.records import Output
from specie.ledger.state import OverlayView, SupplyState
from specie.ledger.wire import decode_attested, decode_signed, encode_attested, encode_signed
from specie.log.inclusion import parse_inclusion
from specie.log.leaves import unpack_leaf
from specie.log.notes import format_note, parse_note, parse_verifier_key
from specie.log.tiles import pack_bundle, unpack_bundle
from specie.tokens.holdings import derive_keys, unpack_memo
from specie.tokens.scanning import scan
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    InstitutionPublicKey,
    NetworkId,
    ParticipantNumber,
    PublicKey,
)
from specie.values.times import Timestamp
from specie.workload.profile import PROFILE_FILES, parse_profile
from tests.unit.workload.samples import build_folder
from tests.vectors.files import load

Bytes = list[bytes]


@dataclass(frozen=True, slots=True)
class Target:
    """One decoder; `seeds` are made when they are needed."""

    feed: Callable[[bytes], None]
    seeds: Callable[[], Bytes]
    size_max: int = 8_192


def _read_text(data: bytes) -> str:
    """As whoever reads a file does; arguments of the command line may be half characters."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise SpecieError(ErrorCode.TEXT_INVALID, "not text") from None


def _feed_attested(data: bytes) -> None:
    assert encode_attested(decode_attested(data)) == data


def _feed_signed(data: bytes) -> None:
    assert encode_signed(decode_signed(data)) == data


def _feed_genesis(data: bytes) -> None:
    assert unpack_genesis(data).pack() == data


def _feed_participants(data: bytes) -> None:
    assert unpack_participants(data).pack() == data


def _feed_signed_genesis(data: bytes) -> None:
    assert verify_genesis(data).pack() == data[:-64]


def _feed_cosigners(data: bytes) -> None:
    listed = verify_cosigners(data, _get_trust().genesis)
    assert listed.format().encode() == data[: len(listed.format().encode())]


def _feed_trusted(data: bytes) -> None:
    entries = parse_trusted(_read_text(data))
    assert "".join(f"{role.value} {key.format()}\n" for role, key in entries).encode() == data


def _feed_published_leaf(data: bytes) -> None:
    assert unpack_leaf(data, get_proof_size(1)).pack() == data


def _feed_aggregated_leaf(data: bytes) -> None:
    assert unpack_leaf(data, 0).pack() == data


def _feed_bundle(data: bytes) -> None:
    assert pack_bundle(unpack_bundle(data)) == data


def _feed_note(data: bytes) -> None:
    text = _read_text(data)
    checkpoint, lines = parse_note(text)
    assert format_note(checkpoint, lines) == text


def _feed_verifier_key(data: bytes) -> None:
    key = parse_verifier_key(_read_text(data))
    assert parse_verifier_key(key.format()) == key


def _feed_inclusion(data: bytes) -> None:
    text = _read_text(data)
    assert parse_inclusion(text).format() == text


def _feed_receipt(data: bytes) -> None:
    verify_receipt(_read_text(data), _get_trust())


def _feed_private_batch(data: bytes) -> None:
    batch = unpack_private(data)
    assert pack_private(batch.number, batch.time, batch.judged, batch.voids) == data


def _feed_evidence(data: bytes) -> None:
    assert verify_evidence(data, _get_network()).pack() == data


def _feed_opening(data: bytes) -> None:
    assert unpack_opening(data).pack() == data


def _feed_memo(data: bytes) -> None:
    memo = unpack_memo(data)
    assert len(memo.pack()) == len(data)


def _feed_address(data: bytes) -> None:
    text = data.decode(errors="surrogateescape")
    assert format_address(parse_address(text, "spec"), "spec") == text.lower()


def _feed_sealed(data: bytes) -> None:
    open_sealed(_get_sealing_key(), data, b"context")


def _feed_scan(data: bytes) -> None:
    """A wallet looks at whatever is published; an output is found only by its own rules."""
    output = Output(data)
    keys, bank = _get_holder()
    assert scan([output], keys.view, keys.address.spend, bank) == []


def _feed_judge(data: bytes) -> None:
    """A whole transaction, at a notary that knows nothing: refused, with a code."""
    transaction = decode_attested(data)
    ledger = OverlayView(None, SupplyState())
    rules = Rules(_get_trust().genesis, _get_trust().participants, Timestamp(1_800_000_000_000))
    judgement = judge([Candidate(transaction, data)], ledger, rules)
    assert not judgement.accepted and data in judgement.errors


def _feed_profile(data: bytes) -> None:
    text = data.decode(errors="replace")
    parts = [*text.split("\x00"), *([""] * len(PROFILE_FILES))]
    parse_profile(dict(zip(PROFILE_FILES, parts, strict=False)))


@cache
def _get_network() -> NetworkId:
    return NetworkId(bytes.fromhex(load("log")["network"]))


@cache
def _get_trust() -> ReceiptTrust:
    vectors = load("receipts")
    genesis = verify_genesis(bytes.fromhex(vectors["genesis"]))
    members = verify_participants(bytes.fromhex(vectors["participants"]), genesis)
    return ReceiptTrust(genesis, members)


@cache
def _get_sealing_key() -> SealingKey:
    return SealingKey.generate()


@cache
def _get_holder() -> Any:
    keys = derive_keys(KeyTree.generate(), 0, ParticipantNumber(2))
    public = PublicKey(keys.view.public)
    ed25519 = InstitutionPublicKey(bytes(32))
    bank = Participant(
        ParticipantNumber(2), Role.BANK, Status.ACTIVE, 0, public, public, ed25519, "bank"
    )
    return keys, bank


def _hex(name: str, group: str, field: str) -> Callable[[], Bytes]:
    return lambda: [bytes.fromhex(one[field]) for one in load(name)[group]]


def _list_leaves(proof_size: int) -> Callable[[], Bytes]:
    return lambda: [
        bytes.fromhex(one["leaf"])
        for one in load("log")["leaves"]
        if one["proof_size"] in (0, proof_size)
    ]


def _list_receipts() -> Bytes:
    vectors = load("receipts")
    return [vectors["payment"].encode(), vectors["payment_quantum_safe"].encode()]


def _list_trusted() -> Bytes:
    return ["".join(f"witness {one}\n" for one in load("receipts")["cosigners"]).encode()]


def _list_cosigners() -> Bytes:
    """Signed by a key that is not the list's: the form is what is looked at."""
    genesis = _get_trust().genesis
    entries = parse_trusted(_list_trusted()[0].decode())
    listed = CosignerList(compute_origin(genesis), 1, 1, 0, entries)
    return [sign_cosigners(listed, InstitutionKey.generate())]


def _list_private() -> Bytes:
    ledgers = load("log")["ledgers"]
    return [bytes.fromhex(one) for ledger in ledgers for one in ledger["private_batches"]]


def _list_bundles() -> Bytes:
    leaves = [bytes.fromhex(one["leaf"]) for one in load("log")["leaves"]]
    return [pack_bundle(leaves[:3]), pack_bundle(leaves)]


def _list_outputs() -> Bytes:
    return [leaf[1 : 1 + OUTPUT_BYTES] for leaf in _list_leaves(0)() if leaf[:1] == b"\x01"]


def _list_memos() -> Bytes:
    return [bytes(160), b"Aigerim".rjust(119, b"\0").ljust(160, b"\0")]


def _list_addresses() -> Bytes:
    return [one["address"].encode() for one in load("address")["valid"]]


def _list_profiles() -> Bytes:
    files = build_folder()
    return ["\x00".join(files[name] for name in PROFILE_FILES).encode()]


TARGETS: Final[Mapping[str, Target]] = {
    "attested": Target(_feed_attested, _hex("transaction", "transactions", "wire")),
    "signed": Target(_feed_signed, _hex("transaction", "transactions", "wire")),
    "judge": Target(_feed_judge, _hex("transaction", "transactions", "wire")),
    "genesis": Target(_feed_genesis, _hex("participants", "geneses", "packed"), 256),
    "signed genesis": Target(_feed_signed_genesis, _hex("participants", "geneses", "signed"), 256),
    "participants": Target(_feed_participants, _hex("participants", "lists", "packed")),
    "published leaf": Target(_feed_published_leaf, _list_leaves(get_proof_size(1))),
    "aggregated leaf": Target(_feed_aggregated_leaf, _list_leaves(0)),
    "bundle": Target(_feed_bundle, _list_bundles),
    "note": Target(_feed_note, lambda: [load("log")["checkpoint"]["note"].encode()]),
    "verifier key": Target(
        _feed_verifier_key, lambda: [one.encode() for one in load("receipts")["cosigners"]]
    ),
    "cosigners": Target(_feed_cosigners, _list_cosigners, 16_384),
    "trusted cosigners": Target(_feed_trusted, _list_trusted, 16_384),
    "inclusion": Target(_feed_inclusion, _list_receipts),
    "receipt": Target(_feed_receipt, _list_receipts),
    "private batch": Target(_feed_private_batch, _list_private, 65_536),
    "evidence": Target(
        _feed_evidence, lambda: [bytes.fromhex(load("log")["evidence"]["evidence"])], 1_024
    ),
    "opening": Target(_feed_opening, lambda: [bytes(297), b"\x01" * 297], 512),
    "memo": Target(_feed_memo, _list_memos, 256),
    "address": Target(_feed_address, _list_addresses, 512),
    "sealed": Target(_feed_sealed, lambda: [bytes(24 + 7 + 16)], 512),
    "scan": Target(_feed_scan, _list_outputs, OUTPUT_BYTES),
    "profile": Target(_feed_profile, _list_profiles),
}
