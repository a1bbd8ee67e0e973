"""A payee comes online (T11). Owner: the payee's bank.

the bank kept what arrived → the device checks each output by itself and records it → confirmed
"""

from collections.abc import Sequence
from typing import Protocol

from specie.ledger.records import Output
from specie.ports.vault import Received
from specie.values.identifiers import ClientId, OutputRef
from specie.values.limits import PAGE_ITEMS_MAX


class ServingBank(Protocol):
    """The bank that keeps a client's outputs until its device fetches them."""

    def fetch_outputs(self, client: ClientId) -> list[Output]:
        """Final, unspent, not yet confirmed; at most `PAGE_ITEMS_MAX`, the rest afterwards."""
        ...

    def confirm_fetched(self, client: ClientId, refs: Sequence[OutputRef]) -> None:
        """The device has recorded these."""
        ...


class Receiver(Protocol):
    """The client's device."""

    def receive(self, outputs: Sequence[Output]) -> Received:
        """Take what is ours; gives what is recorded, and how many tokens were new."""
        ...


def collect(client: ClientId, device: Receiver, bank: ServingBank) -> int:
    """Fetch, check, record, confirm; gives how many tokens were new. May be repeated.

    Only what the device has recorded is confirmed: what it did not take is offered again. A bank
    that offers the same once more, confirmed or not, is asked no further.
    """
    fresh, is_more = 0, True
    seen: set[OutputRef] = set()
    while is_more:
        outputs = bank.fetch_outputs(client)
        received = device.receive(outputs) if outputs else Received((), 0)
        if received.refs:
            bank.confirm_fetched(client, received.refs)
        fresh += received.fresh
        is_more = not seen.issuperset(received.refs) and len(outputs) >= PAGE_ITEMS_MAX
        seen.update(received.refs)
    return fresh
