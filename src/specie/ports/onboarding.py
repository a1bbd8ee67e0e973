"""People who ask a bank for a wallet from their own device, and wait for its answer (T3)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from specie.crypto.addresses import Address
from specie.crypto.secrets import ViewKey
from specie.values.identifiers import ClientId, Digest, InstitutionPublicKey
from specie.values.phones import PhoneNumber
from specie.values.times import Timestamp

RequiredFields = Callable[[str], tuple[str, ...]]
"""Tier → names of the fields without which the bank does not open a wallet of it."""


class AccountState(StrEnum):
    """How far an application has come; what is not waiting stays what it is."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """What somebody says of himself; more fields by what the tier asks for."""

    name: str
    phone: PhoneNumber | None = None
    data: Mapping[str, str] = field(default_factory=dict)

    def list_fields(self) -> frozenset[str]:
        """Names of what is there and not empty."""
        known = {"name": self.name, "phone": self.phone or "", **self.data}
        return frozenset(name for name, value in known.items() if value)


@dataclass(frozen=True, slots=True, repr=False)
class Admission:
    """What else a bank does when it opens a wallet, in the one transaction of the approval."""

    required_fields: RequiredFields  # by its policy; `tier_unknown`
    set_tier: Callable[[ClientId, str], None]
    keep_person: Callable[[ClientId, Person], None]  # as much as other banks may have to be told
    confirm_phone: Callable[[ClientId, PhoneNumber], None]


@dataclass(frozen=True, slots=True, repr=False)
class AccountApplication:
    """One, as the bank keeps it; `person` and `view_key` are gone when nobody needs them."""

    code_hash: Digest  # of the id that only the device knows
    address: Address
    device: InstitutionPublicKey
    tier: str
    time: Timestamp
    expires: Timestamp
    state: AccountState
    person: Person | None
    view_key: ViewKey | None
    client: ClientId | None = None
    decided_by: str = ""
    reason: str = ""

    @property
    def number(self) -> str:
        """What operators call it: 32 hex digits, which open nothing."""
        return self.code_hash[:16].hex()
