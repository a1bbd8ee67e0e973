"""A new institution joins (T2): invited by one officer, enrolled by itself, approved by another.

officer 1   invites a name: a one-time code, of which the centre keeps the hash
the bank    draws its keys at home, sends certificate request, public keys and a proof for each
officer 2   looks at the keys (their digest), approves → certificate, lists, reserve account

message = H("enrol", network ‖ code hash ‖ SHA-256(request) ‖ urls ‖ keys), signed with each key
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from specie.assembly.centre import Centre
from specie.central_bank.decision_fields import get_fields
from specie.central_bank.decisions import DecisionKind, read_parameters
from specie.crypto.hashing import tagged_hash
from specie.crypto.signatures import verify_institution_signature, verify_signature
from specie.identity.certificates import read_request
from specie.identity.codes import hash_code
from specie.identity.participants import (
    Participant,
    ParticipantList,
    Role,
    Status,
    check_name,
)
from specie.identity.services import Service, ServiceRole, check_url
from specie.ports.clock import Clock
from specie.ports.decisions import Decision
from specie.remote.channel import get_host
from specie.remote.client_models import Enrolled, Enrolment
from specie.remote.encoding import JSON, decode, encode
from specie.remote.institutions import RemoteAccounting
from specie.store.decision_store import SqliteDecisionStore
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text, u32
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, NetworkId, ParticipantNumber, ServiceName
from specie.values.limits import INVITATION_MS_MAX
from specie.values.times import Timestamp

_FIRST_BANK = 2
_LAST_BANK = 999  # others are numbered from 1,000 on


@dataclass(slots=True, repr=False)
class Joining:
    """At the authentication centre."""

    centre: Centre
    store: SqliteDecisionStore
    accounting: RemoteAccounting
    clock: Clock

    def list_kinds(self) -> dict[str, DecisionKind]:
        """One officer invites, another one approves who has enrolled."""
        return {
            "invite": DecisionKind(get_fields("invite"), self._invite, officers=1),
            "enrol": DecisionKind(get_fields("enrol"), self._enrol, officers=1),
        }

    def enrol(self, enrolment: Enrolment) -> Enrolled:
        """What the new institution sends; again gives how far it has come.

        `caller_unknown` for a code that was not given out or has run out, `signature_invalid` for a
        key without its proof, `order_conflict` if the code was used for something else.
        """
        code_hash = hash_code(enrolment.code)
        invitation = self.store.find_invitation(code_hash)
        if invitation is None:
            raise SpecieError(ErrorCode.CALLER_UNKNOWN, "nobody gave out this code")
        if not invitation.enrolment and invitation.expires < self.clock.now():
            raise SpecieError(ErrorCode.CALLER_UNKNOWN, "the code has run out")
        check_url(enrolment.url)
        check_url(enrolment.public_url)
        self._check_free(enrolment)
        verify_enrolment(enrolment, self.centre.peers.network)
        sent = encode(enrolment, JSON)
        recorded = decode(self.store.record_enrolment(code_hash, sent), JSON, Enrolment)
        if hash_enrolment(recorded) != hash_enrolment(enrolment):
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "the code was used before")
        number = self._find_number(enrolment)
        if number is None and code_hash in self._load_approved():
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "the bank has other keys since")
        if number is None or not self._is_listed(number, enrolment):
            return Enrolled(state="waiting")
        if self.centre.peers.roster.current.get(number).status is not Status.ACTIVE:
            raise SpecieError(ErrorCode.PARTICIPANT_INACTIVE, "suspended or removed since")
        return Enrolled(state="approved", number=number, chain=self._issue(enrolment, number))

    def list_waiting(self) -> list[dict[str, str]]:
        """Enrolments that officers have to look at."""
        found, approved = [], self._load_approved()
        for invitation in self.store.load_enrolments():
            enrolment = decode(invitation.enrolment, JSON, Enrolment)
            if self._find_number(enrolment) is None and invitation.code_hash not in approved:
                found.append(
                    {
                        "name": invitation.name,
                        "code_hash": invitation.code_hash.hex(),
                        "digest": hash_enrolment(enrolment),
                        "url": enrolment.url,
                    }
                )
        return found

    def _invite(self, decision: Decision, fields: Mapping[str, Any]) -> dict[str, int]:
        code_hash = _read_hash(fields["code_hash"])
        check_name(fields["name"])  # it has to fit into the list one day
        officer = decision.signed_by[0]
        expires = Timestamp(decision.time + INVITATION_MS_MAX)
        self.store.invite(code_hash, fields["name"], officer, expires)
        return {}

    def _enrol(self, decision: Decision, fields: Mapping[str, Any]) -> dict[str, int]:
        invitation = self.store.find_invitation(_read_hash(fields["code_hash"]))
        if invitation is None or not invitation.enrolment:
            raise SpecieError(ErrorCode.CALLER_UNKNOWN, "nobody has enrolled with this code")
        if set(decision.signed_by) <= {invitation.officer}:
            reason = "who has invited it does not approve it as well"
            raise SpecieError(ErrorCode.APPROVALS_MISSING, reason)
        if invitation.code_hash in self._load_approved():
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "who enrolled with it is a bank already")
        enrolment = decode(invitation.enrolment, JSON, Enrolment)
        if hash_enrolment(enrolment) != fields["digest"]:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "the keys are not those that were sent")
        number = self._find_number(enrolment) or self._draw_number()
        self.centre.change_participants(
            lambda members: _add_bank(members, number, invitation.name, enrolment)
        )
        self.centre.change_services(_describe(number, enrolment))
        self.accounting.open_reserves(number)
        return {}

    def _check_free(self, enrolment: Enrolment) -> None:
        """Nobody else is at the addresses: callers know a service by its own."""
        asked = [get_host(url) for url in (enrolment.url, enrolment.public_url)]
        others = [
            get_host(url)
            for service in self.centre.peers.services.services.values()
            if service.key != enrolment.institution_key
            for url in (service.url, service.public_url)
            if url
        ]
        if asked[0] == asked[1] or set(asked) & set(others):
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "another service is at this address")

    def _load_approved(self) -> frozenset[bytes]:
        """Hashes of codes with which somebody became a bank, whatever its keys are now."""
        done = self.store.load_done("enrol")
        fields = (read_parameters(one.parameters, get_fields("enrol")) for one in done)
        return frozenset(bytes.fromhex(one["code_hash"]) for one in fields)

    def _issue(self, enrolment: Enrolment, number: ParticipantNumber) -> bytes:
        """One certificate for one request, however often it is asked for."""
        _, public = read_request(enrolment.request)
        service = _describe(number, enrolment)
        return self.centre.renew(service, public)

    def _is_listed(self, number: ParticipantNumber, enrolment: Enrolment) -> bool:
        """In the list of services as well, at the addresses that an officer has approved."""
        asked = _describe(number, enrolment)
        return self.centre.peers.services.services.get(asked.name) == asked

    def _find_number(self, enrolment: Enrolment) -> ParticipantNumber | None:
        for member in self.centre.peers.roster.current.participants.values():
            if member.institution_key == enrolment.institution_key:
                return member.number
        return None

    def _draw_number(self) -> ParticipantNumber:
        numbers = self.centre.peers.roster.current.participants
        taken = [number for number in numbers if number <= _LAST_BANK]
        number = max([*taken, _FIRST_BANK - 1]) + 1
        if number > _LAST_BANK:
            raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "no number is left for a bank")
        return ParticipantNumber(number)


def compute_enrolment_message(enrolment: Enrolment, network: NetworkId) -> Digest:
    """What each of the new keys signs."""
    urls = encode_text(f"{enrolment.url}\n{enrolment.public_url}")
    return tagged_hash(
        "enrol",
        network,
        hash_code(enrolment.code),
        hashlib.sha256(enrolment.request).digest(),
        u32(len(urls)),
        urls,
        enrolment.scan_key,
        enrolment.attestation_key,
        enrolment.institution_key,
    )


def verify_enrolment(enrolment: Enrolment, network: NetworkId) -> None:
    """Whoever enrols has the keys; `certificate_invalid`, `signature_invalid`."""
    read_request(enrolment.request)
    message = compute_enrolment_message(enrolment, network)
    verify_signature(enrolment.attestation_key, message, enrolment.attestation_proof)
    verify_institution_signature(enrolment.institution_key, message, enrolment.institution_proof)


def hash_enrolment(enrolment: Enrolment) -> str:
    """What the second officer compares with what the bank reads out: 64 hex digits.

    Without the proofs, which are fresh each time: a newcomer that starts again is the same one.
    """
    left_out = {"code", "attestation_proof", "institution_proof"}
    shown = enrolment.model_dump(mode="json", exclude=left_out)
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def _add_bank(
    members: ParticipantList, number: ParticipantNumber, name: str, enrolment: Enrolment
) -> ParticipantList:
    bank = Participant(
        number=number,
        role=Role.BANK,
        status=Status.ACTIVE,
        successor=0,
        scan_key=enrolment.scan_key,
        attestation_key=enrolment.attestation_key,
        institution_key=enrolment.institution_key,
        name=name,
    )
    known = members.participants.get(number)
    if known is not None and known.institution_key == bank.institution_key:
        return members
    return replace(members, participants={**members.participants, number: bank})


def _describe(number: ParticipantNumber, enrolment: Enrolment) -> Service:
    return Service(
        name=ServiceName(f"bank-{number}"),
        role=ServiceRole.BANK,
        number=number,
        url=enrolment.url,
        public_url=enrolment.public_url,
        key=enrolment.institution_key,
    )


def _read_hash(text: str) -> Digest:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise SpecieError(ErrorCode.SETTING_INVALID, "a hash has 64 hex digits")
    return Digest(raw)
