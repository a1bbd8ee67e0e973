"""The participant list: keys, role, status and successor of each institution (spec page 04; T2).

A list is signed as a whole by the authentication centre and has a version that only grows.
A bank that is suspended or revoked names a successor, which attests for its clients, so that
their money never freezes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Final

from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionSigner
from specie.crypto.signatures import sign_as_institution, verify_institution_signature
from specie.identity.genesis import Genesis
from specie.values.catalogue import ErrorCode
from specie.values.encoding import Reader, pad_text, u8, u16, u32, u64, unpad_text
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    InstitutionPublicKey,
    NetworkId,
    ParticipantNumber,
    PublicKey,
    Signature,
)
from specie.values.limits import (
    NAME_BYTES_MAX,
    OFFICERS_MAX,
    PARTICIPANTS_MAX,
    SUCCESSOR_HOPS_MAX,
)
from specie.values.times import Timestamp

_VERSION: Final = 1


class Role(IntEnum):
    """What an institution is (T1)."""

    CENTRAL_BANK = 1
    BANK = 2
    AUTHORITY = 3
    EXTERNAL = 4
    BILL_EXCHANGE = 5
    AUDITOR = 6
    WITNESS = 7


SERVING_ROLES: Final = frozenset({Role.CENTRAL_BANK, Role.BANK, Role.AUTHORITY})
"""Who may have vaults or clients, and so attest."""


class Status(IntEnum):
    """Where an institution stands in its life."""

    ACTIVE = 1
    SUSPENDED = 2
    REVOKED = 3


@dataclass(frozen=True, slots=True)
class Participant:
    """One institution. `successor` attests in its place once it is not active (0 = none)."""

    number: ParticipantNumber
    role: Role
    status: Status
    successor: int
    scan_key: PublicKey  # V: hints of its clients' outputs
    attestation_key: PublicKey  # Schnorr
    institution_key: InstitutionPublicKey  # Ed25519
    name: str

    def pack(self) -> bytes:
        """Fixed width, 154 bytes."""
        return b"".join(
            (
                u32(self.number),
                u8(self.role),
                u8(self.status),
                u32(self.successor),
                self.scan_key,
                self.attestation_key,
                self.institution_key,
                pad_text(self.name, NAME_BYTES_MAX),
            )
        )


@dataclass(frozen=True, slots=True)
class Officer:
    """A person of the central bank who may authorise a change of the supply."""

    number: int  # u8
    status: Status
    key: InstitutionPublicKey

    def pack(self) -> bytes:
        """Fixed width, 34 bytes."""
        return u8(self.number) + u8(self.status) + self.key


@dataclass(frozen=True, slots=True)
class ParticipantList:
    """Everyone, at one version."""

    network: NetworkId
    version: int
    time: Timestamp
    notary_key: InstitutionPublicKey
    accounting_key: InstitutionPublicKey
    officers: Mapping[int, Officer]
    participants: Mapping[ParticipantNumber, Participant]

    def pack(self) -> bytes:
        """Fixed-width records, sorted by number."""
        officers = [self.officers[number] for number in sorted(self.officers)]
        members = [self.participants[number] for number in sorted(self.participants)]
        return b"".join(
            (
                u8(_VERSION),
                self.network,
                u32(self.version),
                u64(self.time),
                self.notary_key,
                self.accounting_key,
                u8(len(officers)),
                *(officer.pack() for officer in officers),
                u16(len(members)),
                *(member.pack() for member in members),
            )
        )

    def get(self, number: ParticipantNumber) -> Participant:
        """The participant of this number, or `participant_unknown`."""
        found = self.participants.get(number)
        if found is None:
            raise SpecieError(ErrorCode.PARTICIPANT_UNKNOWN, f"no participant {number}")
        return found

    def get_active(self, number: ParticipantNumber) -> Participant:
        """The same, refused unless active."""
        found = self.get(number)
        if found.status is not Status.ACTIVE:
            raise SpecieError(ErrorCode.PARTICIPANT_INACTIVE, f"participant {number} is not active")
        return found

    def get_central_bank(self) -> Participant:
        """The one participant with that role; its institution key signs for the registration."""
        found = [one for one in self.participants.values() if one.role is Role.CENTRAL_BANK]
        if len(found) != 1:
            raise SpecieError(ErrorCode.PARTICIPANTS_INVALID, "a network has one central bank")
        return found[0]

    def find_attester(self, bank: ParticipantNumber) -> Participant | None:
        """Who may attest for outputs served by `bank`: itself, or down the line of successors."""
        member = self.participants.get(bank)
        for _ in range(SUCCESSOR_HOPS_MAX):
            if member is None or member.status is Status.ACTIVE:
                return member
            member = self.participants.get(ParticipantNumber(member.successor))
        return None


def unpack_participants(data: bytes) -> ParticipantList:
    """The inverse of `ParticipantList.pack`; refuses unsorted or repeated numbers, shared keys."""
    reader = Reader(data)
    if reader.u8() != _VERSION:
        raise SpecieError(ErrorCode.VERSION_UNKNOWN, "unknown version of the participant list")
    network = NetworkId(reader.take(16))
    version, time = reader.u32(), reader.time()
    notary_key = InstitutionPublicKey(reader.take(32))
    accounting_key = InstitutionPublicKey(reader.take(32))
    officer_count = reader.count(0, OFFICERS_MAX, "officers")
    officers = [_unpack_officer(reader) for _ in range(officer_count)]
    member_count = reader.u16()
    if member_count > PARTICIPANTS_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "too many participants")
    members = [_unpack_participant(reader) for _ in range(member_count)]
    reader.finish()
    _check_ascending([officer.number for officer in officers])
    _check_ascending([member.number for member in members])
    if len({officer.key for officer in officers}) != len(officers):
        raise SpecieError(ErrorCode.PARTICIPANTS_INVALID, "two officers have one key")
    return ParticipantList(
        network=network,
        version=version,
        time=time,
        notary_key=notary_key,
        accounting_key=accounting_key,
        officers={officer.number: officer for officer in officers},
        participants={member.number: member for member in members},
    )


def check_name(name: str) -> None:
    """`text_invalid` unless it can stand in the list, for people to see."""
    reason = f"a name has 1 to {NAME_BYTES_MAX} bytes and no controls"
    if not name.strip():
        raise SpecieError(ErrorCode.TEXT_INVALID, reason)
    try:
        pad_text(name, NAME_BYTES_MAX)
    except SpecieError as error:
        raise SpecieError(error.code, reason) from None


def sign_participants(members: ParticipantList, key: InstitutionSigner) -> bytes:
    """List bytes followed by the signature of the authentication centre."""
    packed = members.pack()
    return packed + sign_as_institution(key, tagged_hash("participants", packed))


def verify_participants(
    signed: bytes, genesis: Genesis, current: ParticipantList | None = None
) -> ParticipantList:
    """Refuses a list of another network, a wrong signature, and what cannot follow `current`."""
    packed, signature = signed[:-64], Signature(signed[-64:])
    members = unpack_participants(packed)
    if members.network != genesis.network:
        raise SpecieError(ErrorCode.NETWORK_MISMATCH, "participant list of another network")
    try:
        verify_institution_signature(
            genesis.list_key, tagged_hash("participants", packed), signature
        )
    except SpecieError:
        raise SpecieError(ErrorCode.PARTICIPANTS_INVALID, "wrong signature") from None
    if current is not None:
        check_successor(members, current)
    return members


def check_successor(members: ParticipantList, current: ParticipantList) -> None:
    """A later version that forgets nobody: who leaves stays in it, revoked.

    The public audit verifies old authorisations, promises and checkpoints with the newest list,
    so no number is ever given to another officer's key, and the notary's key stays. Outputs rebuild
    with the scan key of the bank that they were made for: it stays with the bank's number.
    """
    if members.version <= current.version:
        raise SpecieError(ErrorCode.PARTICIPANTS_OUTDATED, "a newer participant list is known")
    if members.notary_key != current.notary_key:
        raise SpecieError(ErrorCode.PARTICIPANTS_INVALID, "the notary's key has changed")
    for known in current.participants.values():
        member = members.participants.get(known.number)
        if member is None or member.scan_key != known.scan_key:
            raise SpecieError(
                ErrorCode.PARTICIPANTS_INVALID,
                f"participant {known.number} is left out or has another scan key",
            )
    for number, officer in current.officers.items():
        found = members.officers.get(number)
        if found is None or found.key != officer.key:
            raise SpecieError(
                ErrorCode.PARTICIPANTS_INVALID, f"officer {number} is left out or has another key"
            )


def _unpack_officer(reader: Reader) -> Officer:
    return Officer(reader.u8(), _read_status(reader), InstitutionPublicKey(reader.take(32)))


def _unpack_participant(reader: Reader) -> Participant:
    number = ParticipantNumber(reader.u32())
    role = reader.u8()
    if role not in tuple(Role):
        raise SpecieError(ErrorCode.KIND_UNKNOWN, "unknown role")
    return Participant(
        number=number,
        role=Role(role),
        status=_read_status(reader),
        successor=reader.u32(),
        scan_key=PublicKey(reader.take(32)),
        attestation_key=PublicKey(reader.take(32)),
        institution_key=InstitutionPublicKey(reader.take(32)),
        name=unpad_text(reader.take(NAME_BYTES_MAX)),
    )


def _read_status(reader: Reader) -> Status:
    value = reader.u8()
    if value not in tuple(Status):
        raise SpecieError(ErrorCode.KIND_UNKNOWN, "unknown status")
    return Status(value)


def _check_ascending(numbers: list[int] | list[ParticipantNumber]) -> None:
    if any(number < 1 for number in numbers):
        raise SpecieError(ErrorCode.NOT_CANONICAL, "participants are numbered from 1")
    if any(left >= right for left, right in pairwise(numbers)):
        raise SpecieError(ErrorCode.NOT_CANONICAL, "participants are not in order")
