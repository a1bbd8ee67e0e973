"""The vectors of the directory, against twin and kernel (rows T8, X3)."""

from types import SimpleNamespace
from typing import Any

import pytest

from specie import _kernel as kernel
from specie.directory.entries import unpack_signed_entry, verify_bank, verify_owner
from specie.directory.indexes import get_index, verify_index
from specie.ledger.directory_leaves import LeafPromise, verify_leaf, verify_leaf_promise
from specie.log.leaves import DirectoryLeaf, unpack_leaf
from specie.log.tree import compute_leaf_hash
from specie.values.identifiers import NetworkId, PublicKey, Signature
from specie.values.phones import PhoneNumber
from tests.reference import handles, hashing, vrf
from tests.reference.refusals import Refused
from tests.vectors import generate
from tests.vectors.files import load, raw

DIRECTORY = load("directory")


def name_case(case: dict[str, Any]) -> str:
    return str(case.get("why") or case.get("made_by"))


def test_generator_still_makes_these_bytes() -> None:
    assert generate.MAKERS["directory"](DIRECTORY) == DIRECTORY


@pytest.mark.parametrize("case", DIRECTORY["values"], ids=name_case)
def test_values_hold(case: dict[str, str]) -> None:
    record = raw(case["public"]), raw(case["message"]), raw(case["value"])
    vrf.verify(*record)
    kernel.verify_vrf(*record)
    if case["made_by"] == "twin":
        secret = hashing.decode_scalar(raw(case["secret"]))
        nonce = hashing.decode_scalar(raw(case["nonce"]))
        assert vrf.evaluate(secret, nonce, record[1]) == record[2]
        key = handles.vrf_key(secret)
        assert key.public == record[0]
        assert key.evaluate(record[1])[:32] == record[2][:32]


@pytest.mark.parametrize("case", DIRECTORY["refused_values"], ids=name_case)
def test_values_refused(case: dict[str, str]) -> None:
    record = raw(case["public"]), raw(case["message"]), raw(case["value"])
    with pytest.raises(Refused) as plainly:
        vrf.verify(*record)
    with pytest.raises(kernel.KernelError) as natively:
        kernel.verify_vrf(*record)
    assert natively.value.code == plainly.value.code


@pytest.mark.parametrize("case", DIRECTORY["entries"], ids=lambda case: str(case["name"]))
def test_entries(case: dict[str, Any]) -> None:
    """Read, hashed, signed and promised as the page says."""
    network, public = NetworkId(raw(DIRECTORY["network"])), PublicKey(raw(case["public"]))
    phone, value = PhoneNumber(case["phone"]), raw(case["value"])
    index = verify_index(public, network, phone, value)
    assert index.hex() == case["index"] and get_index(public, value) == index
    data = raw(case["entry"]) + raw(case["owner"]) + bytes(64) + raw(case["bank"])
    signed = unpack_signed_entry(data)
    assert signed.pack() == data and signed.entry.hash.hex() == case["hash"]
    assert signed.entry.index == index and signed.entry.version == 2**32 - 1
    verify_owner(signed)
    leaf = unpack_leaf(raw(case["leaf"]), 0)
    assert isinstance(leaf, DirectoryLeaf)
    assert (leaf.index, leaf.entry, leaf.key) == (index, signed.entry.hash, public)
    genesis: Any = SimpleNamespace(network=network, list_key=raw(case["list_key"]))
    verify_leaf(leaf, genesis)
    members: Any = {signed.entry.bank: SimpleNamespace(institution_key=raw(case["bank_key"]))}
    verify_bank(signed, members)
    listed = SimpleNamespace(notary_key=raw(case["notary_key"]))
    roster: Any = SimpleNamespace(genesis=genesis, current=listed)
    leaf_hash = compute_leaf_hash(raw(case["leaf"]))
    promise = LeafPromise(leaf_hash, case["publish_by"], Signature(raw(case["promise"])))
    verify_leaf_promise(promise, leaf, roster)
