"""No reader ever sees what no consent in force covers, whatever is done in which order (T3).

A model beside the desk knows who has consented to what, and judges every answer by itself.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from specie.bank.consents import ReadPayment, ReadRequest, ask_balances, ask_payments
from specie.crypto.secrets import InstitutionKey
from specie.identity.consents import Permission
from specie.ports.clients import Client, Movement
from specie.ports.consents import EndedBy, KeptConsent
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, InstitutionPublicKey
from specie.values.times import DAY_MS, Timestamp
from tests.consenting import Counter, open_counter

READERS = [InstitutionPublicKey(InstitutionKey.generate().public) for _ in range(2)]
CLIENTS = ("alice", "bob")
DETAIL, BALANCES = Permission.READ_TRANSACTIONS_DETAIL, Permission.READ_BALANCES
PAYMENTS = Permission.READ_TRANSACTIONS_BASIC | DETAIL

two = st.integers(0, 1)
kinds = st.sampled_from([7, 7, 6, 5, 4, 3, 2, 1])
twists = st.sampled_from([None, None, None, None, "reader", "account", "since", "number"])
gives = st.fixed_dictionaries(
    {
        "do": st.just("give"),
        "client": two,
        "reader": two,
        "permissions": kinds,
        "back": st.integers(-3, 3),
        "days": st.integers(1, 4),
    }
)
reads = st.fixed_dictionaries(
    {
        "do": st.just("read"),
        "which": st.integers(0, 5),
        "permission": st.sampled_from([PAYMENTS, PAYMENTS, BALANCES]),
        "twist": twists,  # what is not as the consent has it
    }
)
steps = st.one_of(
    *[reads] * 5,
    gives,
    st.fixed_dictionaries({"do": st.just("revoke"), "which": st.integers(0, 5)}),
    st.fixed_dictionaries({"do": st.just("end"), "client": two}),
    st.fixed_dictionaries({"do": st.just("wait"), "days": st.integers(0, 3)}),
    st.fixed_dictionaries({"do": st.just("pay"), "client": two}),
)


@dataclass
class Given:
    """A consent as the model has it."""

    kept: KeptConsent
    is_ended: bool = False
    used: int = 0

    def is_in_force(self, now: int) -> bool:
        return not self.is_ended and now < self.kept.consent.expiration


@dataclass
class Model:
    """The desk, and what it may show."""

    counter: Counter
    people: list[Client]
    given: list[Given] = field(default_factory=list)
    paid: dict[ClientId, list[Movement]] = field(default_factory=dict)
    readings: int = 0

    def give(self, step: dict[str, Any]) -> None:
        now, client = self.counter.clock.now(), self.people[step["client"]]
        kept = self.counter.give(
            client,
            reader=READERS[step["reader"]],
            permissions=Permission(step["permissions"]),
            transactions_from=Timestamp(now + step["back"]),
            expiration=Timestamp(now + step["days"] * DAY_MS),
        )
        self.given.append(Given(kept))

    def revoke(self, step: dict[str, Any]) -> None:
        one = self._find(step)
        self.counter.revoke(one.kept)
        one.is_ended = True

    def end(self, step: dict[str, Any]) -> None:
        client = self.people[step["client"]].id
        self.counter.desk.end_all(client, EndedBy.CLOSING)
        for one in self.given:
            one.is_ended = one.is_ended or one.kept.client == client

    def wait(self, step: dict[str, Any]) -> None:
        self.counter.clock.advance(step["days"] * DAY_MS + 1)

    def pay(self, step: dict[str, Any]) -> None:
        client = self.people[step["client"]]
        self.paid.setdefault(client.id, []).append(self.counter.pay(client, 1))

    def read(self, step: dict[str, Any]) -> None:
        """As a consent says, or with something else put in its place."""
        one, kind = self._find(step), Permission(step["permission"])
        asked = self._ask(step, one, kind)
        try:
            shown = self._show(asked, kind)
        except SpecieError as error:
            event(f"refused: {error.code.value}")
            assert not self._is_due(one, asked, kind)
            return
        event("read")
        self.readings += 1
        assert self._is_due(one, asked, kind), "nothing covers it"
        one.used = asked.number
        self.check_covered(asked, shown, kind)
        if kind is not BALANCES:
            since = asked.since or 0
            due = [pay for pay in self.paid.get(one.kept.client, []) if pay.time >= since]
            assert [pay.txid for pay in shown] == [pay.txid for pay in due]

    def _show(self, asked: ReadRequest, kind: Permission) -> list[ReadPayment]:
        desk = self.counter.desk
        if kind is BALANCES:
            desk.read_balances(asked)
            return []
        return list(desk.read_payments(asked, 0, 100).payments)

    def check_covered(self, asked: ReadRequest, shown: list[ReadPayment], kind: Permission) -> None:
        """By some consent in force, of the owner, to this reader."""
        now = self.counter.clock.now()
        mine = [
            one.kept
            for one in self.given
            if one.is_in_force(now) and one.kept.consent.reader == asked.reader
        ]
        assert any(kind & one.consent.permissions for one in mine)
        owners = {pay.txid: owner for owner, paid in self.paid.items() for pay in paid}
        for pay in shown:
            covering = [
                one.consent.permissions
                for one in mine
                if one.client == owners[pay.txid] and pay.time >= one.consent.transactions_from
            ]
            assert any(PAYMENTS & one for one in covering)
            is_detailed = bool(pay.name or any(pay.order) or any(pay.end_to_end))
            assert not is_detailed or any(DETAIL in one for one in covering)

    def _find(self, step: dict[str, Any]) -> Given:
        place: int = step["which"]
        return self.given[place % len(self.given)]

    def _ask(self, step: dict[str, Any], one: Given, kind: Permission) -> ReadRequest:
        consent, twist = one.kept.consent, step["twist"]
        others = [one.address for one in self.people if one.address != consent.account]
        account = others[0] if twist == "account" else consent.account
        strangers = [one for one in READERS if one != consent.reader]
        reader = strangers[0] if twist == "reader" else consent.reader
        number = one.used if twist == "number" else next(self.counter.numbers)
        since = consent.transactions_from - (twist == "since")
        if kind is BALANCES:
            return ask_balances(reader, (one.kept.id, account), number)
        return ask_payments(reader, (one.kept.id, account), number, Timestamp(since))

    def _is_due(self, one: Given, asked: ReadRequest, kind: Permission) -> bool:
        consent = one.kept.consent
        is_its = (asked.reader, asked.account) == (consent.reader, consent.account)
        is_within = asked.since is None or asked.since >= consent.transactions_from
        is_fresh = asked.number > one.used
        is_in_force = one.is_in_force(self.counter.clock.now())
        return (
            is_its and is_within and is_fresh and is_in_force and bool(kind & consent.permissions)
        )


@settings(max_examples=80, deadline=None)
@given(st.lists(gives, min_size=1, max_size=3), st.lists(steps, min_size=8, max_size=40))
def test_nobody_sees_what_no_consent_covers(
    first: list[dict[str, Any]], then: list[dict[str, Any]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        counter = open_counter(Path(folder) / "bank.db")
        model = Model(counter, [counter.open_client(name) for name in CLIENTS])
        acts: dict[str, Callable[[dict[str, Any]], None]] = {
            "give": model.give,
            "revoke": model.revoke,
            "end": model.end,
            "wait": model.wait,
            "pay": model.pay,
            "read": model.read,
        }
        for step in (*first, *then):
            acts[step["do"]](step)
        assert counter.access.verify([]) == model.readings, "each reading, and nothing else"
        counter.database.close()
