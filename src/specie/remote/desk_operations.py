"""What can be asked of the central bank: by banks, by officers, by who wants to join."""

from specie.remote import client_models as clients
from specie.remote import loss_models as losses
from specie.remote import models
from specie.remote.fields import Empty
from specie.remote.operations import (
    ANYONE_CALLERS,
    BANK_ALONE,
    OFFICER_CALLERS,
    OPERATOR_CALLERS,
    SERVICE_CALLERS,
    Operation,
)

APPLY = Operation(
    "apply",
    "POST",
    "/v1/applications",
    models.ApplicationMessage,
    models.ApplicationRecord,
    BANK_ALONE,
    "Ask for new money against reserves, or for reserves against money.",
)
GET_APPLICATION = Operation(
    "get_application",
    "GET",
    "/v1/applications/{order}",
    models.OrderQuery,
    models.ApplicationRecord,
    BANK_ALONE | OFFICER_CALLERS,
    "How far an application has come; for a bank, its own.",
)
FIND_PRODUCED = Operation(
    "find_produced_promise",
    "GET",
    "/v1/applications/{order}/promise",
    models.OrderQuery,
    models.FoundPromise,
    BANK_ALONE,
    "The promise for what was produced for it, if it is final.",
)
ACCEPT_VOID = Operation(
    "accept_void",
    "POST",
    "/v1/applications/{order}/voiding",
    models.Voiding,
    models.BuiltMessage,
    BANK_ALONE,
    "The bank's own voiding transaction for an approved redemption; holds the amount.",
)
AUTHORISE = Operation(
    "authorise",
    "POST",
    "/v1/applications/{order}/authorisation",
    models.AuthorisationRequest,
    models.TransactionMessage,
    BANK_ALONE,
    "The redemption with the officers' authorisations.",
)
SETTLE_REDEMPTION = Operation(
    "settle_redemption",
    "POST",
    "/v1/applications/{order}/settlement",
    models.Settlement,
    models.ApplicationRecord,
    BANK_ALONE,
    "The money is void: reserves are credited, once.",
)
END_REDEMPTION = Operation(
    "end_redemption",
    "POST",
    "/v1/applications/{order}/end",
    models.OrderQuery,
    Empty,
    BANK_ALONE,
    "The voiding can never be final: what was held is in the fund again.",
)
GET_OWN_RESERVES = Operation(
    "get_own_reserves",
    "GET",
    "/v1/reserves",
    Empty,
    models.Balance,
    BANK_ALONE,
    "The caller's reserves.",
)
LIST_TASKS = Operation(
    "list_tasks",
    "GET",
    "/v1/tasks",
    Empty,
    models.Tasks,
    OFFICER_CALLERS,
    "What waits for officers.",
)
APPROVE = Operation(
    "approve",
    "POST",
    "/v1/approvals",
    models.Signed,
    models.ApplicationRecord,
    OFFICER_CALLERS,
    "An officer's signature over an application.",
)
AUTHORISE_SUPPLY = Operation(
    "authorise_supply",
    "POST",
    "/v1/authorisations",
    models.SignedSupply,
    Empty,
    OFFICER_CALLERS,
    "An officer's signature over a change of the supply, at its place in the order.",
)
SIGN_PROPOSAL = Operation(
    "sign_proposal",
    "POST",
    "/v1/proposals",
    models.SignedProposal,
    models.Proposal,
    OFFICER_CALLERS,
    "Propose a decision, or agree to one; it is carried out once enough officers have signed.",
)
LIST_PROPOSALS = Operation(
    "list_proposals",
    "GET",
    "/v1/proposals",
    models.LeavesQuery,
    models.Proposals,
    OFFICER_CALLERS,
    "Decisions, oldest first: the history of who decided what.",
)
ENROL = Operation(
    "enrol",
    "POST",
    "/v1/enrolments",
    clients.Enrolment,
    clients.Enrolled,
    ANYONE_CALLERS,
    "A new institution redeems its one-time code; a second officer approves.",
)
COUNT_STOCK = Operation(
    "count_stock",
    "GET",
    "/v1/stock",
    Empty,
    clients.Facts,
    OPERATOR_CALLERS,
    "Count all money against what backs it.",
)
LIST_ENROLMENTS = Operation(
    "list_enrolments",
    "GET",
    "/v1/enrolments",
    Empty,
    clients.Waiting,
    OFFICER_CALLERS,
    "Who has enrolled and waits for a second officer.",
)
RENEW = Operation(
    "renew",
    "POST",
    "/v1/certificates",
    clients.Renewal,
    clients.Chain,
    SERVICE_CALLERS,
    "A new certificate for the caller, before its present one runs out.",
)
CERTIFY_DEVICE = Operation(
    "issue_device_certificate",
    "POST",
    "/v1/device-certificates",
    losses.DeviceRequest,
    clients.Chain,
    BANK_ALONE,
    "A certificate for a device of one of the bank's clients; it names nobody.",
    since=2,
)
REVOKE_DEVICE = Operation(
    "revoke_device_certificate",
    "POST",
    "/v1/device-certificates/revocations",
    losses.DeviceRevocation,
    losses.UnknownDevices,
    BANK_ALONE,
    "Certificates of devices that the same bank had asked for no longer count.",
    since=2,
)
LIST_VAULTS = Operation(
    "list_vaults",
    "GET",
    "/v1/vaults/{participant}",
    models.Account,
    models.Vaults,
    BANK_ALONE,
    "Addresses to which money was issued to this bank: no client's, for its successor.",
)
LIST_LOANS = Operation(
    "list_loans",
    "GET",
    "/v1/loans",
    models.LeavesQuery,
    models.Loans,
    BANK_ALONE,
    "Reserves that the caller was lent, for its own books.",
)
CENTRAL_BANK = (
    LIST_LOANS,
    LIST_VAULTS,
    LIST_ENROLMENTS,
    RENEW,
    CERTIFY_DEVICE,
    REVOKE_DEVICE,
    APPLY,
    GET_APPLICATION,
    FIND_PRODUCED,
    ACCEPT_VOID,
    AUTHORISE,
    SETTLE_REDEMPTION,
    END_REDEMPTION,
    GET_OWN_RESERVES,
    LIST_TASKS,
    APPROVE,
    AUTHORISE_SUPPLY,
    SIGN_PROPOSAL,
    LIST_PROPOSALS,
    ENROL,
    COUNT_STOCK,
)
