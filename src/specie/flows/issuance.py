"""Issuance against reserves (T4, P2, P8). Owner: the central bank.

apply → manage and approve → debit reserves, credit the issuance fund → produce → deliver
→ bank vault entry

Once the notary has promised, nothing is asked again of anybody who could refuse by now.
"""

from specie.ledger.transactions import Promise
from specie.ledger.wire import encode_attested
from specie.ports.accounting import AccountingPort
from specie.ports.bank import BankPort
from specie.ports.issuance import Direction, IssuanceDesk
from specie.ports.notary import NotaryPort
from specie.values.amounts import Minor
from specie.values.identifiers import EntryId, OrderId


def issue(
    order: OrderId,
    amount: Minor,
    bank: BankPort,
    desk: IssuanceDesk,
    accounting: AccountingPort,
    notary: NotaryPort,
) -> Promise:
    """New money into the bank's vault; idempotent by `order`, however late it is called again."""
    desk.apply(order, Direction.ISSUE, bank.number, bank.vault_address, amount)
    promise = desk.find_promise(order, notary)
    if promise is None:
        promise = _produce(order, amount, bank, desk, accounting, notary)
    bank.deliver(promise)
    desk.complete(order, promise)
    return promise


def _produce(
    order: OrderId,
    amount: Minor,
    bank: BankPort,
    desk: IssuanceDesk,
    accounting: AccountingPort,
    notary: NotaryPort,
) -> Promise:
    desk.approve(order)
    desk.check_issuable(order, notary.get_supply())
    reserve = accounting.debit_for_issue(EntryId(order), bank.number, amount)
    built = desk.produce(order, notary)
    attestation = bank.attest_receipt(built.build_payee_view(bank.number))
    authorised = desk.authorise(order, attestation, reserve, notary.get_supply())
    return notary.notarise(encode_attested(authorised))
