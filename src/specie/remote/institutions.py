"""The ports of notary, accounting, banks and desk, answered by other processes.

What a port's caller passes along because it is at hand in one process (the notary, a reserve
reference) is not sent: the institution that answers has its own.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Final

from specie.crypto.addresses import Address
from specie.identity.services import ServiceRole
from specie.ledger.records import Attestation, ReserveReference, read_reserve
from specie.ledger.state import SupplyState
from specie.ledger.states import StateStatement
from specie.ledger.transactions import AttestedTransaction, Promise, VoidPromise
from specie.ledger.wire import decode_attested
from specie.log.notes import SignedLine, parse_line
from specie.ports.bank import BankPort
from specie.ports.issuance import Application, ApplicationState, Direction
from specie.ports.notary import NotaryPort
from specie.remote import accounting_operations as accounting
from specie.remote import bank_models, models
from specie.remote import bank_operations as banks
from specie.remote import desk_operations as desk
from specie.remote import notary_operations as notary
from specie.remote import registration_operations as registration
from specie.remote.channel import Channel
from specie.remote.encoding import build_error
from specie.remote.fields import Empty
from specie.remote.operations import Operation
from specie.tokens.building import BuiltTransaction
from specie.tokens.disclosures import PayeeView
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    Digest,
    EntryId,
    InstitutionPublicKey,
    OrderId,
    OutputRef,
    ParticipantNumber,
    ServiceName,
    Signature,
    TransactionId,
)
from specie.values.limits import MESSAGE_PAYMENTS_MAX
from specie.values.times import Timestamp

NOTARY: Final = ServiceName("notary")
ACCOUNTING: Final = ServiceName("accounting")
CENTRAL_BANK: Final = ServiceName("central-bank")
REGISTRATION: Final = ServiceName("registration")

Outcome = Promise | SpecieError


class RemoteNotary:
    """`NotaryPort`, and what banks ask of it to fill its batches."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @property
    def public_key(self) -> InstitutionPublicKey:
        """By the participant list."""
        return self._channel.peers.roster.current.notary_key

    def notarise(self, data: bytes) -> Promise:
        """Final and durable once this returns; the same bytes again give the same answer."""
        outcome = self.notarise_many([data])[0]
        if isinstance(outcome, Promise):
            return outcome
        raise outcome

    def notarise_many(self, transactions: Sequence[bytes]) -> list[Outcome]:
        """At most 512 in one request; an outcome each, in order."""
        assert len(transactions) <= MESSAGE_PAYMENTS_MAX, "callers split what is more"
        request = models.Submission(transactions=list(transactions))
        answer = self._channel.call(NOTARY, notary.NOTARISE, request)
        if len(answer.outcomes) != len(transactions):
            raise SpecieError(ErrorCode.UNREACHABLE, "the notary did not answer each")
        return [_read_outcome(one) for one in answer.outcomes]

    def find_promise(self, txid: TransactionId) -> Promise | None:
        """The promise given for it; None if it is not final now."""
        request = models.TransactionQuery(txid=txid)
        found = self._channel.call(NOTARY, notary.FIND_PROMISE, request).promise
        return found.unwrap() if found else None

    def find_void(self, txid: TransactionId) -> VoidPromise | None:
        """The promise that it is never final, if it was cancelled."""
        request = models.TransactionQuery(txid=txid)
        found = self._channel.call(NOTARY, notary.FIND_VOID, request).promise
        return found.unwrap_void() if found else None

    def void(self, data: bytes, signature: Signature) -> VoidPromise:
        """Cancel a transaction that is not final, for good."""
        request = models.VoidMessage(data=data, signature=signature)
        return self._channel.call(NOTARY, notary.VOID, request).unwrap_void()

    def get_supply(self) -> SupplyState:
        """Serial and total."""
        return self._channel.call(NOTARY, notary.GET_SUPPLY, Empty()).unwrap()

    def get_published_time(self) -> Timestamp:
        """What the last header says, 0 before the first."""
        return self.get_publication().time

    def count_missing(self) -> int:
        """How many self-transfers should join what waits to be published."""
        return self.get_publication().missing

    def is_due(self) -> bool:
        """Whether what waits has to be published now."""
        return self.get_publication().is_due

    def get_publication(self) -> models.Publication:
        """All three at once."""
        return self._channel.call(NOTARY, notary.GET_PUBLICATION, Empty())

    def read_checkpoint(self) -> str:
        """The log's own note; `not_published` before the first."""
        note = self._channel.call(NOTARY, notary.GET_CHECKPOINT, Empty()).note
        if not note:
            raise SpecieError(ErrorCode.NOT_PUBLISHED, "nothing is published yet")
        return note

    def list_leaves(self, start: int) -> list[bytes]:
        """A page of the log from a position on."""
        request = models.LeavesQuery(start=start)
        return list(self._channel.call(NOTARY, notary.LIST_LEAVES, request).leaves)

    def read_batch(self, number: int) -> bytes:
        """A private batch, for auditors."""
        return read_parts(self._channel, NOTARY, notary.READ_BATCH, number)


class RemoteAccounting:
    """`IssueAccounting` for the central bank, and the rest of what it asks of the accounting."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def debit_for_issue(
        self, entry: EntryId, participant: ParticipantNumber, amount: Minor
    ) -> ReserveReference:
        """Debit reserves; the same entry again gives the same reference."""
        request = models.Debit(entry=entry, participant=participant, amount=amount)
        answer = self._channel.call(ACCOUNTING, accounting.DEBIT_FOR_ISSUE, request)
        return read_reserve(answer.reference)

    def complete_issue(self, entry: EntryId, promise: Promise) -> None:
        """It is final: out of transit, into the issuance fund."""
        request = models.Completion(entry=entry, promise=models.PromiseMessage.wrap(promise))
        self._channel.call(ACCOUNTING, accounting.COMPLETE_ISSUE, request)

    def is_issue_over(self, entry: EntryId, published: Timestamp) -> bool:
        """Whether the debit backs no issue any more."""
        request = models.EntryAge(entry=entry, published=published)
        return self._channel.call(ACCOUNTING, accounting.IS_ISSUE_OVER, request).is_true

    def release_issue(self, entry: EntryId, published: Timestamp) -> None:
        """It will never be final."""
        request = models.EntryAge(entry=entry, published=published)
        self._channel.call(ACCOUNTING, accounting.RELEASE_ISSUE, request)

    def hold_redemption(self, entry: EntryId, amount: Minor) -> None:
        """Out of the fund: a redemption is in transit."""
        request = models.Holding(entry=entry, amount=amount)
        self._channel.call(ACCOUNTING, accounting.HOLD_REDEMPTION, request)

    def release_redemption(self, entry: EntryId) -> None:
        """It will never be final: back into the fund."""
        request = models.EntryQuery(entry=entry)
        self._channel.call(ACCOUNTING, accounting.RELEASE_REDEMPTION, request)

    def credit_for_redemption(
        self, participant: ParticipantNumber, amount: Minor, promise: Promise
    ) -> None:
        """Out of transit into reserves, once for the transaction that is promised."""
        wrapped = models.PromiseMessage.wrap(promise)
        request = models.Credit(participant=participant, amount=amount, promise=wrapped)
        self._channel.call(ACCOUNTING, accounting.CREDIT_FOR_REDEMPTION, request)

    def open_reserves(self, participant: ParticipantNumber) -> None:
        """A reserve account; idempotent."""
        request = models.Account(participant=participant)
        self._channel.call(ACCOUNTING, accounting.OPEN_RESERVES, request)

    def lend(self, entry: EntryId, participant: ParticipantNumber, amount: Minor) -> None:
        """Reserves against collateral; idempotent by entry."""
        request = models.Debit(entry=entry, participant=participant, amount=amount)
        self._channel.call(ACCOUNTING, accounting.LEND, request)

    def get_reserves(self, participant: ParticipantNumber) -> Minor:
        """A participant's reserves."""
        request = models.Account(participant=participant)
        return self._channel.call(ACCOUNTING, accounting.GET_RESERVES, request).amount

    def count_backing(self) -> tuple[Minor, Minor]:
        """What stands against the currency, and how much of it is in transit."""
        answer = self._channel.call(ACCOUNTING, accounting.COUNT_BACKING, Empty())
        return answer.fund, answer.in_transit


TellFirst = Callable[[ParticipantNumber, PayeeView], None]


class RemoteBank:
    """`BankPort` of another bank: what it does for its own clients it does at home."""

    def __init__(self, channel: Channel, number: ParticipantNumber) -> None:
        self.number = number
        self.tell_first: TellFirst | None = None  # what the other bank is told before it attests
        self._channel = channel
        self._vault: Address | None = None

    @property
    def vault_address(self) -> Address:
        """Asked for once."""
        if self._vault is None:
            answer = self._get_vault()
            self._vault = Address(self.number, answer.view, answer.spend)
        return self._vault

    def attest_payment(self, built: BuiltTransaction) -> Attestation:
        """Nobody but the payer's own bank sees the payer's side."""
        raise SpecieError(
            ErrorCode.NOT_SERVED_HERE, f"{built.signed.txid.hex()}: attested by the payer's bank"
        )

    def attest_receipt(self, view: PayeeView) -> Attestation:
        """As a payee's bank: sees its own outputs only."""
        if self.tell_first is not None:
            self.tell_first(self.number, view)
        request = bank_models.PayeeMessage.wrap(view)
        return self._channel.call(self._name, banks.ATTEST_RECEIPT, request).unwrap()

    def deliver(self, promise: Promise) -> None:
        """The transaction is final."""
        request = models.PromiseMessage.wrap(promise)
        self._channel.call(self._name, banks.DELIVER, request)

    def expect_transfer(self, order: OrderId, sender: ParticipantNumber) -> None:
        """The sender is whoever calls: it is not sent."""
        del sender
        request = bank_models.ExpectedTransfer(order=order)
        self._channel.call(self._name, banks.EXPECT_TRANSFER, request)

    def count_vault(self) -> Minor:
        """Told to the central bank alone."""
        return self._get_vault().balance

    def get_witnessed(self) -> int:
        """Where the bank's witness stands."""
        return self._channel.call(self._name, banks.GET_WITNESSED, Empty()).size

    def cosign(self, note: str, growth: Sequence[Digest]) -> tuple[SignedLine, ...]:
        """The lines of its witness, if the log continues what it cosigned before."""
        request = bank_models.Growth(note=note, growth=list(growth))
        answer = self._channel.call(self._name, banks.COSIGN, request)
        return tuple(parse_line(line) for line in answer.lines)

    @property
    def _name(self) -> ServiceName:
        return self._channel.peers.get_serving(self.number).name

    def _get_vault(self) -> bank_models.VaultMessage:
        return self._channel.call(self._name, banks.GET_VAULT, Empty())


class RemoteBanks:
    """`BankDirectory`: banks at home, then all others of the list of services."""

    def __init__(self, channel: Channel, *own: BankPort) -> None:
        self._channel = channel
        self._own = {bank.number: bank for bank in own}
        self._others: dict[ParticipantNumber, RemoteBank] = {}
        self.tell_first: TellFirst | None = None
        self._lock = threading.Lock()

    def get_bank(self, number: ParticipantNumber) -> BankPort:
        """Whoever serves its clients now; `participant_unknown` if nobody does."""
        serving = self._channel.peers.roster.current.find_attester(number)
        if serving is not None and serving.number in self._own:
            return self._own[serving.number]
        return self.get_remote(number)

    def get_remote(self, number: ParticipantNumber) -> RemoteBank:
        """Over the network, also what is at home."""
        self._channel.peers.services.get_bank(number)
        with self._lock:
            if number not in self._others:
                self._others[number] = RemoteBank(self._channel, number)
                self._others[number].tell_first = self.tell_first
            return self._others[number]

    def list_banks(self) -> list[RemoteBank]:
        """All of the list of services."""
        services = self._channel.peers.services.find_role(ServiceRole.BANK)
        return [self.get_remote(one.number) for one in services]


class RemoteDesk:
    """`RedemptionDesk` as a bank has it, and what else it asks of the central bank.

    Each operation does at the central bank what belongs together: `accept_void` holds the amount,
    `check_final` credits the reserves.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def apply(
        self,
        order: OrderId,
        direction: Direction,
        participant: ParticipantNumber,
        vault: Address,
        amount: Minor,
    ) -> Application:
        """Ask; a known order is compared only."""
        del participant  # whoever calls
        request = models.ApplicationMessage(
            order=order,
            direction=direction.value,
            amount=amount,
            view=vault.view,
            spend=vault.spend,
        )
        return self._channel.call(CENTRAL_BANK, desk.APPLY, request).unwrap()

    def get_application(self, order: OrderId) -> models.ApplicationRecord:
        """How far it has come."""
        request = models.OrderQuery(order=order)
        return self._channel.call(CENTRAL_BANK, desk.GET_APPLICATION, request)

    def find_promise(self, order: OrderId, notary: NotaryPort) -> Promise | None:
        """The promise for whatever was produced for this order."""
        del notary
        request = models.OrderQuery(order=order)
        found = self._channel.call(CENTRAL_BANK, desk.FIND_PRODUCED, request).promise
        return found.unwrap() if found else None

    def approve(self, order: OrderId) -> None:
        """Officers do: `approvals_missing` until enough have."""
        state = self.get_application(order).unwrap().state
        if state is ApplicationState.APPLIED:
            raise SpecieError(ErrorCode.APPROVALS_MISSING, "officers have not approved it yet")
        if state is ApplicationState.ENDED:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "the order was given up")

    def accept_void(self, order: OrderId, built: BuiltTransaction) -> BuiltTransaction:
        """Our own voiding transaction; its amount is in transit from now on."""
        request = models.Voiding.wrap_order(order, built)
        return self._channel.call(CENTRAL_BANK, desk.ACCEPT_VOID, request).unwrap()

    def authorise(
        self,
        order: OrderId,
        attestation: Attestation,
        reserve: ReserveReference | None,
        supply: SupplyState,
    ) -> AttestedTransaction:
        """With the officers' authorisations; `approvals_missing` until they are there."""
        del reserve, supply
        request = models.AuthorisationRequest(order=order, attestation=attestation.pack())
        answer = self._channel.call(CENTRAL_BANK, desk.AUTHORISE, request)
        return decode_attested(answer.data)

    def check_final(self, order: OrderId, promise: Promise) -> Application:
        """The money is void: reserves are credited, and the application is complete."""
        request = models.Settlement(order=order, promise=models.PromiseMessage.wrap(promise))
        return self._channel.call(CENTRAL_BANK, desk.SETTLE_REDEMPTION, request).unwrap()

    def complete(self, order: OrderId, promise: Promise) -> None:
        """Done with `check_final`."""

    def list_vaults(self, participant: ParticipantNumber) -> list[Address]:
        """Of any bank, as far as money was issued to it."""
        request = models.Account(participant=participant)
        answer = self._channel.call(CENTRAL_BANK, desk.LIST_VAULTS, request)
        return [Address(participant, one.view, one.spend) for one in answer.vaults]

    def list_loans(self, start: int) -> list[models.Loan]:
        """Reserves that we were lent, from a number on."""
        request = models.LeavesQuery(start=start)
        return list(self._channel.call(CENTRAL_BANK, desk.LIST_LOANS, request).loans)

    def get_reserves(self) -> Minor:
        """Our own."""
        return self._channel.call(CENTRAL_BANK, desk.GET_OWN_RESERVES, Empty()).amount


class CounterAccounting:
    """`RedemptionAccounting` as a bank has it: the central bank's counter has done what is asked.

    A bank asks the accounting for nothing by itself; only giving up is a call of its own.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def hold_redemption(self, entry: EntryId, amount: Minor) -> None:
        """Done when the desk accepted the voiding."""

    def release_redemption(self, entry: EntryId) -> None:
        """Refused by the central bank while the voiding may still be final."""
        request = models.OrderQuery(order=OrderId(entry))
        self._channel.call(CENTRAL_BANK, desk.END_REDEMPTION, request)

    def credit_for_redemption(
        self, participant: ParticipantNumber, amount: Minor, promise: Promise
    ) -> None:
        """Done when the desk was shown the promise."""


class RemoteRegistration:
    """The registration as a payer that waits for an answer sees it."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def prove_time(self) -> str:
        """Receipt of the newest header."""
        return self._channel.call(REGISTRATION, registration.PROVE_TIME, Empty()).note

    def state_outputs(self, refs: Sequence[OutputRef]) -> StateStatement:
        """Signed: which of these are spent."""
        request = bank_models.StatesQuery(refs=list(refs))
        return self._channel.call(REGISTRATION, registration.STATE_OUTPUTS, request).unwrap()

    def find_signed(self) -> str:
        """The newest checkpoint that bears our own signature; empty if there is none."""
        return self._channel.call(REGISTRATION, registration.FIND_SIGNED, Empty()).note


def read_parts(
    channel: Channel,
    place: ServiceName,
    operation: Operation[models.ChunkQuery, models.Chunk],
    number: int,
) -> bytes:
    """A private batch from whoever has it."""
    data = b""
    while True:
        chunk = channel.call(place, operation, models.ChunkQuery(number=number, offset=len(data)))
        data += chunk.data
        if len(data) >= chunk.total or not chunk.data:
            return data


def _read_outcome(one: models.OutcomeMessage) -> Outcome:
    if one.promise is not None:
        return one.promise.unwrap()
    if one.refusal is None:
        return SpecieError(ErrorCode.UNREACHABLE, "neither promised nor refused")
    return build_error(one.refusal.code, one.refusal.message, one.refusal.evidence)
