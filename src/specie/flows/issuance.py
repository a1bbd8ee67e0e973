"""Issuance against reserves (T4, P2, P8). Owner: the central bank.

apply → manage and approve → debit reserves: in transit → produce → authorise → notarise
→ out of transit into the issuance fund → deliver → bank vault entry

Once the notary has promised, nothing is asked again of anybody who could refuse by now. Until then
what is produced lies in the issuance vault, and the amount is in transit. 48 hours after its debit
an issue that was refused until then is over, and the reserves are the bank's again.
"""

from typing import Protocol

from specie.flows.requests import pack_amount
from specie.ledger.transactions import Promise
from specie.ledger.wire import encode_attested
from specie.ports.accounting import IssueAccounting
from specie.ports.bank import BankPort
from specie.ports.issuance import Direction, IssuanceDesk
from specie.ports.journal import FlowKind, FlowState, Journal
from specie.ports.notary import NotaryPort
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import EntryId, OrderId


class IssuingDesk(IssuanceDesk, Protocol):
    """The central bank's desk, to itself."""

    @property
    def journal(self) -> Journal:
        """Of its flows, in the database of its applications."""
        ...


def issue(
    order: OrderId,
    amount: Minor,
    bank: BankPort,
    desk: IssuingDesk,
    accounting: IssueAccounting,
    notary: NotaryPort,
) -> Promise:
    """New money into the bank's vault; idempotent by `order`, however late it is called again.

    Once the order is durable, the central bank goes on with it by itself after any stop
    (`flows/resuming.py`). `order_conflict` once it has ended without success (`end_issue`).
    """
    vault = bank.vault_address  # asked of the bank, and nobody waits for it meanwhile
    with desk.journal.transaction():
        desk.apply(order, Direction.ISSUE, bank.number, vault, amount)
        state = desk.journal.begin(FlowKind.ISSUE, order, pack_amount(amount, bank.number))
    if state is FlowState.ENDED or _end_if_over(order, desk, accounting, notary):
        raise SpecieError(ErrorCode.ORDER_CONFLICT, "given up: its reserves are back")
    promise = desk.find_promise(order, notary)
    if promise is None:
        promise = _produce(order, amount, bank, desk, accounting, notary)
    accounting.complete_issue(EntryId(order), promise)
    bank.deliver(promise)
    with desk.journal.transaction():
        desk.complete(order, promise)
        desk.journal.end(order, FlowState.COMPLETED)
    return promise


def end_issue(
    order: OrderId, desk: IssuingDesk, accounting: IssueAccounting, notary: NotaryPort
) -> None:
    """What was in transit is in the bank's reserves again; idempotent.

    `order_conflict` while the notary could still take the debit, `transaction_final` if it did. The
    notary's time comes first: what it has not promised by then, it never will.
    """
    published = notary.get_published_time()
    if not accounting.is_issue_over(EntryId(order), published):
        raise SpecieError(ErrorCode.ORDER_CONFLICT, "the issue may still become final")
    if desk.find_promise(order, notary) is not None:
        raise SpecieError(ErrorCode.TRANSACTION_FINAL, "the money is outstanding")
    desk.give_up(order)
    accounting.release_issue(EntryId(order), published)
    desk.journal.end(order, FlowState.ENDED)


def _end_if_over(
    order: OrderId, desk: IssuingDesk, accounting: IssueAccounting, notary: NotaryPort
) -> bool:
    try:
        end_issue(order, desk, accounting, notary)
    except SpecieError as error:
        if error.code in (ErrorCode.ORDER_CONFLICT, ErrorCode.TRANSACTION_FINAL):
            return False
        raise
    return True


def _produce(
    order: OrderId,
    amount: Minor,
    bank: BankPort,
    desk: IssuingDesk,
    accounting: IssueAccounting,
    notary: NotaryPort,
) -> Promise:
    desk.approve(order)
    desk.check_issuable(order, notary.get_supply())
    reserve = accounting.debit_for_issue(EntryId(order), bank.number, amount)
    built = desk.produce(order, notary)
    attestation = bank.attest_receipt(built.build_payee_view(bank.number))
    authorised = desk.authorise(order, attestation, reserve, notary.get_supply())
    return notary.notarise(encode_attested(authorised))
