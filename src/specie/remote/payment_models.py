"""What a device and its bank, and two banks, say to each other around payments of people."""

from typing import Annotated

from pydantic import Field

from specie.remote.acting import Tracked
from specie.remote.fields import (
    AmountField,
    ClientField,
    CodeField,
    CountField,
    Message,
    NameField,
    OrderField,
    ParticipantField,
    PointField,
    SignatureField,
    TextField,
    TimeField,
)
from specie.values.limits import PAGE_ITEMS_MAX


class NameClaimRequest(Message):
    """A client wants its registered name vouched for, for one payment."""

    bank: ParticipantField  # of the payee's address
    view: PointField
    spend: PointField
    amount: AmountField
    order: OrderField  # zeros: the payment has none
    end_to_end_id: CodeField


class SignedName(Message):
    """The registered name, as much as a memo has room for, and the bank's signature."""

    name: NameField
    signature: SignatureField


class ReturnAddressRequest(Message):
    """An address at which the client takes money back, and that it is its own."""

    bank: ParticipantField
    view: PointField
    spend: PointField
    proof: SignatureField


# --- events --------------------------------------------------------------------------------------


class EventsQuery(Message):
    """One's own events behind a number; old ones are kept only so far back."""

    start: CountField = 0
    limit: Annotated[int, Field(ge=1, le=PAGE_ITEMS_MAX)] = 100


class EventMessage(Message):
    """One event: `data` is JSON, the same as in the stream and in a webhook's message."""

    event: CountField
    kind: TextField
    time: TimeField
    data: TextField


class Events(Message):
    """In order."""

    events: list[EventMessage]


class WebhookRequest(Tracked):
    """Where a client's events are to be sent."""

    client: ClientField
    url: TextField


class WebhookSecret(Message):
    """Told once; as receivers' libraries take it."""

    secret: TextField


class WebhookClient(Tracked):
    """Whose webhook."""

    client: ClientField


class WebhooksQuery(Tracked):
    """Who looks at them."""


class WebhookMessage(Message):
    """One that is registered."""

    client: ClientField
    url: TextField


class Webhooks(Message):
    """All of them."""

    webhooks: list[WebhookMessage]


class DeadMessage(Message):
    """An event that was tried as often as it may be."""

    client: ClientField
    event: CountField
    kind: TextField
    time: TimeField
    name: TextField
    attempts: CountField
    said: TextField


class Dead(Message):
    """A page of them, the oldest first."""

    dead: list[DeadMessage]
