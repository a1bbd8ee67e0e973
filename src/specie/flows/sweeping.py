"""All that a wallet holds goes to another address of its owner (T3, T19). Owner: the device.

what was begun before is ended first → largest tokens first, as many as a payment takes → until none
that may be signed for now is left
"""

from collections.abc import Callable
from typing import Final, Protocol

from specie.crypto.addresses import Address
from specie.ledger.transactions import Promise
from specie.tokens.building import BuiltTransaction, PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import OrderId
from specie.wallet.vault import Vault

_PASSED: Final = frozenset({ErrorCode.EXPIRED, ErrorCode.INPUT_SPENT, ErrorCode.CLIENT_BLOCKED})


class PayingBank(Protocol):
    """Our bank, which attests, notarises and delivers."""

    def pay(self, built: BuiltTransaction) -> Promise:
        """Final when it returns; the same again gets the same answer."""
        ...


def _find_no_limit() -> Minor | None:
    return None


def sweep(
    vault: Vault,
    creditor: Address,
    bank: PayingBank,
    draw: Callable[[], OrderId],
    find_room: Callable[[], Minor | None] = _find_no_limit,
) -> int:
    """Gives how many payments it took. After any stop the same call goes on.

    `find_room` says how much the next payment may take along; it is asked before each. Each payment
    is recorded before it leaves, so what a stop left is sent again, byte for byte.
    """
    count = send_begun(vault, bank)
    while amount := vault.sum_largest():
        room = find_room()
        amount = amount if room is None else min(amount, room)
        prepared = vault.prepare_payment([PaymentOrder(creditor, amount, Memo())], draw())
        vault.settle(prepared.payment_id, bank.pay(prepared.built))
        count += 1
    return count


def send_begun(vault: Vault, bank: PayingBank) -> int:
    """What a stop left is sent again, byte for byte; gives how many payments are settled."""
    count = 0
    for prepared in vault.load_prepared():
        try:
            promise = bank.pay(prepared.built)
        except SpecieError as error:
            if error.code not in _PASSED:
                raise
            continue  # what it had reserved comes back when the log shows it unspent
        vault.settle(prepared.payment_id, promise)
        count += 1
    return count
