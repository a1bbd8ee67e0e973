"""`specie wallet return-request, return-requests, decline-return`: money paid by mistake."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from specie.cli.device_commands import Holder, Network, Public, Store, Subwallet
from specie.cli.online_commands import Online, opened_online
from specie.cli.payments import format_moment, parse_payment
from specie.cli.results import AsJson, tell, write_json
from specie.cli.return_addresses import draw_return_address
from specie.crypto.addresses import Address
from specie.ports.vault import PaymentState
from specie.remote.return_models import KeptMessage
from specie.tokens.return_requests import (
    PaidSecret,
    ReturnRequest,
    ReturnState,
    build_return_request,
    compute_return_state,
    prove_answer,
    verify_answer,
    verify_return,
)
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import OutputRef
from specie.wallet.history import History, IncomingToken, OutgoingPayment, list_refunds
from specie.wallet.refunds import PaidOutput

Reason = Annotated[str, typer.Option(help="For the other side, at most 140 characters.")]


@dataclass(frozen=True, slots=True, repr=False)
class Listed:
    """A request that was verified here, with what it is about."""

    kept: KeptMessage
    identifier: bytes  # of our payment, or of what we received
    amount: Minor
    state: ReturnState


def ask_return(
    payment: Annotated[str, typer.Argument(help="What was paid: its id, as `history` shows it.")],
    device: Store,
    holder: Holder,
    public: Public,
    reason: Reason,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Ask whoever was paid for its return, through both banks; nobody can be made to."""
    with opened_online(device, holder, public, network, subwallet=subwallet) as online:
        online.collect()
        paid, output = _get_paid(online.vault.load_history(), parse_payment(payment))
        if paid.refunded >= output.amount:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "it has come back already")
        request = _find_made(online, output.ref, reason)
        if request is None:
            creditor = draw_return_address(online.vault, online.bank, online.notes)
            secret = _get_secret(online, output.ref, output.anchor)
            now = online.channel.clock.now()
            request = build_return_request(secret, creditor, now, reason)
        online.bank.ask_return(request)
        asked = paid.payment_id.hex()
        tell(f"asked: {asked}", {"id": asked, "state": ReturnState.ASKED.value}, as_json=as_json)


def list_return_requests(
    device: Store,
    holder: Holder,
    public: Public,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """What we have asked back, and what others ask of us, the newest first; all verified here."""
    with opened_online(device, holder, public, network, subwallet=subwallet) as online:
        online.collect()
        found = load_returns(online)
        rows = [_describe(one) for one in found]
        currency = online.channel.peers.roster.genesis.currency
    if as_json:
        typer.echo(write_json(rows))
        return
    for row in rows:
        side = "by us" if row["is asked by us"] else "of us"
        amount = currency.format(row["minor"])
        typer.echo(f"{row['time']}  {side}  {row['state']:<15} {amount:>16}  {row['reason']}")
        typer.echo(f"    {row['id']}  {row['answer']}".rstrip())


def decline_return(
    payment: Annotated[str, typer.Argument(help="What was received: its id.")],
    device: Store,
    holder: Holder,
    public: Public,
    reason: Reason,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Say no to a payer who wants money back; a yes is `specie wallet refund`."""
    ref = OutputRef(parse_payment(payment))
    with opened_online(device, holder, public, network, subwallet=subwallet) as online:
        online.collect()
        history = online.vault.load_history()
        received = next((one for one in history.received if one.ref == ref), None)
        if received is None:
            raise SpecieError(ErrorCode.RETURN_REQUEST_UNKNOWN, "nothing of this id was received")
        secret = _get_secret(online, ref, received.anchor)
        online.bank.decline_return(ref, reason, prove_answer(secret, reason))
        facts = {"id": ref.hex(), "state": ReturnState.DECLINED.value}
        tell(f"declined: {ref.hex()}", facts, as_json=as_json)


def find_creditor_asked(online: Online, ref: OutputRef) -> Address | None:
    """Where a payer, who has asked for it and proven that it paid, takes this back."""
    for one in load_returns(online):
        if not one.kept.is_asked and one.kept.signed.request.ref == ref:
            return one.kept.signed.unwrap().request.creditor
    return None


def load_returns(online: Online) -> list[Listed]:
    """What the bank keeps for us; what cannot be verified here is not shown."""
    history = online.vault.load_history()
    found = [_judge(online, history, one) for one in online.bank.list_returns()]
    return [one for one in found if one is not None]


def add_return_commands(wallet: typer.Typer) -> None:
    """Beside those of payments."""
    wallet.command("return-request")(ask_return)
    wallet.command("return-requests")(list_return_requests)
    wallet.command("decline-return")(decline_return)


def _judge(online: Online, history: History, kept: KeptMessage) -> Listed | None:
    ref = kept.signed.request.ref
    if not kept.is_asked:
        received = next((one for one in history.received if one.ref == ref), None)
        return None if received is None else _judge_received(online, history, kept, received)
    for paid in history.paid:
        for output in paid.outputs:
            if output.ref == ref:
                return _judge_asked(online, kept, paid, output)
    return None


def _judge_asked(
    online: Online, kept: KeptMessage, paid: OutgoingPayment, output: PaidOutput
) -> Listed:
    """A no counts if its proof holds: a bank alone makes none for its client."""
    secret = _get_secret(online, output.ref, output.anchor)
    state = _compute(online, kept, secret, (output.amount, paid.refunded))
    return Listed(kept, paid.payment_id, output.amount, state)


def _judge_received(
    online: Online, history: History, kept: KeptMessage, received: IncomingToken
) -> Listed | None:
    secret = _get_secret(online, received.ref, received.anchor)
    try:
        verify_return(kept.signed.unwrap(), secret, online.channel.peers.roster.current)
    except SpecieError:
        return None
    made = list_refunds(history, received.ref)
    back = Minor(sum(one.amount for one in made if not one.is_dead))
    state = _compute(online, kept, secret, (received.amount, back))
    return Listed(kept, received.ref, received.amount, state)


def _compute(
    online: Online, kept: KeptMessage, secret: PaidSecret, amounts: tuple[Minor, Minor]
) -> ReturnState:
    amount, back = amounts
    asked, now = kept.signed.request.time, online.channel.clock.now()
    is_declined = kept.answer is not None and _is_answer(kept, secret)
    return compute_return_state(amount, back, asked, now, is_declined=is_declined)


def _is_answer(kept: KeptMessage, secret: PaidSecret) -> bool:
    assert kept.answer is not None, "looked at before"
    try:
        verify_answer(secret, kept.answer.text, kept.answer.proof)
    except SpecieError:
        return False
    return True


def _get_paid(history: History, payment_id: bytes) -> tuple[OutgoingPayment, PaidOutput]:
    """A payment of ours to one payee, that is final."""
    for one in history.paid:
        if one.payment_id == payment_id and len(one.outputs) == 1:
            if one.state is not PaymentState.SETTLED:
                reason = "not final: it may still come to nothing; collect first"
                raise SpecieError(ErrorCode.PAYMENT_UNKNOWN, reason)
            return one, one.outputs[0]
    raise SpecieError(ErrorCode.PAYMENT_UNKNOWN, "no payment of this id to somebody else here")


def _find_made(online: Online, ref: OutputRef, reason: str) -> ReturnRequest | None:
    """What was asked before; `order_conflict` in other words."""
    for one in online.bank.list_returns():
        request = one.signed.request
        if one.is_asked and request.ref == ref:
            if request.reason != reason:
                raise SpecieError(ErrorCode.ORDER_CONFLICT, "asked before, in other words")
            return request.unwrap()
    return None


def _get_secret(online: Online, ref: OutputRef, anchor: bytes) -> PaidSecret:
    return PaidSecret(online.channel.peers.roster.genesis.network, ref, anchor)


def _describe(one: Listed) -> dict[str, Any]:
    request, answer = one.kept.signed.request, one.kept.answer
    is_answered = answer is not None and one.state is ReturnState.DECLINED
    return {
        "time": format_moment(request.time),
        "is asked by us": one.kept.is_asked,
        "id": one.identifier.hex(),
        "minor": one.amount,
        "state": one.state.value,
        "reason": request.reason,
        "answer": answer.text if answer is not None and is_answered else "",
        "bank": one.kept.signed.bank,
    }
