"""Account access consents: what a client says to its bank of them, and what a reader asks (T3)."""

from specie.remote import consent_models as consents
from specie.remote.fields import Empty
from specie.remote.operations import CLIENT_CALLERS, READER_CALLERS, Operation

GIVE_CONSENT = Operation(
    "give_consent",
    "POST",
    "/v1/account-access-consents",
    consents.ConsentMessage,
    consents.ConsentShown,
    CLIENT_CALLERS,
    "Let a reader read one's account within a scope and until an end; again is the same.",
    since=2,
)
LIST_CONSENTS = Operation(
    "list_consents",
    "GET",
    "/v1/account-access-consents",
    Empty,
    consents.ConsentsShown,
    CLIENT_CALLERS,
    "All consents that one ever gave, and how each stands.",
    since=2,
)
REVOKE_CONSENT = Operation(
    "revoke_consent",
    "POST",
    "/v1/account-access-consents/revocations",
    consents.ConsentRevocation,
    consents.ConsentShown,
    CLIENT_CALLERS,
    "At once and for good; again is the same.",
    since=2,
)
LIST_READINGS = Operation(
    "list_readings",
    "GET",
    "/v1/account-access-consents/readings",
    consents.ReadingsQuery,
    consents.Readings,
    CLIENT_CALLERS,
    "Who has read one's account, and when.",
    since=2,
)
READ_TRANSACTIONS = Operation(
    "read_transactions",
    "POST",
    "/v1/account-information/transactions",
    consents.TransactionsQuery,
    consents.AccountTransactions,
    READER_CALLERS,
    "A page of a client's payments, with its consent; the reading is recorded.",
    since=2,
)
READ_BALANCES = Operation(
    "read_balances",
    "POST",
    "/v1/account-information/balances",
    consents.BalancesQuery,
    consents.AccountBalances,
    READER_CALLERS,
    "A client's balances, with its consent; the reading is recorded.",
    since=2,
)
CONSENTS = (
    GIVE_CONSENT,
    LIST_CONSENTS,
    REVOKE_CONSENT,
    LIST_READINGS,
    READ_TRANSACTIONS,
    READ_BALANCES,
)
