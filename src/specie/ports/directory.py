"""The directory as banks see it, what it asks of notary and registration, and where it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from specie.directory.answers import RecordedEntry
from specie.directory.entries import Authority, SignedEntry
from specie.directory.quotas import Quota
from specie.directory.watching import Seen, WatchedNumber
from specie.ledger.directory_leaves import LeafPromise
from specie.log.leaves import DirectoryLeaf
from specie.values.identifiers import (
    ClientId,
    Digest,
    InstitutionPublicKey,
    ParticipantNumber,
    PublicKey,
)
from specie.values.phones import PhoneNumber
from specie.values.times import Timestamp


@dataclass(frozen=True, slots=True, repr=False)
class Located:
    """Where a number stands, for who is about to put its next version."""

    key: PublicKey
    value: bytes  # γ and proof: the index is H("phone-index", key ‖ γ)
    version: int  # of the newest entry, 0 if there is none
    is_open: bool
    authority: Authority  # what the next one has to stand on


class DirectoryPort(Protocol):
    """The central bank's directory, as a bank asks it."""

    def locate(self, bank: ParticipantNumber, phone: PhoneNumber, spend: PublicKey) -> Located:
        """For a number that the bank has confirmed; `order_conflict` if it is another's."""
        ...

    def put(
        self, bank: ParticipantNumber, phone: PhoneNumber, signed: SignedEntry
    ) -> RecordedEntry:
        """Durable, and promised to be in the log; the same entry again gives the same."""
        ...

    def look_up(self, bank: ParticipantNumber, phone: PhoneNumber) -> bytes:
        """An answer of one size, whatever is found."""
        ...


class ServingDirectoryPort(Protocol):
    """A client's own bank, as its device asks it about numbers."""

    def locate(self, phone: PhoneNumber, former: PublicKey | None) -> tuple[Located, str]:
        """Where our own number stands, and the name that we may show.

        `former`: the key that has signed what stands there, if it is not our address' own.
        """
        ...

    def put(self, phone: PhoneNumber, signed: SignedEntry) -> RecordedEntry:
        """Our entry; the same again is the same."""
        ...

    def find(self, phone: PhoneNumber) -> bytes:
        """Somebody's; of one size, whatever is found."""
        ...


class DirectoryLog(Protocol):
    """What makes entries public: the notary's log, and who proves what is in it."""

    def record_leaf(self, leaf: DirectoryLeaf) -> LeafPromise:
        """Durable, and in the log by then; the same leaf again gives the same promise."""
        ...

    def prove_leaf(self, leaf: DirectoryLeaf) -> str:
        """A receipt; `not_published` while it is promised only."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class StoredEntry:
    """A version as it is kept; not promised if a stop came before the notary's answer."""

    signed: SignedEntry
    leaf: DirectoryLeaf
    promise: LeafPromise | None = None
    receipt: str = ""


class DirectoryStore(Protocol):
    """All versions of all entries; what they say is sealed at rest."""

    def find_newest(self, index: Digest, *, is_promised: bool = False) -> StoredEntry | None:
        """Of one number; the newest that may be told, if so asked."""
        ...

    def find_version(self, index: Digest, version: int) -> StoredEntry | None:
        """One of them."""
        ...

    def add(self, entry: StoredEntry) -> None:
        """`order_conflict` if there is another of this index and version."""
        ...

    def forget(self, leaf: DirectoryLeaf) -> None:
        """A version that was never promised, and that the log has otherwise."""
        ...

    def replace_signatures(self, signed: SignedEntry) -> None:
        """Of an entry that stands: its bank has new keys."""
        ...

    def record_promise(self, leaf: DirectoryLeaf, promise: LeafPromise) -> None:
        """The log will have it."""
        ...

    def record_receipt(self, leaf: DirectoryLeaf, receipt: str) -> None:
        """The log has it."""
        ...

    def load_unpromised(self, limit: int) -> list[StoredEntry]:
        """What a stop has left."""
        ...

    def load_unproven(self, limit: int) -> list[StoredEntry]:
        """Promised, and no receipt yet; the oldest promise first."""
        ...

    def count(self) -> int:
        """Versions of all entries."""
        ...


class LookUpCounts(Protocol):
    """How often each caller has asked; durable, so that a restart forgives nothing."""

    def take(self, caller: str, now: Timestamp, quota: Quota) -> None:
        """One more; `rate_exceeded`, and none more, if that is over the quota."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class ConfirmedPhone:
    """A client's number as its bank has confirmed it, and the entry that the bank vouches for."""

    client: ClientId
    phone: PhoneNumber
    signed: SignedEntry | None = None
    signer: InstitutionPublicKey | None = None  # the bank's key under it


class PhoneStore(Protocol):
    """A bank's clients by phone number; numbers sealed at rest."""

    def confirm(self, client: ClientId, phone: PhoneNumber) -> None:
        """`order_conflict` if it is another client's; of a client there is one."""
        ...

    def find(self, client: ClientId) -> ConfirmedPhone | None:
        """Of one client."""
        ...

    def forget(self, client: ClientId) -> None:
        """The number is this client's no more."""
        ...

    def record_entry(
        self, client: ClientId, signed: SignedEntry, signer: InstitutionPublicKey
    ) -> None:
        """What the bank has signed for it."""
        ...

    def load_signed_by_others(
        self, signer: InstitutionPublicKey, limit: int
    ) -> Sequence[ConfirmedPhone]:
        """Entries that stand under another key of the bank than this one."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class OwnNumber:
    """On a device: which number, where it stands, of which directory."""

    phone: PhoneNumber
    index: Digest
    key: PublicKey


class OwnPhoneStore(Protocol):
    """On a device: a holder's own number, entries signed here, and what was relied on."""

    def record_number(self, number: OwnNumber) -> None:
        """The device's own from now on; entries of another one are kept beside it."""
        ...

    def find_number(self) -> OwnNumber | None:
        """None if this device has put no entry."""
        ...

    def record_entry(self, signed: SignedEntry) -> None:
        """Durable before it leaves; what had its place was refused and never stood."""
        ...

    def record_promise(self, signed: SignedEntry, publish_by: Timestamp) -> None:
        """The log will have it."""
        ...

    def find_last(self, index: Digest) -> tuple[SignedEntry, Timestamp | None] | None:
        """The newest signed here, and its promise if the answer was heard."""
        ...

    def rely(self, leaf_hash: Digest, publish_by: Timestamp) -> None:
        """Paid by an entry that was only promised."""
        ...

    def forget_relied(self, leaf_hashes: Sequence[Digest]) -> None:
        """They are in the log."""
        ...

    def record_seen(self, seen: Seen) -> None:
        """How much of the log was looked at."""
        ...

    def load_watched(self) -> WatchedNumber:
        """All that the log is compared with."""
        ...
