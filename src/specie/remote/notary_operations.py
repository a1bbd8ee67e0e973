"""What can be asked of the notary."""

from specie.remote import models
from specie.remote.fields import Empty
from specie.remote.operations import (
    AUDITOR_CALLERS,
    BANK_CALLERS,
    SERVICE_CALLERS,
    Operation,
)

NOTARISE = Operation(
    "notarise",
    "POST",
    "/v1/payments",
    models.Submission,
    models.Outcomes,
    BANK_CALLERS,
    "Notarise attested transactions; each has its own outcome, final and durable.",
)
FIND_PROMISE = Operation(
    "find_promise",
    "GET",
    "/v1/promises/{txid}",
    models.TransactionQuery,
    models.FoundPromise,
    SERVICE_CALLERS,
    "The promise of a transaction, if it is final.",
)
FIND_VOID = Operation(
    "find_void",
    "GET",
    "/v1/voids/{txid}",
    models.TransactionQuery,
    models.FoundPromise,
    SERVICE_CALLERS,
    "The promise that a transaction is never final, if it was cancelled.",
)
VOID = Operation(
    "void",
    "POST",
    "/v1/voids",
    models.VoidMessage,
    models.PromiseMessage,
    BANK_CALLERS,
    "Cancel a transaction that is not final, for good.",
)
GET_SUPPLY = Operation(
    "get_supply",
    "GET",
    "/v1/supply",
    Empty,
    models.SupplyMessage,
    SERVICE_CALLERS,
    "Serial and total of the currency.",
)
GET_PUBLICATION = Operation(
    "get_publication",
    "GET",
    "/v1/publication",
    Empty,
    models.Publication,
    SERVICE_CALLERS,
    "When the log was last published, and what the next batch wants.",
)
LIST_LEAVES = Operation(
    "list_leaves",
    "GET",
    "/v1/leaves",
    models.LeavesQuery,
    models.Leaves,
    SERVICE_CALLERS,
    "A page of the published log.",
)
GET_CHECKPOINT = Operation(
    "get_checkpoint",
    "GET",
    "/v1/checkpoint",
    Empty,
    models.NoteMessage,
    SERVICE_CALLERS,
    "The log's own signed checkpoint.",
)
READ_BATCH = Operation(
    "read_batch",
    "GET",
    "/v1/batches/{number}",
    models.ChunkQuery,
    models.Chunk,
    AUDITOR_CALLERS,
    "A part of a full private batch, for auditors.",
)
NOTARY = (
    NOTARISE,
    FIND_PROMISE,
    FIND_VOID,
    VOID,
    GET_SUPPLY,
    GET_PUBLICATION,
    LIST_LEAVES,
    GET_CHECKPOINT,
    READ_BATCH,
)
