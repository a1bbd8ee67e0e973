"""Filler for a publication batch (T10): vaults pay themselves. Owner: each bank, for its vault.

the notary says how many are missing → banks in turn pay their own vault → the batch is published

On the ledger a filler is a payment like any other; only its bank knows that nothing has moved. An
output that is created and spent in one batch would tell otherwise, so no filler spends what another
one of the same batch made: a vault is split in advance, and its small tokens take turns.
"""

from collections.abc import Callable
from typing import Final, Protocol

from specie.flows.payment import Payer, Prepared, complete_payment
from specie.ledger.transactions import Promise
from specie.ports.bank import BankDirectory, BankPort
from specie.ports.notary import NotaryPort
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.times import Timestamp

_SMALL_PER_FILLER: Final = 4
"""Tokens of a split vault for each filler that it owes: some take their turn, others rest."""


class FillingVault(Payer, Protocol):
    """A vault that can pay itself."""

    def count_small(self, since: Timestamp) -> int:
        """Tokens that filler may spend, of those that no filler since then has made."""
        ...

    def prepare_filler(self, payment_id: bytes, since: Timestamp) -> Prepared:
        """Two small tokens for two of the same amounts; `funds_insufficient` if there are none."""
        ...

    def prepare_split(self, payment_id: bytes) -> Prepared:
        """Fifteen small tokens off the largest one."""
        ...


class FillingBank(BankPort, Protocol):
    """A bank with its vault."""

    @property
    def vault(self) -> FillingVault:
        """Its tokens."""
        ...


class FilledNotary(NotaryPort, Protocol):
    """The notary, as who fills its batches sees it."""

    def is_due(self) -> bool:
        """Whether what waits has to be published now."""
        ...


def compute_share(count: int, banks: int) -> int:
    """What each of so many banks takes on: `count` in all, or a little more."""
    return -(-count // max(1, banks))


def compute_small(batch_payments_min: int, banks: int) -> int:
    """How many small tokens a vault has ready, so that its share of a whole batch is there."""
    return _SMALL_PER_FILLER * compute_share(batch_payments_min, banks)


def fill(
    bank: FillingBank,
    count: int,
    since: Timestamp,
    draw: Callable[[], bytes],
    directory: BankDirectory,
    notary: FilledNotary,
) -> int:
    """At most `count` self-transfers; gives how many. `since` is when the log was last published.

    A vault whose small tokens are used up makes no more, nor does anyone once the batch is due: a
    promise comes before anonymity.
    """
    for done in range(count):
        if notary.is_due():
            return done
        try:
            prepared = bank.vault.prepare_filler(draw(), since)
        except SpecieError as error:
            if error.code is not ErrorCode.FUNDS_INSUFFICIENT:
                raise
            return done
        _complete(bank, prepared, directory, notary)
    return count


def split_vault(
    bank: FillingBank,
    least: int,
    since: Timestamp,
    draw: Callable[[], bytes],
    directory: BankDirectory,
    notary: NotaryPort,
    most: int | None = None,
) -> int:
    """So that a vault has `least` tokens for filler, if its money allows; gives how many payments.

    In advance: when money has arrived, or after a publication. With `most`, that many payments.
    """
    done = 0
    while bank.vault.count_small(since) < least and done != most:
        try:
            prepared = bank.vault.prepare_split(draw())
        except SpecieError as error:
            if error.code is not ErrorCode.FUNDS_INSUFFICIENT:
                raise
            return done
        _complete(bank, prepared, directory, notary)
        done += 1
    return done


def _complete(
    bank: FillingBank, prepared: Prepared, directory: BankDirectory, notary: NotaryPort
) -> Promise:
    promise = complete_payment(prepared.built, bank, directory, notary)
    bank.vault.settle(prepared.payment_id, promise)
    return promise
