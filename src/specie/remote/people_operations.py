"""What people ask of their bank besides paying: applications, signatories, losses, certificates."""

from specie.remote import client_models as clients
from specie.remote import loss_models as losses
from specie.remote import onboarding_models as onboarding
from specie.remote import signatory_models as signatories
from specie.remote import standing_models as standings
from specie.remote.fields import Empty
from specie.remote.operations import (
    ANYONE_CALLERS,
    CLIENT_CALLERS,
    OPERATOR_CALLERS,
    SIGNATORY_CALLERS,
    Operation,
)

GET_TRANSIT_KEY = Operation(
    "get_transit_key",
    "GET",
    "/v1/transit-key",
    Empty,
    onboarding.TransitKeyMessage,
    ANYONE_CALLERS,
    "The key that view keys are sealed for on their way to this bank.",
    since=2,
)
APPLY_ACCOUNT = Operation(
    "apply_account",
    "POST",
    "/v1/account-applications",
    onboarding.AccountRequest,
    onboarding.AccountAnswer,
    ANYONE_CALLERS,
    "A device asks for a wallet; again gives how far it has come.",
    since=2,
)
ASK_ACCOUNT = Operation(
    "ask_account",
    "POST",
    "/v1/account-applications/state",
    onboarding.AccountQuery,
    onboarding.AccountAnswer,
    ANYONE_CALLERS,
    "What became of an application, for whoever knows its id.",
    since=2,
)
LIST_ACCOUNTS = Operation(
    "list_account_applications",
    "GET",
    "/v1/account-applications",
    onboarding.ApplicationsQuery,
    onboarding.ApplicationsShown,
    OPERATOR_CALLERS,
    "Who has applied for a wallet.",
    since=2,
)
SHOW_ACCOUNT = Operation(
    "show_account_application",
    "GET",
    "/v1/account-applications/{number}",
    onboarding.ApplicationQuery,
    onboarding.ApplicationShown,
    OPERATOR_CALLERS,
    "One application, with what the person says of himself.",
    since=2,
)
APPROVE_ACCOUNT = Operation(
    "approve_account",
    "POST",
    "/v1/account-applications/{number}/approval",
    onboarding.AccountApproval,
    clients.Opened,
    OPERATOR_CALLERS,
    "Open the wallet that was applied for; again is the same.",
    since=2,
)
REFUSE_ACCOUNT = Operation(
    "refuse_accounts",
    "POST",
    "/v1/account-applications/refusals",
    onboarding.AccountRefusal,
    Empty,
    OPERATOR_CALLERS,
    "Refuse applications for good, all or none.",
    since=2,
)
PROPOSE_SEATS = Operation(
    "propose_signatories",
    "POST",
    "/v1/clients/{client}/signatories",
    signatories.SeatsProposal,
    signatories.SeatsProposed,
    OPERATOR_CALLERS,
    "Who signs for a client together; a change needs those of before as well.",
    since=2,
)
LIST_CLIENTS = Operation(
    "list_clients",
    "POST",
    "/v1/clients/standings",
    standings.ClientsQuery,
    standings.ClientsShown,
    OPERATOR_CALLERS,
    "Whom the bank serves, and how each stands.",
    since=2,
)
SHOW_SEATS = Operation(
    "show_signatories",
    "GET",
    "/v1/clients/{client}/signatories",
    clients.ClientQuery,
    signatories.SeatsShown,
    OPERATOR_CALLERS,
    "Who signs for a client.",
    since=2,
)
ENROL_SIGNATORY = Operation(
    "enrol_signatory",
    "POST",
    "/v1/signatories",
    signatories.SignatoryEnrolment,
    signatories.SignatoryEnrolled,
    ANYONE_CALLERS,
    "A signatory's device comes with its code.",
    since=2,
)
LIST_SUBJECTS = Operation(
    "list_approvals",
    "GET",
    "/v1/approvals",
    Empty,
    signatories.SubjectsShown,
    SIGNATORY_CALLERS,
    "What waits for this signatory.",
    since=2,
)
VOTE = Operation(
    "vote",
    "POST",
    "/v1/approvals",
    signatories.SignatoryVote,
    signatories.VoteOutcome,
    SIGNATORY_CALLERS,
    "Approve or reject; again is the same.",
    since=2,
)
CLOSE_CLIENT = Operation(
    "close_client",
    "POST",
    "/v1/clients/{client}/close",
    clients.ClientQuery,
    Empty,
    OPERATOR_CALLERS,
    "Close a client's account, if nothing is left in it.",
    since=2,
)
CLOSE_ACCOUNT = Operation(
    "close_account",
    "POST",
    "/v1/account/close",
    Empty,
    Empty,
    CLIENT_CALLERS,
    "Close one's own account, if nothing is left in it.",
    since=2,
)
REPORT_LOST = Operation(
    "report_lost",
    "POST",
    "/v1/clients/{client}/loss",
    losses.LossOrder,
    Empty,
    OPERATOR_CALLERS,
    "A client has lost its device: nothing is attested for it any more.",
    since=2,
)
REOPEN_LOST = Operation(
    "reopen_lost",
    "POST",
    "/v1/clients/{client}/reopening",
    losses.LossOrder,
    clients.Code,
    OPERATOR_CALLERS,
    "A code with which a client whose device is lost opens a new wallet.",
    since=2,
)
SET_LOSS_CODE = Operation(
    "set_loss_code",
    "POST",
    "/v1/loss-codes",
    losses.LossCode,
    Empty,
    CLIENT_CALLERS,
    "With which code a loss is reported from another device.",
    since=2,
)
REPORT_LOSS = Operation(
    "report_loss",
    "POST",
    "/v1/losses",
    losses.LossReport,
    Empty,
    ANYONE_CALLERS,
    "The same as at the counter, with the code that the client chose before.",
    since=2,
)
KEEP_SHARE = Operation(
    "keep_share",
    "POST",
    "/v1/shares",
    losses.PhraseShare,
    Empty,
    CLIENT_CALLERS,
    "The bank's share of the phrase, if the client wants it kept here.",
    since=2,
)
GET_SHARE = Operation(
    "get_share",
    "GET",
    "/v1/shares",
    Empty,
    losses.PhraseShare,
    CLIENT_CALLERS,
    "What the client left here, for its device.",
    since=2,
)
LIST_LOST_OUTPUTS = Operation(
    "list_lost_outputs",
    "GET",
    "/v1/lost-outputs",
    losses.LostQuery,
    losses.LostOutputs,
    CLIENT_CALLERS,
    "What is in a lost wallet, for its owner's new device.",
    since=2,
)
CERTIFY_DEVICE = Operation(
    "certify_device",
    "POST",
    "/v1/device-certificates",
    losses.DeviceRequest,
    clients.Chain,
    CLIENT_CALLERS,
    "A certificate of the authentication centre for the device's own key.",
    since=2,
)
PEOPLE = (
    GET_TRANSIT_KEY,
    APPLY_ACCOUNT,
    ASK_ACCOUNT,
    LIST_ACCOUNTS,
    SHOW_ACCOUNT,
    APPROVE_ACCOUNT,
    REFUSE_ACCOUNT,
    PROPOSE_SEATS,
    LIST_CLIENTS,
    SHOW_SEATS,
    ENROL_SIGNATORY,
    LIST_SUBJECTS,
    VOTE,
    CLOSE_CLIENT,
    CLOSE_ACCOUNT,
    REPORT_LOST,
    REOPEN_LOST,
    SET_LOSS_CODE,
    REPORT_LOSS,
    KEEP_SHARE,
    GET_SHARE,
    LIST_LOST_OUTPUTS,
    CERTIFY_DEVICE,
)
