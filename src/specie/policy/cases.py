"""A case: somebody at the bank looks at a payment that a rule holds, or at a client (T20).

    open ─ release (one person, or two different ones) ─► released ─ the payment comes ─► used, once
         ├ refuse (anybody alone) ─► refused, for good
         └ close  (a suspicion: it holds no payment) ─► closed

A release is for one payment: this client, these payees and amounts, this order, for a limited time.
The device sends the same payment again or, if its window is over, one that says the same.
"""

import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum

from specie.crypto.hashing import tagged_hash
from specie.policy.checks import Side
from specie.policy.policies import Direction
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text, u8, u16, u64
from specie.values.errors import SpecieError
from specie.values.identifiers import ZERO16, ClientId, Digest, OrderId, TransactionId
from specie.values.times import Timestamp


class CaseKind(StrEnum):
    """What it is about."""

    PAYMENT = "payment"
    SUSPICION = "suspicion"


class CaseState(StrEnum):
    """How far it has come."""

    OPEN = "open"
    RELEASED = "released"
    REFUSED = "refused"
    CLOSED = "closed"


class Verdict(StrEnum):
    """What somebody decides."""

    RELEASE = "release"
    REFUSE = "refuse"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, repr=False)
class Decision:
    """By whom, when and why."""

    officer: str
    verdict: Verdict
    time: Timestamp
    reason: str


@dataclass(frozen=True, slots=True, repr=False)
class Case:
    """Without its notes."""

    number: int
    kind: CaseKind
    client: ClientId
    opened: Timestamp
    rules: tuple[str, ...]
    amount: Minor
    likeness: Digest  # of the payment; zeros for a suspicion
    txid: TransactionId
    order: OrderId
    text: str  # for people: the suspicion; nothing for a payment
    people_needed: int
    state: CaseState = CaseState.OPEN
    decisions: tuple[Decision, ...] = ()
    released_until: Timestamp = Timestamp(0)
    used_by: TransactionId | None = None
    direction: Direction = Direction.OUT
    parties: tuple[bytes, ...] = ()  # of a payment: the other side, as far as it is known
    names: tuple[str, ...] = ()


def compute_likeness(side: Side, txid: TransactionId) -> Digest:
    """What a payment built anew has in common with the first: who, to whom, how much, which order.

    One that pays several at once has nothing in common with any other: how much each of them gets
    is not in it. Neither has one without an order whose other side is not known: anybody's would
    say the same.
    """
    name = encode_text(side.client)
    head = u8(list(Direction).index(side.direction)) + u16(len(name)) + name + side.order
    parties = b"".join(u16(len(party)) + party for party in sorted(side.parties))
    is_anybodys = not side.parties and side.order == OrderId(ZERO16)
    only = txid if len(side.parties) > 1 or is_anybodys else b""
    return tagged_hash("case", head, u64(side.amount), u8(len(side.parties)), parties, only)


def decide(case: Case, decision: Decision, release_ms: int) -> Case:
    """The next state. The same decision of the same person about a case that is over is nothing.

    `case_closed` if it is over, or of another kind; `decision_repeated` if one person would be two.
    """
    mine = [one for one in case.decisions if is_same_person(one.officer, decision.officer)]
    if case.state is not CaseState.OPEN:
        if any(one.verdict is decision.verdict for one in mine):
            return case
        raise SpecieError(ErrorCode.CASE_CLOSED, f"the case is {case.state.value}")
    if (decision.verdict is Verdict.CLOSE) is not (case.kind is CaseKind.SUSPICION):
        reason = "a held payment is released or refused, a suspicion is closed"
        raise SpecieError(ErrorCode.CASE_CLOSED, reason)
    if mine and decision.verdict is Verdict.RELEASE:
        raise SpecieError(ErrorCode.DECISION_REPEATED, "somebody else has to release it, too")
    decided = replace(case, decisions=(*case.decisions, decision))
    if decision.verdict is Verdict.RELEASE:
        return _release(decided, decision.time, release_ms)
    is_refused = decision.verdict is Verdict.REFUSE
    return replace(decided, state=CaseState.REFUSED if is_refused else CaseState.CLOSED)


def is_usable(case: Case, likeness: Digest, now: Timestamp) -> bool:
    """Whether a payment passes the rules by this release."""
    is_right = case.state is CaseState.RELEASED and case.likeness == likeness
    return is_right and case.used_by is None and now <= case.released_until


def is_refused_for_good(case: Case, likeness: Digest, txid: TransactionId) -> bool:
    """The payment itself; one that says the same, if it names the order."""
    if case.state is not CaseState.REFUSED:
        return False
    is_same_order = case.order != OrderId(ZERO16) and case.likeness == likeness
    return case.txid == txid or is_same_order


def is_same_person(first: str, second: str) -> bool:
    """Names as people write them: capitals and spaces make nobody else."""
    return _normalise(first) == _normalise(second)


def _release(case: Case, now: Timestamp, release_ms: int) -> Case:
    if len(case.decisions) < case.people_needed:
        return case
    return replace(case, state=CaseState.RELEASED, released_until=Timestamp(now + release_ms))


def _normalise(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
