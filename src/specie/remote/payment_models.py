"""What a device and its bank, and two banks, say to each other around payments of people."""

from specie.remote.fields import (
    AmountField,
    CodeField,
    Message,
    NameField,
    OrderField,
    ParticipantField,
    PointField,
    SignatureField,
)


class NameClaimRequest(Message):
    """A client wants its registered name vouched for, for one payment."""

    bank: ParticipantField  # of the payee's address
    view: PointField
    spend: PointField
    amount: AmountField
    order: OrderField  # zeros: the payment has none
    end_to_end_id: CodeField


class SignedName(Message):
    """The registered name, as much as a memo has room for, and the bank's signature."""

    name: NameField
    signature: SignatureField
