"""Applications and signatories against a model of a few lines, in any order, with stops (T1, T3).

The model knows only what was asked and answered. A stop is a bank that starts again from its
database; a step that is cut is one whose last write fails.
"""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from specie.bank.approvals import Outcome, compute_withdrawal_digest, sign_vote
from specie.crypto.secrets import InstitutionKey
from specie.ports.approvals import Subject, SubjectKind
from specie.store.device_store import name_device
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, InstitutionPublicKey, OrderId
from specie.values.limits import (
    ACCOUNT_APPLICATION_MS_MAX,
    ACCOUNT_APPLICATIONS_PLACE_MAX,
    APPROVAL_MS_MAX,
)
from specie.values.times import DAY_MS
from tests.country import build_country, find_code
from tests.unit.assembly.office import Applicant, Office, make_applicant, make_office
from tests.unit.assembly.test_signing import enrol

NAMES = ("Aru", "Bek", "Cem", "Dim")
CLIENTS = st.sampled_from([ClientId(f"client {one}") for one in range(3)])


class Cut(Exception):
    """A step that was stopped."""


class PeopleMachine(RuleBasedStateMachine):
    """A bank's desk for who applies, and for who signs together."""

    applicants: Bundle[Applicant] = Bundle("applicants")
    orders: Bundle[OrderId] = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        country = build_country(Path(self.folder.name), is_funded=False)
        self.office: Office = make_office(country, country.north)
        self.country = country
        self.states: dict[bytes, tuple[str, str]] = {}  # id of an application → state, client
        self.ends: dict[bytes, int] = {}
        self.taken: set[str] = set()
        self.company = ClientId("company")
        self.seats: dict[str, InstitutionKey | None] = {}
        self.codes: dict[str, bytes] = {}
        self.need = 0
        self.words: dict[bytes, dict[str, bool]] = {}
        self.asked: dict[bytes, int] = {}
        self.rejected: set[bytes] = set()

    def teardown(self) -> None:
        self.country.network.databases.close()
        self.folder.cleanup()

    # --- applications --------------------------------------------------------------------------

    @rule(target=applicants)
    def apply(self) -> Applicant:
        applicant = make_applicant()
        request = self.office.make_request(applicant)
        waiting = sum(self._state(one) == "waiting" for one in self.states)
        code = find_code(lambda: self.office.people.onboarding.apply(request, "here"))
        if waiting >= ACCOUNT_APPLICATIONS_PLACE_MAX:
            assert code is ErrorCode.RATE_EXCEEDED
            return applicant
        assert code is None
        self.states[applicant.id] = ("waiting", "")
        self.ends[applicant.id] = self.country.clock.now() + ACCOUNT_APPLICATION_MS_MAX
        return applicant

    @rule(applicant=applicants, client=CLIENTS, is_cut=st.booleans())
    def approve(self, applicant: Applicant, client: ClientId, is_cut: bool) -> None:
        state, owner = self.states.get(applicant.id, ("none", ""))
        state = self._state(applicant.id) if owner == "" else state
        desk = self.office.people.onboarding
        number = self._find_number(applicant)
        if number is None:
            return
        if is_cut:
            self._cut(lambda: desk.approve(number, client, None, "Dana"))
            return
        code = find_code(lambda: desk.approve(number, client, None, "Dana"))
        if state == "waiting" and client not in self.taken:
            assert code is None
            self.states[applicant.id] = ("approved", client)
            self.taken.add(client)
        elif state == "waiting":
            assert code is ErrorCode.CLIENT_EXISTS
        else:
            assert code is (None if owner == client else ErrorCode.ORDER_CONFLICT)

    @rule(applicant=applicants)
    def refuse(self, applicant: Applicant) -> None:
        number, state = self._find_number(applicant), self._state(applicant.id)
        if number is None:
            return
        desk = self.office.people.onboarding
        code = find_code(lambda: desk.refuse(number, "no", "Dana"))
        assert (code is None) == (state in ("waiting", "refused"))
        if code is None:
            self.states[applicant.id] = ("refused", "")

    @rule(days=st.integers(1, 5))
    def wait(self, days: int) -> None:
        self.country.clock.advance(days * 24 * 3600 * 1000)

    @rule()
    def stop(self) -> None:
        self.office = self.office.reopen()

    # --- signatories ---------------------------------------------------------------------------

    @rule(names=st.lists(st.sampled_from(NAMES), min_size=1, unique=True), data=st.data())
    def propose(self, names: list[str], data: st.DataObject) -> None:
        """Before enough have come the bank does it alone; afterwards nothing changes at once."""
        need = data.draw(st.integers(1, len(names)))
        manned = [one for one in self.seats.values() if one is not None]
        is_free = not self.need or len(manned) < self.need
        done = self.office.people.signing.propose(self.company, need, names)
        assert done.is_in_force == is_free
        if is_free:
            self.need = need
            self.seats = {one: self.seats.get(one) for one in names}
            self.codes = dict(done.codes)

    @rule(data=st.data())
    def come(self, data: st.DataObject) -> None:
        """One who has a code comes with a device."""
        waiting = [name for name, key in self.seats.items() if key is None]
        if not waiting or "company" not in self.taken:
            return
        name = data.draw(st.sampled_from(waiting))
        key = InstitutionKey.generate()
        enrol(self.office, self.codes[name], key)
        self.seats[name] = key

    @rule()
    def open_company(self) -> None:
        if "company" not in self.taken:
            self.country.open_person(self.office.bank, name="company")
            self.taken.add("company")

    @rule(target=orders)
    def order(self) -> OrderId:
        order = self.country.draw_order()
        self._ask(order)
        return order

    @rule(order=orders)
    def ask_again(self, order: OrderId) -> None:
        self._ask(order)

    @rule(order=orders, is_yes=st.booleans(), data=st.data())
    def vote(self, order: OrderId, is_yes: bool, data: st.DataObject) -> None:
        known = {name: key for name, key in self.seats.items() if key is not None}
        if not known:
            return
        name = data.draw(st.sampled_from(sorted(known)))
        key = known[name]
        digest = compute_withdrawal_digest(order, Minor(5))
        subject = Subject(self.company, SubjectKind.WITHDRAWAL, digest)
        bank = self.office.bank.number
        signature = sign_vote(self.office.network, bank, subject, key, is_yes=is_yes)
        device = name_device(InstitutionPublicKey(key.public))
        signing = self.office.people.signing
        words = self.words.setdefault(order, {})
        end = self.asked.get(order)
        code: ErrorCode | None = None
        outcome = None
        try:
            outcome = signing.vote(device, digest, (is_yes, signature))
        except SpecieError as error:
            code = error.code
        if end is None:
            assert code is ErrorCode.APPLICATION_UNKNOWN
        elif end <= self.country.clock.now():  # forgotten, once anything was asked after it
            assert code in {ErrorCode.EXPIRED, ErrorCode.APPLICATION_UNKNOWN}
        elif words.get(key.public.hex(), is_yes) != is_yes:
            assert code is ErrorCode.ORDER_CONFLICT
        else:
            assert code is None
            words[key.public.hex()] = is_yes
            assert outcome is self._judge(order)
            self.rejected |= {order} if outcome is Outcome.REJECTED else set()

    @invariant()
    def what_is_open_is_what_was_approved(self) -> None:
        approved = {client for state, client in self.states.values() if state == "approved"}
        for client in (f"client {one}" for one in range(3)):
            code = find_code(partial(self.office.bank.get_client, ClientId(client)))
            assert (code is None) == (client in approved)

    # --- the model -----------------------------------------------------------------------------

    def _ask(self, order: OrderId) -> None:
        signing, now = self.office.people.signing, self.country.clock.now()
        if order in self.rejected and self.asked[order] + 30 * DAY_MS <= now:
            return  # it may be forgotten by now, or not
        code = find_code(lambda: signing.ask_order(self.company, order, Minor(5)))
        if not self.need:
            assert code is None
            return
        waiting = sum(end > now for end in self.asked.values())
        if code is ErrorCode.LIMIT_EXCEEDED:
            assert waiting >= 60
            return
        if self.asked.get(order, now) <= now and order not in self.rejected:
            self.asked[order] = now + APPROVAL_MS_MAX
            self.words.pop(order, None)  # what is over is asked anew: nothing said of it counts
        is_approved = self._judge(order) is Outcome.APPROVED
        assert code is (None if is_approved else ErrorCode.SIGNATURES_MISSING)

    def _judge(self, order: OrderId) -> Outcome:
        words = self.words.get(order, {})
        said = [
            words[key.public.hex()]
            for key in self.seats.values()
            if key is not None and key.public.hex() in words
        ]
        if said.count(True) >= self.need:
            return Outcome.APPROVED
        is_dead = said.count(False) > len(self.seats) - self.need
        return Outcome.REJECTED if is_dead else Outcome.OPEN

    def _state(self, applicant: bytes) -> str:
        state, _ = self.states.get(applicant, ("none", ""))
        is_late = state == "waiting" and self.ends[applicant] <= self.country.clock.now()
        return "expired" if is_late else state

    def _find_number(self, applicant: Applicant) -> str | None:
        desk = self.office.people.onboarding
        code = find_code(lambda: desk.ask(applicant.id))
        assert (code is ErrorCode.APPLICATION_UNKNOWN) == (applicant.id not in self.states)
        return None if code else desk.ask(applicant.id).number

    def _cut(self, act: Any) -> None:
        """Its last write is not made: nothing of it is."""
        store = self.office.people.onboarding.store
        whole = store.approve

        def stop(*_: object) -> None:
            raise Cut

        store.approve = stop  # type: ignore[method-assign, assignment]  # put back below
        try:
            act()
        except (Cut, SpecieError):
            pass
        finally:
            store.approve = whole  # type: ignore[method-assign]  # as it was before


PeopleMachine.TestCase.settings = settings(max_examples=4, stateful_step_count=30, deadline=None)
TestPeople = PeopleMachine.TestCase
