"""Four eyes for parameters, pauses and members: what counts, once, with its history (P12)."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from specie.central_bank.decision_fields import Field
from specie.central_bank.decisions import (
    DecisionKind,
    Decisions,
    Parameters,
    compute_operation_message,
    format_parameters,
)
from specie.crypto.signatures import sign_as_institution
from specie.identity.participants import Status, sign_participants
from specie.identity.roster import Roster
from specie.ports.decisions import Decision, DecisionState
from specie.store.decision_store import SqliteDecisionStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import PROPOSAL_MS_MAX
from tests.building import World, make_world
from tests.clocks import ManualClock
from tests.country import refused
from tests.rosters import make_roster


@dataclass
class Office:
    """The desk, with one kind that notes what was carried out and can be made to fail."""

    world: World
    roster: Roster
    path: Path
    done: list[dict[str, object]] = field(default_factory=list)
    fails: bool = False
    forbids: bool = False
    clock: ManualClock = field(default_factory=ManualClock)

    def open(self, officers: int | None = None) -> Decisions:
        kinds = {"note": DecisionKind({"text": Field.TEXT}, self._note, officers)}
        return Decisions(self.roster, SqliteDecisionStore(self.path), self.clock, kinds)

    def _note(self, _decision: Decision, parameters: Parameters) -> dict[str, int]:
        if self.fails:
            raise SpecieError(ErrorCode.UNREACHABLE, "the other side is away")
        if self.forbids:
            raise SpecieError(ErrorCode.PARTICIPANT_INACTIVE, "a rule is against it")
        self.done.append(dict(parameters))
        return {}

    def sign(
        self,
        officer: int,
        kind: str = "note",
        parameters: Mapping[str, object] | str | None = None,
        identifier: bytes = b"decision one    ",
        as_kind: str | None = None,
    ) -> Decision:
        """As an officer would; `as_kind` is what the signature is for, if not for `kind`."""
        given = {"text": "x"} if parameters is None else parameters
        text = given if isinstance(given, str) else format_parameters(given)
        network = self.world.genesis.network
        message = compute_operation_message(network, identifier, as_kind or kind, text)
        signature = sign_as_institution(self.world.officers[officer], message)
        return self.open().sign(identifier, kind, text, officer, signature)

    def decide(self, kind: str, **parameters: object) -> Decision:
        """Two officers."""
        identifier = secrets.token_bytes(16)
        self.sign(1, kind, parameters, identifier)
        return self.sign(2, kind, parameters, identifier)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    world = make_world()
    return Office(world, make_roster(world), tmp_path / "desk.db")


def test_it_is_done_with_the_second_signature_and_once(office: Office) -> None:
    assert office.sign(1).state is DecisionState.PROPOSED
    assert office.sign(1).state is DecisionState.PROPOSED  # again is not a second officer
    assert not office.done
    assert office.sign(2).state is DecisionState.DONE
    assert office.sign(3).state is DecisionState.DONE
    assert office.done == [{"text": "x"}]
    [kept] = office.open().load(0, 10)
    assert [officer for officer, _ in kept.signatures] == [1, 2], "history does not change"


def test_one_id_is_one_decision(office: Office) -> None:
    office.sign(1)
    with refused(ErrorCode.ORDER_CONFLICT):
        office.sign(2, parameters={"text": "y"})
    assert not office.done


def test_a_signature_is_for_what_was_seen(office: Office) -> None:
    with refused(ErrorCode.AUTHORISATION_INVALID):
        office.sign(1, "note", as_kind="pause-issuance")
    assert not office.open().load(0, 10)


def test_only_active_officers_count(office: Office) -> None:
    office.sign(1)
    changed = office.world.with_officer(1, Status.SUSPENDED)
    members = replace(changed.members, version=2)
    office.roster.adopt(sign_participants(members, office.world.list_key))
    assert office.sign(2).state is DecisionState.PROPOSED  # the first does not count any more
    with refused(ErrorCode.AUTHORISATION_INVALID):
        office.sign(1)
    assert office.sign(3).state is DecisionState.DONE


def test_what_failed_is_made_good(office: Office) -> None:
    office.fails = True
    office.sign(1)
    with refused(ErrorCode.UNREACHABLE):
        office.sign(2)
    assert [error.code for error in office.open().resume()] == [ErrorCode.UNREACHABLE]
    office.fails = False
    assert not office.open().resume()
    assert office.done == [{"text": "x"}]
    assert [one.state for one in office.open().load(0, 10)] == [DecisionState.DONE]


def test_what_a_rule_refuses_stays_refused(office: Office) -> None:
    """Not carried out years later, when the rule no longer holds it back."""
    office.forbids = True
    office.sign(1)
    with refused(ErrorCode.PARTICIPANT_INACTIVE):
        office.sign(2)
    office.forbids = False
    assert not office.open().resume()
    assert office.sign(2).state is DecisionState.REFUSED
    assert office.done == []


def test_what_was_begun_is_not_refused(office: Office) -> None:
    """The other side may have done its part before its answer was lost."""
    office.fails = True
    office.sign(1)
    with refused(ErrorCode.UNREACHABLE):
        office.sign(2)
    office.fails, office.forbids = False, True
    assert [error.code for error in office.open().resume()] == [ErrorCode.PARTICIPANT_INACTIVE]
    office.forbids = False
    assert not office.open().resume()
    assert office.done == [{"text": "x"}]


def test_a_proposal_ends_without_its_signatures(office: Office) -> None:
    """Nobody completes years later what one officer has said in another situation."""
    office.sign(1)
    office.clock.advance(PROPOSAL_MS_MAX)
    assert not office.open().resume()
    assert office.sign(1).state is DecisionState.PROPOSED, "to the last millisecond"
    office.clock.advance(1)
    assert office.sign(2).state is DecisionState.EXPIRED, "before any round has looked"
    assert office.sign(1).state is DecisionState.EXPIRED
    [kept] = office.open().load(0, 10)
    assert (kept.state, kept.signed_by) == (DecisionState.EXPIRED, [1])
    assert not office.open().resume() and office.done == []
    assert office.sign(1, identifier=b"decision two    ").state is DecisionState.PROPOSED


def test_a_round_ends_what_is_old(office: Office) -> None:
    office.sign(1)
    office.clock.advance(PROPOSAL_MS_MAX + 1)
    assert not office.open().resume()
    assert [one.state for one in office.open().load(0, 10)] == [DecisionState.EXPIRED]


def test_what_is_begun_or_signed_does_not_end(office: Office) -> None:
    """Part of it may be done: a loan that was paid is never told as one that was not."""
    office.fails = True
    office.sign(1)
    with refused(ErrorCode.UNREACHABLE):
        office.sign(2)
    _sign_and_stop(office, b"decision two    ")
    office.clock.advance(PROPOSAL_MS_MAX + 1)
    assert len(office.open().resume()) == 2
    office.fails = False
    assert not office.open().resume()
    assert [one.state for one in office.open().load(0, 10)] == [DecisionState.DONE] * 2
    assert len(office.done) == 2


def test_who_has_signed_withdraws_a_proposal(office: Office) -> None:
    """It is in the history who has; what has its signatures is not withdrawn."""
    first, second = b"decision one    ", b"decision two    "
    office.sign(1, identifier=first)
    given = {"decision": first.hex()}
    with refused(ErrorCode.APPROVALS_MISSING):
        office.sign(3, "withdraw", given, secrets.token_bytes(16))
    done = office.sign(1, "withdraw", given, secrets.token_bytes(16))
    assert (done.state, done.signed_by) == (DecisionState.DONE, [1])
    assert office.sign(2, identifier=first).state is DecisionState.WITHDRAWN
    _sign_and_stop(office, second)
    with refused(ErrorCode.ORDER_CONFLICT):
        office.sign(1, "withdraw", {"decision": second.hex()}, secrets.token_bytes(16))
    assert not office.open().resume()
    assert office.done == [{"text": "y"}]
    with refused(ErrorCode.ORDER_CONFLICT):
        office.sign(1, "withdraw", {"decision": second.hex()}, secrets.token_bytes(16))
    with refused(ErrorCode.APPLICATION_UNKNOWN):
        office.sign(1, "withdraw", {"decision": "00" * 16}, secrets.token_bytes(16))


def _sign_and_stop(office: Office, identifier: bytes) -> None:
    """Both signatures are recorded, and the desk stops before it carries anything out."""
    text = format_parameters({"text": "y"})
    message = compute_operation_message(office.world.genesis.network, identifier, "note", text)
    draft = Decision(identifier, "note", text, DecisionState.PROPOSED, office.clock.now())
    for officer in (1, 2):
        signature = sign_as_institution(office.world.officers[officer], message)
        SqliteDecisionStore(office.path).sign(draft, officer, signature)


def test_parameters_have_one_spelling_and_their_types(office: Office) -> None:
    for text in ('{"text": "x"}', "{}", '{"text":1}', '{"other":"x"}', "[]", "", "x", '{"text":"a'):
        with refused(ErrorCode.SETTING_INVALID):
            office.sign(1, parameters=text)
    with refused(ErrorCode.SETTING_INVALID):  # true is no number
        office.sign(1, "set-parameter", {"name": "issuance_limit_day", "value": True})
    with refused(ErrorCode.KIND_UNKNOWN):
        office.sign(1, "abolish", {})


def test_issuance_is_paused_and_resumed(office: Office) -> None:
    """P12: two officers stop new money, two let it go on."""
    desk = office.open()
    desk.check_issuance(10, 0)
    office.decide("pause-issuance")
    with refused(ErrorCode.ISSUANCE_PAUSED):
        desk.check_issuance(1, 0)
    office.decide("resume-issuance")
    desk.check_issuance(10, 0)
    done = SqliteDecisionStore(office.path).load_done("pause-issuance")
    assert [one.kind for one in done] == ["pause-issuance"]


def test_limits_of_issuance(office: Office) -> None:
    desk = office.open()
    office.decide("set-parameter", name="issuance_limit_day", value=100)
    office.decide("set-parameter", name="issuance_limit_order", value=60)
    desk.check_issuance(60, 40)
    with refused(ErrorCode.SUPPLY_CAP_EXCEEDED):
        desk.check_issuance(61, 0)
    with refused(ErrorCode.SUPPLY_CAP_EXCEEDED):
        desk.check_issuance(60, 41)
    office.decide("set-parameter", name="issuance_limit_order", value=70)
    desk.check_issuance(61, 0)
    assert desk.get_setting("issuance_limit_order") == 70


def test_only_known_parameters_are_set(office: Office) -> None:
    for name, value in (("interest", 1), ("issuance_limit_day", -1), ("issuance_limit_day", 2**63)):
        identifier = secrets.token_bytes(16)
        given = {"name": name, "value": value}
        office.sign(1, "set-parameter", given, identifier)
        with refused(ErrorCode.SETTING_INVALID):
            office.sign(2, "set-parameter", given, identifier)
    assert office.open().get_setting("interest") is None
