"""What a bank's people ask its process about policy, cases, freezes, and its access log."""

from specie.remote import compliance_models as models
from specie.remote.bank_models import Size
from specie.remote.fields import Empty
from specie.remote.operations import ANYONE_CALLERS, OPERATOR_CALLERS, Operation

GET_POLICY = Operation(
    "get_policy",
    "GET",
    "/v1/policy",
    models.PolicyQuery,
    models.PolicyMessage,
    OPERATOR_CALLERS,
    "The policy in force, or an older version.",
    since=2,
)
SET_POLICY = Operation(
    "set_policy",
    "POST",
    "/v1/policy",
    models.PolicyRequest,
    models.PolicyMessage,
    OPERATOR_CALLERS,
    "A policy comes into force at once; the same text again is the same version.",
    since=2,
)
LIST_POLICIES = Operation(
    "list_policies",
    "GET",
    "/v1/policies",
    Empty,
    models.Policies,
    OPERATOR_CALLERS,
    "Who set which version when, and why.",
    since=2,
)
REHEARSE_POLICY = Operation(
    "rehearse_policy",
    "POST",
    "/v1/policy/rehearsals",
    models.PolicyRequest,
    models.RehearsalMessage,
    OPERATOR_CALLERS,
    "What a policy would have refused and held of all past payments; changes nothing.",
    since=2,
)
SET_TIER = Operation(
    "set_tier",
    "POST",
    "/v1/clients/{client}/tier",
    models.TierRequest,
    Empty,
    OPERATOR_CALLERS,
    "A client's tier from now on.",
    since=2,
)
FREEZE = Operation(
    "freeze",
    "POST",
    "/v1/clients/{client}/freeze",
    models.FreezeRequest,
    Empty,
    OPERATOR_CALLERS,
    "By order, attest nothing for a client until a time; no money moves.",
    since=2,
)
UNFREEZE = Operation(
    "unfreeze",
    "POST",
    "/v1/clients/{client}/unfreeze",
    models.ClientAct,
    Empty,
    OPERATOR_CALLERS,
    "Before its end.",
    since=2,
)
FIND_FREEZE = Operation(
    "find_freeze",
    "POST",
    "/v1/clients/{client}/freeze-shown",
    models.ClientAct,
    models.FreezeMessage,
    OPERATOR_CALLERS,
    "The order by which a client is or was frozen.",
    since=2,
)
SEARCH_MOVEMENTS = Operation(
    "search_movements",
    "POST",
    "/v1/searches",
    models.SearchRequest,
    models.FoundMovements,
    OPERATOR_CALLERS,
    "Clients' payments by client, time, amount, counterparty, direction; newest first.",
    since=2,
)
LIST_CASES = Operation(
    "list_cases",
    "POST",
    "/v1/cases/listed",
    models.CasesRequest,
    models.Cases,
    OPERATOR_CALLERS,
    "Held payments and suspicions, newest first.",
    since=2,
)
GET_CASE = Operation(
    "get_case",
    "POST",
    "/v1/cases/{number}/shown",
    models.CaseRequest,
    models.CaseFileMessage,
    OPERATOR_CALLERS,
    "A case with notes, decisions and its client's payments.",
    since=2,
)
ADD_CASE_NOTE = Operation(
    "add_case_note",
    "POST",
    "/v1/cases/{number}/notes",
    models.NoteRequest,
    Empty,
    OPERATOR_CALLERS,
    "A note to a case.",
    since=2,
)
DECIDE_CASE = Operation(
    "decide_case",
    "POST",
    "/v1/cases/{number}/decisions",
    models.DecisionRequest,
    models.CaseMessage,
    OPERATOR_CALLERS,
    "Release or refuse a held payment, close a suspicion.",
    since=2,
)
REPORT_CASE = Operation(
    "report_case",
    "POST",
    "/v1/cases/{number}/reports",
    models.CaseRequest,
    models.ReportMessage,
    OPERATOR_CALLERS,
    "A case as the financial intelligence unit is told of it.",
    since=2,
)
SUSPECT = Operation(
    "suspect",
    "POST",
    "/v1/clients/{client}/suspicions",
    models.ClientAct,
    models.CaseMessage,
    OPERATOR_CALLERS,
    "A case about a client; the reason is the suspicion.",
    since=2,
)
LIST_ACCESS = Operation(
    "list_access",
    "POST",
    "/v1/access/listed",
    models.AccessQuery,
    models.AccessEntries,
    OPERATOR_CALLERS,
    "Who looked at or decided what, oldest first.",
    since=2,
)
VERIFY_ACCESS = Operation(
    "verify_access",
    "POST",
    "/v1/access/verified",
    models.AccessHeads,
    Size,
    OPERATOR_CALLERS,
    "Go through the access log, and check that heads told before lie on it.",
    since=2,
)
GET_ACCESS_HEAD = Operation(
    "get_access_head",
    "GET",
    "/v1/access/head",
    Empty,
    models.AccessHeadMessage,
    ANYONE_CALLERS | OPERATOR_CALLERS,
    "The signed head of the access log, for whoever pins it.",
    since=2,
)
COMPLIANCE = (
    GET_POLICY,
    SET_POLICY,
    LIST_POLICIES,
    REHEARSE_POLICY,
    SET_TIER,
    FREEZE,
    UNFREEZE,
    FIND_FREEZE,
    SEARCH_MOVEMENTS,
    LIST_CASES,
    GET_CASE,
    ADD_CASE_NOTE,
    DECIDE_CASE,
    REPORT_CASE,
    SUSPECT,
    LIST_ACCESS,
    VERIFY_ACCESS,
    GET_ACCESS_HEAD,
)
