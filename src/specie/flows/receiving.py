"""A payee comes online (T11). Owner: the payee's bank.

the bank kept what arrived → the device checks each output by itself and records it → confirmed
"""

from collections.abc import Sequence
from typing import Protocol

from specie.ledger.records import Output
from specie.values.identifiers import ClientId, OutputRef


class ServingBank(Protocol):
    """The bank that keeps a client's outputs until its device fetches them."""

    def fetch_outputs(self, client: ClientId) -> list[Output]:
        """Final, unspent, not yet confirmed."""
        ...

    def confirm_fetched(self, client: ClientId, refs: Sequence[OutputRef]) -> None:
        """The device has recorded these."""
        ...


class Receiver(Protocol):
    """The client's device."""

    def receive(self, outputs: Sequence[Output]) -> int:
        """Take what is ours; gives how many tokens were new."""
        ...


def collect(client: ClientId, device: Receiver, bank: ServingBank) -> int:
    """Fetch, check, record, confirm; gives how many tokens were new. May be repeated."""
    outputs = bank.fetch_outputs(client)
    if not outputs:
        return 0
    fresh = device.receive(outputs)
    bank.confirm_fetched(client, [output.ref for output in outputs])
    return fresh
