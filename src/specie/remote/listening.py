"""A device hears events from its bank as they happen, and never believes them.

Whatever it hears it looks at by itself: money is fetched, checked and recorded as always.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from specie.remote.channel import Channel
from specie.remote.payment_operations import STREAM_EVENTS
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ServiceName

LAST: Final = "last-event-id"
_DIGITS_MAX: Final = 18


@dataclass(frozen=True, slots=True, repr=False)
class HeardEvent:
    """As the bank tells it."""

    number: int
    kind: str
    data: str  # JSON


def listen(channel: Channel, bank: ServiceName, after: int) -> Iterator[HeardEvent]:
    """What came after that number, then what comes; ends when the bank ends it."""
    with channel.open_stream(bank, STREAM_EVENTS, {LAST: str(after)}) as lines:
        yield from read_events(lines)


def read_events(lines: Iterable[bytes]) -> Iterator[HeardEvent]:
    """Fields up to an empty line; comments, and what has no number, are nothing."""
    fields: dict[bytes, bytes] = {}
    for line in lines:
        name, mark, value = line.partition(b":")
        if line and mark and name:
            fields[name] = value.removeprefix(b" ")
        elif not line:
            if b"id" in fields:
                yield _read(fields)
            fields = {}


def _read(fields: dict[bytes, bytes]) -> HeardEvent:
    number = fields[b"id"]
    if not (number.isdigit() and len(number) <= _DIGITS_MAX):
        raise SpecieError(ErrorCode.UNREACHABLE, "an event without a number")
    kind, data = (fields.get(name, b"").decode(errors="replace") for name in (b"event", b"data"))
    return HeardEvent(int(number), kind, data)
