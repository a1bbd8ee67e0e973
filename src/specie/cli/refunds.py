"""`specie wallet refund`: money that was received goes back to whoever paid it."""

from dataclasses import replace
from typing import Annotated

import typer

from specie.cli.device_commands import Holder, Network, Public, Store, Subwallet
from specie.cli.naming import naming_order
from specie.cli.online_commands import (
    Online,
    Order,
    describe_final,
    opened_online,
    tell_balance,
    where_recorded,
)
from specie.cli.parties import parse_amount, parse_order
from specie.cli.payments import parse_payment
from specie.cli.results import AsJson
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


def refund(  # noqa: PLR0913, PLR0917  # one parameter for each option
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
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Pay back what was received, to where its payer takes it; never more than was received."""
    ref = OutputRef(parse_payment(payment))
    named = None if order is None else parse_order(order)
    with opened_online(device, holder, public, network, subwallet=subwallet) as current:
        current.collect()
        value = None if amount is None else parse_amount(amount, current.channel.peers)
        prefix = current.channel.peers.roster.genesis.address_prefix
        told = None if to is None else parse_address(to, prefix)
        with where_recorded(current, named or b"") as online:
            known = None if named is None else find_made(online, ref, named)
            chosen = known or plan_next(online, ref, value, told)
            if named is not None and known is None:
                chosen = replace(chosen, payment_id=named)
            pay_back(online, ref, chosen, as_json=as_json)


def pay_back(online: Online, ref: OutputRef, chosen: Refund, *, as_json: bool) -> None:
    """Final when it returns, and told."""
    order, payment_id = chosen.order, chosen.payment_id
    with naming_order(payment_id):
        withdrawn = withdraw_missing(online, payment_id, order.amount, as_json=as_json)
        txid = online.pay_once(order, payment_id)
    if not as_json:
        typer.echo(f"refunded: {online.currency.format(order.amount)} of {ref.hex()}")
        typer.echo(f"paid: {payment_id.hex()}")
    facts = describe_final(online, order, payment_id, txid)
    facts |= {"refund of": ref.hex(), "out of the deposit minor": withdrawn}
    tell_balance(online, facts, as_json=as_json)


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
