"""Vaults and wallets that do not do what they are asked to, as an attacker would build them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from specie.bank.service import Bank
from specie.ledger.transactions import Promise, VoidPromise
from specie.ports.vault import StoredPayment
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.identifiers import Signature
from specie.wallet.vault import PreparedPayment, Vault


@dataclass(slots=True)
class Lying:
    """A payer that answers every order by paying itself, once."""

    wallet: Vault
    prepared: PreparedPayment | None = None

    def prepare_payment(self, orders: Sequence[PaymentOrder], payment_id: bytes) -> PreparedPayment:
        """Not what is ordered."""
        if self.prepared is None:
            itself = PaymentOrder(self.wallet.keys.address, Minor(1), Memo())
            self.prepared = self.wallet.prepare_payment([itself], bytes(16))
        return self.prepared

    def settle(self, payment_id: bytes, promise: Promise) -> None:
        """Under the id that it knows."""
        self.wallet.settle(bytes(16), promise)

    def sign_void(self, payment_id: bytes) -> tuple[bytes, Signature]:
        """Under the id that it knows."""
        return self.wallet.sign_void(bytes(16))

    def release_void(self, payment_id: bytes, promise: VoidPromise) -> None:
        """The same."""
        self.wallet.release_void(bytes(16), promise)

    def find_payment(self, payment_id: bytes) -> StoredPayment | None:
        """Says nothing."""
        return None


@dataclass(slots=True)
class LyingBank:
    """A bank whose vault does not pay what it is asked to."""

    bank: Bank
    vault: Lying

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bank, name)


@dataclass(slots=True)
class Greedy:
    """A vault that answers every redemption with the one voiding transaction it ever made."""

    vault: Vault
    first: PreparedPayment | None = None

    def can_pay(self, amount: Minor) -> bool:
        """It says yes to everything."""
        return True

    def prepare_redemption(self, amount: Minor, payment_id: bytes) -> PreparedPayment:
        """Always the same."""
        self.first = self.first or self.vault.prepare_redemption(amount, payment_id)
        return self.first

    def find_payment(self, payment_id: bytes) -> StoredPayment | None:
        """What the vault itself knows."""
        return self.vault.find_payment(payment_id)

    def settle(self, payment_id: bytes, promise: Promise) -> None:
        """Under the id it knows."""
        assert self.first is not None
        self.vault.settle(self.first.payment_id, promise)
