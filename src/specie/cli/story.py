"""The demo's story, step by step, on a real network in this process.

Rows P1, T4, T6, T8, T11, T15, T19, P14, P10.

Two people: Aigerim with the Bank of the North, Bolat with the Bank of the South.
"""

from dataclasses import dataclass
from typing import Final

from specie.assembly.network import Network
from specie.bank.service import Bank
from specie.cli.telling import Teller
from specie.flows.distribution import deposit, transfer_vault_money, withdraw
from specie.flows.issuance import issue
from specie.flows.payment import pay
from specie.flows.receiving import collect
from specie.flows.redemption import redeem
from specie.ledger.evidence import verify_evidence
from specie.ledger.transactions import AttestedTransaction
from specie.ledger.wire import encode_attested
from specie.tokens.building import BuiltTransaction, PaymentOrder, build_payment
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.errors import SpentError
from specie.values.identifiers import ClientId, EntryId, OrderId
from specie.wallet.vault import Vault

_LOAN: Final = Minor(5_000_000_00)
_ISSUED: Final = Minor(1_000_000_00)
_SALARY: Final = Minor(2_500_00)
_WITHDRAWN: Final = Minor(1_000_00)
_RENT: Final = Minor(420_50)
_REDEEMED: Final = Minor(300_000_00)


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """A client with a wallet."""

    client: ClientId
    wallet: Vault
    bank: Bank


def tell_story(network: Network, teller: Teller) -> None:
    """From the first reserves to the first redemption."""
    north, south = list(network.banks.values())[:2]
    _lend_reserves(network, teller, (north, south))
    _issue_money(network, teller, (north, south))
    aigerim = _open_wallet(network, teller, "Aigerim", north)
    bolat = _open_wallet(network, teller, "Bolat", south)
    _distribute(network, teller, (aigerim, bolat))
    _pay_across_banks(network, teller, aigerim, bolat)
    _spend_twice(network, teller, aigerim, bolat)
    _transfer_between_vaults(network, teller, north, south)
    _redeem(network, teller, bolat)


def fund_bank(network: Network, bank: Bank, amount: Minor) -> None:
    """Reserves for a bank, in the central bank's books and in its own."""
    entry = EntryId(network.surroundings.identifiers.draw())
    network.accounting.lend(entry, bank.number, amount)
    bank.books.borrow_reserves(entry, amount)


def issue_to_bank(network: Network, bank: Bank, amount: Minor) -> None:
    """Money into a bank's vault against its reserves."""
    order = draw_order(network)
    issue(order, amount, bank, network.desk, network.accounting, network.notary)
    bank.books.receive_issue(EntryId(order), amount)


def draw_order(network: Network) -> OrderId:
    """A fresh order id."""
    return OrderId(network.surroundings.identifiers.draw())


def register(name: str, bank: Bank, wallet: Vault) -> Person:
    """The bank identifies a person and registers the wallet made on their device (T3)."""
    client = ClientId(name)
    bank.open_wallet(client, name, wallet.keys.address, wallet.keys.view)
    return Person(client, wallet, bank)


def _lend_reserves(network: Network, teller: Teller, banks: tuple[Bank, ...]) -> None:
    with teller.step("The central bank lends reserves to two banks"):
        for bank in banks:
            fund_bank(network, bank, _LOAN)
        teller.say(f"central bank money: {_format(network, network.accounting.compute_money())}")


def _issue_money(network: Network, teller: Teller, banks: tuple[Bank, ...]) -> None:
    with teller.step("It issues money against them: two officers, a reserve debit, the contract"):
        before = network.accounting.compute_money()
        for bank in banks:
            issue_to_bank(network, bank, _ISSUED)
        supply = network.notary.get_supply()
        teller.say(f"issued: {_format(network, supply.total)}, serial {supply.serial}")
        reserves = network.accounting.get_reserves(banks[0].number)
        teller.say(f"reserves left to each bank: {_format(network, reserves)}")
        assert network.accounting.compute_money() == before, "issuance makes no central bank money"
        teller.say(f"central bank money, unchanged: {_format(network, before)}")


def _open_wallet(network: Network, teller: Teller, name: str, bank: Bank) -> Person:
    with teller.step(f"{name} opens a wallet; the keys are made on the device"):
        wallet = network.make_wallet(name, bank.number)
        person = register(name, bank, wallet)
        entry = EntryId(network.surroundings.identifiers.draw())
        bank.books.lend_to_client(entry, person.client, _SALARY)
        teller.say(f"deposit at bank {bank.number}: {_format(network, _SALARY)}")
    return person


def _distribute(network: Network, teller: Teller, people: tuple[Person, ...]) -> None:
    with teller.step("Both withdraw: deposit money becomes tokens in their wallets"):
        for person in people:
            order = PaymentOrder(person.wallet.keys.address, _WITHDRAWN, Memo())
            request = [(person.client, order)]
            withdraw(draw_order(network), request, person.bank, network, network.notary)
            collect(person.client, person.wallet, person.bank)
            balance = person.wallet.get_balance()
            teller.say(f"{person.client}: {_format(network, balance)} in the wallet")


def _pay_across_banks(network: Network, teller: Teller, payer: Person, payee: Person) -> None:
    with teller.step(
        f"{payer.client} pays {payee.client}, across banks; his phone is switched off"
    ):
        memo = Memo(order_id=draw_order(network), name=str(payer.client))
        order = PaymentOrder(payee.wallet.keys.address, _RENT, memo)
        identifier = network.surroundings.identifiers.draw()
        promise = pay(payer.wallet, [order], identifier, payer.bank, network, network.notary)
        teller.say(f"final, promised by the notary: transaction {promise.txid.hex()[:16]}…")
        teller.say(f"amount: {_format(network, _RENT)}, known to payer, payee and their banks")
        teller.say("the notary and the public see two sealed outputs of 414 bytes and no amount")
    with teller.step(f"{payee.client} switches his phone on and finds the money"):
        fresh = collect(payee.client, payee.wallet, payee.bank)
        teller.say(f"{fresh} token, balance {_format(network, payee.wallet.get_balance())}")


def _spend_twice(network: Network, teller: Teller, cheat: Person, payee: Person) -> None:
    with teller.step(f"{cheat.client} spends the same tokens twice, the second time from a copy"):
        tokens = cheat.wallet.load_tokens()
        everything = cheat.wallet.get_balance()
        to_herself = PaymentOrder(cheat.wallet.keys.address, everything, Memo())
        context = network.surroundings.build_context()
        copied = build_payment([to_herself], tokens, cheat.wallet.keys, context)
        second = _attest(network, copied, cheat.bank)
        order = PaymentOrder(payee.wallet.keys.address, everything, Memo())
        identifier = network.surroundings.identifiers.draw()
        pay(cheat.wallet, [order], identifier, cheat.bank, network, network.notary)
        try:
            network.notary.notarise(encode_attested(second))
        except SpentError as refused:
            found = verify_evidence(refused.evidence, network.genesis.network)
            teller.say(f"refused: {refused}")
            teller.say(
                f"evidence of {len(refused.evidence)} bytes, verified: one key signed"
                f" {found.first.txid.hex()[:8]}… and {found.second.txid.hex()[:8]}…"
            )
        else:
            raise AssertionError("a second spend was accepted")
        collect(payee.client, payee.wallet, payee.bank)


def _attest(network: Network, built: BuiltTransaction, bank: Bank) -> AttestedTransaction:
    attestations = [bank.attest_payment(built)]
    others = {opening.bank for opening in built.disclosure.openings} - {bank.number}
    for number in others:
        payee = network.get_bank(number)
        attestations.append(payee.attest_receipt(built.build_payee_view(number)))
    return AttestedTransaction(built.signed, tuple(attestations))


def _transfer_between_vaults(network: Network, teller: Teller, north: Bank, south: Bank) -> None:
    with teller.step("One bank sends vault money to the other"):
        amount = Minor(_ISSUED // 10)
        transfer_vault_money(draw_order(network), amount, north, south, network, network.notary)
        for bank in (north, south):
            teller.say(f"vault of bank {bank.number}: {_format(network, bank.vault.get_balance())}")


def _redeem(network: Network, teller: Teller, person: Person) -> None:
    with teller.step(f"{person.client} deposits tokens; his bank redeems vault money for reserves"):
        bank = person.bank
        amount = Minor(person.wallet.get_balance() // 2)
        deposit(
            draw_order(network),
            person.client,
            person.wallet,
            amount,
            bank,
            network,
            network.notary,
        )
        teller.say(
            f"deposit of {person.client}: {_format(network, bank.books.get_deposit(person.client))}"
        )
        order = draw_order(network)
        redeem(order, _REDEEMED, bank.vault, bank, network.desk, network.accounting, network.notary)
        bank.books.complete_redemption(EntryId(order), _REDEEMED)
        supply = network.notary.get_supply()
        fund = network.accounting.get_fund()
        teller.say(
            f"supply: {_format(network, supply.total)} = issuance fund: {_format(network, fund)}"
        )


def _format(network: Network, amount: int) -> str:
    return network.genesis.currency.format(amount)
