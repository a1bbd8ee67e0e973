"""Applications for a wallet: from the device, decided once, nothing left lying open (T3, X5)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from specie.bank.applications import name_network
from specie.crypto.secrets import parse_phrase
from specie.ports.onboarding import AccountState, Person
from specie.remote.onboarding_models import AccountRequest
from specie.store.onboarding_store import SqliteOnboardingStore
from specie.store.phone_store import SqlitePhoneStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId
from specie.values.limits import (
    ACCOUNT_APPLICATION_MS_MAX,
    ACCOUNT_APPLICATIONS_PLACE_MAX,
    PERSON_BYTES_MAX,
)
from tests.country import build_country, refused
from tests.reference.keys import derive_seed, derive_subwallet
from tests.unit.assembly.office import ALIYA, Office, make_applicant, make_office

PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
PLACE = "203.0.113.7"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    country = build_country(tmp_path_factory.mktemp("office"), is_funded=False)
    return make_office(country, country.north)


def count_files(folder: Path, needle: bytes) -> int:
    files = (path for path in folder.rglob("*") if path.is_file())
    return sum(needle in path.read_bytes() for path in files)


def test_an_approved_application_is_an_open_wallet(office: Office) -> None:
    """The same path as with a code; twice is once, and the same after a stop between any two."""
    desk, applicant = office.people.onboarding, make_applicant()
    request = office.make_request(applicant)
    first = desk.apply(request, PLACE)
    assert first.state is AccountState.WAITING
    assert desk.apply(request, PLACE).number == first.number
    assert [one.number for one in desk.list(AccountState.WAITING)] == [first.number]
    client = ClientId("aliya")
    for _ in range(2):
        assert desk.approve(first.number, client, None, "Dana") == client
        assert desk.approve(first.number, None, None, "Erik") == client
    compliance = office.country.network.compliance[office.bank.number]
    assert compliance.get_tier(client).name == "basic"
    found = SqlitePhoneStore(office.database, office.storage).find(client)
    assert found is not None and found.phone == applicant.person.phone
    known = office.bank.get_client(client)
    assert (known.address, known.name) == (applicant.keys.address, "Aliya Bekova")
    assert office.devices.load_keys()[client] == applicant.device.public
    answer = office.reopen().people.onboarding.ask(applicant.id)
    assert (answer.state, answer.client, answer.decided_by) == ("approved", client, "Dana")
    assert answer.view_key is None, "it is with the client now"
    with refused(ErrorCode.ORDER_CONFLICT):
        desk.approve(first.number, ClientId("somebody else"), None, "Dana")
    with refused(ErrorCode.ORDER_CONFLICT):
        desk.refuse(first.number, "too late", "Dana")


def test_two_people_who_decide_at_once_open_one_wallet(office: Office) -> None:
    """One of them is told that it was decided; nothing of what it wanted is left."""
    desk, applicant = office.people.onboarding, make_applicant()
    number = desk.apply(office.make_request(applicant), PLACE).number

    def decide(name: str) -> ClientId | SpecieError:
        try:
            return desk.approve(number, ClientId(name), None, name)
        except SpecieError as error:
            return error

    names = ["dana", "erik", "dana", "erik"]
    with ThreadPoolExecutor(len(names)) as pool:
        outcomes = list(pool.map(decide, names))
    (chosen,) = {one for one in outcomes if not isinstance(one, SpecieError)}
    errors = [one for one in outcomes if isinstance(one, SpecieError)]
    assert [one.code for one in errors] == [ErrorCode.ORDER_CONFLICT] * 2
    known = {one.id for one in office.bank.clients.load_clients()}
    assert known & {"dana", "erik"} == {chosen}
    assert office.devices.load_keys()[chosen] == applicant.device.public


def test_a_client_has_one_device(office: Office) -> None:
    """A second one applies as somebody else; under the first one's name it is refused."""
    desk, first, second = office.people.onboarding, make_applicant(), make_applicant()
    asked = [desk.apply(office.make_request(one), PLACE).number for one in (first, second)]
    client = desk.approve(asked[0], ClientId("gulnar"), None, "Dana")
    with refused(ErrorCode.CLIENT_EXISTS):
        desk.approve(asked[1], client, None, "Dana")
    assert office.devices.load_keys()[client] == first.device.public
    other = desk.approve(asked[1], None, None, "Dana")
    assert office.devices.load_keys()[other] == second.device.public
    assert office.bank.get_client(client).address == first.keys.address


def test_refused_is_refused_for_good(office: Office) -> None:
    desk, applicant = office.people.onboarding, make_applicant()
    number = desk.apply(office.make_request(applicant), PLACE).number
    for _ in range(2):
        desk.refuse(number, "no document", "Dana")
    with refused(ErrorCode.ORDER_CONFLICT):
        desk.approve(number, ClientId("late"), None, "Dana")
    found = desk.ask(applicant.id)
    assert (found.state, found.reason, found.view_key) == ("refused", "no document", None)
    with refused(ErrorCode.CLIENT_UNKNOWN):
        office.bank.get_client(ClientId("late"))


def test_what_nobody_decides_is_forgotten(tmp_path: Path) -> None:
    office = make_office(country := build_country(tmp_path, is_funded=False), country.north)
    desk, applicant = office.people.onboarding, make_applicant()
    number = desk.apply(office.make_request(applicant), PLACE).number
    country.clock.advance(ACCOUNT_APPLICATION_MS_MAX - 1)
    assert desk.get(number).person == applicant.person
    country.clock.advance(1)
    with refused(ErrorCode.ORDER_CONFLICT):
        desk.approve(number, ClientId("late"), None, "Dana")
    found = desk.ask(applicant.id)
    assert (found.state, found.person, found.view_key) == (AccountState.EXPIRED, None, None)


def test_a_stop_in_an_approval_leaves_nothing(office: Office) -> None:
    """Killed before its last step, with the wallet open and the phone confirmed: none of it is."""
    desk, applicant = office.people.onboarding, make_applicant()
    number = desk.apply(office.make_request(applicant), PLACE).number
    client = ClientId("stopped")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    own = desk.admission
    for admission in (
        replace(own, set_tier=stop),
        replace(own, keep_person=stop),
        replace(own, confirm_phone=stop),
    ):
        stopped = replace(desk, admission=admission)
        with pytest.raises(KeyboardInterrupt):
            stopped.approve(number, client, None, "Dana")
        with refused(ErrorCode.CLIENT_UNKNOWN):
            office.bank.get_client(client)
        assert client not in office.devices.load_keys()
        assert desk.get(number).state is AccountState.WAITING
    assert desk.approve(number, client, None, "Dana") == client


def test_a_taken_id_is_refused_and_another_does(office: Office) -> None:
    desk = office.people.onboarding
    taken = ClientId("taken")
    numbers = [
        desk.apply(office.make_request(make_applicant()), f"place {one}").number for one in "ab"
    ]
    desk.approve(numbers[0], taken, None, "Dana")
    with refused(ErrorCode.CLIENT_EXISTS):
        desk.approve(numbers[1], taken, None, "Dana")
    for name, code in (
        ("vault", ErrorCode.CLIENT_EXISTS),
        ("2.anna", ErrorCode.TEXT_INVALID),
        ("anna~1", ErrorCode.TEXT_INVALID),
    ):
        with refused(code):
            desk.approve(numbers[1], ClientId(name), None, "Dana")
    assert desk.approve(numbers[1], None, None, "Dana") == f"c-{numbers[1][:12]}"


# --- what a device can get wrong, or a stranger try ----------------------------------------------


def break_part(request: AccountRequest, part: str) -> AccountRequest:
    other = make_applicant()
    values = {
        "view": other.keys.address.view,
        "spend": other.keys.address.spend,
        "device": other.device.public,
        "spend_proof": bytes(64),
        "device_proof": bytes(64),
        "id": bytes(16),
    }
    return request.model_copy(update={part: values[part]})


@pytest.mark.parametrize("part", ["view", "spend", "device", "spend_proof", "device_proof", "id"])
def test_every_part_is_the_devices_own(office: Office, part: str) -> None:
    request = break_part(office.make_request(make_applicant()), part)
    with refused(ErrorCode.SIGNATURE_INVALID):
        office.people.onboarding.apply(request, part)


def test_a_view_key_is_for_one_bank_and_one_application(office: Office) -> None:
    """Taken from another application, sealed for another bank's key, or changed on its way."""
    desk = office.people.onboarding
    request, other = (office.make_request(make_applicant()) for _ in range(2))
    elsewhere = make_office(office.country, office.country.south)
    stranger = office.make_request(
        make_applicant(), transit=elsewhere.people.onboarding.get_transit_key()
    )
    moved = request.model_copy(update={"sealed_secret": other.sealed_secret})
    swapped = request.model_copy(
        update={"sealed_secret": other.sealed_secret, "sealed_view": other.sealed_view}
    )
    flipped = bytes([request.sealed_view[0] ^ 1]) + request.sealed_view[1:]
    changed = request.model_copy(update={"sealed_view": flipped})
    short = request.model_copy(update={"sealed_secret": b"short"})
    for bad in (stranger, moved, swapped, changed, short):
        with refused(ErrorCode.SEALED_INVALID):
            desk.apply(bad, "sealed")
    assert desk.apply(request, "sealed").state is AccountState.WAITING


def test_the_view_key_lies_nowhere_in_the_clear(tmp_path: Path) -> None:
    """Nor who applied, nor from where: neither in what is sent nor in what is kept."""
    office = make_office(country := build_country(tmp_path, is_funded=False), country.north)
    applicant = make_applicant(parse_phrase(PHRASE))
    request = office.make_request(applicant)
    secret = derive_subwallet(derive_seed(PHRASE), 0).view.to_bytes(32, "little")
    assert secret not in request.model_dump_json().encode() and secret.hex() not in str(
        request.model_dump_json()
    )
    number = office.people.onboarding.apply(request, PLACE).number
    needles = (secret, b"Aliya Bekova", b"+77015550102", PLACE.encode(), applicant.id)
    assert [count_files(tmp_path, one) for one in needles] == [0] * len(needles)
    assert count_files(tmp_path, applicant.keys.address.view), "the search finds what is public"
    office.people.onboarding.approve(number, ClientId("aliya"), None, "Dana")
    assert [count_files(tmp_path, one) for one in needles] == [0] * len(needles)


@pytest.mark.parametrize(
    ("person", "tier", "code"),
    [
        (Person("Aliya", None, {}), "basic", ErrorCode.DATA_MISSING),
        (ALIYA, "person", ErrorCode.DATA_MISSING),
        (ALIYA, "unheard of", ErrorCode.TIER_UNKNOWN),
        (replace(ALIYA, data={"no/name": "x"}), "basic", ErrorCode.TEXT_INVALID),
        (replace(ALIYA, data={"note": "a\x00b"}), "basic", ErrorCode.TEXT_INVALID),
        (replace(ALIYA, data={"note": "x" * PERSON_BYTES_MAX}), "basic", ErrorCode.LIMIT_EXCEEDED),
    ],
)
def test_what_a_person_says_has_limits(
    office: Office, person: Person, tier: str, code: ErrorCode
) -> None:
    with refused(code):
        office.people.onboarding.apply(
            office.make_request(make_applicant(), person=person, tier=tier), "limits"
        )


def test_a_tier_is_chosen_with_what_it_asks_for(office: Office) -> None:
    """An operator who gives more than was asked for needs what that takes."""
    desk = office.people.onboarding
    number = desk.apply(office.make_request(make_applicant()), "tiers").number
    with refused(ErrorCode.DATA_MISSING):
        desk.approve(number, ClientId("tiers"), "person", "Dana")
    person = replace(ALIYA, data={"birth-date": "1990-01-02", "document": "N1"})
    full = office.make_request(make_applicant(), person=person)
    number = desk.apply(full, "tiers").number
    assert desk.approve(number, ClientId("tiers"), "person", "Dana") == "tiers"


def test_strangers_leave_few(office: Office) -> None:
    """To the last that has room, and not one more; a decision makes room."""
    desk, place = office.people.onboarding, "flood"
    numbers = [
        desk.apply(office.make_request(make_applicant()), place).number
        for _ in range(ACCOUNT_APPLICATIONS_PLACE_MAX)
    ]
    with refused(ErrorCode.RATE_EXCEEDED):
        desk.apply(office.make_request(make_applicant()), place)
    desk.apply(office.make_request(make_applicant()), "another place")
    desk.refuse(numbers[0], "nobody", "Dana")
    desk.apply(office.make_request(make_applicant()), place)


def test_all_strangers_together_leave_few(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = office.people.onboarding
    for _ in range(3):
        desk.apply(office.make_request(make_applicant()), "crowd")
    waiting = desk.store.count_all()
    monkeypatch.setattr("specie.assembly.onboarding.ACCOUNT_APPLICATIONS_MAX", waiting + 1)
    desk.apply(office.make_request(make_applicant()), "last")
    desk.apply(office.make_request(make_applicant()), "one more")
    assert desk.store.count_all() == waiting + 1, "whoever has most has lost one"
    monkeypatch.setattr(SqliteOnboardingStore, "displace", lambda *_: False)
    with refused(ErrorCode.RATE_EXCEEDED):
        desk.apply(office.make_request(make_applicant()), "none")


def test_a_network_of_many_places_leaves_few(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has a /48 has 65,536 networks of 64 bits, each a place."""
    desk = office.people.onboarding
    monkeypatch.setattr("specie.bank.applications.ACCOUNT_APPLICATIONS_NETWORK_MAX", 2)
    for place in ("2606:4700:1:1::/64", "2606:4700:1:2::/64", "2606:4700:2:1::/64"):
        desk.apply(office.make_request(make_applicant()), place)
    with refused(ErrorCode.RATE_EXCEEDED):
        desk.apply(office.make_request(make_applicant()), "2606:4700:1:3::/64")
    assert name_network("203.0.113.7") == "203.0.113.7" and name_network("") == ""


def test_many_are_refused_at_once_or_none(office: Office) -> None:
    desk = office.people.onboarding
    numbers = [desk.apply(office.make_request(make_applicant()), "many").number for _ in range(3)]
    desk.approve(numbers[2], ClientId("many"), None, "Dana")
    with refused(ErrorCode.ORDER_CONFLICT):
        desk.refuse_all(numbers, "strangers", "Dana")
    assert desk.get(numbers[0]).state is AccountState.WAITING
    for _ in range(2):
        desk.refuse_all(numbers[:2], "strangers", "Dana")
    assert {desk.get(one).state for one in numbers[:2]} == {AccountState.REFUSED}


def test_an_id_is_one_applications(office: Office) -> None:
    desk, first, other = office.people.onboarding, make_applicant(), make_applicant()
    desk.apply(office.make_request(first), "ids")
    thief = replace(other, id=first.id)
    with refused(ErrorCode.ORDER_CONFLICT):
        desk.apply(office.make_request(thief), "ids")
    with refused(ErrorCode.APPLICATION_UNKNOWN):
        desk.ask(bytes(16))
    with refused(ErrorCode.APPLICATION_UNKNOWN):
        desk.get("0" * 32)


def test_two_applications_of_one_address_open_it_once(office: Office) -> None:
    desk, applicant = office.people.onboarding, make_applicant()
    again = replace(applicant, id=make_applicant().id)
    numbers = [desk.apply(office.make_request(one), "two").number for one in (applicant, again)]
    desk.approve(numbers[0], ClientId("two"), None, "Dana")
    with pytest.raises(SpecieError) as error:
        desk.approve(numbers[1], ClientId("three"), None, "Dana")
    assert error.value.code is ErrorCode.CLIENT_EXISTS
