"""Every golden vector against the twin and against the native kernel.

A failure here means that bytes somebody already holds would change their meaning.
"""

from typing import Any

import pytest

from specie import _kernel as kernel
from tests.reference import (
    address,
    commitment,
    handles,
    hashing,
    keys,
    output,
    range_proof,
    ristretto,
    scanning,
    schnorr,
    statement,
    transaction,
)
from tests.reference.refusals import Refused
from tests.vectors import generate
from tests.vectors.files import load, raw, read_statement, read_transaction

GROUP = load("group")
KEYS = load("keys")
ADDRESS = load("address")
SCHNORR = load("schnorr")
OUTPUT = load("output")
PROOFS = load("range_proof")["valid"]
TRANSACTIONS = load("transaction")["transactions"]
NETWORK = raw(load("transaction")["network"])


def name_case(case: dict[str, Any]) -> str:
    """What pytest calls a case."""
    return str(case.get("why") or case.get("name") or case.get("made_by"))


def test_generator_still_makes_these_bytes() -> None:
    """All but the slow ones; what only the kernel could make is taken over as it is."""
    for name in ("group", "hashing", "keys", "address", "schnorr", "output"):
        content = load(name)
        assert generate.MAKERS[name](content) == content, name


# --- group and hashing --------------------------------------------------------------------------


def test_multiples_of_the_base_point() -> None:
    points = [raw(text) for text in GROUP["multiples"]]
    base = ristretto.BASE
    assert [ristretto.encode(ristretto.multiply(at, base)) for at in range(16)] == points
    assert kernel.blinding_generator() == points[1]
    for at, point in enumerate(points[1:], 1):
        kernel.check_point(point)
        total = kernel.PointSum()
        total.add_blinding(hashing.encode_scalar(at))
        assert total.encoded() == point
    with pytest.raises(kernel.KernelError) as refused:
        kernel.check_point(points[0])
    assert refused.value.code == "identity_point"


@pytest.mark.parametrize("case", GROUP["bad_encodings"], ids=name_case)
def test_bad_encodings(case: dict[str, str]) -> None:
    with pytest.raises(Refused, match="point_invalid"):
        ristretto.decode(raw(case["encoding"]))
    with pytest.raises(kernel.KernelError) as refused:
        kernel.check_point(raw(case["encoding"]))
    assert refused.value.code == "point_invalid"


@pytest.mark.parametrize("case", GROUP["one_way_maps"])
def test_one_way_maps(case: dict[str, str]) -> None:
    """The kernel shows its map only in H, which is one of its values."""
    assert ristretto.encode(ristretto.map_one_way(raw(case["input"]))).hex() == case["element"]


def test_value_generator_and_commitments() -> None:  # T10
    generator = raw(GROUP["value_generator"])
    assert kernel.value_generator() == generator
    assert ristretto.encode(commitment.value_generator()) == generator
    for case in GROUP["commitments"]:
        expected, mask = raw(case["commitment"]), raw(case["mask"])
        assert commitment.commit(case["value"], hashing.decode_scalar(mask)) == expected
        total = kernel.PointSum()
        total.add_value(case["value"])
        total.add_blinding(mask)
        assert total.encoded() == expected


def test_bad_scalars() -> None:
    for text in GROUP["bad_scalars"]:
        with pytest.raises(Refused, match="scalar_invalid"):
            hashing.decode_scalar(raw(text))
        with pytest.raises(kernel.KernelError) as refused:
            kernel.check_scalar(raw(text))
        assert refused.value.code == "scalar_invalid"


def test_hashes() -> None:
    for case in load("hashing")["hashes"]:
        tag, data = case["tag"], raw(case["data"])
        assert hashing.tagged_hash(tag, data).hex() == case["hash"]
        assert kernel.tagged_hash(tag, data).hex() == case["hash"]
        assert hashing.encode_scalar(hashing.tagged_scalar(tag, data)).hex() == case["scalar"]
        assert kernel.tagged_scalar(tag, data).hex() == case["scalar"]


# --- keys and addresses -------------------------------------------------------------------------


@pytest.mark.parametrize("wallet", KEYS["wallets"], ids=lambda w: str(len(w["phrase"].split())))
def test_phrases(wallet: dict[str, Any]) -> None:  # T3, X7
    tree = kernel.KeyTree.from_phrase(wallet["phrase"])
    assert tree.phrase() == wallet["phrase"]
    seed = keys.derive_seed(wallet["phrase"])
    assert seed.hex() == wallet["seed"]
    for case in wallet["subwallets"]:
        index = case["subwallet"]
        twin = keys.derive_subwallet(seed, index)
        view, spend = tree.view_key(index), tree.spend_key(index)
        assert twin.view_public == view.public == raw(case["view_public"])
        assert twin.spend_public == spend.public == raw(case["spend_public"])
        assert handles.expose(view, "view-key").hex() == case["view"]
        assert handles.expose(spend, "spend-key").hex() == case["spend"]
        secret = handles.expose(tree.wallet_secret(index), "wallet-secret")
        assert secret == twin.wallet_secret == raw(case["wallet_secret"])


@pytest.mark.parametrize("case", KEYS["refused"], ids=name_case)
def test_refused_phrases(case: dict[str, str]) -> None:
    with pytest.raises(Refused, match="phrase_invalid"):
        keys.derive_seed(case["phrase"])
    with pytest.raises(kernel.KernelError) as refused:
        kernel.KeyTree.from_phrase(case["phrase"])
    assert refused.value.code == "phrase_invalid"


@pytest.mark.parametrize("case", ADDRESS["valid"], ids=lambda case: str(case["prefix"]))
def test_addresses(case: dict[str, Any]) -> None:
    text, prefix, data = case["address"], case["prefix"], raw(case["payload_and_check"])
    pair = raw(case["view_public"]), raw(case["spend_public"])
    assert address.encode_address(prefix, case["bank"], *pair) == text
    assert kernel.bech32m_encode(prefix, data) == text
    for spelling in (text, text.upper()):
        assert kernel.bech32m_decode(spelling) == (prefix, data)
        assert address.decode_address(spelling) == (prefix, case["bank"], *pair)


@pytest.mark.parametrize("case", ADDRESS["refused_texts"], ids=name_case)
def test_refused_texts(case: dict[str, str]) -> None:
    with pytest.raises(Refused, match="address_invalid"):
        address.bech32m_decode(case["text"])
    with pytest.raises(kernel.KernelError) as refused:
        kernel.bech32m_decode(case["text"])
    assert refused.value.code == "address_invalid"


@pytest.mark.parametrize("case", ADDRESS["refused_addresses"], ids=name_case)
def test_refused_addresses(case: dict[str, str]) -> None:
    """Good bech32m, bad payload: the kernel reads the text, who reads the payload refuses it."""
    assert kernel.bech32m_decode(case["text"]) == address.bech32m_decode(case["text"])
    with pytest.raises(Refused):
        address.decode_address(case["text"])


# --- signatures ---------------------------------------------------------------------------------


@pytest.mark.parametrize("case", SCHNORR["valid"], ids=name_case)
def test_signatures_hold(case: dict[str, str]) -> None:
    record = raw(case["public"]), raw(case["message"]), raw(case["signature"])
    schnorr.verify(*record)
    kernel.verify_signature(*record)
    kernel.verify_signatures(b"".join(record))
    if case["made_by"] == "twin":
        secret = hashing.decode_scalar(raw(case["secret"]))
        assert (
            schnorr.sign(secret, hashing.decode_scalar(raw(case["nonce"])), record[1]) == record[2]
        )
        assert handles.signing_key(secret).public == record[0]


@pytest.mark.parametrize("case", SCHNORR["refused"], ids=name_case)
def test_signatures_refused(case: dict[str, str]) -> None:
    record = raw(case["public"]), raw(case["message"]), raw(case["signature"])
    with pytest.raises(Refused) as plainly:
        schnorr.verify(*record)
    with pytest.raises(kernel.KernelError) as natively:
        kernel.verify_signature(*record)
    assert natively.value.code == plainly.value.code
    with pytest.raises(kernel.KernelError) as natively:
        kernel.verify_signatures(b"".join(record))
    assert natively.value.code == "batch_refused"


# --- outputs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", OUTPUT["outputs"], ids=name_case)
def test_outputs_from_openings(case: dict[str, Any]) -> None:  # T5, T10
    bank_scan = raw(OUTPUT["publics"]["bank_scan"])
    audit_key = raw(OUTPUT["publics"]["authority_scan"]) if case["label"] else None
    opening = raw(case["opening"])
    twin = output.derive_output(output.unpack_opening(opening), bank_scan, audit_key)
    native, mask, terms_nonce = kernel.derive_output(opening, bank_scan, audit_key)
    assert twin.output == native == raw(case["output"])
    assert twin.terms_nonce == terms_nonce == raw(case["terms_nonce"])
    assert output.derive_reference(native) == raw(case["reference"])
    assert kernel.tagged_hash("output", native) == raw(case["reference"])
    assert twin.shared == raw(case["shared"])
    assert hashing.encode_scalar(twin.mask) == raw(case["mask"])
    assert mask.commit(case["value"]) == raw(case["commitment"]) == native[65:97]
    assert mask.commit(0) == raw(case["blinding"])


@pytest.mark.parametrize("case", OUTPUT["outputs"], ids=name_case)
def test_outputs_are_received(case: dict[str, Any]) -> None:  # T11
    secrets = {name: hashing.decode_scalar(raw(x)) for name, x in OUTPUT["secrets"].items()}
    view, spend = handles.view_key(secrets["view"]), handles.spend_key(secrets["spend"])
    bank_scan = raw(OUTPUT["publics"]["bank_scan"])
    audit_keys = {case["label"]: raw(OUTPUT["publics"]["authority_scan"])} if case["label"] else {}
    scanner = kernel.Scanner(case["bank"], bank_scan, list(audit_keys.items()))
    assert scanner.add(view, spend.public) == 0
    sent = raw(case["output"])
    bank = scanning.Bank(
        case["bank"], secrets["bank_scan"], audit_keys, [(secrets["view"], spend.public)]
    )
    for native, twin in (
        (scanner.scan(sent), scanning.scan(bank, sent)),
        (
            scanner.scan_hinted(handles.scan_key(secrets["bank_scan"]), sent),
            scanning.scan_hinted(bank, sent),
        ),
    ):
        assert [hit[:3] for hit in native[0]] == twin[0] == [(0, 0, raw(case["opening"]))]
        assert native[1] == twin[1] == []
        assert native[0][0][3].commit(0) == raw(case["blinding"])
    owner = spend.owner_key(view, sent)
    assert handles.expose(owner, "signing-key") == raw(case["owner_secret"])
    assert owner.public == sent[:32]


@pytest.mark.parametrize("case", OUTPUT["outputs"], ids=name_case)
def test_the_authority_opens_its_labelled_money(case: dict[str, Any]) -> None:  # T7
    secret = hashing.decode_scalar(raw(OUTPUT["secrets"]["authority_scan"]))
    if case["label"]:
        seen = output.open_audit(raw(case["output"]), secret)
        assert seen == (case["value"], raw(case["memo"]))
    else:
        with pytest.raises(Refused):
            output.open_audit(raw(case["output"]), secret)


# --- proofs and transactions --------------------------------------------------------------------


@pytest.mark.parametrize("case", PROOFS, ids=lambda c: f"{c['made_by']} {c['covers']}")
def test_range_proofs_hold(case: dict[str, Any]) -> None:  # T24, X1
    proof, commitments = raw(case["proof"]), raw(case["commitments"])
    assert len(proof) == range_proof.range_proof_size(case["covers"])
    assert len(proof) == kernel.range_proof_size(case["covers"])
    kernel.verify_range(proof, commitments)
    range_proof.verify_range(proof, commitments)


@pytest.mark.parametrize("case", TRANSACTIONS, ids=name_case)
def test_transaction_identity_and_messages(case: dict[str, Any]) -> None:
    body = read_transaction(case)
    txid = transaction.compute_txid(body)
    assert txid == raw(case["txid"])
    change = case["supply_change"]
    kernel_message = transaction.kernel_message(NETWORK, txid, change)
    assert kernel_message == raw(case["kernel_message"])
    owners = [
        transaction.owner_message(NETWORK, ref, body.not_before, body.not_after, txid)
        for ref in body.inputs
    ]
    assert owners == [raw(text) for text in case["owner_messages"]]
    signed = statement.split_records(raw(case["signatures"]))
    attested = [raw(attestation["message"]) for attestation in case["attestations"]]
    assert [message for _, message, _ in signed] == [kernel_message, *owners, *attested]
    for record in (case["supply"] or {"records": []})["records"]:
        kernel.verify_institution_signature(
            raw(record["public"]), raw(record["message"]), raw(record["signature"])
        )


@pytest.mark.parametrize("case", TRANSACTIONS, ids=name_case)
def test_transactions_hold(case: dict[str, Any]) -> None:  # T16
    fields = read_statement(case)
    assert statement.find_failures([fields]) == ()
    native = kernel.Statement(
        fields.signatures,
        fields.kernels,
        fields.inputs,
        fields.outputs,
        fields.value,
        fields.offset,
        fields.proofs,
    )
    kernel.verify_statements([native])
