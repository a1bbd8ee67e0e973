"""Notarising a batch: decode → contract → proofs → record → promise (T15, T16; design §1).

    for each batch:   one look-up, one verification on all cores, one durable database transaction

Transactions of a batch see the earlier ones, so an input created in the same batch is legal.
If proofs of one fail, it is taken out and the others are judged again without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from specie.crypto.proofs import BatchRefusedError, verify_statements
from specie.crypto.secrets import InstitutionKey
from specie.crypto.signatures import sign_as_institution
from specie.identity.genesis import Genesis
from specie.identity.participants import ParticipantList
from specie.ledger.checks import ContractContext
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


@dataclass(slots=True)
class _Judged:
    """One pass over a batch."""

    outcomes: dict[TransactionId, SpecieError] = field(default_factory=dict)
    accepted: list[AttestedTransaction] = field(default_factory=list)
    supply: SupplyState = field(default_factory=SupplyState)


def notarise(
    batch: Sequence[bytes], store: NotaryStore, rules: NotaryRules, now: Timestamp
) -> list[Outcome]:
    """One outcome per item, in order; everything promised is durable when this returns."""
    if len(batch) > BATCH_TRANSACTIONS_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "too many transactions in one batch")
    decoded = [_decode(data) for data in batch]
    transactions = {
        one.txid: (one, data)
        for one, data in zip(decoded, batch, strict=True)
        if isinstance(one, AttestedTransaction)
    }
    promises = store.find_promises(list(transactions))
    fresh = [one for txid, (one, _) in transactions.items() if txid not in promises]
    judged = _judge(fresh, store, rules, now)
    recorded = [
        RecordedTransaction(one, transactions[one.txid][1], now, _promise(one.txid, rules, now))
        for one in judged.accepted
    ]
    if recorded:
        store.record_batch(recorded, judged.supply)
    promises.update({one.transaction.txid: one.promise for one in recorded})
    return [_get_outcome(one, promises, judged.outcomes) for one in decoded]


def _decode(data: bytes) -> AttestedTransaction | SpecieError:
    try:
        return decode_attested(data)
    except SpecieError as error:
        return error


def _judge(
    batch: Sequence[AttestedTransaction],
    store: NotaryStore,
    rules: NotaryRules,
    now: Timestamp,
) -> _Judged:
    """Contract in order, proofs at once; repeated without whatever fails until nothing does."""
    ledger = store.load_view(_build_look_up(batch))
    failed: dict[TransactionId, SpecieError] = {}
    verified: set[TransactionId] = set()
    while True:
        judged = _check_in_order(
            [one for one in batch if one.txid not in failed], ledger, rules, now
        )
        waiting = [one for one in judged.accepted if one.txid not in verified]
        failures = _find_failures(waiting, ledger, judged, rules, now)
        if not failures:
            judged.outcomes.update(failed)
            return judged
        failed.update(failures)
        verified.update(one.txid for one in waiting if one.txid not in failures)


def _check_in_order(
    batch: Sequence[AttestedTransaction],
    ledger: LedgerView,
    rules: NotaryRules,
    now: Timestamp,
) -> _Judged:
    overlay = OverlayView(ledger, ledger.supply)
    judged = _Judged()
    context = ContractContext(rules.genesis, rules.participants, now, overlay)
    for transaction in batch:
        try:
            check_contract(transaction, context)
        except SpecieError as error:
            judged.outcomes[transaction.txid] = error
            continue
        _apply(transaction, overlay, now)
        judged.accepted.append(transaction)
    judged.supply = overlay.supply
    return judged


def _find_failures(
    waiting: Sequence[AttestedTransaction],
    ledger: LedgerView,
    judged: _Judged,
    rules: NotaryRules,
    now: Timestamp,
) -> Mapping[TransactionId, SpecieError]:
    overlay = OverlayView(ledger, ledger.supply)
    for transaction in judged.accepted:
        _apply(transaction, overlay, now)
    context = ContractContext(rules.genesis, rules.participants, now, overlay)
    try:
        verify_statements([build_transaction_statement(one, context) for one in waiting])
    except BatchRefusedError as refused:
        failures: dict[TransactionId, SpecieError] = {}
        for failure in refused.failures:
            transaction = waiting[failure.index]
            failures.setdefault(transaction.txid, get_failure_error(transaction, failure))
        return failures
    return {}


def _apply(transaction: AttestedTransaction, overlay: OverlayView, now: Timestamp) -> None:
    """What the ledger is after this transaction."""
    body, signed = transaction.body, transaction.signed
    for ref, signature in zip(body.inputs, signed.owner_signatures, strict=True):
        overlay.spends[ref] = Spend(body.txid, body.not_before, body.not_after, signature)
    for output, terms in zip(body.outputs, body.terms, strict=True):
        overlay.outputs[output.ref] = LedgerOutput(output, terms.kind, terms.bank)
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


def _build_look_up(batch: Sequence[AttestedTransaction]) -> LookUp:
    refs = {ref for one in batch for ref in one.body.inputs}
    refs |= {output.ref for one in batch for output in one.body.outputs}
    supplies = [one.signed.supply for one in batch if one.signed.supply]
    return LookUp(
        refs=tuple(refs),
        kernels=tuple({kernel.public for one in batch for kernel in one.signed.kernels}),
        reserves=tuple({one.reserve.entry for one in supplies if one.reserve}),
    )


def _promise(txid: TransactionId, rules: NotaryRules, now: Timestamp) -> Promise:
    publish_by = Timestamp(now + rules.genesis.batch_age_ms_max)
    message = compute_promise_message(rules.genesis.network, txid, publish_by)
    return Promise(txid, publish_by, sign_as_institution(rules.key, message))


def _get_outcome(
    one: AttestedTransaction | SpecieError,
    promises: Mapping[TransactionId, Promise],
    errors: Mapping[TransactionId, SpecieError],
) -> Outcome:
    if isinstance(one, SpecieError):
        return one
    return promises.get(one.txid) or errors[one.txid]
