"""A bank as other institutions and the flows see it."""

from typing import Protocol

from specie.crypto.addresses import Address
from specie.ledger.records import Attestation
from specie.ledger.transactions import Promise
from specie.tokens.building import BuiltTransaction
from specie.tokens.disclosures import PayeeView
from specie.values.amounts import Minor
from specie.values.identifiers import OrderId, ParticipantNumber


class BankPort(Protocol):
    """What a payment asks of a bank on either side."""

    number: ParticipantNumber

    @property
    def vault_address(self) -> Address:
        """Where its vault is paid."""
        ...

    def attest_payment(self, built: BuiltTransaction) -> Attestation:
        """As the payer's bank: sees the whole payment."""
        ...

    def attest_receipt(self, view: PayeeView) -> Attestation:
        """As a payee's bank: sees its own outputs only."""
        ...

    def deliver(self, promise: Promise) -> None:
        """The transaction is final. Idempotent; `promise_invalid` if the notary did not sign."""
        ...

    def expect_transfer(self, order: OrderId, sender: ParticipantNumber) -> None:
        """What arrives in the vault under this order is due to that bank (P14)."""
        ...

    def count_vault(self) -> Minor:
        """For a stock-taking: tokens of the bank's vault, by its books (P5)."""
        ...


class BankDirectory(Protocol):
    """Finds the bank behind a number."""

    def get_bank(self, number: ParticipantNumber) -> BankPort:
        """`participant_unknown` if there is none."""
        ...
