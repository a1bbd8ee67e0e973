"""What can be asked of a bank: by other institutions, by clients, by its own operators."""

from specie.remote import bank_models, models
from specie.remote import client_models as clients
from specie.remote import compliance_models as compliance
from specie.remote.fields import Empty
from specie.remote.operations import (
    ANYONE_CALLERS,
    BANK_ALONE,
    BANK_CALLERS,
    CLIENT_CALLERS,
    OPERATOR_CALLERS,
    REGISTRATION_CALLERS,
    Operation,
)
from specie.remote.people_operations import PEOPLE

ATTEST_RECEIPT = Operation(
    "attest_receipt",
    "POST",
    "/v1/receipts",
    bank_models.PayeeMessage,
    bank_models.AttestationMessage,
    BANK_CALLERS,
    "As a payee's bank: attest what is shown of a payment.",
)
DELIVER = Operation(
    "deliver",
    "POST",
    "/v1/deliveries",
    models.PromiseMessage,
    Empty,
    BANK_CALLERS,
    "A transaction is final.",
)
EXPECT_TRANSFER = Operation(
    "expect_transfer",
    "POST",
    "/v1/transfers",
    bank_models.ExpectedTransfer,
    Empty,
    BANK_ALONE,
    "The caller is about to send vault money under this order.",
)
GET_VAULT = Operation(
    "get_vault",
    "GET",
    "/v1/vault",
    Empty,
    bank_models.VaultMessage,
    BANK_CALLERS,
    "Where the bank's vault is paid; its balance is told to the central bank alone.",
)
GET_WITNESSED = Operation(
    "get_witnessed",
    "GET",
    "/v1/witness",
    Empty,
    bank_models.Size,
    REGISTRATION_CALLERS,
    "How many leaves the bank's witness has cosigned.",
)
COSIGN = Operation(
    "cosign",
    "POST",
    "/v1/witness",
    bank_models.Growth,
    bank_models.SignedLines,
    REGISTRATION_CALLERS,
    "Cosign a checkpoint that continues the last one.",
)
OPEN_WALLET = Operation(
    "open_wallet",
    "POST",
    "/v1/wallets",
    clients.Opening,
    clients.Opened,
    ANYONE_CALLERS,
    "A device opens its holder's wallet with a code of the bank.",
)
CLAIM_TOKENS = Operation(
    "claim_tokens",
    "POST",
    "/v1/claims",
    clients.Claims,
    clients.Claimed,
    CLIENT_CALLERS,
    "Tokens of a client whose bank is lost, for its successor to serve; again is the same.",
)
PAY = Operation(
    "pay",
    "POST",
    "/v1/payments",
    models.BuiltMessage,
    models.PromiseMessage,
    CLIENT_CALLERS,
    "Attest, have attested, notarise, deliver: the whole of a client's payment.",
)
WITHDRAW = Operation(
    "withdraw",
    "POST",
    "/v1/withdrawals",
    clients.Amount,
    models.PromiseMessage,
    CLIENT_CALLERS,
    "Deposit money becomes tokens.",
)
EXPECT_DEPOSIT = Operation(
    "expect_deposit",
    "POST",
    "/v1/deposits",
    clients.Amount,
    bank_models.VaultMessage,
    CLIENT_CALLERS,
    "The client is about to pay the vault under this order.",
)
LIST_OUTPUTS = Operation(
    "list_outputs",
    "GET",
    "/v1/outputs",
    Empty,
    clients.Outputs,
    CLIENT_CALLERS,
    "What is final and not yet on the client's device.",
)
CONFIRM_OUTPUTS = Operation(
    "confirm_outputs",
    "POST",
    "/v1/outputs",
    clients.References,
    Empty,
    CLIENT_CALLERS,
    "The device has recorded these.",
)
GET_STANDING = Operation(
    "get_standing",
    "GET",
    "/v1/account",
    Empty,
    clients.Standing,
    CLIENT_CALLERS,
    "The client's deposit.",
)
GET_WATERFALL = Operation(
    "get_waterfall",
    "GET",
    "/v1/waterfall",
    Empty,
    clients.Waterfall,
    CLIENT_CALLERS,
    "What the client has its device do by itself, and its holding limit.",
    since=2,
)
SWITCH_WATERFALL = Operation(
    "switch_waterfall",
    "POST",
    "/v1/waterfall",
    clients.Switching,
    clients.Waterfall,
    CLIENT_CALLERS,
    "Switch waterfall or reverse waterfall on or off.",
    since=2,
)
LINK_OWN_ACCOUNT = Operation(
    "link_own_account",
    "POST",
    "/v1/account",
    clients.Linking,
    clients.Linked,
    CLIENT_CALLERS,
    "Link the client's account at the bank's core system, which says that it is the client's.",
    since=2,
)
LIST_MOVEMENTS = Operation(
    "list_movements",
    "GET",
    "/v1/movements",
    clients.MovementsQuery,
    clients.Movements,
    CLIENT_CALLERS,
    "The client's payments as its bank keeps them.",
)
INVITE = Operation(
    "invite",
    "POST",
    "/v1/invitations",
    clients.Invitation,
    clients.Code,
    OPERATOR_CALLERS,
    "A code with which an identified person opens a wallet, once.",
)
LEND_CLIENT = Operation(
    "lend_client",
    "POST",
    "/v1/loans",
    clients.ClientOrder,
    Empty,
    OPERATOR_CALLERS,
    "A loan makes a client's deposit.",
)
LINK_ACCOUNT = Operation(
    "link_account",
    "POST",
    "/v1/clients/{client}/account",
    clients.ClientLinking,
    clients.Linked,
    OPERATOR_CALLERS,
    "Link a client's account at the core system.",
    since=2,
)
UNLINK_ACCOUNT = Operation(
    "unlink_account",
    "POST",
    "/v1/clients/{client}/account/unlinking",
    clients.ClientQuery,
    Empty,
    OPERATOR_CALLERS,
    "Unlink it, when nothing is in transit.",
    since=2,
)
RECONCILE = Operation(
    "reconcile",
    "GET",
    "/v1/reconciliation",
    Empty,
    clients.Facts,
    OPERATOR_CALLERS,
    "Control accounts and the core system's position, side by side.",
    since=2,
)
APPLY_ISSUE = Operation(
    "apply_issue",
    "POST",
    "/v1/issues",
    clients.Amount,
    models.ApplicationRecord,
    OPERATOR_CALLERS,
    "Apply for new money in the vault.",
)
REDEEM = Operation(
    "redeem",
    "POST",
    "/v1/redemptions",
    clients.Amount,
    models.ApplicationRecord,
    OPERATOR_CALLERS,
    "Give money of the vault back for reserves.",
)
TRANSFER = Operation(
    "transfer",
    "POST",
    "/v1/vault-transfers",
    clients.TransferOrder,
    models.PromiseMessage,
    OPERATOR_CALLERS,
    "Vault money to another bank's vault.",
)
BLOCK = Operation(
    "block",
    "POST",
    "/v1/clients/{client}/block",
    compliance.ClientAct,
    Empty,
    OPERATOR_CALLERS,
    "Stop attesting for a client.",
)
UNBLOCK = Operation(
    "unblock",
    "POST",
    "/v1/clients/{client}/unblock",
    compliance.ClientAct,
    Empty,
    OPERATOR_CALLERS,
    "Attest for a client again.",
)
GET_FACTS = Operation(
    "get_facts",
    "GET",
    "/v1/facts",
    Empty,
    clients.Facts,
    OPERATOR_CALLERS,
    "What the institution's own books say.",
)
EXPORT_CLIENTS = Operation(
    "export_clients",
    "POST",
    "/v1/succession/exports",
    clients.Passphrase,
    clients.Succession,
    OPERATOR_CALLERS,
    "What a successor needs to serve our clients.",
)
IMPORT_CLIENTS = Operation(
    "import_clients",
    "POST",
    "/v1/succession/imports",
    clients.SuccessionImport,
    bank_models.Size,
    OPERATOR_CALLERS,
    "Take over the clients of a bank whose successor we are; gives how many are new.",
)
BANK = (
    *PEOPLE,
    EXPORT_CLIENTS,
    IMPORT_CLIENTS,
    ATTEST_RECEIPT,
    DELIVER,
    EXPECT_TRANSFER,
    GET_VAULT,
    GET_WITNESSED,
    COSIGN,
    OPEN_WALLET,
    CLAIM_TOKENS,
    PAY,
    WITHDRAW,
    EXPECT_DEPOSIT,
    LIST_OUTPUTS,
    CONFIRM_OUTPUTS,
    GET_STANDING,
    GET_WATERFALL,
    SWITCH_WATERFALL,
    LINK_OWN_ACCOUNT,
    LIST_MOVEMENTS,
    INVITE,
    LEND_CLIENT,
    LINK_ACCOUNT,
    UNLINK_ACCOUNT,
    RECONCILE,
    APPLY_ISSUE,
    REDEEM,
    TRANSFER,
    BLOCK,
    UNBLOCK,
    GET_FACTS,
)
