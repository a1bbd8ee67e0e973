"""Where a bank keeps who may read its clients' accounts, and who has (T3)."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from specie.identity.consents import Consent, ConsentStatus
from specie.values.identifiers import ClientId, Digest, InstitutionPublicKey, Signature
from specie.values.times import Timestamp


class EndedBy(StrEnum):
    """What has revoked a consent."""

    CLIENT = "client"  # its statement
    LOSS = "loss"  # of the wallet that gave it
    CLOSING = "closing"  # of the account


@dataclass(frozen=True, slots=True, repr=False)
class ConsentEnd:
    """When a consent was revoked, and by what; the client's statement is kept with it."""

    time: Timestamp
    by: EndedBy
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, repr=False)
class KeptConsent:
    """A consent as a bank keeps it."""

    id: Digest
    client: ClientId
    consent: Consent
    signature: Signature
    end: ConsentEnd | None = None
    asked: int = 0  # the greatest number that its reader has given a request

    def get_status(self, now: Timestamp) -> ConsentStatus:
        """How it stands."""
        if self.end is not None:
            return ConsentStatus.REVOKED
        is_over = now >= self.consent.expiration
        return ConsentStatus.EXPIRED if is_over else ConsentStatus.AUTHORISED

    def get_status_time(self, now: Timestamp) -> Timestamp:
        """Since when it stands so."""
        if self.end is not None:
            return self.end.time
        is_over = now >= self.consent.expiration
        return self.consent.expiration if is_over else self.consent.creation


@dataclass(frozen=True, slots=True, repr=False)
class Reading:
    """One look at a client's account, as it stands in the bank's access log too."""

    consent: Digest
    client: ClientId
    time: Timestamp
    what: str


class ConsentStore(Protocol):
    """Consents with their statements, and who has read; sealed but for ids, clients and times."""

    def transaction(self) -> AbstractContextManager[object]:
        """All or nothing, one after the other, with what other stores of the bank do in it."""
        ...

    def add(self, kept: KeptConsent) -> None:
        """Once; `order_conflict` if the client has given another one this number."""
        ...

    def find(self, consent: Digest) -> KeptConsent | None:
        """By its id."""
        ...

    def load(self, client: ClientId) -> Sequence[KeptConsent]:
        """All of a client's, by number."""
        ...

    def revoke(self, consent: Digest, end: ConsentEnd) -> None:
        """Once: the first end counts."""
        ...

    def has_reader(self, reader: InstitutionPublicKey) -> bool:
        """Whether any client has ever named it."""
        ...

    def record_reading(self, reading: Reading, number: int, entry: int) -> None:
        """With the number of its request, and of its entry in the access log."""
        ...

    def count_readings(self, consent: Digest, since: Timestamp) -> int:
        """By this consent, later than that."""
        ...

    def load_readings(self, client: ClientId, start: int, limit: int) -> Sequence[Reading]:
        """A page, the newest first."""
        ...
