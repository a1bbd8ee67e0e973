"""Proofs and signatures: each forged part is refused with its own code, and nothing is recorded.

Every transaction here passes all the rules of the contract; only what the kernel verifies is
wrong, and only one part of it, so that no other part can be what refuses it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from specie.crypto.outputs import derive_output
from specie.crypto.proofs import prove_range
from specie.crypto.secrets import SigningKey
from specie.crypto.signatures import sign as sign_schnorr
from specie.ledger import contracts
from specie.ledger.checks import ContractContext
from specie.ledger.contracts import check_contract
from specie.ledger.messages import compute_kernel_message
from specie.ledger.records import Kernel, Output, RangeProof
from specie.ledger.transactions import AttestedTransaction
from specie.ledger.wire import encode_attested
from specie.store.notary_store import SqliteNotaryStore
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import PublicKey, Scalar, Signature
from specie.values.limits import BATCH_TRANSACTIONS_MAX
from specie.values.times import Timestamp
from tests.building import (
    NORTH,
    NOW,
    SOUTH,
    Draft,
    build,
    build_issue,
    find_code,
    make_context,
    make_view,
    make_world,
    mint,
    sign,
)
from tests.reference import commitment, handles, output, ristretto, schnorr
from tests.reference.hashing import ORDER, decode_scalar, encode_scalar
from tests.station import Station
from tests.unit.ledger.scenes import Scene, make_payment, overwrite, replace_output

H: Final = commitment.value_generator()
COMMITMENT: Final = 65
KERNEL, OWNER, ATTESTATION, BALANCE, PROOF = (
    ErrorCode.KERNEL_SIGNATURE_INVALID,
    ErrorCode.OWNER_SIGNATURE_INVALID,
    ErrorCode.ATTESTATION_SIGNATURE_INVALID,
    ErrorCode.BALANCE_INVALID,
    ErrorCode.PROOF_INVALID,
)

Forge = Callable[[Scene], AttestedTransaction]


def judge(scene: Scene, transaction: AttestedTransaction) -> ErrorCode | None:
    """The code; the contract itself has to be content."""
    context = make_context(scene.world, scene.view)
    check_contract(transaction, context)
    return find_code(transaction, context)


def with_kernel(transaction: AttestedTransaction, kernel: Kernel) -> AttestedTransaction:
    return replace(transaction, signed=replace(transaction.signed, kernels=(kernel,)))


def add_value(point: bytes, value: int) -> bytes:
    """The point + value·H."""
    moved = ristretto.add(ristretto.decode(point), ristretto.multiply(value % ORDER, H))
    return ristretto.encode(moved)


def expose_kernel(draft: Draft) -> int:
    return decode_scalar(handles.expose(draft.kernels[0], "signing-key"))


# --- K + H --------------------------------------------------------------------------------------


def overpay(scene: Scene, more: int) -> Draft:
    """A draft that pays out more than comes in: everything holds but the balance."""
    payees = [(scene.south.bob, 900 + more), (scene.north.alice, 100)]
    return build(scene.world, scene.holdings, payees)


@pytest.mark.parametrize("more", [1, 2**32, -1])
def test_value_hidden_in_a_kernel_is_refused(more: int) -> None:  # T16, P10
    """K + v·H closes the balance, so its signature is all that stands between us and free money."""
    scene = make_payment()
    draft = overpay(scene, more)
    transaction = sign(draft)
    honest = transaction.signed.kernels[0]
    shifted = PublicKey(add_value(honest.public, more))
    key = expose_kernel(draft)
    message = compute_kernel_message(draft.body.network, draft.body.txid, 0)
    twin = Signature(forge_with_value_nonce(key, more, shifted, message))
    for signature in (honest.signature, twin):
        forged = with_kernel(transaction, Kernel(shifted, signature))
        assert judge(scene, forged) is KERNEL
    assert judge(scene, transaction) is BALANCE


def forge_with_value_nonce(key: int, value: int, public: bytes, message: bytes) -> bytes:
    """A guess: R = r·G − c'·value·H for a c' drawn before R is known; c is another then."""
    guess = schnorr.challenge(public, message, schnorr.public_key(5))
    nonce = ristretto.encode(
        ristretto.subtract(
            ristretto.decode(schnorr.public_key(7)), ristretto.multiply(guess * value % ORDER, H)
        )
    )
    s = (7 + guess * key) % ORDER
    return nonce + (s | 1 << 255).to_bytes(32, "little")


def test_value_hidden_in_an_issue_is_refused() -> None:  # T4, P10
    """Officers sign for 5,000; the kernel carries one unit more."""
    world, view = make_world(), make_view()
    vault = world.institutions[NORTH].vault
    draft = build_issue(world, view.supply, [(vault, 5_001), (vault, 0)])
    assert draft.supply is not None and draft.supply.reserve is not None
    honest = build_issue(world, view.supply, [(vault, 5_000), (vault, 0)])
    draft = replace(draft.with_body(supply_change=5_000), supply=honest.supply)
    transaction, context = sign(draft), make_context(world, view)
    assert find_code(transaction, context) is BALANCE
    kernel = transaction.signed.kernels[0]
    shifted = replace(kernel, public=PublicKey(add_value(kernel.public, 1)))
    assert find_code(with_kernel(transaction, shifted), context) is KERNEL


# --- one wrong part -----------------------------------------------------------------------------


def kernel_of_another_message(scene: Scene) -> AttestedTransaction:
    transaction = sign(scene.draft)
    message = compute_kernel_message(scene.draft.body.network, scene.draft.body.txid, 1)
    kernel = transaction.signed.kernels[0]
    wrong = Kernel(kernel.public, sign_schnorr(scene.draft.kernels[0], message))
    return with_kernel(transaction, wrong)


def kernel_with_the_identity_as_nonce(scene: Scene) -> AttestedTransaction:
    """Nonce 0: s = c·k, the equation holds, R is the identity."""
    transaction = sign(scene.draft)
    message = compute_kernel_message(scene.draft.body.network, scene.draft.body.txid, 0)
    signature = Signature(schnorr.sign(expose_kernel(scene.draft), 0, message))
    return with_kernel(transaction, replace(transaction.signed.kernels[0], signature=signature))


def kernel_of_another_balance(scene: Scene) -> AttestedTransaction:
    return sign(replace(scene.draft, kernels=(SigningKey.generate(),)))


def owner_is_somebody_else(scene: Scene) -> AttestedTransaction:
    return sign(replace(scene.draft, owners=(scene.draft.owners[0], SigningKey.generate())))


def owners_in_the_wrong_order(scene: Scene) -> AttestedTransaction:
    return sign(replace(scene.draft, owners=scene.draft.owners[::-1]))


def owner_with_the_identity_as_nonce(scene: Scene) -> AttestedTransaction:
    transaction = sign(scene.draft)
    first, second = transaction.signed.owner_signatures
    wrong = Signature(bytes(32) + second[32:])
    return replace(transaction, signed=replace(transaction.signed, owner_signatures=(first, wrong)))


def attestation_by_another_key(scene: Scene) -> AttestedTransaction:
    payer, payee = scene.draft.voices
    wrong = replace(payee, key=scene.north.attestation)
    return sign(replace(scene.draft, voices=(payer, wrong)))


def attestation_of_another_policy(scene: Scene) -> AttestedTransaction:
    transaction = sign(scene.draft)
    first, second = transaction.attestations
    return replace(transaction, attestations=(first, replace(second, policy=second.policy + 1)))


def attestation_of_another_payment(scene: Scene) -> AttestedTransaction:
    """Replayed from a payment that the bank did attest."""
    other = sign(
        build(scene.world, scene.holdings, [(scene.south.bob, 1), (scene.north.alice, 999)])
    )
    return replace(sign(scene.draft), attestations=other.attestations)


def more_out_than_in(scene: Scene) -> AttestedTransaction:
    return sign(overpay(scene, 1))


def less_out_than_in(scene: Scene) -> AttestedTransaction:
    """Money cannot be lost either."""
    return sign(overpay(scene, -1))


def proofs_of_each_other(scene: Scene) -> AttestedTransaction:
    first, second = scene.draft.body.proofs
    return sign(scene.draft.with_body(proofs=(second, first)))


def proof_of_nothing(scene: Scene) -> AttestedTransaction:
    first, second = scene.draft.body.proofs
    return sign(scene.draft.with_body(proofs=(replace(first, data=bytes(577)), second)))


def offset_of_another(scene: Scene) -> AttestedTransaction:
    return sign(scene.draft.with_body(offset=Scalar(encode_scalar(5))))


FORGERIES: Final[Sequence[tuple[Forge, ErrorCode]]] = (
    (kernel_of_another_message, KERNEL),
    (kernel_with_the_identity_as_nonce, KERNEL),
    (kernel_of_another_balance, BALANCE),
    (owner_is_somebody_else, OWNER),
    (owners_in_the_wrong_order, OWNER),
    (owner_with_the_identity_as_nonce, OWNER),
    (attestation_by_another_key, ATTESTATION),
    (attestation_of_another_policy, ATTESTATION),
    (attestation_of_another_payment, ATTESTATION),
    (more_out_than_in, BALANCE),
    (less_out_than_in, BALANCE),
    (proofs_of_each_other, PROOF),
    (proof_of_nothing, PROOF),
    (offset_of_another, BALANCE),
)


@pytest.mark.parametrize(("forge", "code"), FORGERIES, ids=[one.__name__ for one, _ in FORGERIES])
def test_a_forged_part_gives_its_code(forge: Forge, code: ErrorCode) -> None:  # T16
    scene = make_payment()
    assert judge(scene, forge(scene)) is code


def test_forged_parts_among_honest_ones(tmp_path: Path) -> None:  # T16, T26
    """One batch of forgeries between honest payments: exactly the honest ones are promised."""
    station = Station(make_world(), SqliteNotaryStore(tmp_path / "notary.db"))
    north, south = (station.world.institutions[bank] for bank in (NORTH, SOUTH))
    base = make_payment()
    batch, expected = [], []
    for forge, code in FORGERIES:
        held = station.fund([(north.alice, 700), (north.alice, 300), (north.alice, 5)])
        draft = build(station.world, held[:2], [(south.bob, 900), (north.alice, 100)])
        scene = replace(base, draft=draft, holdings=tuple(held[:2]))
        batch += [forge(scene), sign(build(station.world, held[2:], [(north.bob, 5)]))]
        expected += [code, None]
    before = station.store.load_supply()
    assert station.find_codes([encode_attested(one) for one in batch]) == expected
    promised = {one.transaction.txid for one in station.store.load_waiting(1_000)}
    assert {one.txid for one in batch} & promised == {one.txid for one in batch[1::2]}
    assert station.store.load_supply() == before


def test_a_spoilt_copy_does_not_keep_the_payment_out(tmp_path: Path) -> None:  # T16
    """Signatures are not part of the id: whoever changes one in passing must not refuse for all."""
    station = Station(make_world(), SqliteNotaryStore(tmp_path / "notary.db"))
    north, south = (station.world.institutions[bank] for bank in (NORTH, SOUTH))
    held = station.fund([(north.alice, 700), (north.alice, 300)])
    draft = build(station.world, held, [(south.bob, 900), (north.alice, 100)])
    scene = replace(make_payment(), draft=draft, holdings=tuple(held))
    good = encode_attested(sign(draft))
    spoilt = [
        encode_attested(forge(scene))
        for forge in (owner_is_somebody_else, kernel_of_another_message)
    ]
    assert station.find_codes(spoilt) == [OWNER, KERNEL]
    codes = station.find_codes([spoilt[0], good, spoilt[1]])
    assert codes[1] is None
    assert [one.data for one in station.store.load_waiting(9)][-1] == good


def test_of_many_wrong_parts_the_cause_is_named() -> None:  # T16
    """Signatures before proofs, proofs before the balance: mended one by one."""
    scene = make_payment()
    overpaid = overpay(scene, 1)
    wrong_proofs = overpaid.with_body(proofs=overpaid.body.proofs[::-1])
    strangers = (SigningKey.generate(), SigningKey.generate())
    unsigned = sign(replace(wrong_proofs, owners=strangers))
    kernel = replace(unsigned.signed.kernels[0], signature=unsigned.signed.owner_signatures[0])
    assert judge(scene, with_kernel(unsigned, kernel)) is KERNEL
    assert judge(scene, unsigned) is OWNER
    assert judge(scene, sign(wrong_proofs)) is PROOF
    assert judge(scene, sign(overpaid)) is BALANCE


def test_spends_of_one_token_cost_the_notary_no_more_than_others(tmp_path: Path) -> None:  # T26
    """A batch full of forged spends of one token, then the true one: each is judged once."""
    station = Station(make_world(), SqliteNotaryStore(tmp_path / "notary.db"))
    alice = station.world.institutions[NORTH].alice
    draft = build(station.world, station.fund([(alice, 5)]), [(alice, 5)])
    spoilt = [
        encode_attested(sign(replace(later, owners=(SigningKey.generate(),))))
        for later in (
            draft.with_body(not_after=Timestamp(NOW + 1 + number))
            for number in range(BATCH_TRANSACTIONS_MAX - 1)
        )
    ]
    good = encode_attested(sign(draft))
    judged = []

    def count(transaction: AttestedTransaction, context: ContractContext) -> None:
        judged.append(transaction.txid)

    with pytest.MonkeyPatch.context() as patch:
        rules = contracts._STATE  # noqa: SLF001  # run for every transaction that is judged
        patch.setattr(contracts, "_STATE", (*rules, count))
        codes = station.find_codes([*spoilt, good])
    assert codes == [OWNER] * len(spoilt) + [None]
    assert len(judged) == BATCH_TRANSACTIONS_MAX


# --- amounts that wrap --------------------------------------------------------------------------


@pytest.mark.parametrize("paid", [2**64 - 1, 2**64, 2**128, ORDER - 1])
def test_commitments_that_wrap_round_the_group_order(paid: int) -> None:  # T16, P10
    """C(paid) and C(1000 − paid mod ℓ) balance 1,000, and the second is negative or too large.

    Balance and all signatures hold; only the range proofs say no.
    """
    scene = make_payment()
    draft = scene.draft
    masks = [_find_mask(draft, index) for index in (0, 1)]
    for index, value in enumerate((paid, 1_000 - paid)):
        point = add_value(commitment.commit(0, masks[index]), value)
        draft = replace_output(
            draft, index, overwrite(draft.body.outputs[index], COMMITMENT, point)
        )
    amounts = [value % ORDER % 2**64 for value in (paid, 1_000 - paid)]
    proofs = tuple(
        RangeProof(1, prove_range([amount], [mask]))  # type: ignore[list-item]  # any u64 will do
        for amount, mask in zip(amounts, draft.masks, strict=True)
    )
    assert judge(scene, sign(draft.with_body(proofs=proofs))) is PROOF


def _find_mask(draft: Draft, index: int) -> int:
    opening = draft.openings[index]
    scan = draft.world.members.get(opening.bank).scan_key
    twin = output.derive_output(output.unpack_opening(opening.pack()), scan, None)
    assert twin.output == derive_output(opening, scan).data
    return twin.mask


def test_the_largest_amount_twice_does_not_fit() -> None:  # T16
    """Two outputs of 2**64 − 1, both provable: the balance says no, it does not wrap at 2**64."""
    world, view = make_world(), make_view()
    alice = world.institutions[NORTH].alice
    inputs = [mint(world, view, alice, 2**64 - 1), mint(world, view, alice, 2**64 - 1)]
    draft = build(world, inputs, [(alice, 2**64 - 1), (alice, 2**64 - 1)])
    assert find_code(sign(draft), make_context(world, view)) is None
    wrapped = [mint(world, view, alice, 2**64 - 2)]
    draft = build(world, wrapped, [(alice, 2**64 - 1), (alice, 2**64 - 1)])
    assert find_code(sign(draft), make_context(world, view)) is BALANCE


def test_an_output_object_has_one_size() -> None:
    with pytest.raises(Exception, match="414") as refused:
        Output(bytes(413))
    assert getattr(refused.value, "code", None) is ErrorCode.SIZE_INVALID
