"""What arrives in a bank's vault, and in whose name (T6, T19, P8, P14).

    attested     a client's payment to the vault   only into the client's own deposit
                 another bank's                    only under an order that a bank has announced
    final        paid by the vault itself          nothing is booked: change, filler, a split
                 an issue of the central bank      reserves became vault money
                 everything else                   by the order that somebody expects

An attestation cannot be taken back, so what would be booked for somebody else, or for nobody, is
refused before it: money that nobody judged must not reach an account.
"""

from collections.abc import Callable, Iterable, Sequence

from specie.bank.deposits import derive_vault_entry, name_issue
from specie.bank.teller import Teller
from specie.ports.clients import ExpectedArrival, Movement
from specie.tokens.holdings import Token, unpack_memo
from specie.values.amounts import sum_minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ZERO16,
    ClientId,
    OrderId,
    ParticipantNumber,
    TransactionId,
)

FindExpected = Callable[[OrderId], ExpectedArrival | None]


def check_order(order: OrderId) -> None:
    """`order_conflict` for sixteen zeros: what names no order has them, the vault's change too."""
    if order == ZERO16:
        raise SpecieError(ErrorCode.ORDER_CONFLICT, "an order of zeros is none")


def check_own_deposit(payer: ClientId, tokens: Iterable[Token], find: FindExpected) -> None:
    """`not_served_here` unless what a client pays the vault is for its own deposit.

    A deposit is no payment, so no limit or rule is asked: it has to stay with its client.
    """
    for token in _list_worth(tokens):
        expected = find_arrival(token, find)
        if expected is None or expected.client != payer:
            reason = "the bank's own vault is paid into one's own deposit alone"
            raise SpecieError(ErrorCode.NOT_SERVED_HERE, reason)


def check_announced(tokens: Iterable[Token], find: FindExpected) -> None:
    """`not_served_here` unless another bank has said that its vault pays ours (P14)."""
    for token in _list_worth(tokens):
        expected = find_arrival(token, find)
        if expected is None or expected.sender is None:
            reason = "a vault is paid by its own bank's clients and by vaults alone"
            raise SpecieError(ErrorCode.NOT_SERVED_HERE, reason)


def find_arrival(token: Token, find: FindExpected) -> ExpectedArrival | None:
    """What an output of the vault is for, by the order in its memo."""
    order = unpack_memo(token.opening.memo).order_id
    return None if order == ZERO16 else find(order)


def is_from(vault: ClientId, movements: Iterable[Movement]) -> bool:
    """Whether the bank's own vault has paid this: what comes back to it is no arrival."""
    return any(one.client == vault and not one.is_incoming for one in movements)


def book_arrivals(
    txid: TransactionId,
    tokens: Sequence[Token],
    find: FindExpected,
    teller: Teller,
    issuer: ParticipantNumber,
) -> None:
    """Reserves became tokens of our vault, booked once by the first of them; or somebody paid.

    Each output once, by its own amount, whatever anybody says of it.
    """
    if _is_issue(find(name_issue(txid)), issuer):
        amount = sum_minor([token.amount for token in tokens])
        teller.books.receive_issue(derive_vault_entry(tokens[0].ref), amount)
        return
    for token in _list_worth(tokens):
        expected, entry = find_arrival(token, find), derive_vault_entry(token.ref)
        if expected is not None and expected.client is not None:
            teller.credit(entry, expected.client, token.amount)
        if expected is not None and expected.sender is not None:
            teller.books.receive_vault_money(entry, expected.sender, token.amount)


def _is_issue(expected: ExpectedArrival | None, issuer: ParticipantNumber) -> bool:
    """This bank itself has seen the central bank issue it; no client's order is that."""
    return expected is not None and (expected.client, expected.sender) == (None, issuer)


def _list_worth(tokens: Iterable[Token]) -> Iterable[Token]:
    return (token for token in tokens if token.amount)
