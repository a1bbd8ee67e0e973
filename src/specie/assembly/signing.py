"""m of n signatories at a bank (T1): who they are, what waits for them, what they have said.

The check of a payment is one of the bank's own (`Bank.checks`), within the transaction that records
an attestation: whatever asks for one, with whatever words, comes through it.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from specie.bank.approvals import (
    Outcome,
    check_seats,
    compute_change_digest,
    compute_enrolment_message,
    compute_withdrawal_digest,
    judge,
    verify_vote,
)
from specie.bank.attestation import check_window_near, rebuild_outputs
from specie.bank.deposits import check_client_id
from specie.bank.service import Bank
from specie.crypto.addresses import Address
from specie.crypto.secrets import SealingKey, open_sealed
from specie.crypto.signatures import verify_institution_signature
from specie.identity.codes import hash_code
from specie.ports.approvals import Seat, SigningRule, StoredSubject, Subject, SubjectKind
from specie.ports.clients import Client
from specie.ports.clock import Clock
from specie.remote.encoding import CBOR, decode, encode
from specie.remote.models import BuiltMessage
from specie.remote.signatory_models import SeatMessage, SeatsChange, SignedWithdrawal
from specie.store.signatory_store import SqliteSignatoryStore
from specie.tokens.building import BuiltTransaction
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ClientId,
    Digest,
    InstitutionPublicKey,
    NetworkId,
    OrderId,
    Signature,
)
from specie.values.limits import APPROVAL_MS_MAX, APPROVALS_OPEN_MAX
from specie.values.times import Timestamp

_RULE_AAD: Final = b"signing-rule\0"


@dataclass(frozen=True, slots=True, repr=False)
class Proposed:
    """Codes by name, for those who have none yet, and whether they are in force already."""

    codes: Mapping[str, bytes]
    digest: Digest
    is_in_force: bool


@dataclass(frozen=True, slots=True, repr=False)
class Waiting:
    """What waits for one signatory: how many have said yes, how many it takes, its own word."""

    stored: StoredSubject
    yes: int
    need: int
    mine: bool | None


@dataclass(slots=True, repr=False)
class Signing:
    """A bank's record of who signs together for its clients."""

    network: NetworkId
    bank: Bank
    store: SqliteSignatoryStore
    clock: Clock

    # --- who signs -----------------------------------------------------------------------------

    def propose(self, client: ClientId, need: int, names: Sequence[str]) -> Proposed:
        """By the bank; those of before have to approve it, if there are any who can.

        Who was there under the same name stays with the same device; others get a code.
        A client has a rule before it has a wallet, so that there is no moment without one.
        """
        check_client_id(client)
        check_seats(need, names)
        with self.store.database.transaction():
            rule = self.store.find_rule(client)
            staying = {one.name: one for one in rule.seats if one.key} if rule else {}
            codes = {name: secrets.token_bytes(16) for name in names if name not in staying}
            seats = [
                staying[name] if name in staying else Seat(hash_code(codes[name]), name)
                for name in names
            ]
            version = self.store.get_version(client) + 1
            digest = compute_change_digest(need, version, seats)
            if rule is None or not rule.is_manned:
                self.store.put_rule(client, SigningRule(need, version, tuple(seats)))
                return Proposed(codes, digest, is_in_force=True)
            change = SeatsChange(
                need=need,
                version=version,
                seats=[SeatMessage(name=one.name, code_hash=one.code_hash) for one in seats],
            )
            self._ask(Subject(client, SubjectKind.SIGNATORIES, digest), encode(change, CBOR))
        return Proposed(codes, digest, is_in_force=False)

    def enrol(
        self, code: bytes, key: InstitutionPublicKey, proof: Signature
    ) -> tuple[ClientId, str, Address]:
        """A signatory's device comes with its code; again is the same."""
        code_hash = hash_code(code)
        found = self.store.find_seat(code_hash)
        if found is None:
            raise SpecieError(ErrorCode.CALLER_UNKNOWN, "nobody gave out this code, or not yet")
        message = compute_enrolment_message(self.network, self.bank.number, code_hash, key)
        verify_institution_signature(key, message, proof)
        client, seat = found
        address = self.bank.get_client(client).address
        self.store.record_key(code_hash, key)
        return client, seat.name, address

    def find_device(self, name: str) -> tuple[str, InstitutionPublicKey]:
        """Whose device signs under this name; `caller_unknown` if no signatory's."""
        found = self.store.find_device(name)
        if found is None or found[1].key is None:
            raise SpecieError(ErrorCode.CALLER_UNKNOWN, "no signatory's device of this name")
        return name, found[1].key

    def find_rule(self, client: ClientId) -> SigningRule | None:
        """None for a client who signs alone."""
        return self.store.find_rule(client)

    def adopt(self, client: ClientId, rule: SigningRule) -> None:
        """Of a client of a bank that we succeed; what is in force here already stays."""
        with self.store.database.transaction():
            if not self.store.get_version(client):
                self.store.put_rule(client, rule)

    # --- what is asked -------------------------------------------------------------------------

    def ask_payment(self, client: ClientId, built: BuiltTransaction) -> None:
        """Before anything is done: `signatures_missing` until enough have signed, then nothing.

        What waits is kept here; the same payment again asks the same. `window_invalid`, `expired`
        for one that nobody would attest: it would wait for years, or for nothing.
        """
        body, now = built.signed.body, self.clock.now()
        if self._needs_none(client, built) or self.bank.clients.is_attested(body.txid):
            return
        check_window_near(body.outline, now)
        if body.not_after <= now:
            raise SpecieError(ErrorCode.EXPIRED, "its time is over: pay anew")
        rebuild_outputs(built, self.bank.vault.surroundings.roster)
        subject = _describe_payment(client, built)
        content = encode(BuiltMessage.wrap(built), CBOR)
        self._ask(subject, content, body.not_after)
        self.check(subject)

    def check_payment(self, client: Client, built: BuiltTransaction) -> None:
        """One of the bank's checks: nothing is attested without it."""
        if not self._needs_none(client.id, built):
            self.check(_describe_payment(client.id, built))

    def ask_order(self, client: ClientId, order: OrderId, amount: Minor) -> None:
        """The same for an order to the bank: deposit money that is about to leave the deposit."""
        if self.store.find_rule(client) is None:
            return
        digest = compute_withdrawal_digest(order, amount)
        subject = Subject(client, SubjectKind.WITHDRAWAL, digest)
        self._ask(subject, encode(SignedWithdrawal(order=order, amount=amount), CBOR))
        self.check(subject)

    def check(self, subject: Subject) -> None:
        """`signatures_missing` unless enough of those in force have signed it."""
        rule = self.store.find_rule(subject.client)
        if rule is None:
            return
        outcome, yes = self._count(rule, subject)
        if outcome is Outcome.APPROVED:
            return
        reason = f"{yes} of {rule.need} signatories have signed"
        if outcome is Outcome.REJECTED:
            reason = "the signatories have rejected it, for good"
        raise SpecieError(ErrorCode.SIGNATURES_MISSING, reason)

    # --- what signatories do -------------------------------------------------------------------

    def list_open(self, device: str) -> list[Waiting]:
        """What waits for the one with this device."""
        client, key, rule = self._identify(device)
        found = []
        for one in self.store.load_open(client, self.clock.now()):
            votes = self.store.load_votes(client, one.subject.digest)
            mine = votes[key][0] if key in votes else None
            found.append(Waiting(one, self._count(rule, one.subject)[1], rule.need, mine))
        return found

    def vote(self, device: str, digest: Digest, vote: tuple[bool, Signature]) -> Outcome:
        """Verified before it is kept; another set of signatories is in force with the last yes.

        `application_unknown` for what does not wait, `expired` for what is over.
        """
        client, key, rule = self._identify(device)
        found = self.store.find_subject(client, digest)
        if found is None:
            raise SpecieError(ErrorCode.APPLICATION_UNKNOWN, "nothing of this kind waits for you")
        if found.expires <= self.clock.now():
            raise SpecieError(ErrorCode.EXPIRED, "its time is over: it has to be asked anew")
        verify_vote(self.network, self.bank.number, found.subject, key, vote)
        with self.store.database.transaction():
            self.store.add_vote(found.subject, key, vote)
            outcome, _ = self._count(rule, found.subject)
            is_change = found.subject.kind is SubjectKind.SIGNATORIES
            if is_change and outcome is Outcome.APPROVED and not found.is_done:
                self._change(found)
            if outcome is Outcome.REJECTED or (is_change and outcome is Outcome.APPROVED):
                self.store.end_subject(client, digest)
        return outcome

    def end_payment(self, client: ClientId, built: BuiltTransaction) -> None:
        """It is final: nobody is asked any more."""
        self.store.end_subject(client, Digest(built.signed.body.txid))

    def end_order(self, client: ClientId, order: OrderId, amount: Minor) -> None:
        """The same for an order."""
        self.store.end_subject(client, compute_withdrawal_digest(order, amount))

    def _ask(self, subject: Subject, content: bytes, expires: Timestamp | None = None) -> None:
        now = self.clock.now()
        until = Timestamp(now + APPROVAL_MS_MAX) if expires is None else expires
        with self.store.database.transaction():
            known = self.store.find_subject(subject.client, subject.digest)
            if known is not None and (known.is_done or now < known.expires):
                return
            self.store.prune(subject.client, now)
            if self.store.count_open(subject.client) >= APPROVALS_OPEN_MAX:
                reason = f"{APPROVALS_OPEN_MAX} wait for the signatories already"
                raise SpecieError(ErrorCode.LIMIT_EXCEEDED, reason)
            self.store.add_subject(StoredSubject(subject, content, until))

    def _count(self, rule: SigningRule, subject: Subject) -> tuple[Outcome, int]:
        """Each signature is verified again: what stands in the store is not believed."""
        said: dict[InstitutionPublicKey, bool] = {}
        for key, vote in self.store.load_votes(subject.client, subject.digest).items():
            if key in rule.keys:
                verify_vote(self.network, self.bank.number, subject, key, vote)
                said[key] = vote[0]
        return judge(rule, said), sum(said.values())

    def _change(self, found: StoredSubject) -> None:
        """`order_conflict` if the set was changed meanwhile: they approved another situation."""
        change = decode(found.content, CBOR, SeatsChange)
        client = found.subject.client
        if self.store.get_version(client) + 1 != change.version:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "the signatories are others since")
        keys = {one.code_hash: one.key for one in self._get_rule(client).seats}
        seats = tuple(
            Seat(one.code_hash, one.name, keys.get(one.code_hash)) for one in change.seats
        )
        self.store.put_rule(client, SigningRule(change.need, change.version, seats))

    def _identify(self, device: str) -> tuple[ClientId, InstitutionPublicKey, SigningRule]:
        found = self.store.find_device(device)
        if found is None or found[1].key is None:
            raise SpecieError(ErrorCode.CALLER_UNKNOWN, "no signatory's device of this name")
        return found[0], found[1].key, self._get_rule(found[0])

    def _get_rule(self, client: ClientId) -> SigningRule:
        rule = self.store.find_rule(client)
        if rule is None:
            raise SpecieError(ErrorCode.CALLER_UNKNOWN, "nobody signs for this client")
        return rule

    def _needs_none(self, client: ClientId, built: BuiltTransaction) -> bool:
        """Who signs alone; what stays in the wallet, such as two tokens made one."""
        if self.store.find_rule(client) is None:
            return True
        own = self.bank.get_client(client).address
        return all(
            Address(one.bank, one.view, one.spend) == own for one in built.disclosure.openings
        )


def _describe_payment(client: ClientId, built: BuiltTransaction) -> Subject:
    return Subject(client, SubjectKind.PAYMENT, Digest(built.signed.body.txid))


def seal_rule(rule: SigningRule | None, key: SealingKey) -> bytes:
    """For a successor, who goes on with it; empty if the client signs alone."""
    if rule is None:
        return b""
    seats = [[one.name, one.code_hash.hex(), (one.key or b"").hex()] for one in rule.seats]
    return key.seal(json.dumps([rule.need, rule.version, seats]).encode(), _RULE_AAD)


def open_rule(sealed: bytes, key: SealingKey) -> SigningRule:
    """The same at the successor."""
    need, version, seats = json.loads(open_sealed(key, sealed, _RULE_AAD))
    return SigningRule(
        need,
        version,
        tuple(
            Seat(
                Digest(bytes.fromhex(code_hash)),
                name,
                InstitutionPublicKey(bytes.fromhex(public)) if public else None,
            )
            for name, code_hash, public in seats
        ),
    )
