"""`specie wallet pay, request, requests`: whom a payment is for, said in one of several ways."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from specie.cli.arguments import parse_network
from specie.cli.asking import ask
from specie.cli.device_commands import Holder, Network, Public, Store, Subwallet
from specie.cli.devices import Device, load_surroundings, opened_device
from specie.cli.listening import listen_to_bank
from specie.cli.naming import naming_order
from specie.cli.online_commands import (
    Online,
    Order,
    describe_final,
    opened_online,
    tell_balance,
    where_recorded,
)
from specie.cli.parties import draw_order, parse_amount, parse_order
from specie.cli.payments import format_moment
from specie.cli.refunds import refund
from specie.cli.results import AsJson, Facts, remark, tell, write_json
from specie.cli.return_addresses import draw_return_address
from specie.cli.return_requests import add_return_commands
from specie.cli.wallets import draw_qr, save_qr
from specie.cli.waterfalls import deposit_excess, withdraw_missing
from specie.crypto.addresses import Address
from specie.ports.vault import PaymentState, StoredPayment
from specie.store.request_store import SqliteRequestStore
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo, unpack_memo
from specie.tokens.name_claims import NameClaim, verify_claim
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import OrderId
from specie.values.times import Timestamp
from specie.wallet.history import IncomingToken
from specie.wallet.refunds import add_return_address
from specie.wallet.requests import (
    SCHEME,
    PaymentRequest,
    check_payable,
    choose_amount,
    compute_request_state,
    derive_payment_id,
    format_request,
    parse_request,
)
from specie.wallet.vault import rebuild_payment

_DEAD = (PaymentState.REFUSED, PaymentState.CANCELLED)


@dataclass(frozen=True, slots=True, repr=False)
class Intent:
    """Whom to pay how much, under which id of our own."""

    order: PaymentOrder
    payment_id: OrderId
    link: str = ""  # of the request that it pays
    name: str | None = None  # that a phone number's owner shows


@dataclass(frozen=True, slots=True, repr=False)
class Said:
    """What was typed behind `pay`."""

    payee: str
    amount: str | None
    order: str | None


AddToMemo = Callable[[Online, PaymentOrder], PaymentOrder]


def choose_payee(online: Online, said: Said) -> Intent:
    """By what the payee's argument is: a link, or an address of this network."""
    read: Callable[[Online, Said], Intent] = _read_payee
    if said.payee.startswith(SCHEME):
        read = _read_request
    return read(online, said)


def pay(  # noqa: PLR0913  # one parameter for each option
    payee: Annotated[
        str, typer.Argument(help="An address, a phone number (+77015550102), or a request's link.")
    ],
    device: Store,
    holder: Holder,
    public: Public,
    amount: Annotated[
        str | None, typer.Argument(help="As people write it: 12.50; a request may have its own.")
    ] = None,
    order: Order = None,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    is_named: Annotated[
        bool,
        typer.Option("--show-name/--hide-name", help="Show your registered name to the payee."),
    ] = False,
    is_refundable: Annotated[
        bool,
        typer.Option("--refundable", help="Give the payee a fresh address to return money to."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Pay; final when it returns. After a stop the same with --order goes on where it stood."""
    if is_named and is_refundable:
        reason = "--show-name or --refundable: a memo has room for one of the two"
        raise SpecieError(ErrorCode.SETTING_INVALID, reason)
    add = _add_name if is_named else _add_return_address if is_refundable else None
    with opened_online(device, holder, public, network, subwallet=subwallet) as current:
        current.collect()
        intent = choose_payee(current, Said(payee, amount, order))
        if intent.name is not None:
            remark(f"to: {intent.name or 'a name that is not shown'}", as_json=as_json)
        with where_recorded(current, intent.payment_id) as online:
            with naming_order(intent.payment_id):
                facts = _carry_out(online, intent, add, as_json=as_json)
            if not as_json:
                typer.echo(f"paid: {intent.payment_id.hex()}")
            facts["into the deposit minor"] = deposit_excess(online, as_json=as_json)
            tell_balance(online, facts, as_json=as_json)


def request(  # noqa: PLR0913, PLR0917  # one parameter for each option
    device: Store,
    holder: Holder,
    public: Public,
    amount: Annotated[
        str | None, typer.Argument(help="As people write it; without one the payer chooses.")
    ] = None,
    memo: Annotated[str, typer.Option(help="What it is for, at most 140 characters.")] = "",
    expires: Annotated[float, typer.Option(help="Hours until it counts no longer; 0: never.")] = 0,
    name: Annotated[str, typer.Option(help="What you call yourself in it.")] = "",
    qr: Annotated[
        str, typer.Option(help="Draw it as a QR code: `-` here, or into a file, .svg or .png.")
    ] = "",
    subwallet: Subwallet = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Ask to be paid: prints a link, signed with this wallet's key, for one payer."""
    surroundings = load_surroundings(public, None)
    genesis = surroundings.genesis
    with opened_device(device, holder, ask("passphrase")) as opened:
        key, place = opened.opened.vault_key, opened.choose(subwallet)
        vault = opened.open_vault(place, None, surroundings)
        now = surroundings.clock.now()
        wanted = PaymentRequest(
            network=genesis.network,
            payee=vault.keys.address,
            amount=Minor(0) if amount is None else genesis.currency.parse(amount),
            order=draw_order(),
            end_to_end_id=draw_order(),
            expiry=_compute_expiry(now, expires),
            name=name,
            text=memo,
        )
        link = format_request(wanted, vault.keys.spend, genesis.address_prefix)
        SqliteRequestStore(opened.database.place, holder, key).add_made(wanted.order, link, now)
    facts: Facts = {"order": wanted.order.hex(), "link": link, "subwallet": place}
    facts["minor"] = wanted.amount
    tell(link, facts, as_json=as_json)
    if qr == "-":
        remark(draw_qr(link), as_json=as_json)
    elif qr:
        save_qr(link, Path(qr))


def list_requests(
    device: Store,
    holder: Holder,
    public: Public,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Requests of this device and what has become of them, by what has arrived here."""
    surroundings = load_surroundings(public, parse_network(network))
    genesis, now = surroundings.genesis, surroundings.clock.now()
    with opened_device(device, holder, ask("passphrase")) as opened:
        key = opened.opened.vault_key
        made = SqliteRequestStore(opened.database.place, holder, key).load_made()
        served = opened.open_served(surroundings).values()
        received = tuple(token for one in served for token in one.load_history().received)
    rows = []
    for link in made:
        wanted = parse_request(link, genesis.network, genesis.address_prefix)
        rows.append(describe_request(wanted, received, now) | {"link": link})
    if as_json:
        typer.echo(write_json(rows))
        return
    for one in rows:
        asked = genesis.currency.format(one["minor"]) if one["minor"] else "any amount"
        got = genesis.currency.format(one["paid minor"])
        typer.echo(f"{one['order']}  {one['state']:<11} {got:>16} of {asked:<16} {one['text']}")
        for part in one["paid by"]:
            typer.echo(f"    {part['time']}  {part['output']}")


def describe_request(
    wanted: PaymentRequest, received: tuple[IncomingToken, ...], now: Timestamp
) -> dict[str, Any]:
    """By which outputs it was paid, and when they arrived here."""
    its = [one for one in received if one.memo.order_id == wanted.order]
    return {
        "order": wanted.order.hex(),
        "state": compute_request_state(wanted, [one.amount for one in its], now).value,
        "minor": wanted.amount,
        "paid minor": sum(one.amount for one in its),
        "paid by": [
            {"output": one.ref.hex(), "minor": one.amount, "time": format_moment(one.time)}
            for one in its
        ],
        "expires": format_moment(wanted.expiry) if wanted.expiry else "",
        "text": wanted.text,
    }


def add_payment_commands(wallet: typer.Typer) -> None:
    """Beside those of the device and of the bank."""
    wallet.command("pay")(pay)
    wallet.command("refund")(refund)
    wallet.command("request")(request)
    wallet.command("requests")(list_requests)
    wallet.command("listen")(listen_to_bank)
    add_return_commands(wallet)


def _read_payee(online: Online, said: Said) -> Intent:
    """By address, or by phone number: with the name that its owner shows."""
    if said.amount is None:
        raise SpecieError(ErrorCode.SETTING_INVALID, "say how much: specie wallet pay WHOM AMOUNT")
    value = parse_amount(said.amount, online.channel.peers)
    address, name = online.find_payee(said.payee)
    return Intent(PaymentOrder(address, value, Memo()), parse_order(said.order), name=name)


def _read_request(online: Online, said: Said) -> Intent:
    """Under an id that follows from the request: paid again, it is the same payment."""
    genesis = online.channel.peers.roster.genesis
    wanted = parse_request(said.payee, genesis.network, genesis.address_prefix)
    offered = None if said.amount is None else parse_amount(said.amount, online.channel.peers)
    amount = choose_amount(wanted, offered)
    payment_id = parse_order(said.order) if said.order else choose_attempt(online.device, wanted)
    if online.device.find_payment(payment_id) is None:
        check_payable(wanted, online.channel.clock.now())
    memo = Memo(order_id=wanted.order, end_to_end_id=wanted.end_to_end_id)
    return Intent(PaymentOrder(wanted.payee, amount, memo), payment_id, said.payee)


def choose_attempt(device: Device, wanted: PaymentRequest) -> OrderId:
    """The one that is under way, or the next one if those before came to nothing.

    Whichever sub-wallet it was made in: a device pays a request once.
    """
    attempt = 0
    while True:
        payment_id = derive_payment_id(wanted, attempt)
        _, known = device.find_payment(payment_id) or (0, None)
        if known is None or known.state is PaymentState.PREPARED:
            return payment_id
        if known.state not in _DEAD:
            reason = "this device has paid it; once more only with --order and a new id"
            raise SpecieError(ErrorCode.REQUEST_PAID, reason)
        attempt += 1


def _carry_out(online: Online, intent: Intent, add: AddToMemo | None, *, as_json: bool) -> Facts:
    """What is recorded already goes on as it was signed, with its name or without."""
    order, withdrawn = intent.order, Minor(0)
    known = online.vault.find_payment(intent.payment_id)
    if known is not None:
        order = _recall(known, order)
    else:
        withdrawn = withdraw_missing(online, intent.payment_id, order.amount, as_json=as_json)
        if intent.link:
            online.requests.record_paid(intent.payment_id, intent.link)
        order = order if add is None else add(online, order)
    txid = online.pay_once(order, intent.payment_id)
    facts = describe_final(online, order, intent.payment_id, txid)
    if intent.name is not None:
        facts["name"] = intent.name
    return facts | {"out of the deposit minor": withdrawn}


def _recall(known: StoredPayment, order: PaymentOrder) -> PaymentOrder:
    """With the memo that was signed, if it is this payment; else it will be found to be another."""
    for one in rebuild_payment(known).disclosure.openings:
        memo = unpack_memo(one.memo)
        is_paid = (Address(one.bank, one.view, one.spend), one.amount) == (
            order.creditor,
            order.amount,
        )
        if is_paid and memo.order_id == order.memo.order_id:
            return replace(order, memo=memo)
    return order


def _add_name(online: Online, order: PaymentOrder) -> PaymentOrder:
    """Our bank's word for our name, for this payment alone; verified before it is sent on."""
    if not any(order.memo.end_to_end_id):
        order = replace(order, memo=replace(order.memo, end_to_end_id=draw_order()))
    memo, roster = online.bank.claim_name(order), online.channel.peers.roster
    claim = NameClaim(
        network=roster.genesis.network,
        payee=order.creditor,
        amount=order.amount,
        order=memo.order_id,
        end_to_end_id=memo.end_to_end_id,
        name=memo.name,
    )
    verify_claim(claim, memo.name_signature, roster.current)
    return replace(order, memo=memo)


def _add_return_address(online: Online, order: PaymentOrder) -> PaymentOrder:
    """Our bank knows it as ours before the payee has it."""
    given = draw_return_address(online.vault, online.bank, online.notes)
    return replace(order, memo=add_return_address(order.memo, given))


def _compute_expiry(now: Timestamp, hours: float) -> Timestamp:
    if hours < 0:
        raise SpecieError(ErrorCode.SETTING_INVALID, "hours from now on")
    end = now + int(hours * 3_600_000)
    return Timestamp(end - end % 1000) if hours else Timestamp(0)
