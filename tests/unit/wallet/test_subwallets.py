"""Sub-wallets of one phrase: nothing in common but their holder (T3, T25)."""

from pathlib import Path

import pytest

from specie.crypto.secrets import KeyTree, SealingKey
from specie.store.vault_store import VaultDatabase
from specie.tokens.holdings import derive_keys
from specie.values.catalogue import ErrorCode
from specie.values.limits import SUBWALLETS_MAX
from specie.wallet.keys import OpenedKeys, create_keys
from specie.wallet.subwallets import Wallet
from tests.country import NORTH, SOUTH, Country, refused


@pytest.fixture
def opened() -> OpenedKeys:
    """A holder's secrets."""
    return OpenedKeys(SealingKey.generate(), KeyTree.generate())


def open_wallet(country: Country, path: Path, opened: OpenedKeys, holder: str = "anna") -> Wallet:
    """The wallet, as after a start."""
    return Wallet(holder, opened, VaultDatabase(path), country.network.surroundings)


def test_each_has_its_own_money(country: Country, tmp_path: Path, opened: OpenedKeys) -> None:
    path = tmp_path / "device.db"
    wallet = open_wallet(country, path, opened)
    main, other = wallet.open_vault(0, NORTH), wallet.open_vault(7, SOUTH)
    assert wallet.open_vault(7, SOUTH) is other and set(wallet.vaults) == {0, 7}
    people = [
        country.open_person(bank, amount, wallet=vault)
        for bank, vault, amount in ((country.north, main, 30), (country.south, other, 12))
    ]
    assert (main.get_balance(), other.get_balance(), wallet.get_balance()) == (30, 12, 42)
    country.pay(people[0], people[1], 5)
    people[1].collect()
    assert (main.get_balance(), other.get_balance()) == (25, 17)
    again = open_wallet(country, path, opened)
    assert again.get_balance() == 0  # nothing is open yet
    assert again.open_vault(0, NORTH).get_balance() == 25
    assert again.open_vault(7, SOUTH).get_balance() == 17
    assert again.open_vault(8, SOUTH).get_balance() == 0


def test_the_phrase_gives_their_keys(country: Country, tmp_path: Path, opened: OpenedKeys) -> None:
    wallet = open_wallet(country, tmp_path / "device.db", opened)
    for number in (0, 1, SUBWALLETS_MAX - 1):
        expected = derive_keys(opened.tree, number, NORTH).address
        assert wallet.open_vault(number, NORTH).keys.address == expected


def test_a_subwallet_stays_at_its_bank(
    country: Country, tmp_path: Path, opened: OpenedKeys
) -> None:
    wallet = open_wallet(country, tmp_path / "device.db", opened)
    wallet.open_vault(1, NORTH)
    with refused(ErrorCode.ORDER_CONFLICT):
        wallet.open_vault(1, SOUTH)


@pytest.mark.parametrize("number", [-1, SUBWALLETS_MAX])
def test_numbers_have_their_limit(
    country: Country, tmp_path: Path, opened: OpenedKeys, number: int
) -> None:
    with refused(ErrorCode.LIMIT_EXCEEDED):
        open_wallet(country, tmp_path / "device.db", opened).open_vault(number, NORTH)


def test_no_holder_is_named_like_anothers_subwallet(tmp_path: Path) -> None:
    database, tree = VaultDatabase(tmp_path / "device.db"), KeyTree.generate()
    for name, code in (("anna\x1f1", ErrorCode.TEXT_INVALID), ("a\ud800", ErrorCode.TEXT_INVALID)):
        with refused(code):
            create_keys(database, name, SealingKey.generate(), bytes(16), tree)
