"""Filler for a publication batch (T10): vaults pay themselves. Owner: each bank, for its vault.

the notary says how many are missing → banks in turn pay their own vault → the batch is published

On the ledger a filler is a payment like any other; only its bank knows that nothing has moved.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Protocol

from specie.flows.payment import Payer, pay
from specie.ports.bank import BankDirectory, BankPort
from specie.ports.notary import NotaryPort
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo, Token


class FillingVault(Payer, Protocol):
    """A vault that shows its tokens."""

    def load_tokens(self) -> list[Token]:
        """What can be spent now."""
        ...


class FillingBank(BankPort, Protocol):
    """A bank with its vault."""

    @property
    def vault(self) -> FillingVault:
        """Its tokens."""
        ...


def fill(
    banks: Sequence[FillingBank],
    count: int,
    draw: Callable[[], bytes],
    directory: BankDirectory,
    notary: NotaryPort,
) -> int:
    """At most `count` self-transfers, banks in turn; gives how many. Empty vaults are skipped."""
    done = 0
    able = list(banks)
    while able and done < count:
        able = [
            bank
            for bank in islice(able, count - done)
            if _pay_oneself(bank, draw(), directory, notary)
        ]
        done += len(able)
    return done


def _pay_oneself(
    bank: FillingBank, payment_id: bytes, directory: BankDirectory, notary: NotaryPort
) -> bool:
    """The smallest token, whole: a vault is as rich and has as many tokens as before."""
    amounts = [token.amount for token in bank.vault.load_tokens() if token.amount]
    if not amounts:
        return False
    order = PaymentOrder(bank.vault_address, min(amounts), Memo())
    pay(bank.vault, [order], payment_id, bank, directory, notary)
    return True
