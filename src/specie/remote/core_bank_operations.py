"""What a bank's gateway asks of a core system, and what else the sample core bank offers.

An integrator builds the first seven; docs/core-bank.md says what each has to guarantee.
"""

from specie.identity.services import ServiceRole
from specie.remote import core_bank_models as core
from specie.remote.fields import Empty
from specie.remote.operations import BANK_ALONE, OPERATOR_CALLERS, Caller, Callers, Operation

_BOTH: Callers = frozenset({ServiceRole.BANK, Caller.OPERATOR})

FIND_ACCOUNTS = Operation(
    "find_core_accounts",
    "GET",
    "/v1/accounts",
    core.Customer,
    core.CoreAccounts,
    _BOTH,
    "Which accounts a customer has.",
)
GET_ACCOUNT = Operation(
    "get_core_account",
    "GET",
    "/v1/accounts/{account}",
    core.CoreAccountQuery,
    core.CoreAccountRecord,
    _BOTH,
    "Whose an account is, and what is on it.",
)
HOLD = Operation(
    "hold_funds",
    "POST",
    "/v1/holds",
    core.CoreMovement,
    Empty,
    BANK_ALONE,
    "Keep an amount for a withdrawal, until it is settled or released.",
)
SETTLE = Operation(
    "settle_hold",
    "POST",
    "/v1/holds/{end_to_end_id}/settlement",
    core.CoreReference,
    Empty,
    BANK_ALONE,
    "What is held is gone: the client has tokens for it.",
)
RELEASE = Operation(
    "release_hold",
    "POST",
    "/v1/holds/{end_to_end_id}/release",
    core.CoreReference,
    Empty,
    BANK_ALONE,
    "What is held is free again; under an unknown id nothing will be held any more.",
)
CREDIT = Operation(
    "credit_account",
    "POST",
    "/v1/credits",
    core.CoreMovement,
    Empty,
    BANK_ALONE,
    "The client's tokens are in the bank's vault, or the bank lends.",
)
GET_POSITION = Operation(
    "get_position",
    "GET",
    "/v1/position",
    Empty,
    core.CorePosition,
    _BOTH,
    "All that was held, settled and credited for the gateway.",
)
OPEN_ACCOUNT = Operation(
    "open_core_account",
    "POST",
    "/v1/accounts",
    core.Customer,
    core.CoreAccountRecord,
    OPERATOR_CALLERS,
    "Another account for a customer.",
)
CLOSE_ACCOUNT = Operation(
    "close_core_account",
    "POST",
    "/v1/accounts/{account}/closing",
    core.CoreAccountQuery,
    Empty,
    OPERATOR_CALLERS,
    "Nothing is held, paid in or credited any more.",
)
PAY_IN = Operation(
    "pay_in",
    "POST",
    "/v1/pay-ins",
    core.CoreMovement,
    Empty,
    OPERATOR_CALLERS,
    "Cash, or a salary that came in.",
)
LIST_ENTRIES = Operation(
    "list_entries",
    "GET",
    "/v1/accounts/{account}/entries",
    core.StatementQuery,
    core.Statement,
    OPERATOR_CALLERS,
    "An account's statement.",
)
GATEWAY = (FIND_ACCOUNTS, GET_ACCOUNT, HOLD, SETTLE, RELEASE, CREDIT, GET_POSITION)
CORE_BANK = (*GATEWAY, OPEN_ACCOUNT, CLOSE_ACCOUNT, PAY_IN, LIST_ENTRIES)
