"""Keys: made once on the device, opened by the passphrase only, the same from the same phrase."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from specie.crypto.secrets import KeyTree, SealingKey, derive_sealing_key, parse_phrase
from specie.flows.payment import complete_payment
from specie.ledger.transactions import Promise
from specie.store.vault_store import VaultDatabase
from specie.tokens.holdings import HolderKeys, derive_keys
from specie.values.catalogue import ErrorCode
from specie.values.limits import (
    ARGON2_LANES,
    ARGON2_MEMORY_KIB,
    ARGON2_PASSES,
    PASSPHRASE_BYTES_MAX,
)
from specie.wallet.keys import OpenedKeys, create_keys, derive_master, open_keys
from specie.wallet.vault import Vault
from tests.clocks import SeededIdentifiers
from tests.conftest import PATHS, SPARING
from tests.country import NORTH, Country, refused
from tests.reference import sealing

PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a device keeps its file."""
    return tmp_path / "device.db"


def create(path: Path, holder: str, passphrase: str, tree: KeyTree | None = None) -> OpenedKeys:
    """New keys on a device, sealed under a passphrase."""
    database = VaultDatabase(path)
    master, salt = derive_master(database, holder, passphrase, SeededIdentifiers())
    return create_keys(database, holder, master, salt, tree or KeyTree.generate())


def reopen(path: Path, holder: str, passphrase: str) -> OpenedKeys:
    """The same keys, later."""
    database = VaultDatabase(path)
    master, _ = derive_master(database, holder, passphrase, SeededIdentifiers(2))
    return open_keys(database, holder, master)


def derive(opened: OpenedKeys) -> HolderKeys:
    """The main wallet at bank 2."""
    return derive_keys(opened.tree, 0, NORTH)


def test_the_passphrase_opens_what_it_closed(path: Path) -> None:  # T3
    made = create(path, "anna", PASSPHRASE)
    opened = reopen(path, "anna", PASSPHRASE)
    assert opened.tree.phrase() == made.tree.phrase()
    assert derive(opened).address == derive(made).address
    assert opened.vault_key.open(made.vault_key.seal(b"text", b""), b"") == b"text"


@pytest.mark.parametrize("wrong", ["", "correct horse battery stapler", PASSPHRASE.upper()])
def test_a_wrong_passphrase_opens_nothing(path: Path, wrong: str) -> None:
    create(path, "anna", PASSPHRASE)
    with refused(ErrorCode.PASSPHRASE_WRONG):
        reopen(path, "anna", wrong)


def test_keys_are_never_overwritten(path: Path) -> None:
    made = create(path, "anna", PASSPHRASE)
    with refused(ErrorCode.ORDER_CONFLICT):
        create(path, "anna", "another")
    assert reopen(path, "anna", PASSPHRASE).tree.phrase() == made.tree.phrase()


def test_who_has_no_keys_is_unknown(path: Path) -> None:
    with refused(ErrorCode.CLIENT_UNKNOWN):
        open_keys(VaultDatabase(path), "nobody", SealingKey.generate())


def test_one_holders_keys_do_not_open_as_anothers(path: Path) -> None:
    """Sealed keys are bound to their holder, under one master as on a shared device too."""
    database = VaultDatabase(path)
    master = SealingKey.generate()
    create_keys(database, "anna", master, bytes(16), KeyTree.generate())
    stolen = database.find_keys("anna")
    assert stolen is not None
    database.store_keys("boris", *stolen)
    with refused(ErrorCode.PASSPHRASE_WRONG):
        open_keys(database, "boris", master)


def test_a_passphrase_has_its_limit() -> None:
    with refused(ErrorCode.LIMIT_EXCEEDED):
        derive_sealing_key("x" * (PASSPHRASE_BYTES_MAX + 1), bytes(16))


def test_a_passphrase_costs_what_the_limits_say() -> None:  # T3, X7
    """As it ships: tests spare themselves the price (tests/sparing), here it is paid."""
    shipped = {name: value for name, value in os.environ.items() if name != PATHS}
    paths = [one for one in sys.path if one and one != SPARING]
    script = (
        "from specie.crypto.secrets import derive_sealing_key as derive\n"
        f"print(derive({PASSPHRASE!r}, bytes(16)).seal(b'plain', b'aad').hex())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**shipped, PATHS: os.pathsep.join(paths)},
    )
    assert ARGON2_MEMORY_KIB == 65_536, "64 MiB for each guess"
    parameters = (ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES)
    key = sealing.derive_key(PASSPHRASE.encode(), bytes(16), *parameters)
    assert sealing.unseal(key, "bytes", bytes.fromhex(done.stdout), b"aad") == b"plain"


def test_the_phrase_alone_makes_the_same_wallet(path: Path) -> None:
    made = create(path, "anna", PASSPHRASE)
    assert derive(OpenedKeys(made.vault_key, parse_phrase(made.tree.phrase()))).address == (
        derive(made).address
    )


def test_a_vault_opens_again_with_its_money(country: Country, path: Path) -> None:  # T3, T6
    def open_vault(opened: OpenedKeys) -> Vault:
        store = VaultDatabase(path).open_holder("anna", opened.vault_key)
        return Vault(derive(opened), store, country.network.surroundings)

    anna = country.open_person(country.north, 50, 7, wallet=open_vault(create(path, "anna", "x")))
    boris = country.open_person(country.south)
    country.pay(anna, boris, 10)
    later = open_vault(reopen(path, "anna", "x"))
    assert later.get_balance() == anna.wallet.get_balance()
    anna.collect()
    assert later.get_balance() == 47
    later.settle(later.prepare_merge(b"merge".ljust(16)).payment_id, notarise(country, later))
    assert open_vault(reopen(path, "anna", "x")).get_balance() == 47


def notarise(country: Country, wallet: Vault) -> Promise:
    """Send the one payment that waits in a wallet."""
    (prepared,) = wallet.load_prepared()
    network = country.network
    return complete_payment(prepared.built, country.north, network, network.notary)
