"""A client lets somebody else read its account at its bank, within a scope and until an end (T3).

    consent = bank u32 ‖ A32 ‖ B32 ‖ number u32 ‖ nonce16 ‖ reader32 ‖ name48 ‖ permissions u8
              ‖ transactions from u64 ‖ creation u64 ‖ expiration u64
    id      = H("consent", network ‖ serving bank u32 ‖ consent)
    end     = H("consent-end", network ‖ serving bank u32 ‖ id ‖ time u64)

    by B    Schnorr over id or end, the account's spend key       nobody else consents, or revokes

The words are those of account access consents in Open Banking (PSD2). The nonce makes an id that
nobody can guess who was not given it.
"""

from dataclasses import dataclass
from enum import IntFlag, StrEnum
from typing import Final

from specie.crypto.addresses import Address
from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import SpendKey
from specie.crypto.signatures import sign, verify_signature
from specie.values.catalogue import ErrorCode
from specie.values.encoding import Reader, pad_text, u8, u32, u64, unpad_text
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    Digest,
    InstitutionPublicKey,
    NetworkId,
    ParticipantNumber,
    PublicKey,
    Signature,
)
from specie.values.limits import NAME_BYTES_MAX
from specie.values.times import Timestamp, check_timestamp

NONCE_BYTES: Final = 16


class Permission(IntFlag):
    """What a reader may ask for; the names are those of Open Banking."""

    READ_BALANCES = 1
    READ_TRANSACTIONS_BASIC = 2  # payments, without what was written to them
    READ_TRANSACTIONS_DETAIL = 4  # with it: order, end-to-end id, what the payer calls itself


TRANSACTIONS: Final = Permission.READ_TRANSACTIONS_BASIC | Permission.READ_TRANSACTIONS_DETAIL
_NAMES: Final = {
    Permission.READ_BALANCES: "ReadBalances",
    Permission.READ_TRANSACTIONS_BASIC: "ReadTransactionsBasic",
    Permission.READ_TRANSACTIONS_DETAIL: "ReadTransactionsDetail",
}


class ConsentStatus(StrEnum):
    """How a consent stands; it is never Authorised again."""

    AUTHORISED = "Authorised"
    REVOKED = "Revoked"
    EXPIRED = "Expired"


@dataclass(frozen=True, slots=True, repr=False)
class ConsentPlace:
    """Where a consent counts: at one bank of one network, and at no successor of it."""

    network: NetworkId
    bank: ParticipantNumber  # that serves the account


@dataclass(frozen=True, slots=True, repr=False)
class Consent:
    """Who may read what of which account, from when on, and until when."""

    account: Address
    number: int  # the client's own, from 1 on
    nonce: bytes  # 16
    reader: InstitutionPublicKey
    reader_name: str  # what the client calls it
    permissions: Permission
    transactions_from: Timestamp
    creation: Timestamp  # by the client's device
    expiration: Timestamp

    def pack(self) -> bytes:
        """Byte form."""
        account = self.account
        return b"".join(
            (
                *(u32(account.bank), account.view, account.spend),
                *(u32(self.number), self.nonce, self.reader),
                pad_text(self.reader_name, NAME_BYTES_MAX),
                u8(self.permissions),
                *(u64(self.transactions_from), u64(self.creation), u64(self.expiration)),
            )
        )

    def compute_id(self, place: ConsentPlace) -> Digest:
        """What the spend key signs, and what the reader names."""
        return tagged_hash("consent", place.network, u32(place.bank), self.pack())


def unpack_consent(data: bytes) -> Consent:
    """The inverse of `Consent.pack`."""
    reader = Reader(data)
    bank = ParticipantNumber(reader.u32())
    account = Address(bank, PublicKey(reader.take(32)), PublicKey(reader.take(32)))
    consent = Consent(
        account=account,
        number=reader.u32(),
        nonce=reader.take(NONCE_BYTES),
        reader=InstitutionPublicKey(reader.take(32)),
        reader_name=unpad_text(reader.take(NAME_BYTES_MAX)),
        permissions=Permission(reader.u8()),
        transactions_from=check_timestamp(reader.u64()),
        creation=check_timestamp(reader.u64()),
        expiration=check_timestamp(reader.u64()),
    )
    reader.finish()
    return consent


def sign_consent(consent: Consent, place: ConsentPlace, key: SpendKey) -> Signature:
    """On the device."""
    return sign(key, consent.compute_id(place))


def verify_consent(consent: Consent, place: ConsentPlace, signature: Signature) -> Digest:
    """Its id; `signature_invalid` unless the account's spend key has signed it."""
    found = consent.compute_id(place)
    verify_signature(consent.account.spend, found, signature)
    return found


def sign_end(consent: Digest, time: Timestamp, place: ConsentPlace, key: SpendKey) -> Signature:
    """A later statement on the device: from now on it does not count."""
    return sign(key, compute_end_message(consent, time, place))


def verify_end(
    consent: Digest, time: Timestamp, place: ConsentPlace, told: tuple[Address, Signature]
) -> None:
    """`signature_invalid` unless the spend key of this account has signed it."""
    account, signature = told
    verify_signature(account.spend, compute_end_message(consent, time, place), signature)


def compute_end_message(consent: Digest, time: Timestamp, place: ConsentPlace) -> Digest:
    """What the spend key signs to revoke."""
    return tagged_hash("consent-end", place.network, u32(place.bank), consent, u64(time))


def format_permissions(permissions: Permission) -> list[str]:
    """By their names, in the order of their bits."""
    return [name for one, name in _NAMES.items() if one in permissions]


def parse_permissions(names: list[str]) -> Permission:
    """`consent_invalid` for none, for one twice, and for a name that there is not."""
    known = {name: one for one, name in _NAMES.items()}
    if not names or len({*names}) != len(names) or not {*names} <= set(known):
        reason = f"a consent permits one or more of: {', '.join(known)}, each once"
        raise SpecieError(ErrorCode.CONSENT_INVALID, reason)
    found = Permission(0)
    for name in names:
        found |= known[name]
    return found
