"""Where the network's services are reached, and whose word their messages are (T2).

    specie services v1
    origin
    version N
    name role number url public-url key        one line each, in the order of their names
                                               (empty line)
    — origin/services base64(key id 4 ‖ Ed25519(list key, the text above))

A signed note like the list of cosigners. The participant list says who may do what and holds the
keys that money rests on; this one adds addresses, and keys of services that are no participant of
their own. Where the participant list has a key for a service, this one must name the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from specie.crypto.secrets import InstitutionSigner
from specie.identity.genesis import Genesis, compute_origin
from specie.identity.participants import ParticipantList, Role, Status
from specie.log.notes import SignatureType, VerifierKey, sign_text, verify_text
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import InstitutionPublicKey, ParticipantNumber, ServiceName
from specie.values.limits import SERVICES_MAX

_HEAD: Final = "specie services v1"
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
_URL: Final = re.compile(r"https://[A-Za-z0-9.:\[\]-]{1,253}")
_NO_URL: Final = "-"


class ServiceRole(StrEnum):
    """What a service does; it decides which operations it may ask for."""

    CENTRAL_BANK = "central-bank"
    ACCOUNTING = "accounting"
    NOTARY = "notary"
    REGISTRATION = "registration"
    BANK = "bank"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Service:
    """One process of an institution."""

    name: ServiceName
    role: ServiceRole
    number: ParticipantNumber  # of the participant that runs it
    url: str  # for institutions, mutual TLS
    public_url: str  # for everybody, or empty
    key: InstitutionPublicKey  # Ed25519: signs its messages

    def format(self) -> str:
        """One line."""
        public = self.public_url or _NO_URL
        fields = (self.name, self.role.value, str(self.number), self.url, public, self.key.hex())
        return " ".join(fields)


@dataclass(frozen=True, slots=True)
class ServiceList:
    """All services, at one version."""

    origin: str
    version: int
    services: Mapping[ServiceName, Service]

    def get(self, name: ServiceName) -> Service:
        """`caller_unknown` if there is none of this name."""
        found = self.services.get(name)
        if found is None:
            raise SpecieError(ErrorCode.CALLER_UNKNOWN, "no service of this name")
        return found

    def find_role(self, role: ServiceRole) -> tuple[Service, ...]:
        """All of one role, by name."""
        return tuple(one for one in self.services.values() if one.role is role)

    def get_one(self, role: ServiceRole) -> Service:
        """The only one of a role; `participant_unknown` if there is none."""
        found = self.find_role(role)
        if len(found) != 1:
            raise SpecieError(ErrorCode.PARTICIPANT_UNKNOWN, f"no {role.value} in the list")
        return found[0]

    def get_bank(self, number: ParticipantNumber) -> Service:
        """The service of a bank; `participant_unknown` if there is none."""
        for one in self.find_role(ServiceRole.BANK):
            if one.number == number:
                return one
        raise SpecieError(ErrorCode.PARTICIPANT_UNKNOWN, f"no bank {number}")

    def format(self) -> str:
        """The text that is signed."""
        lines = [_HEAD, self.origin, f"version {self.version}"]
        lines += [self.services[name].format() for name in sorted(self.services)]
        return "".join(f"{line}\n" for line in lines)


def sign_services(listed: ServiceList, key: InstitutionSigner) -> bytes:
    """The whole note."""
    text = listed.format()
    return f"{text}\n{sign_text(text, _name_signer(listed.origin), key).format()}\n".encode()


def verify_services(
    signed: bytes, genesis: Genesis, current: ServiceList | None = None
) -> ServiceList:
    """Refuses a list of another network, a wrong signature, and one older than `current`."""
    try:
        text, separator, line = signed.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise SpecieError(ErrorCode.SERVICES_INVALID, "not text") from None
    text += "\n"
    if not separator or not line.endswith("\n"):
        raise SpecieError(ErrorCode.SERVICES_INVALID, "not a list of services")
    origin = compute_origin(genesis)
    key = VerifierKey(_name_signer(origin), SignatureType.LOG, genesis.list_key)
    try:
        verify_text(text, line.removesuffix("\n"), key)
    except SpecieError as error:
        raise SpecieError(ErrorCode.SERVICES_INVALID, error.message) from None
    listed = _parse(text)
    if listed.origin != origin:
        raise SpecieError(ErrorCode.NETWORK_MISMATCH, "services of another network")
    if current is not None and listed.version < current.version:
        raise SpecieError(ErrorCode.SERVICES_INVALID, "a newer list of services is known")
    return listed


def check_url(url: str) -> None:
    """`services_invalid` unless it can stand in the list: one word, https, nothing behind it."""
    if not _URL.fullmatch(url):
        raise SpecieError(ErrorCode.SERVICES_INVALID, "an address is https://host:port")


def check_service(service: Service, members: ParticipantList) -> None:
    """Whether a service may speak now, by the participant list.

    `participant_inactive` if its institution is suspended or revoked, `services_invalid` if its key
    is not the one that the participant list has for it.
    """
    member = members.get(service.number)
    if service.role is ServiceRole.CENTRAL_BANK and member.role is not Role.CENTRAL_BANK:
        raise SpecieError(ErrorCode.SERVICES_INVALID, f"{service.name} is not the central bank's")
    if member.status is not Status.ACTIVE:
        raise SpecieError(
            ErrorCode.PARTICIPANT_INACTIVE, f"participant {service.number} is not active"
        )
    expected = {
        ServiceRole.ACCOUNTING: members.accounting_key,
        ServiceRole.NOTARY: members.notary_key,
        ServiceRole.CENTRAL_BANK: service.key,
    }.get(service.role, member.institution_key)
    if service.key != expected:
        raise SpecieError(ErrorCode.SERVICES_INVALID, f"{service.name} has another key there")


def _parse(text: str) -> ServiceList:
    lines = text.split("\n")
    if len(lines) < 4 or lines[0] != _HEAD or not lines[2].startswith("version "):
        raise SpecieError(ErrorCode.SERVICES_INVALID, "not a list of services")
    if len(lines) - 4 > SERVICES_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"at most {SERVICES_MAX} services")
    version = lines[2].removeprefix("version ")
    if not (version.isascii() and version.isdigit() and len(version) <= 9):
        raise SpecieError(ErrorCode.SERVICES_INVALID, "a version is a number")
    services = [_parse_service(line) for line in lines[3:-1]]
    listed = ServiceList(lines[1], int(version), {one.name: one for one in services})
    if listed.format() != text:
        raise SpecieError(ErrorCode.SERVICES_INVALID, "not in its one spelling")
    return listed


def _parse_service(line: str) -> Service:
    parts = line.split(" ")
    if len(parts) != 6 or not parts[2].isdecimal() or parts[1] not in tuple(ServiceRole):
        raise SpecieError(ErrorCode.SERVICES_INVALID, "not a service")
    name, role, number, url, public, key = parts
    is_public = public == _NO_URL or _URL.fullmatch(public)
    if not _NAME.fullmatch(name) or not _URL.fullmatch(url) or not is_public:
        raise SpecieError(ErrorCode.SERVICES_INVALID, "a service has a name and https URLs")
    if not re.fullmatch("[0-9a-f]{64}", key):
        raise SpecieError(ErrorCode.SERVICES_INVALID, "a key has 64 hex digits")
    return Service(
        name=ServiceName(name),
        role=ServiceRole(role),
        number=ParticipantNumber(int(number)),
        url=url,
        public_url="" if public == _NO_URL else public,
        key=InstitutionPublicKey(bytes.fromhex(key)),
    )


def _name_signer(origin: str) -> str:
    return f"{origin}/services"
