"""The participant list: signed as a whole, sorted, within limits; it never goes back (T2, P4)."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specie.crypto.secrets import InstitutionKey, ScanKey
from specie.identity.genesis import sign_genesis
from specie.identity.participants import (
    Officer,
    Participant,
    ParticipantList,
    Role,
    Status,
    sign_participants,
    unpack_participants,
    verify_participants,
)
from specie.identity.roster import Roster
from specie.values.catalogue import ErrorCode
from specie.values.encoding import u8, u16
from specie.values.identifiers import (
    InstitutionPublicKey,
    NetworkId,
    ParticipantNumber,
    PublicKey,
)
from specie.values.limits import OFFICERS_MAX, PARTICIPANTS_MAX
from specie.values.times import Timestamp
from tests.building import CENTRAL, EAST, NOBODY, NORTH, SOUTH, make_world
from tests.refusing import attempt, refuse

WORLD = make_world()
SIGNED = sign_genesis(WORLD.genesis, WORLD.list_key)
NETWORK = WORLD.genesis.network
SCAN = PublicKey(ScanKey.generate().public)
HEAD, OFFICER_SIZE, MEMBER_SIZE = 93, 34, 154
words = st.binary(min_size=32, max_size=32)


@st.composite
def lists(draw: st.DrawFn) -> ParticipantList:
    institution_keys = words.map(InstitutionPublicKey)
    numbers = draw(st.sets(st.integers(1, 255), max_size=4))
    size = len(numbers)
    keys = draw(st.lists(institution_keys, min_size=size, max_size=size, unique=True))
    officers = {
        number: Officer(number, draw(st.sampled_from(Status)), key)
        for number, key in zip(numbers, keys, strict=True)
    }
    participants = {
        ParticipantNumber(number): Participant(
            number=ParticipantNumber(number),
            role=draw(st.sampled_from(Role)),
            status=draw(st.sampled_from(Status)),
            successor=draw(st.integers(0, 2**32 - 1)),
            scan_key=PublicKey(draw(words)),
            attestation_key=PublicKey(draw(words)),
            institution_key=draw(institution_keys),
            name=draw(st.text("abc é", max_size=12)),
        )
        for number in draw(st.sets(st.integers(1, 2**32 - 1), max_size=4))
    }
    return ParticipantList(
        network=NetworkId(draw(st.binary(min_size=16, max_size=16))),
        version=draw(st.integers(0, 2**32 - 1)),
        time=Timestamp(draw(st.integers(0, 2**63 - 1))),
        notary_key=draw(institution_keys),
        accounting_key=draw(institution_keys),
        officers=officers,
        participants=participants,
    )


@given(lists())
@settings(max_examples=40)
def test_lists_are_packed_and_read_back(members: ParticipantList) -> None:
    packed = members.pack()
    assert len(packed) == (
        HEAD
        + 1
        + OFFICER_SIZE * len(members.officers)
        + 2
        + MEMBER_SIZE * len(members.participants)
    )
    assert unpack_participants(packed) == members


@given(lists(), st.data())
@settings(max_examples=60)
def test_no_two_encodings_of_one_list(members: ParticipantList, data: st.DataObject) -> None:
    packed = members.pack()
    place = data.draw(st.integers(0, len(packed) - 1))
    spoilt = packed[:place] + bytes([data.draw(st.integers(0, 255))]) + packed[place + 1 :]
    found = attempt(unpack_participants, spoilt)
    if not isinstance(found, ErrorCode):
        assert found.pack() == spoilt


# --- malformed ----------------------------------------------------------------------------------


def pack_by_hand(officers: list[Officer], members: list[Participant]) -> bytes:
    """A list in the given order, whatever it is."""
    return b"".join(
        (
            WORLD.members.pack()[:HEAD],
            u8(len(officers)),
            *(one.pack() for one in officers),
            u16(len(members)),
            *(one.pack() for one in members),
        )
    )


def test_numbers_ascend_and_begin_at_one() -> None:  # T2
    officers = list(WORLD.members.officers.values())
    members = list(WORLD.members.participants.values())
    assert unpack_participants(pack_by_hand(officers, members)) == WORLD.members
    zero = replace(members[0], number=ParticipantNumber(0))
    wrong = [
        pack_by_hand(officers, members[::-1]),
        pack_by_hand(officers, [members[0], members[0]]),
        pack_by_hand(officers, [zero, *members]),
        pack_by_hand(officers[::-1], members),
        pack_by_hand([officers[0], officers[0]], members),
        pack_by_hand([replace(officers[0], number=0)], members),
    ]
    for packed in wrong:
        assert refuse(unpack_participants, packed) is ErrorCode.NOT_CANONICAL


def test_a_list_has_limits() -> None:  # T2
    officers = [
        Officer(number, Status.ACTIVE, InstitutionPublicKey(bytes([number]) * 32))
        for number in range(1, OFFICERS_MAX + 2)
    ]
    assert len(unpack_participants(pack_by_hand(officers[:-1], [])).officers) == OFFICERS_MAX
    assert refuse(unpack_participants, pack_by_hand(officers, [])) is ErrorCode.LIMIT_EXCEEDED
    member = WORLD.members.participants[NORTH]
    crowd = [
        replace(member, number=ParticipantNumber(number))
        for number in range(1, PARTICIPANTS_MAX + 2)
    ]
    found = unpack_participants(pack_by_hand([], crowd[:-1]))
    assert len(found.participants) == PARTICIPANTS_MAX
    assert refuse(unpack_participants, pack_by_hand([], crowd)) is ErrorCode.LIMIT_EXCEEDED


def test_two_officers_have_two_keys() -> None:  # P2: else one person is four eyes
    first, second, *_ = WORLD.members.officers.values()
    for status in Status:
        packed = pack_by_hand([first, replace(second, key=first.key, status=status)], [])
        assert refuse(unpack_participants, packed) is ErrorCode.PARTICIPANTS_INVALID


def test_malformed_lists() -> None:
    packed = WORLD.members.pack()
    first_officer = HEAD + 1
    first_member = first_officer + OFFICER_SIZE * len(WORLD.members.officers) + 2
    cases = [
        (ErrorCode.VERSION_UNKNOWN, 0, b"\x02"),
        (ErrorCode.NOT_CANONICAL, 21, b"\xff" * 8),
        (ErrorCode.KIND_UNKNOWN, first_officer + 1, b"\0"),
        (ErrorCode.KIND_UNKNOWN, first_officer + 1, b"\x04"),
        (ErrorCode.KIND_UNKNOWN, first_member + 4, b"\0"),
        (ErrorCode.KIND_UNKNOWN, first_member + 4, b"\x08"),
        (ErrorCode.KIND_UNKNOWN, first_member + 5, b"\x04"),
        (ErrorCode.TEXT_INVALID, first_member + 106, b"\0"),
    ]
    for code, place, part in cases:
        spoilt = packed[:place] + part + packed[place + len(part) :]
        assert refuse(unpack_participants, spoilt) is code
    assert refuse(unpack_participants, packed[:-1]) is ErrorCode.TRUNCATED
    assert refuse(unpack_participants, packed + b"\0") is ErrorCode.TRAILING_BYTES


# --- signed -------------------------------------------------------------------------------------


def test_a_list_is_signed_by_the_genesis_key() -> None:  # T2, P4
    signed = sign_participants(WORLD.members, WORLD.list_key)
    assert verify_participants(signed, WORLD.genesis) == WORLD.members
    forged = sign_participants(WORLD.members, InstitutionKey.generate())
    assert refuse(verify_participants, forged, WORLD.genesis) is ErrorCode.PARTICIPANTS_INVALID
    other = sign_participants(replace(WORLD.members, version=9), WORLD.list_key)
    mixed = signed[:-64] + other[-64:]
    assert refuse(verify_participants, mixed, WORLD.genesis) is ErrorCode.PARTICIPANTS_INVALID


def test_no_byte_of_a_signed_list_can_be_changed() -> None:  # P4
    signed = sign_participants(WORLD.members, WORLD.list_key)
    for place in range(len(signed)):
        spoilt = bytearray(signed)
        spoilt[place] ^= 1 << place % 8
        assert isinstance(attempt(verify_participants, bytes(spoilt), WORLD.genesis), ErrorCode)
    for size in range(0, len(signed), 13):
        assert isinstance(attempt(verify_participants, signed[:size], WORLD.genesis), ErrorCode)


def test_a_list_of_another_network() -> None:  # T2
    members = replace(WORLD.members, network=NetworkId(bytes(16)))
    signed = sign_participants(members, WORLD.list_key)
    assert refuse(verify_participants, signed, WORLD.genesis) is ErrorCode.NETWORK_MISMATCH


def test_versions_never_go_back() -> None:  # T2
    older, same, newer = (
        sign_participants(replace(WORLD.members, version=version), WORLD.list_key)
        for version in (4, 5, 6)
    )
    current = verify_participants(same, WORLD.genesis)
    assert verify_participants(newer, WORLD.genesis, current).version == 6
    for signed in (older, same):
        code = refuse(verify_participants, signed, WORLD.genesis, current)
        assert code is ErrorCode.PARTICIPANTS_OUTDATED


def test_a_roster_is_made_from_signed_bytes_of_the_right_network() -> None:  # T2, P4
    """Nobody shares a verified object: each party checks genesis, network and list for itself."""
    signed = sign_participants(WORLD.members, WORLD.list_key)
    assert Roster(SIGNED, signed, None).genesis == WORLD.genesis
    wrong = {
        ErrorCode.NETWORK_MISMATCH: (SIGNED, signed, NetworkId(bytes(16))),
        ErrorCode.SIGNATURE_INVALID: (SIGNED[:-1] + b"\x7f", signed, NETWORK),
        ErrorCode.PARTICIPANTS_INVALID: (SIGNED, signed[:-1] + b"\x7f", NETWORK),
    }
    for code, (genesis, members, expected) in wrong.items():
        assert refuse(Roster, genesis, members, expected) is code


def test_a_roster_only_moves_forward() -> None:  # T2
    first, second, third = (
        replace(WORLD.members, version=version, time=Timestamp(version)) for version in (1, 2, 3)
    )
    roster = Roster(SIGNED, sign_participants(first, WORLD.list_key), NETWORK)
    roster.adopt(sign_participants(third, WORLD.list_key))
    assert roster.current == third
    refused = [
        (sign_participants(second, WORLD.list_key), ErrorCode.PARTICIPANTS_OUTDATED),
        (
            sign_participants(replace(third, version=4), InstitutionKey.generate()),
            ErrorCode.PARTICIPANTS_INVALID,
        ),
    ]
    for signed, code in refused:
        assert refuse(roster.adopt, signed) is code
        assert roster.current == third


def test_a_list_forgets_nobody() -> None:  # T2, X1: old authorisations are verified with it
    """Who leaves stays, revoked; a number keeps its officer's key, the network its notary's."""
    current = replace(WORLD.members, version=1)
    roster = Roster(SIGNED, sign_participants(current, WORLD.list_key), NETWORK)
    officers, members = dict(current.officers), dict(current.participants)
    other = InstitutionPublicKey(InstitutionKey.generate().public)
    wrong = {
        "an officer is gone": {"officers": {n: officers[n] for n in officers if n != 1}},
        "another officer has the number": {
            "officers": {**officers, 1: replace(officers[1], key=other)}
        },
        "two officers have swapped": {
            "officers": {
                **officers,
                1: replace(officers[1], key=officers[2].key),
                2: replace(officers[2], key=officers[1].key),
            }
        },
        "nobody is left": {"officers": {}},
        "a bank is gone": {"participants": {n: members[n] for n in members if n != NORTH}},
        "another notary": {"notary_key": other},
        "another scan key": {
            "participants": {**members, NORTH: replace(members[NORTH], scan_key=SCAN)}
        },
    }
    for what, changes in wrong.items():
        forged = replace(current, version=2, **changes)  # type: ignore[arg-type]  # its fields
        signed = sign_participants(forged, WORLD.list_key)
        assert refuse(roster.adopt, signed) is ErrorCode.PARTICIPANTS_INVALID, what
        assert roster.current == current
    later = replace(
        current,
        version=2,
        accounting_key=other,
        officers={
            **officers,
            1: replace(officers[1], status=Status.REVOKED),
            200: Officer(200, Status.ACTIVE, other),
        },
        participants={
            **members,
            NORTH: replace(members[NORTH], status=Status.REVOKED, successor=SOUTH),
            NOBODY: replace(members[NORTH], number=NOBODY),
        },
    )
    roster.adopt(sign_participants(later, WORLD.list_key))
    assert roster.current == later


# --- asking -------------------------------------------------------------------------------------


def test_who_is_there_and_who_is_active() -> None:  # T2
    members = WORLD.with_member(SOUTH, Status.SUSPENDED, EAST).members
    assert members.get(SOUTH).status is Status.SUSPENDED
    assert members.get_active(NORTH).number == NORTH
    assert refuse(members.get, NOBODY) is ErrorCode.PARTICIPANT_UNKNOWN
    assert refuse(members.get_active, NOBODY) is ErrorCode.PARTICIPANT_UNKNOWN
    assert refuse(members.get_active, SOUTH) is ErrorCode.PARTICIPANT_INACTIVE


@pytest.mark.parametrize(
    ("bank", "attester"), [(NORTH, NORTH), (SOUTH, EAST), (CENTRAL, CENTRAL), (NOBODY, None)]
)
def test_who_attests_for_whom(  # T2
    bank: ParticipantNumber, attester: ParticipantNumber | None
) -> None:
    members = WORLD.with_member(SOUTH, Status.REVOKED, EAST).members
    found = members.find_attester(bank)
    assert (found and found.number) == attester
