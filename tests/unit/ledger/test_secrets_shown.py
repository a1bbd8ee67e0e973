"""Nothing private in what a log line, a traceback or a debugger would print (X5, design §5.5).

`repr` and `str` of secrets, openings, disclosures, tokens and orders, of whatever holds them, and
of the error of every refusal: no key, salt, amount, name or address, in any usual spelling.
"""

import base64
import copy
import pickle
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from specie.crypto.addresses import format_address, parse_address
from specie.crypto.outputs import Opening, Scanner, derive_output
from specie.crypto.proofs import BatchRefusedError, verify_statements
from specie.crypto.secrets import KeyTree, SealingKey, derive_sealing_key, parse_phrase
from specie.ledger.batches import RecordedBatch, RecordedTransaction
from specie.ledger.contracts import check_contract
from specie.ledger.judging import Candidate, Judgement
from specie.ledger.records import Kind
from specie.ledger.state import LedgerOutput
from specie.ledger.statements import build_transaction_statement
from specie.ledger.transactions import Promise
from specie.ledger.wire import decode_attested, encode_attested, encode_signed
from specie.ports.clients import Movement, WatchedToken
from specie.ports.vault import HeldToken, PaymentState, StoredPayment
from specie.tokens.building import BuiltTransaction, PaymentOrder, build_payment
from specie.tokens.disclosures import Disclosure
from specie.tokens.holdings import HolderKeys, Memo
from specie.tokens.scanning import scan, scan_for_clients
from specie.tokens.selection import select_tokens
from specie.values.amounts import Currency, Minor, Money
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, NetworkId, OrderId, Signature
from specie.values.times import Timestamp
from specie.wallet.history import build_history
from specie.wallet.keys import create_keys, derive_master
from tests.building import (
    NORTH,
    SOUTH,
    Draft,
    Holding,
    Institution,
    World,
    assemble,
    hold,
    make_context,
    make_opening,
    make_view,
    make_world,
    sign,
)
from tests.clocks import SeededIdentifiers
from tests.reference import handles
from tests.unit.ledger.scenes import make_payment
from tests.unit.ledger.test_cash_rules import CASH_BREAKS
from tests.unit.tokens.contexts import make_build_context

AMOUNTS = (713_013_113_017, 307_070_707_109)
PAID = 900_900_900_911
REST = sum(AMOUNTS) - PAID
NAME = "Alice Examplename"
MEMO = Memo(OrderId(b"a private order!"), name=NAME)


@dataclass(frozen=True)
class Affair:
    """A payment with everything private about it."""

    world: World
    holdings: tuple[Holding, ...]
    draft: Draft

    @property
    def banks(self) -> tuple[Institution, ...]:
        return tuple(self.world.institutions.values())

    @property
    def people(self) -> tuple[HolderKeys, ...]:
        north, south = self.world.institutions[NORTH], self.world.institutions[SOUTH]
        return (north.alice, north.bob, south.bob)


@pytest.fixture(scope="module")
def affair() -> Affair:
    world = make_world()
    alice, bob = world.institutions[NORTH].alice, world.institutions[SOUTH].bob
    holdings = tuple(hold(world, alice, make_opening(alice.address, paid)) for paid in AMOUNTS)
    openings = [
        make_opening(bob.address, PAID, MEMO.pack()),
        make_opening(alice.address, REST),
    ]
    return Affair(world, holdings, assemble(world, holdings, openings))


# --- what is private, and how it could be spelled -----------------------------------------------


def list_secrets(affair: Affair) -> Iterator[bytes]:
    for one in affair.people:
        yield handles.expose(one.view, "view-key")
        yield handles.expose(one.spend, "spend-key")
        yield handles.expose(one.secret, "wallet-secret")
        yield one.address.view
        yield one.address.spend
    for key in (*affair.draft.owners, *affair.draft.kernels):
        yield handles.expose(key, "signing-key")
    for bank in affair.banks:
        yield handles.expose(bank.scan, "scan-key")
        yield handles.expose(bank.attestation, "signing-key")
        yield handles.expose(bank.institution, "institution-key")
    for opening in affair.draft.openings:
        yield opening.anchor
    yield affair.draft.body.offset
    yield MEMO.order_id


def spell(secret: bytes) -> Iterator[str]:
    """As Python, hexadecimal, base64 and decimal would show it, whole or in part."""
    for start in range(0, len(secret) - 7, 8):
        part = secret[start : start + 8]
        yield part.hex()
        yield repr(part)[2:-1]
    yield base64.b64encode(secret).decode()[:16]
    yield str(int.from_bytes(secret, "little"))
    yield str(int.from_bytes(secret, "big"))


def list_private(affair: Affair) -> Iterator[str]:
    for secret in list_secrets(affair):
        yield from spell(secret)
    for amount in (*AMOUNTS, PAID, REST):
        yield str(amount)
        yield f"{amount:,}"
        yield f"{amount:x}"
        yield affair.world.genesis.currency.format(amount)
    for one in affair.people:
        yield format_address(one.address, affair.world.genesis.address_prefix)
    yield NAME


def check_hidden(affair: Affair, *shown: object) -> None:
    forms = [form for one in shown for form in (repr(one), str(one), f"{one}", f"{[one]}")]
    text = "\n".join(forms)
    assert not [private for private in list_private(affair) if private in text]


# --- values -------------------------------------------------------------------------------------


def test_the_search_finds_what_is_shown(affair: Affair) -> None:
    """The control: what is printed in the open is found."""
    opening = affair.draft.openings[0]
    shown = (
        opening.amount,
        opening.pack(),
        opening.view.hex(),
        Money(Minor(PAID), Currency("A" * 3, 2)),
    )
    for one in shown:
        with pytest.raises(AssertionError):
            check_hidden(affair, one)


def test_keys_are_not_shown(affair: Affair) -> None:  # X5
    keys: list[object] = [
        key
        for bank in affair.banks
        for key in (bank.scan, bank.attestation, bank.institution, bank.vault)
    ]
    keys += [part for one in affair.people for part in (one, one.view, one.spend, one.secret)]
    keys += [*affair.draft.owners, *affair.draft.kernels, *affair.draft.masks]
    check_hidden(affair, *keys, SealingKey.generate())


def test_keys_are_not_pickled_or_copied(affair: Affair) -> None:  # X5
    alice, bank = affair.people[0], affair.banks[0]
    for key in (alice.view, alice.spend, alice.secret, bank.scan, bank.attestation):
        with pytest.raises(TypeError):
            pickle.dumps(key)
        with pytest.raises(TypeError):
            copy.copy(key)


def test_openings_tokens_and_orders_are_not_shown(affair: Affair) -> None:  # X5, T9
    draft, world = affair.draft, affair.world
    transaction = sign(draft)
    built = BuiltTransaction(transaction.signed, Disclosure(draft.openings))
    view = built.build_payee_view(SOUTH)
    bob = affair.people[2]
    order = PaymentOrder(bob.address, Minor(PAID), MEMO)
    derived = derive_output(draft.openings[0], world.members.get(SOUTH).scan_key)
    tokens = [one.token for one in affair.holdings]
    check_hidden(affair, *draft.openings, built, built.disclosure, view, *view.outputs)
    check_hidden(affair, order, order.creditor, MEMO, derived, *tokens, bob)
    check_hidden(affair, transaction, transaction.signed, draft.body, draft.body.outline)
    check_hidden(affair, *draft.body.terms, decode_attested(encode_attested(transaction)))
    check_hidden(affair, make_build_context(world), select_tokens(tokens, Minor(PAID)))


def test_openings_are_not_pickled_or_copied(affair: Affair) -> None:  # X5
    """They leave the process sealed only; also inside of what holds them."""
    opening, token = affair.draft.openings[0], affair.holdings[0].token
    for one in (opening, token, Disclosure((opening,))):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError):
                pickle.dumps(one, protocol)
    for copier in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            copier(opening)


def test_what_is_stored_is_not_shown(affair: Affair) -> None:  # X5, T20
    """Rows of vaults, of banks and of the notary, as a debugger would show them."""
    transaction = sign(affair.draft)
    data, now = encode_attested(transaction), Timestamp(1)
    txid, client = transaction.txid, ClientId("c")
    packed = tuple(opening.pack() for opening in affair.draft.openings)
    signed = encode_signed(transaction.signed)
    payment = StoredPayment(bytes(16), txid, signed, packed, PaymentState.PREPARED, now, now)
    promise = Promise(txid, now, Signature(bytes(64)))
    recorded = RecordedTransaction(transaction, data, now, promise)
    token = affair.holdings[0].token
    candidate = Candidate(transaction, data)
    judgement = Judgement({data: SpecieError(ErrorCode.EXPIRED)}, [candidate])
    movement = Movement(txid, client, Minor(PAID), now, is_incoming=True, is_final=True)
    held, watched = HeldToken(token, now, None), WatchedToken(client, token, False, None)
    history = build_history([payment], [held], affair.people[2].address, NetworkId(bytes(16)))
    assert [one.amount for one in history.paid] == [REST]
    batch = RecordedBatch(1, now, (), (), (), data)
    check_hidden(affair, payment, recorded, recorded.get_judged(), batch, candidate, judgement)
    check_hidden(affair, movement, held, watched, history, *history.paid, *history.received)


@pytest.mark.parametrize("half", [0xD800, 0xDFFF])
def test_what_is_no_text_is_refused_without_showing_it(half: int) -> None:  # X5
    """Half a character has no UTF-8; Python's own error would carry the whole passphrase."""
    secret = "correct horse battery" + chr(half)
    store = KeysOfNobody()
    calls = (
        lambda: derive_sealing_key(secret, bytes(16)),
        lambda: parse_phrase(secret),
        lambda: parse_address(secret, "spt"),
        lambda: Memo(name=secret).pack(),
        lambda: create_keys(store, secret, SealingKey.generate(), bytes(16), KeyTree.generate()),
        lambda: derive_master(store, "anna", secret, SeededIdentifiers()),
    )
    for call in calls:
        with pytest.raises(SpecieError) as refused:
            call()
        assert refused.value.code is ErrorCode.TEXT_INVALID
        assert refused.value.__cause__ is None and refused.value.__context__ is None
        assert "correct horse" not in show(refused.value)


class KeysOfNobody:
    """A device without keys."""

    def store_keys(self, holder: str, salt: bytes, sealed_key: bytes, sealed_tree: bytes) -> None:
        raise AssertionError("nothing is stored of what is refused")

    def find_keys(self, holder: str) -> tuple[bytes, bytes, bytes] | None:
        return None


def test_what_a_scan_finds_is_not_shown(affair: Affair) -> None:  # X5, T11
    outputs = affair.draft.body.outputs
    bob, bank = affair.people[2], affair.world.members.get(SOUTH)
    scanner = Scanner(bank.number, bank.scan_key)
    scanner.add(bob.view, bob.address.spend)
    result = scanner.scan([output.data for output in outputs])
    own = scan(outputs, bob.view, bob.address.spend, bank)
    clients = [(bob.view, bob.address.spend)]
    secret = affair.world.institutions[SOUTH].scan
    found = scan_for_clients(outputs, clients, bank, secret)
    assert len(result.hits) == len(own) == len(found) == 1
    check_hidden(affair, scanner, result, *result.hits, *own, *found)


# --- errors -------------------------------------------------------------------------------------


def show(error: BaseException) -> str:
    """All that a log would have of it, chained causes included."""
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))


def test_errors_of_contracts_show_nothing(affair: Affair) -> None:  # X5, T16
    scene = make_payment()
    staged = replace(scene, draft=affair.draft, holdings=affair.holdings)
    for one in affair.holdings:
        staged.view.outputs[one.token.ref] = LedgerOutput(one.token.output, Kind.CASH, NORTH)
    for broken in CASH_BREAKS:
        with pytest.raises(SpecieError) as refused:
            check_contract(*broken.act(staged))
        vars(refused.value).pop("evidence", None)  # shown to the double spender on purpose
        check_hidden(affair, refused.value, show(refused.value))


def test_errors_of_proofs_show_nothing(affair: Affair) -> None:  # X5
    view = make_view()
    context = make_context(affair.world, view)
    body = affair.draft.body
    spoilt = affair.draft.with_body(inputs=(), proofs=body.proofs[::-1])
    statement = build_transaction_statement(sign(replace(spoilt, owners=())), context)
    with pytest.raises(BatchRefusedError) as refused:
        verify_statements([statement])
    check_hidden(affair, refused.value, show(refused.value), statement)


def test_errors_of_builders_and_decoders_show_nothing(affair: Affair) -> None:  # X5
    world, tokens = affair.world, [one.token for one in affair.holdings]
    alice, bob = affair.people[0], affair.people[2]
    context = make_build_context(world)
    order = PaymentOrder(bob.address, Minor(PAID), MEMO)
    data = encode_attested(sign(affair.draft))
    calls = (
        lambda: build_payment([order], tokens[:1], alice, context),
        lambda: build_payment([order], tokens, bob, context),
        lambda: select_tokens(tokens, Minor(2 * PAID)),
        lambda: decode_attested(data[:-1]),
        lambda: decode_attested(data + b"\0"),
        lambda: derive_output(_spoil(affair.draft.openings[0]), bob.address.view),
    )
    for call in calls:
        with pytest.raises(SpecieError) as refused:
            call()
        check_hidden(affair, refused.value, show(refused.value))


def _spoil(opening: Opening) -> Opening:
    return replace(opening, label=1)  # no key of a label is given
