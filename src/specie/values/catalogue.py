"""Every error code of the system, once. Documented in docs/reference/errors.md, which is tested.

A code is the machine's word for one broken rule; it never changes its meaning.
"""

from enum import StrEnum, unique


@unique
class ErrorCode(StrEnum):
    """The code of one broken rule. The value is what callers and documents see."""

    # Encoding
    TRUNCATED = "truncated"
    TRAILING_BYTES = "trailing_bytes"
    NOT_CANONICAL = "not_canonical"
    VERSION_UNKNOWN = "version_unknown"
    KIND_UNKNOWN = "kind_unknown"
    KIND_NOT_SUPPORTED = "kind_not_supported"
    LIMIT_EXCEEDED = "limit_exceeded"
    SIZE_INVALID = "size_invalid"
    TEXT_INVALID = "text_invalid"
    PHONE_INVALID = "phone_invalid"

    # Amounts
    AMOUNT_OUT_OF_RANGE = "amount_out_of_range"
    CURRENCY_MISMATCH = "currency_mismatch"

    # Cryptography (the kernel's own codes, one to one)
    POINT_INVALID = "point_invalid"
    IDENTITY_POINT = "identity_point"
    SCALAR_INVALID = "scalar_invalid"
    SIGNATURE_INVALID = "signature_invalid"
    PROOF_INVALID = "proof_invalid"
    BALANCE_INVALID = "balance_invalid"
    OPENING_MISMATCH = "opening_mismatch"
    SEALED_INVALID = "sealed_invalid"
    PHRASE_INVALID = "phrase_invalid"
    ADDRESS_INVALID = "address_invalid"
    BATCH_REFUSED = "batch_refused"
    BATCH_INCONSISTENT = "batch_inconsistent"
    AUDIT_KEY_INVALID = "audit_key_invalid"
    SCAN_KEY_MISMATCH = "scan_key_mismatch"
    SEALING_PARAMETERS_INVALID = "sealing_parameters_invalid"
    TAG_INVALID = "tag_invalid"
    VALUE_RANGE = "value_range"
    MEMORY_UNAVAILABLE = "memory_unavailable"
    RANDOMNESS_UNAVAILABLE = "randomness_unavailable"

    # Contract: form of a transaction
    NETWORK_MISMATCH = "network_mismatch"
    WINDOW_INVALID = "window_invalid"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    INPUTS_MISSING = "inputs_missing"
    INPUT_REPEATED = "input_repeated"
    OUTPUT_REPEATED = "output_repeated"
    TERMS_MISMATCH = "terms_mismatch"
    TERMS_NOT_ALLOWED = "terms_not_allowed"
    RANGE_COVER_INVALID = "range_cover_invalid"

    # Contract: state of the ledger
    INPUT_UNKNOWN = "input_unknown"
    INPUT_SPENT = "input_spent"
    OUTPUT_EXISTS = "output_exists"
    KERNEL_EXISTS = "kernel_exists"
    TRANSACTION_VOID = "transaction_void"
    TRANSACTION_FINAL = "transaction_final"

    # Contract: attestation
    ATTESTATION_MISSING = "attestation_missing"
    ATTESTATION_EXCESS = "attestation_excess"
    ATTESTER_UNKNOWN = "attester_unknown"
    ATTESTER_WRONG = "attester_wrong"
    ATTESTER_SUSPENDED = "attester_suspended"
    ATTESTER_REVOKED = "attester_revoked"

    # Contract: proofs and signatures of one transaction
    KERNEL_SIGNATURE_INVALID = "kernel_signature_invalid"
    OWNER_SIGNATURE_INVALID = "owner_signature_invalid"
    ATTESTATION_SIGNATURE_INVALID = "attestation_signature_invalid"

    # Contract: supply
    SUPPLY_SECTION_UNEXPECTED = "supply_section_unexpected"
    SUPPLY_NOT_INSTITUTION = "supply_not_institution"
    AUTHORISATION_MISSING = "authorisation_missing"
    AUTHORISATION_INVALID = "authorisation_invalid"
    SERIAL_WRONG = "serial_wrong"
    TOTAL_WRONG = "total_wrong"
    SUPPLY_CAP_EXCEEDED = "supply_cap_exceeded"
    RESERVE_REFERENCE_INVALID = "reserve_reference_invalid"
    RESERVE_REFERENCE_USED = "reserve_reference_used"
    RESERVE_REFERENCE_EXPIRED = "reserve_reference_expired"

    # Participants
    PARTICIPANTS_INVALID = "participants_invalid"
    PARTICIPANTS_OUTDATED = "participants_outdated"
    PARTICIPANT_UNKNOWN = "participant_unknown"
    PARTICIPANT_INACTIVE = "participant_inactive"

    # Log and promise
    LEAF_MALFORMED = "leaf_malformed"
    LOG_INVALID = "log_invalid"
    COSIGNERS_INVALID = "cosigners_invalid"
    COSIGNERS_MISSING = "cosigners_missing"
    COSIGNERS_OUTDATED = "cosigners_outdated"
    CHECKPOINT_INVALID = "checkpoint_invalid"
    NOT_PUBLISHED = "not_published"
    RECEIPT_INVALID = "receipt_invalid"
    STATEMENT_INVALID = "statement_invalid"
    PROMISE_INVALID = "promise_invalid"
    EVIDENCE_INVALID = "evidence_invalid"
    SUPPLY_NOT_VERIFIED = "supply_not_verified"

    # Books and accounting
    ENTRY_UNBALANCED = "entry_unbalanced"
    ENTRY_CONFLICT = "entry_conflict"
    ACCOUNT_UNKNOWN = "account_unknown"
    ACCOUNT_EXISTS = "account_exists"
    ACCOUNT_OVERDRAWN = "account_overdrawn"
    STOCK_MISMATCH = "stock_mismatch"
    STOCK_UNSETTLED = "stock_unsettled"

    # Wallets and vaults
    FUNDS_INSUFFICIENT = "funds_insufficient"
    TOKENS_TOO_MANY = "tokens_too_many"
    TOKEN_UNAVAILABLE = "token_unavailable"
    PAYMENT_UNKNOWN = "payment_unknown"
    CONTACT_UNKNOWN = "contact_unknown"
    REQUEST_INVALID = "request_invalid"
    REQUEST_EXPIRED = "request_expired"
    REQUEST_AMOUNT_WRONG = "request_amount_wrong"
    REQUEST_PAID = "request_paid"
    RETURN_ADDRESS_MISSING = "return_address_missing"
    REFUND_EXCEEDED = "refund_exceeded"
    RETURN_REQUEST_INVALID = "return_request_invalid"
    RETURN_REQUEST_UNKNOWN = "return_request_unknown"
    PASSPHRASE_WRONG = "passphrase_wrong"

    # Banks and the central bank
    CLIENT_UNKNOWN = "client_unknown"
    CLIENT_EXISTS = "client_exists"
    CLIENT_BLOCKED = "client_blocked"
    DISCLOSURE_MISMATCH = "disclosure_mismatch"
    NOT_SERVED_HERE = "not_served_here"
    ORDER_CONFLICT = "order_conflict"
    WEBHOOK_INVALID = "webhook_invalid"
    WEBHOOK_UNKNOWN = "webhook_unknown"
    APPROVALS_MISSING = "approvals_missing"
    APPLICATION_UNKNOWN = "application_unknown"
    DATA_MISSING = "data_missing"
    SIGNATURES_MISSING = "signatures_missing"
    ACCOUNT_NOT_EMPTY = "account_not_empty"
    ISSUANCE_PAUSED = "issuance_paused"

    # Reading with a client's consent
    CONSENT_INVALID = "consent_invalid"
    CONSENT_UNKNOWN = "consent_unknown"
    CONSENT_READER_WRONG = "consent_reader_wrong"
    CONSENT_ACCOUNT_WRONG = "consent_account_wrong"
    CONSENT_REVOKED = "consent_revoked"
    CONSENT_EXPIRED = "consent_expired"
    CONSENT_SCOPE_EXCEEDED = "consent_scope_exceeded"
    READING_REPEATED = "reading_repeated"

    # Directory
    PHONE_UNKNOWN = "phone_unknown"
    PHONE_NOT_CONFIRMED = "phone_not_confirmed"
    DIRECTORY_VERSION_WRONG = "directory_version_wrong"
    DIRECTORY_SIGNATURE_INVALID = "directory_signature_invalid"
    DIRECTORY_KEY_WRONG = "directory_key_wrong"
    DIRECTORY_ANSWER_INVALID = "directory_answer_invalid"
    DIRECTORY_ENTRY_FOREIGN = "directory_entry_foreign"
    DIRECTORY_ENTRY_MISSING = "directory_entry_missing"
    # A bank's core system
    CORE_BANK_UNREACHABLE = "core_bank_unreachable"
    CORE_BANK_REFUSED = "core_bank_refused"
    CORE_BANK_MISMATCH = "core_bank_mismatch"
    # A bank's policy, cases, access log
    POLICY_INVALID = "policy_invalid"
    TIER_UNKNOWN = "tier_unknown"
    PAYMENT_LIMIT_EXCEEDED = "payment_limit_exceeded"
    PAYMENT_RATE_EXCEEDED = "payment_rate_exceeded"
    DAILY_LIMIT_EXCEEDED = "daily_limit_exceeded"
    MONTHLY_LIMIT_EXCEEDED = "monthly_limit_exceeded"
    HOLDING_LIMIT_EXCEEDED = "holding_limit_exceeded"
    PAYMENT_HELD = "payment_held"
    PAYMENT_REFUSED_BY_POLICY = "payment_refused_by_policy"
    CLIENT_FROZEN = "client_frozen"
    TRAVEL_DATA_MISSING = "travel_data_missing"
    TRAVEL_DATA_INVALID = "travel_data_invalid"
    CASE_UNKNOWN = "case_unknown"
    CASE_CLOSED = "case_closed"
    DECISION_REPEATED = "decision_repeated"
    REASON_MISSING = "reason_missing"
    ACCESS_LOG_INVALID = "access_log_invalid"

    # Network
    UNREACHABLE = "unreachable"
    SERVICES_INVALID = "services_invalid"
    CERTIFICATE_INVALID = "certificate_invalid"
    CALLER_UNKNOWN = "caller_unknown"
    CALLER_NOT_ALLOWED = "caller_not_allowed"
    MESSAGE_MALFORMED = "message_malformed"
    MESSAGE_SIGNATURE_INVALID = "message_signature_invalid"
    MESSAGE_OUT_OF_TIME = "message_out_of_time"
    RATE_EXCEEDED = "rate_exceeded"
    NOT_FOUND = "not_found"
    DRAINING = "draining"
    INTERNAL = "internal"

    # Stores
    STORE_UNUSABLE = "store_unusable"
    STORE_OUTDATED = "store_outdated"

    # Workload
    PROFILE_MISSING = "profile_missing"
    PROFILE_MALFORMED = "profile_malformed"
    SETTING_INVALID = "setting_invalid"
