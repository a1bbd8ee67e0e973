"""`specie wallet open, withdraw, pay, deposit, collect, account`: a device and its bank, online."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from specie.assembly.system import RandomIdentifiers
from specie.bank.openings import (
    OpeningRequest,
    compute_transit_aad,
    derive_transit_key,
    sign_opening,
)
from specie.cli.arguments import parse_network
from specie.cli.device_commands import AsJson, Holder, Network, Public, Store, ask, show
from specie.cli.devices import Device, opened_device
from specie.cli.names import record_names
from specie.cli.naming import naming_order
from specie.cli.parties import draw_order, open_channel, parse_amount, parse_order
from specie.cli.phones import open_phone
from specie.cli.return_addresses import show_return_addresses
from specie.cli.trust import load_trust
from specie.cli.waterfalls import (
    add_money_commands,
    deposit_excess,
    describe_switches,
)
from specie.crypto.addresses import Address, format_address, parse_address
from specie.crypto.secrets import SpendKey
from specie.flows.receiving import collect as collect_outputs
from specie.flows.sending import Ended, give_up, send, send_again
from specie.identity.codes import hash_code
from specie.ledger.transactions import Promise
from specie.ports.top_ups import TopUps
from specie.remote import client_models as clients
from specie.remote.channel import Channel
from specie.remote.peers import CLIENT
from specie.remote.serving_bank import ServingBankClient
from specie.store.account_store import Account, SqliteAccountStore
from specie.store.database import Database
from specie.store.device_notes import SqliteDeviceNotes, get_current
from specie.store.device_store import name_device
from specie.store.own_phone_store import SqliteOwnPhoneStore
from specie.store.refusal_store import SqliteRefusalStore
from specie.store.request_store import SqliteRequestStore
from specie.store.top_up_store import SqliteTopUps
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.identifiers import InstitutionPublicKey, OrderId, ParticipantNumber
from specie.values.phones import parse_phone
from specie.wallet.keys import get_subholder
from specie.wallet.phone import HolderPhone
from specie.wallet.vault import Surroundings, Vault

AmountText = Annotated[str, typer.Argument(help="As people write it: 12.50")]
Order = Annotated[str | None, typer.Option(help="Order id, 32 hex digits; else a new one.")]


@dataclass(frozen=True, slots=True)
class Place:
    """Whose wallet, on which device, in which network."""

    device: Path
    holder: str
    public: Path
    network: str | None


@dataclass(slots=True, repr=False)
class Online:
    """A device's wallet with its bank at hand."""

    account: Account
    vault: Vault
    bank: ServingBankClient
    channel: Channel
    top_ups: TopUps
    numbers: SqliteOwnPhoneStore
    public: Path
    former: tuple[SpendKey, ...]  # of the sub-wallets before, at other banks
    refusals: SqliteRefusalStore
    requests: SqliteRequestStore
    notes: SqliteDeviceNotes

    @property
    def phone(self) -> HolderPhone:
        """For the directory, by the newest lists."""
        bank, store = self.account.bank, self.numbers
        return open_phone(self.vault.keys, bank, self.channel, store, self.public, self.former)

    def collect(self) -> int:
        """What has arrived; gives how many tokens were new. Names are judged by today's list."""
        fresh = collect_outputs(self.account.client, self.vault, self.bank)
        if fresh:
            record_names(self.vault, self.requests)
        return fresh

    def resume(self) -> Ended:
        """Payments whose answer was not heard are sent again."""
        return send_again(self.vault, self.bank, self.refusals, self.channel.clock)

    def find_payee(self, text: str) -> Address:
        """By address, or by phone number: then the directory's answer is verified and told."""
        prefix = self.channel.peers.roster.genesis.address_prefix
        if not text.strip().startswith("+"):
            return parse_address(text, prefix)
        entry = self.phone.find(parse_phone(text))
        typer.echo(f"to: {entry.name or 'a name that is not shown'}")
        return entry.address

    def pay(self, request: PaymentOrder, payment_id: bytes) -> Promise:
        """Recorded on the device before it leaves."""
        is_recorded = self.vault.find_payment(payment_id) is not None
        while not is_recorded and not self.vault.can_pay(request.amount):
            merge = self.vault.prepare_merge(draw_order())
            self.vault.settle(merge.payment_id, self.bank.pay(merge.built))
        prepared = self.vault.prepare_payment([request], payment_id)
        return send(prepared, self.vault, self.bank, self.refusals, self.channel.clock)


def open_at_bank(
    code: Annotated[str, typer.Argument(help="The bank's one-time code.")],
    device: Store,
    holder: Holder,
    public: Public,
    bank: Annotated[int, typer.Option(help="Number of the bank.")],
    network: Network = None,
) -> None:
    """Open the wallet at a bank, with the code that the bank gave its holder.

    Is your bank lost, name it nevertheless: with a code of its successor, your money goes there.
    """
    number = ParticipantNumber(bank)
    with opened_device(device, holder, ask("passphrase")) as opened:
        store = SqliteAccountStore(Database(device))
        account = store.prepare(holder, number, opened.opened.vault_key)
        chosen = parse_network(network)
        with open_channel(public, chosen, "device", account.key, number) as channel:
            surroundings = surround(channel)
            vault = opened.open_vault(0, bank, surroundings)
            served = ServingBankClient(channel, number)
            request = build_opening(parse_order(code), vault, account, served)
            store.record_client(holder, served.open_wallet(request))
            prefix = surroundings.genesis.address_prefix
            typer.echo(format_address(vault.keys.address, prefix))
        tokens = vault.load_unspent() if served.number != number else []
        if tokens:
            name = CLIENT + name_device(InstitutionPublicKey(account.key.public))
            with open_channel(public, chosen, name, account.key, number) as channel:
                served = ServingBankClient(channel, number)
                show_return_addresses(vault, served, tokens)
                taken = served.claim_tokens(tokens)
                typer.echo(f"{taken} of {len(tokens)} tokens are served by bank {served.number}")


def withdraw(
    amount: AmountText,
    device: Store,
    holder: Holder,
    public: Public,
    order: Order = None,
    network: Network = None,
) -> None:
    """Take money out of the deposit: tokens on this device."""
    place = Place(device, holder, public, network)
    with _ordering(place, amount, order) as (online, chosen, value):
        online.bank.withdraw(chosen, value)
        online.collect()


def deposit(
    amount: AmountText,
    device: Store,
    holder: Holder,
    public: Public,
    order: Order = None,
    network: Network = None,
) -> None:
    """Pay money of this device into the deposit."""
    place = Place(device, holder, public, network)
    with _ordering(place, amount, order) as (online, chosen, value):
        online.collect()
        address = online.bank.expect_deposit(chosen, value)
        online.pay(PaymentOrder(address, value, Memo(order_id=chosen)), chosen)


def collect(device: Store, holder: Holder, public: Public, network: Network = None) -> None:
    """Fetch what has arrived, and hear about payments that were cut off."""
    with opened_online(device, holder, public, network) as online:
        fresh, ended = online.collect(), online.resume()
        trust = load_trust(public, parse_network(network))
        freed = give_up(online.vault, online.bank, trust)
        fresh += online.collect()
        typer.echo(f"{fresh} tokens arrived, {ended.settled} payments settled, {freed} given up")
        for error in ended.refusals[:1]:
            typer.echo(f"waiting: {error}", err=True)
        deposit_excess(online)
        tell_balance(online)


def show_account(
    device: Store,
    holder: Holder,
    public: Public,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """The address, the deposit at the bank, and the money on this device."""
    with opened_online(device, holder, public, network) as online:
        standing = online.bank.describe_standing()
        currency = online.channel.peers.roster.genesis.currency
        balance = online.vault.get_balance()
        prefix = online.channel.peers.roster.genesis.address_prefix
        show(
            {
                "address": format_address(online.vault.keys.address, prefix),
                "deposit": currency.format(standing.deposit),
                "deposit minor": standing.deposit,
                "on the device": currency.format(balance),
                "on the device minor": balance,
                "standing": standing.status,
                **describe_switches(standing, currency),
            },
            as_json=as_json,
        )


@contextmanager
def opened_online(
    device: Path, holder: str, public: Path, network: str | None, passphrase: str | None = None
) -> Iterator[Online]:
    """The holder's wallet, and its bank over the network; asks for the passphrase if it must."""
    known = ask("passphrase") if passphrase is None else passphrase
    with opened_device(device, holder, known) as opened:
        database, vault_key = Database(device), opened.opened.vault_key
        place = get_current(SqliteDeviceNotes(database, holder, vault_key))
        account = SqliteAccountStore(database).get(get_subholder(holder, place), vault_key)
        name = CLIENT + name_device(InstitutionPublicKey(account.key.public))
        chosen = parse_network(network)
        with open_channel(public, chosen, name, account.key, account.bank) as channel:
            yield build_online(opened, database, place, account, channel, public)


def open_current(device: Device, surroundings: Surroundings) -> Vault:
    """The sub-wallet in use, as far as the device knows it by itself."""
    database, holder, key = device.database.place, device.holder, device.opened.vault_key
    place = get_current(SqliteDeviceNotes(database, holder, key))
    account = SqliteAccountStore(database).get(get_subholder(holder, place), key)
    return device.open_vault(place, account.bank, surroundings)


def build_online(
    device: Device,
    database: Database,
    place: int,
    account: Account,
    channel: Channel,
    public: Path,
) -> Online:
    """A sub-wallet, with everything that it has on its device."""
    holder, key = device.holder, device.opened.vault_key
    return Online(
        account=account,
        vault=device.open_vault(place, account.bank, surround(channel)),
        bank=ServingBankClient(channel, account.bank),
        channel=channel,
        top_ups=SqliteTopUps(database, holder, key),
        numbers=SqliteOwnPhoneStore(database, holder, key),
        public=public,
        former=tuple(device.opened.tree.spend_key(one) for one in range(place)),
        refusals=SqliteRefusalStore(database, holder),
        requests=SqliteRequestStore(database, holder, key),
        notes=SqliteDeviceNotes(database, holder, key),
    )


@contextmanager
def _ordering(
    place: Place, amount: str, order: str | None
) -> Iterator[tuple[Online, OrderId, Minor]]:
    """Wallet and bank, id and amount of what is done with them; afterwards the balance is told."""
    with opened_online(place.device, place.holder, place.public, place.network) as online:
        chosen, value = parse_order(order), parse_amount(amount, online.channel.peers)
        with naming_order(chosen):
            yield online, chosen, value
        tell_balance(online)


def add_online_commands(wallet: typer.Typer) -> None:
    """Beside those that need no bank."""
    wallet.command("open")(open_at_bank)
    wallet.command("account")(show_account)
    add_money_commands(wallet, opened_online)
    for command in (withdraw, deposit, collect):
        wallet.command(command.__name__)(command)


def build_opening(
    code: bytes, vault: Vault, account: Account, served: ServingBankClient
) -> clients.Opening:
    """With proofs that address and device are ours, and the view key for the bank alone."""
    keys, network = vault.keys, vault.surroundings.genesis.network
    device = InstitutionPublicKey(account.key.public)
    request = OpeningRequest(network, served.number, hash_code(code), keys.address, device)
    proofs = sign_opening(request, keys.spend, account.key)
    sealing = derive_transit_key(code)
    return clients.Opening(
        code=code,
        view=keys.address.view,
        spend=keys.address.spend,
        sealed_view=keys.view.seal(sealing, compute_transit_aad(network, served.name)),
        device=device,
        spend_proof=proofs.spend,
        device_proof=proofs.device,
        bank=account.bank if served.number != account.bank else None,
    )


def surround(channel: Channel) -> Surroundings:
    return Surroundings(channel.peers.roster, channel.clock, RandomIdentifiers())


def tell_balance(online: Online) -> None:
    currency = online.channel.peers.roster.genesis.currency
    typer.echo(f"balance: {currency.format(online.vault.get_balance())}")
