"""What a bank is asked around payments of people: the log's word, requests, names, events, returns.

Money itself moves by the operations of `bank_operations`; here is what people say of it.
"""

from specie.remote import bank_models, models, payment_models
from specie.remote.fields import Empty
from specie.remote.operations import CLIENT_CALLERS, Operation

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
PAYMENTS = (LOOK_AT_TIME, LOOK_AT_OUTPUTS, CLAIM_NAME)
