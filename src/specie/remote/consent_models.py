"""What a client, its bank and a reader say of consents; the words are Open Banking's (T3)."""

from typing import Annotated

from pydantic import Field

from specie.bank.consents import ReadBalances, ReadPage, ReadPayment
from specie.crypto.addresses import Address
from specie.identity.consents import Consent, format_permissions, parse_permissions
from specie.ports.consents import KeptConsent, Reading
from specie.remote.fields import (
    AmountField,
    CodeField,
    CountField,
    DigestField,
    EndToEndField,
    InstitutionKeyField,
    Message,
    NameField,
    OrderField,
    ParticipantField,
    PointField,
    SignatureField,
    TextField,
    TimeField,
    TxidField,
)
from specie.values.identifiers import ZERO16, EndToEndId
from specie.values.limits import PAGE_ITEMS_MAX
from specie.values.times import Timestamp

PermissionField = Annotated[
    str,
    Field(pattern="^Read(Balances|Transactions(Basic|Detail))$", description="what may be read"),
]
NumberField = Annotated[int, Field(ge=1, le=2**31 - 1, description="the client's own number")]
ReaderNameField = Annotated[
    str, Field(min_length=1, max_length=48, description="what the client calls the reader")
]
AskedField = Annotated[
    int, Field(ge=1, le=2**63 - 1, description="greater than in any request before")
]
LimitField = Annotated[int, Field(ge=1, le=PAGE_ITEMS_MAX)]


class AccountMessage(Message):
    """An account by its address."""

    bank: ParticipantField
    view: PointField
    spend: PointField

    @classmethod
    def wrap(cls, address: Address) -> "AccountMessage":
        """As it travels."""
        return cls(bank=address.bank, view=address.view, spend=address.spend)

    def unwrap(self) -> Address:
        """Whose it is nobody has looked at."""
        return Address(self.bank, self.view, self.spend)


class ConsentMessage(Message):
    """An account access consent, as the client's device has signed it (identity/consents.py)."""

    account: AccountMessage
    number: NumberField
    nonce: CodeField
    reader: InstitutionKeyField
    reader_name: ReaderNameField
    permissions: Annotated[list[PermissionField], Field(min_length=1, max_length=3)]
    transaction_from_date_time: TimeField
    creation_date_time: TimeField
    expiration_date_time: TimeField
    signature: SignatureField

    @classmethod
    def wrap(cls, consent: Consent, signature: bytes) -> "ConsentMessage":
        """As it travels."""
        return cls.model_validate(
            {
                "account": AccountMessage.wrap(consent.account),
                "number": consent.number,
                "nonce": consent.nonce,
                "reader": consent.reader,
                "reader_name": consent.reader_name,
                "permissions": format_permissions(consent.permissions),
                "transaction_from_date_time": consent.transactions_from,
                "creation_date_time": consent.creation,
                "expiration_date_time": consent.expiration,
                "signature": signature,
            }
        )

    def unwrap(self) -> Consent:
        """Unverified; `consent_invalid` for a permission that stands there twice."""
        return Consent(
            account=self.account.unwrap(),
            number=self.number,
            nonce=self.nonce,
            reader=self.reader,
            reader_name=self.reader_name,
            permissions=parse_permissions(self.permissions),
            transactions_from=self.transaction_from_date_time,
            creation=self.creation_date_time,
            expiration=self.expiration_date_time,
        )


class ConsentShown(Message):
    """A consent, and how it stands."""

    consent_id: DigestField
    consent: ConsentMessage
    status: TextField
    status_update_date_time: TimeField
    ended_by: TextField | None = None

    @classmethod
    def wrap(cls, kept: KeptConsent, now: Timestamp) -> "ConsentShown":
        """As it stands now."""
        return cls(
            consent_id=kept.id,
            consent=ConsentMessage.wrap(kept.consent, kept.signature),
            status=kept.get_status(now).value,
            status_update_date_time=kept.get_status_time(now),
            ended_by=None if kept.end is None else kept.end.by.value,
        )


class ConsentsShown(Message):
    """By number."""

    consents: list[ConsentShown]


class ConsentRevocation(Message):
    """A later statement: this consent counts no more."""

    consent_id: DigestField
    time: TimeField
    signature: SignatureField


class ReadingsQuery(Message):
    """A page of who has read one's account."""

    start: CountField = 0
    limit: LimitField = 100


class ReadingMessage(Message):
    """One reading."""

    consent_id: DigestField
    time: TimeField
    what: TextField

    @classmethod
    def wrap(cls, one: Reading) -> "ReadingMessage":
        """As it travels."""
        return cls(consent_id=one.consent, time=one.time, what=one.what)


class Readings(Message):
    """The newest first."""

    readings: list[ReadingMessage]


# --- what a reader says, and is told -------------------------------------------------------------


class BalancesQuery(Message):
    """By which consent, about which account; the number is greater with every request."""

    consent_id: DigestField
    account: AccountMessage
    number: AskedField


class TransactionsQuery(BalancesQuery):
    """A page of payments of a time and later; else as far back as the consent goes."""

    since: TimeField | None = None
    start: CountField = 0
    limit: LimitField = 100


class AccountTransaction(Message):
    """One side of a payment; what the consent leaves out is not there."""

    txid: TxidField
    amount: AmountField
    time: TimeField
    is_incoming: bool
    is_final: bool
    order: OrderField | None = None
    end_to_end: EndToEndField | None = None
    name: NameField | None = None

    @classmethod
    def wrap(cls, one: ReadPayment) -> "AccountTransaction":
        """As it travels."""
        return cls(
            txid=one.txid,
            amount=one.amount,
            time=one.time,
            is_incoming=one.is_incoming,
            is_final=one.is_final,
            order=None if one.order == ZERO16 else one.order,
            end_to_end=None if one.end_to_end == ZERO16 else EndToEndId(one.end_to_end),
            name=one.name or None,
        )


class AccountTransactions(Message):
    """Oldest first; `following` is the next page's start."""

    transactions: list[AccountTransaction]
    following: CountField | None = None

    @classmethod
    def wrap(cls, page: ReadPage) -> "AccountTransactions":
        """As it travels."""
        shown = [AccountTransaction.wrap(one) for one in page.payments]
        return cls(transactions=shown, following=page.following)


class AccountBalances(Message):
    """Of the deposit account, and of the wallet as the bank knows it."""

    deposit: AmountField
    wallet: AmountField
    time: TimeField

    @classmethod
    def wrap(cls, found: ReadBalances) -> "AccountBalances":
        """As it travels."""
        return cls(deposit=found.deposit, wallet=found.wallet, time=found.time)
