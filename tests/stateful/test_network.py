"""Whatever is asked of the network, in whatever order, money is conserved (design §5; X12).

Every rule asks for something, foretells from the model whether it must be refused, and why, and
lets the model follow. After every step the whole network is compared with the model.
"""

import atexit
from dataclasses import dataclass
from functools import cache
from typing import Final

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from specie.identity.genesis import ProofMode
from specie.identity.participants import Status
from specie.ledger.evidence import verify_evidence
from specie.ledger.wire import encode_attested
from specie.tokens.building import BuiltTransaction, build_payment
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError, SpentError
from specie.values.identifiers import ClientId, ParticipantNumber
from specie.values.limits import WINDOW_MS_DEFAULT
from specie.values.times import Timestamp
from specie.wallet.windows import compute_window
from tests.stateful.interruptions import Fuse
from tests.stateful.invariants import check_all, check_log, check_promises
from tests.stateful.playing import play
from tests.stateful.requests import (
    Request,
    find_payment_reasons,
    make_deposit,
    make_issue,
    make_payment,
    make_redemption,
    make_transfer,
    make_withdrawal,
)
from tests.stateful.succession import attest_all, set_standing
from tests.stateful.town import BANKS, HOMES, Holder, Town, build_town, get_other

MINUTE_MS: Final = 60_000
START: Final = 1_000

people = st.sampled_from(sorted(HOMES))
parts = st.sampled_from(["some", "one", "half", "token", "all", "some", "half", "too much"])
stops = st.none() | st.integers(1, 12) | st.integers(13, 24)


@dataclass(frozen=True, slots=True)
class Turn:
    """Who, how much, and what goes wrong; each step takes of it what it needs."""

    payer: str
    payee: str
    bank: ParticipantNumber
    part: str  # of what the payer has
    stop: int | None  # at which passage of a call the flow is interrupted; mostly not at all
    again: bool  # whether it is then repeated after a restart
    number: int


turns = st.builds(
    Turn,
    payer=people,
    payee=people,
    bank=st.sampled_from(BANKS),
    part=parts,
    stop=stops,
    again=st.booleans(),
    number=st.integers(0, 999),
)
# One rule for all steps: Hypothesis switches rules off at random, which needs many more examples.
STEPS: Final = (
    *("pay", "pay", "pay", "pay_two", "come_online", "come_online", "deposit", "withdraw"),
    *("issue", "redeem", "transfer", "double_spend", "replay", "repeat", "repeat", "fail_over"),
    *("wait", "publish", "lose_power", "block_or_unblock", "suspend_or_reinstate", "lend"),
)


class NetworkMachine(RuleBasedStateMachine):
    """Two banks, four people, one clock."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[Town] = []
        self.refused: list[Request] = []

    @property
    def town(self) -> Town:
        """The one that `begin` made."""
        return self.made[0]

    @initialize(mode=st.sampled_from(ProofMode))
    def begin(self, mode: ProofMode) -> None:
        """Both banks have reserves and a vault, everybody a deposit and some money."""
        self.made.append(build_start(mode).copy())

    def teardown(self) -> None:
        """Everything is published, every device comes online, and all is still right."""
        for town in self.made:
            try:
                self.write_log(is_forced=True)
                for name in HOMES:
                    self.fetch(name)
                check_all(town)
                check_promises(town)
            finally:
                town.close()

    @invariant()
    def everything_is_conserved(self) -> None:
        """Design §5, invariants 1, 2, 6."""
        check_all(self.town)

    @rule(step=st.sampled_from(STEPS), turn=turns)
    def take(self, step: str, turn: Turn) -> None:
        """One of the steps below."""
        getattr(self, step)(turn)

    # --- what people and banks ask for ------------------------------------------------------------

    def pay(self, turn: Turn) -> None:  # T8, P1
        """Also to oneself, also everything, also across banks."""
        paid = [(turn.payee, self.choose(turn.payer, turn.part))]
        self.place(make_payment(self.town, turn.payer, paid), turn)

    def pay_two(self, turn: Turn) -> None:  # T8
        """In one transaction, clients of both banks."""
        amount = self.choose(turn.payer, turn.part) // 2 + 1
        other = sorted(HOMES)[turn.number % len(HOMES)]
        paid = [(turn.payee, amount), (other, amount)]
        self.place(make_payment(self.town, turn.payer, paid), turn)

    def come_online(self, turn: Turn) -> None:  # T11
        """A device asks its bank what has arrived."""
        self.fetch(turn.payer)

    def deposit(self, turn: Turn) -> None:  # T19
        """Tokens become deposit money."""
        amount = self.choose(turn.payer, turn.part)
        self.place(make_deposit(self.town, turn.payer, amount), turn)

    def withdraw(self, turn: Turn) -> None:  # T6
        """Deposit money becomes tokens: for one or two, of whom one may ask twice."""
        if self.town.model.suspended is not None:
            return
        home, deposits = HOMES[turn.payer], self.town.model.deposits
        paid = [(turn.payer, choose(turn.part, deposits[turn.payer], START))]
        if HOMES[turn.payee] == home:
            paid.append((turn.payee, choose("some", 0, 0)))
        self.place(make_withdrawal(self.town, home, paid), turn)

    def issue(self, turn: Turn) -> None:  # T4, P8
        """Reserves become tokens."""
        amount = choose(turn.part, self.town.model.reserves[turn.bank], START)
        self.place(make_issue(self.town, turn.bank, amount), turn)

    def redeem(self, turn: Turn) -> None:  # T19, P9
        """Tokens become reserves."""
        amount = self.choose(turn.bank, turn.part)
        self.place(make_redemption(self.town, turn.bank, amount), turn)

    def transfer(self, turn: Turn) -> None:  # P14
        """From vault to vault."""
        amount = self.choose(turn.bank, turn.part)
        self.place(make_transfer(self.town, turn.bank, amount), turn)

    def lend(self, turn: Turn) -> None:  # P10
        """Reserves come into being, by this and nothing else."""
        self.town.lend(turn.bank, 1 + turn.number)
        self.town.model.lend(turn.bank, 1 + turn.number)

    def repeat(self, turn: Turn) -> None:
        """What was refused may be accepted now: a refusal is not remembered, an order is."""
        if self.refused:
            self.place(self.refused.pop(turn.number % len(self.refused)), turn)

    # --- attacks ----------------------------------------------------------------------------------

    def double_spend(self, turn: Turn) -> None:  # T15
        """A copied wallet signs the same tokens again, and a bank's key attests it all the same."""
        town, wallet, payer = self.town, self.town.vault(turn.payer), turn.payer
        amount = min(self.choose(payer, turn.part), wallet.get_balance())
        if amount == 0 or find_payment_reasons(town, payer, [turn.payee]):
            return
        before = {token.ref: token for token in wallet.load_tokens()}
        order = town.draw_order()
        real = wallet.prepare_payment([town.order(turn.payee, amount)], order).built
        tokens = [before[ref] for ref in real.signed.body.inputs]
        town.pay(payer, [(turn.payee, amount)], order, Fuse(None))
        town.model.pay(payer, [(turn.payee, amount)])
        if turn.again:
            self.let_pass(3 * WINDOW_MS_DEFAULT)
        thief = sorted(HOMES)[turn.number % len(HOMES)]
        copy = build_payment(
            [town.order(thief, amount)],
            tokens,
            wallet.keys,
            town.network.surroundings.build_context(),
        )
        self.send_copy(payer, real, copy, is_late=turn.again)

    def send_copy(
        self, payer: str, real: BuiltTransaction, copy: BuiltTransaction, *, is_late: bool
    ) -> None:
        """Refused by the payer's bank, and by the notary with evidence while windows overlap."""
        town, home = self.town, HOMES[payer]
        with pytest.raises(SpecieError) as known:
            town.bank(home).attest_payment(copy)
        assert known.value.code is ErrorCode.INPUT_SPENT
        data = encode_attested(attest_all(town, copy, home, is_honest=False))
        with pytest.raises(SpecieError) as refused:
            town.notary.notarise(data)
        assert refused.value.code is ErrorCode.INPUT_SPENT
        assert isinstance(refused.value, SpentError) is not is_late
        if isinstance(refused.value, SpentError):
            found = verify_evidence(refused.value.evidence, town.network.genesis.network)
            assert (found.first.txid, found.second.txid) == (real.signed.txid, copy.signed.txid)
            assert found.output.ref in real.signed.body.inputs

    def replay(self, turn: Turn) -> None:  # X12
        """Old bytes get the old answer, and delivering it again changes nothing."""
        sent = list(self.town.promises)
        data = sent[turn.number % len(sent)]
        promise = self.town.network.notary.notarise(data)
        assert promise == self.town.promises[data]
        for bank in self.town.network.banks.values():
            bank.deliver(promise)

    # --- people and banks in trouble --------------------------------------------------------------

    def block_or_unblock(self, turn: Turn) -> None:  # T20
        """A freeze stops attestation and moves nothing."""
        name, blocked = turn.payer, self.town.model.blocked
        bank = self.town.bank(HOMES[name])
        if name in blocked:
            bank.unblock(ClientId(name))
        else:
            bank.block(ClientId(name))
        blocked ^= {name}

    def suspend_or_reinstate(self, turn: Turn) -> None:  # T2
        """The other bank is its successor; back, it reads in the log what that one attested."""
        if self.town.model.suspended is None:
            set_standing(self.town, turn.bank, Status.SUSPENDED, get_other(turn.bank))
            self.town.model.suspended = turn.bank
            return
        self.write_log(is_forced=True)
        suspended = ParticipantNumber(self.town.model.suspended)
        set_standing(self.town, suspended, Status.ACTIVE, None)
        self.town.model.suspended = None

    def fail_over(self, turn: Turn) -> None:  # T2, T16
        """Money of a failed bank's clients never freezes: its successor attests in its place."""
        town, wallet = self.town, self.town.vault(turn.payer)
        amount = min(self.choose(turn.payer, turn.part), wallet.get_balance())
        if amount == 0 or {turn.payer, turn.payee} & town.model.blocked:
            return
        if town.model.suspended is None:
            self.suspend_or_reinstate(turn)
        order = town.draw_order()
        built = wallet.prepare_payment([town.order(turn.payee, amount)], order).built
        home, suspended = HOMES[turn.payer], town.model.suspended
        attested = attest_all(town, built, home, is_honest=True)
        promise = town.notary.notarise(encode_attested(attested))
        for bank in town.network.banks.values():
            bank.deliver(promise)
        wallet.settle(order, promise)
        unseen = [turn.payee] if HOMES[turn.payee] == suspended else []
        town.model.pay(turn.payer, [(turn.payee, amount)], unseen)

    # --- time, the log, restarts ------------------------------------------------------------------

    def publish(self, turn: Turn) -> None:  # X1
        """Now, whether it is due or not."""
        self.write_log(is_forced=True)

    def wait(self, turn: Turn) -> None:
        """What is due is published; signatures that nobody can use any more give tokens back."""
        self.let_pass((MINUTE_MS // 60, 3 * MINUTE_MS, 25 * MINUTE_MS)[turn.number % 3])
        log_time, released = self.town.release_expired()
        expired = [
            one
            for one in self.refused
            if one.signed_at is not None and compute_window(Timestamp(one.signed_at))[1] < log_time
        ]
        assert released == sum(not one.is_released for one in expired)
        for one in expired:
            one.is_released = True

    def lose_power(self, turn: Turn) -> None:  # X12
        """Everything acknowledged is still there afterwards."""
        self.town.restart()
        check_promises(self.town)
        check_log(self.town)

    # --- parts of steps --------------------------------------------------------------------------

    def place(self, request: Request, turn: Turn) -> None:
        """Ask; what is refused may be repeated later."""
        if not request.run(self.town, turn.stop, is_restarted=turn.again):
            self.refused.append(request)

    def fetch(self, name: str) -> None:
        """A device comes online."""
        self.town.collect(name)
        self.town.model.collect(name)

    def choose(self, holder: Holder, part: str) -> int:
        """An amount by what the holder could spend now."""
        tokens = [token.amount for token in self.town.vault(holder).load_tokens()]
        return choose(part, sum(tokens), max(tokens, default=1))

    def let_pass(self, milliseconds: int) -> None:
        """The clock moves; whoever runs the notary publishes what is due."""
        self.town.clock.advance(milliseconds)
        self.write_log(is_forced=False)

    def write_log(self, *, is_forced: bool) -> None:
        """Publish, and verify the supply from the public folder alone."""
        if self.town.publish(is_forced=is_forced):
            self.town.model.publish()
            check_log(self.town)


@cache
def build_start(mode: ProofMode) -> Town:
    """The town that every run begins with; made once, copied for each."""
    town = build_town(mode)
    atexit.register(town.close)
    for bank in BANKS:
        town.lend(bank, 10 * START)
        town.model.lend(bank, 10 * START)
        make_issue(town, bank, 5 * START).run(town)
    for name in HOMES:
        town.lend_to_client(name, 2 * START)
        town.model.deposits[name] += 2 * START
    for bank in BANKS:
        names = [name for name, home in HOMES.items() if home == bank]
        make_withdrawal(town, bank, [(name, START) for name in names]).run(town)
    for name in HOMES:
        town.collect(name)
        town.model.collect(name)
    check_all(town)
    return town


def choose(part: str, available: int, token: int) -> int:
    """A part of what is there, at least 1."""
    amounts = {
        "one": 1,
        "some": 37,
        "token": token,
        "half": available // 2,
        "all": available,
        "too much": available + 1,
    }
    return max(1, amounts[part])


@pytest.mark.hypothesis
@pytest.mark.parametrize("part", range(3))
def test_money_is_conserved_whatever_is_asked(part: int) -> None:  # X12, P10, T15
    """In parts of few examples: after its first ten, Hypothesis mostly varies what it has."""
    play(NetworkMachine, steps=20)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(6))
def test_money_is_conserved_over_long_times(part: int) -> None:  # X12, P10, T15
    play(NetworkMachine, steps=100)
