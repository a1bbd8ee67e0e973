"""An auditor with a model of its own, built from requests and answers alone.

It hears every request that arrives and every answer as it is given, also those that are lost on
the way back. What was acknowledged moves amounts in its model; at rest, books, log, vaults and
wallets must say what the model says.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

from specie.ledger.audit import PublicAudit, split_batches
from specie.ledger.transactions import Promise, TransactionBody, VoidPromise
from specie.ledger.wire import decode_attested, decode_signed
from specie.log.notes import parse_note
from specie.simulation.country import BANKS, HOMES, Country, name_bank
from specie.simulation.orders import Order, State
from specie.store.log_files import LogFolder
from specie.tokens.holdings import Token
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, OutputRef, TransactionId
from specie.wallet.vault import Vault

OPEN_KINDS: Final = ("issue", "redemption")


class Violation(Exception):
    """Something that must hold does not."""


class Auditor:
    """The model, and what is compared with it."""

    def __init__(self, country: Country) -> None:
        self.country = country
        self.accounts: dict[str, int] = defaultdict(int)
        self.copied: set[str] = set()
        self.promised: list[Callable[[TransactionId], None]] = []  # told of what becomes final
        self.find_flow: Callable[[str], int] = _find_no_flow  # what no order says of an account
        self._bodies: dict[TransactionId, TransactionBody] = {}
        self._promises: dict[TransactionId, Promise] = {}
        self._voids: set[TransactionId] = set()
        self._spent: dict[OutputRef, TransactionId] = {}
        self._made: set[OutputRef] = set()
        self._signed: dict[OutputRef, set[TransactionId]] = defaultdict(set)
        self._serial = 0
        country.world.askers.append(self.hear_request)
        country.world.listeners.append(self.hear_answer)

    def acknowledge(self, order: Order) -> None:
        """Whoever asked was told that it is done."""
        for account, amount in order.moves:
            self.accounts[account] += amount

    def hear_request(self, callee: str, method: str, arguments: tuple[Any, ...]) -> None:
        """A transaction shows what it spends and makes."""
        if (callee, method) == ("notary", "notarise"):
            try:
                body = decode_attested(arguments[0]).body
            except SpecieError:
                return
            self._check_signed_once(body)
            self._bodies[body.txid] = body

    def _check_signed_once(self, body: TransactionBody) -> None:
        """No wallet signs twice for one token while the first may still become final (T15).

        Where somebody has copied a wallet, two of them may: then nobody can tell.
        """
        for ref in body.inputs:
            for txid in self._signed[ref] - self._voids - {body.txid}:
                other = self._bodies[txid]
                is_apart = other.not_after < body.not_before or body.not_after < other.not_before
                _expect(is_apart or bool(self.copied), "nobody signs twice for one token")
            self._signed[ref].add(body.txid)

    def hear_answer(
        self, callee: str, method: str, arguments: tuple[Any, ...], answer: Any
    ) -> None:
        """Each answer against all that were given before."""
        if callee == "notary":
            self._hear_notary(method, arguments, answer)
        elif callee.startswith("bank-") and method == "fetch_outputs":
            early = [output.ref for output in answer if output.ref not in self._made]
            _expect(not early, f"{callee} hands out only what the notary has promised")

    def check_supply(self, orders: list[Order]) -> None:
        """What the fund has over the supply is in transit, under an order that is open (X1)."""
        world = self.country.world
        notary, accounting = world.machines["notary"].service, world.machines["accounting"].service
        if notary is None or accounting is None:
            return
        open_amount = sum(
            order.amount for order in orders if order.kind in OPEN_KINDS and _is_open(order)
        )
        over = accounting.get_fund() - notary.get_supply().total
        _expect(0 <= over <= open_amount, f"fund − supply = {over}, in transit {open_amount}")

    def check_rest(self, orders: list[Order]) -> None:
        """Everything has ended, and everybody has what the model says."""
        stuck = [order.name for order in orders if order.state is State.OPEN]
        _expect(not stuck, f"no order is stuck: {', '.join(stuck)}")
        self._check_central_bank()
        for number in BANKS:
            self._check_bank(name_bank(number))
        for name in HOMES:
            self._check_person(name)
        self._check_log()
        self._check_promises()

    # --- what the notary says -----------------------------------------------------------------

    def _hear_notary(self, method: str, arguments: tuple[Any, ...], answer: Any) -> None:
        if method == "notarise":
            txid = decode_attested(arguments[0]).body.txid
            _expect(answer.txid == txid, "a promise is for what was sent")
            self._note_promise(answer)
        if method == "find_promise":
            txid = arguments[0]
            is_lost = answer is None and txid in self._promises
            _expect(not is_lost, "what the notary has promised once it knows for ever")
            if answer is not None:
                self._note_promise(answer)
        if method == "void":
            self._note_void(decode_signed(arguments[0]).body.txid, answer)
        if method == "get_supply":
            _expect(answer.serial >= self._serial, "serials of the supply only grow")
            self._serial = answer.serial

    def _note_promise(self, promise: Promise) -> None:
        txid = promise.txid
        _expect(txid not in self._voids, "what is void is never promised")
        _expect(txid in self._bodies, "only what was sent is promised")
        is_fresh = txid not in self._promises
        known = self._promises.setdefault(txid, promise)
        _expect(known == promise, "the same transaction gets the same answer")
        body = self._bodies[txid]
        for ref in body.inputs:
            _expect(self._spent.setdefault(ref, txid) == txid, "no output is spent twice")
        self._made.update(output.ref for output in body.outputs)
        for tell in self.promised if is_fresh else ():
            tell(txid)

    def _note_void(self, txid: TransactionId, answer: VoidPromise) -> None:
        _expect(answer.txid == txid, "a void is for what was sent")
        _expect(txid not in self._promises, "what was promised is never void")
        self._voids.add(txid)

    # --- at rest --------------------------------------------------------------------------------

    def _check_central_bank(self) -> None:
        accounting = self.country.machine("accounting").get()
        supply = self.country.machine("notary").get().get_supply().total
        self.compare("supply", supply)
        self.compare("supply", accounting.get_fund(), "the issuance fund")
        for number in BANKS:
            self.compare(f"reserves {name_bank(number)}", accounting.get_reserves(number))

    def _check_bank(self, name: str) -> None:
        bank = self.country.machine(name).get()
        self.compare(name, bank.vault.get_balance(), "tokens of its vault")
        self.compare(name, bank.books.get_vault(), "its books")
        self.compare(f"reserves {name}", bank.books.get_reserves(), "its books")
        _expect(bank.books.get_in_transit() == 0, f"{name}: no deposit is held any more")
        _expect(not bank.vault.list_waiting(), f"{name}: no payment of the vault waits")

    def _check_person(self, name: str) -> None:
        bank = self.country.machine(name_bank(HOMES[name])).get()
        self.compare(f"deposit {name}", bank.books.get_deposit(ClientId(name)))
        wallet: Vault = self.country.machine(name).get()
        if name not in self.copied:
            _expect(not wallet.list_waiting(), f"{name}: no payment waits")
            self.compare(name, wallet.get_balance(), "the wallet")
            return
        copy = self.country.get_vault(f"{name}-copy")
        tokens = {token.ref: token for one in (wallet, copy) for token in one.load_tokens()}
        self.compare(name, self._sum_unspent(list(tokens.values())), "both wallets")

    def _sum_unspent(self, tokens: list[Token]) -> int:
        return sum(token.amount for token in tokens if token.ref not in self._spent)

    def _check_log(self) -> None:
        folder, country = LogFolder(self.country.public), self.country
        size = parse_note(folder.read_checkpoint())[0].size
        audit = PublicAudit(country.genesis, country.members)
        for batch in split_batches(folder.iterate_leaves(size)):
            audit.add_batch(batch)
        self.compare("supply", audit.finish().supply, "the published log")

    def _check_promises(self) -> None:
        notary = self.country.machine("notary").get()
        for txid, promise in self._promises.items():
            _expect(notary.find_promise(txid) == promise, "every promise is still known")

    def compare(self, account: str, found: int, where: str = "the books") -> None:
        """What is somewhere against the model."""
        expected = self.accounts[account] + self.find_flow(account)
        _expect(found == expected, f"{account}: {where} say {found}, the model says {expected}")


def _find_no_flow(_account: str) -> int:
    return 0


def _is_open(order: Order) -> bool:
    return order.state is State.OPEN


def _expect(holds: bool, rule: str) -> None:  # noqa: FBT001  # an assertion of the auditor's
    if not holds:
        raise Violation(rule)
