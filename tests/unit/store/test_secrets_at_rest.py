"""Nothing secret stands in the clear in any file, write-ahead logs included (X5, T3, T9).

A person with known keys, names and amounts lives in a real country; then every byte on the disk
is searched for them.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from specie.crypto.secrets import parse_phrase
from specie.flows.payment import pay
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo, derive_keys
from specie.values.amounts import Minor
from specie.values.identifiers import ClientId
from specie.wallet.keys import create_keys
from specie.wallet.vault import Vault
from tests.country import NORTH, Country, Person, build_country
from tests.reference.keys import SubWallet, derive_seed, derive_subwallet

NAME = "Zhanerke Abdrakhmanova-Ospanova"
WITHDRAWN, PAID = 8_123_456_701, 5_234_567_811
BANK_FILES = {"bank-2/bank.db", "bank-2/bank.db-wal"}
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"


@dataclass(slots=True)
class Scene:
    """The country's files, and the person whose secrets are searched."""

    data: Path
    person: Person
    secrets: SubWallet
    openings: list[bytes]

    def find(self, needle: bytes) -> set[str]:
        """Names of the files that contain these bytes."""
        files = (path for path in self.data.rglob("*") if path.is_file())
        return {str(path.relative_to(self.data)) for path in files if needle in path.read_bytes()}

    def find_in_bank(self, needle: bytes) -> set[str]:
        """Names of the tables of the payer's bank that contain these bytes."""
        found = set()
        with closing(sqlite3.connect(self.data / "bank-2" / "bank.db")) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (table,) in tables.fetchall():
                rows = connection.execute(f"SELECT * FROM {table}")  # its own names
                if any(needle in _spell(value) for row in rows for value in row):
                    found.add(table)
        return found


def _spell(value: object) -> bytes:
    if isinstance(value, int):
        return value.to_bytes(8, "big", signed=True) + value.to_bytes(8, "little", signed=True)
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Withdraw, pay with a name in the memo, receive change; publish."""
    data = tmp_path_factory.mktemp("scene")
    made = build_country(data)
    person = settle_in(made)
    made.withdraw(person, WITHDRAWN)
    person.collect()
    shop = made.open_person(made.south)
    memo = Memo(name=NAME)
    order = PaymentOrder(shop.wallet.keys.address, Minor(PAID), memo)
    network = made.network
    pay(person.wallet, [order], made.draw_order(), person.bank, network, network.notary)
    shop.collect()
    made.check_money()
    tokens = (*person.wallet.load_tokens(), *shop.wallet.load_tokens())
    secrets = derive_subwallet(derive_seed(PHRASE), 0)
    return Scene(data, person, secrets, [token.opening.pack() for token in tokens])


def settle_in(country: Country) -> Person:
    """A client whose phrase we know."""
    network = country.network
    tree = parse_phrase(PHRASE)
    opened = create_keys(network.devices, "known", network.device_master, bytes(16), tree)
    keys = derive_keys(opened.tree, 0, NORTH)
    store = network.devices.open_holder("known", opened.vault_key)
    wallet = Vault(keys, store, network.surroundings)
    client = ClientId("client 4711")
    country.north.open_wallet(client, NAME, keys.address, keys.view)
    person = Person(client, wallet, country.north)
    country.people.append(person)
    country.lend_deposit(person, WITHDRAWN)
    return person


def test_the_search_finds_what_is_there(scene: Scene) -> None:
    address = scene.person.wallet.keys.address
    assert scene.secrets.view_public == address.view
    assert scene.secrets.spend_public == address.spend
    assert scene.find(address.spend) and scene.find(address.spend) <= BANK_FILES
    assert scene.find_in_bank(address.spend) == {"client"}
    output = scene.person.wallet.load_tokens()[0].output.data
    folders = {name.split("/")[0] for name in scene.find(output)}
    assert folders == {"bank-2", "devices", "notary", "public"}


def test_keys_and_phrase_are_nowhere(scene: Scene) -> None:  # T3
    secrets = scene.secrets
    seed = derive_seed(PHRASE)
    for needle in (
        seed,
        seed[:32],
        secrets.view.to_bytes(32, "little"),
        secrets.spend.to_bytes(32, "little"),
        secrets.view.to_bytes(32, "big"),
        secrets.spend.to_bytes(32, "big"),
        secrets.wallet_secret,
        PHRASE.encode(),
    ):
        assert scene.find(needle) == set()
    words = PHRASE.encode().split()
    for first, second in pairwise(words):
        assert scene.find(first + b" " + second) == set()


def test_openings_are_nowhere(scene: Scene) -> None:  # T9, T10
    assert len(scene.openings) == 2
    for opening in scene.openings:
        anchor, amount_to_lock = opening[68:84], opening[84:97]
        for needle in (opening, anchor, amount_to_lock):
            assert scene.find(needle) == set()


@pytest.mark.parametrize("amount", [WITHDRAWN, PAID, WITHDRAWN - PAID])
def test_amounts_are_in_books_only(scene: Scene, amount: int) -> None:  # T9, X5
    """A bank's books must say what its clients hold on deposit; nothing else says an amount."""
    spellings = [amount.to_bytes(8, "little")[:5], amount.to_bytes(8, "big")[3:]]
    for needle in (*spellings, str(amount).encode(), f"{amount:,}".encode()):
        assert scene.find(needle) <= BANK_FILES
        assert scene.find_in_bank(needle) <= {"account", "posting"}
    is_booked = amount == WITHDRAWN
    assert bool(scene.find(spellings[1])) == is_booked
    assert bool(scene.find_in_bank(spellings[1])) == is_booked


def test_names_are_nowhere(scene: Scene) -> None:  # T9
    for name in (NAME, "Zhanerke", "Ospanova", f"Name of {scene.person.id}"):
        for needle in (name.encode(), name.upper().encode(), name.encode("utf-16-le")):
            assert scene.find(needle) == set()


def test_the_public_folder_names_no_one(scene: Scene) -> None:  # T10, X5
    """Not the client's id, not its address, not even by its parts."""
    address = scene.person.wallet.keys.address
    for needle in (address.view, address.spend, scene.person.id.encode(), address.client_tag()):
        files = scene.find(needle)
        assert not [name for name in files if name.startswith(("public", "notary"))]
