"""What a bank is asked around the travel rule: by other banks, and by its own people."""

from specie.remote import travel_models as models
from specie.remote.fields import Empty
from specie.remote.operations import BANK_ALONE, OPERATOR_CALLERS, Operation

GET_TRAVEL_KEY = Operation(
    "get_travel_key",
    "GET",
    "/v1/travel-key",
    Empty,
    models.TravelKey,
    BANK_ALONE,
    "What data about who pays are sealed to.",
    since=2,
)
TELL_TRAVEL = Operation(
    "tell_travel",
    "POST",
    "/v1/travel-data",
    models.TravelMessage,
    Empty,
    BANK_ALONE,
    "As a payee's bank: keep who pays, before the payment is attested; again is the same.",
    since=2,
)
LIST_TRAVEL = Operation(
    "list_travel",
    "POST",
    "/v1/travel-searches",
    models.TravelQuery,
    models.TravelRecords,
    OPERATOR_CALLERS,
    "Who paid and who was paid, of large payments from and to other banks.",
    since=2,
)
SET_IDENTITY = Operation(
    "set_identity",
    "POST",
    "/v1/clients/{client}/identity",
    models.IdentityRequest,
    Empty,
    OPERATOR_CALLERS,
    "What the bank knows of a client, for what it tells other banks.",
    since=2,
)
TRAVEL = (GET_TRAVEL_KEY, TELL_TRAVEL, LIST_TRAVEL, SET_IDENTITY)
