"""A device's payments go to its bank, and come to an end (T8, T19). Owner: the payer's device.

sent → promised: settled │ a no is written down, and may still turn │ nobody answers: sent again
→ what can no longer become final is free, by the log's own word, which the bank passes on
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from specie.flows.payment import Prepared, Resuming
from specie.flows.releasing import LogWitness, Releasing, release_expired
from specie.ledger.receipts import ReceiptTrust
from specie.ledger.transactions import Promise
from specie.ports.clock import Clock
from specie.tokens.building import BuiltTransaction
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.times import Timestamp
from specie.wallet.statuses import SILENCES

_NO_LOG: Final = (ErrorCode.NOT_PUBLISHED, ErrorCode.VERSION_UNKNOWN)
"""Nothing is published yet, or a bank of the version before does not pass it on."""


class PayingBank(Protocol):
    """A client's own bank, as its device reaches it."""

    def pay(self, built: BuiltTransaction) -> Promise:
        """Final when it returns; the same again gets the same answer."""
        ...


class Refusals(Protocol):
    """What institutions last said no to."""

    def record(self, payment_id: bytes, code: ErrorCode, time: Timestamp) -> None:
        """The last no counts."""
        ...


class Settling(Protocol):
    """Whoever has signed it."""

    def is_waiting(self, payment_id: bytes) -> bool:
        """Whether it has not come to its end yet."""
        ...

    def settle(self, payment_id: bytes, promise: Promise) -> None:
        """Record that it is final."""
        ...


class Waiting(Resuming, Releasing, Settling, Protocol):
    """A wallet that has payments without an answer."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of payments that waited."""

    settled: int
    refusals: Sequence[SpecieError]


def send(
    prepared: Prepared, payer: Settling, bank: PayingBank, refusals: Refusals, clock: Clock
) -> Promise:
    """One payment that is recorded already; a no is written down before it is raised.

    Of one that has come to its end meanwhile nothing is written down: its status stays.
    """
    try:
        promise = bank.pay(prepared.built)
    except SpecieError as error:
        if error.code not in SILENCES and payer.is_waiting(prepared.payment_id):
            refusals.record(prepared.payment_id, error.code, clock.now())
        raise
    payer.settle(prepared.payment_id, promise)
    return promise


def send_again(payer: Waiting, bank: PayingBank, refusals: Refusals, clock: Clock) -> Ended:
    """All that wait, byte for byte; one that is refused again holds up none of the others."""
    settled = 0
    heard: list[SpecieError] = []
    for prepared in payer.load_prepared():
        try:
            send(prepared, payer, bank, refusals, clock)
        except SpecieError as error:
            heard.append(error)
        else:
            settled += 1
    return Ended(settled, heard)


def give_up(payer: Waiting, log: LogWitness, trust: ReceiptTrust) -> int:
    """Payments that can never be final any more give their tokens back; gives how many.

    Nothing is given up while the log is not to be had: then they wait on.
    """
    try:
        return release_expired(payer, log, trust)
    except SpecieError as error:
        if error.code in SILENCES or error.code in _NO_LOG:
            return 0
        raise
