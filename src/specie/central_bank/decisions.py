"""Four eyes for everything besides the supply itself (P2, P12): propose, agree, carry out, keep.

    message   = H("operation", network ‖ id ‖ n8 ‖ kind ‖ parameters)
    signature = Ed25519(an officer's key, message)

A decision is carried out once as many active officers have signed it as genesis asks for. Carrying
out is idempotent, so a stop in between is made good by the next signature, or the next round. What
has not got its signatures within two days ends, so that nobody completes what was meant for another
situation. The history is the table of decisions with all their signatures.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from specie.central_bank.decision_fields import Field, get_fields
from specie.crypto.hashing import tagged_hash
from specie.crypto.signatures import verify_institution_signature
from specie.identity.participants import Status
from specie.identity.roster import Roster
from specie.identity.rotation import read_hex
from specie.ports.clock import Clock
from specie.ports.decisions import Decision, DecisionState, DecisionStore
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text, u8
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, NetworkId, Signature
from specie.values.limits import PROPOSAL_MS_MAX

LIMIT_DAY: Final = "issuance_limit_day"
LIMIT_ISSUE: Final = "issuance_limit_order"
PAUSED: Final = "issuance_paused"
PARAMETERS: Final = (LIMIT_DAY, LIMIT_ISSUE)
"""What `set_parameter` sets: most that is issued in a UTC day, most of one application."""

_OPEN: Final = (DecisionState.PROPOSED, DecisionState.BEGUN)
_RULES: Final = frozenset(
    {
        ErrorCode.ACCOUNT_UNKNOWN,
        ErrorCode.AMOUNT_OUT_OF_RANGE,
        ErrorCode.APPLICATION_UNKNOWN,
        ErrorCode.APPROVALS_MISSING,
        ErrorCode.CALLER_UNKNOWN,
        ErrorCode.CHECKPOINT_INVALID,
        ErrorCode.COSIGNERS_INVALID,
        ErrorCode.LIMIT_EXCEEDED,
        ErrorCode.ORDER_CONFLICT,
        ErrorCode.PARTICIPANTS_INVALID,
        ErrorCode.PARTICIPANT_INACTIVE,
        ErrorCode.PARTICIPANT_UNKNOWN,
        ErrorCode.SERVICES_INVALID,
        ErrorCode.SETTING_INVALID,
        ErrorCode.SIGNATURE_INVALID,
        ErrorCode.TEXT_INVALID,
    }
)
"""What refuses a decision before anything of it is done; after any other error it goes on."""

Parameters = Mapping[str, Any]
CarryOut = Callable[[Decision, Parameters], dict[str, int]]
"""Does it, and gives what is in force from now on."""


@dataclass(frozen=True, slots=True)
class DecisionKind:
    """One kind: its parameters with their meaning, what it does, whose signatures it takes."""

    fields: Mapping[str, Field]
    carry_out: CarryOut
    officers: int | None = None  # fewer than genesis asks for, where another one follows


class Decisions:
    """The desk where decisions are signed."""

    def __init__(
        self,
        roster: Roster,
        store: DecisionStore,
        clock: Clock,
        kinds: Mapping[str, DecisionKind],
    ) -> None:
        self._roster = roster
        self._store = store
        self._clock = clock
        self._kinds = {**kinds, **self._make_own_kinds()}
        self._carrying_out = threading.Lock()  # one after the other: lists are read, then written

    def sign(
        self, identifier: bytes, kind: str, parameters: str, officer: int, signature: Signature
    ) -> Decision:
        """Propose or agree; carried out with the last signature that is needed."""
        found = self._kinds.get(kind)
        if found is None:
            known = ", ".join(sorted(self._kinds))
            raise SpecieError(ErrorCode.KIND_UNKNOWN, f"decisions are: {known}")
        read_parameters(parameters, found.fields)
        message = compute_operation_message(
            self._roster.genesis.network, identifier, kind, parameters
        )
        self._check_signed(officer, message, signature)
        draft = Decision(identifier, kind, parameters, DecisionState.PROPOSED, self._clock.now())
        with self._carrying_out:  # so that who signs last hears what came of it, not the worker
            before = self._store.find(identifier)
            if before is not None and before.kind == kind:
                self._end_if_old(before)  # a signature that comes too late completes nothing
            return self._carry_out(self._store.sign(draft, officer, signature))

    def resume(self) -> list[SpecieError]:
        """What is signed and was not carried out, because a stop came in between."""
        errors: list[SpecieError] = []
        for decision in self._store.load_open():
            try:
                with self._carrying_out:
                    self._carry_out(self._store.find(decision.id) or decision)
            except SpecieError as error:
                errors.append(error)
            except Exception as error:  # noqa: BLE001  # one that cannot be done holds up no other
                kind = type(error).__name__
                errors.append(SpecieError(ErrorCode.INTERNAL, f"{decision.kind}: {kind}"))
        return errors

    def load(self, start: int, limit: int) -> list[Decision]:
        """The history, oldest first."""
        return list(self._store.load(start, limit))

    def get_setting(self, name: str) -> int | None:
        """What is in force; None if nobody decided on it."""
        return self._store.load_settings().get(name)

    def check_issuance(self, amount: int, issued_today: int) -> None:
        """`issuance_paused`, or `supply_cap_exceeded` by a limit that officers have set."""
        settings = self._store.load_settings()
        if settings.get(PAUSED):
            raise SpecieError(ErrorCode.ISSUANCE_PAUSED, "officers have paused issuance")
        for name, value in ((LIMIT_ISSUE, amount), (LIMIT_DAY, issued_today + amount)):
            if value > settings.get(name, value):
                raise SpecieError(ErrorCode.SUPPLY_CAP_EXCEEDED, f"over {name}")

    def _carry_out(self, decision: Decision) -> Decision:
        kind = self._kinds[decision.kind]
        if decision.state not in _OPEN or not self._is_signed(decision):
            return self._end_if_old(decision)
        parameters = read_parameters(decision.parameters, kind.fields)
        try:
            in_force = kind.carry_out(decision, parameters)
        except SpecieError as error:
            if error.code not in _RULES:
                self._store.begin(decision.id)
            elif decision.state is DecisionState.PROPOSED:
                self._store.refuse(decision.id)
            raise
        self._store.finish(decision.id, in_force)
        return self._get(decision.id)

    def _end_if_old(self, decision: Decision) -> Decision:
        """A proposal that did not get its signatures in time; what has them, or is begun, goes on.

        Else one officer's word of long ago would wait for a second one in another situation.
        """
        is_old = self._clock.now() - decision.time > PROPOSAL_MS_MAX
        if decision.state is not DecisionState.PROPOSED or not is_old or self._is_signed(decision):
            return decision
        self._store.expire(decision.id)
        return self._get(decision.id)

    def _withdraw(self, decision: Decision, fields: Parameters) -> dict[str, int]:
        """A proposal is at its end; only by who has signed it, and before it can be carried out."""
        found = self._store.find(read_hex(fields, "decision", 16))
        if found is None:
            raise SpecieError(ErrorCode.APPLICATION_UNKNOWN, "no decision of this id")
        if not set(decision.signed_by) & set(found.signed_by):
            raise SpecieError(ErrorCode.APPROVALS_MISSING, "who has signed it withdraws it")
        if found.state is DecisionState.WITHDRAWN:
            return {}  # a stop came in between
        if found.state is not DecisionState.PROPOSED or self._is_signed(found):
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "it is carried out, or at its end")
        self._store.withdraw(found.id)
        return {}

    def _get(self, identifier: bytes) -> Decision:
        found = self._store.find(identifier)
        assert found is not None, "it was recorded before"
        return found

    def _is_signed(self, decision: Decision) -> bool:
        """By as many as its kind asks for."""
        needed = self._kinds[decision.kind].officers or self._roster.genesis.officers_required
        return self._count_valid(decision) >= needed

    def _count_valid(self, decision: Decision) -> int:
        """Signatures that hold today: by officers who are active now."""
        message = compute_operation_message(
            self._roster.genesis.network, decision.id, decision.kind, decision.parameters
        )
        count = 0
        for officer, signature in decision.signatures:
            try:
                self._check_signed(officer, message, signature)
            except SpecieError:
                continue
            count += 1
        return count

    def _check_signed(self, officer: int, message: Digest, signature: Signature) -> None:
        found = self._roster.current.officers.get(officer)
        if found is None or found.status is not Status.ACTIVE:
            raise SpecieError(ErrorCode.AUTHORISATION_INVALID, "not an active officer")
        try:
            verify_institution_signature(found.key, message, signature)
        except SpecieError:
            raise SpecieError(
                ErrorCode.AUTHORISATION_INVALID, "not signed by that officer"
            ) from None

    def _make_own_kinds(self) -> dict[str, DecisionKind]:
        return {
            "pause-issuance": DecisionKind({}, lambda _one, _fields: {PAUSED: 1}),
            "resume-issuance": DecisionKind({}, lambda _one, _fields: {PAUSED: 0}),
            "set-parameter": DecisionKind(get_fields("set-parameter"), _set_parameter),
            "withdraw": DecisionKind(get_fields("withdraw"), self._withdraw, officers=1),
        }


def compute_operation_message(
    network: NetworkId, identifier: bytes, kind: str, parameters: str
) -> Digest:
    """What an officer signs; internal to the central bank."""
    name = encode_text(kind)
    return tagged_hash(
        "operation", network, identifier, u8(len(name)), name, encode_text(parameters)
    )


def format_parameters(parameters: Mapping[str, object]) -> str:
    """The one spelling that is signed."""
    return json.dumps(parameters, sort_keys=True, separators=(",", ":"))


def read_parameters(text: str, fields: Mapping[str, Field]) -> Parameters:
    """`setting_invalid` unless exactly these fields, in the one spelling."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or format_parameters(found) != text:
        raise SpecieError(ErrorCode.SETTING_INVALID, "parameters are JSON in its one spelling")
    is_exact = set(found) == set(fields)
    if not is_exact or any(type(found[name]) is not one.type for name, one in fields.items()):
        wanted = ", ".join(f"{name} ({field.value})" for name, field in fields.items())
        raise SpecieError(ErrorCode.SETTING_INVALID, f"parameters: {wanted or 'none'}")
    for value in found.values():
        encode_text(value if isinstance(value, str) else "")
    return found


def _set_parameter(_one: Decision, fields: Parameters) -> dict[str, int]:
    name, value = fields["name"], fields["value"]
    if name not in PARAMETERS or not 0 <= value < 2**63:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"parameters are {', '.join(PARAMETERS)}")
    return {name: value}
