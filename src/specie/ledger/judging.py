"""Judging a batch: proofs of all at once, then the contract in order (T15, T16).

    form → what the ledger knows → attesters → attestation signatures → proofs → contract

What is cheap comes first. Proofs are verified only of what banks have signed for, so that nobody
without an attestation key, or an account with somebody who has one, makes the notary work.

The notary does it once for each transaction, auditors do it again from the private batch.
Transactions of a batch see the accepted ones before them, so an input created in the same batch
is legal; whoever's proofs were not verified is refused whatever the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from specie.crypto.proofs import BatchRefusedError, verify_signatures, verify_statements
from specie.identity.genesis import Genesis
from specie.identity.participants import ParticipantList
from specie.ledger.checks import (
    Check,
    ContractContext,
    check_attestation_form,
    check_attesters_active,
    check_inputs_attested,
    check_inputs_known,
    check_kernels_new,
    check_not_void,
    check_outputs_attested,
)
from specie.ledger.contracts import check_form, check_standing
from specie.ledger.state import LedgerOutput, LedgerView, OverlayView, Spend, SupplyState
from specie.ledger.statements import (
    build_transaction_statement,
    get_attestation_signatures,
    get_failure_error,
)
from specie.ledger.transactions import AttestedTransaction
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import TransactionId
from specie.values.times import Timestamp, get_day

_CHEAP: Final[tuple[Check, ...]] = (
    check_not_void,
    check_inputs_known,
    check_kernels_new,
    check_attestation_form,
    check_attesters_active,
    check_inputs_attested,
    check_outputs_attested,
)
"""Whatever order the batch has, what one of these refuses beforehand the contract refuses too."""


@dataclass(frozen=True, slots=True, repr=False)
class Candidate:
    """A transaction as it came; two that differ in signatures alone have the same txid."""

    transaction: AttestedTransaction
    data: bytes

    @property
    def txid(self) -> TransactionId:
        """The id of the body."""
        return self.transaction.txid


@dataclass(frozen=True, slots=True)
class Rules:
    """What a batch is judged by."""

    genesis: Genesis
    participants: ParticipantList
    now: Timestamp


@dataclass(slots=True, repr=False)
class Judgement:
    """What became of a batch: errors by encoding, and what was accepted, in order."""

    errors: dict[bytes, SpecieError] = field(default_factory=dict)
    accepted: list[Candidate] = field(default_factory=list)
    supply: SupplyState = field(default_factory=SupplyState)


def judge(batch: Sequence[Candidate], ledger: LedgerView, rules: Rules) -> Judgement:
    """The contract's error comes before one of a proof."""
    overlay = OverlayView(ledger, ledger.supply)
    context = _build_context(rules, overlay)
    malformed = _find_malformed(batch, context)
    failures = _find_failures([one for one in batch if one.data not in malformed], ledger, rules)
    judgement = Judgement()
    accepted: set[TransactionId] = set()
    for one in batch:
        if one.txid in accepted:
            continue  # the same payment with other signatures: the promise of the first is its own
        error = malformed.get(one.data) or _find_broken_rule(one.transaction, context)
        error = error or failures.get(one.data)
        if error is not None:
            judgement.errors[one.data] = error
            continue
        apply_transaction(one.transaction, overlay, rules.now)
        judgement.accepted.append(one)
        accepted.add(one.txid)
    judgement.supply = overlay.supply
    return judgement


def apply_transaction(
    transaction: AttestedTransaction, ledger: OverlayView, now: Timestamp
) -> None:
    """What the ledger is after this transaction."""
    body, signed = transaction.body, transaction.signed
    _add_outputs(transaction, ledger)
    for ref, signature in zip(body.inputs, signed.owner_signatures, strict=True):
        ledger.spends[ref] = Spend(body.txid, body.not_before, body.not_after, signature)
    ledger.kernels.update(kernel.public for kernel in signed.kernels)
    if signed.supply is None:
        return
    before, day = ledger.supply, get_day(now)
    issued = before.issued_on_day if before.day == day else 0
    ledger.supply = SupplyState(
        serial=signed.supply.serial,
        total=signed.supply.total_after,
        day=day,
        issued_on_day=issued + max(body.supply_change, 0),
    )
    if signed.supply.reserve:
        ledger.reserves.add(signed.supply.reserve.entry)


def _find_broken_rule(
    transaction: AttestedTransaction, context: ContractContext
) -> SpecieError | None:
    try:
        check_standing(transaction, context)
    except SpecieError as error:
        return error
    return None


def _find_malformed(
    batch: Sequence[Candidate], context: ContractContext
) -> dict[bytes, SpecieError]:
    """What is wrong whatever the ledger says; it takes no further part in the batch."""
    found: dict[bytes, SpecieError] = {}
    for one in batch:
        try:
            check_form(one.transaction, context)
        except SpecieError as error:
            found[one.data] = error
    return found


def _find_failures(
    batch: Sequence[Candidate], ledger: LedgerView, rules: Rules
) -> dict[bytes, SpecieError]:
    """Whose proofs or signatures do not hold, with inputs from the ledger or from this batch.

    All of `batch` is well-formed: the terms of an output are those that its hash fixes, so
    outputs of one reference are alike, whoever brings them.
    """
    overlay = OverlayView(ledger, ledger.supply)
    for one in batch:
        _add_outputs(one.transaction, overlay)
    context = _build_context(rules, overlay)
    waiting = [one for one in batch if _is_verifiable(one.transaction, context)]
    verifiable = {one.data for one in waiting}
    unverified = SpecieError(ErrorCode.BATCH_INCONSISTENT, "its proofs were not verified")
    failures = {one.data: unverified for one in batch if one.data not in verifiable}
    unattested = _find_unattested(waiting, context)
    failures |= unattested
    waiting = [one for one in waiting if one.data not in unattested]
    try:
        verify_statements(
            [build_transaction_statement(one.transaction, context) for one in waiting]
        )
    except BatchRefusedError as refused:
        for index, found in groupby(refused.failures, key=lambda failure: failure.index):
            one = waiting[index]
            failures[one.data] = get_failure_error(one.transaction, list(found))
    return failures


def _find_unattested(
    batch: Sequence[Candidate], context: ContractContext
) -> dict[bytes, SpecieError]:
    """Whom no bank has signed for, though an attestation says so."""
    signed = [
        (one, signature)
        for one in batch
        for signature in get_attestation_signatures(one.transaction, context)
    ]
    try:
        verify_signatures([signature for _, signature in signed])
    except BatchRefusedError as refused:
        code = ErrorCode.ATTESTATION_SIGNATURE_INVALID
        return {
            signed[failure.index][0].data: SpecieError(code, "not signed by the bank it names")
            for failure in refused.failures
        }
    return {}


def _is_verifiable(transaction: AttestedTransaction, context: ContractContext) -> bool:
    """Whether all is there that the proofs are about; if not, the contract will say what."""
    try:
        for check in _CHEAP:
            check(transaction, context)
    except SpecieError:
        return False
    return not any(context.ledger.find_spend(ref) for ref in transaction.body.inputs)


def _add_outputs(transaction: AttestedTransaction, ledger: OverlayView) -> None:
    body = transaction.body
    for output, terms in zip(body.outputs, body.terms, strict=True):
        ledger.outputs[output.ref] = LedgerOutput(output, terms.kind, terms.bank)


def _build_context(rules: Rules, ledger: OverlayView) -> ContractContext:
    return ContractContext(rules.genesis, rules.participants, rules.now, ledger)
