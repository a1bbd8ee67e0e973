"""All limits, in one place. Each is enforced where its comment says, by a named check."""

from typing import Final

# Amounts
AMOUNT_MAX: Final = 2**64 - 1  # minor units; u64 on the wire
SUPPLY_CHANGE_MAX: Final = 2**63 - 1  # |i64|, -2**63 is refused

# Transactions (ledger/wire.py)
INPUTS_MAX: Final = 16
OUTPUTS_MAX: Final = 16
KERNELS_MAX: Final = 4
ATTESTATIONS_MAX: Final = 4
AUTHORISATIONS_MAX: Final = 8
TRANSACTION_BYTES_MAX: Final = 65_536
WINDOW_MS_MAX: Final = 48 * 3600 * 1000  # not_after - not_before

# Wallets (wallet/windows.py, tokens/scanning.py, store/contacts.py)
WINDOW_MS_DEFAULT: Final = 10 * 60 * 1000
WINDOW_STEP_MS: Final = 60 * 1000  # windows are made of whole steps, whatever the device's clock
CONTACTS_MAX: Final = 4_096
SUBWALLETS_MAX: Final = 65_536  # wallet/subwallets.py, of one phrase
RETURN_ADDRESSES_MAX: Final = 256  # tokens/holdings.py: of one sub-wallet; then they come again
REQUESTS_MAX: Final = 16_384  # store/request_store.py: made by one holder on one device
REQUEST_BYTES_MAX: Final = 2_048  # wallet/requests.py: a link, so that it fits a QR code
SCAN_OUTPUTS_MAX: Final = 1_000_000  # outputs in one call of the kernel
HASHES_KEPT_MAX: Final = 262_144  # wallet/restoring.py, of the log's tree

# Banks (bank/attestation.py): windows that they attest, seen from now
ATTEST_EARLY_MS_MAX: Final = 2 * 60 * 1000  # a window may begin so much later: clocks differ
ATTEST_AHEAD_MS_MAX: Final = 3600 * 1000  # and end so much later: a freeze holds after it
EXPECTED_DEPOSITS_MAX: Final = 64  # store/arrivals.py: of one client, not paid yet
EXPECTED_DEPOSIT_MS_MAX: Final = 32 * 24 * 3600 * 1000  # longer than any release is good for

# People at banks (bank/applications.py, bank/approvals.py)
ACCOUNT_APPLICATIONS_MAX: Final = 10_000  # assembly/onboarding.py: that wait, of all
ACCOUNT_APPLICATIONS_PLACE_MAX: Final = 16  # that wait, from one network address
ACCOUNT_APPLICATIONS_NETWORK_MAX: Final = 64  # that wait, from one network of IPv6, a /48
ACCOUNT_APPLICATION_MS_MAX: Final = 7 * 24 * 3600 * 1000  # assembly/onboarding.py: then it is gone
PERSON_FIELDS_MAX: Final = 16  # besides name and phone
PERSON_BYTES_MAX: Final = 4_096  # of them all
SIGNATORIES_MAX: Final = 16  # of one client
APPROVALS_OPEN_MAX: Final = 64  # assembly/signing.py: of one client, at a time
STORAGE_KEYS_MAX: Final = 16  # assembly/renewing.py: that open rows of one database
APPROVAL_MS_MAX: Final = 48 * 3600 * 1000  # assembly/signing.py: of what has no window of its own
LOST_SUBWALLETS_MAX: Final = 8  # cli/moving.py: looked at, of a phrase whose wallet was lost
SHARES_MAX: Final = 16  # crypto/shares.py, of one phrase
DEVICE_CERTIFICATE_DAYS: Final = 30  # identity/device_certificates.py; renewed when a third is left
RETURN_REQUESTS_DAY_MAX: Final = 16  # bank/return_requests.py: made by one client
RETURN_REQUEST_MS_MAX: Final = 30 * 24 * 3600 * 1000  # tokens/return_requests.py: to be answered
TRAVEL_BYTES_MAX: Final = 16_384  # remote/travel_models.py: of one payment's data, sealed
DEVICE_CERTIFICATES_MAX: Final = 2  # store/device_certificate_store.py: of one client, good ones
DEVICE_CERTIFICATES_DAY_MAX: Final = 4  # assembly/device_certifying.py: new ones of one client
BANK_CERTIFICATES_DAY_MAX: Final = 5_000  # assembly/device_authority.py: of one bank's clients
DEVICE_REVOCATIONS_MAX: Final = 256  # assembly/device_certifying.py: told to the centre at once
# Reading with a client's consent (bank/consents.py)
CONSENT_MS_MAX: Final = 180 * 24 * 3600 * 1000  # from its creation to its end, as PSD2 has it
CONSENTS_OPEN_MAX: Final = 20  # of one client, in force
CONSENTS_MAX: Final = 1_000  # of one client, ended ones included: they are kept
READINGS_DAY_MAX: Final = 1_000  # by one consent in 24 hours; each is in the access log
# A bank's policy (policy/policies.py), cases and searches (bank/compliance.py)
POLICY_BYTES_MAX: Final = 1024 * 1024
POLICY_TIERS_MAX: Final = 64
POLICY_RULES_MAX: Final = 256
POLICY_LISTED_MAX: Final = 16_384  # entries of one list of a rule
POLICY_WINDOW_MINUTES_MAX: Final = 31 * 24 * 60
CASES_OPEN_MAX: Final = 16  # bank/supervision.py: about payments of one client
CASE_NOTES_MAX: Final = 1_000  # of one case
MOVEMENTS_KEPT_MAX: Final = 16_384  # store/movement_search.py: opened, in memory
AMOUNTS_KEPT_MAX: Final = 131_072  # store/kept_amounts.py: of tokens, in memory
SEARCHED_ROWS_MAX: Final = 10_000  # store/movement_search.py: looked at for one page
FREEZE_MS_MAX: Final = 10 * 366 * 24 * 3600 * 1000  # an order ends; a longer one is a new order

# Notary (notary/notarisation.py)
BATCH_TRANSACTIONS_MAX: Final = 1_024
BATCHES_AT_ONCE: Final = 2  # notary/service.py: one is verified while another uses the store
APPLICATIONS_OPEN_MAX: Final = 64  # central_bank/desk.py, of one participant
RESERVE_AGE_MS_MAX: Final = 48 * 3600 * 1000  # ledger/supply_checks.py: a debit backs an issue
VOIDS_PER_INPUT_MAX: Final = 16  # notary/service.py: cancelled transactions of one first input
SIMULATION_SEEDS_MAX: Final = 1_000_000  # cli/simulating.py: in one command
SIMULATION_MINUTES_MAX: Final = 10_080  # cli/simulating.py: a week of trouble
STOCK_READINGS_MAX: Final = 8  # flows/stocktaking.py: until the supply stands still meanwhile
QUEUE_TRANSACTIONS_MAX: Final = 8_192
PUBLICATION_TRANSACTIONS_MAX: Final = 4_096  # notary/service.py, of one publication batch
LEAVES_AT_ONCE_MAX: Final = 4_096  # read into memory together
BATCH_LEAVES_MAX: Final = (  # ledger/audit.py: inputs, outputs, kernels; conflicts, voids; header
    PUBLICATION_TRANSACTIONS_MAX * (INPUTS_MAX + OUTPUTS_MAX + 1) + LEAVES_AT_ONCE_MAX + 1
)

# Participants (identity/participants.py)
PARTICIPANTS_MAX: Final = 4_096
OFFICERS_MAX: Final = 32
NAME_BYTES_MAX: Final = 48
SUCCESSOR_HOPS_MAX: Final = 8

SERVICES_MAX: Final = 8_192  # identity/services.py

# Certificates (identity/certificates.py)
ROOT_DAYS: Final = 20 * 365
INTERMEDIATE_DAYS: Final = 5 * 365
CERTIFICATE_DAYS: Final = 90  # of a service; renewed when a third is left
CERTIFICATES_DAY_MAX: Final = 16  # assembly/centre.py: of one service
INVITATION_MS_MAX: Final = 48 * 3600 * 1000  # assembly/joining.py: a one-time code counts
PROPOSAL_MS_MAX: Final = 48 * 3600 * 1000  # central_bank/decisions.py: then it has its signatures
CRL_DAYS: Final = 7  # until the next revocation list

# Messages between institutions (remote, api)
MESSAGE_BYTES_MAX: Final = 8 * 1024 * 1024  # one body
MESSAGE_ITEMS_MAX: Final = 262_144  # remote/encoding.py: numbers, texts, lists … of one message
HEAD_BYTES_MAX: Final = 65_536  # api/protocol.py: of a request's head
CONNECTIONS_MAX: Final = 1_024  # api/protocol.py: of one listener
CONNECTIONS_PER_ADDRESS_MAX: Final = 256  # api/protocol.py: of one listener
CONNECTIONS_PER_SERVICE_MAX: Final = 128  # api/protocol.py: with one certificate's name
CONNECTIONS_SECOND_MAX: Final = 64  # api/accepting.py: new ones, from one address
HANDSHAKES_MAX: Final = 256  # api/accepting.py: TLS under way, of one listener
HANDSHAKES_PER_ADDRESS_MAX: Final = 32  # api/accepting.py: of them, from one address
HANDSHAKE_SECONDS_MAX: Final = 5  # api/accepting.py
DESCRIPTORS_MAX: Final = 8_192  # api/serving.py: asked of the system, for all listeners
MESSAGE_PAYMENTS_MAX: Final = 512  # payments in one submission to the notary
MESSAGE_AGE_MS_MAX: Final = 60 * 1000  # between a signature's time and our clock, either way
PIPELINE_MAX: Final = 16  # api/protocol.py: requests of a connection behind the one under way
MESSAGE_SECONDS_MAX: Final = 10  # until a request's head, and then its body, are here
STRANGER_BYTES_MAX: Final = 65_536  # of a message of somebody whom nobody knows
CALLS_AT_ONCE_MAX: Final = 16  # of one caller; more are told to come later
ANSWER_SECONDS_MAX: Final = 30  # api/protocol.py: while an answer is not taken
THREADS_SHARE: Final = 8  # api/turns.py: one caller has at most so small a part of the threads
SERVICE_THREADS_MAX: Final = 64  # api/turns.py: of institutions
OFFICER_THREADS_MAX: Final = 16
CLIENT_THREADS_MAX: Final = 32
SIGNATORY_THREADS_MAX: Final = 16
READER_THREADS_MAX: Final = 8
STRANGER_THREADS_MAX: Final = 16

# Quotas (api/quotas.py, chosen in api/gate.py): requests a second, and at once after a rest
REQUEST_BYTES: Final = 65_536  # of a body; each so many count as one request more
SERVICE_SECOND_MAX: Final = 256
SERVICE_BURST_MAX: Final = 1_024
PERSON_SECOND_MAX: Final = 32  # a client or an officer
PERSON_BURST_MAX: Final = 256
ADDRESS_SECOND_MAX: Final = 256  # an address on the public face
ADDRESS_BURST_MAX: Final = 1_024
PUBLIC_SECOND_MAX: Final = 1_024  # all strangers on the public face
PUBLIC_BURST_MAX: Final = 4_096
REFUSAL_SECONDS: Final = 1  # that a refusal takes, and that the caller is told to wait
QUOTAS_KEPT_MAX: Final = 16_384  # callers of whom is known how much they have asked lately
PAGE_ITEMS_MAX: Final = 1_000  # of one page of an answer
CLAIMS_MAX: Final = 64  # remote/client_models.py: tokens of a lost bank in one message
TRACED_PAYMENTS_MAX: Final = 8_192  # assembly/publication_spans.py: waiting for publication
SENDER_TRANSACTIONS_MAX: Final = 2_048  # notary/service.py: waiting of one sender

# Events and webhooks
EVENTS_KEPT_MAX: Final = 10_000  # store/event_store.py: of one client, the newest
STREAMS_MAX: Final = 512  # api/streams.py: open at once on one bank
STREAMS_PER_CLIENT_MAX: Final = 2  # api/streams.py: the newest
STREAM_SECONDS_MAX: Final = 3_600  # api/streams.py: then the device opens another one
URL_BYTES_MAX: Final = 500  # bank/events.py: of a webhook
WEBHOOKS_AT_ONCE_MAX: Final = 8  # assembly/webhooks.py: deliveries under way
WEBHOOK_SECONDS_MAX: Final = 10  # assembly/webhooks.py: of one attempt, whatever it does
WEBHOOK_ATTEMPTS_MAX: Final = 12  # assembly/webhooks.py: then it is dead, until it is replayed
WEBHOOK_WAIT_MS_MAX: Final = 6 * 3600 * 1000  # bank/events.py: between two attempts

# Books (books/entries.py)
POSTINGS_MAX: Final = 64
ACCOUNT_NAME_MAX: Final = 64
TEXT_MAX: Final = 140  # remittance text, the length ISO 20022 allows

CORE_BANK_SECONDS_MAX: Final = 5  # remote/core_bank_client.py: for an answer of a core system
CORE_BANK_SECRET_BYTES_MIN: Final = 16  # assembly/core_system.py, of the secret between the two
CORE_BANK_SECRET_BYTES_MAX: Final = 512

# Log (log/leaves.py)
LEAF_BYTES_MAX: Final = 32_768
LOG_FILE_BYTES_MAX: Final = 64 * 1024 * 1024
BATCH_FILE_BYTES_MAX: Final = 512 * 1024 * 1024  # store/batch_files.py, one private batch
COSIGNERS_MAX: Final = 1_024  # identity/cosigners.py, retired ones included; 15 may be current
NOTE_BYTES_MAX: Final = 131_072  # log/notes.py
NOTE_SIGNATURES_MAX: Final = 16  # as many as C2SP asks readers to accept
FORKS_KEPT_MAX: Final = 32  # assembly/fork_evidence.py: notes of one witness
PROOF_BYTES_MAX: Final = 262_144  # log/inclusion.py

# Directory (central_bank/directory.py, bank/directory.py): questions of one caller
LOOK_UPS_HOUR_MAX: Final = 30  # of a client
LOOK_UPS_DAY_MAX: Final = 200
BANK_LOOK_UPS_HOUR_MAX: Final = 20_000  # of a bank, for all its clients
BANK_LOOK_UPS_DAY_MAX: Final = 100_000
OWN_PHONES_HOUR_MAX: Final = 30  # of a client about its own number
OWN_PHONES_DAY_MAX: Final = 100
BANK_PHONES_HOUR_MAX: Final = 5_000  # of a bank, about numbers that it has confirmed
BANK_PHONES_DAY_MAX: Final = 20_000
ENTRY_AGE_MS_MAX: Final = 10 * 60 * 1000  # directory/succession.py: ahead of the desk's clock
ANSWER_AGE_MS_MAX: Final = 5 * 60 * 1000  # directory/answers.py: its time and the payer's clock
ANSWER_BYTES: Final = 6_144  # directory/answers.py: of every answer, found or not
RECEIPT_BYTES_MAX: Final = 4_096  # directory/answers.py: of the proof in it
ENTRIES_AT_ONCE_MAX: Final = 256  # central_bank/directory.py: taken up in one round

# Databases (store/database.py)
DATABASE_BUSY_MS_MAX: Final = 30_000  # how long a second writer waits

# Sealing (store/vault): Argon2id, RFC 9106's second recommended option
ARGON2_MEMORY_KIB: Final = 65_536
ARGON2_PASSES: Final = 3
ARGON2_LANES: Final = 4
PASSPHRASE_BYTES_MAX: Final = 1_024

KEY_FILE_BYTES_MAX: Final = 1024 * 1024  # store/key_file.py

# Command line (cli)
DEMO_CLIENTS_MAX: Final = 100_000
DEMO_PAYMENTS_MAX: Final = 10_000_000
