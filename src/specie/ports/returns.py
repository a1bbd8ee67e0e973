"""Where a bank keeps requests for return: those of its clients, and those that are made to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from specie.tokens.return_requests import SignedReturn
from specie.values.identifiers import ClientId, Digest, ParticipantNumber
from specie.values.times import Timestamp


@dataclass(frozen=True, slots=True, repr=False)
class ReturnAnswer:
    """The payee's no."""

    text: str
    proof: Digest


@dataclass(frozen=True, slots=True, repr=False)
class KeptReturn:
    """One side's record of a request."""

    id: bytes  # 16
    client: ClientId
    is_asked: bool  # our client asks; else it is asked
    other: ParticipantNumber  # bank of the other side
    signed: SignedReturn
    time: Timestamp  # when it was recorded here
    answer: ReturnAnswer | None = None


class ReturnStore(Protocol):
    """Sealed at rest."""

    def add(self, kept: KeptReturn) -> None:
        """Once for each payment; again is nothing, `order_conflict` if it says something else."""
        ...

    def record_answer(self, kept: KeptReturn, answer: ReturnAnswer) -> bool:
        """Whether it is new; the first one counts."""
        ...

    def find(self, identifier: bytes, *, is_asked: bool) -> KeptReturn | None:
        """By its id."""
        ...

    def count_asked(self, client: ClientId, since: Timestamp) -> int:
        """How many this client has made later than that."""
        ...

    def load(self, client: ClientId, limit: int) -> Sequence[KeptReturn]:
        """The newest of both kinds, the newest first."""
        ...
