"""What is said: requests and answers of all operations, and how the system's values travel in them.

Values that the specification already gives one byte form travel in it (attestations, openings,
transactions, reserve references); everything else has its fields here.
"""

from typing import Annotated, Literal, Self

from pydantic import Field

from specie.crypto.addresses import Address
from specie.crypto.outputs import unpack_opening
from specie.ledger.state import SupplyState
from specie.ledger.transactions import Promise, VoidPromise
from specie.ledger.wire import decode_signed, encode_signed
from specie.ports.issuance import Application, ApplicationState, Direction
from specie.remote.fields import (
    AmountField,
    BytesField,
    CodeField,
    CountField,
    EntryField,
    Message,
    NoteField,
    OrderField,
    ParametersField,
    ParticipantField,
    PointField,
    SignatureField,
    TextField,
    TimeField,
    TransactionField,
    TxidField,
)
from specie.tokens.building import BuiltTransaction
from specie.tokens.disclosures import Disclosure
from specie.values.amounts import Minor
from specie.values.identifiers import OrderId, ParticipantNumber
from specie.values.limits import (
    MESSAGE_PAYMENTS_MAX,
    OUTPUTS_MAX,
    PAGE_ITEMS_MAX,
)

# --- the notary ----------------------------------------------------------------------------------


class PromiseMessage(Message):
    """The notary's word: final, and published by then."""

    txid: TxidField
    publish_by: TimeField
    signature: SignatureField

    @classmethod
    def wrap(cls, one: Promise | VoidPromise) -> Self:
        """As it travels."""
        return cls(txid=one.txid, publish_by=one.publish_by, signature=one.signature)

    def unwrap(self) -> Promise:
        """Not verified yet."""
        return Promise(self.txid, self.publish_by, self.signature)

    def unwrap_void(self) -> VoidPromise:
        """The same of a cancellation."""
        return VoidPromise(self.txid, self.publish_by, self.signature)


class FoundPromise(Message):
    """A promise, if there is one."""

    promise: PromiseMessage | None = None


class Submission(Message):
    """Attested transactions to be notarised; each has its own outcome."""

    transactions: Annotated[
        list[TransactionField], Field(min_length=1, max_length=MESSAGE_PAYMENTS_MAX)
    ]


class Refusal(Message):
    """Why one was refused; `evidence` if one of its inputs was spent before."""

    code: TextField
    message: TextField
    evidence: BytesField = b""


class OutcomeMessage(Message):
    """Of one transaction: exactly one of the two."""

    promise: PromiseMessage | None = None
    refusal: Refusal | None = None


class Outcomes(Message):
    """In the order of the submission."""

    outcomes: list[OutcomeMessage]


class TransactionQuery(Message):
    """About one transaction."""

    txid: TxidField


class VoidMessage(Message):
    """A signed transaction, and its owner's word that it shall never be final."""

    data: TransactionField
    signature: SignatureField


class SupplyMessage(Message):
    """Serial and total of the currency."""

    serial: CountField
    total: AmountField
    day: CountField
    issued_on_day: AmountField

    @classmethod
    def wrap(cls, one: SupplyState) -> Self:
        """As it travels."""
        return cls.model_validate(
            {
                "serial": one.serial,
                "total": one.total,
                "day": one.day,
                "issued_on_day": one.issued_on_day,
            }
        )

    def unwrap(self) -> SupplyState:
        """The state."""
        return SupplyState(self.serial, self.total, self.day, self.issued_on_day)


class Publication(Message):
    """When the log was last published, and whether the next batch wants filler."""

    time: TimeField
    missing: CountField
    is_due: bool


class LeavesQuery(Message):
    """A page of the log, from a position on."""

    start: CountField = 0
    limit: Annotated[int, Field(ge=1, le=PAGE_ITEMS_MAX)] = PAGE_ITEMS_MAX


class Leaves(Message):
    """A page, and how long the log is."""

    leaves: list[BytesField]
    size: CountField


class NoteMessage(Message):
    """A signed note; empty if there is none yet."""

    note: NoteField


class ChunkQuery(Message):
    """A part of a private batch, from a byte on."""

    number: Annotated[int, Field(ge=1, le=2**63 - 1)]
    offset: CountField = 0


class Chunk(Message):
    """Bytes from the offset on, and how many there are in all."""

    data: BytesField
    total: CountField


# --- accounting ----------------------------------------------------------------------------------


class EntryQuery(Message):
    """About one entry."""

    entry: EntryField


class Debit(Message):
    """Reserves to be debited for an issue, or money to be held for a redemption."""

    entry: EntryField
    participant: ParticipantField
    amount: AmountField


class ReserveMessage(Message):
    """A signed reserve reference, in its byte form."""

    reference: BytesField


class Completion(Message):
    """An entry, and the promise that makes it complete."""

    entry: EntryField
    promise: PromiseMessage


class EntryAge(Message):
    """An entry, and the notary's published time."""

    entry: EntryField
    published: TimeField


class Answer(Message):
    """Yes or no."""

    is_true: bool


class Holding(Message):
    """An amount taken out of the issuance fund until its redemption is final."""

    entry: EntryField
    amount: AmountField


class Credit(Message):
    """Reserves for money that is void."""

    participant: ParticipantField
    amount: AmountField
    promise: PromiseMessage


class Account(Message):
    """A participant's reserve account."""

    participant: ParticipantField


class VaultAddress(Message):
    """Of a participant that is known beside it."""

    view: PointField
    spend: PointField


class Vaults(Message):
    """All of one participant."""

    vaults: list[VaultAddress]


class Backing(Message):
    """The issuance fund, and how much of it is in transit."""

    fund: AmountField
    in_transit: AmountField


class Balance(Message):
    """Of one account."""

    amount: AmountField


# --- the central bank's desk ---------------------------------------------------------------------


class OrderQuery(Message):
    """About one order."""

    order: OrderField


class ApplicationMessage(Message):
    """A bank asks for money, or gives it back."""

    order: OrderField
    direction: Literal["issue", "redeem"]
    amount: AmountField
    view: PointField
    spend: PointField

    def get_vault(self, participant: ParticipantNumber) -> Address:
        """Where its money goes."""
        return Address(participant, self.view, self.spend)


class ApplicationRecord(Message):
    """How far it has come, and who has approved it."""

    order: OrderField
    direction: Literal["issue", "redeem"]
    participant: ParticipantField
    amount: AmountField
    view: PointField
    spend: PointField
    state: TextField
    approved_by: list[int]

    @classmethod
    def wrap(cls, one: Application, approved_by: list[int]) -> Self:
        """As it travels."""
        return cls(
            order=one.order,
            direction=one.direction.value,
            participant=one.participant,
            amount=one.amount,
            view=one.vault.view,
            spend=one.vault.spend,
            state=one.state.value,
            approved_by=approved_by,
        )

    def unwrap(self) -> Application:
        """The application."""
        return Application(
            order=self.order,
            direction=Direction(self.direction),
            participant=self.participant,
            amount=self.amount,
            vault=Address(self.participant, self.view, self.spend),
            state=ApplicationState(self.state),
        )


class BuiltMessage(Message):
    """A signed transaction with the openings of all its outputs."""

    data: TransactionField
    openings: Annotated[list[BytesField], Field(min_length=1, max_length=OUTPUTS_MAX)]

    @classmethod
    def wrap(cls, built: BuiltTransaction) -> Self:
        """As it travels: to the payer's own bank, or to the desk."""
        openings = [one.pack() for one in built.disclosure.openings]
        return cls(data=encode_signed(built.signed), openings=openings)

    def unwrap(self) -> BuiltTransaction:
        """Decoded, not verified."""
        openings = tuple(unpack_opening(one) for one in self.openings)
        return BuiltTransaction(decode_signed(self.data), Disclosure(openings))


class Voiding(BuiltMessage):
    """The bank's own transaction for its redemption."""

    order: OrderField

    @classmethod
    def wrap_order(cls, order: OrderId, built: BuiltTransaction) -> "Voiding":
        """With its order."""
        plain = BuiltMessage.wrap(built)
        return Voiding(order=order, data=plain.data, openings=plain.openings)


class AuthorisationRequest(Message):
    """What the bank attests for a redemption."""

    order: OrderField
    attestation: BytesField


class TransactionMessage(Message):
    """An attested transaction in its wire form."""

    data: TransactionField


class Settlement(Message):
    """An order, and the promise for what was produced for it."""

    order: OrderField
    promise: PromiseMessage


class Signed(Message):
    """An officer's signature over an application."""

    order: OrderField
    signature: SignatureField


class SignedSupply(Message):
    """An officer's signature over a change of the supply at its place."""

    order: OrderField
    serial: CountField
    total_after: AmountField
    signature: SignatureField


class Task(Message):
    """What officers have to look at: an application, and what was produced for it, if anything."""

    application: ApplicationRecord
    built: BuiltMessage | None = None
    reserve: BytesField = b""
    serial: CountField = 0
    total_after: AmountField = Minor(0)
    authorised_by: list[int]
    held_up_by: TextField = ""  # why its last try did not come to an end


class Tasks(Message):
    """All open ones."""

    tasks: list[Task]


class Proposal(Message):
    """A decision that needs two officers: what, and its parameters as canonical JSON."""

    id: CodeField
    kind: TextField
    parameters: ParametersField
    state: TextField
    signed_by: list[int]
    time: TimeField


class Proposals(Message):
    """Oldest first, a page."""

    proposals: list[Proposal]


class SignedProposal(Message):
    """An officer's signature over a proposal; the first one makes it."""

    id: CodeField
    kind: TextField
    parameters: ParametersField
    signature: SignatureField


class Loan(Message):
    """Reserves that the central bank has lent."""

    entry: EntryField
    amount: AmountField


class Loans(Message):
    """Of the caller, oldest first, a page."""

    loans: list[Loan]
