"""Cases under whatever people and devices do: what is released passes once, and no more (T20)."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from specie.bank.access import AccessLog, Operator
from specie.bank.compliance import Compliance, Stores
from specie.bank.supervision import Neighbours, Supervision
from specie.crypto.addresses import Address
from specie.crypto.secrets import InstitutionKey, KeyTree, SealingKey
from specie.policy.cases import Case, CaseState, Verdict
from specie.ports.clients import Client, ClientStatus, Movement
from specie.store.access_store import SqliteAccessStore
from specie.store.case_store import SqliteCaseStore
from specie.store.client_store import SqliteClientStore
from specie.store.database import Database
from specie.store.policy_store import SqlitePolicyStore
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import (
    ClientId,
    NetworkId,
    OrderId,
    OutputRef,
    ParticipantNumber,
    PublicKey,
    TransactionId,
)
from specie.values.limits import ATTEST_EARLY_MS_MAX
from specie.values.times import Timestamp
from tests.clocks import ManualClock
from tests.country import find_code

ANNA = ClientId("anna")
PEOPLE = ("Ada", "Grace")
WINDOW_MS = 600_000
POLICY = """
default_tier = "one"
[cases]
two_people_from = 200
release_minutes = 20
[[tier]]
name = "one"
[[rule]]
name = "large"
kind = "threshold"
amount = 100
consequence = "hold"
"""
SHOPS = tuple(
    Address(ParticipantNumber(3), PublicKey(bytes([n]) * 32), PublicKey(bytes([n]) * 32))
    for n in (1, 2)
)
Sort = tuple[int, int, int]  # shop, amount, order


class CaseMachine(RuleBasedStateMachine):
    """Payments of three sorts of amount, two shops, two orders; two officers; time passes."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="specie-cases-")
        self.database = Database(Path(self.folder.name) / "bank.db")
        self.clock = ManualClock()
        key = SealingKey.generate()
        self.clients = SqliteClientStore(self.database, key)
        view = KeyTree.generate().view_key(0)
        address = replace(SHOPS[0], bank=ParticipantNumber(2), view=PublicKey(view.public))
        self.clients.add_client(Client(ANNA, "Anna", address, view, ClientStatus.GOOD))
        policies = SqlitePolicyStore(self.database, key)
        cases = self.cases = SqliteCaseStore(self.database, key)
        self.supervision = Supervision(
            self.clients, policies, cases, self.clock, "spc", Neighbours()
        )
        signer = InstitutionKey.generate()
        network, number = NetworkId(bytes(16)), ParticipantNumber(2)
        access = SqliteAccessStore(self.database, key)
        log = AccessLog(access, self.clock, network, number, signer)
        stores = Stores(self.clients, policies, cases)
        vault = ClientId("vault")
        self.desk = Compliance(stores, self.supervision, log, self.clock, vault)
        self.desk.set_policy(Operator("Ada", "test"), POLICY)
        self.sent: dict[TransactionId, Movement] = {}
        self.signed: dict[TransactionId, Sort] = {}
        self.released: dict[Sort, int] = {}
        self.refused: set[Sort] = set()

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            self.folder.cleanup()

    @rule(
        shop=st.integers(0, 1),
        amount=st.sampled_from([99, 100, 200]),
        order=st.integers(0, 1),
    )
    def send_anew(self, shop: int, amount: int, order: int) -> None:
        """A payment that the device has just built."""
        txid = TransactionId((len(self.sent) + 1).to_bytes(32, "big"))
        now = self.clock.now()
        self.sent[txid] = Movement(
            txid=txid,
            client=ANNA,
            amount=Minor(amount),
            time=now,
            is_incoming=False,
            is_final=False,
            until=Timestamp(now + WINDOW_MS),
            parties=(SHOPS[shop],),
            order=OrderId(bytes([order + 1]) * 16),
        )
        self._send(self.sent[txid])

    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        """The same bytes once more, within their window."""
        now = self.clock.now()
        ready = [one for one in self.sent.values() if one.until >= now]
        if ready:
            self._send(data.draw(st.sampled_from(ready)))

    @rule(data=st.data(), officer=st.sampled_from(PEOPLE), verdict=st.sampled_from(Verdict))
    def decide(self, data: st.DataObject, officer: str, verdict: Verdict) -> None:
        cases = self._load()
        if not cases:
            return
        case = data.draw(st.sampled_from(list(cases)))
        operator = Operator(officer, "looked")
        code = find_code(lambda: self.desk.decide(operator, case.number, verdict))
        assert code in (None, ErrorCode.CASE_CLOSED, ErrorCode.DECISION_REPEATED)
        decided = next(one for one in self._load() if one.number == case.number)
        assert code is None or decided == case
        sort = self._sort(self.sent[case.txid])
        if decided.state is CaseState.RELEASED and case.state is CaseState.OPEN:
            names = {one.officer for one in decided.decisions}
            assert len(names) == (2 if case.amount >= 200 else 1)
            self.released[sort] = self.released.get(sort, 0) + 1
        if decided.state is CaseState.REFUSED:
            self.refused.add(sort)

    @rule(data=st.data())
    def finalise(self, data: st.DataObject) -> None:
        """As the notary does: within its window."""
        now = self.clock.now()
        ready = sorted(txid for txid in self.signed if self.sent[txid].until >= now)
        if ready:
            self.clients.finalise(data.draw(st.sampled_from(ready)))

    @rule(minutes=st.integers(1, 15))
    def wait(self, minutes: int) -> None:
        self.clock.advance(minutes * 60_000)

    @invariant()
    def nothing_large_passes_without_its_release(self) -> None:
        """Of what can be or is final, of each sort: no more than releases."""
        if not hasattr(self, "signed"):
            return
        now, counts = self.clock.now(), dict[Sort, int]()
        for txid, sort in self.signed.items():
            (one,) = self.clients.find_movements(txid)
            if one.is_final or one.until + ATTEST_EARLY_MS_MAX >= now:
                counts[sort] = counts.get(sort, 0) + 1
        for sort, count in counts.items():
            assert sort[1] < 100 or count <= self.released.get(sort, 0)

    @invariant()
    def the_access_log_holds_and_tells_every_decision(self) -> None:
        if not hasattr(self, "signed"):
            return
        size = self.desk.access.verify([])
        told = [one for one in self.desk.access.load(1, 1_000) if one.action == "decide"]
        made = sum(len(case.decisions) for case in self._load())
        assert len(told) == made and size == made + 1  # and the policy that was set

    def _send(self, movement: Movement) -> None:
        now, sort = self.clock.now(), self._sort(movement)
        judged = replace(movement, time=now)

        def record() -> None:
            ref = OutputRef(movement.txid)
            self.clients.record_attested(movement.txid, [ref], [], [judged])

        was_signed = movement.txid in self.signed
        code = find_code(lambda: self._admit(movement.txid, judged, record))
        if code is None:
            assert was_signed or sort not in self.refused
            self.signed[movement.txid] = sort
            return
        assert not was_signed and sort[1] >= 100
        assert not self.clients.is_attested(movement.txid)
        is_refused = code is ErrorCode.PAYMENT_REFUSED_BY_POLICY
        assert is_refused is (sort in self.refused)
        assert is_refused or code is ErrorCode.PAYMENT_HELD
        open_cases = [one for one in self._load() if one.state is CaseState.OPEN]
        alike = [one for one in open_cases if self._sort(self.sent[one.txid]) == sort]
        assert len(alike) == (0 if is_refused else 1)

    def _admit(self, txid: TransactionId, one: Movement, record: Callable[[], None]) -> None:
        self.supervision.admit(txid, lambda: [one], record)

    def _load(self) -> Sequence[Case]:
        """Past the desk, whose looks are on the log."""
        return self.cases.load(is_open=False, before=0, limit=1_000)

    def _sort(self, movement: Movement) -> Sort:
        return SHOPS.index(movement.parties[0]), movement.amount, movement.order[0]


CaseMachine.TestCase.settings = settings(max_examples=8, stateful_step_count=30)
TestCases = CaseMachine.TestCase
