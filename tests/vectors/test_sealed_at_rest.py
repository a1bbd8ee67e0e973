"""What page 06 says of the stores: every sealed column opens with the twin, under its own context.

The twin is told key, kind and context as the page names them; specie's reading has no part in it.
"""

import sqlite3
from pathlib import Path

import pytest

from specie import _kernel as kernel
from specie.crypto.addresses import Address, format_address
from specie.crypto.outputs import unpack_opening
from specie.crypto.secrets import KeyTree
from specie.ledger.records import Output
from specie.ledger.wire import decode_signed, encode_signed
from specie.ports.clients import Client, ClientStatus, Movement
from specie.ports.issuance import Application, ApplicationState, Direction
from specie.ports.vault import PaymentState, StoredPayment
from specie.store.application_store import SqliteApplicationStore
from specie.store.client_store import SqliteClientStore
from specie.store.vault_store import VaultDatabase
from specie.tokens.building import BuiltTransaction
from specie.tokens.disclosures import Disclosure
from specie.tokens.holdings import Token
from specie.values.amounts import Minor
from specie.values.identifiers import (
    ClientId,
    OrderId,
    ParticipantNumber,
    PublicKey,
    TransactionId,
)
from specie.values.times import Timestamp
from specie.wallet.keys import create_keys
from tests.reference import handles, sealing
from tests.reference.building import Draw, make_money
from tests.reference.handles import native_key, plain_key
from tests.vectors.files import load, raw

MONEY = make_money(Draw(b"sealed at rest"), 1_234, 2)
OPENING = MONEY.opening.pack()
TOKEN = Token(Output(MONEY.derived.output), unpack_opening(OPENING))
BANK, NOW = ParticipantNumber(2), Timestamp(1)
TXID = TransactionId(bytes([7] * 32))


def read_row(path: Path, query: str) -> tuple[bytes, ...]:
    """The one row that a query finds, as it lies on the disk."""
    connection = sqlite3.connect(path)
    rows = connection.execute(query).fetchall()
    connection.close()
    assert len(rows) == 1
    found: tuple[bytes, ...] = rows[0]
    return found


def unseal(kind: str, sealed: bytes, context: bytes) -> bytes:
    """By the twin, under the key of the tests."""
    return sealing.unseal(plain_key(), kind, sealed, context)


def test_keys_of_a_holder(tmp_path: Path) -> None:  # T3, X7
    database, tree = VaultDatabase(tmp_path / "vault.db"), KeyTree.generate()
    create_keys(database, "alice", native_key(), bytes(16), tree)
    _, sealed_key, sealed_tree = database.find_keys("alice") or (b"", b"", b"")
    key = unseal("sealing-key", sealed_key, b"holder-key\0alice")
    entropy = sealing.unseal(key, "key-tree", sealed_tree, b"holder-tree\0alice")
    assert (len(key), len(entropy)) == (32, 32)
    assert entropy == handles.expose(tree, "key-tree")
    database.close()


def test_tokens_and_payments_of_a_holder(tmp_path: Path) -> None:
    place = tmp_path / "vault.db"
    database = VaultDatabase(place)
    store = database.open_holder("alice", native_key())
    store.add_tokens([TOKEN], NOW)
    state = PaymentState.PREPARED
    payment = StoredPayment(bytes(16), TXID, b"transaction", (OPENING,) * 2, state, NOW, NOW)
    store.reserve(payment.payment_id, lambda free: free)
    store.record_payment(payment, [TOKEN.ref])
    (sealed,) = read_row(place, "SELECT sealed_opening FROM token")
    assert unseal("bytes", sealed, b"alice\0" + TOKEN.ref) == OPENING
    (sealed,) = read_row(place, "SELECT sealed FROM payment")
    assert unseal("bytes", sealed, b"alice\0" + TXID) == OPENING * 2 + b"transaction"
    database.close()


def test_contacts_of_a_holder(tmp_path: Path) -> None:  # X5
    place = tmp_path / "vault.db"
    database = VaultDatabase(place)
    address = format_address(Address(BANK, TOKEN.opening.view, TOKEN.opening.spend), "spt")
    database.open_contacts("alice", native_key(), "spt").add("Ayşe Yılmaz", address)
    (sealed,) = read_row(place, "SELECT sealed FROM contact")
    name = "Ayşe Yılmaz".encode().ljust(48, b"\0")
    assert unseal("bytes", sealed, b"alice\0contact") == name + address.encode()
    database.close()


def test_clients_of_a_bank(tmp_path: Path) -> None:  # T20
    place = tmp_path / "clients.db"
    store = SqliteClientStore(place, native_key())
    view = handles.view_key(MONEY.view)
    address = Address(ParticipantNumber(2), PublicKey(view.public), TOKEN.opening.spend)
    client = ClientId("c-17")
    store.add_client(Client(client, "Ayşe Yılmaz", address, view, ClientStatus.GOOD))
    movement = Movement(TXID, client, Minor(1_234), Timestamp(1), is_incoming=True, is_final=False)
    store.record_attested(TXID, (), [(client, TOKEN)], [movement])
    sealed_key, sealed_name = read_row(place, "SELECT sealed_view_key, sealed_name FROM client")
    assert unseal("view-key", sealed_key, b"c-17") == handles.expose(view, "view-key")
    assert unseal("bytes", sealed_name, b"c-17") == "Ayşe Yılmaz".encode()
    (sealed,) = read_row(place, "SELECT sealed_opening FROM client_token")
    assert unseal("bytes", sealed, TOKEN.ref) == OPENING
    (sealed,) = read_row(place, "SELECT sealed_amount FROM movement")
    assert unseal("bytes", sealed, TXID) == (1_234).to_bytes(8, "little")
    store.close()


def test_productions_of_the_central_bank(tmp_path: Path) -> None:  # P8
    place, order = tmp_path / "applications.db", OrderId(bytes([9] * 16))
    store = SqliteApplicationStore(place, native_key())
    vault = Address(ParticipantNumber(2), TOKEN.opening.view, TOKEN.opening.spend)
    asked = (order, Direction.ISSUE, ParticipantNumber(2), Minor(1), vault)
    store.add(Application(*asked, ApplicationState.APPLIED))
    attested = next(
        raw(case["wire"])
        for case in load("transaction")["transactions"]
        if case["name"] == "issuance"
    )
    signed = decode_signed(attested)
    store.record_produced(order, BuiltTransaction(signed, Disclosure((TOKEN.opening,))))
    data, sealed = read_row(place, "SELECT data, sealed_openings FROM produced")
    assert data == encode_signed(signed)
    assert unseal("bytes", sealed, order) == OPENING
    store.close()


def test_nothing_readable_is_left_behind(tmp_path: Path) -> None:  # X5
    """A name and an amount that were stored sealed are nowhere in the files, nor in the WAL."""
    place = tmp_path / "clients.db"
    store = SqliteClientStore(place, native_key())
    view = handles.view_key(MONEY.view)
    address = Address(ParticipantNumber(2), PublicKey(view.public), TOKEN.opening.spend)
    client = ClientId("c-17")
    store.add_client(Client(client, "Ayşe Yılmaz", address, view, ClientStatus.GOOD))
    store.record_attested(TXID, (), [(client, TOKEN)], [])
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"c-17" in written and "Yılmaz".encode() not in written
    assert OPENING[68:84] not in written  # the anchor; A and B are there, beside the client
    assert handles.expose(view, "view-key") not in written
    store.close()
    with pytest.raises(kernel.KernelError, match="sealed_invalid"):
        native_key().open(bytes(64), b"c-17")
