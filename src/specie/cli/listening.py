"""`specie wallet listen`: what happens to this wallet, as its bank tells it."""

import itertools
import json
import time
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from specie.cli.device_commands import Holder, Network, Public, Store, Subwallet
from specie.cli.online_commands import Online, opened_online
from specie.cli.results import AsJson, write_json
from specie.ports.events import EventKind
from specie.remote.listening import HeardEvent, listen
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

_AGAIN_S: Final = 3.0


def listen_to_bank(
    device: Store,
    holder: Holder,
    public: Public,
    after: Annotated[int, typer.Option(min=0, help="Number of the last event you know.")] = 0,
    count: Annotated[int, typer.Option(min=0, help="End after so many; 0: never.")] = 0,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Hear what happens, a line each; money that arrives is fetched and checked at once."""
    with opened_online(device, holder, public, network, subwallet=subwallet) as online:
        heard = _listen(online, after)
        for event in itertools.islice(heard, count) if count else heard:
            if event.kind in (EventKind.ARRIVED.value, EventKind.REFUNDED.value):
                online.collect()
            typer.echo(_format(event, as_json=as_json))


def _listen(online: Online, after: int) -> Iterator[HeardEvent]:
    """From the last one heard, however often the line breaks."""
    while True:
        try:
            for event in listen(online.channel, online.bank.name, after):
                after = max(after, event.number)
                yield event
        except SpecieError as error:
            if error.code not in (ErrorCode.UNREACHABLE, ErrorCode.DRAINING):
                raise
        time.sleep(_AGAIN_S)


def _format(event: HeardEvent, *, as_json: bool) -> str:
    try:
        data: dict[str, Any] = json.loads(event.data)
    except ValueError:
        raise SpecieError(ErrorCode.UNREACHABLE, "an event that makes no sense") from None
    if as_json:
        return write_json({"number": event.number, "kind": event.kind, **data})
    about = "  ".join(f"{name} {value}" for name, value in data.items())
    return f"{event.number}  {event.kind}  {about}"
