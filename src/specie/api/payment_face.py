"""What a bank offers around payments of people."""

from collections.abc import Sequence

from specie.api.acting import name_operator, note, noting
from specie.api.gate import Asking, Offer
from specie.api.return_face import offer_returns
from specie.assembly.bank_process import BankProcess
from specie.bank.events import format_secret, name_event
from specie.bank.naming import NamedPayment
from specie.crypto.addresses import Address
from specie.remote import bank_models, models
from specie.remote import payment_models as said
from specie.remote import payment_operations as payments
from specie.remote.fields import Empty
from specie.values.identifiers import ClientId


def offer_payments(process: BankProcess) -> Sequence[Offer]:
    """Everything."""
    return (
        *_offer_log(process),
        *_offer_names(process),
        *offer_returns(process),
        *_offer_events(process),
        *_offer_webhooks(process),
    )


def _offer_log(process: BankProcess) -> Sequence[Offer]:
    """Whoever waits for an answer verifies both; a device is seen by its own bank alone."""

    def look_at_time(_: Asking, _request: Empty) -> models.NoteMessage:
        return models.NoteMessage(note=process.registration.prove_time())

    def look_at_outputs(_: Asking, request: bank_models.StatesQuery) -> bank_models.StateMessage:
        return bank_models.StateMessage.wrap(process.registration.state_outputs(request.refs))

    return (
        (payments.LOOK_AT_TIME, look_at_time),
        (payments.LOOK_AT_OUTPUTS, look_at_outputs),
    )


def _offer_names(process: BankProcess) -> Sequence[Offer]:
    def claim(asking: Asking, request: said.NameClaimRequest) -> said.SignedName:
        client = process.get_client(ClientId(asking.name))
        payee = Address(request.bank, request.view, request.spend)
        payment = NamedPayment(payee, request.amount, request.order, request.end_to_end_id)
        name, signature = process.payments.names.vouch(client, payment)
        return said.SignedName(name=name, signature=signature)

    return ((payments.CLAIM_NAME, claim),)


def _offer_events(process: BankProcess) -> Sequence[Offer]:
    def list_events(asking: Asking, request: said.EventsQuery) -> said.Events:
        found = process.payments.events.load(ClientId(asking.name), request.start, request.limit)
        return said.Events(
            events=[
                said.EventMessage(
                    event=one.number, kind=one.kind.value, time=one.time, data=one.data
                )
                for one in found
            ]
        )

    return ((payments.LIST_EVENTS, list_events),)


def _offer_webhooks(process: BankProcess) -> Sequence[Offer]:
    store = process.payments.events

    def set_webhook(_: Asking, request: said.WebhookRequest) -> said.WebhookSecret:
        process.get_client(request.client)
        made = process.payments.webhooks.draw(request.client, request.url)
        with noting(process, name_operator(request), "webhook", request.client, request.url):
            process.payments.register_webhook(made)
        return said.WebhookSecret(secret=format_secret(made.secret))

    def remove(_: Asking, request: said.WebhookClient) -> Empty:
        with noting(process, name_operator(request), "webhook-removed", request.client):
            process.payments.remove_webhook(request.client)
        return Empty()

    def list_webhooks(_: Asking, request: said.WebhooksQuery) -> said.Webhooks:
        note(process, request, "webhooks")
        found = store.load_webhooks()
        return said.Webhooks(
            webhooks=[said.WebhookMessage(client=one.client, url=one.url) for one in found]
        )

    def list_dead(_: Asking, request: said.WebhooksQuery) -> said.Dead:
        note(process, request, "webhooks-dead")
        dead = [
            said.DeadMessage(
                client=one.event.client,
                event=one.event.number,
                kind=one.event.kind.value,
                time=one.event.time,
                name=name_event(one.event),
                attempts=one.attempts,
                said=one.said,
            )
            for one in store.list_dead()
        ]
        return said.Dead(dead=dead)

    def replay(_: Asking, request: said.WebhookClient) -> bank_models.Size:
        with noting(process, name_operator(request), "webhook-replay", request.client):
            return bank_models.Size(size=store.replay(request.client, process.base.clock.now()))

    return (
        (payments.SET_WEBHOOK, set_webhook),
        (payments.REMOVE_WEBHOOK, remove),
        (payments.LIST_WEBHOOKS, list_webhooks),
        (payments.LIST_DEAD, list_dead),
        (payments.REPLAY_WEBHOOK, replay),
    )
