"""What a signatory's device does with what waits: recompute it, say what it is, sign yes or no.

The bank shows a payment; who is paid and how much is read from openings that rebuild the outputs of
the very transaction that is signed, so the bank cannot show one payment and have another approved.
"""

from dataclasses import dataclass
from typing import Any

from specie.bank.approvals import (
    compute_change_digest,
    compute_enrolment_message,
    compute_withdrawal_digest,
    sign_vote,
)
from specie.bank.attestation import rebuild_outputs
from specie.cli.places import STRANGER, Site
from specie.cli.results import spell_amount
from specie.crypto.addresses import Address, format_address
from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionKey, unseal
from specie.crypto.signatures import sign_as_institution
from specie.identity.roster import Roster
from specie.ports.approvals import Seat, Subject, SubjectKind
from specie.remote.models import BuiltMessage
from specie.remote.people_client import PeopleClient
from specie.remote.signatory_models import SubjectMessage
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ClientId,
    Digest,
    InstitutionPublicKey,
    ParticipantNumber,
    PublicKey,
)

_NOTE = "signatory"
_AAD = b"signatory-key\0"


@dataclass(frozen=True, slots=True, repr=False)
class Role:
    """For whom this device signs, with which key; what goes to `own` comes back to the payer."""

    bank: ParticipantNumber
    client: ClientId
    key: InstitutionKey
    own: Address | None


def enrol(site: Site, bank: int, code: bytes) -> str:
    """The key is durable before the bank hears of it; again is the same. Gives for whom."""
    role = _prepare(site, bank)
    public = InstitutionPublicKey(role.key.public)
    with site.speak(STRANGER, role.key, bank) as channel:
        served = PeopleClient(channel, role.bank)
        code_hash = tagged_hash("code", code)
        message = compute_enrolment_message(channel.peers.network, served.number, code_hash, public)
        found = served.enrol_signatory(code, public, sign_as_institution(role.key, message))
    note = site.notes.find(_NOTE)
    assert note is not None, "prepared above"
    address = [found.bank, found.view.hex(), found.spend.hex()]
    site.notes.put(_NOTE, {**note, "client": found.client, "own": address})
    return found.client


def load_role(site: Site) -> Role:
    """`client_unknown` if this device signs for nobody."""
    note = site.notes.find(_NOTE)
    if note is None or "client" not in note:
        reason = "this device signs for nobody; `specie wallet sign-as` makes it"
        raise SpecieError(ErrorCode.CLIENT_UNKNOWN, reason)
    bank, view, spend = note["own"]
    points = [PublicKey(bytes.fromhex(one)) for one in (view, spend)]
    own = Address(ParticipantNumber(bank), *points)
    return Role(note["bank"], ClientId(note["client"]), _open_key(site, note), own)


def describe(subject: SubjectMessage, role: Role, roster: Roster) -> dict[str, Any]:
    """What it is, recomputed; `disclosure_mismatch` if it is not what its digest says.

    Whom a payment pays stands under `pays`, a row each.
    """
    told: dict[str, Any]
    if subject.payment is not None:
        kind, digest, told = _describe_payment(subject.payment, role, roster)
    elif subject.withdrawal is not None:
        asked, kind = subject.withdrawal, SubjectKind.WITHDRAWAL
        digest = compute_withdrawal_digest(asked.order, asked.amount)
        told = spell_amount(roster.genesis.currency, asked.amount, "withdraw")
    elif subject.change is not None:
        change, kind = subject.change, SubjectKind.SIGNATORIES
        seats = [Seat(one.code_hash, one.name) for one in change.seats]
        digest = compute_change_digest(change.need, change.version, seats)
        names = ", ".join(one.name for one in seats) or "nobody"
        told = {"signatories": f"{change.need} of: {names}"}
    else:
        raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "the bank does not say what it is")
    if (digest, int(kind)) != (subject.digest, subject.kind):
        raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "what is shown is not what is signed")
    return told


def vote(
    served: PeopleClient, role: Role, roster: Roster, chosen: str, *, is_yes: bool
) -> tuple[dict[str, Any], str]:
    """On the one whose id begins so; what it is, and what the votes say now."""
    found = [one for one in served.list_approvals() if one.digest.hex().startswith(chosen)]
    if len(found) != 1 or not chosen:
        raise SpecieError(ErrorCode.APPLICATION_UNKNOWN, "nothing waits under this id, or several")
    told = describe(found[0], role, roster)
    digest = found[0].digest
    subject = Subject(role.client, SubjectKind(found[0].kind), digest)
    network = roster.genesis.network
    signature = sign_vote(network, served.number, subject, role.key, is_yes=is_yes)
    return told, served.vote(digest, signature, is_yes=is_yes)


def _describe_payment(
    shown: BuiltMessage, role: Role, roster: Roster
) -> tuple[SubjectKind, Digest, dict[str, Any]]:
    built = shown.unwrap()
    paid: dict[str, int] = {}
    prefix, currency = roster.genesis.address_prefix, roster.genesis.currency
    for token in rebuild_outputs(built, roster):
        opening = token.opening
        address = Address(opening.bank, opening.view, opening.spend)
        if address != role.own:
            name = format_address(address, prefix)
            paid[name] = paid.get(name, 0) + token.amount
    pays = [{"to": name, **spell_amount(currency, amount)} for name, amount in paid.items()]
    return SubjectKind.PAYMENT, Digest(built.signed.txid), {"pays": pays} if pays else {}


def _prepare(site: Site, bank: int) -> Role:
    note = site.notes.find(_NOTE)
    if note is None:
        drawn = InstitutionKey.generate()
        sealed = drawn.seal(site.device.opened.vault_key, _AAD)
        note = {"bank": bank, "key": sealed.hex()}
        site.notes.put(_NOTE, note)
    if note["bank"] != bank:
        raise SpecieError(ErrorCode.CLIENT_EXISTS, f"this device signs at bank {note['bank']}")
    key = _open_key(site, note)
    return Role(ParticipantNumber(bank), ClientId(note.get("client", "")), key, None)


def _open_key(site: Site, note: dict[str, Any]) -> InstitutionKey:
    sealed = bytes.fromhex(note["key"])
    return unseal(InstitutionKey.unseal, site.device.opened.vault_key, sealed, _AAD)
