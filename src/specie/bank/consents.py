"""Others read a client's account with its consent, within its scope, until its end (T3).

    given     the client's statement, verified, kept           Authorised
    ended     its later statement; its loss; its closing       Revoked, at once and for good
    over      its expiration                                   Expired

    asked     by the reader's own signature and with a number greater than all before: what is
              recorded and sent again is refused
    checks    in this order, each with its own code; then the entry in the access log, and only
              then the answer

A reader sees what the bank shows the client itself of its payments, but for what the scope leaves
out. Whom the bank takes the other side to be, and its address, is shown to neither.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from specie.bank.access import AccessLog, Operator
from specie.crypto.addresses import Address
from specie.identity.consents import (
    TRANSACTIONS,
    Consent,
    ConsentPlace,
    ConsentStatus,
    Permission,
    verify_consent,
    verify_end,
)
from specie.ports.clients import Client, ClientStatus, ClientStore, Movement
from specie.ports.clock import Clock
from specie.ports.consents import ConsentEnd, ConsentStore, EndedBy, KeptConsent, Reading
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ZERO16,
    ClientId,
    Digest,
    InstitutionPublicKey,
    OrderId,
    Signature,
    TransactionId,
)
from specie.values.limits import (
    ATTEST_EARLY_MS_MAX,
    CONSENT_MS_MAX,
    CONSENTS_MAX,
    CONSENTS_OPEN_MAX,
    READINGS_DAY_MAX,
)
from specie.values.times import DAY_MS, Timestamp, format_time

_KEY_SHOWN: Final = 32  # hex digits of a reader's key in the access log


@dataclass(frozen=True, slots=True, repr=False)
class ReadRequest:
    """Who asks, by which consent, about which account, for what."""

    reader: InstitutionPublicKey  # has signed it
    consent: Digest
    account: Address
    number: int  # greater than in any request by this consent before
    permission: Permission  # one of these is needed
    since: Timestamp | None = None  # payments of that time and later; else as far as the scope goes


@dataclass(frozen=True, slots=True, repr=False)
class ReadPayment:
    """One side of a payment, as a reader sees it; what the scope leaves out is empty."""

    txid: TransactionId
    amount: Minor
    time: Timestamp
    is_incoming: bool
    is_final: bool
    order: OrderId = OrderId(ZERO16)
    end_to_end: bytes = ZERO16
    name: str = ""  # what the payer calls itself


@dataclass(frozen=True, slots=True, repr=False)
class ReadPage:
    """Oldest first; `following` is where the next page begins, None if there is none."""

    payments: Sequence[ReadPayment]
    following: int | None


@dataclass(frozen=True, slots=True, repr=False)
class ReadBalances:
    """Of the deposit account, and of what is in the wallet as the bank knows it."""

    deposit: Minor
    wallet: Minor
    time: Timestamp


class ConsentDesk:
    """One bank's. `balance` gives a client's deposit."""

    def __init__(
        self,
        place: ConsentPlace,
        store: ConsentStore,
        clients: ClientStore,
        access: AccessLog,
        clock: Clock,
        balance: Callable[[ClientId], Minor],
    ) -> None:
        self._place = place
        self._store = store
        self._clients = clients
        self._access = access
        self._clock = clock
        self._balance = balance

    # --- the client ------------------------------------------------------------------------------

    def give(self, client: Client, consent: Consent, signature: Signature) -> KeptConsent:
        """Kept, and in force until its end; again is the same, also when it has ended."""
        identifier = verify_consent(consent, self._place, signature)
        with self._store.transaction():
            known = self._store.find(identifier)
            if known is not None and known.client == client.id:
                return known
            now = self._clock.now()
            for check in CONSENT_CHECKS:
                check(client, consent, now)
            check_room(self._store.load(client.id), now)
            kept = KeptConsent(identifier, client.id, consent, signature)
            self._store.add(kept)
        return kept

    def load(self, client: ClientId) -> Sequence[KeptConsent]:
        """All that a client ever gave, by number."""
        return self._store.load(client)

    def revoke(
        self, client: ClientId, consent: Digest, time: Timestamp, signature: Signature
    ) -> KeptConsent:
        """At once, whatever its reader has under way; again is the same.

        `consent_unknown`, `signature_invalid`.
        """
        with self._store.transaction():
            known = self._store.find(consent)
            if known is None or known.client != client:
                raise SpecieError(ErrorCode.CONSENT_UNKNOWN, "you gave no consent of this id")
            told = (known.consent.account, signature)
            verify_end(consent, time, self._place, told)
            if known.end is None:
                end = ConsentEnd(self._clock.now(), EndedBy.CLIENT, signature)
                self._store.revoke(consent, end)
                known = replace(known, end=end)
        return known

    def end_all(self, client: ClientId, by: EndedBy) -> None:
        """The wallet is lost or closed; within that transaction."""
        now = self._clock.now()
        with self._store.transaction():
            for one in self._store.load(client):
                if one.get_status(now) is ConsentStatus.AUTHORISED:
                    self._store.revoke(one.id, ConsentEnd(now, by))

    def load_readings(self, client: ClientId, start: int, limit: int) -> Sequence[Reading]:
        """Who has read and when, a page, the newest first."""
        return self._store.load_readings(client, start, limit)

    # --- the reader ------------------------------------------------------------------------------

    def find_reader(self, name: str) -> tuple[str, InstitutionPublicKey]:
        """By its key in hex; `caller_unknown` unless a client of ours has named it."""
        try:
            key = InstitutionPublicKey(bytes.fromhex(name))
        except ValueError:
            key = InstitutionPublicKey(b"")
        if key.hex() != name or not self._store.has_reader(key):
            raise SpecieError(ErrorCode.CALLER_UNKNOWN, "no client here has named this reader")
        return name, key

    def read_payments(self, asked: ReadRequest, start: int, limit: int) -> ReadPage:
        """A page, once it is in the access log."""
        with self._store.transaction():
            kept = self._admit(asked)
            since = kept.consent.transactions_from if asked.since is None else asked.since
            found = self._clients.load_movements(kept.client, start, limit + 1, since)
            page, told = found[:limit], format_time(min(since, self._clock.now()))
            self._record(kept, asked, f"payments: {len(page)} since {told}, from place {start}")
        is_detailed = Permission.READ_TRANSACTIONS_DETAIL in kept.consent.permissions
        shown = [describe_payment(one, is_detailed=is_detailed) for one in page]
        return ReadPage(shown, start + limit if len(found) > limit else None)

    def read_balances(self, asked: ReadRequest) -> ReadBalances:
        """In the access log before the core system, if there is one, is asked."""
        with self._store.transaction():
            kept = self._admit(asked)
            held = self._clients.count_holding(kept.client)
            self._record(kept, asked, "balances")
        return ReadBalances(self._balance(kept.client), held, self._clock.now())

    def _admit(self, asked: ReadRequest) -> KeptConsent:
        kept = self._store.find(asked.consent)
        if kept is None:
            raise SpecieError(ErrorCode.CONSENT_UNKNOWN, "there is no consent of this id here")
        now = self._clock.now()
        for check in READING_CHECKS:
            check(kept, asked, now)
        if self._store.count_readings(kept.id, Timestamp(now - DAY_MS)) >= READINGS_DAY_MAX:
            reason = f"{READINGS_DAY_MAX:,} readings by one consent in 24 hours"
            raise SpecieError(ErrorCode.RATE_EXCEEDED, reason)
        return kept

    def _record(self, kept: KeptConsent, asked: ReadRequest, what: str) -> None:
        consent = kept.consent
        name = f"{consent.reader_name} ({consent.reader.hex()[:_KEY_SHOWN]})"
        reason = f"consent {consent.number}: {kept.id.hex()}"
        entry = self._access.write(Operator(name, reason), "consented-reading", kept.client, what)
        reading = Reading(kept.id, kept.client, self._clock.now(), what)
        self._store.record_reading(reading, asked.number, entry)


# --- rules of a consent --------------------------------------------------------------------------


def check_account(client: Client, consent: Consent, _now: Timestamp) -> None:
    """It is about the client's own account."""
    if consent.account != client.address:
        raise SpecieError(ErrorCode.CONSENT_ACCOUNT_WRONG, "a consent is about your own account")


def check_standing(client: Client, _consent: Consent, _now: Timestamp) -> None:
    """Who is blocked may show its account; what is lost or closed is nobody's to show."""
    if client.status not in (ClientStatus.GOOD, ClientStatus.BLOCKED):
        raise SpecieError(ErrorCode.CLIENT_BLOCKED, f"the wallet is {client.status.value}")


def check_scope(_client: Client, consent: Consent, _now: Timestamp) -> None:
    """It permits something, to somebody who has a name."""
    if not consent.permissions or consent.number < 1:
        reason = "a consent has a number from 1 on, and permits something"
        raise SpecieError(ErrorCode.CONSENT_INVALID, reason)
    if not consent.reader_name.strip() or not consent.reader_name.isprintable():
        raise SpecieError(ErrorCode.CONSENT_INVALID, "a reader has a name that can be printed")


def check_times(_client: Client, consent: Consent, now: Timestamp) -> None:
    """It was made by now, is not over, and ends within the longest time."""
    if consent.creation > now + ATTEST_EARLY_MS_MAX:
        raise SpecieError(ErrorCode.CONSENT_INVALID, "it was made at a time that is to come")
    if consent.transactions_from > consent.expiration:
        raise SpecieError(ErrorCode.CONSENT_INVALID, "it is over before it lets anything be read")
    if consent.expiration <= now:
        raise SpecieError(ErrorCode.CONSENT_EXPIRED, "it is over already")
    if consent.expiration - consent.creation > CONSENT_MS_MAX:
        reason = f"a consent ends within {CONSENT_MS_MAX // DAY_MS} days"
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, reason)


CONSENT_CHECKS: Final = (check_account, check_standing, check_scope, check_times)


def check_room(known: Sequence[KeptConsent], now: Timestamp) -> None:
    """For one more of this client."""
    in_force = [one for one in known if one.get_status(now) is ConsentStatus.AUTHORISED]
    if len(in_force) >= CONSENTS_OPEN_MAX or len(known) >= CONSENTS_MAX:
        reason = f"at most {CONSENTS_OPEN_MAX} consents in force, {CONSENTS_MAX:,} in all"
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, reason)


# --- rules of a reading --------------------------------------------------------------------------


def check_reader(kept: KeptConsent, asked: ReadRequest, _now: Timestamp) -> None:
    """Who asks is whom the client has named."""
    if asked.reader != kept.consent.reader:
        raise SpecieError(ErrorCode.CONSENT_READER_WRONG, "this consent names another reader")


def check_asked_account(kept: KeptConsent, asked: ReadRequest, _now: Timestamp) -> None:
    """What is asked about is the account of who has consented."""
    if asked.account != kept.consent.account:
        raise SpecieError(ErrorCode.CONSENT_ACCOUNT_WRONG, "this consent is of another account")


def check_not_revoked(kept: KeptConsent, _asked: ReadRequest, _now: Timestamp) -> None:
    """By the client, its loss or its closing."""
    if kept.end is not None:
        raise SpecieError(ErrorCode.CONSENT_REVOKED, f"revoked: {kept.end.by.value}")


def check_not_expired(kept: KeptConsent, _asked: ReadRequest, now: Timestamp) -> None:
    """Its last moment is before its expiration."""
    if now >= kept.consent.expiration:
        raise SpecieError(ErrorCode.CONSENT_EXPIRED, "this consent is over: ask for a new one")


def check_permitted(kept: KeptConsent, asked: ReadRequest, _now: Timestamp) -> None:
    """What is asked for is in the scope, and so is the time from which on it is asked for."""
    if not asked.permission & kept.consent.permissions:
        raise SpecieError(ErrorCode.CONSENT_SCOPE_EXCEEDED, "this consent does not permit it")
    if asked.since is not None and asked.since < kept.consent.transactions_from:
        reason = f"payments from {format_time(kept.consent.transactions_from)} on"
        raise SpecieError(ErrorCode.CONSENT_SCOPE_EXCEEDED, reason)


def check_fresh(kept: KeptConsent, asked: ReadRequest, _now: Timestamp) -> None:
    """A request counts once."""
    if asked.number <= kept.asked:
        reason = "a request has a greater number than those before"
        raise SpecieError(ErrorCode.READING_REPEATED, reason)


READING_CHECKS: Final = (
    check_reader,
    check_asked_account,
    check_not_revoked,
    check_not_expired,
    check_permitted,
    check_fresh,
)


def ask_payments(
    reader: InstitutionPublicKey,
    consent: tuple[Digest, Address],
    number: int,
    since: Timestamp | None,
) -> ReadRequest:
    """For payments of that time and later, or as far back as the scope goes."""
    identifier, account = consent
    return ReadRequest(reader, identifier, account, number, TRANSACTIONS, since)


def ask_balances(
    reader: InstitutionPublicKey, consent: tuple[Digest, Address], number: int
) -> ReadRequest:
    """For balances."""
    identifier, account = consent
    return ReadRequest(reader, identifier, account, number, Permission.READ_BALANCES)


def describe_payment(movement: Movement, *, is_detailed: bool) -> ReadPayment:
    """What stands in the memo is detail."""
    plain = ReadPayment(
        movement.txid, movement.amount, movement.time, movement.is_incoming, movement.is_final
    )
    if not is_detailed:
        return plain
    told = (movement.order, movement.end_to_end, movement.told)
    return replace(plain, order=told[0], end_to_end=told[1], name=told[2])
