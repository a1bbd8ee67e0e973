"""What a bank is asked around payments of people: the log's word, requests, names, events, returns.

Money itself moves by the operations of `bank_operations`; here is what people say of it.
"""

from specie.remote import bank_models, models, payment_models
from specie.remote.fields import Empty
from specie.remote.operations import CLIENT_CALLERS, OPERATOR_CALLERS, Operation

LOOK_AT_TIME = Operation(
    "look_at_time",
    "GET",
    "/v1/log/time",
    Empty,
    models.NoteMessage,
    CLIENT_CALLERS,
    "The registration's receipt of the newest header, passed on: it need not know who asks.",
)
LOOK_AT_OUTPUTS = Operation(
    "look_at_outputs",
    "POST",
    "/v1/log/states",
    bank_models.StatesQuery,
    bank_models.StateMessage,
    CLIENT_CALLERS,
    "The registration's signed word on which of these are spent, passed on.",
)
CLAIM_NAME = Operation(
    "claim_name",
    "POST",
    "/v1/name-claims",
    payment_models.NameClaimRequest,
    payment_models.SignedName,
    CLIENT_CALLERS,
    "The client's registered name, signed for one payment that it is about to make.",
)
LIST_EVENTS = Operation(
    "list_events",
    "GET",
    "/v1/events",
    payment_models.EventsQuery,
    payment_models.Events,
    CLIENT_CALLERS,
    "What has happened to the client's payments, behind a number.",
)
STREAM_EVENTS = Operation(
    "stream_events",
    "GET",
    "/v1/events/stream",
    Empty,
    payment_models.EventMessage,
    CLIENT_CALLERS,
    "The same as server-sent events, as they happen; `last-event-id` goes on where it ended.",
)
SET_WEBHOOK = Operation(
    "set_webhook",
    "POST",
    "/v1/webhooks",
    payment_models.WebhookRequest,
    payment_models.WebhookSecret,
    OPERATOR_CALLERS,
    "A client's events go there from now on; gives the secret that signs them.",
)
REMOVE_WEBHOOK = Operation(
    "remove_webhook",
    "POST",
    "/v1/webhooks/{client}/removal",
    payment_models.WebhookClient,
    Empty,
    OPERATOR_CALLERS,
    "Nothing more is sent there.",
)
LIST_WEBHOOKS = Operation(
    "list_webhooks",
    "GET",
    "/v1/webhooks",
    payment_models.WebhooksQuery,
    payment_models.Webhooks,
    OPERATOR_CALLERS,
    "All that are registered, without their secrets.",
)
LIST_DEAD = Operation(
    "list_dead",
    "GET",
    "/v1/webhooks/dead",
    payment_models.WebhooksQuery,
    payment_models.Dead,
    OPERATOR_CALLERS,
    "Events that were tried as often as they may be.",
)
REPLAY_WEBHOOK = Operation(
    "replay_webhook",
    "POST",
    "/v1/webhooks/{client}/replay",
    payment_models.WebhookClient,
    bank_models.Size,
    OPERATOR_CALLERS,
    "A client's dead events are on their way again; gives how many.",
)
PAYMENTS = (
    LOOK_AT_TIME,
    LOOK_AT_OUTPUTS,
    CLAIM_NAME,
    LIST_EVENTS,
    STREAM_EVENTS,
    SET_WEBHOOK,
    REMOVE_WEBHOOK,
    LIST_WEBHOOKS,
    LIST_DEAD,
    REPLAY_WEBHOOK,
)
