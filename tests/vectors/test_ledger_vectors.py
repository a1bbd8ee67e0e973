"""Vectors of participants, log and sealing, read with struct and hashlib, and by specie itself.

A failure here means that bytes somebody already holds would change their meaning.
"""

import base64
import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from specie import _kernel as kernel
from specie.crypto.secrets import InstitutionKey, SealingKey
from specie.identity.genesis import compute_origin, sign_genesis, unpack_genesis, verify_genesis
from specie.identity.participants import unpack_participants, verify_participants
from specie.identity.roster import Roster
from specie.ledger.audit import PublicAudit, Totals, split_batches
from specie.ledger.evidence import verify_evidence
from specie.ledger.messages import compute_promise_message
from specie.ledger.transactions import Promise
from specie.log.leaves import unpack_leaf
from specie.log.notes import SignatureType, VerifierKey, verify_checkpoint
from specie.log.tiles import format_tile_path, pack_bundle, unpack_bundle
from specie.log.tree import Frontier, compute_leaf_hash
from specie.notary.notarisation import NotaryRules, notarise
from specie.store.notary_store import SqliteNotaryStore
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    InstitutionPublicKey,
    NetworkId,
    ParticipantNumber,
    TransactionId,
)
from specie.values.limits import (
    ARGON2_LANES,
    ARGON2_MEMORY_KIB,
    ARGON2_PASSES,
    LEAF_BYTES_MAX,
    SUCCESSOR_HOPS_MAX,
)
from specie.values.times import Timestamp
from tests.reference import sealing
from tests.reference.commitment import PointSum
from tests.reference.hashing import tagged_hash
from tests.reference.refusals import Refused
from tests.vectors import generate
from tests.vectors.files import load, raw
from tests.vectors.generate_ledger import GENESIS, LIST_HEAD, OFFICER, PARTICIPANT
from tests.vectors.generate_log import (
    HEADER,
    KERNELS,
    PRIVATE,
    SPEND,
    SUPPLY,
    compute_root,
)

PARTICIPANTS = load("participants")
LOG = load("log")
SEALING = load("sealing")
GENESES = PARTICIPANTS["geneses"]
LISTS = PARTICIPANTS["lists"]
LEDGERS = LOG["ledgers"]
NETWORK = NetworkId(raw(LOG["network"]))


def name_case(case: dict[str, Any]) -> str:
    """What pytest calls a case."""
    return str(case.get("why") or case.get("name") or case.get("kind") or case.get("proof_mode"))


def verify_ed25519(public: bytes, message: bytes, signature: bytes) -> None:
    """By another library than the kernel's."""
    Ed25519PublicKey.from_public_bytes(public).verify(signature, message)


def pad(text: str, size: int) -> bytes:
    """UTF-8 with zeros behind."""
    return text.encode().ljust(size, b"\0")


def test_generator_still_makes_these_bytes() -> None:
    for name, content in (("participants", PARTICIPANTS), ("log", LOG), ("sealing", SEALING)):
        assert generate.MAKERS[name](content) == content, name


# --- page 04: genesis and participant list -------------------------------------------------------


@pytest.mark.parametrize("case", GENESES, ids=name_case)
def test_genesis(case: dict[str, Any]) -> None:  # T1
    packed, signed, key = raw(case["packed"]), raw(case["signed"]), raw(PARTICIPANTS["list_key"])
    assert len(packed) == GENESIS.size == 125
    names = ("decimals", "address_prefix", "proof_mode", "officers_required", "supply_cap_day")
    assert GENESIS.unpack(packed) == (
        *(1, pad(case["name"], 48), case["currency"].encode(), case["decimals"]),
        *(pad(case["address_prefix"], 16), case["proof_mode"], key),
        *(case[name] for name in names[3:]),
        *(case["batch_payments_min"], case["batch_age_ms_max"], case["created_ms"]),
    )
    assert tagged_hash("network", packed)[:16] == raw(case["network"])
    assert signed[:-64] == packed
    verify_ed25519(key, tagged_hash("genesis", packed), signed[-64:])
    genesis = verify_genesis(signed)
    assert genesis.pack() == packed and genesis.network == raw(case["network"])
    assert compute_origin(genesis) == case["origin"]
    seed = InstitutionKey.generate()
    assert sign_genesis(unpack_genesis(packed), seed)[:-64] == packed


@pytest.mark.parametrize("case", PARTICIPANTS["refused_geneses"], ids=name_case)
def test_genesis_refused(case: dict[str, Any]) -> None:
    with pytest.raises(SpecieError) as refused:
        verify_genesis(raw(case["signed"]))
    assert refused.value.code.value == case["code"]


def read_list(packed: bytes) -> tuple[Any, list[Any], list[Any]]:
    """Head, officers, participants, by struct alone; every byte is read."""
    at = LIST_HEAD.size + 1
    officers = list(OFFICER.iter_unpack(packed[at : at + packed[at - 1] * OFFICER.size]))
    at += packed[at - 1] * OFFICER.size
    members = list(PARTICIPANT.iter_unpack(packed[at + 2 :]))
    assert struct.unpack_from("<H", packed, at) == (len(members),)
    return LIST_HEAD.unpack_from(packed), officers, members


@pytest.mark.parametrize("case", LISTS, ids=lambda case: f"version {case['version']}")
def test_participant_list(case: dict[str, Any]) -> None:  # T1, T2
    packed, signed = raw(case["packed"]), raw(case["signed"])
    head, officers, members = read_list(packed)
    network = raw(GENESES[0]["network"])
    keys = raw(case["notary_key"]), raw(case["accounting_key"])
    assert head == (1, network, case["version"], case["time"], *keys)
    assert officers == [(one["number"], one["status"], raw(one["key"])) for one in case["officers"]]
    assert members == [
        (
            *(one["number"], one["role"], one["status"], one["successor"]),
            *(raw(one["scan_key"]), raw(one["attestation_key"]), raw(one["institution_key"])),
            pad(one["name"], 48),
        )
        for one in case["participants"]
    ]
    message = tagged_hash("participants", packed)
    verify_ed25519(raw(PARTICIPANTS["list_key"]), message, signed[-64:])
    assert unpack_participants(packed).pack() == packed == signed[:-64]


def test_participant_lists_only_move_forward() -> None:  # T2
    genesis = verify_genesis(raw(GENESES[0]["signed"]))
    roster = Roster(raw(GENESES[0]["signed"]), raw(LISTS[0]["signed"]), genesis.network)
    roster.adopt(raw(LISTS[1]["signed"]))
    assert roster.current.version == LISTS[1]["version"]
    with pytest.raises(SpecieError, match="participants_outdated"):
        roster.adopt(raw(LISTS[0]["signed"]))
    assert roster.current.version == LISTS[1]["version"]


@pytest.mark.parametrize("case", PARTICIPANTS["refused_lists"], ids=name_case)
def test_participant_list_refused(case: dict[str, Any]) -> None:
    genesis = verify_genesis(raw(GENESES[0]["signed"]))
    current = verify_participants(raw(LISTS[0]["signed"]), genesis)
    with pytest.raises(SpecieError) as refused:
        verify_participants(raw(case["signed"]), genesis, current)
    assert refused.value.code.value == case["code"]


def test_who_attests_for_whom() -> None:  # T2
    """By the list itself, and by the rule read out of the page: eight of a line are looked at."""
    members = unpack_participants(raw(LISTS[1]["packed"]))
    rows = {one["number"]: one for one in LISTS[1]["participants"]}
    for case in PARTICIPANTS["attesters"]:
        found = members.find_attester(ParticipantNumber(case["bank"]))
        assert (found.number if found else None) == case["attester"]
        number: int = case["bank"]
        line: list[dict[str, Any]] = []
        while number in rows and len(line) < SUCCESSOR_HOPS_MAX:
            line.append(rows[number])
            number = rows[number]["successor"]
        active = [one["number"] for one in line if one["status"] == 1]
        assert (active[0] if active else None) == case["attester"]


# --- page 05: promise, tree, checkpoint, leaves, evidence ----------------------------------------


def test_promise() -> None:  # T15
    case = LOG["promise"]
    message = tagged_hash(
        "promise", NETWORK + raw(case["txid"]) + struct.pack("<Q", case["publish_by"])
    )
    assert message == raw(case["message"])
    txid, publish_by = TransactionId(raw(case["txid"])), Timestamp(case["publish_by"])
    assert compute_promise_message(NETWORK, txid, publish_by) == message
    verify_ed25519(raw(case["notary_key"]), message, raw(case["signature"]))


def test_tree() -> None:
    leaves = [raw(text) for text in LOG["tree"]["leaves"]]
    for size, root in enumerate(LOG["tree"]["roots"]):
        assert compute_root(leaves[:size]).hex() == root
        grown = Frontier()
        for leaf in leaves[:size]:
            grown = grown.append([compute_leaf_hash(leaf)])
        assert grown.compute_root().hex() == root


def test_checkpoint() -> None:  # X2, X3
    case = LOG["checkpoint"]
    key, origin = InstitutionPublicKey(raw(case["key"])), case["origin"]
    found = verify_checkpoint(case["note"], origin, key)
    assert (found.size, found.root) == (case["size"], raw(case["root"]))
    assert VerifierKey(origin, SignatureType.LOG, key).key_id == raw(case["key_id"])
    text, _, line = case["note"].partition("\n\n")
    signed = base64.b64decode(line.split(" ")[2])
    assert signed[:4] == hashlib.sha256(origin.encode() + b"\n\x01" + key).digest()[:4]
    verify_ed25519(key, text.encode() + b"\n", signed[4:])
    for refused in case["refused"]:
        with pytest.raises(SpecieError, match="checkpoint_invalid"):
            verify_checkpoint(refused["note"], origin, key)


def test_tiles() -> None:
    for case in LOG["tiles"]:
        assert format_tile_path(case["level"], case["number"], case["width"]) == case["path"]
    leaves = [raw(one["leaf"]) for one in LOG["leaves"]]
    packed = b"".join(struct.pack(">H", len(leaf)) + leaf for leaf in leaves)
    assert pack_bundle(leaves) == packed and unpack_bundle(packed) == leaves


@pytest.mark.parametrize("case", LOG["leaves"], ids=name_case)
def test_leaf(case: dict[str, Any]) -> None:
    leaf = raw(case["leaf"])
    assert unpack_leaf(leaf, case["proof_size"]).pack() == leaf
    assert compute_leaf_hash(leaf).hex() == case["hash"]


@pytest.mark.parametrize("case", LOG["refused_leaves"], ids=name_case)
def test_leaf_refused(case: dict[str, Any]) -> None:
    with pytest.raises(SpecieError) as refused:
        unpack_leaf(raw(case["leaf"]), 0)
    assert refused.value.code.value == case["code"]


def test_leaf_too_long_is_refused() -> None:
    with pytest.raises(SpecieError, match="leaf_malformed"):
        unpack_leaf(bytes(LEAF_BYTES_MAX + 1), 0)


def test_evidence() -> None:  # T15
    evidence = raw(LOG["evidence"]["evidence"])
    assert len(evidence) == 655 and evidence[:17] == b"\x01" + NETWORK
    found = verify_evidence(evidence, NETWORK)
    assert found.pack() == evidence and found.output.data == evidence[17:431]
    first, second = SPEND.iter_unpack(evidence[431:])
    assert (first[0] <= second[1]) and (second[0] <= first[1])
    for spend in (first, second):
        message = tagged_hash("spend", NETWORK + found.output.ref + SPEND.pack(*spend)[:-64])
        kernel.verify_signature(found.output.owner, message, spend[3])


@pytest.mark.parametrize("case", LOG["evidence"]["refused"], ids=name_case)
def test_evidence_refused(case: dict[str, Any]) -> None:
    with pytest.raises(SpecieError) as refused:
        verify_evidence(raw(case["evidence"]), NETWORK)
    assert refused.value.code.value == case["code"]


# --- page 05: whole ledgers ----------------------------------------------------------------------


def split(leaves: list[bytes]) -> Iterator[list[bytes]]:
    """Batches: each begins with a header."""
    starts = [at for at, leaf in enumerate(leaves) if leaf[0] == 0]
    for start, end in zip(starts, [*starts[1:], len(leaves)], strict=True):
        yield leaves[start:end]


def read_private(data: bytes) -> list[tuple[int, int, bytes]]:
    """Time, list version and wire form of each transaction of a private batch, by the page."""
    (count,) = struct.unpack_from("<I", data, 16)
    found, at = [], 20
    for _ in range(count):
        time, version, length = PRIVATE.unpack_from(data, at)
        at += PRIVATE.size + length
        found.append((time, version, data[at - length : at]))
    assert at == len(data)
    return found


@pytest.mark.parametrize("case", LEDGERS, ids=name_case)
def test_headers_tell_what_follows(case: dict[str, Any]) -> None:
    leaves = [raw(text) for text in case["leaves"]]
    batches = list(split(leaves))
    for number, batch, private in zip((1, 2), batches, case["private_batches"], strict=True):
        header, judged = HEADER.unpack(batch[0]), read_private(raw(private))
        transactions = [one for _, _, one in judged]
        kinds = [leaf[0] for leaf in batch[1:]]
        assert header[:3] == (0, 1, number)
        others = kinds.count(4) + kinds.count(5)
        assert header[4:8] == (kinds.count(1), kinds.count(2), kinds.count(3), others)
        assert batch[1:] == sorted(set(batch[1:])) and set(kinds) <= {1, 2, 3, 4, 5}
        # o stands behind version, network, kind, supply_change and the window.
        offsets = sum(int.from_bytes(one[42:74], "little") for one in transactions)
        assert int.from_bytes(header[8], "little") == offsets % (
            2**252 + 27742317777372353535851937790883648493
        )
        whole = struct.pack("<QQI", number, header[3], len(transactions))
        whole += b"".join(
            PRIVATE.pack(time, list_version, len(one)) + one for time, list_version, one in judged
        )
        assert header[9] == hashlib.sha256(whole).digest() and whole == raw(private)
        times = [time for time, _, _ in judged]
        assert times == sorted(times) and times[-1] <= header[3]
        assert {version for _, version, _ in judged} == {1}
    assert [len(read_private(raw(one))) for one in case["private_batches"]] == [1, 3]
    assert [leaf[0] for leaf in leaves if leaf[0] > 3] == [4, 5]


@pytest.mark.parametrize("case", LEDGERS, ids=name_case)
def test_checkpoint_covers_the_leaves(case: dict[str, Any]) -> None:  # X2
    leaves = [raw(text) for text in case["leaves"]]
    text, _, line = case["checkpoint"].partition("\n\n")
    origin, size, root = text.split("\n")
    assert int(size) == len(leaves) and base64.b64decode(root) == compute_root(leaves)
    (_, _, _, _, notary_key, _), _, _ = read_list(raw(case["participants"])[:-64])
    verify_ed25519(notary_key, text.encode() + b"\n", base64.b64decode(line.split(" ")[2])[4:])
    genesis = verify_genesis(raw(case["genesis"]))
    verify_checkpoint(case["checkpoint"], origin, InstitutionPublicKey(notary_key))
    assert compute_origin(genesis) == origin


@pytest.mark.parametrize("case", LEDGERS, ids=name_case)
def test_the_sum_by_the_twin(case: dict[str, Any]) -> None:  # X1, P10
    """Plain Python over the bytes of the page; specie's own reading has no part in it."""
    total, supply, unspent = PointSum(), 0, {}
    for leaf in [raw(text) for text in case["leaves"]]:
        if leaf[0] == 0:
            total.subtract_blinding(HEADER.unpack(leaf)[8])
        elif leaf[0] == 1:
            unspent[tagged_hash("output", leaf[1:415])] = leaf[66:98]
            total.add_points(leaf[66:98])
        elif leaf[0] == 2:
            total.subtract_points(unspent.pop(leaf[1:]))
        elif leaf[0] == 3:
            _, _, change, count = KERNELS.unpack_from(leaf)
            for at in range(count):
                total.subtract_points(leaf[KERNELS.size + at * 96 :][:32])
            supply += change
            if change:
                serial, after, _ = SUPPLY.unpack_from(leaf, KERNELS.size + count * 96)
                assert (serial, after) == (1 if change > 0 else 2, supply)
    total.add_value(-supply)
    total.verify_zero()
    assert supply == 750_000


@pytest.mark.parametrize("case", LEDGERS, ids=name_case)
def test_the_public_audit_still_passes(case: dict[str, Any]) -> None:  # X1
    genesis = verify_genesis(raw(case["genesis"]))
    audit = PublicAudit(genesis, verify_participants(raw(case["participants"]), genesis))
    for batch in split_batches(raw(text) for text in case["leaves"]):
        audit.add_batch(batch)
    proofs = 8 if case["proof_mode"] == 1 else 0
    assert audit.finish() == Totals(
        batches=2,
        created=8,
        spent=3,
        kernels=4,
        range_proofs=proofs,
        authorisations=4,
        conflicts=1,
        voids=1,
        serial=2,
        supply=750_000,
    )


@pytest.mark.parametrize("case", LEDGERS, ids=name_case)
def test_a_new_notary_accepts_the_old_transactions(case: dict[str, Any], tmp_path: Path) -> None:
    genesis = verify_genesis(raw(case["genesis"]))
    members = verify_participants(raw(case["participants"]), genesis)
    rules = NotaryRules(genesis, members, InstitutionKey.generate())
    store = SqliteNotaryStore(tmp_path / "notary.db")
    batches = split([raw(text) for text in case["leaves"]])
    for leaves, private in zip(batches, case["private_batches"], strict=True):
        now = Timestamp(HEADER.unpack(leaves[0])[3])
        sent = [one for _, _, one in read_private(raw(private))]
        outcomes = notarise(sent, store, rules, now)
        assert all(isinstance(one, Promise) for one in outcomes), outcomes
    store.close()


# --- page 03: where the bytes of a payment go (docs/adr/0005) ------------------------------------


def test_bytes_of_a_payment_with_two_attestations() -> None:
    head, refs, outputs, terms = 74 + 8, 2 * 32, 2 * 414, 2 * 22
    kernel_and_owners, attestations = 96 + 2 * 64, 2 * 78
    rest = head + refs + outputs + terms + kernel_and_owners + attestations
    assert (rest + 2 * (1 + 577), rest + 1 + 641) == (2_554, 2_040)
    payment = load("transaction")["transactions"][0]
    assert (len(payment["inputs"]), len(payment["outputs"])) == (2, 2)
    assert len(raw(payment["wire"])) == 2_554
    assert [kernel.range_proof_size(covers) for covers in (1, 2)] == [577, 641]


# --- page 06: sealing ----------------------------------------------------------------------------

HANDLES: dict[str, Any] = {
    "key-tree": kernel.KeyTree,
    "view-key": kernel.ViewKey,
    "spend-key": kernel.SpendKey,
    "wallet-secret": kernel.WalletSecret,
    "scan-key": kernel.ScanKey,
    "signing-key": kernel.SigningKey,
    "institution-key": kernel.InstitutionKey,
}


def derive(case: dict[str, Any]) -> SealingKey:
    """The handle of a derived key."""
    parameters = case["memory_kib"], case["passes"], case["lanes"]
    return SealingKey.derive(raw(case["passphrase"]), raw(case["salt"]), *parameters)


@pytest.mark.parametrize("case", SEALING["derived"], ids=lambda case: f"{case['memory_kib']} KiB")
def test_keys_from_passphrases(case: dict[str, Any]) -> None:
    parameters = case["memory_kib"], case["passes"], case["lanes"]
    key = sealing.derive_key(raw(case["passphrase"]), raw(case["salt"]), *parameters)
    assert key == raw(case["key"])
    sealed = derive(case).seal(b"plain", b"aad")
    assert sealing.unseal(key, "bytes", sealed, b"aad") == b"plain"


def test_the_first_key_has_our_parameters() -> None:
    first = SEALING["derived"][0]
    ours = (ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES)
    assert (first["memory_kib"], first["passes"], first["lanes"]) == ours
    assert len(raw(first["salt"])) == 16


@pytest.mark.parametrize("case", SEALING["sealed"], ids=name_case)
def test_sealed(case: dict[str, Any]) -> None:
    key, plain_key = derive(SEALING["derived"][1]), raw(SEALING["derived"][1]["key"])
    kind, aad, sealed = case["kind"], raw(case["aad"]), raw(case["sealed"])
    assert sealing.unseal(plain_key, kind, sealed, aad) == raw(case["plain"])
    if kind == "bytes":
        assert key.open(sealed, aad) == raw(case["plain"])
        return
    with pytest.raises(kernel.KernelError, match="sealed_invalid"):
        key.open(sealed, aad)
    if kind == "sealing-key":
        again = key.seal_key(key.open_key(sealed, aad), b"again")
    else:
        again = HANDLES[kind].unseal(key, sealed, aad).seal(key, b"again")
    assert sealing.unseal(plain_key, kind, again, b"again") == raw(case["plain"])


@pytest.mark.parametrize("case", SEALING["refused"], ids=name_case)
def test_sealed_refused(case: dict[str, Any]) -> None:
    key, plain_key = derive(SEALING["derived"][1]), raw(SEALING["derived"][1]["key"])
    with pytest.raises(kernel.KernelError, match="sealed_invalid"):
        key.open(raw(case["sealed"]), b"aa")
    with pytest.raises(Refused, match="sealed_invalid"):
        sealing.unseal(plain_key, "bytes", raw(case["sealed"]), b"aa")
