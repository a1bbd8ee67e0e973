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
from specie.cli.asking import ask
from specie.cli.device_commands import Holder, Network, Public, Store, Subwallet
from specie.cli.devices import Device, opened_device
from specie.cli.names import record_names
from specie.cli.naming import naming_order
from specie.cli.parties import draw_order, open_channel, parse_amount, parse_order
from specie.cli.phones import open_phone
from specie.cli.results import AsJson, Facts, remark, show, spell_amount, tell
from specie.cli.return_addresses import show_return_addresses
from specie.cli.trust import load_trust
from specie.cli.waterfalls import (
    add_money_commands,
    deposit_excess,
    describe_switches,
    naming_limit,
)
from specie.crypto.addresses import Address, format_address, parse_address
from specie.crypto.secrets import SpendKey
from specie.flows.receiving import collect as collect_outputs
from specie.flows.sending import Ended, give_up, send, send_again
from specie.identity.codes import hash_code
from specie.ledger.transactions import Promise
from specie.ports.top_ups import TopUps
from specie.ports.vault import PaymentState
from specie.remote import client_models as clients
from specie.remote.channel import Channel
from specie.remote.peers import CLIENT
from specie.remote.serving_bank import ServingBankClient
from specie.store.account_store import Account, SqliteAccountStore
from specie.store.device_notes import SqliteDeviceNotes
from specie.store.device_store import name_device
from specie.store.own_phone_store import SqliteOwnPhoneStore
from specie.store.refusal_store import SqliteRefusalStore
from specie.store.request_store import SqliteRequestStore
from specie.store.top_up_store import SqliteTopUps
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo, unpack_memo
from specie.values.amounts import Currency, Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    InstitutionPublicKey,
    OrderId,
    ParticipantNumber,
    TransactionId,
)
from specie.values.limits import LOST_SUBWALLETS_MAX
from specie.values.phones import parse_phone
from specie.wallet.keys import get_subholder
from specie.wallet.phone import HolderPhone
from specie.wallet.statuses import PaymentStatus
from specie.wallet.vault import Surroundings, Vault, rebuild_payment

AmountText = Annotated[str, typer.Argument(help="As people write it: 12.50")]
Order = Annotated[str | None, typer.Option(help="Order id, 32 hex digits; else a new one.")]


@dataclass(slots=True, repr=False)
class Online:
    """One sub-wallet of a device with its bank at hand."""

    device: Device
    place: int
    account: Account
    vault: Vault
    bank: ServingBankClient
    channel: Channel
    top_ups: TopUps
    numbers: SqliteOwnPhoneStore
    public: Path
    network: str | None
    former: tuple[SpendKey, ...]  # of the other sub-wallets, which the number may have paid
    refusals: SqliteRefusalStore
    requests: SqliteRequestStore
    notes: SqliteDeviceNotes

    @property
    def currency(self) -> Currency:
        """The network's."""
        return self.channel.peers.roster.genesis.currency

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

    def find_payee(self, text: str) -> tuple[Address, str | None]:
        """By address, or by phone number: then by the directory, and with the name it shows."""
        prefix = self.channel.peers.roster.genesis.address_prefix
        if not text.strip().startswith("+"):
            return parse_address(text, prefix), None
        entry = self.phone.find(parse_phone(text))
        return entry.address, entry.name

    def pay(self, request: PaymentOrder, payment_id: bytes) -> Promise:
        """Recorded on the device before it leaves."""
        is_recorded = self.vault.find_payment(payment_id) is not None
        while not is_recorded and not self.vault.can_pay(request.amount):
            merge = self.vault.prepare_merge(draw_order())
            self.vault.settle(merge.payment_id, self.bank.pay(merge.built))
        prepared = self.vault.prepare_payment([request], payment_id)
        with naming_limit(self):
            return send(prepared, self.vault, self.bank, self.refusals, self.channel.clock)

    def pay_once(self, request: PaymentOrder, payment_id: bytes) -> TransactionId:
        """The same, but what is final here needs no bank: its account may be closed by now."""
        known = self.vault.find_payment(payment_id)
        if known is not None and known.state is PaymentState.SETTLED:
            return self.vault.prepare_payment([request], payment_id).built.signed.txid
        return self.pay(request, payment_id).txid


def open_at_bank(
    code: Annotated[str, typer.Argument(help="The bank's one-time code.")],
    device: Store,
    holder: Holder,
    public: Public,
    bank: Annotated[int, typer.Option(help="Number of the bank.")],
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Open the wallet at a bank, with the code that the bank gave its holder.

    Is your bank lost, name it nevertheless: with a code of its successor, your money goes there.
    With --subwallet: one more wallet under the same phrase, at this or at another bank.
    """
    number = ParticipantNumber(bank)
    with opened_device(device, holder, ask("passphrase")) as opened:
        place, store = opened.choose(subwallet), SqliteAccountStore(opened.database.place)
        check_to_be_opened(place)
        name = get_subholder(holder, place)
        account = store.prepare(name, number, opened.opened.vault_key)
        chosen = parse_network(network)
        with open_channel(public, chosen, "device", account.key, number) as channel:
            surroundings = surround(channel)
            vault = opened.open_vault(place, bank, surroundings)
            served = ServingBankClient(channel, number)
            request = build_opening(parse_order(code), vault, account, served)
            client = served.open_wallet(request)
            store.record_client(name, client)
        address = format_address(vault.keys.address, surroundings.genesis.address_prefix)
        if not as_json:
            typer.echo(address)
        facts: Facts = {"subwallet": place, "bank": bank, "client": client, "address": address}
        if served.number != number:
            facts |= _claim(opened, place, public, network, as_json=as_json)
        tell("", facts, as_json=as_json)


def withdraw(
    amount: AmountText,
    device: Store,
    holder: Holder,
    public: Public,
    order: Order = None,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Take money out of the deposit: tokens on this device."""
    with opened_online(device, holder, public, network, subwallet=subwallet) as online:
        chosen, value = parse_order(order), parse_amount(amount, online.channel.peers)
        with naming_order(chosen):
            online.bank.withdraw(chosen, value)
            online.collect()
        facts = {"order": chosen.hex(), **spell_amount(online.currency, value)}
        tell_balance(online, facts, as_json=as_json)


def deposit(
    amount: AmountText,
    device: Store,
    holder: Holder,
    public: Public,
    order: Order = None,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Pay money of this device into the deposit."""
    with opened_online(device, holder, public, network, subwallet=subwallet) as current:
        chosen, value = parse_order(order), parse_amount(amount, current.channel.peers)
        with naming_order(chosen), where_recorded(current, chosen) as online:
            txid = _find_deposited(online.vault, chosen, value)
            if txid is None:
                online.collect()
                address = online.bank.expect_deposit(chosen, value)
                made = PaymentOrder(address, value, Memo(order_id=chosen))
                txid = online.pay(made, chosen).txid
            facts = {"order": chosen.hex(), "transaction": txid.hex()}
            facts |= spell_amount(online.currency, value)
            tell_balance(online, facts, as_json=as_json)


def collect(
    device: Store,
    holder: Holder,
    public: Public,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Fetch what has arrived, and hear about payments that were cut off."""
    with opened_online(device, holder, public, network, subwallet=subwallet) as online:
        fresh, ended = online.collect(), online.resume()
        trust = load_trust(public, parse_network(network))
        freed = give_up(online.vault, online.bank, trust)
        fresh += online.collect()
        told = f"{fresh} tokens arrived, {ended.settled} payments settled, {freed} given up"
        if not as_json:
            typer.echo(told)
        for error in ended.refusals[:1]:
            typer.echo(f"waiting: {error}", err=True)
        facts: Facts = {"arrived": fresh, "settled": ended.settled, "given up": freed}
        facts["waiting"] = [error.code.value for error in ended.refusals]
        facts["into the deposit minor"] = deposit_excess(online, as_json=as_json)
        tell_balance(online, facts, as_json=as_json)


def show_account(
    device: Store,
    holder: Holder,
    public: Public,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """The address, the deposit at the bank, and the money on this device."""
    with opened_online(device, holder, public, network, subwallet=subwallet) as online:
        standing = online.bank.describe_standing()
        currency = online.currency
        balance = online.vault.get_balance()
        prefix = online.channel.peers.roster.genesis.address_prefix
        show(
            {
                "subwallet": online.place,
                "bank": online.account.bank,
                "client": online.account.client,
                "address": format_address(online.vault.keys.address, prefix),
                "deposit": currency.format(standing.deposit),
                "deposit minor": standing.deposit,
                "on the device": currency.format(balance),
                "on the device minor": balance,
                "standing": standing.status,
                **describe_switches(standing, currency, as_json=as_json),
            },
            as_json=as_json,
        )


@contextmanager
def opened_online(
    device: Path,
    holder: str,
    public: Path,
    network: str | None,
    passphrase: str | None = None,
    subwallet: int | None = None,
) -> Iterator[Online]:
    """One of the holder's sub-wallets, the one in use if none is named, and its bank over the
    network; asks for the passphrase if it must."""
    known = ask("passphrase") if passphrase is None else passphrase
    with opened_device(device, holder, known) as opened:
        place = opened.choose(subwallet)
        with online_at(opened, place, public, network) as online:
            yield online


@contextmanager
def online_at(device: Device, place: int, public: Path, network: str | None) -> Iterator[Online]:
    """A sub-wallet at its bank; `client_unknown` if none has opened it."""
    database, holder, key = device.database.place, device.holder, device.opened.vault_key
    account = SqliteAccountStore(database).get(get_subholder(holder, place), key)
    name = CLIENT + name_device(InstitutionPublicKey(account.key.public))
    chosen, others = parse_network(network), {*range(place), *device.list_places()} - {place}
    with open_channel(public, chosen, name, account.key, account.bank) as channel:
        yield Online(
            device=device,
            place=place,
            account=account,
            vault=device.open_vault(place, account.bank, surround(channel)),
            bank=ServingBankClient(channel, account.bank),
            channel=channel,
            top_ups=SqliteTopUps(database, holder, key),
            numbers=SqliteOwnPhoneStore(database, holder, key),
            public=public,
            network=network,
            former=tuple(device.opened.tree.spend_key(one) for one in sorted(others)),
            refusals=SqliteRefusalStore(database, holder),
            requests=SqliteRequestStore(database, holder, key),
            notes=device.notes,
        )


@contextmanager
def where_recorded(online: Online, payment_id: bytes) -> Iterator[Online]:
    """The sub-wallet that has recorded a payment, whichever is in use by now; else this one.

    The same order again is the same payment, also after a move to another bank.
    """
    found = online.device.find_payment(payment_id)
    if found is None or found[0] == online.place:
        yield online
        return
    with online_at(online.device, found[0], online.public, online.network) as other:
        yield other


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


def check_to_be_opened(place: int) -> None:
    """`limit_exceeded` for one that would not be looked for after a loss."""
    if not 0 <= place < LOST_SUBWALLETS_MAX:
        reason = f"sub-wallets 0 to {LOST_SUBWALLETS_MAX - 1}: no others are found after a loss"
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, reason)


def describe_final(
    online: Online, order: PaymentOrder, payment_id: bytes, txid: TransactionId
) -> Facts:
    """A payment that is final, for programs; the names are those of a history."""
    prefix = online.channel.peers.roster.genesis.address_prefix
    about: Facts = {"id": payment_id.hex(), "transaction": txid.hex()}
    about |= {"state": PaymentStatus.SETTLED.value, "to": format_address(order.creditor, prefix)}
    return about | spell_amount(online.currency, order.amount)


def tell_balance(online: Online, facts: Facts, *, as_json: bool) -> None:
    """What was done, for programs; people are told what there is now."""
    balance = online.vault.get_balance()
    whole = {"subwallet": online.place, **facts}
    whole |= spell_amount(online.currency, balance, "balance")
    tell(f"balance: {online.currency.format(balance)}", whole, as_json=as_json)


def _claim(
    device: Device, place: int, public: Path, network: str | None, *, as_json: bool
) -> Facts:
    """Our tokens of a bank that is lost, at its successor."""
    with online_at(device, place, public, network) as online:
        tokens = online.vault.load_unspent()
        if not tokens:
            return {"tokens": 0, "tokens served": 0}
        show_return_addresses(online.vault, online.bank, tokens)
        taken, number = online.bank.claim_tokens(tokens), online.bank.number
    remark(f"{taken} of {len(tokens)} tokens are served by bank {number}", as_json=as_json)
    return {"tokens": len(tokens), "tokens served": taken, "served by bank": number}


def _find_deposited(vault: Vault, order: OrderId, amount: Minor) -> TransactionId | None:
    """If it is final already; `order_conflict` if the id was used for something else."""
    known = vault.find_payment(order)
    if known is None or known.state is not PaymentState.SETTLED:
        return None
    for one in rebuild_payment(known).disclosure.openings:
        if one.amount == amount and unpack_memo(one.memo).order_id == order:
            return known.txid
    raise SpecieError(ErrorCode.ORDER_CONFLICT, "this id was used for something else")
