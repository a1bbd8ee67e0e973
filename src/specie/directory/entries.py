"""An entry of the directory and who signs it (spec page 09; T8, T1).

    entry      format u8 (1) ‖ network16 ‖ index32 ‖ version u32 ‖ state u8 ‖ authority u8
               ‖ bank u32 ‖ address bank u32 ‖ A32 ‖ B32 ‖ time u64 ‖ salt16 ‖ name48     199 bytes
    entry hash H("directory-entry", entry)         stands in the log; the device draws the salt
    by B       Schnorr, H("directory-owner", entry)      the address is its owner's
    by old B   Schnorr, the same, if the key of the version before is another
    by bank    Ed25519, H("directory-bank", entry)       the number is its client's

The hash covers the entry, not the signatures: a bank with new keys signs again what stands.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from specie.crypto.addresses import Address
from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionSigner, SpendKey
from specie.crypto.signatures import (
    sign,
    sign_as_institution,
    verify_institution_signature,
    verify_signature,
)
from specie.identity.participants import ParticipantList
from specie.values.catalogue import ErrorCode
from specie.values.encoding import Reader, pad_text, u8, u32, u64, unpad_text
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ZERO64,
    Digest,
    NetworkId,
    ParticipantNumber,
    PublicKey,
    Signature,
)
from specie.values.limits import NAME_BYTES_MAX
from specie.values.times import Timestamp

_FORMAT: Final = 1
SALT_BYTES: Final = 16
ENTRY_BYTES: Final = 199
SIGNED_BYTES: Final = ENTRY_BYTES + 3 * 64


class EntryState(IntEnum):
    """Whether the number is to be found."""

    ACTIVE = 1
    HIDDEN = 2  # kept for its owner, found by nobody
    CLOSED = 3  # free for whoever has it next


class Authority(IntEnum):
    """By whose word an entry follows the one before."""

    FIRST = 1  # there is none before, or it is closed
    OWNER = 2  # the key of the one before has signed
    BANK = 3  # that key is lost: the bank that serves its owner says so


@dataclass(frozen=True, slots=True, repr=False)
class DirectoryEntry:
    """What the directory says of one number, at one version."""

    network: NetworkId
    index: Digest
    version: int
    state: EntryState
    authority: Authority
    bank: ParticipantNumber  # that vouches for it
    address: Address
    time: Timestamp
    salt: bytes
    name: str = ""  # empty unless its owner shows it

    def pack(self) -> bytes:
        """Fixed width, 199 bytes."""
        address = self.address
        return b"".join(
            (
                u8(_FORMAT),
                self.network,
                self.index,
                u32(self.version),
                u8(self.state),
                u8(self.authority),
                u32(self.bank),
                u32(address.bank),
                address.view,
                address.spend,
                u64(self.time),
                self.salt,
                pad_text(self.name, NAME_BYTES_MAX),
            )
        )

    @property
    def hash(self) -> Digest:
        """As it stands in the log."""
        return tagged_hash("directory-entry", self.pack())

    @property
    def is_closing_by_bank(self) -> bool:
        """The one kind that no client signs."""
        return self.state is EntryState.CLOSED and self.authority is Authority.BANK


@dataclass(frozen=True, slots=True, repr=False)
class SignedEntry:
    """An entry with its signatures; zeros where nobody has to sign."""

    entry: DirectoryEntry
    owner: Signature
    previous: Signature = Signature(ZERO64)
    bank: Signature = Signature(ZERO64)

    def pack(self) -> bytes:
        """391 bytes."""
        return self.entry.pack() + self.owner + self.previous + self.bank


def unpack_signed_entry(data: bytes) -> SignedEntry:
    """The inverse of `SignedEntry.pack`; not verified."""
    reader = Reader(data)
    entry = _read_entry(reader)
    owner, previous, bank = (Signature(reader.take(64)) for _ in range(3))
    reader.finish()
    return SignedEntry(entry, owner, previous, bank)


def sign_as_owner(entry: DirectoryEntry, key: SpendKey) -> Signature:
    """On the device, by its address' key, or by the one of the version before."""
    return sign(key, _compute_owner_message(entry))


def sign_as_bank(entry: DirectoryEntry, key: InstitutionSigner) -> Signature:
    """The number is this bank's client's."""
    return sign_as_institution(key, _compute_bank_message(entry))


def verify_owner(signed: SignedEntry) -> None:
    """`directory_signature_invalid` unless the address' own key has signed."""
    if signed.entry.is_closing_by_bank:
        if signed.owner != ZERO64:
            _refuse("a bank's closing has no client's signature")
        return
    verify_owner_key(signed, signed.entry.address.spend, signed.owner)


def verify_owner_key(signed: SignedEntry, key: PublicKey, signature: Signature) -> None:
    """The same for any client's key."""
    try:
        verify_signature(key, _compute_owner_message(signed.entry), signature)
    except SpecieError:
        _refuse("not signed by the client's key")


def verify_bank(signed: SignedEntry, members: ParticipantList) -> None:
    """`directory_signature_invalid` unless the bank that it names has signed, whoever that is."""
    member = members.get(signed.entry.bank)
    message = _compute_bank_message(signed.entry)
    try:
        verify_institution_signature(member.institution_key, message, signed.bank)
    except SpecieError:
        _refuse("not signed by the bank that it names")


def _refuse(reason: str) -> None:
    raise SpecieError(ErrorCode.DIRECTORY_SIGNATURE_INVALID, reason)


def _compute_owner_message(entry: DirectoryEntry) -> Digest:
    return tagged_hash("directory-owner", entry.pack())


def _compute_bank_message(entry: DirectoryEntry) -> Digest:
    return tagged_hash("directory-bank", entry.pack())


def _read_entry(reader: Reader) -> DirectoryEntry:
    if reader.u8() != _FORMAT:
        raise SpecieError(ErrorCode.VERSION_UNKNOWN, "unknown format of a directory entry")
    network, index, version = NetworkId(reader.take(16)), Digest(reader.take(32)), reader.u32()
    state, authority = reader.u8(), reader.u8()
    if state not in tuple(EntryState) or authority not in tuple(Authority):
        raise SpecieError(ErrorCode.KIND_UNKNOWN, "unknown state or authority of an entry")
    bank, served = ParticipantNumber(reader.u32()), ParticipantNumber(reader.u32())
    address = Address(served, PublicKey(reader.take(32)), PublicKey(reader.take(32)))
    return DirectoryEntry(
        network=network,
        index=index,
        version=version,
        state=EntryState(state),
        authority=Authority(authority),
        bank=bank,
        address=address,
        time=reader.time(),
        salt=reader.take(SALT_BYTES),
        name=unpad_text(reader.take(NAME_BYTES_MAX)),
    )
