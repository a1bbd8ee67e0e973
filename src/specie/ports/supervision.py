"""Who is asked before a bank records and signs anything, and where what it knows is kept (T20)."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from specie.policy.cases import Case
from specie.ports.clients import Movement
from specie.values.identifiers import ClientId, Digest, TransactionId
from specie.values.times import Timestamp

Look = Callable[[], Sequence[Movement]]
"""Reads whose a payment is, refuses what must not be, and gives the sides to be judged."""


class Supervisor(Protocol):
    """Judges those sides of a payment that are this bank's clients'; never the vault's."""

    def admit(
        self,
        txid: TransactionId,
        look: Callable[[], Sequence[Movement]],
        record: Callable[[], None],
    ) -> int:
        """Call `look`, judge what it gives, call `record`: one database transaction.

        Gives the policy's version.

        The same transaction again is recorded again and not judged: it counts once, and gets the
        version that it was judged by. What is refused is raised with its code and records nothing.
        """
        ...


@dataclass(frozen=True, slots=True, repr=False)
class PolicyVersion:
    """A policy, since when and by whom it is in force."""

    version: int
    text: str
    time: Timestamp
    officer: str
    reason: str


@dataclass(frozen=True, slots=True, repr=False)
class Freeze:
    """An order of an authority: nothing is attested for a client until its end."""

    client: ClientId
    reference: str
    since: Timestamp
    until: Timestamp
    officer: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What an attested payment was judged by, and which rules noted it."""

    version: int
    noted: tuple[str, ...]


class PolicyStore(Protocol):
    """Policies by version, tiers, freezes, what was judged; texts sealed at rest."""

    def transaction(self) -> AbstractContextManager[object]:
        """All or nothing, one after the other, with what other stores of the bank do in it."""
        ...

    def find_version(self) -> int | None:
        """Of the one in force."""
        ...

    def find_policy(self) -> PolicyVersion | None:
        """The one in force; None if the bank never set one."""
        ...

    def load_policies(self) -> Sequence[PolicyVersion]:
        """All of them, oldest first."""
        ...

    def add_policy(self, policy: PolicyVersion) -> None:
        """In force from now on."""
        ...

    def find_tier(self, client: ClientId) -> str | None:
        """None if it has the default."""
        ...

    def load_tiers(self) -> dict[ClientId, str]:
        """Of all clients that have one."""
        ...

    def set_tier(self, client: ClientId, tier: str) -> None:
        """From now on."""
        ...

    def find_freeze(self, client: ClientId) -> Freeze | None:
        """The newest that nobody lifted, whether it has ended by itself or not."""
        ...

    def set_freeze(self, freeze: Freeze) -> None:
        """In place of the one before."""
        ...

    def lift_freeze(self, client: ClientId) -> None:
        """Nothing if there is none."""
        ...

    def find_judged(self, txid: TransactionId) -> Judged | None:
        """None if it was never attested under a policy."""
        ...

    def add_judged(self, txid: TransactionId, judged: Judged) -> None:
        """With the attestation."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class CaseNote:
    """What somebody wrote to a case."""

    officer: str
    time: Timestamp
    text: str


class CaseStore(Protocol):
    """Cases with their notes; texts, names and amounts sealed at rest."""

    def add(self, case: Case) -> Case:
        """Under the next number, which stands in what it gives."""
        ...

    def replace(self, case: Case) -> None:
        """Its new state."""
        ...

    def find(self, number: int) -> Case | None:
        """By its number."""
        ...

    def load_alike(self, likeness: Digest, txid: TransactionId) -> Sequence[Case]:
        """About this payment or one that says the same, newest first."""
        ...

    def count_open(self, client: ClientId) -> int:
        """About payments of this client that wait for a decision."""
        ...

    def load(self, *, is_open: bool, before: int, limit: int) -> Sequence[Case]:
        """A page, newest first, of numbers below `before`."""
        ...

    def add_note(self, number: int, note: CaseNote) -> None:
        """Kept for ever."""
        ...

    def load_notes(self, number: int) -> Sequence[CaseNote]:
        """Oldest first."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class AccessEntry:
    """Who did what to whose data, when and why."""

    number: int  # from 1
    time: Timestamp
    officer: str
    action: str
    client: str  # empty if it is about no client in particular
    subject: str  # what exactly: a case, a version
    reason: str


class AccessStore(Protocol):
    """The access log: every entry hashes the one before."""

    def append(
        self, time: Timestamp, officer: str, action: str, about: tuple[str, str], reason: str
    ) -> AccessEntry:
        """`about` is client and subject."""
        ...

    def load(self, start: int, limit: int) -> Sequence[AccessEntry]:
        """A page by number, oldest first."""
        ...

    def get_head(self) -> tuple[int, Digest]:
        """How many entries there are, and the hash of the last."""
        ...

    def find_hash(self, number: int) -> Digest | None:
        """Of the entry of this number, as it stands there; that of 0 is zeros."""
        ...

    def verify(self, pinned: Sequence[tuple[int, Digest]]) -> int:
        """From the first entry to the last, and that heads told before lie on it; gives how many.

        `access_log_invalid` if an entry is gone or changed.
        """
        ...
