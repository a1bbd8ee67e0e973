"""What can be asked of the registration and of an auditor."""

from specie.remote import bank_models, models
from specie.remote.fields import Empty
from specie.remote.operations import (
    ANYONE_CALLERS,
    REGISTRATION_CALLERS,
    Operation,
)

PROVE_TIME = Operation(
    "prove_time",
    "GET",
    "/v1/time",
    Empty,
    models.NoteMessage,
    ANYONE_CALLERS,
    "A receipt of the newest header of the log.",
)
STATE_OUTPUTS = Operation(
    "state_outputs",
    "POST",
    "/v1/states",
    bank_models.StatesQuery,
    bank_models.StateMessage,
    ANYONE_CALLERS,
    "Signed: which of these outputs are unspent, as of the newest checkpoint.",
)
REGISTRATION = (PROVE_TIME, STATE_OUTPUTS)

AUDIT = Operation(
    "audit",
    "POST",
    "/v1/audit",
    models.NoteMessage,
    bank_models.SignedLines,
    REGISTRATION_CALLERS,
    "Cosign a checkpoint whose every private batch was judged again.",
)
AUDITOR = (AUDIT,)
