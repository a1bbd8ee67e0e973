"""What an operation is; each role's are in a module of its own. Servers, clients and OpenAPI
are made from them.

GET    fields of the request stand in path and query; changes nothing
POST   all fields are the body, those of the path too; again is the same, by order, entry or txid
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from specie.identity.services import ServiceRole
from specie.remote.fields import Message

VERSION = 2
"""Of the protocol: we speak it and the one before."""

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


class Caller(StrEnum):
    """Who may ask, besides services by their role."""

    ANYONE = "anyone"  # public
    OFFICER = "officer"  # signed with an officer's key
    CLIENT = "client"  # signed with the key of a client's device
    SIGNATORY = "signatory"  # signed with the key of one who signs for a client, with others
    READER = "reader"  # signed with the key of one whom a client lets read
    OPERATOR = "operator"  # on the institution's own machine, over its control socket


Callers = frozenset[Caller | ServiceRole]


@dataclass(frozen=True, slots=True)
class Operation(Generic[Request, Response]):
    """One thing that can be asked of a service."""

    name: str
    method: str
    path: str
    request: type[Request]
    response: type[Response]
    callers: Callers
    summary: str
    since: int = 1  # version of the protocol that it came with


BANK_CALLERS: Callers = frozenset({ServiceRole.BANK, ServiceRole.CENTRAL_BANK})
DESK_CALLERS: Callers = frozenset({ServiceRole.CENTRAL_BANK})
BANK_ALONE: Callers = frozenset({ServiceRole.BANK})
REGISTRATION_CALLERS: Callers = frozenset({ServiceRole.REGISTRATION})
SERVICE_CALLERS: Callers = frozenset(ServiceRole)
AUDITOR_CALLERS: Callers = frozenset({ServiceRole.AUDITOR})
NOTARY_CALLERS: Callers = frozenset({ServiceRole.NOTARY})
SIGNER_CALLERS: Callers = frozenset({ServiceRole.NOTARY, ServiceRole.BANK})
CLIENT_CALLERS: Callers = frozenset({Caller.CLIENT})
SIGNATORY_CALLERS: Callers = frozenset({Caller.SIGNATORY})
READER_CALLERS: Callers = frozenset({Caller.READER})
OFFICER_CALLERS: Callers = frozenset({Caller.OFFICER})
OPERATOR_CALLERS: Callers = frozenset({Caller.OPERATOR})
ANYONE_CALLERS: Callers = frozenset({Caller.ANYONE})
