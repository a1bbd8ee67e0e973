"""Those who act in the demo: clients with wallets, and banks that are given reserves and money."""

from dataclasses import dataclass

from specie.assembly.network import InProcessNetwork
from specie.assembly.publishing import add_filler, split_vaults
from specie.bank.service import Bank
from specie.flows.issuance import issue
from specie.ledger.transactions import AttestedTransaction
from specie.tokens.building import BuiltTransaction
from specie.values.amounts import Minor
from specie.values.identifiers import ClientId, EntryId, OrderId
from specie.wallet.vault import Vault


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """A client with a wallet."""

    client: ClientId
    wallet: Vault
    bank: Bank


def get_bank_name(network: InProcessNetwork, bank: Bank) -> str:
    """As the participant list has it."""
    return network.roster.current.get(bank.number).name


def draw_order(network: InProcessNetwork) -> OrderId:
    """A fresh order id."""
    return OrderId(network.surroundings.identifiers.draw())


def fund_bank(network: InProcessNetwork, bank: Bank, amount: Minor) -> None:
    """Reserves for a bank, in the central bank's books and in its own."""
    entry = EntryId(network.surroundings.identifiers.draw())
    network.accounting.lend(entry, bank.number, amount)
    bank.books.borrow_reserves(entry, amount)


def issue_to_bank(network: InProcessNetwork, bank: Bank, amount: Minor) -> None:
    """Money into a bank's vault against its reserves."""
    order = draw_order(network)
    issue(order, amount, bank, network.desk, network.accounting, network.notary)
    split_vaults(network, bank)


def register(network: InProcessNetwork, name: str, bank: Bank) -> Person:
    """A wallet made on a person's device; the bank identifies the person and registers it (T3)."""
    wallet = network.make_wallet(name, bank.number)
    client = ClientId(name)
    bank.open_wallet(client, name, wallet.keys.address, wallet.keys.view)
    return Person(client, wallet, bank)


def lend_to(network: InProcessNetwork, person: Person, amount: Minor) -> None:
    """A loan makes a deposit."""
    entry = EntryId(network.surroundings.identifiers.draw())
    person.bank.books.lend_to_client(entry, person.client, amount)


def attest(network: InProcessNetwork, built: BuiltTransaction, bank: Bank) -> AttestedTransaction:
    """Signed by all banks that have a part in it, and not yet at the notary."""
    attestations = [bank.attest_payment(built)]
    for number in sorted({one.bank for one in built.disclosure.openings} - {bank.number}):
        attestations.append(network.get_bank(number).attest_receipt(built.build_payee_view(number)))
    return AttestedTransaction(built.signed, tuple(attestations))


def publish_now(network: InProcessNetwork) -> int:
    """Publish what waits without waiting for more: the banks add payments to themselves (T10).

    So nobody is published in a small batch; gives how many were added.
    """
    added = add_filler(network, network.genesis.batch_payments_min)
    while network.notary.publish():
        pass
    return added


def format_amount(network: InProcessNetwork, amount: int) -> str:
    """In the network's currency."""
    return network.genesis.currency.format(amount)
