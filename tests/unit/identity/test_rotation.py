"""New keys in the lists: shown to be one's own, and nobody is forgotten (T2)."""

import base64
from dataclasses import replace

import pytest

from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionKey, SigningKey
from specie.identity.cosigners import CosignerList, CosignerRole, put_cosigner
from specie.identity.genesis import compute_origin
from specie.identity.participants import Status, check_successor
from specie.identity.rotation import (
    CosignerProof,
    Rotation,
    add_officer,
    name_officer,
    parse_cosigner,
    parse_rotation,
    rotate_member,
    set_officer_status,
    sign_cosigner,
    sign_rotation,
    verify_cosigner,
    verify_officer,
    verify_rotation,
)
from specie.identity.services import Service, check_service
from specie.log.notes import SignatureType, VerifierKey, get_verifier_key
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import NetworkId, ParticipantNumber, ServiceName
from specie.values.limits import OFFICERS_MAX
from tests.building import World, make_world
from tests.country import refused
from tests.refusing import refuse
from tests.unit.api.cast import make_services

BANK, NOTARY, BOOKS = (ServiceName(name) for name in ("bank-2", "notary", "accounting"))
WITNESS = CosignerRole.WITNESS
NUMBER = ParticipantNumber(2)
REFUSED_FOR_GOOD = (ErrorCode.SETTING_INVALID, ErrorCode.CHECKPOINT_INVALID)


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


@pytest.fixture(scope="module")
def rotation(world: World) -> Rotation:
    network = world.genesis.network
    present, attestation = find(world, BANK).key, SigningKey.generate()
    return sign_rotation(network, BANK, present, InstitutionKey.generate(), attestation)


def find(world: World, name: ServiceName) -> Service:
    return make_services(world).get(name)


def test_it_travels_as_parameters(rotation: Rotation) -> None:
    assert parse_rotation(rotation.format()) == rotation
    for name in ("institution", "institution_proof", "attestation", "attestation_proof"):
        for wrong in ("xy", "00" * 31):
            with refused(ErrorCode.SETTING_INVALID):
                parse_rotation({**rotation.format(), name: wrong})
    with refused(ErrorCode.SETTING_INVALID):
        parse_rotation({**rotation.format(), "institution": ""})


def test_both_keys_show_whose_they_are(world: World, rotation: Rotation) -> None:
    network, service = world.genesis.network, find(world, BANK)
    verify_rotation(rotation, network, service)
    keys = (InstitutionKey.generate(), SigningKey.generate())
    other = sign_rotation(network, BANK, service.key, *keys)
    wrong = [
        replace(rotation, institution=other.institution),
        replace(rotation, attestation=other.attestation),
        replace(rotation, institution_proof=other.institution_proof),
        replace(rotation, attestation_proof=other.attestation_proof),
        replace(rotation, service=ServiceName("bank-3")),
    ]
    for one in wrong:
        with refused(ErrorCode.SIGNATURE_INVALID):
            verify_rotation(one, network, service)
    with refused(ErrorCode.SIGNATURE_INVALID):
        verify_rotation(rotation, NetworkId(bytes(16)), service)
    with refused(ErrorCode.SIGNATURE_INVALID):  # once it is in force, or the key has ended
        verify_rotation(rotation, network, replace(service, key=rotation.institution))


def test_banks_attest_and_nobody_else(world: World, rotation: Rotation) -> None:
    books, key = find(world, BOOKS), InstitutionKey.generate()
    alone = sign_rotation(world.genesis.network, BOOKS, books.key, key, None)
    verify_rotation(alone, world.genesis.network, books)
    for one, service in ((rotation, books), (alone, find(world, BANK))):
        with refused(ErrorCode.SETTING_INVALID):
            verify_rotation(one, world.genesis.network, service)


def test_a_banks_keys_are_replaced_and_its_scan_key_stays(world: World, rotation: Rotation) -> None:
    before, service = world.members, find(world, BANK)
    after = rotate_member(before, service, rotation)
    old, new = before.get(NUMBER), after.get(NUMBER)
    assert (new.institution_key, new.attestation_key) == (
        rotation.institution,
        rotation.attestation,
    )
    assert (new.scan_key, new.name, new.status) == (old.scan_key, old.name, old.status)
    check_successor(replace(after, version=before.version + 1), before)
    check_service(replace(service, key=rotation.institution), after)
    with refused(ErrorCode.SERVICES_INVALID):
        check_service(service, after)


def test_the_accounting_has_a_key_of_its_own(world: World) -> None:
    one = sign_rotation(world.genesis.network, BOOKS, b"", InstitutionKey.generate(), None)
    after = rotate_member(world.members, find(world, BOOKS), one)
    assert after.accounting_key == one.institution
    assert after.participants == world.members.participants


def test_the_notary_keeps_its_key(world: World) -> None:
    one = sign_rotation(world.genesis.network, NOTARY, b"", InstitutionKey.generate(), None)
    with refused(ErrorCode.PARTICIPANTS_INVALID):
        rotate_member(world.members, find(world, NOTARY), one)


def test_an_officer_shows_the_key(world: World) -> None:
    key, network = InstitutionKey.generate(), world.genesis.network
    found = sign_rotation(network, name_officer(9), b"", key, None)
    verify_officer(network, 9, found.institution, found.institution_proof)
    with refused(ErrorCode.SIGNATURE_INVALID):
        verify_officer(network, 8, found.institution, found.institution_proof)


def test_a_cosigner_shows_its_keys(world: World) -> None:
    """Each of them, for one role at one list: once they are listed, the proof counts no more."""
    network, listed = world.genesis.network, CosignerList(compute_origin(world.genesis), 1, 0, 0)
    keys = (InstitutionKey.generate(), CosignerKey.generate())
    shown = sign_cosigner(network, WITNESS, BANK, keys, listed)
    assert parse_cosigner(shown.format()) == shown
    verify_cosigner(shown, network, WITNESS, listed)
    other = sign_cosigner(
        network, WITNESS, BANK, (InstitutionKey.generate(), CosignerKey.generate()), listed
    )
    wrong = [
        replace(shown, keys=other.keys),
        replace(shown, keys=(other.keys[0], shown.keys[1])),
        replace(shown, proofs=(other.proofs[0], shown.proofs[1])),
        replace(shown, proofs=(shown.proofs[0], other.proofs[1])),
        replace(shown, keys=tuple(replace(one, name="bank-3") for one in shown.keys)),
        replace(shown, keys=shown.keys[:1], proofs=shown.proofs[:1]),
    ]
    for one in wrong:
        with refused(ErrorCode.SIGNATURE_INVALID):
            verify_cosigner(one, network, WITNESS, listed)
    after = put_cosigner(listed, WITNESS, shown.keys, is_retiring=False)
    for role, here, current in (
        (CosignerRole.AUDITOR, network, listed),
        (WITNESS, NetworkId(bytes(16)), listed),
        (WITNESS, network, after),
    ):
        with refused(ErrorCode.SIGNATURE_INVALID):
            verify_cosigner(shown, here, role, current)
    third = put_cosigner(
        listed,
        WITNESS,
        [get_verifier_key("bank-3", InstitutionKey.generate())],
        is_retiring=False,
    )
    verify_cosigner(shown, network, WITNESS, third)  # another's keys are no concern of it


def test_a_cosigners_proof_has_its_form(world: World) -> None:
    """Else it is refused for good: a decision that is begun is tried again for ever."""
    network, listed = world.genesis.network, CosignerList(compute_origin(world.genesis), 1, 0, 0)
    keys = (InstitutionKey.generate(), CosignerKey.generate())
    fields = sign_cosigner(network, WITNESS, BANK, keys, listed).format()
    first = fields["proofs"].split(" ")[0]
    for name, value in (("proofs", first), ("proofs", "? ?"), ("proofs", "")):
        with refused(ErrorCode.SETTING_INVALID):
            parse_cosigner({**fields, name: value})
    whole = [base64.b64decode(one) for one in fields["proofs"].split(" ")]
    for wrong in ((whole[0][:-1], whole[1]), (whole[0], whole[1][:9]), (b"", b""), whole[::-1]):
        spelled = " ".join(base64.b64encode(one).decode() for one in wrong)
        assert refuse(parse_cosigner, {**fields, "proofs": spelled}) in REFUSED_FOR_GOOD
    short = base64.b64encode(bytes([SignatureType.COSIGNER_ED25519]) + bytes(31)).decode()
    for key in ("", "bank-2", f"bank-2+00000000+{short}", "bank-2+zz+AAAA"):
        assert refuse(parse_cosigner, {**fields, "keys": key}) in REFUSED_FOR_GOOD
    twice = " ".join([fields["keys"].split(" ")[0]] * 2)
    with refused(ErrorCode.SETTING_INVALID):
        parse_cosigner({**fields, "keys": twice})
    log = VerifierKey("bank-2", SignatureType.LOG, keys[0].public)
    with refused(ErrorCode.SETTING_INVALID):
        verify_cosigner(CosignerProof((log,), (bytes(64),)), network, WITNESS, listed)


def test_officers_are_added_under_new_numbers(world: World) -> None:
    key = InstitutionKey.generate().public
    after = add_officer(world.members, 200, key)
    assert after.officers[200].status is Status.ACTIVE
    assert add_officer(after, 200, key) is after
    check_successor(replace(after, version=world.members.version + 1), world.members)
    other = InstitutionKey.generate().public
    for number, taken in ((200, other), (201, key), (0, other), (256, other)):
        with refused(ErrorCode.PARTICIPANTS_INVALID):
            add_officer(after, number, taken)
    full = world.members
    for number in range(100, 100 + OFFICERS_MAX - len(full.officers)):
        full = add_officer(full, number, InstitutionKey.generate().public)
    with refused(ErrorCode.PARTICIPANTS_INVALID):
        add_officer(full, 99, other)


def test_enough_officers_are_always_left(world: World) -> None:
    required, numbers = world.genesis.officers_required, sorted(world.members.officers)
    members = world.members
    for number in numbers[: len(numbers) - required]:
        members = set_officer_status(members, number, Status.SUSPENDED, required)
    last = numbers[-1]
    with refused(ErrorCode.PARTICIPANTS_INVALID):
        set_officer_status(members, last, Status.SUSPENDED, required)
    back = set_officer_status(members, numbers[0], Status.ACTIVE, required)
    gone = set_officer_status(back, last, Status.REVOKED, required)
    with refused(ErrorCode.PARTICIPANTS_INVALID):
        set_officer_status(gone, last, Status.ACTIVE, required)
    with refused(ErrorCode.PARTICIPANT_UNKNOWN):
        set_officer_status(members, 77, Status.ACTIVE, required)
