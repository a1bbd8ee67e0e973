"""Who looks at a client's data says who they are and why; the log's head is signed (T20).

    head   specie access log v1
           <network, 32 hex digits>
           <number of entries>
           <hash of the last, base64>
           <milliseconds since 1970>

           — bank-<number> <key id ‖ Ed25519, base64>        a signed note (C2SP), institution key

Whoever keeps a head can later have it checked that the log still begins with what it had then.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from specie.crypto.secrets import InstitutionSigner
from specie.log.notes import SignatureType, VerifierKey, sign_text, verify_text
from specie.ports.clock import Clock
from specie.ports.supervision import AccessEntry, AccessStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ZERO32,
    Digest,
    InstitutionPublicKey,
    NetworkId,
    ParticipantNumber,
)

_TITLE: Final = "specie access log v1"
_LINES: Final = 7  # five, an empty one, the signature
_TOLD: Final = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")
_NAME_MAX: Final = 100
_REASON_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Operator:
    """Who acts for the bank, and why; taken at its word: the machine's account vouches for it."""

    name: str
    reason: str

    def check(self) -> None:
        """`reason_missing` unless there are both, each of one line."""
        name, reason = self.name.strip(), self.reason.strip()
        if not name or not self.name.isprintable() or len(name) > _NAME_MAX:
            raise SpecieError(ErrorCode.REASON_MISSING, "say who you are: --as NAME")
        if not reason or not self.reason.isprintable() or len(reason) > _REASON_MAX:
            what = f"say why, in one line of at most {_REASON_MAX} letters: --reason"
            raise SpecieError(ErrorCode.REASON_MISSING, what)


@dataclass(frozen=True, slots=True)
class AccessHead:
    """What a note says."""

    network: NetworkId
    size: int
    digest: Digest
    time: int


class AccessLog:
    """The bank's, with its key."""

    def __init__(
        self,
        store: AccessStore,
        clock: Clock,
        network: NetworkId,
        number: ParticipantNumber,
        key: InstitutionSigner,
    ) -> None:
        self._store = store
        self._clock = clock
        self._network = network
        self._number = number
        self._key = key
        self._signed: tuple[tuple[int, Digest], str] | None = None
        self._seen = (0, Digest(ZERO32))  # that this process has told

    def write(self, operator: Operator, action: str, client: str = "", subject: str = "") -> int:
        """Durable before anything is shown; within a decision's transaction, with it.

        Gives the entry's number.
        """
        operator.check()
        name, reason = operator.name.strip(), operator.reason.strip()
        entry = self._store.append(self._clock.now(), name, action, (client, subject), reason)
        return entry.number

    def load(self, start: int, limit: int) -> list[AccessEntry]:
        """A page by number, oldest first."""
        return list(self._store.load(start, limit))

    def sign_head(self) -> str:
        """The newest; signed once for as long as it is the newest."""
        head = self._store.get_head()
        if self._signed is None or self._signed[0] != head:
            size, digest = head
            root = base64.b64encode(digest).decode()
            lines = (_TITLE, self._network.hex(), str(size), root, str(self._clock.now()))
            text = "".join(f"{line}\n" for line in lines)
            line = sign_text(text, name_log(self._number), self._key)
            self._signed = (head, f"{text}\n{line.format()}\n")
        return self._signed[1]

    def tell_head(self) -> str | None:
        """The newest as `SIZE:HASH`, if it was not told yet, for a place outside the database.

        `access_log_invalid` if the one told before is not on the log any more.
        """
        size, digest = self._store.get_head()
        if size < self._seen[0] or self._store.find_hash(self._seen[0]) != self._seen[1]:
            what = f"entry {self._seen[0]} was written, and is gone or changed"
            raise SpecieError(ErrorCode.ACCESS_LOG_INVALID, what)
        if size == self._seen[0]:
            return None
        self._seen = (size, digest)
        return f"{size}:{digest.hex()}"

    def verify(self, pinned: Sequence[str], told: Sequence[str] = ()) -> int:
        """All entries, and that every head, signed or told, is one of this log; gives how many.

        `access_log_invalid` if anything is gone or changed.
        """
        heads = [parse_head(note) for note in pinned]
        if any(one.network != self._network for one in heads):
            raise SpecieError(ErrorCode.ACCESS_LOG_INVALID, "a head of another network")
        known = [(one.size, one.digest) for one in heads]
        return self._store.verify([*known, *(parse_told(one) for one in told)])


def name_log(number: ParticipantNumber) -> str:
    """As its key is called in the note."""
    return f"bank-{number}"


def parse_head(note: str) -> AccessHead:
    """Form only; `access_log_invalid` if it is none."""
    lines = note.split("\n")
    is_form = len(lines) == _LINES + 1 and lines[0] == _TITLE and not lines[5]
    try:
        network, size, root, time = lines[1:5] if is_form else ("", "", "", "")
        digest = base64.b64decode(root, validate=True)
        head = AccessHead(NetworkId(bytes.fromhex(network)), int(size), Digest(digest), int(time))
    except (ValueError, binascii.Error):
        raise SpecieError(ErrorCode.ACCESS_LOG_INVALID, "not the head of an access log") from None
    if len(digest) != 32 or head.size < 0:
        raise SpecieError(ErrorCode.ACCESS_LOG_INVALID, "not the head of an access log")
    return head


def parse_told(text: str) -> tuple[int, Digest]:
    """What `tell_head` gives; `access_log_invalid` if it is none."""
    found = _TOLD.fullmatch(text)
    if found is None:
        raise SpecieError(ErrorCode.ACCESS_LOG_INVALID, "a head that was told is SIZE:HASH")
    return int(found[1]), Digest(bytes.fromhex(found[2]))


def verify_head(
    note: str, network: NetworkId, number: ParticipantNumber, key: InstitutionPublicKey
) -> AccessHead:
    """For who pins it: of this network, signed by this bank."""
    head = parse_head(note)
    if head.network != network:
        raise SpecieError(ErrorCode.ACCESS_LOG_INVALID, "a head of another network")
    text, _, line = note.removesuffix("\n").partition("\n\n")
    try:
        verify_text(f"{text}\n", line, VerifierKey(name_log(number), SignatureType.LOG, key))
    except SpecieError as error:
        raise SpecieError(ErrorCode.ACCESS_LOG_INVALID, error.message) from None
    return head
