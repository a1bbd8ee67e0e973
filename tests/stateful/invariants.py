"""Design §5, as far as it is built: what must hold after every step, whatever was asked before."""

from specie.accounting.reserves import LOANS
from specie.bank.deposits import IN_TRANSIT
from specie.books.entries import check_trial_balance
from specie.ports.books import BooksStore
from specie.values.identifiers import ClientId
from specie.wallet.vault import Vault
from tests.country import audit_folder
from tests.stateful.reopening import take
from tests.stateful.town import BANKS, HOMES, Town


def check_all(town: Town) -> None:
    """Everything that is cheap enough for every step."""
    check_model(town)
    check_central_bank(town)
    check_banks(town)
    check_people(town)


def check_model(town: Town) -> None:
    """All money in anybody's hands is what was produced and not redeemed (invariant 1)."""
    assert town.model.count() == town.model.supply


def check_central_bank(town: Town) -> None:
    """Outstanding = issuance fund (invariant 1); all central bank money is what was lent (P10)."""
    model, accounting = town.model, town.network.accounting
    supply = town.network.notary.get_supply()
    assert (supply.total, supply.serial) == (model.supply, model.serial)
    assert accounting.get_fund() == model.supply
    assert {bank: accounting.get_reserves(bank) for bank in BANKS} == model.reserves
    check_reserves(town)


def check_reserves(town: Town) -> None:
    """What holds also in the middle of a flow: P10, and both columns of the books."""
    accounting = town.network.accounting
    assert accounting.compute_money() == town.model.lent
    books = take(accounting, "_books")
    assert books.get_balance(LOANS) == town.model.lent
    check_columns(books)


def check_interrupted(town: Town, amount: int) -> None:
    """In the middle of a flow: what is missing to the fund is in transit, and nothing else.

    Reserves are debited before money is made, and credited after it is void (P8, P9), so the fund
    is never short of what is outstanding.
    """
    check_reserves(town)
    in_transit = town.network.accounting.get_fund() - town.network.notary.get_supply().total
    assert in_transit in (0, amount)


def check_banks(town: Town) -> None:
    """A vault's tokens are what its account says; deposits are what clients were told (P3)."""
    model = town.model
    for number in BANKS:
        bank = town.bank(number)
        books = take(bank.books, "_books")
        vault = count_tokens(bank.vault)
        assert vault == bank.books.get_vault() == model.vaults[number]
        assert books.get_balance(IN_TRANSIT) == model.in_transit[number]
        assert bank.books.get_reserves() == model.reserves[number]
        check_columns(books)
    for name, home in HOMES.items():
        assert town.bank(home).books.get_deposit(ClientId(name)) == model.deposits[name]


def check_people(town: Town) -> None:
    """Every device holds what its owner was paid, has fetched, and has not paid."""
    held = {name: count_tokens(wallet) for name, wallet in town.wallets.items()}
    assert held == town.model.held


def check_log(town: Town) -> None:
    """The published log alone proves the supply it was written with (X1)."""
    supply, serial = town.model.published
    if serial == 0:
        return
    totals = audit_folder(town.network.public)
    assert (totals.supply, totals.serial) == (supply, serial)


def check_promises(town: Town) -> None:
    """Everything acknowledged is still there: the same bytes get the same answer (invariant 3)."""
    sent = list(town.promises)
    for start in range(0, len(sent), 256):
        part = sent[start : start + 256]
        answers = town.network.notary.notarise_batch(part)
        assert answers == [town.promises[data] for data in part]


def check_columns(books: BooksStore) -> None:
    """Debits = credits over all accounts."""
    check_trial_balance(books.load_accounts(), books.load_balances())


def count_tokens(vault: Vault) -> int:
    """What can be spent, and what a payment without an answer keeps: its inputs are its outputs."""
    reserved = [
        opening.amount
        for prepared in vault.load_prepared()
        for opening in prepared.built.disclosure.openings
    ]
    voided = sum(one.built.signed.body.supply_change for one in vault.load_prepared())
    return vault.get_balance() + sum(reserved) - voided
