"""What several people sign together at their bank, and who they are (T1)."""

from dataclasses import dataclass
from enum import IntEnum

from specie.values.identifiers import ClientId, Digest, InstitutionPublicKey
from specie.values.times import Timestamp


class SubjectKind(IntEnum):
    """What signatories are asked about."""

    PAYMENT = 1
    WITHDRAWAL = 2
    SIGNATORIES = 3


@dataclass(frozen=True, slots=True, repr=False)
class Subject:
    """One thing that is asked, whose it is, and what names it."""

    client: ClientId
    kind: SubjectKind
    digest: Digest


@dataclass(frozen=True, slots=True, repr=False)
class Seat:
    """One signatory; no key until its device has come with the code."""

    code_hash: Digest
    name: str
    key: InstitutionPublicKey | None = None


@dataclass(frozen=True, slots=True, repr=False)
class SigningRule:
    """Who signs for a client; the version grows with every change."""

    need: int
    version: int
    seats: tuple[Seat, ...]

    @property
    def keys(self) -> tuple[InstitutionPublicKey, ...]:
        """Of those whose device is known."""
        return tuple(one.key for one in self.seats if one.key is not None)

    @property
    def is_manned(self) -> bool:
        """Whether enough devices are known to approve anything."""
        return len(self.keys) >= self.need


@dataclass(frozen=True, slots=True, repr=False)
class StoredSubject:
    """What waits, or has waited, for signatories; `content` is what they are shown."""

    subject: Subject
    content: bytes
    expires: Timestamp
    is_done: bool = False
