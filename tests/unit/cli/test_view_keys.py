"""`specie wallet watch`: one sub-wallet by its view key and the public folder alone (T3, X5)."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from specie.cli import app
from specie.crypto.secrets import KeyTree, SealingKey
from specie.crypto.view_keys import format_view_key
from specie.store.vault_store import VaultDatabase
from specie.tokens.holdings import HolderKeys, derive_keys
from specie.tokens.scanning import Viewing, scan_own
from specie.wallet.vault import Vault
from specie.wallet.watching import read_watch_keys
from tests.country import NORTH, Country, Person, build_country, load_published_outputs


@dataclass(frozen=True)
class House:
    """Two sub-wallets of one phrase that have been paid and have paid, and another person's."""

    country: Country
    people: list[Person]

    def watch(self, keys: HolderKeys) -> dict[str, Any]:
        genesis, public = self.country.network.genesis, self.country.network.public
        text = format_view_key(keys.view, keys.address, genesis.address_prefix)
        arguments = ["wallet", "watch", str(public), "--json"]
        done = CliRunner().invoke(app, arguments, input=f"{text}\n")
        assert done.exit_code == 0, done.exception
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    data = tmp_path_factory.mktemp("house")
    country, tree = build_country(data), KeyTree.generate()
    people = []
    for number, (phrase, place) in enumerate(((tree, 0), (tree, 1), (KeyTree.generate(), 0))):
        store = VaultDatabase(data / f"{number}.db").open_holder("x", SealingKey.generate())
        wallet = Vault(derive_keys(phrase, place, NORTH), store, country.network.surroundings)
        people.append(country.open_person(country.north, 50, 20 + number, wallet=wallet))
    country.pay(people[0], people[2], 7)
    country.pay(people[1], people[0], 5)
    country.network.notary.publish(is_forced=True)
    for one in people:
        one.collect()
    return House(country, people)


def test_it_sees_all_that_this_one_is_paid_and_what_is_spent(house: House) -> None:
    """As much as the holder's own device has, and nothing more."""
    for one in house.people:
        found, tokens = house.watch(one.wallet.keys), one.wallet.load_tokens()
        unspent = {row["id"]: row["minor"] for row in found["outputs"] if row["state"] == "unspent"}
        assert unspent == {token.ref.hex(): token.amount for token in tokens}
        assert found["unspent_minor"] == one.wallet.get_balance()
    assert [row["state"] for row in house.watch(house.people[2].wallet.keys)["outputs"]].count(
        "spent"
    ) == 0
    paid = house.watch(house.people[0].wallet.keys)["outputs"]
    assert any(row["state"] == "spent" for row in paid), "it has paid, and that is seen"


def test_other_sub_wallets_of_the_phrase_stay_unseen(house: House) -> None:
    """No output of one is opened by the view key of the other."""
    seen = [{row["id"] for row in house.watch(one.wallet.keys)["outputs"]} for one in house.people]
    assert all(seen) and not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]


def test_who_watches_has_nothing_to_spend_with(house: House) -> None:
    """Neither spend key nor wallet secret nor phrase: what is read from the text has no such part;
    and what it opens is what the holder opens."""
    network, keys = house.country.network, house.people[0].wallet.keys
    prefix = network.genesis.address_prefix
    watching = read_watch_keys(format_view_key(keys.view, keys.address, prefix), prefix)
    assert {name for name in dir(watching) if not name.startswith("_")} == {
        "view",
        "address",
        "returns",
    }
    assert watching.returns is None and not hasattr(watching.view, "sign")
    outputs, bank = load_published_outputs(network.public), network.roster.current.get(NORTH)
    both: list[Viewing] = [watching, keys]
    first, second = ([token.ref for token in scan_own(outputs, one, bank)] for one in both)
    assert first == second


def test_a_folder_of_another_network_is_refused(house: House, tmp_path: Path) -> None:
    arguments = ["wallet", "watch", str(house.country.network.public), "--network", "ab" * 16]
    done = CliRunner().invoke(app, arguments, input="specieview1\n")
    assert "network_mismatch" in str(done.exception)
