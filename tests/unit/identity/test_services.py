"""The signed list of services: one spelling, one signer, never an older one (T2)."""

from dataclasses import replace

import pytest

from specie.crypto.secrets import InstitutionKey
from specie.identity.participants import Status
from specie.identity.services import (
    ServiceList,
    ServiceRole,
    check_service,
    check_url,
    sign_services,
    verify_services,
)
from specie.log.notes import sign_text
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import InstitutionPublicKey, ParticipantNumber, ServiceName
from tests.building import World, make_world
from tests.country import refused
from tests.unit.api.cast import make_services

BANK, NOTARY = ServiceName("bank-2"), ServiceName("notary")


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


def sign_anything(text: str, world: World, listed: ServiceList) -> bytes:
    """With the right key, whatever it says."""
    name = f"{listed.origin}/services"
    return f"{text}\n{sign_text(text, name, world.list_key).format()}\n".encode()


def test_what_was_signed_is_read(world: World) -> None:
    listed = make_services(world, 4)
    assert verify_services(sign_services(listed, world.list_key), world.genesis) == listed
    assert listed.get_bank(ParticipantNumber(3)).name == "bank-3"
    assert listed.get_one(ServiceRole.NOTARY).name == NOTARY


def test_whom_it_does_not_know(world: World) -> None:
    listed = make_services(world)
    with refused(ErrorCode.CALLER_UNKNOWN):
        listed.get(ServiceName("bank-9"))
    with refused(ErrorCode.PARTICIPANT_UNKNOWN):
        listed.get_bank(ParticipantNumber(9))
    with refused(ErrorCode.PARTICIPANT_UNKNOWN):
        listed.get_one(ServiceRole.AUDITOR)


def test_an_older_list_is_refused(world: World) -> None:
    signed = sign_services(make_services(world, 4), world.list_key)
    verify_services(signed, world.genesis, make_services(world, 4))
    with refused(ErrorCode.SERVICES_INVALID):
        verify_services(signed, world.genesis, make_services(world, 5))


def test_another_signer_or_network_is_refused(world: World) -> None:
    listed = make_services(world)
    with refused(ErrorCode.SERVICES_INVALID):
        verify_services(sign_services(listed, InstitutionKey.generate()), world.genesis)
    stranger = replace(listed, origin="specie.test/" + "0" * 16)
    text = stranger.format()
    with refused(ErrorCode.NETWORK_MISMATCH):
        verify_services(sign_anything(text, world, listed), world.genesis)


def test_other_spellings_are_refused(world: World) -> None:
    listed = make_services(world)
    text = listed.format()
    lines = text.split("\n")
    spellings = [
        text.replace("services v1", "services v2"),
        text.replace("version 1", "version 01"),
        text.replace("version 1", "version one"),
        text.replace("https://", "http://"),
        text.replace(" notary 1 ", " notary 01 "),
        text.replace(" notary 1 ", " king 1 "),
        text.replace(listed.get(BANK).key.hex(), "x" * 64),
        "\n".join([*lines[:3], *reversed(lines[3:-1]), ""]),  # not in order
        "\n".join([*lines[:4], *lines[3:]]),  # one twice
        "\n".join(lines[:2]) + "\n",
    ]
    for spelling in spellings:
        assert spelling != text
        with refused(ErrorCode.SERVICES_INVALID):
            verify_services(sign_anything(spelling, world, listed), world.genesis)
    signed = sign_services(listed, world.list_key)
    for broken in (b"\xff", b"", signed.removesuffix(b"\n"), signed.replace(b"\n\n", b"\n")):
        with refused(ErrorCode.SERVICES_INVALID):
            verify_services(broken, world.genesis)


def test_too_many_services(world: World) -> None:
    listed = make_services(world)
    one = listed.get(BANK)
    names = [ServiceName(f"bank-{number:06}") for number in range(10_001)]
    many = replace(listed, services={name: replace(one, name=name) for name in names})
    with refused(ErrorCode.LIMIT_EXCEEDED):
        verify_services(sign_services(many, world.list_key), world.genesis)


def test_the_participant_list_has_the_last_word(world: World) -> None:
    listed = make_services(world)
    for service in listed.services.values():
        check_service(service, world.members)
        with refused(ErrorCode.SERVICES_INVALID):
            key = InstitutionPublicKey(InstitutionKey.generate().public)
            check_service(replace(service, key=key), world.members)
    ended = world.with_member(ParticipantNumber(2), Status.SUSPENDED).members
    with refused(ErrorCode.PARTICIPANT_INACTIVE):
        check_service(listed.get(BANK), ended)


SMUGGLED = "https://h:2\nbank-5 central-bank 4"


@pytest.mark.parametrize("url", ["http://h:1", "https://h:2 x", SMUGGLED, "https://bad_host:6", ""])
def test_an_address_that_cannot_stand_in_the_list(url: str) -> None:
    """A newcomer's address is signed as it is: nothing may stand behind it."""
    with refused(ErrorCode.SERVICES_INVALID):
        check_url(url)


def test_only_the_central_bank_runs_its_services(world: World) -> None:
    """A service of a bank does not become the central bank's by a line in the list."""
    service = replace(make_services(world).get(BANK), role=ServiceRole.CENTRAL_BANK)
    with refused(ErrorCode.SERVICES_INVALID):
        check_service(service, world.members)
