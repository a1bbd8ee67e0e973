"""The demo's story, step by step, on a real network in this process.

Rows P1, T4, T6, T8, T9, T10, T11, T19, P14, P10. What goes wrong in it is in `mishaps.py`.

Two people: Aigerim with the Bank of the North, Bolat with the Bank of the South.
"""

from typing import Final

from specie.assembly.network import InProcessNetwork
from specie.bank.service import Bank
from specie.cli.mishaps import die_before_the_answer, lose_the_delivery, spend_twice
from specie.cli.people import (
    Person,
    attest,
    draw_order,
    format_amount,
    fund_bank,
    get_bank_name,
    issue_to_bank,
    lend_to,
    publish_now,
    register,
)
from specie.cli.showing import (
    ShownPayment,
    build_sight_table,
    find_leaf,
    list_secrets,
    read_folder,
    read_notary,
    search_held,
)
from specie.cli.telling import Narrator
from specie.crypto.addresses import format_address
from specie.flows.distribution import deposit, transfer_vault_money, withdraw
from specie.flows.payment import pay
from specie.flows.receiving import collect
from specie.flows.redemption import redeem
from specie.flows.stocktaking import take_stock
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo, unpack_memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.encoding import u64
from specie.values.errors import SpecieError

_LOAN: Final = Minor(5_000_000_00)
_ISSUED: Final = Minor(1_000_000_00)
_SALARY: Final = Minor(2_500_00)
_WITHDRAWN: Final = Minor(1_000_00)
_RENT: Final = Minor(742_19)
_REDEEMED: Final = Minor(300_000_00)


def tell_story(network: InProcessNetwork, narrator: Narrator) -> ShownPayment:
    """From the first reserves to the first redemption; gives the payment that is told of."""
    north, south = list(network.banks.values())[:2]
    _lend_reserves(network, narrator, (north, south))
    _issue_money(network, narrator, (north, south))
    aigerim = _open_wallet(network, narrator, "Aigerim", north)
    bolat = _open_wallet(network, narrator, "Bolat", south)
    _distribute(network, narrator, (aigerim, bolat))
    payment = _pay_across_banks(network, narrator, aigerim, bolat)
    _show_who_sees_what(network, narrator, payment)
    aigerim = die_before_the_answer(network, narrator, aigerim, bolat)
    lose_the_delivery(network, narrator, aigerim, bolat)
    spend_twice(network, narrator, aigerim, bolat)
    _transfer_between_vaults(network, narrator, north, south)
    _deposit(network, narrator, bolat)
    _redeem(network, narrator, south)
    _take_stock(network, narrator)
    return payment


def _lend_reserves(network: InProcessNetwork, narrator: Narrator, banks: tuple[Bank, ...]) -> None:
    with narrator.step("The central bank lends reserves to two banks"):
        for bank in banks:
            fund_bank(network, bank, _LOAN)
            reserves = network.accounting.get_reserves(bank.number)
            name = get_bank_name(network, bank)
            narrator.say(f"reserves of the {name}: {format_amount(network, reserves)}")


def _issue_money(network: InProcessNetwork, narrator: Narrator, banks: tuple[Bank, ...]) -> None:
    with narrator.step("It issues money: two officers, a reserve debit, the notary's contract"):
        before = network.accounting.compute_money()
        reserves = network.accounting.get_reserves(banks[0].number)
        for bank in banks:
            issue_to_bank(network, bank, _ISSUED)
        if network.accounting.compute_money() != before:
            raise SpecieError(ErrorCode.ENTRY_UNBALANCED, "issuance made central bank money")
        supply = network.notary.get_supply()
        left = network.accounting.get_reserves(banks[0].number)
        narrator.say(f"issued: {format_amount(network, supply.total)}, serial {supply.serial}")
        narrator.say(f"reserves of each bank: {_format_change(network, reserves, left)}")
        narrator.say(f"central bank money, unchanged: {format_amount(network, before)}")


def _open_wallet(network: InProcessNetwork, narrator: Narrator, name: str, bank: Bank) -> Person:
    with narrator.step(f"{name} opens a wallet; the keys are made on the device"):
        person = register(network, name, bank)
        lend_to(network, person, _SALARY)
        address = format_address(person.wallet.keys.address, network.genesis.address_prefix)
        bank_name = get_bank_name(network, bank)
        narrator.say(f"address {address[:24]}…{address[-8:]} at the {bank_name}")
        narrator.say(f"deposit account: {format_amount(network, _SALARY)}")
    return person


def _distribute(network: InProcessNetwork, narrator: Narrator, people: tuple[Person, ...]) -> None:
    with narrator.step("Both withdraw: deposit money becomes tokens in their wallets"):
        for person in people:
            before = person.bank.books.get_deposit(person.client)
            order = PaymentOrder(person.wallet.keys.address, _WITHDRAWN, Memo())
            request = [(person.client, order)]
            with network.vault_locks[person.bank.number]:
                withdraw(draw_order(network), request, person.bank, network, network.notary)
            collect(person.client, person.wallet, person.bank)
            left = person.bank.books.get_deposit(person.client)
            narrator.say(f"{person.client}: deposit {_format_change(network, before, left)},")
            balance = format_amount(network, person.wallet.get_balance())
            narrator.say(f"{' ' * len(person.client)}  wallet {balance}")


def _pay_across_banks(
    network: InProcessNetwork, narrator: Narrator, payer: Person, payee: Person
) -> ShownPayment:
    with narrator.step(f"{payer.client} pays {payee.client} across banks; his phone is off"):
        memo = Memo(order_id=draw_order(network), name=str(payer.client))
        order = PaymentOrder(payee.wallet.keys.address, _RENT, memo)
        identifier = network.surroundings.identifiers.draw()
        promise = pay(payer.wallet, [order], identifier, payer.bank, network, network.notary)
        built = payer.wallet.prepare_payment([order], identifier).built
        narrator.say(f"{format_amount(network, _RENT)}; she chooses that he sees her name")
        narrator.say(f"final, promised by the notary: transaction {promise.txid.hex()[:16]}…")
    with narrator.step(f"{payee.client} switches his phone on and finds the money"):
        before = payee.wallet.get_balance()
        fresh = collect(payee.client, payee.wallet, payee.bank)
        balance = _format_change(network, before, payee.wallet.get_balance())
        narrator.say(f"{fresh} token, balance {balance}")
    return ShownPayment(payer, payee, built, attest(network, built, payer.bank))


def _show_who_sees_what(
    network: InProcessNetwork, narrator: Narrator, payment: ShownPayment
) -> None:
    with narrator.step("Who sees what of it, looked up in what each side holds"):
        added = publish_now(network)
        narrator.say(f"published; banks add {added} payments to themselves, to hide it among")
        output, opening = payment.get_paid()
        position, leaf = find_leaf(network.public, output)
        narrator.say(f"public log, entry {position}: {leaf[:16].hex()}… {len(leaf)} bytes")
        name = unpack_memo(opening.memo).name
        narrator.say(
            f"{payment.payee.client} opens it: {u64(opening.amount).hex()} ="
            f" {format_amount(network, opening.amount)}, {name.encode().hex()} = {name}"
        )
        narrator.show(build_sight_table(network, payment))
        secrets = list_secrets(network, payment)
        public = read_folder(network.public)
        for what, held in (("notary's files", read_notary(network)), ("public folder", public)):
            searched, is_found = search_held(held, secrets, payment.txid)
            if not is_found:
                raise SpecieError(ErrorCode.NOT_PUBLISHED, f"{what}: the payment is not there")
            narrator.say(f"{what}, {searched:,} bytes: the payment's id is found;")
            narrator.say("  amount (3 spellings), both names, address, its keys: not found")


def _transfer_between_vaults(
    network: InProcessNetwork, narrator: Narrator, north: Bank, south: Bank
) -> None:
    with narrator.step("One bank sends vault money to the other"):
        amount = Minor(_ISSUED // 10)
        banks = (north, south)
        with network.vault_locks[north.number], network.vault_locks[south.number]:
            before = [bank.vault.get_balance() for bank in banks]
            order = draw_order(network)
            transfer_vault_money(order, amount, north, south, network, network.notary)
            after = [bank.vault.get_balance() for bank in banks]
        for bank, held, left in zip(banks, before, after, strict=True):
            change = _format_change(network, held, left)
            narrator.say(f"vault of the {get_bank_name(network, bank)}: {change}")


def _deposit(network: InProcessNetwork, narrator: Narrator, person: Person) -> None:
    with narrator.step(f"{person.client} deposits half of his tokens"):
        bank, wallet = person.bank, person.wallet
        held, deposited = wallet.get_balance(), bank.books.get_deposit(person.client)
        amount = Minor(held // 2)
        order = draw_order(network)
        deposit(order, person.client, wallet, amount, bank, network, network.notary)
        left, after = wallet.get_balance(), bank.books.get_deposit(person.client)
        narrator.say(f"wallet:  {_format_change(network, held, left)}")
        narrator.say(f"deposit: {_format_change(network, deposited, after)}")


def _redeem(network: InProcessNetwork, narrator: Narrator, bank: Bank) -> None:
    with narrator.step("His bank redeems vault money for reserves"):
        supply = network.notary.get_supply().total
        reserves = network.accounting.get_reserves(bank.number)
        order = draw_order(network)
        vault, desk = bank.vault, network.desk
        with network.vault_locks[bank.number]:
            redeem(order, _REDEEMED, vault, bank, desk, network.accounting, network.notary)
        total, after = (
            network.notary.get_supply().total,
            network.accounting.get_reserves(bank.number),
        )
        fund = network.accounting.get_fund()
        narrator.say(f"reserves: {_format_change(network, reserves, after)}")
        narrator.say(f"supply:   {_format_change(network, supply, total)}")
        if fund != total:
            raise SpecieError(ErrorCode.ENTRY_UNBALANCED, "the issuance fund is not the supply")
        narrator.say(f"issuance fund, in the central bank's books: {format_amount(network, fund)}")


def _take_stock(network: InProcessNetwork, narrator: Narrator) -> None:
    with narrator.step("The central bank takes stock of its currency"):
        numbers = list(network.banks)
        stock = take_stock(numbers, network.desk, network.accounting, network.notary, network)
        for bank in network.banks.values():
            held = format_amount(network, stock.vaults[bank.number])
            narrator.say(f"vault of the {get_bank_name(network, bank)}: {held}")
        narrator.say(f"in circulation: {format_amount(network, stock.circulation)}")
        narrator.say(f"outstanding: {format_amount(network, stock.outstanding)}")
        narrator.say(f"in the issuance vault: {format_amount(network, stock.issuance_vault)}")
        narrator.say(
            f"issuance fund, with what is in transit: {format_amount(network, stock.backing)}"
        )


def _format_change(network: InProcessNetwork, before: int, after: int) -> str:
    return f"{format_amount(network, before)} → {format_amount(network, after)}"
