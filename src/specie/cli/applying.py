"""A device applies for a wallet at a bank, and hears what became of it."""

from specie.cli.places import STRANGER, Site, draw_secret
from specie.ports.onboarding import AccountState, Person
from specie.remote.onboarding_models import AccountAnswer
from specie.remote.people_client import PeopleClient
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.phones import parse_phone

_NOTE = "application"


def build_person(name: str, phone: str | None, details: list[str]) -> Person:
    """From options, `key=value` each; `setting_invalid` names the one that is not."""
    fields: dict[str, str] = {}
    for one in details:
        key, equals, value = one.partition("=")
        if not equals or not key or not value:
            raise SpecieError(ErrorCode.SETTING_INVALID, "--detail is key=value")
        fields[key] = value
    return Person(name, None if phone is None else parse_phone(phone), fields)


def apply_at_bank(site: Site, place: int, bank: int, person: Person, tier: str) -> AccountAnswer:
    """The keys are drawn and the id is durable before the bank hears of them; again is the same.

    What was refused or has expired is asked anew, with another id. Another bank may be asked as
    long as none has opened this wallet; the application at the one before is forgotten here.
    """
    kind = f"{_NOTE} {place}"
    note = site.notes.find(kind)
    if note is not None and note["bank"] != bank:
        _hear_of_approval(site, place)
        note = None
    account = site.prepare(place, bank)
    if note is None:
        note = {"id": draw_secret().hex(), "bank": bank}
        site.notes.put(kind, note)
    with site.speak(STRANGER, account.key, bank) as channel:
        keys = site.open_vault(place, bank, channel).keys
        served = PeopleClient(channel, account.bank)
        answer = served.apply(bytes.fromhex(note["id"]), person, tier, keys, account.key)
        if answer.state in (AccountState.REFUSED, AccountState.EXPIRED):
            note = {"id": draw_secret().hex(), "bank": bank}
            site.notes.put(kind, note)
            answer = served.apply(bytes.fromhex(note["id"]), person, tier, keys, account.key)
    _adopt(site, place, answer)
    return answer


def ask_bank(site: Site, place: int) -> AccountAnswer:
    """What became of it; an approval is recorded here. `application_unknown` if there is none."""
    note = site.notes.find(f"{_NOTE} {place}")
    if note is None:
        reason = "this wallet has not applied; `specie wallet apply` does"
        raise SpecieError(ErrorCode.APPLICATION_UNKNOWN, reason)
    bank = int(note["bank"])
    account = site.prepare(place, bank)
    with site.speak(STRANGER, account.key, bank) as channel:
        answer = PeopleClient(channel, account.bank).ask_application(bytes.fromhex(note["id"]))
    _adopt(site, place, answer)
    return answer


def _hear_of_approval(site: Site, place: int) -> None:
    """So that a wallet that the bank before has opened meanwhile is not applied for elsewhere.

    A bank that does not answer, or knows nothing of it, keeps nobody from going to another.
    """
    try:
        ask_bank(site, place)
    except SpecieError as error:
        if error.code not in {ErrorCode.UNREACHABLE, ErrorCode.APPLICATION_UNKNOWN}:
            raise


def _adopt(site: Site, place: int, answer: AccountAnswer) -> None:
    if answer.state == AccountState.APPROVED and answer.client is not None:
        site.record_client(place, answer.client)
