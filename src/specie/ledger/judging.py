"""Judging a batch: proofs of all at once, then the contract in order (T15, T16).

    form → what the ledger knows → attesters → attestation signatures → proofs → contract

What is cheap comes first. Proofs are verified only of what banks have signed for, so that nobody
without an attestation key, or an account with somebody who has one, makes the notary work.

The notary does it once for each transaction, auditors do it again from the private batch.
Transactions of a batch see the accepted ones before them, so an input created in the same batch
is legal; whoever's proofs were not verified is refused whatever the reason.

Proofs and signatures depend on outputs alone, which never change, so they can be verified ahead,
while the ledger is busy with another batch. What depends on spends, voids, time or supply is judged
at the end, from what the ledger is then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from specie.crypto.points import check_points
from specie.crypto.proofs import (
    BatchRefusedError,
    Statement,
    verify_signatures,
    verify_statements,
)
from specie.identity.genesis import Genesis
from specie.identity.participants import ParticipantList
from specie.ledger.checks import (
    Check,
    ContractContext,
    check_inputs_known,
    check_kernels_new,
    check_not_void,
    check_transaction_points,
    list_owner_points,
)
from specie.ledger.contracts import check_attested, check_form, check_standing, check_timely
from specie.ledger.state import LedgerOutput, LedgerView, OverlayView, Spend, SupplyState
from specie.ledger.statements import (
    Signed,
    build_unattested_statement,
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
    check_attested,
)
"""Whatever order the batch has, what one of these refuses beforehand the contract refuses too."""


@dataclass(frozen=True, slots=True, repr=False)
class Candidate:
    """A transaction as it came; two that differ in signatures alone have the same txid."""

    transaction: AttestedTransaction
    data: bytes
    txid: TransactionId = field(init=False)  # the id of the body

    def __post_init__(self) -> None:
        object.__setattr__(self, "txid", self.transaction.txid)


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


class Verification:
    """What of a batch holds or not whatever the ledger does meanwhile: form, proofs, signatures.

    Made from what the ledger knows of the inputs now, as outputs never change; `run` is the
    kernel's work alone, so that the ledger is free while it goes on.
    """

    def __init__(
        self,
        batch: Sequence[Candidate],
        ledger: LedgerView,
        rules: Rules,
        ahead: "Verification | None" = None,
    ) -> None:
        """Goes on from one made earlier (`ahead`), unless it was by another participant list.

        What is verified has inputs of the ledger or of this batch. All of it is well-formed: the
        terms of an output are those that its hash fixes, so outputs of one reference are alike,
        whoever brings them.
        """
        if ahead and ahead.rules.participants is not rules.participants:
            ahead = None
        self.rules: Rules = rules
        self.malformed: dict[bytes, SpecieError] = dict(ahead.malformed) if ahead else {}
        self.failures: dict[bytes, SpecieError] = dict(ahead.failures) if ahead else {}
        self.verified: set[bytes] = set(ahead.verified) if ahead else set()
        overlay = OverlayView(ledger, ledger.supply)
        context = _build_context(rules, overlay)
        fresh = [one for one in batch if one.data not in self.verified]
        self.malformed |= _find_malformed(fresh, context)
        for one in batch if fresh else ():
            if one.data not in self.malformed:
                _add_outputs(one.transaction, overlay)
        self._formed = [one for one in fresh if one.data not in self.malformed]
        self._waiting = [
            _Work(
                one,
                get_attestation_signatures(one.transaction, context),
                build_unattested_statement(one.transaction, context),
            )
            for one in self._formed
            if _is_verifiable(one.transaction, context)
        ]

    def run(self) -> None:
        """Cheap before dear: what no bank has signed for costs no range proof.

        Commitments and kernels are decoded where they are verified. So points are looked at one
        by one only where there is an error, to tell what is malformed from what does not hold.
        """
        if not self._formed:
            return  # all was verified ahead, and the kernel's threads may be busy with others
        if not self._are_points_sound():
            self.malformed |= _find_unsound(self._formed)
        waiting = [work for work in self._waiting if work.one.data not in self.malformed]
        self._verify_attestations(waiting)
        self._verify_statements([work for work in waiting if work.one.data not in self.failures])
        self.verified |= {work.one.data for work in waiting}
        self.malformed |= _find_unsound([one for one in self._formed if self.find_failure(one)])

    def find_failure(self, one: Candidate) -> SpecieError | None:
        """Whose proofs were not verified is refused whatever the reason."""
        if one.data not in self.verified:
            return SpecieError(ErrorCode.BATCH_INCONSISTENT, "its proofs were not verified")
        return self.failures.get(one.data)

    def _are_points_sound(self) -> bool:
        """Those that no proof is about, of all transactions at once."""
        transactions = [one.transaction for one in self._formed]
        try:
            check_points([point for one in transactions for point in list_owner_points(one)])
        except SpecieError:
            return False
        return True

    def _verify_attestations(self, waiting: "Sequence[_Work]") -> None:
        signed = [(work.one, signature) for work in waiting for signature in work.attestations]
        try:
            verify_signatures([signature for _, signature in signed])
        except BatchRefusedError as refused:
            code = ErrorCode.ATTESTATION_SIGNATURE_INVALID
            for failure in refused.failures:
                one, _ = signed[failure.index]
                self.failures[one.data] = SpecieError(code, "not signed by the bank it names")

    def _verify_statements(self, attested: "Sequence[_Work]") -> None:
        try:
            verify_statements([work.statement for work in attested])
        except BatchRefusedError as refused:
            for index, found in groupby(refused.failures, key=lambda failure: failure.index):
                one = attested[index].one
                self.failures[one.data] = get_failure_error(one.transaction, list(found))


@dataclass(frozen=True, slots=True, repr=False)
class _Work:
    """What the kernel has to do for a transaction."""

    one: Candidate
    attestations: Sequence[Signed]
    statement: Statement


def judge(
    batch: Sequence[Candidate],
    ledger: LedgerView,
    rules: Rules,
    ahead: Verification | None = None,
) -> Judgement:
    """The contract's error comes before one of a proof; what was verified ahead is not again."""
    verification = Verification(batch, ledger, rules, ahead)
    verification.run()
    overlay = OverlayView(ledger, ledger.supply)
    context = _build_context(rules, overlay)
    judgement = Judgement()
    accepted: set[TransactionId] = set()
    for one in batch:
        if one.txid in accepted:
            continue  # the same payment with other signatures: the promise of the first is its own
        error = verification.malformed.get(one.data)
        is_attested = one.data in verification.verified
        error = error or _find_broken_rule(one.transaction, context, is_attested=is_attested)
        error = error or verification.find_failure(one)
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
    transaction: AttestedTransaction, context: ContractContext, *, is_attested: bool
) -> SpecieError | None:
    try:
        check_timely(transaction, context)
        check_standing(transaction, context, is_attested=is_attested)
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


def _find_unsound(batch: Sequence[Candidate]) -> dict[bytes, SpecieError]:
    """Who brings points that are none."""
    found: dict[bytes, SpecieError] = {}
    for one in batch:
        try:
            check_transaction_points(one.transaction)
        except SpecieError as error:
            found[one.data] = error
    return found


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
