"""A payment is taken back before it is final (T15, ADR 0010). Owner: the payer.

payer signs that it shall never be final → the notary records it for good → tokens are free at once
"""

from typing import Protocol

from specie.ledger.transactions import VoidPromise
from specie.ports.notary import NotaryPort
from specie.values.identifiers import Signature


class Cancelling(Protocol):
    """Whoever signed the payment: a wallet or a vault."""

    def sign_void(self, payment_id: bytes) -> tuple[bytes, Signature]:
        """The payment as signed, and the signature that cancels it."""
        ...

    def release_void(self, payment_id: bytes, promise: VoidPromise) -> None:
        """The notary has promised it."""
        ...


def cancel(vault: Cancelling, payment_id: bytes, notary: NotaryPort) -> None:
    """May be repeated after any stop. The tokens may then be signed for again, without a wait.

    `transaction_final`: it is too late. Nothing was changed; go on and complete the payment (`pay`
    with the same id, or `resume`), which gets the notary's promise and tells the banks.
    `input_spent`: another payment, made by a copy of the vault, has spent the tokens already.
    """
    data, signature = vault.sign_void(payment_id)
    vault.release_void(payment_id, notary.void(data, signature))
