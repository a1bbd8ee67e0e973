"""By order, nothing is attested for a client until a time; no money moves (rows X9, T20)."""

from collections.abc import Callable

import pytest

from specie.bank.losses import name_retired
from specie.bank.standings import HandedStanding, open_standing, seal_standing
from specie.bank.succession import export_client, take_over
from specie.crypto.secrets import SealingKey
from specie.ports.clients import ClientStatus, MovementQuery
from specie.ports.supervision import Freeze
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId
from specie.values.times import DAY_MS, Timestamp
from tests.country import NORTH, SOUTH, Country, find_code, refused
from tests.unit.bank.test_supervision import ADA, attest, build, get_desk, prepare, set_policy

KEY = SealingKey.generate()


@pytest.fixture
def ours(country: Country) -> Country:
    """Nobody is limited by what another test has set."""
    for number in country.network.compliance:
        set_policy(country, bank=number)
    return country


def test_a_freeze_stops_attestation_until_its_end_and_moves_nothing(ours: Country) -> None:
    anna, boris = prepare(ours, 50, 50)
    desk, now = get_desk(ours), ours.clock.now()
    before = anna.wallet.get_balance()
    desk.freeze(ADA, anna.id, "court 12/2026", Timestamp(now + 1_000))
    assert attest(ours, ours.north, build(ours, anna, boris, 50)) is ErrorCode.CLIENT_FROZEN
    with refused(ErrorCode.CLIENT_FROZEN):
        desk.supervision.check_room(anna.id, Minor(1))
    found = desk.find_freeze(ADA, anna.id)
    assert found is not None and (found.reference, found.officer) == ("court 12/2026", "Ada")
    ours.clock.advance(999)
    assert attest(ours, ours.north, build(ours, anna, boris, 50)) is ErrorCode.CLIENT_FROZEN
    ours.clock.advance(1)
    assert attest(ours, ours.north, build(ours, anna, boris, 50)) is None
    assert anna.wallet.get_balance() == before


def test_a_freeze_is_lifted_and_stops_payees_too(ours: Country) -> None:
    anna, boris = ours.open_person(ours.north, 50), ours.open_person(ours.north)
    desk, later = get_desk(ours), Timestamp(ours.clock.now() + DAY_MS)
    desk.freeze(ADA, boris.id, "court 13", later)
    built = build(ours, anna, boris, 50)
    assert attest(ours, ours.north, built) is ErrorCode.CLIENT_FROZEN
    desk.unfreeze(ADA, boris.id)
    desk.unfreeze(ADA, boris.id)
    assert attest(ours, ours.north, built) is None
    log = desk.access.load(1, 1_000)
    actions = [one.action for one in log if one.client == boris.id]
    assert actions == ["freeze", "unfreeze", "unfreeze"]
    wrong: dict[ErrorCode, Callable[[], object]] = {
        ErrorCode.LIMIT_EXCEEDED: lambda: desk.freeze(ADA, boris.id, "x", ours.clock.now()),
        ErrorCode.REASON_MISSING: lambda: desk.freeze(ADA, boris.id, " ", later),
        ErrorCode.CLIENT_UNKNOWN: lambda: desk.freeze(ADA, ClientId("nobody"), "x", later),
    }
    for code, act in wrong.items():
        with refused(code):
            act()
    assert desk.access.verify([]) == len(log)
    assert desk.search(ADA, MovementQuery(client=boris.id), 0, 9).movements


def test_a_freeze_holds_for_a_lost_wallet_and_no_limit_does(ours: Country) -> None:  # T19, X7
    """Its owner's new wallet gets nothing of it until the freeze ends, and then all at once."""
    anna = ours.open_person(ours.north, 50)
    clients = ours.north._clients  # noqa: SLF001  # what the office for losses does with it
    clients.retire(anna.id, name_retired(anna.id, 1))
    keys = ours.network.make_wallet(f"new {anna.id}", NORTH)
    heir = ours.open_person(ours.north, name=anna.id, wallet=keys)
    set_policy(ours, "payment = 10, holding = 10")
    until = Timestamp(ours.clock.now() + 1_000)
    get_desk(ours).freeze(ADA, heir.id, "court 14", until)
    built = build(ours, anna, heir, 50)
    assert find_code(lambda: ours.north.attest_payment(built)) is ErrorCode.CLIENT_FROZEN
    ours.clock.advance(1_000)
    assert find_code(lambda: ours.north.attest_payment(built)) is None


def test_an_order_and_a_tier_go_over_to_a_successor(ours: Country) -> None:
    """T2: the bank that leaves takes no order along; what the successor has decided stands."""
    anna, _ = prepare(ours, 50)
    there = ours.open_person(ours.south, 50)
    north, south, now = get_desk(ours), get_desk(ours, SOUTH), ours.clock.now()
    assert seal_standing(north.hand_over(anna.id), anna.id, KEY) == b""
    north.freeze(ADA, anna.id, "court 14", Timestamp(now + DAY_MS))
    north.set_tier(anna.id, "other")
    sealed = seal_standing(north.hand_over(anna.id), anna.id, KEY)
    assert b"court" not in sealed
    with refused(ErrorCode.SEALED_INVALID):
        open_standing(sealed, there.id, KEY, there.id)
    stood = open_standing(sealed, anna.id, KEY, there.id)
    for _ in range(2):
        south.adopt(ADA, there.id, stood)
    assert south.get_tier(there.id).name == "other"
    assert attest(ours, ours.south, build(ours, there, anna, 50)) is ErrorCode.CLIENT_FROZEN
    found = south.find_freeze(ADA, there.id)
    assert found is not None
    assert (found.client, found.reference, found.since) == (there.id, "court 14", now)
    actions = [one.action for one in south.access.load(1, 1_000) if one.client == there.id]
    assert actions == ["tier", "freeze", "freeze-shown"]
    south.set_tier(there.id, "one")
    later = Timestamp(now + 2 * DAY_MS)
    south.freeze(ADA, there.id, "court 15", later)
    south.adopt(ADA, there.id, stood)
    assert (south.get_tier(there.id).name, south.find_frozen(there.id)) == ("one", later)
    south.adopt(ADA, anna.id, HandedStanding("a tier of theirs", None))
    assert south.get_tier(anna.id).name == "one", "the default"


@pytest.mark.parametrize("days", [1, 5])
def test_an_order_that_comes_over_is_not_lost_behind_one_that_ends_before(
    ours: Country, days: int
) -> None:
    """T2: the successor has frozen the same person, until earlier, or that is over already."""
    there, vera = ours.open_person(ours.south, 50), ours.open_person(ours.south)
    south, now = get_desk(ours, SOUTH), ours.clock.now()
    until = Timestamp(now + 9 * DAY_MS)
    south.freeze(ADA, there.id, "court 15", Timestamp(now + days * DAY_MS))
    ours.clock.advance(3 * DAY_MS)
    stood = HandedStanding(None, Freeze(there.id, "court 14", now, until, "Ada"))
    for _ in range(2):
        south.adopt(ADA, there.id, stood)
    assert south.find_frozen(there.id) == until
    assert attest(ours, ours.south, build(ours, there, vera, 50)) is ErrorCode.CLIENT_FROZEN
    written = [one.action for one in south.access.load(1, 1_000) if one.client == there.id]
    assert written == ["freeze", "freeze"], "once from each bank"


def test_a_block_goes_over_to_a_successor_that_knows_the_client_already(ours: Country) -> None:
    """T2: who came to it before the list did is not good again."""
    anna, _ = prepare(ours, 50)
    bank, clients = ours.north, ours.north.clients
    roster = ours.network.roster
    bank.block(anna.id)
    exported = export_client(bank.get_client(anna.id), clients, KEY)
    bank.unblock(anna.id)
    take_over(exported, KEY, clients, roster)
    assert bank.get_client(anna.id).status is ClientStatus.BLOCKED
    bank.unblock(anna.id)
    take_over(export_client(bank.get_client(anna.id), clients, KEY), KEY, clients, roster)
    assert bank.get_client(anna.id).status is ClientStatus.GOOD
