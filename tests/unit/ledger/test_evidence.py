"""Evidence of a double spend: when it is given, and whom it convinces (T15)."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specie.crypto.secrets import SigningKey
from specie.ledger.contracts import check_contract
from specie.ledger.evidence import DoubleSpend, verify_evidence
from specie.ledger.state import Spend
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError, SpentError
from specie.values.identifiers import NetworkId, TransactionId
from specie.values.times import Timestamp
from tests.building import NOW, mint
from tests.unit.ledger.scenes import Case, Scene, make_payment, make_spend

EVIDENCE_SIZE = 655


def spend_first(
    scene: Scene, key: SigningKey, window: tuple[int, int], txid: bytes = bytes(range(32))
) -> Spend:
    """The second input was spent before, with this key, in this window."""
    ref = scene.draft.body.inputs[1]
    times = (Timestamp(window[0]), Timestamp(window[1]))
    scene.view.spends[ref] = make_spend(scene.draft.body, ref, key, times, txid)
    return scene.view.spends[ref]


def find_evidence(case: Case) -> bytes:
    with pytest.raises(SpentError) as refused:
        check_contract(*case)
    assert refused.value.code is ErrorCode.INPUT_SPENT
    return refused.value.evidence


def make_evidence() -> tuple[Scene, bytes]:
    scene = make_payment()
    spend_first(scene, scene.draft.owners[1], (NOW - 5, NOW + 5))
    return scene, find_evidence(scene.judge())


@cache
def keep_evidence() -> tuple[Scene, bytes]:
    return make_evidence()


def refuse(data: bytes, network: NetworkId) -> ErrorCode:
    with pytest.raises(SpecieError) as refused:
        verify_evidence(data, network)
    return refused.value.code


def test_evidence_convinces_whoever_knows_the_network() -> None:  # T15
    scene, evidence = make_evidence()
    body = scene.draft.body
    found = verify_evidence(evidence, scene.world.genesis.network)
    assert len(evidence) == EVIDENCE_SIZE
    assert found.output == scene.holdings[1].token.output
    assert found.first == scene.view.spends[body.inputs[1]]
    assert (found.second.txid, found.second.not_before) == (body.txid, body.not_before)
    assert found.pack() == evidence


def test_evidence_names_no_amount_and_no_payee() -> None:  # T15, X5
    scene, evidence = make_evidence()
    alice, bob = scene.north.alice.address, scene.south.bob.address
    private = [alice.view, alice.spend, bob.view, bob.spend, scene.draft.body.offset]
    private += [output.data[:32] for output in scene.draft.body.outputs]
    private += [scene.draft.body.inputs[0], (300).to_bytes(8, "little")]
    assert not [part for part in private if part in evidence]


def test_a_stranger_cannot_fish_for_the_first_signature() -> None:  # T15
    """Naming a spent output of others is refused for the missing signature, without evidence."""
    scene = make_payment()
    first = spend_first(scene, scene.draft.owners[1], (NOW - 5, NOW + 5))
    stranger = replace(scene.draft, owners=(scene.draft.owners[0], SigningKey.generate()))
    with pytest.raises(SpecieError) as refused:
        check_contract(*scene.judge(stranger))
    assert refused.value.code is ErrorCode.OWNER_SIGNATURE_INVALID
    assert not isinstance(refused.value, SpentError)
    assert first.signature.hex() not in str(refused.value)


@pytest.mark.parametrize(
    ("window", "is_evidence"),
    [
        ((0, -60_001), False),
        ((0, -60_000), True),
        ((-60_000, 60_000), True),
        ((60_000, 70_000), True),
        ((60_001, 70_000), False),
    ],
)
def test_only_windows_that_overlap_prove_ill_will(  # T15
    window: tuple[int, int], *, is_evidence: bool
) -> None:
    """Windows are relative to NOW, the payment's own is -60,000 to 60,000, ends included."""
    scene = make_payment()
    start = 0 if window[0] == 0 else NOW + window[0]
    spend_first(scene, scene.draft.owners[1], (start, NOW + window[1]))
    with pytest.raises(SpecieError) as refused:
        check_contract(*scene.judge())
    assert refused.value.code is ErrorCode.INPUT_SPENT
    assert isinstance(refused.value, SpentError) is is_evidence


def test_the_same_transaction_is_no_second_spend() -> None:  # T15
    scene = make_payment()
    spend_first(scene, scene.draft.owners[1], (NOW - 5, NOW + 5), scene.draft.body.txid)
    check_contract(*scene.judge())


def test_what_is_not_evidence() -> None:  # T15
    scene, evidence = make_evidence()
    network = scene.world.genesis.network
    found = verify_evidence(evidence, network)
    other = mint(scene.world, scene.view, scene.north.bob, 300).token.output
    apart = Spend(found.first.txid, Timestamp(0), Timestamp(1), found.first.signature)
    renamed = replace(found.first, txid=TransactionId(bytes(32)))
    cases = {
        "one spend twice": replace(found, second=found.first),
        "windows that do not overlap": replace(found, first=apart),
        "another output": replace(found, output=other),
        "another transaction": replace(found, first=renamed),
        "another network": replace(found, network=NetworkId(bytes(16))),
        "signatures swapped": replace(
            found,
            first=replace(found.first, signature=found.second.signature),
            second=replace(found.second, signature=found.first.signature),
        ),
    }
    for name, wrong in cases.items():
        assert refuse(wrong.pack(), network) is ErrorCode.EVIDENCE_INVALID, name
    assert refuse(evidence, NetworkId(bytes(16))) is ErrorCode.EVIDENCE_INVALID
    assert refuse(b"\x02" + evidence[1:], network) is ErrorCode.VERSION_UNKNOWN
    assert refuse(evidence[:-1], network) is ErrorCode.TRUNCATED
    assert refuse(evidence + b"\0", network) is ErrorCode.TRAILING_BYTES


def test_the_order_of_the_two_spends_does_not_matter() -> None:  # T15
    scene, evidence = make_evidence()
    network = scene.world.genesis.network
    found = verify_evidence(evidence, network)
    turned = DoubleSpend(network, found.output, found.second, found.first)
    assert verify_evidence(turned.pack(), network).first == found.second


@given(st.integers(0, EVIDENCE_SIZE * 8 - 1))
def test_no_bit_of_evidence_can_be_changed(bit: int) -> None:  # T15
    scene, evidence = keep_evidence()
    changed = bytearray(evidence)
    changed[bit // 8] ^= 1 << bit % 8
    code = refuse(bytes(changed), scene.world.genesis.network)
    assert code in {
        ErrorCode.EVIDENCE_INVALID,
        ErrorCode.VERSION_UNKNOWN,
        ErrorCode.NOT_CANONICAL,
    }
