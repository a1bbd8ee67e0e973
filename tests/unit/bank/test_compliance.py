"""What a bank's people do is in the access log, with who and why; a dry run is none (T20)."""

import json
from collections.abc import Callable

import pytest

from specie.bank.access import Operator, name_log, parse_head, verify_head
from specie.bank.compliance import Compliance
from specie.bank.reporting import Reporter, build_report
from specie.crypto.addresses import format_address
from specie.policy.cases import CaseState, Verdict
from specie.policy.policies import Consequence
from specie.ports.clients import MovementQuery
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId, NetworkId
from specie.values.limits import CASE_NOTES_MAX
from specie.values.times import DAY_MS, Timestamp
from tests.country import NORTH, SOUTH, Country, Person, refused

ADA, GRACE = Operator("Ada", "order 7 of the court"), Operator("Grace", "my watch")
STRICT = """
default_tier = "small"
[[tier]]
name = "small"
limits = { payment = 10, holding = 25 }
[[rule]]
name = "noted"
kind = "threshold"
amount = 5
consequence = "hold"
"""


@pytest.fixture
def desk(country: Country) -> Compliance:
    return country.network.compliance[NORTH]


@pytest.fixture
def anna(country: Country) -> Person:
    return country.open_person(country.north, 40)


def read_log(desk: Compliance, start: int) -> list[tuple[str, str, str]]:
    return [(one.officer, one.action, one.client) for one in desk.access.load(start, 1_000)]


def test_every_look_and_every_decision_is_on_the_log(
    country: Country, desk: Compliance, anna: Person
) -> None:
    number = desk.suspect(Operator("Ada", f"a tip about {anna.id}"), anna.id).number
    start = desk.access.verify([]) + 1
    looks: dict[str, Callable[[], object]] = {
        "search": lambda: desk.search(ADA, MovementQuery(client=anna.id), 0, 10),
        "cases": lambda: desk.list_cases(ADA, 0, 10, is_open=True),
        "case": lambda: desk.open_file(ADA, number),
        "report": lambda: desk.open_file(ADA, number, "report"),
        "note": lambda: desk.add_note(ADA, number, "asked the branch"),
        "freeze": lambda: desk.freeze(ADA, anna.id, "7", Timestamp(country.clock.now() + 9)),
        "freeze-shown": lambda: desk.find_freeze(ADA, anna.id),
        "unfreeze": lambda: desk.unfreeze(ADA, anna.id),
        "tier": lambda: desk.set_tier(anna.id, "business", ADA),
        "dry-run": lambda: desk.rehearse(ADA, desk.get_policy().text),
        "decide": lambda: desk.decide(ADA, number, Verdict.CLOSE),
    }
    for look in looks.values():
        look()
    about = ["" if one in ("cases", "dry-run") else anna.id for one in looks]
    assert read_log(desk, start) == [
        ("Ada", action, client) for action, client in zip(looks, about, strict=True)
    ]
    assert {one.reason for one in desk.access.load(start, 1_000)} == {ADA.reason}


def test_a_search_is_on_the_log_with_what_was_searched_for(
    country: Country, desk: Compliance, anna: Person
) -> None:
    """Who goes through a counterparty's payments leaves whose they were."""
    start, party = desk.access.verify([]) + 1, anna.wallet.keys.address
    query = MovementQuery(
        since=Timestamp(0),
        until=Timestamp(1_000),
        least=Minor(5),
        most=Minor(10),
        party=party,
        is_incoming=True,
    )
    desk.search(ADA, query, 7, 10)
    desk.search(ADA, MovementQuery(client=anna.id, is_incoming=False), 0, 10)
    whole, short = (one.subject for one in desk.access.load(start, 10))
    assert whole == (
        "since 1970-01-01T00:00:00.000Z, until 1970-01-01T00:00:01.000Z, at least 5, at most 10, "
        f"with {party.bank}:{party.view.hex()}:{party.spend.hex()}, incoming, from 7"
    )
    assert short == "outgoing"


@pytest.mark.parametrize(
    "nobody",
    [
        Operator("", "why"),
        Operator("Ada", ""),
        Operator("Ada", "  "),
        Operator("A\nda", "why"),
        Operator("Ada", "w" * 501),
        Operator("A" * 101, "why"),
    ],
)
def test_without_a_name_and_a_reason_nothing_is_shown_or_done(
    country: Country, desk: Compliance, anna: Person, nobody: Operator
) -> None:
    number = desk.suspect(Operator("Ada", f"a tip about {anna.id}"), anna.id).number
    policy, size = desk.get_policy(), desk.access.verify([])
    until = Timestamp(country.clock.now() + DAY_MS)
    acts: list[Callable[[], object]] = [
        lambda: desk.search(nobody, MovementQuery(), 0, 10),
        lambda: desk.list_cases(nobody, 0, 10, is_open=False),
        lambda: desk.open_file(nobody, number),
        lambda: desk.add_note(nobody, number, "x"),
        lambda: desk.decide(nobody, number, Verdict.CLOSE),
        lambda: desk.suspect(nobody, anna.id),
        lambda: desk.freeze(nobody, anna.id, "7", until),
        lambda: desk.unfreeze(nobody, anna.id),
        lambda: desk.find_freeze(nobody, anna.id),
        lambda: desk.set_tier(anna.id, "basic", nobody),
        lambda: desk.set_policy(nobody, STRICT),
        lambda: desk.set_policy(nobody, policy.text),
        lambda: desk.rehearse(nobody, STRICT),
    ]
    for act in acts:
        with refused(ErrorCode.REASON_MISSING):
            act()
    assert desk.access.verify([]) == size and desk.get_policy() == policy
    assert desk.open_file(ADA, number).case.state is CaseState.OPEN


def test_a_policy_has_versions_and_the_same_again_is_the_same(desk: Compliance) -> None:
    text = STRICT.replace('"hold"', '"sign"')
    tiers = '[[tier]]\nname = "basic"\n[[tier]]\nname = "business"\n'
    version = desk.get_policy().version
    first = desk.set_policy(ADA, text + tiers)
    again = desk.set_policy(GRACE, text + tiers)
    assert (first.version, again) == (version + 1, first)
    assert (first.officer, first.reason) == ("Ada", ADA.reason)
    with refused(ErrorCode.POLICY_INVALID):
        desk.set_policy(ADA, "default_tier = 1")
    history = desk.load_policies()
    assert [one.version for one in history] == list(range(1, first.version + 1))
    assert history[-1] == desk.get_policy() == first
    desk.set_policy(GRACE, history[0].text)


def test_a_dry_run_says_who_would_have_been_stopped(country: Country) -> None:  # X9
    desk, anna = country.network.compliance[SOUTH], country.open_person(country.south, 11, 10, 4)
    boris = country.open_person(country.south)
    for amount in (11, 10, 4):
        country.pay(anna, boris, amount)
    before = (desk.get_policy(), country.south.load_movements(anna.id))
    found = desk.rehearse(ADA, STRICT)
    rows = {key: (one.payments, one.amount, one.clients) for key, one in found.rows.items()}
    assert rows["small", "limit:payment", Consequence.REFUSE] == (1, 11, {anna.id})
    assert rows["small", "noted", Consequence.HOLD] == (4, 42, {anna.id, boris.id})
    assert (found.refused.payments, found.held.payments) == (2, 2)
    assert found.judged.clients == {anna.id, boris.id}  # and not the vault
    assert (desk.get_policy(), country.south.load_movements(anna.id)) == before


def test_a_payment_between_two_pages_is_one_payment(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = country.network.compliance[SOUTH]
    anna, boris = country.open_person(country.south, 9, 9), country.open_person(country.south)
    country.pay(anna, boris, 9)
    whole = desk.rehearse(ADA, STRICT)
    for size in (1, 2, 3):
        monkeypatch.setattr("specie.bank.compliance.PAGE_ITEMS_MAX", size)
        assert desk.rehearse(ADA, STRICT) == whole


def test_a_case_file_and_its_report(country: Country, desk: Compliance, anna: Person) -> None:
    boris = country.open_person(country.north)
    country.pay(anna, boris, 12)
    case = desk.suspect(Operator("Ada", "bought a ship"), anna.id)
    assert desk.suspect(Operator("Ada", "bought a ship"), anna.id) == case
    desk.add_note(GRACE, case.number, "it is a small ship")
    desk.add_note(GRACE, case.number, "it is a small ship")
    file = desk.open_file(ADA, case.number)
    assert [one.text for one in file.notes] == ["it is a small ship"]
    genesis = country.network.genesis
    reporter = Reporter(
        bank="Bank of the North",
        number=2,
        network=genesis.network.hex(),
        currency=genesis.currency,
        prefix=genesis.address_prefix,
        person="Ada",
        time=Timestamp(0),
    )
    report = json.loads(json.dumps(build_report(file, reporter)))
    assert (report["report_code"], report["reason"]) == ("SAR", "bought a ship")
    assert report["subject"]["name"] == f"Name of {anna.id}"
    assert report["entity_reference"].endswith(f"/2/{case.number}")
    paid, withdrawn = report["transaction"]
    assert paid["amount_local"] == "0.12" and paid["amount_minor"] == 12
    assert paid["t_from_my_client"]["client_number"] == anna.id
    prefix = genesis.address_prefix
    assert paid["t_to"]["accounts"] == [format_address(boris.wallet.keys.address, prefix)]
    assert paid["t_to"]["names"] == [f"Name of {boris.id}"]
    assert withdrawn["t_from"]["is_own_bank"] and "t_to_my_client" in withdrawn
    assert report["has_all_transactions"] and report["case"]["notes"][0]["person"] == "Grace"


def test_what_there_is_not(country: Country, desk: Compliance, anna: Person) -> None:
    nobody = ClientId("nobody")
    acts: dict[Callable[[], object], ErrorCode] = {
        lambda: desk.open_file(ADA, 999): ErrorCode.CASE_UNKNOWN,
        lambda: desk.add_note(ADA, 999, "x"): ErrorCode.CASE_UNKNOWN,
        lambda: desk.decide(ADA, 999, Verdict.CLOSE): ErrorCode.CASE_UNKNOWN,
        lambda: desk.suspect(ADA, nobody): ErrorCode.CLIENT_UNKNOWN,
        lambda: desk.suspect(ADA, ClientId("vault")): ErrorCode.CLIENT_UNKNOWN,
        lambda: desk.search(ADA, MovementQuery(client=nobody), 0, 9): ErrorCode.CLIENT_UNKNOWN,
        lambda: desk.unfreeze(ADA, nobody): ErrorCode.CLIENT_UNKNOWN,
    }
    for act, code in acts.items():
        with refused(code):
            act()
    number = desk.suspect(ADA, anna.id).number
    for text in (" ", "x" * 1_001):
        with refused(ErrorCode.TEXT_INVALID):
            desk.add_note(ADA, number, text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("specie.bank.compliance.CASE_NOTES_MAX", 1)
        desk.add_note(ADA, number, "one")
        with refused(ErrorCode.LIMIT_EXCEEDED):
            desk.add_note(ADA, number, "two")
    assert CASE_NOTES_MAX > 1


def test_the_head_is_signed_and_whoever_pins_it_can_have_it_checked(
    country: Country, desk: Compliance
) -> None:
    note, genesis = desk.access.sign_head(), country.network.genesis
    key = country.network.roster.current.get(NORTH).institution_key
    head = verify_head(note, genesis.network, NORTH, key)
    assert head.size == desk.access.verify([note]) and desk.access.sign_head() == note
    desk.list_cases(ADA, 0, 1, is_open=True)
    assert desk.access.verify([note]) == head.size + 1
    assert parse_head(desk.access.sign_head()).size == head.size + 1
    other = country.network.roster.current.get(SOUTH).institution_key
    first, *rest = note.split("\n")
    forged = "\n".join([first, rest[0], str(head.size + 1), *rest[2:]])
    acts: list[Callable[[], object]] = [
        lambda: verify_head(note, genesis.network, NORTH, other),
        lambda: verify_head(note, genesis.network, SOUTH, key),
        lambda: verify_head(note, NetworkId(bytes(16)), NORTH, key),
        lambda: verify_head(forged, genesis.network, NORTH, key),
        lambda: desk.access.verify([forged]),
        lambda: desk.access.verify([country.network.compliance[SOUTH].access.sign_head()] * 2),
        lambda: desk.access.verify([note.replace(genesis.network.hex(), "00" * 16)]),
    ]
    for act in acts[:5] + acts[6:]:
        with refused(ErrorCode.ACCESS_LOG_INVALID):
            act()
    for text in (
        "",
        "x",
        note.replace("v1", "v2"),
        note[:-1],
        note + "\n",
        note.replace("\n\n", "\n"),
    ):
        with refused(ErrorCode.ACCESS_LOG_INVALID):
            parse_head(text)
    assert name_log(NORTH) in note
