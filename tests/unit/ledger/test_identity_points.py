"""The identity, and what is no point at all, in every place of a transaction (spec page 01).

Through the notary with its store. Where a point is part of the id, everybody signs again, so that
the point alone is wrong; where it is part of a signature, only the signature is.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from specie.identity.participants import Status
from specie.ledger.transactions import AttestedTransaction
from specie.ledger.wire import encode_attested
from specie.store.notary_store import SqliteNotaryStore
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import InstitutionPublicKey, PublicKey, Signature
from tests.building import (
    NORTH,
    SOUTH,
    Draft,
    World,
    build,
    build_issue,
    find_code,
    make_context,
    make_view,
    make_world,
    sign,
)
from tests.reference.ristretto import P as FIELD
from tests.station import Station
from tests.unit.ledger.scenes import make_payment, overwrite, replace_output

Spoil = Callable[[Draft, bytes], AttestedTransaction]

IDENTITY: Final = bytes(32)
NO_POINTS: Final = {
    "negative": (1).to_bytes(32, "little"),
    "not on the curve": (8).to_bytes(32, "little"),
    "the identity, spelled p": FIELD.to_bytes(32, "little"),
    "top bit": bytes(31) + b"\x80",
    "all ones": b"\xff" * 32,
}


def in_output(place: int) -> Spoil:
    def spoil(draft: Draft, point: bytes) -> AttestedTransaction:
        changed = overwrite(draft.body.outputs[1], place, point)
        return sign(replace_output(draft, 1, changed))

    return spoil


def as_kernel(draft: Draft, point: bytes) -> AttestedTransaction:
    transaction = sign(draft)
    kernel = replace(transaction.signed.kernels[0], public=PublicKey(point))
    return replace(transaction, signed=replace(transaction.signed, kernels=(kernel,)))


def with_nonce(signature: Signature, point: bytes) -> Signature:
    return Signature(point + signature[32:])


def as_kernel_nonce(draft: Draft, point: bytes) -> AttestedTransaction:
    transaction = sign(draft)
    [kernel] = transaction.signed.kernels
    wrong = replace(kernel, signature=with_nonce(kernel.signature, point))
    return replace(transaction, signed=replace(transaction.signed, kernels=(wrong,)))


def as_owner_nonce(draft: Draft, point: bytes) -> AttestedTransaction:
    transaction = sign(draft)
    first, second = transaction.signed.owner_signatures
    owners = (with_nonce(first, point), second)
    return replace(transaction, signed=replace(transaction.signed, owner_signatures=owners))


def as_attestation_nonce(draft: Draft, point: bytes) -> AttestedTransaction:
    transaction = sign(draft)
    first, second = transaction.attestations
    wrong = replace(second, signature=with_nonce(second.signature, point))
    return replace(transaction, attestations=(first, wrong))


KERNEL: Final = ErrorCode.KERNEL_SIGNATURE_INVALID
OWNER: Final = ErrorCode.OWNER_SIGNATURE_INVALID
ATTESTATION: Final = ErrorCode.ATTESTATION_SIGNATURE_INVALID
PLACES: Final[dict[str, tuple[Spoil, ErrorCode, ErrorCode]]] = {
    "owner P": (in_output(0), ErrorCode.IDENTITY_POINT, ErrorCode.POINT_INVALID),
    "ephemeral R": (in_output(32), ErrorCode.IDENTITY_POINT, ErrorCode.POINT_INVALID),
    "commitment C": (in_output(65), ErrorCode.IDENTITY_POINT, ErrorCode.POINT_INVALID),
    "kernel K": (as_kernel, ErrorCode.IDENTITY_POINT, ErrorCode.POINT_INVALID),
    "kernel's nonce": (as_kernel_nonce, KERNEL, KERNEL),
    "owner's nonce": (as_owner_nonce, OWNER, OWNER),
    "attestation's nonce": (as_attestation_nonce, ATTESTATION, ATTESTATION),
}


def test_no_wrong_point_is_accepted_or_recorded(tmp_path: Path) -> None:  # T16, T5
    station = Station(make_world(), SqliteNotaryStore(tmp_path / "notary.db"))
    north, south = (station.world.institutions[bank] for bank in (NORTH, SOUTH))
    held = station.fund([(north.alice, 700), (north.alice, 300)])
    draft = build(station.world, held, [(south.bob, 900), (north.alice, 100)])
    before = station.describe()
    for name, (spoil, identity, invalid) in PLACES.items():
        wanted = {IDENTITY: identity, **dict.fromkeys(NO_POINTS.values(), invalid)}
        for point, code in wanted.items():
            data = encode_attested(spoil(draft, point))
            assert station.find_codes([data]) == [code], (name, point.hex())
    assert station.describe() == before
    assert station.find_codes([encode_attested(sign(draft))]) == [None]


def with_keys(world: World, point: bytes) -> World:
    """A list whose south and whose first officer have this key: signatures are anybody's then."""
    member = replace(world.members.participants[SOUTH], attestation_key=PublicKey(point))
    officer = replace(world.members.officers[1], key=InstitutionPublicKey(point))
    members = replace(
        world.members,
        participants={**world.members.participants, SOUTH: member},
        officers={**world.members.officers, 1: officer},
    )
    return replace(world, members=members)


@pytest.mark.parametrize("zeros", [bytes(64), bytes(63) + b"\x80"], ids=["plain", "marked"])
def test_a_bank_with_the_identity_as_key(zeros: bytes) -> None:  # T16
    """R = 0, s = 0 would hold for P = 0, whatever the message."""
    scene = make_payment()
    world = with_keys(scene.world, IDENTITY)
    transaction, context = scene.judge(world=world)
    first, second = transaction.attestations
    wrong = replace(second, signature=Signature(zeros))
    forged = replace(transaction, attestations=(first, wrong))
    assert find_code(forged, context) is ErrorCode.ATTESTATION_SIGNATURE_INVALID


@pytest.mark.parametrize("encoding", [b"\x01" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f"])
def test_an_officer_with_a_small_key(encoding: bytes) -> None:  # P2
    """Ed25519 keys of small order, under which a constant would sign everything."""
    world = with_keys(make_world(), encoding)
    view, vault = make_view(), world.institutions[NORTH].vault
    transaction = sign(build_issue(world, view.supply, [(vault, 5)]))
    assert world.members.officers[1].status is Status.ACTIVE
    supply = transaction.signed.supply
    assert supply is not None
    forged = replace(supply.authorisations[0], signature=Signature(encoding + bytes(32)))
    signed = replace(
        transaction.signed,
        supply=replace(supply, authorisations=(forged, supply.authorisations[1])),
    )
    code = find_code(replace(transaction, signed=signed), make_context(world, view))
    assert code is ErrorCode.AUTHORISATION_INVALID
