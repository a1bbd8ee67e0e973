"""Stock-taking (P3, P5). Owner: the central bank.

supply by the notary → fund and transit by the accounting → issuance vault by the desk
→ vaults by the banks → the supply again: it has not changed meanwhile
"""

from collections.abc import Sequence
from typing import Protocol

from specie.books.stock import Stock, check_stock
from specie.ports.bank import BankDirectory
from specie.ports.notary import NotaryPort
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ParticipantNumber
from specie.values.limits import STOCK_READINGS_MAX


class CountingDesk(Protocol):
    """The central bank's desk."""

    def count_issuance_vault(self, notary: NotaryPort) -> Minor:
        """Produced for issues of which none is final yet."""
        ...


class CountingAccounting(Protocol):
    """The accounting."""

    def count_backing(self) -> tuple[Minor, Minor]:
        """What stands against the currency, and how much of it is in transit: one reading."""
        ...


def take_stock(
    numbers: Sequence[ParticipantNumber],
    desk: CountingDesk,
    accounting: CountingAccounting,
    notary: NotaryPort,
    banks: BankDirectory,
) -> Stock:
    """Count everything while money moves between people, but not into or out of circulation.

    `stock_unsettled` if the supply changes again and again meanwhile; `stock_mismatch` if what is
    counted cannot be true.
    """
    for _ in range(STOCK_READINGS_MAX):
        supply = notary.get_supply()
        backing, in_transit = accounting.count_backing()
        vaults = {number: banks.get_bank(number).count_vault() for number in numbers}
        issuance_vault = desk.count_issuance_vault(notary)
        is_still = (backing, in_transit) == accounting.count_backing()
        if is_still and notary.get_supply() == supply:
            total = Minor(supply.total)
            stock = Stock(supply.serial, issuance_vault, total, vaults, backing, in_transit)
            check_stock(stock)
            return stock
    raise SpecieError(ErrorCode.STOCK_UNSETTLED, "the supply changes while it is counted")
