"""What a stock-taking finds (P3, P5): all the currency there is, by where it is.

produced = in the issuance vault + outstanding      outstanding = banking vaults + circulation

issuance fund ≤ outstanding ≤ issuance fund + in transit                     (design §5, 1)
"""

from collections.abc import Mapping
from dataclasses import dataclass

from specie.values.amounts import Minor, sum_minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ParticipantNumber


@dataclass(frozen=True, slots=True)
class Stock:
    """Amounts in minor units, as of one serial of the supply."""

    serial: int  # of the notary's last change of the supply
    issuance_vault: Minor  # produced by the central bank, not yet final
    outstanding: Minor  # by the notary
    vaults: Mapping[ParticipantNumber, Minor]  # by the banks' books
    backing: Minor  # by the accounting's: the issuance fund and what is in transit
    in_transit: Minor

    @property
    def produced(self) -> int:
        """With what lies in the issuance vault."""
        return self.issuance_vault + self.outstanding

    @property
    def circulation(self) -> int:
        """With people and whoever else holds tokens of their own."""
        return self.outstanding - sum_minor(list(self.vaults.values()))


def check_stock(stock: Stock) -> None:
    """`stock_mismatch` unless accounting, notary and issuance vault can all be right.

    Vaults are not checked: a bank books what it paid or redeemed after it has become final, so
    until then its vault counts too much, and circulation too little.
    """
    if not stock.backing - stock.in_transit <= stock.outstanding <= stock.backing:
        raise SpecieError(ErrorCode.STOCK_MISMATCH, "the fund does not cover what is outstanding")
    if stock.issuance_vault > stock.in_transit:
        raise SpecieError(ErrorCode.STOCK_MISMATCH, "more was produced than reserves were debited")
