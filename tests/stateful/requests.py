"""What people and banks ask for, and why it must be refused, judged by the model alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ParticipantNumber
from specie.values.limits import INPUTS_MAX, WINDOW_MS_DEFAULT
from specie.values.times import Timestamp
from specie.wallet.windows import compute_window
from tests.stateful.interruptions import Fuse, Interrupted
from tests.stateful.invariants import check_interrupted
from tests.stateful.town import HOMES, Flow, Holder, Town, get_other

Codes = set[ErrorCode]
OUTAGE_MS: Final = 3 * WINDOW_MS_DEFAULT

SIGNED: Final = frozenset(
    {
        ErrorCode.CLIENT_BLOCKED,
        ErrorCode.ATTESTER_SUSPENDED,
        ErrorCode.NOT_SERVED_HERE,
        ErrorCode.EXPIRED,
    }
)
"""Refused after it was signed: its tokens stay reserved until nobody can use the signature."""

HALF_ATTESTED: Final = frozenset({ErrorCode.ATTESTER_SUSPENDED, ErrorCode.NOT_SERVED_HERE})


@dataclass(slots=True)
class Request:
    """An order with an id: the same again is the same order, however often it is repeated."""

    flow: Flow
    find_reasons: Callable[[], Codes]  # besides money and time
    apply: Callable[[], None]  # what it changes in the model
    amount: int = 0
    holder: Holder | None = None  # whose tokens are spent, if any are
    hold: Callable[[], None] = lambda: None  # what the flow takes even if it is refused later
    can_hold: Callable[[], bool] = lambda: True
    give_back: Callable[[], None] = lambda: None  # what was held, once it can never be paid
    ended_by: frozenset[ErrorCode] = frozenset()  # refusals that end it: nothing of it waits
    survives_outage: bool = False  # it is resumed even when what was signed has run out
    is_held: bool = False
    signed_at: int | None = None
    is_released: bool = False
    is_half_attested: bool = False  # one bank may have signed before the other could not

    def run(self, town: Town, stop: int | None = None, *, is_restarted: bool = False) -> bool:
        """Ask; what must be refused is, for a foretold reason, and all else is accepted."""
        reasons = self.find_all_reasons(town)
        try:
            self._flow_through(town, stop, is_restarted=is_restarted)
        except SpecieError as error:
            code = error.code
        else:
            may_be = {ErrorCode.CLIENT_BLOCKED} if self.is_half_attested else set()
            assert reasons <= may_be, f"accepted; foretold: {sorted(reasons)}"
            self.note_accepted()
            return True
        assert code in reasons, f"refused with {code}; foretold: {sorted(reasons)}"
        self.note_refused(code, town)
        return False

    def find_all_reasons(self, town: Town) -> Codes:
        """Every reason there is; none means that it must be accepted."""
        if self.is_released:
            return {ErrorCode.ORDER_CONFLICT}
        if not self.is_held and not self.can_hold():
            return {ErrorCode.ACCOUNT_OVERDRAWN}
        reasons = self.find_reasons()
        if reasons & self.ended_by:  # stopped while it was ended, it is at its end when asked again
            reasons |= {ErrorCode.ORDER_CONFLICT}
        if self.signed_at is not None:
            is_late = town.now > compute_window(Timestamp(self.signed_at))[1]
            return reasons | ({ErrorCode.EXPIRED} if is_late else set())
        if self.holder is None:
            return reasons
        vault = town.vault(self.holder)
        if self.amount > vault.get_balance():
            return reasons | {ErrorCode.FUNDS_INSUFFICIENT}
        largest = sorted((token.amount for token in vault.load_tokens()), reverse=True)
        is_scattered = sum(largest[:INPUTS_MAX]) < self.amount
        return reasons | ({ErrorCode.TOKENS_TOO_MANY} if is_scattered else set())

    def _flow_through(self, town: Town, stop: int | None, *, is_restarted: bool) -> None:
        """To the end; if it is interrupted, it is looked at, and repeated with the same id."""
        try:
            self.flow(Fuse(stop))
        except Interrupted:
            check_interrupted(town, self.amount)
            if is_restarted:
                town.restart()
            if is_restarted and self.survives_outage:
                town.clock.advance(OUTAGE_MS)
            self.flow(Fuse(None))

    def note_accepted(self) -> None:
        """It has happened."""
        if not self.is_held:
            self.hold()
        self.apply()

    def note_refused(self, code: ErrorCode, town: Town) -> None:
        """It has not, and this is what remains of it."""
        if self.is_released:
            if self.is_held:
                self.give_back()
                self.is_held = False
            return
        if code in self.ended_by or (self.ended_by and code is ErrorCode.ORDER_CONFLICT):
            if self.is_held:
                self.give_back()
            self.is_held, self.is_released = False, True
            return
        if not self.is_held and code is not ErrorCode.ACCOUNT_OVERDRAWN:
            self.hold()
            self.is_held = True
        if self.signed_at is None and code in SIGNED:
            self.signed_at = town.now
        # what a bank has attested it attests again, whoever is blocked since: a retry gets the same
        self.is_half_attested |= code in HALF_ATTESTED


def make_issue(town: Town, bank: ParticipantNumber, amount: int) -> Request:
    """Reserves become tokens (P8)."""
    model, order = town.model, town.draw_order()

    def find_reasons() -> Codes:
        reasons = {ErrorCode.PARTICIPANT_INACTIVE} if model.suspended == bank else set()
        return reasons | ({ErrorCode.ACCOUNT_OVERDRAWN} if amount > model.reserves[bank] else set())

    flow = partial(town.issue, bank, amount, order)
    return Request(
        flow, find_reasons, partial(model.issue, bank, amount), amount, survives_outage=True
    )


def make_redemption(town: Town, bank: ParticipantNumber, amount: int) -> Request:
    """Tokens become reserves (P9)."""
    model, order = town.model, town.draw_order()

    def find_reasons() -> Codes:
        return {ErrorCode.PARTICIPANT_INACTIVE} if model.suspended == bank else set()

    flow = partial(town.redeem, bank, amount, order)
    return Request(flow, find_reasons, partial(model.redeem, bank, amount), amount, bank)


def make_withdrawal(
    town: Town, bank: ParticipantNumber, paid: Sequence[tuple[str, int]]
) -> Request:
    """Deposits become tokens (T6)."""
    model, order = town.model, town.draw_order()
    wanted = {name: sum(part for payee, part in paid if payee == name) for name, _ in paid}
    return Request(
        flow=partial(town.withdraw, bank, paid, order),
        find_reasons=lambda: find_payment_reasons(town, bank, list(wanted)),
        apply=partial(model.withdraw, bank, paid),
        amount=sum(amount for _, amount in paid),
        holder=bank,
        hold=partial(model.hold, bank, paid),
        give_back=partial(model.give_back, bank, paid),
        can_hold=lambda: all(model.deposits[name] >= one for name, one in wanted.items()),
        ended_by=frozenset({ErrorCode.CLIENT_BLOCKED}),
    )


def make_deposit(town: Town, name: str, amount: int) -> Request:
    """Tokens become a deposit (T19)."""
    model, order = town.model, town.draw_order()
    return Request(
        flow=partial(town.deposit, name, amount, order),
        find_reasons=lambda: find_payment_reasons(town, name, [HOMES[name]]),
        apply=partial(model.deposit, HOMES[name], name, amount),
        amount=amount,
        holder=name,
    )


def make_transfer(town: Town, bank: ParticipantNumber, amount: int) -> Request:
    """From one bank's vault to the other's (P14)."""
    model, order, other = town.model, town.draw_order(), get_other(bank)
    return Request(
        flow=partial(town.transfer, bank, amount, order),
        find_reasons=lambda: find_payment_reasons(town, bank, [other]),
        apply=partial(model.transfer, bank, other, amount),
        amount=amount,
        holder=bank,
    )


def make_payment(town: Town, payer: str, paid: Sequence[tuple[str, int]]) -> Request:
    """From a device to one or two others, to other banks' clients too (T8)."""
    order = town.draw_order()
    return Request(
        flow=partial(town.pay, payer, paid, order),
        find_reasons=lambda: find_payment_reasons(town, payer, [name for name, _ in paid]),
        apply=partial(town.model.pay, payer, paid),
        amount=sum(amount for _, amount in paid),
        holder=payer,
    )


def find_payment_reasons(town: Town, payer: Holder, payees: Sequence[Holder]) -> Codes:
    """A blocked client, or a bank that may not attest (T2); it may know too little besides."""
    model = town.model
    holders = {payer, *payees}
    reasons: Codes = set()
    if holders & model.blocked:
        reasons.add(ErrorCode.CLIENT_BLOCKED)
    banks = {HOMES[one] if isinstance(one, str) else one for one in holders}
    if model.suspended in banks:
        reasons |= {ErrorCode.ATTESTER_SUSPENDED, ErrorCode.NOT_SERVED_HERE}
    return reasons
