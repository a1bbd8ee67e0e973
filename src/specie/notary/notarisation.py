"""Notarising a batch: decode → proofs → contract → record → promise (T15, T16; design §1).

    prepare   decode, look up the inputs                          one batch at a time
    verify    proofs and signatures, on all cores                 beside whatever others do
    settle    look up, contract, durable record, promises         one batch at a time

Proofs and signatures hold or not whatever the order, so they are verified first, all at once. Then
the contract is run in order: a transaction sees those accepted before it, so an input created in
the same batch is legal. Each is judged once, however many others of its batch are refused.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from specie.crypto.secrets import InstitutionSigner
from specie.crypto.signatures import sign_as_institution
from specie.identity.genesis import Genesis
from specie.identity.participants import ParticipantList
from specie.ledger.batches import RecordedTransaction
from specie.ledger.judging import Candidate, Judgement, Rules, Verification, judge
from specie.ledger.messages import compute_promise_message, compute_voided_message
from specie.ledger.state import LedgerOutput, OverlayView
from specie.ledger.transactions import Promise, VoidPromise
from specie.ledger.voids import VoidRequest
from specie.ledger.wire import decode_attested, decode_signed
from specie.log.leaves import ConflictLeaf, DirectoryLeaf, VoidLeaf
from specie.ports.notary import LookUp, NotaryStore, RecordedOther
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError, SpentError
from specie.values.identifiers import OutputRef, TransactionId
from specie.values.limits import BATCH_TRANSACTIONS_MAX
from specie.values.times import Timestamp

Outcome = Promise | SpecieError


@dataclass(frozen=True, slots=True)
class NotaryRules:
    """What the notary judges by."""

    genesis: Genesis
    participants: ParticipantList
    key: InstitutionSigner

    def build(self, now: Timestamp) -> Rules:
        """For a batch that is judged at this time."""
        return Rules(self.genesis, self.participants, now)


class Notarisation:
    """A batch on its way: `prepare`, `verify`, `settle`.

    Only `verify` may run beside others of its kind, and it is where the time goes; the other two
    use the store and are run one at a time.
    """

    def __init__(self, batch: Sequence[bytes]) -> None:
        if len(batch) > BATCH_TRANSACTIONS_MAX:
            raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "too many transactions in one batch")
        self.batch = batch
        self._decoded: dict[bytes, Candidate | SpecieError] = {}
        self._candidates: list[Candidate] = []
        self._inputs: Mapping[OutputRef, LedgerOutput] = {}
        self._verification: Verification | None = None

    def prepare(self, store: NotaryStore, rules: NotaryRules, now: Timestamp) -> None:
        """Decode, and look up the inputs of what is new."""
        self._decoded = {data: decode_candidate(data) for data in self.batch}
        self._candidates = [one for one in self._decoded.values() if isinstance(one, Candidate)]
        promises = store.find_promises(list({one.txid for one in self._candidates}))
        fresh = [one for one in self._candidates if one.txid not in promises]
        ledger = self._look_up_inputs(store, fresh)
        self._inputs = ledger.outputs
        self._verification = Verification(fresh, ledger, rules.build(now))

    def verify(self) -> None:
        """Proofs and signatures, on all cores."""
        assert self._verification is not None, "prepared"
        self._verification.run()

    def settle(self, store: NotaryStore, rules: NotaryRules, now: Timestamp) -> list[Outcome]:
        """One outcome per item, in order; everything promised is durable when this returns."""
        promises = store.find_promises(list({one.txid for one in self._candidates}))
        fresh = [one for one in self._candidates if one.txid not in promises]
        ledger = self._look_up_state(store, fresh)
        judgement = judge(fresh, ledger, rules.build(now), self._verification)
        recorded = [_record(one, rules, now) for one in judgement.accepted]
        if recorded:
            store.record_batch(recorded, judgement.supply)
        _record_conflicts(judgement, store, now)
        promises.update({one.transaction.txid: one.promise for one in recorded})
        return [_get_outcome(self._decoded[one], promises, judgement.errors) for one in self.batch]

    def _look_up_inputs(self, store: NotaryStore, fresh: Sequence[Candidate]) -> OverlayView:
        inputs = tuple({ref for one in fresh for ref in one.transaction.body.inputs})
        return store.load_view(LookUp(outputs=inputs, spends=inputs))

    def _look_up_state(self, store: NotaryStore, fresh: Sequence[Candidate]) -> OverlayView:
        """All but the outputs that were found before: those never change."""
        return store.load_view(build_look_up(fresh, self._inputs), self._inputs)


def notarise(
    batch: Sequence[bytes], store: NotaryStore, rules: NotaryRules, now: Timestamp
) -> list[Outcome]:
    """A batch from first to last, with nobody else at work."""
    notarisation = Notarisation(batch)
    notarisation.prepare(store, rules, now)
    notarisation.verify()
    return notarisation.settle(store, rules, now)


def decode_candidate(data: bytes) -> Candidate | SpecieError:
    """The transaction, or why it is none."""
    try:
        return Candidate(decode_attested(data), data)
    except SpecieError as error:
        return error


def build_look_up(batch: Sequence[Candidate], known: Collection[OutputRef] = ()) -> LookUp:
    """Everything that these transactions touch, but for outputs that are known."""
    transactions = [one.transaction for one in batch]
    inputs = {ref for one in transactions for ref in one.body.inputs}
    outputs = {output.ref for one in transactions for output in one.body.outputs}
    outputs |= inputs.difference(known)
    supplies = [one.signed.supply for one in transactions if one.signed.supply]
    return LookUp(
        outputs=tuple(outputs),
        spends=tuple(inputs),
        kernels=tuple({kernel.public for one in transactions for kernel in one.signed.kernels}),
        reserves=tuple({one.reserve.entry for one in supplies if one.reserve}),
        txids=tuple({one.txid for one in batch}),
    )


def promise_void(
    txid: TransactionId, now: Timestamp, genesis: Genesis, key: InstitutionSigner
) -> VoidPromise:
    """Of what was cancelled at that time; signed again it is the same."""
    publish_by = Timestamp(now + genesis.batch_age_ms_max)
    message = compute_voided_message(genesis.network, txid, publish_by)
    return VoidPromise(txid, publish_by, sign_as_institution(key, message))


def build_void(request: VoidRequest, promise: VoidPromise) -> RecordedOther:
    """The leaf of a void, as it waits to be published."""
    leaf = VoidLeaf(promise.txid)
    first = decode_signed(request.data).body.inputs[0]
    return RecordedOther(leaf.key, leaf.pack(), request.time, request, promise, first)


def build_directory_leaf(leaf: DirectoryLeaf, now: Timestamp, genesis: Genesis) -> RecordedOther:
    """One of the directory, as it waits to be published."""
    publish_by = Timestamp(now + genesis.batch_age_ms_max)
    return RecordedOther(leaf.unique, leaf.pack(), now, publish_by=publish_by)


def promise_final(
    txid: TransactionId, now: Timestamp, genesis: Genesis, key: InstitutionSigner
) -> Promise:
    """Of what was notarised at that time; signed again it is the same."""
    publish_by = Timestamp(now + genesis.batch_age_ms_max)
    message = compute_promise_message(genesis.network, txid, publish_by)
    return Promise(txid, publish_by, sign_as_institution(key, message))


def _record(one: Candidate, rules: NotaryRules, now: Timestamp) -> RecordedTransaction:
    promise = promise_final(one.txid, now, rules.genesis, rules.key)
    return RecordedTransaction(one.transaction, one.data, now, promise, rules.participants.version)


def _record_conflicts(judgement: Judgement, store: NotaryStore, now: Timestamp) -> None:
    """A proven double spend goes into the log, once for each output."""
    for error in judgement.errors.values():
        if isinstance(error, SpentError):
            leaf = ConflictLeaf(error.evidence)
            store.record_other(RecordedOther(leaf.key, leaf.pack(), now))


def _get_outcome(
    one: Candidate | SpecieError,
    promises: Mapping[TransactionId, Promise],
    errors: Mapping[bytes, SpecieError],
) -> Outcome:
    if isinstance(one, SpecieError):
        return one
    return promises.get(one.txid) or errors[one.data]
