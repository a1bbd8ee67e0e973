"""A person applies for a wallet from its own device; the bank decides (T3, X9).

    device   id16 random · keys · proofs as for a code (`openings.py`), the code being the id
             view key sealed for the bank alone (`crypto/transit.py`)
    bank     waiting → approved | refused | expired, each for good

The id is the device's secret: whoever knows it may ask what became of the application. Nobody has
been identified yet, so strangers may leave few and small ones, and what nobody approves goes.
"""

import ipaddress
from typing import Final

from specie.ports.onboarding import (
    AccountApplication,
    AccountState,
    Person,
    RequiredFields,
)
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text, u32
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, NetworkId, ParticipantNumber
from specie.values.limits import (
    ACCOUNT_APPLICATIONS_NETWORK_MAX,
    ACCOUNT_APPLICATIONS_PLACE_MAX,
    NAME_BYTES_MAX,
    PERSON_BYTES_MAX,
    PERSON_FIELDS_MAX,
)
from specie.values.times import Timestamp

TRANSIT_AAD: Final = b"view key in transit"
DEFAULT_TIER: Final = "basic"
_FIELD_CHARS_MAX: Final = 32
_NETWORK_BITS: Final = 48


def compute_transit_info(network: NetworkId, bank: ParticipantNumber, code_hash: Digest) -> bytes:
    """What a sealed view key belongs to: another network, bank or application cannot open it."""
    return b"specie/v1/application\0" + network + u32(bank) + code_hash


def check_person(person: Person) -> None:
    """`limit_exceeded`, `text_invalid`: a name, few fields, little in each."""
    if not person.name.strip() or len(person.name.encode()) > NAME_BYTES_MAX:
        raise SpecieError(ErrorCode.TEXT_INVALID, f"a name has 1 to {NAME_BYTES_MAX} bytes")
    if len(person.data) > PERSON_FIELDS_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"at most {PERSON_FIELDS_MAX} fields")
    for name, value in person.data.items():
        if not name.replace("-", "").isalnum() or len(name) > _FIELD_CHARS_MAX:
            raise SpecieError(ErrorCode.TEXT_INVALID, "names of fields: letters, digits, hyphens")
        if not value.isprintable():
            raise SpecieError(ErrorCode.TEXT_INVALID, f"{name}: printable text")
    size = sum(len(encode_text(name + value)) for name, value in person.data.items())
    if size > PERSON_BYTES_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"at most {PERSON_BYTES_MAX} bytes of data")


def check_complete(person: Person, tier: str, required: RequiredFields) -> None:
    """`data_missing` names what the tier asks for and is not there."""
    missing = [one for one in required(tier) if one not in person.list_fields()]
    if missing:
        raise SpecieError(ErrorCode.DATA_MISSING, f"tier {tier} asks for: {', '.join(missing)}")


def check_decider(name: str) -> None:
    """`text_invalid` unless somebody stands beside the decision."""
    if not name.strip() or not name.isprintable():
        raise SpecieError(ErrorCode.TEXT_INVALID, "who decides has a name")


def name_network(place: str) -> str:
    """Who has one network of 64 bits mostly has 65,536 of them: a /48. Of IPv4, the address."""
    try:
        found = ipaddress.ip_network(place, strict=False)
    except ValueError:
        return place
    if isinstance(found, ipaddress.IPv6Network):
        return str(ipaddress.ip_network((found.network_address, _NETWORK_BITS), strict=False))
    return place


def check_room(of_place: int, of_network: int) -> None:
    """`rate_exceeded`: too many wait, of one place or of its network."""
    if of_place >= ACCOUNT_APPLICATIONS_PLACE_MAX:
        reason = f"{ACCOUNT_APPLICATIONS_PLACE_MAX} applications from one address wait already"
        raise SpecieError(ErrorCode.RATE_EXCEEDED, reason)
    if of_network >= ACCOUNT_APPLICATIONS_NETWORK_MAX:
        reason = f"{ACCOUNT_APPLICATIONS_NETWORK_MAX} applications from one network wait already"
        raise SpecieError(ErrorCode.RATE_EXCEEDED, reason)


def check_waiting(found: AccountApplication, now: Timestamp) -> None:
    """`order_conflict` for what was refused or has expired."""
    if found.state is AccountState.REFUSED:
        raise SpecieError(ErrorCode.ORDER_CONFLICT, "it was refused, for good")
    if found.state is AccountState.EXPIRED or found.expires <= now:
        raise SpecieError(ErrorCode.ORDER_CONFLICT, "it has expired: the device applies anew")
