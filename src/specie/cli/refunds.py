"""`specie wallet refund`: money that was received goes back to whoever paid it."""

from dataclasses import replace
from typing import Annotated

import typer

from specie.cli.device_commands import Holder, Network, Public, Store
from specie.cli.naming import naming_order
from specie.cli.online_commands import Online, Order, opened_online, tell_balance
from specie.cli.parties import parse_amount, parse_order
from specie.cli.payments import parse_payment
from specie.cli.return_requests import find_creditor_asked
from specie.cli.waterfalls import withdraw_missing
from specie.crypto.addresses import Address, parse_address
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import unpack_memo
from specie.tokens.memo_notes import RefundReference, ReturnAddress
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import OrderId, OutputRef
from specie.wallet.history import History, list_refunds
from specie.wallet.refunds import Original, Refund, choose_creditor, plan_refund
from specie.wallet.vault import rebuild_payment

Payment = Annotated[str, typer.Argument(help="What was received: its id, as `history` shows it.")]


def refund(  # one parameter for each option
    payment: Payment,
    device: Store,
    holder: Holder,
    public: Public,
    amount: Annotated[
        str | None, typer.Argument(help="As people write it; without one all that is left of it.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(help="An address, if the payer gave none with the payment.")
    ] = None,
    order: Order = None,
    network: Network = None,
) -> None:
    """Pay back what was received, to where its payer takes it; never more than was received."""
    ref = OutputRef(parse_payment(payment))
    with opened_online(device, holder, public, network) as online:
        online.collect()
        value = None if amount is None else parse_amount(amount, online.channel.peers)
        prefix = online.channel.peers.roster.genesis.address_prefix
        told = None if to is None else parse_address(to, prefix)
        known = None if order is None else find_made(online, ref, parse_order(order))
        chosen = known or plan_next(online, ref, value, told)
        if order is not None and known is None:
            chosen = replace(chosen, payment_id=parse_order(order))
        pay_back(online, ref, chosen)


def pay_back(online: Online, ref: OutputRef, chosen: Refund) -> None:
    """Final when it returns, and told."""
    with naming_order(chosen.payment_id):
        withdraw_missing(online, chosen.payment_id, chosen.order.amount)
        online.pay(chosen.order, chosen.payment_id)
    currency = online.channel.peers.roster.genesis.currency
    typer.echo(f"refunded: {currency.format(chosen.order.amount)} of {ref.hex()}")
    typer.echo(f"paid: {chosen.payment_id.hex()}")
    tell_balance(online)


def find_made(online: Online, ref: OutputRef, payment_id: OrderId) -> Refund | None:
    """A refund that was recorded under this id, as it was signed; None if there is none."""
    known = online.vault.find_payment(payment_id)
    if known is None:
        return None
    for one in rebuild_payment(known).disclosure.openings:
        memo = unpack_memo(one.memo)
        if isinstance(memo.note, RefundReference) and memo.note.ref == ref:
            creditor = Address(one.bank, one.view, one.spend)
            return Refund(PaymentOrder(creditor, one.amount, memo), payment_id)
    raise SpecieError(ErrorCode.ORDER_CONFLICT, "this id was used for something else")


def plan_next(online: Online, ref: OutputRef, amount: Minor | None, told: Address | None) -> Refund:
    """`payment_unknown` unless we have received it, and all that `wallet/refunds.py` refuses."""
    history = online.vault.load_history()
    original = get_original(history, ref)
    if told is None and not isinstance(original.memo.note, ReturnAddress):
        told = find_creditor_asked(online, ref)
    creditor = choose_creditor(original, told)
    if creditor == online.vault.keys.address:
        raise SpecieError(ErrorCode.SETTING_INVALID, "this wallet's own address: nothing goes back")
    network = online.channel.peers.roster.genesis.network
    return plan_refund(original, list_refunds(history, ref), creditor, amount, network)


def get_original(history: History, ref: OutputRef) -> Original:
    """`payment_unknown` unless this wallet has received it."""
    for one in history.received:
        if one.ref == ref:
            return Original(one.ref, one.amount, one.anchor, one.memo)
    raise SpecieError(ErrorCode.PAYMENT_UNKNOWN, "nothing of this id was received here")
