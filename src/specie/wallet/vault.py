"""Tokens and outgoing payments of one holder: a person's purse or an institution's vault.

    reserve (durable) → build → record (durable) → send → settle | release | cancel (durable)

Killed before `record`: nothing was signed that anyone saw, the reservation is freed at start.
Killed after it: the same bytes are sent again and get the same answer.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from specie.crypto.addresses import Address
from specie.crypto.outputs import Opening, derive_owner_key, unpack_opening
from specie.identity.genesis import Genesis
from specie.identity.roster import Roster
from specie.ledger.promises import verify_promise, verify_void_promise
from specie.ledger.records import Output
from specie.ledger.transactions import Promise, SignedTransaction, VoidPromise
from specie.ledger.voids import sign_void
from specie.ledger.wire import decode_signed, encode_signed
from specie.ports.clock import Clock
from specie.ports.randomness import Identifiers
from specie.ports.vault import (
    HeldToken,
    PaymentState,
    Received,
    Selection,
    StoredPayment,
    VaultStore,
)
from specie.tokens.building import (
    BuildContext,
    BuiltTransaction,
    PaymentOrder,
    build_payment,
    build_redemption,
)
from specie.tokens.disclosures import Disclosure
from specie.tokens.holdings import HolderKeys, Memo, Token
from specie.tokens.scanning import scan_own
from specie.tokens.selection import (
    compute_part,
    list_small,
    select_largest,
    select_merge,
    select_pair,
    select_tokens,
)
from specie.values.amounts import Minor, sum_minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import OutputRef, ParticipantNumber, PublicKey, Signature
from specie.values.limits import INPUTS_MAX, OUTPUTS_MAX
from specie.values.times import Timestamp
from specie.wallet.history import History, build_history
from specie.wallet.releasing import LogView
from specie.wallet.windows import compute_last_signed, compute_window, is_signable

_Build = Callable[[Sequence[Token], BuildContext], BuiltTransaction]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a holder needs of the world: the network, who takes part, time, fresh identifiers."""

    roster: Roster
    clock: Clock
    identifiers: Identifiers

    @property
    def genesis(self) -> Genesis:
        """The network's parameters."""
        return self.roster.genesis

    def build_context(self, signed_until: Timestamp | None = None) -> BuildContext:
        """Rules and a window that begins a little before now, for clocks that differ.

        It begins after `signed_until`; `token_unavailable` if that is still to come.
        """
        not_before, not_after = compute_window(self.clock.now(), signed_until)
        return BuildContext(
            network=self.genesis.network,
            proof_mode=self.genesis.proof_mode,
            find_scan_key=self.find_scan_key,
            not_before=not_before,
            not_after=not_after,
        )

    def find_scan_key(self, bank: ParticipantNumber) -> PublicKey:
        """V of a bank."""
        return self.roster.current.get(bank).scan_key


@dataclass(frozen=True, slots=True, repr=False)
class _Plan:
    """What a payment id stands for: amounts by creditor, the change of the supply, and how."""

    orders: Sequence[PaymentOrder]
    supply_change: int
    select: Selection
    build: _Build


@dataclass(frozen=True, slots=True, repr=False)
class PreparedPayment:
    """Recorded, with its tokens reserved; to be attested and notarised."""

    payment_id: bytes
    built: BuiltTransaction


class Vault:
    """One holder's tokens."""

    def __init__(
        self,
        keys: HolderKeys,
        store: VaultStore,
        surroundings: Surroundings,
        *,
        is_looking: bool = False,
    ) -> None:
        """`is_looking`: another process may be paying from this store; nothing is freed then."""
        self.keys = keys
        self.surroundings = surroundings
        self._store = store
        if not is_looking:
            store.release_unsigned()

    def get_balance(self) -> Minor:
        """What is neither spent nor reserved."""
        return sum_minor([held.amount for held in self._store.load_available()])

    def load_tokens(self) -> list[Token]:
        """The tokens behind the balance."""
        return [held.token for held in self._store.load_available()]

    def load_unspent(self) -> list[Token]:
        """What is not spent, also what a payment whose answer was not heard waits with."""
        spent = set(self._store.load_spent())
        return [held.token for held in self._store.load_tokens() if held.ref not in spent]

    def load_history(self) -> History:
        """What was paid and received here, the oldest first."""
        payments, tokens = self._store.load_payments(), self._store.load_tokens()
        network = self.surroundings.genesis.network
        return build_history(payments, tokens, self.keys.address, network)

    def can_pay(self, amount: Minor) -> bool:
        """False if the money is there but in too many small tokens: merge first."""
        free, now = self._store.load_available(), self.surroundings.clock.now()
        try:
            _select_signable(free, lambda ready: select_tokens(ready, amount), now)
        except SpecieError as error:
            if error.code is ErrorCode.TOKENS_TOO_MANY:
                return False
            raise
        return True

    def prepare_payment(self, orders: Sequence[PaymentOrder], payment_id: bytes) -> PreparedPayment:
        """Reserve, build, sign, record; the same id again gives what was recorded.

        `order_conflict` if the id was used for something else or was refused.
        """
        amount = sum_minor([order.amount for order in orders])
        plan = _Plan(
            orders=orders,
            supply_change=0,
            select=lambda free: select_tokens(free, amount),
            build=lambda tokens, context: build_payment(orders, tokens, self.keys, context),
        )
        return self._prepare(payment_id, plan)

    def prepare_redemption(self, amount: Minor, payment_id: bytes) -> PreparedPayment:
        """The same for money that goes back into reserves."""
        plan = _Plan(
            orders=(),
            supply_change=-amount,
            select=lambda free: select_tokens(free, amount),
            build=lambda tokens, context: build_redemption(amount, tokens, self.keys, context),
        )
        return self._prepare(payment_id, plan)

    def prepare_merge(self, payment_id: bytes) -> PreparedPayment:
        """Pay ourselves with our largest tokens, as many as a transaction holds.

        Whoever has the money can pay after finitely many merges, whatever others send meanwhile.
        """
        return self._prepare(payment_id, _Plan((), 0, select_merge, self._build_merge))

    def count_small(self, since: Timestamp) -> int:
        """Tokens that filler may spend now: not signed for, not of a filler made since then."""
        made, now = self._list_filler_outputs(since), self.surroundings.clock.now()
        free = self._store.load_available()
        return len(list_small(one for one in free if _is_usable(one, made, now)))

    def prepare_filler(self, payment_id: bytes, since: Timestamp) -> PreparedPayment:
        """Pay ourselves with the two smallest tokens, in the same two amounts.

        `since` is when the log was last published: what filler has made since then is not spent,
        so that no output of filler is created and spent in one batch. `funds_insufficient` if
        there are not two.
        """
        made, now = self._list_filler_outputs(since), self.surroundings.clock.now()
        plan = _Plan(
            orders=(),
            supply_change=0,
            select=lambda free: select_pair(one for one in free if _is_usable(one, made, now)),
            build=self._build_filler,
        )
        return self._prepare(payment_id, plan)

    def prepare_split(self, payment_id: bytes) -> PreparedPayment:
        """Fifteen small tokens off our largest one, for filler to come."""
        return self._prepare(payment_id, _Plan((), 0, select_largest, self._build_split))

    def settle(self, payment_id: bytes, promise: Promise) -> None:
        """The notary has promised: inputs are spent, our change is available."""
        verify_promise(promise, self.surroundings.roster)
        payment = self._get_payment(payment_id)
        if payment.txid != promise.txid:
            raise SpecieError(ErrorCode.PROMISE_INVALID, "a promise for another transaction")
        built = rebuild_payment(payment)
        inputs, now = built.signed.body.inputs, self.surroundings.clock.now()
        self._store.settle(payment_id, inputs, self._find_own(built), now)

    def list_waiting(self) -> list[OutputRef]:
        """Inputs of payments whose answer was not heard."""
        prepared = self._store.load_prepared()
        return [ref for one in prepared for ref in decode_signed(one.data).body.inputs]

    def release_expired(self, view: LogView) -> int:
        """Free the tokens of payments that can no longer become final; gives how many payments.

        Whoever once saw a signed transaction may bring it to the notary until its window is over.
        So tokens are freed only once the log has a header later than `not_after` and does not show
        all of them spent. If it shows some of them spent, that was another transaction: a
        transaction spends all its inputs or none.
        """
        released = 0
        for payment in self._store.load_prepared():
            inputs = decode_signed(payment.data).body.inputs
            spent = [ref for ref in inputs if ref in view.spent]
            if view.time > payment.not_after and len(spent) < len(inputs):
                self._store.release(payment.payment_id, spent)
                released += 1
        return released

    def sign_void(self, payment_id: bytes) -> tuple[bytes, Signature]:
        """What cancels a payment at the notary, before it is final; changes nothing here."""
        payment = self._get_payment(payment_id)
        if payment.state is PaymentState.SETTLED:
            raise SpecieError(ErrorCode.TRANSACTION_FINAL, "the payment is final")
        if payment.state is PaymentState.REFUSED:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "the payment was refused already")
        signed = decode_signed(payment.data)
        token = self._store.find_token(signed.body.inputs[0])
        assert token is not None, "a recorded payment spends tokens of ours"
        own = self.keys.get_for(token.opening)
        owner = derive_owner_key(own.spend, own.view, token.output.data)
        return payment.data, sign_void(signed, owner)

    def release_void(self, payment_id: bytes, promise: VoidPromise) -> None:
        """The notary has promised that the payment is void: its tokens are free at once.

        `promise_invalid` unless it signed that of this payment. The promise is kept. A void
        transaction is no evidence, so the next window may overlap the one that was signed.
        """
        payment = self._get_payment(payment_id)
        verify_void_promise(promise, self.surroundings.roster)
        if payment.txid != promise.txid:
            raise SpecieError(ErrorCode.PROMISE_INVALID, "a promise for another transaction")
        not_before = decode_signed(payment.data).body.not_before
        signed_until = Timestamp(max(0, not_before - 1))
        self._store.release_void(payment_id, signed_until, promise)

    def find_payment(self, payment_id: bytes) -> StoredPayment | None:
        """What was recorded under this id."""
        return self._store.find_payment(payment_id)

    def is_waiting(self, payment_id: bytes) -> bool:
        """Whether this payment is recorded and has not come to its end."""
        found = self._store.find_payment(payment_id)
        return found is not None and found.state is PaymentState.PREPARED

    def receive(self, outputs: Sequence[Output]) -> Received:
        """Take what is ours among outputs that are final; nothing is said of what is not ours.

        Outputs of 0 are ours and left: our own change is recorded by `settle`, and others send
        nothing only to fill our wallet.
        """
        bank = self.surroundings.roster.current.get(self.keys.address.bank)
        found = scan_own(outputs, self.keys, bank)
        worth = [token for token in found if token.amount > 0]
        fresh = self._store.add_tokens(worth, self.surroundings.clock.now())
        return Received(tuple(token.ref for token in found), fresh)

    def take_restored(self, tokens: Sequence[Token], spent: Sequence[OutputRef] = ()) -> int:
        """Tokens that a phrase brought back; gives how many were new. `spent` are no longer ours.

        The device that was lost may have signed for them, for a window that nobody here knows. They
        are ours to see at once, and to spend once every window that it can have signed by now is
        over (ADR 0017).
        """
        now = self.surroundings.clock.now()
        worth = [token for token in tokens if token.amount > 0]
        self._store.mark_spent(spent)
        return self._store.add_tokens(worth, now, compute_last_signed(now))

    def take_rescued(self, tokens: Sequence[Token], held: Mapping[OutputRef, Timestamp]) -> int:
        """Tokens of a wallet that its bank has stopped; gives how many were new (ADR 0031).

        Without the bank's attestation nothing of it becomes final, so they may be signed for at
        once, but for those that the bank has attested payments of: those wait until then.
        """
        now = self.surroundings.clock.now()
        worth = [token for token in tokens if token.amount > 0]
        fresh = self._store.add_tokens([one for one in worth if one.ref not in held], now)
        for token in worth:
            if token.ref in held:
                fresh += self._store.add_tokens([token], now, held[token.ref])
        return fresh

    def sum_largest(self) -> Minor:
        """What one payment takes along at most, of what may be signed for now."""
        now = self.surroundings.clock.now()
        free = [one for one in self._store.load_available() if is_signable(now, one.signed_until)]
        return sum_minor(sorted((one.amount for one in free), reverse=True)[:INPUTS_MAX])

    def load_prepared(self) -> list[PreparedPayment]:
        """Payments whose answer was not heard: to be sent again."""
        return [
            PreparedPayment(payment.payment_id, rebuild_payment(payment))
            for payment in self._store.load_prepared()
        ]

    def _prepare(self, payment_id: bytes, plan: _Plan) -> PreparedPayment:
        known = self._store.find_payment(payment_id)
        if known is None:
            try:
                return self._make(payment_id, plan)
            except SpecieError:
                known = self._store.find_payment(payment_id)
                if known is None:
                    raise
        return self._repeat(known, plan)

    def _make(self, payment_id: bytes, plan: _Plan) -> PreparedPayment:
        now = self.surroundings.clock.now()
        chosen = self._store.reserve(
            payment_id, lambda free: _select_signable(free, plan.select, now)
        )
        signed_until = max((one.signed_until for one in chosen if one.signed_until), default=None)
        try:
            context = self.surroundings.build_context(signed_until)
            built = plan.build([one.token for one in chosen], context)
        except SpecieError:
            self._store.release_unsigned(payment_id)
            raise
        payment = StoredPayment(
            payment_id=payment_id,
            txid=built.signed.txid,
            data=encode_signed(built.signed),
            openings=tuple(opening.pack() for opening in built.disclosure.openings),
            state=PaymentState.PREPARED,
            not_after=built.signed.body.not_after,
            time=now,
        )
        self._store.record_payment(payment, built.signed.body.inputs)
        return PreparedPayment(payment_id, built)

    def _repeat(self, known: StoredPayment, plan: _Plan) -> PreparedPayment:
        """What was recorded, if it is what is asked now: the rest of it comes back to us."""
        if known.state in (PaymentState.REFUSED, PaymentState.CANCELLED):
            raise SpecieError(
                ErrorCode.ORDER_CONFLICT, f"it was {known.state.value}; order it anew"
            )
        built = rebuild_payment(known)
        paid = Counter(
            (Address(one.bank, one.view, one.spend), one.amount, one.memo)
            for one in built.disclosure.openings
        )
        asked = Counter((one.creditor, one.amount, one.memo.pack()) for one in plan.orders)
        is_rest_ours = {creditor for creditor, _, _ in paid - asked} <= {self.keys.address}
        is_change_same = built.signed.body.supply_change == plan.supply_change
        if not (asked <= paid and is_rest_ours and is_change_same):
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "this id was used for something else")
        return PreparedPayment(known.payment_id, built)

    def _build_merge(self, tokens: Sequence[Token], context: BuildContext) -> BuiltTransaction:
        total = sum_minor([token.amount for token in tokens])
        order = PaymentOrder(self.keys.address, total, Memo())
        return build_payment([order], tokens, self.keys, context)

    def _build_filler(self, tokens: Sequence[Token], context: BuildContext) -> BuiltTransaction:
        amount = min(token.amount for token in tokens)
        order = PaymentOrder(self.keys.address, amount, Memo())
        return build_payment([order], tokens, self.keys, context)

    def _build_split(self, tokens: Sequence[Token], context: BuildContext) -> BuiltTransaction:
        part = compute_part(tokens[0].amount)
        order = PaymentOrder(self.keys.address, part, Memo())
        return build_payment([order] * (OUTPUTS_MAX - 1), tokens, self.keys, context)

    def _list_filler_outputs(self, since: Timestamp) -> set[OutputRef]:
        """What payments of ours to ourselves with two outputs have made since then."""
        made: set[OutputRef] = set()
        for payment in self._store.load_payments(since):
            openings = [unpack_opening(opening) for opening in payment.openings]
            if len(openings) == 2 and all(_is_own(one, self.keys) for one in openings):
                body = decode_signed(payment.data).body
                made.update(output.ref for output in body.outputs)
        return made

    def _get_payment(self, payment_id: bytes) -> StoredPayment:
        payment = self._store.find_payment(payment_id)
        if payment is None:
            raise SpecieError(ErrorCode.PAYMENT_UNKNOWN, "no such payment")
        return payment

    def _find_own(self, built: BuiltTransaction) -> list[Token]:
        return [
            Token(output, opening)
            for output, opening in zip(
                built.signed.body.outputs, built.disclosure.openings, strict=True
            )
            if _is_own(opening, self.keys)
        ]


def _is_own(opening: Opening, keys: HolderKeys) -> bool:
    return opening.view == keys.address.view and opening.spend == keys.address.spend


def _is_usable(token: HeldToken, made: AbstractSet[OutputRef], now: Timestamp) -> bool:
    return token.ref not in made and is_signable(now, token.signed_until)


def rebuild_payment(payment: StoredPayment) -> BuiltTransaction:
    """A recorded payment as it was built."""
    signed: SignedTransaction = decode_signed(payment.data)
    openings = tuple(unpack_opening(opening) for opening in payment.openings)
    return BuiltTransaction(signed, Disclosure(openings))


def _select_signable(
    free: Sequence[HeldToken], select: Selection, now: Timestamp
) -> Sequence[HeldToken]:
    """Among tokens that no earlier window holds; `token_unavailable` if others would be enough."""
    ready = [one for one in free if is_signable(now, one.signed_until)]
    try:
        return select(ready)
    except SpecieError as error:
        is_short = error.code is ErrorCode.FUNDS_INSUFFICIENT
        if not is_short or not _is_enough(free, select):
            raise
    raise SpecieError(ErrorCode.TOKEN_UNAVAILABLE, "signed for before, and that is not over yet")


def _is_enough(free: Sequence[HeldToken], select: Selection) -> bool:
    try:
        select(free)
    except SpecieError as error:
        return error.code is not ErrorCode.FUNDS_INSUFFICIENT
    return True
