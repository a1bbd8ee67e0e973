"""Issuance against reserves (T4, P2, P8). Owner: the central bank.

apply → manage and approve → debit reserves, credit the issuance fund → produce → deliver
→ bank vault entry
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
    """New money into the bank's vault; idempotent by `order`."""
    desk.apply(order, Direction.ISSUE, bank.number, bank.vault_address, amount)
    desk.approve(order)
    reserve = accounting.debit_for_issue(EntryId(order), bank.number, amount)
    built = desk.produce(order)
    attestation = bank.attest_receipt(built.build_payee_view(bank.number))
    authorised = desk.authorise(order, attestation, reserve, notary.get_supply())
    promise = notary.notarise(encode_attested(authorised))
    bank.deliver(promise)
    desk.complete(order, promise)
    return promise
