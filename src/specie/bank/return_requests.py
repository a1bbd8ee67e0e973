"""Requests for return, as both banks handle them: nothing is reversed, people are asked (T8).

    payer ─► its bank: paid, final, proven? ─sign─► payee's bank: same proof ─► kept for the payee
    payee ─► its bank: no ─► payer's bank ─► kept for the payer          a yes is a refund

Each request is made once for each payment and stays open for so many days. Both banks know the
payment: they see reason and answer as they see a memo, and nobody else does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from specie.crypto.secrets import InstitutionSigner
from specie.identity.participants import ParticipantList
from specie.ports.clients import ClientStatus, ClientStore
from specie.ports.clock import Clock
from specie.ports.events import EventKind
from specie.ports.paid import PaidOutputs
from specie.ports.returns import KeptReturn, ReturnAnswer, ReturnStore
from specie.tokens.return_requests import (
    PaidSecret,
    ReturnRequest,
    SignedReturn,
    is_return_over,
    name_return,
    sign_return,
    verify_answer,
    verify_return,
    verify_return_proof,
)
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ClientId,
    NetworkId,
    OutputRef,
    ParticipantNumber,
    TransactionId,
)
from specie.values.limits import ATTEST_EARLY_MS_MAX, PAGE_ITEMS_MAX, RETURN_REQUESTS_DAY_MAX
from specie.values.times import Timestamp

_DAY_MS: Final = 24 * 3600 * 1000

Tell = Callable[[ClientId, EventKind, dict[str, int | str]], None]
"""A client's event, within the transaction of its effect."""


@dataclass(frozen=True, slots=True, repr=False)
class ReturnDesk:
    """Of one bank, for both sides."""

    number: ParticipantNumber
    network: NetworkId
    key: InstitutionSigner
    clients: ClientStore
    paid: PaidOutputs
    store: ReturnStore
    tell: Tell
    clock: Clock
    find_members: Callable[[], ParticipantList]

    # --- the payer's bank ----------------------------------------------------------------------

    def ask(self, client: ClientId, request: ReturnRequest) -> KeptReturn:
        """To be relayed to `other`; again is the same, signed anew.

        `payment_unknown` unless this client has paid it for good; `rate_exceeded`.
        """
        paid = self.paid.find(request.ref)
        if paid is None or paid.client != client or not self._is_final(client, paid.txid):
            raise SpecieError(ErrorCode.PAYMENT_UNKNOWN, "you have paid nothing of this id")
        secret = PaidSecret(self.network, request.ref, paid.anchor)
        verify_return_proof(request, secret)
        self._check_own(client, request)
        signed = sign_return(request, self.network, self.number, self.key)
        now = self.clock.now()
        kept = KeptReturn(
            id=name_return(secret),
            client=client,
            is_asked=True,
            other=paid.bank,
            signed=signed,
            time=now,
        )
        with self.clients.recording():
            known = self.store.find(kept.id, is_asked=True)
            if known is None:
                self._check_rate(client, now)
            self.store.add(kept)
        return kept

    def hear_answer(self, bank: ParticipantNumber, ref: OutputRef, answer: ReturnAnswer) -> None:
        """Of the payee, by its bank: `bank` has said so. Again is the same."""
        paid = self.paid.find(ref)
        secret = PaidSecret(self.network, ref, b"" if paid is None else paid.anchor)
        kept = self.store.find(name_return(secret), is_asked=True)
        if paid is None or kept is None or not self._is_of(bank, kept.other):
            raise SpecieError(ErrorCode.RETURN_REQUEST_UNKNOWN, "nobody of ours has asked this")
        verify_answer(secret, answer.text, answer.proof)
        with self.clients.recording():
            if self.store.record_answer(kept, answer):
                self.tell(kept.client, EventKind.RETURN_DECLINED, {"transaction": paid.txid.hex()})

    # --- the payee's bank ----------------------------------------------------------------------

    def receive(self, bank: ParticipantNumber, signed: SignedReturn) -> None:
        """By the payer's bank; kept for the payee, who is told. Again is the same.

        `payment_unknown` unless a client of ours was paid it, `return_request_invalid` if it is
        not proven or another bank's, `request_expired`.
        """
        request = signed.request
        held = self.clients.find_tokens([request.ref]).get(request.ref)
        if held is None or not held.is_final:
            raise SpecieError(ErrorCode.PAYMENT_UNKNOWN, "nobody of ours was paid this")
        secret = PaidSecret(self.network, request.ref, held.token.opening.anchor)
        if signed.bank != bank:
            reason = "a bank asks for its own clients alone"
            raise SpecieError(ErrorCode.RETURN_REQUEST_INVALID, reason)
        verify_return(signed, secret, self.find_members())
        now = self.clock.now()
        _check_open(request, now)
        kept = KeptReturn(
            id=name_return(secret),
            client=held.client,
            is_asked=False,
            other=bank,
            signed=signed,
            time=now,
        )
        with self.clients.recording():
            if self.store.find(kept.id, is_asked=False) is None:
                self.tell(held.client, EventKind.RETURN_ASKED, {"output": request.ref.hex()})
            self.store.add(kept)

    def decline(self, client: ClientId, ref: OutputRef, answer: ReturnAnswer) -> KeptReturn:
        """The payee says no; to be told to `other`. The first answer counts, again is the same.

        `return_request_unknown`, `request_expired`, `return_request_invalid`.
        """
        held = self.clients.find_tokens([ref]).get(ref)
        anchor = b"" if held is None else held.token.opening.anchor
        secret = PaidSecret(self.network, ref, anchor)
        kept = self.store.find(name_return(secret), is_asked=False)
        if kept is None or kept.client != client:
            raise SpecieError(ErrorCode.RETURN_REQUEST_UNKNOWN, "nobody has asked you for this")
        verify_answer(secret, answer.text, answer.proof)
        if kept.answer is None:
            _check_open(kept.signed.request, self.clock.now())
        elif kept.answer != answer:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "it was answered before, in other words")
        self.store.record_answer(kept, answer)
        return kept

    def load(self, client: ClientId) -> Sequence[KeptReturn]:
        """What a client has asked and is asked, the newest first; a page of it."""
        return self.store.load(client, PAGE_ITEMS_MAX)

    def _is_final(self, client: ClientId, txid: TransactionId) -> bool:
        found = self.clients.find_movements(txid)
        return any(one.client == client and one.is_final for one in found)

    def _is_of(self, bank: ParticipantNumber, payee_bank: ParticipantNumber) -> bool:
        """The payee's bank itself, or whoever serves its clients now."""
        serving = self.find_members().find_attester(payee_bank)
        return bank == payee_bank or (serving is not None and serving.number == bank)

    def _check_own(self, client: ClientId, request: ReturnRequest) -> None:
        owner = self.clients.find_by_address(request.creditor)
        if owner is None or owner.id != client:
            raise SpecieError(ErrorCode.NOT_SERVED_HERE, "the address is not this client's")
        if owner.status is not ClientStatus.GOOD:
            raise SpecieError(ErrorCode.CLIENT_BLOCKED, "a client is blocked")
        _check_open(request, self.clock.now())

    def _check_rate(self, client: ClientId, now: Timestamp) -> None:
        since = Timestamp(max(0, now - _DAY_MS))
        if self.store.count_asked(client, since) >= RETURN_REQUESTS_DAY_MAX:
            reason = f"at most {RETURN_REQUESTS_DAY_MAX} requests for return in a day"
            raise SpecieError(ErrorCode.RATE_EXCEEDED, reason)


def _check_open(request: ReturnRequest, now: Timestamp) -> None:
    if request.time > now + ATTEST_EARLY_MS_MAX:
        raise SpecieError(ErrorCode.RETURN_REQUEST_INVALID, "it was asked later than now")
    if is_return_over(request.time, now):
        raise SpecieError(ErrorCode.REQUEST_EXPIRED, "it was asked too long ago")
