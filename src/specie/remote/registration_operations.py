"""What can be asked of the registration and of an auditor."""

from specie.remote import bank_models, models
from specie.remote.fields import Empty
from specie.remote.operations import (
    ANYONE_CALLERS,
    NOTARY_CALLERS,
    REGISTRATION_CALLERS,
    SIGNER_CALLERS,
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
FIND_SIGNED = Operation(
    "find_signed",
    "GET",
    "/v1/signed",
    Empty,
    models.NoteMessage,
    SIGNER_CALLERS,
    "The newest checkpoint that the asker has signed or cosigned, if its own database forgot it.",
)
REGISTRATION = (PROVE_TIME, STATE_OUTPUTS, FIND_SIGNED)

AUDIT = Operation(
    "audit",
    "POST",
    "/v1/audit",
    models.NoteMessage,
    bank_models.SignedLines,
    REGISTRATION_CALLERS,
    "Cosign a checkpoint whose every private batch was judged again.",
)
READ_JUDGED = Operation(
    "read_judged",
    "GET",
    "/v1/batches/{number}",
    models.ChunkQuery,
    models.Chunk,
    NOTARY_CALLERS,
    "A part of a private batch that was judged here, for a notary that has lost it.",
)
AUDITOR = (AUDIT, READ_JUDGED)
