"""What officers decide besides the supply (P12, T2): reserves, who takes part, with which keys.

| decision | what it changes |
| --- | --- |
| lend-reserves | reserves against collateral |
| refuse-application | an application that nobody has approved |
| suspend, reinstate, remove | an institution's standing |
| rotate-keys | an institution's keys |
| put-cosigner | whose lines count under the log's checkpoints |
| revoke-certificates | all of a service's but one |
| add-, suspend-, reinstate-, remove-officer | who decides |

Each is idempotent: what a stop has left half done is done by the next round.
"""

from collections.abc import Callable
from typing import Final

from specie.assembly.centre import Centre
from specie.central_bank.decision_fields import get_fields
from specie.central_bank.decisions import DecisionKind, Parameters
from specie.identity.cosigners import CosignerRole
from specie.identity.participants import Status
from specie.identity.rotation import (
    add_officer,
    parse_cosigner,
    parse_rotation,
    read_hex,
    set_officer_status,
    verify_officer,
)
from specie.identity.services import ServiceRole
from specie.ports.decisions import Decision, Loan, LoanStore
from specie.remote.institutions import RemoteAccounting
from specie.values.amounts import check_minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import EntryId, OrderId, ParticipantNumber, ServiceName

LEND: Final = "lend-reserves"
_STANDINGS: Final = {
    "suspend": Status.SUSPENDED,
    "reinstate": Status.ACTIVE,
    "remove": Status.REVOKED,
}


def list_desk_kinds(
    accounting: RemoteAccounting,
    centre: Centre,
    refuse: Callable[[OrderId], None],
    loans: LoanStore,
) -> dict[str, DecisionKind]:
    """By their names."""

    def lend(decision: Decision, fields: Parameters) -> dict[str, int]:
        number = ParticipantNumber(fields["participant"])
        centre.peers.roster.current.get_active(number)
        accounting.open_reserves(number)
        loan = Loan(EntryId(decision.id), number, check_minor(fields["amount"]))
        accounting.lend(loan.entry, number, loan.amount)
        loans.record_loan(loan)
        return {}

    def refuse_application(_one: Decision, fields: Parameters) -> dict[str, int]:
        refuse(OrderId(read_hex(fields, "order", 16)))
        return {}

    return {
        LEND: DecisionKind(get_fields(LEND), lend),
        "refuse-application": DecisionKind(get_fields("refuse-application"), refuse_application),
        **_list_standings(centre),
        **_list_key_kinds(centre),
        **_list_officer_kinds(centre),
    }


def _list_standings(centre: Centre) -> dict[str, DecisionKind]:
    def set_status(fields: Parameters, status: Status) -> dict[str, int]:
        number, successor = ParticipantNumber(fields["participant"]), fields.get("successor", 0)
        centre.set_status(number, status, ParticipantNumber(successor))
        if status is Status.REVOKED:
            centre.revoke(centre.peers.services.get_bank(number).name)
        return {}

    def make(name: str, status: Status) -> DecisionKind:
        return DecisionKind(get_fields(name), lambda _one, given: set_status(given, status))

    return {name: make(name, status) for name, status in _STANDINGS.items()}


def _list_key_kinds(centre: Centre) -> dict[str, DecisionKind]:
    def rotate(_one: Decision, fields: Parameters) -> dict[str, int]:
        centre.rotate(parse_rotation(fields))
        return {}

    def revoke(_one: Decision, fields: Parameters) -> dict[str, int]:
        service = centre.peers.services.get(ServiceName(fields["service"]))
        kept = int.from_bytes(read_hex(fields, "kept", 20), "big")
        centre.revoke(service.name, kept)
        return {}

    def put_cosigner(_one: Decision, fields: Parameters) -> dict[str, int]:
        role = CosignerRole.AUDITOR if fields["role"] == "auditor" else CosignerRole.WITNESS
        shown = parse_cosigner(fields)
        service = centre.peers.services.get(ServiceName(shown.keys[0].name))
        is_auditor = service.role is ServiceRole.AUDITOR
        if fields["role"] != role.value or is_auditor != (role is CosignerRole.AUDITOR):
            raise SpecieError(ErrorCode.SETTING_INVALID, "role: witness of a bank, or auditor")
        centre.put_cosigner(role, shown, is_retiring=bool(fields["retire"]))
        return {}

    return {
        "put-cosigner": DecisionKind(get_fields("put-cosigner"), put_cosigner),
        "rotate-keys": DecisionKind(get_fields("rotate-keys"), rotate),
        "revoke-certificates": DecisionKind(get_fields("revoke-certificates"), revoke),
    }


def _list_officer_kinds(centre: Centre) -> dict[str, DecisionKind]:
    def add(_one: Decision, fields: Parameters) -> dict[str, int]:
        key, proof = (read_hex(fields, *one) for one in (("key", 32), ("proof", 64)))
        verify_officer(centre.peers.network, fields["officer"], key, proof)
        centre.change_participants(lambda members: add_officer(members, fields["officer"], key))
        return {}

    def set_status(fields: Parameters, status: Status) -> dict[str, int]:
        required = centre.peers.roster.genesis.officers_required
        centre.change_participants(
            lambda members: set_officer_status(members, fields["officer"], status, required)
        )
        return {}

    def make(name: str, status: Status) -> DecisionKind:
        return DecisionKind(get_fields(name), lambda _one, fields: set_status(fields, status))

    standings = {f"{name}-officer": status for name, status in _STANDINGS.items()}
    kinds = {name: make(name, status) for name, status in standings.items()}
    return {"add-officer": DecisionKind(get_fields("add-officer"), add), **kinds}
