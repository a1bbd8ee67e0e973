"""What can be asked of the accounting, by the central bank alone."""

from specie.remote import models
from specie.remote.fields import Empty
from specie.remote.operations import (
    DESK_CALLERS,
    Operation,
)

DEBIT_FOR_ISSUE = Operation(
    "debit_for_issue",
    "POST",
    "/v1/issues",
    models.Debit,
    models.ReserveMessage,
    DESK_CALLERS,
    "Debit reserves for an issue; gives the signed reference.",
)
COMPLETE_ISSUE = Operation(
    "complete_issue",
    "POST",
    "/v1/issues/{entry}/completion",
    models.Completion,
    Empty,
    DESK_CALLERS,
    "An issue is final: out of transit, into the fund.",
)
IS_ISSUE_OVER = Operation(
    "is_issue_over",
    "GET",
    "/v1/issues/{entry}/over",
    models.EntryAge,
    models.Answer,
    DESK_CALLERS,
    "Whether a debit backs no issue any more.",
)
RELEASE_ISSUE = Operation(
    "release_issue",
    "POST",
    "/v1/issues/{entry}/release",
    models.EntryAge,
    Empty,
    DESK_CALLERS,
    "An issue will never be final: back into the reserves.",
)
HOLD_REDEMPTION = Operation(
    "hold_redemption",
    "POST",
    "/v1/redemptions",
    models.Holding,
    Empty,
    DESK_CALLERS,
    "Out of the fund: a redemption is in transit.",
)
RELEASE_REDEMPTION = Operation(
    "release_redemption",
    "POST",
    "/v1/redemptions/{entry}/release",
    models.EntryQuery,
    Empty,
    DESK_CALLERS,
    "A redemption will never be final: back into the fund.",
)
CREDIT_FOR_REDEMPTION = Operation(
    "credit_for_redemption",
    "POST",
    "/v1/redemptions/credits",
    models.Credit,
    Empty,
    DESK_CALLERS,
    "Money is void: credit the reserves.",
)
OPEN_RESERVES = Operation(
    "open_reserves",
    "POST",
    "/v1/reserves",
    models.Account,
    Empty,
    DESK_CALLERS,
    "A reserve account for a participant.",
)
LEND = Operation(
    "lend",
    "POST",
    "/v1/loans",
    models.Debit,
    Empty,
    DESK_CALLERS,
    "Reserves against collateral.",
)
GET_RESERVES = Operation(
    "get_reserves",
    "GET",
    "/v1/reserves/{participant}",
    models.Account,
    models.Balance,
    DESK_CALLERS,
    "A participant's reserves.",
)
COUNT_BACKING = Operation(
    "count_backing",
    "GET",
    "/v1/backing",
    Empty,
    models.Backing,
    DESK_CALLERS,
    "The issuance fund and what is in transit.",
)
ACCOUNTING = (
    DEBIT_FOR_ISSUE,
    COMPLETE_ISSUE,
    IS_ISSUE_OVER,
    RELEASE_ISSUE,
    HOLD_REDEMPTION,
    RELEASE_REDEMPTION,
    CREDIT_FOR_REDEMPTION,
    OPEN_RESERVES,
    LEND,
    GET_RESERVES,
    COUNT_BACKING,
)
