"""What a bank is asked around payments of people: the log's word, requests, names, events, returns.

Money itself moves by the operations of `bank_operations`; here is what people say of it.
"""

from specie.remote import bank_models, models, payment_models, return_models
from specie.remote.fields import Empty
from specie.remote.operations import BANK_ALONE, CLIENT_CALLERS, OPERATOR_CALLERS, Operation

LOOK_AT_TIME = Operation(
    "look_at_time",
    "GET",
    "/v1/log/time",
    Empty,
    models.NoteMessage,
    CLIENT_CALLERS,
    "The registration's receipt of the newest header, passed on: it need not know who asks.",
    since=2,
)
LOOK_AT_OUTPUTS = Operation(
    "look_at_outputs",
    "POST",
    "/v1/log/states",
    bank_models.StatesQuery,
    bank_models.StateMessage,
    CLIENT_CALLERS,
    "The registration's signed word on which of these are spent, passed on.",
    since=2,
)
CLAIM_NAME = Operation(
    "claim_name",
    "POST",
    "/v1/name-claims",
    payment_models.NameClaimRequest,
    payment_models.SignedName,
    CLIENT_CALLERS,
    "The client's registered name, signed for one payment that it is about to make.",
    since=2,
)
ADD_RETURN_ADDRESS = Operation(
    "add_return_address",
    "POST",
    "/v1/return-addresses",
    payment_models.ReturnAddressRequest,
    Empty,
    CLIENT_CALLERS,
    "What is paid there is the client's as well; each is given to one payee alone.",
    since=2,
)
ASK_RETURN = Operation(
    "ask_return",
    "POST",
    "/v1/return-requests",
    return_models.ReturnMessage,
    Empty,
    CLIENT_CALLERS,
    "Ask the payee of a payment for its return; again is the same, and is told again.",
    since=2,
)
LIST_RETURNS = Operation(
    "list_returns",
    "GET",
    "/v1/return-requests",
    Empty,
    return_models.Returns,
    CLIENT_CALLERS,
    "What the client has asked back, and what it is asked for, the newest first.",
    since=2,
)
DECLINE_RETURN = Operation(
    "decline_return",
    "POST",
    "/v1/return-requests/answers",
    return_models.AnswerMessage,
    Empty,
    CLIENT_CALLERS,
    "Say no to a payer who asks; a yes is a refund.",
    since=2,
)
RELAY_RETURN = Operation(
    "relay_return",
    "POST",
    "/v1/relayed-returns",
    return_models.SignedReturnMessage,
    Empty,
    BANK_ALONE,
    "As a payee's bank: keep for its client what the caller's client asks.",
    since=2,
)
RELAY_ANSWER = Operation(
    "relay_answer",
    "POST",
    "/v1/relayed-answers",
    return_models.AnswerMessage,
    Empty,
    BANK_ALONE,
    "As a payer's bank: keep for its client what the caller's client answers.",
    since=2,
)
LIST_EVENTS = Operation(
    "list_events",
    "GET",
    "/v1/events",
    payment_models.EventsQuery,
    payment_models.Events,
    CLIENT_CALLERS,
    "What has happened to the client's payments, behind a number.",
    since=2,
)
STREAM_EVENTS = Operation(
    "stream_events",
    "GET",
    "/v1/events/stream",
    Empty,
    payment_models.EventMessage,
    CLIENT_CALLERS,
    "The same as server-sent events, as they happen; `last-event-id` goes on where it ended.",
    since=2,
)
SET_WEBHOOK = Operation(
    "set_webhook",
    "POST",
    "/v1/webhooks",
    payment_models.WebhookRequest,
    payment_models.WebhookSecret,
    OPERATOR_CALLERS,
    "A client's events go there from now on; gives the secret that signs them.",
    since=2,
)
REMOVE_WEBHOOK = Operation(
    "remove_webhook",
    "POST",
    "/v1/webhooks/{client}/removal",
    payment_models.WebhookClient,
    Empty,
    OPERATOR_CALLERS,
    "Nothing more is sent there.",
    since=2,
)
LIST_WEBHOOKS = Operation(
    "list_webhooks",
    "GET",
    "/v1/webhooks",
    payment_models.WebhooksQuery,
    payment_models.Webhooks,
    OPERATOR_CALLERS,
    "All that are registered, without their secrets.",
    since=2,
)
LIST_DEAD = Operation(
    "list_dead",
    "GET",
    "/v1/webhooks/dead",
    payment_models.WebhooksQuery,
    payment_models.Dead,
    OPERATOR_CALLERS,
    "Events that were tried as often as they may be.",
    since=2,
)
REPLAY_WEBHOOK = Operation(
    "replay_webhook",
    "POST",
    "/v1/webhooks/{client}/replay",
    payment_models.WebhookClient,
    bank_models.Size,
    OPERATOR_CALLERS,
    "A client's dead events are on their way again; gives how many.",
    since=2,
)
PAYMENTS = (
    LOOK_AT_TIME,
    LOOK_AT_OUTPUTS,
    CLAIM_NAME,
    ADD_RETURN_ADDRESS,
    ASK_RETURN,
    LIST_RETURNS,
    DECLINE_RETURN,
    RELAY_RETURN,
    RELAY_ANSWER,
    LIST_EVENTS,
    STREAM_EVENTS,
    SET_WEBHOOK,
    REMOVE_WEBHOOK,
    LIST_WEBHOOKS,
    LIST_DEAD,
    REPLAY_WEBHOOK,
)
