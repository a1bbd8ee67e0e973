"""Notarising a batch: decode → proofs → contract → record → promise (T15, T16; design §1).

    for each batch:   one look-up, one verification on all cores, one durable database transaction

Proofs and signatures hold or not whatever the order, so they are verified first, all at once. Then
the contract is run in order: a transaction sees those accepted before it, so an input created in
the same batch is legal. Each is judged once, however many others of its batch are refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from specie.crypto.proofs import BatchRefusedError, verify_statements
from specie.crypto.secrets import InstitutionKey
from specie.crypto.signatures import sign_as_institution
from specie.identity.genesis import Genesis
from specie.identity.participants import ParticipantList
from specie.ledger.checks import (
    ContractContext,
    check_attesters_active,
    check_inputs_known,
    check_range_cover,
)
from specie.ledger.contracts import check_contract
from specie.ledger.messages import compute_promise_message
from specie.ledger.state import LedgerOutput, LedgerView, OverlayView, Spend, SupplyState
from specie.ledger.statements import build_transaction_statement, get_failure_error
from specie.ledger.transactions import AttestedTransaction, Promise
from specie.ledger.wire import decode_attested
from specie.ports.notary import LookUp, NotaryStore, RecordedTransaction
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import TransactionId
from specie.values.limits import BATCH_TRANSACTIONS_MAX
from specie.values.times import Timestamp, get_day

Outcome = Promise | SpecieError


@dataclass(frozen=True, slots=True)
class NotaryRules:
    """What the notary judges by."""

    genesis: Genesis
    participants: ParticipantList
    key: InstitutionKey


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A transaction as it came; two that differ in signatures alone have the same txid."""

    transaction: AttestedTransaction
    data: bytes

    @property
    def txid(self) -> TransactionId:
        """The id of the body."""
        return self.transaction.txid


@dataclass(slots=True)
class _Judged:
    """What became of a batch: errors by encoding, and what was accepted, in order."""

    errors: dict[bytes, SpecieError] = field(default_factory=dict)
    accepted: list[_Candidate] = field(default_factory=list)
    supply: SupplyState = field(default_factory=SupplyState)


def notarise(
    batch: Sequence[bytes], store: NotaryStore, rules: NotaryRules, now: Timestamp
) -> list[Outcome]:
    """One outcome per item, in order; everything promised is durable when this returns."""
    if len(batch) > BATCH_TRANSACTIONS_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "too many transactions in one batch")
    decoded = {data: _decode(data) for data in batch}
    candidates = [one for one in decoded.values() if isinstance(one, _Candidate)]
    promises = store.find_promises(list({one.txid for one in candidates}))
    fresh = [one for one in candidates if one.txid not in promises]
    judged = _judge(fresh, store, rules, now)
    recorded = [
        RecordedTransaction(one.transaction, one.data, now, _promise(one.txid, rules, now))
        for one in judged.accepted
    ]
    if recorded:
        store.record_batch(recorded, judged.supply)
    promises.update({one.transaction.txid: one.promise for one in recorded})
    return [_get_outcome(decoded[data], promises, judged.errors) for data in batch]


def _decode(data: bytes) -> _Candidate | SpecieError:
    try:
        return _Candidate(decode_attested(data), data)
    except SpecieError as error:
        return error


def _judge(
    batch: Sequence[_Candidate], store: NotaryStore, rules: NotaryRules, now: Timestamp
) -> _Judged:
    """Proofs of all at once, then the contract in order; the contract's error comes first."""
    ledger = store.load_view(_build_look_up(batch))
    failures = _find_failures(batch, ledger, rules, now)
    overlay = OverlayView(ledger, ledger.supply)
    context = _build_context(rules, now, overlay)
    judged = _Judged()
    accepted: set[TransactionId] = set()
    for one in batch:
        if one.txid in accepted:
            continue  # the same payment with other signatures: the promise of the first is its own
        error = _find_broken_rule(one.transaction, context) or failures.get(one.data)
        if error is not None:
            judged.errors[one.data] = error
            continue
        _apply(one.transaction, overlay, now)
        judged.accepted.append(one)
        accepted.add(one.txid)
    judged.supply = overlay.supply
    return judged


def _find_broken_rule(
    transaction: AttestedTransaction, context: ContractContext
) -> SpecieError | None:
    try:
        check_contract(transaction, context)
    except SpecieError as error:
        return error
    return None


def _find_failures(
    batch: Sequence[_Candidate], ledger: LedgerView, rules: NotaryRules, now: Timestamp
) -> dict[bytes, SpecieError]:
    """Whose proofs or signatures do not hold, with inputs from the ledger or from this batch."""
    overlay = OverlayView(ledger, ledger.supply)
    for one in batch:
        _add_outputs(one.transaction, overlay)
    context = _build_context(rules, now, overlay)
    waiting = [one for one in batch if _is_verifiable(one.transaction, context)]
    unverified = SpecieError(ErrorCode.BATCH_INCONSISTENT, "its proofs were not verified")
    verifiable = {one.data for one in waiting}
    failures = {one.data: unverified for one in batch if one.data not in verifiable}
    try:
        verify_statements(
            [build_transaction_statement(one.transaction, context) for one in waiting]
        )
    except BatchRefusedError as refused:
        for index, found in groupby(refused.failures, key=lambda failure: failure.index):
            one = waiting[index]
            failures[one.data] = get_failure_error(one.transaction, list(found))
    return failures


def _is_verifiable(transaction: AttestedTransaction, context: ContractContext) -> bool:
    """Whether all is known that the proofs are about; if not, the contract will say what."""
    try:
        check_range_cover(transaction, context)
        check_inputs_known(transaction, context)
        check_attesters_active(transaction, context)
    except SpecieError:
        return False
    return not any(context.ledger.find_spend(ref) for ref in transaction.body.inputs)


def _build_context(rules: NotaryRules, now: Timestamp, ledger: OverlayView) -> ContractContext:
    return ContractContext(rules.genesis, rules.participants, now, ledger)


def _apply(transaction: AttestedTransaction, overlay: OverlayView, now: Timestamp) -> None:
    """What the ledger is after this transaction."""
    body, signed = transaction.body, transaction.signed
    _add_outputs(transaction, overlay)
    for ref, signature in zip(body.inputs, signed.owner_signatures, strict=True):
        overlay.spends[ref] = Spend(body.txid, body.not_before, body.not_after, signature)
    overlay.kernels.update(kernel.public for kernel in signed.kernels)
    if signed.supply is None:
        return
    before, day = overlay.supply, get_day(now)
    issued = before.issued_on_day if before.day == day else 0
    overlay.supply = SupplyState(
        serial=signed.supply.serial,
        total=signed.supply.total_after,
        day=day,
        issued_on_day=issued + max(body.supply_change, 0),
    )
    if signed.supply.reserve:
        overlay.reserves.add(signed.supply.reserve.entry)


def _add_outputs(transaction: AttestedTransaction, overlay: OverlayView) -> None:
    body = transaction.body
    for output, terms in zip(body.outputs, body.terms, strict=True):
        overlay.outputs[output.ref] = LedgerOutput(output, terms.kind, terms.bank)


def _build_look_up(batch: Sequence[_Candidate]) -> LookUp:
    transactions = [one.transaction for one in batch]
    refs = {ref for one in transactions for ref in one.body.inputs}
    refs |= {output.ref for one in transactions for output in one.body.outputs}
    supplies = [one.signed.supply for one in transactions if one.signed.supply]
    return LookUp(
        refs=tuple(refs),
        kernels=tuple({kernel.public for one in transactions for kernel in one.signed.kernels}),
        reserves=tuple({one.reserve.entry for one in supplies if one.reserve}),
    )


def _promise(txid: TransactionId, rules: NotaryRules, now: Timestamp) -> Promise:
    publish_by = Timestamp(now + rules.genesis.batch_age_ms_max)
    message = compute_promise_message(rules.genesis.network, txid, publish_by)
    return Promise(txid, publish_by, sign_as_institution(rules.key, message))


def _get_outcome(
    one: _Candidate | SpecieError,
    promises: Mapping[TransactionId, Promise],
    errors: Mapping[bytes, SpecieError],
) -> Outcome:
    if isinstance(one, SpecieError):
        return one
    return promises.get(one.txid) or errors[one.data]
