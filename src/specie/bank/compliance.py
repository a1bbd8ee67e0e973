"""What the people of a bank do about its policy, its clients' payments and its cases (T20, X9).

Every look at a client's data is in the access log before anything is shown, every decision in one
transaction with its entry there. Who acts names itself and says why.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from specie.bank.access import AccessLog, Operator
from specie.bank.movements import Mark, group_sides, is_recovery
from specie.bank.reporting import CaseFile
from specie.bank.standings import HandedStanding
from specie.bank.supervision import Supervision, is_counted
from specie.policy import builtin
from specie.policy.cases import Case, CaseKind, CaseState, Decision, Verdict, decide
from specie.policy.policies import MONTH_MS, Policy, Tier, parse_policy
from specie.policy.rehearsing import PastPayment, Rehearsal, rehearse
from specie.ports.clients import Client, ClientStore, Movement, MovementPage, MovementQuery
from specie.ports.clock import Clock
from specie.ports.supervision import (
    CaseNote,
    CaseStore,
    Freeze,
    PolicyStore,
    PolicyVersion,
)
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ZERO16, ZERO32, ClientId, Digest, OrderId, TransactionId
from specie.values.limits import CASE_NOTES_MAX, FREEZE_MS_MAX, PAGE_ITEMS_MAX
from specie.values.times import Timestamp, format_time

FindLimit = Callable[[ClientId], Minor | None]
"""How much a client may hold on its device, or pay at once, by the bank's policy; None: any."""

_ONBOARDING: Final = Operator("onboarding", "approved")
_NOTE_MAX: Final = 1_000
_NO_CLIENT: Final = "no client of ours has this id"


@dataclass(frozen=True, slots=True, repr=False)
class Stores:
    """Where it is kept, all in the bank's one database."""

    clients: ClientStore
    policies: PolicyStore
    cases: CaseStore


class Compliance:
    """One for each bank. `vault` is watched as a client, and is none."""

    def __init__(
        self,
        stores: Stores,
        supervision: Supervision,
        access: AccessLog,
        clock: Clock,
        vault: ClientId,
    ) -> None:
        self.supervision = supervision
        self.access = access
        self._clients = stores.clients
        self._policies = stores.policies
        self._cases = stores.cases
        self._clock = clock
        self._vault = vault

    # --- policy ----------------------------------------------------------------------------------

    def get_policy(self) -> PolicyVersion:
        """The one in force."""
        return self._policies.find_policy() or _describe_builtin()

    def load_policies(self) -> list[PolicyVersion]:
        """All that ever were, oldest first."""
        return [_describe_builtin(), *self._policies.load_policies()]

    def set_policy(self, operator: Operator, text: str) -> PolicyVersion:
        """In force at once. The one that is in force already is not set again.

        `policy_invalid` if it is none, `tier_unknown` if clients are in a tier that it lacks.
        """
        operator.check()
        policy = parse_policy(text)
        with self._policies.transaction():
            current = self.get_policy()
            if current.text == text:
                return current
            self._check_tiers(policy)
            version = current.version + 1
            self.access.write(operator, "policy", subject=str(version))
            name, reason = operator.name.strip(), operator.reason.strip()
            found = PolicyVersion(version, text, self._clock.now(), name, reason)
            self._policies.add_policy(found)
        return found

    def rehearse(self, operator: Operator, text: str) -> Rehearsal:
        """What this policy would have stopped of all that is on record; changes nothing."""
        policy = parse_policy(text)
        self.access.write(operator, "dry-run")
        self._check_tiers(policy)
        past = self._replay(self.supervision.build_mark(policy))
        tiers = self._policies.load_tiers()
        return rehearse(policy, tiers, past, self.supervision.is_waterfall_on)

    def _check_tiers(self, policy: Policy) -> None:
        missing = sorted(set(self._policies.load_tiers().values()) - set(policy.tiers))
        if missing:
            reason = f"clients are in {', '.join(missing)}, which it does not have"
            raise SpecieError(ErrorCode.TIER_UNKNOWN, reason)

    def _replay(self, mark: Mark) -> Iterator[PastPayment]:
        """Payments as they came; one that waits between two pages is kept together.

        As the judge sees them: not what came to nothing, nor what a lost wallet gave its owner.
        """
        now = self._clock.now()
        waiting: dict[TransactionId, list[Movement]] = defaultdict(list)
        start = 0
        while page := self._clients.load_all(start, PAGE_ITEMS_MAX):
            start += len(page)
            last = page[-1].txid
            for one in page:
                if one.client != self._vault and is_counted(one, now):
                    waiting[one.txid].append(one)
            kept = waiting.pop(last, [])
            yield from _build_past(waiting, mark)
            waiting.clear()
            if kept:
                waiting[last] = kept
        yield from _build_past(waiting, mark)

    # --- tiers and freezes -------------------------------------------------------------------

    def get_tier(self, client: ClientId) -> Tier:
        """The client's own, or the default."""
        return self.supervision.get_tier(client)

    def list_required(self, tier: str) -> tuple[str, ...]:
        """What onboarding has to know of a client of this tier; `tier_unknown`."""
        return self.supervision.get_policy()[1].get_tier(tier).requires

    @property
    def limits(self) -> tuple[FindLimit, FindLimit]:
        """Of a client's tier: what it may hold on its devices, and pay at once; None: any."""
        return (
            lambda client: self.supervision.get_tier(client).holding,
            lambda client: self.supervision.get_tier(client).payment,
        )

    def set_tier(self, client: ClientId, tier: str, operator: Operator = _ONBOARDING) -> None:
        """From now on. `client_unknown`, `tier_unknown`; again is the same."""
        self._get_client(client)
        with self._policies.transaction():
            _, policy = self.supervision.get_policy()
            policy.get_tier(tier)
            if self._policies.find_tier(client) != tier:
                self.access.write(operator, "tier", client, tier)
                self._policies.set_tier(client, tier)

    def freeze(
        self, operator: Operator, client: ClientId, reference: str, until: Timestamp
    ) -> Freeze:
        """By order of an authority: nothing is attested until then; no money moves."""
        self._get_client(client)
        now = self._clock.now()
        if not reference.strip() or not reference.isprintable():
            raise SpecieError(ErrorCode.REASON_MISSING, "name the order: --order-reference")
        if not now < until <= now + FREEZE_MS_MAX:
            raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "it ends in the future, within ten years")
        freeze = Freeze(client, reference.strip(), now, until, operator.name.strip())
        with self._policies.transaction():
            self.access.write(operator, "freeze", client, f"{freeze.reference} until {until}")
            self._policies.set_freeze(freeze)
        return freeze

    def unfreeze(self, operator: Operator, client: ClientId) -> None:
        """Before its end; nothing if there is none."""
        self._get_client(client)
        with self._policies.transaction():
            found = self._policies.find_freeze(client)
            subject = "none" if found is None else found.reference
            self.access.write(operator, "unfreeze", client, subject)
            self._policies.lift_freeze(client)

    def find_freeze(self, operator: Operator, client: ClientId) -> Freeze | None:
        """The order, also after its end."""
        self._get_client(client)
        self.access.write(operator, "freeze-shown", client)
        return self._policies.find_freeze(client)

    def find_frozen(self, client: ClientId) -> Timestamp | None:
        """Until when, if it is now; who asks has its look written down."""
        found = self._policies.find_freeze(client)
        return found.until if found is not None and self._clock.now() < found.until else None

    def hand_over(self, client: ClientId) -> HandedStanding:
        """To a successor: who exports all clients is written down by the export itself."""
        return HandedStanding(self._policies.find_tier(client), self._policies.find_freeze(client))

    def adopt(self, operator: Operator, client: ClientId, standing: HandedStanding) -> None:
        """A tier where none was given here, if our policy has it; of two orders the later end."""
        tiers = self.supervision.get_policy()[1].tiers
        with self._policies.transaction():
            tier, order = standing.tier, standing.freeze
            if tier is not None and tier in tiers and self._policies.find_tier(client) is None:
                self.access.write(operator, "tier", client, tier)
                self._policies.set_tier(client, tier)
            known = self._policies.find_freeze(client)
            if order is not None and (known is None or known.until < order.until):
                subject = f"{order.reference} until {order.until}"
                self.access.write(operator, "freeze", client, subject)
                self._policies.set_freeze(order)

    # --- search --------------------------------------------------------------------------------

    def search(
        self, operator: Operator, query: MovementQuery, before: int, limit: int
    ) -> MovementPage:
        """Our clients' movements, newest first; `before` is the page before's `after`, or 0."""
        client = query.client or ClientId("")
        if client and client != self._vault:
            self._get_client(client)
        self.access.write(operator, "search", client, _describe_query(query, before))
        return self._clients.search(query, before, limit)

    # --- cases -----------------------------------------------------------------------------------

    def list_cases(
        self, operator: Operator, before: int, limit: int, *, is_open: bool
    ) -> Sequence[Case]:
        """A page, newest first."""
        self.access.write(operator, "cases")
        return self._cases.load(is_open=is_open, before=before, limit=limit)

    def open_file(self, operator: Operator, number: int, action: str = "case") -> CaseFile:
        """A case with its notes and its client's movements from 30 days before it until now."""
        case = self._get_case(number)
        self.access.write(operator, action, case.client, f"case {number}")
        since = Timestamp(max(0, case.opened - MONTH_MS))
        query = MovementQuery(client=case.client, since=since)
        page = self._clients.search(query, 0, PAGE_ITEMS_MAX)
        return CaseFile(
            case=case,
            client=self._get_client(case.client),
            tier=self.get_tier(case.client).name,
            notes=self._cases.load_notes(number),
            movements=page.movements,
            is_complete=not page.after,
        )

    def add_note(self, operator: Operator, number: int, text: str) -> None:
        """Kept for ever. The same again of the same person, as the last one, is nothing new."""
        case = self._get_case(number)
        if not text.strip() or len(text) > _NOTE_MAX:
            raise SpecieError(ErrorCode.TEXT_INVALID, f"a note has 1 to {_NOTE_MAX:,} letters")
        with self._policies.transaction():
            notes = self._cases.load_notes(number)
            name = operator.name.strip()
            if notes and (notes[-1].officer, notes[-1].text) == (name, text):
                operator.check()
                return
            if len(notes) >= CASE_NOTES_MAX:
                reason = f"a case has at most {CASE_NOTES_MAX:,} notes"
                raise SpecieError(ErrorCode.LIMIT_EXCEEDED, reason)
            self.access.write(operator, "note", case.client, f"case {number}")
            self._cases.add_note(number, CaseNote(name, self._clock.now(), text))

    def decide(self, operator: Operator, number: int, verdict: Verdict) -> Case:
        """By one person, or by two for a large payment; see `policy/cases.py`."""
        operator.check()
        with self._policies.transaction():
            case = self._get_case(number)
            _, policy = self.supervision.get_policy()
            name, reason = operator.name.strip(), operator.reason.strip()
            decision = Decision(name, verdict, self._clock.now(), reason)
            decided = decide(case, decision, policy.release_ms)
            if decided is not case:
                subject = f"case {number}: {verdict.value}"
                self.access.write(operator, "decide", case.client, subject)
                self._cases.replace(decided)
        return decided

    def suspect(self, operator: Operator, client: ClientId) -> Case:
        """A case about a client; the reason is the suspicion. Open already in these words: that."""
        self._get_client(client)
        operator.check()
        text = operator.reason.strip()
        with self._policies.transaction():
            for one in self._cases.load(is_open=True, before=0, limit=PAGE_ITEMS_MAX):
                if (one.kind, one.client, one.text) == (CaseKind.SUSPICION, client, text):
                    return one
            found = self._cases.add(
                Case(
                    number=0,
                    kind=CaseKind.SUSPICION,
                    client=client,
                    opened=self._clock.now(),
                    rules=(),
                    amount=Minor(0),
                    likeness=Digest(ZERO32),
                    txid=TransactionId(ZERO32),
                    order=OrderId(ZERO16),
                    text=text,
                    people_needed=1,
                    state=CaseState.OPEN,
                )
            )
            self.access.write(operator, "suspect", client, f"case {found.number}")
        return found

    def _get_case(self, number: int) -> Case:
        case = self._cases.find(number)
        if case is None:
            raise SpecieError(ErrorCode.CASE_UNKNOWN, f"there is no case {number}")
        return case

    def _get_client(self, client: ClientId) -> Client:
        found = self._clients.find_client(client)
        if found is None or client == self._vault:
            raise SpecieError(ErrorCode.CLIENT_UNKNOWN, _NO_CLIENT)
        return found


def _describe_query(query: MovementQuery, before: int) -> str:
    """What was searched for besides the client; a counterparty is `bank:A:B`, in hex digits."""
    party, words = query.party, []
    if query.since is not None:
        words.append(f"since {format_time(query.since)}")
    if query.until is not None:
        words.append(f"until {format_time(query.until)}")
    if query.least is not None:
        words.append(f"at least {query.least}")
    if query.most is not None:
        words.append(f"at most {query.most}")
    if party is not None:
        words.append(f"with {party.bank}:{party.view.hex()}:{party.spend.hex()}")
    if query.is_incoming is not None:
        words.append("incoming" if query.is_incoming else "outgoing")
    if before:
        words.append(f"from {before}")
    return ", ".join(words)


def _describe_builtin() -> PolicyVersion:
    return PolicyVersion(builtin.VERSION, builtin.TEXT, Timestamp(0), "built in", "the default")


def _build_past(
    payments: Mapping[TransactionId, Sequence[Movement]], mark: Mark
) -> Iterator[PastPayment]:
    for txid, parts in payments.items():
        if not is_recovery(parts):
            yield PastPayment(txid, tuple(group_sides(parts, mark)))
