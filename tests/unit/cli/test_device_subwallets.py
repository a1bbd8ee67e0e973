"""Sub-wallets of one device: which there are, what each has paid, which is free (T3, T25)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from specie.cli.devices import Device, created_device, list_subwallets
from specie.cli.moving import begin_move
from specie.cli.online_commands import check_to_be_opened
from specie.cli.paying import choose_attempt
from specie.cli.places import Site
from specie.cli.wallets import make_phrase
from specie.crypto.secrets import parse_phrase
from specie.store.account_store import SqliteAccountStore
from specie.store.device_notes import set_current
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId, OrderId, ParticipantNumber
from specie.values.limits import LOST_SUBWALLETS_MAX
from specie.wallet.keys import find_subwallet, get_subholder, spell_subholder
from specie.wallet.requests import PaymentRequest, derive_payment_id
from tests.country import NORTH, SOUTH, Country, country, refused

__all__ = ["country"]

PASSPHRASE = "secret"


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    """Anna's; Annabel has keys on it, too."""
    path, trees = tmp_path / "device.db", [parse_phrase(make_phrase()) for _ in range(2)]
    with created_device(path, "Annabel", PASSPHRASE, trees[0]) as other:
        record(other, 5, NORTH, "annabel")
    with created_device(path, "Anna", PASSPHRASE, trees[1]) as made:
        yield made


def record(device: Device, place: int, bank: ParticipantNumber, client: str = "") -> None:
    """As after `specie wallet open`, or, without a client, as while it waits for an answer."""
    accounts, name = SqliteAccountStore(device.database.place), get_subholder(device.holder, place)
    accounts.prepare(name, bank, device.opened.vault_key)
    if client:
        accounts.record_client(name, ClientId(client))


def test_a_name_says_whose_sub_wallet_it_is() -> None:
    assert [find_subwallet("Anna", get_subholder("Anna", one)) for one in (0, 7)] == [0, 7]
    assert find_subwallet("Anna", get_subholder("Annabel", 7)) is None
    assert find_subwallet("Anna", "Annabel") is None
    assert spell_subholder(get_subholder("Anna", 7)) == "Anna (sub-wallet 7)"
    assert spell_subholder("Anna") == "Anna"


def test_a_device_knows_its_sub_wallets_wherever_they_are(country: Country, device: Device) -> None:
    surroundings = country.network.surroundings
    assert list_subwallets(device, surroundings) == []
    record(device, 0, NORTH, "anna")
    record(device, 2, SOUTH, "anna-3")
    record(device, 3, SOUTH)
    found = device.open_vault(4, SOUTH, surroundings)
    country.open_person(country.south, 12, wallet=found)  # restored: tokens, and no account
    assert device.list_places() == [0, 2, 3, 4]
    listed = list_subwallets(device, surroundings)
    assert [(one.number, one.bank, one.client, one.balance) for one in listed] == [
        (0, NORTH, "anna", 0),
        (2, SOUTH, "anna-3", 0),
        (4, SOUTH, "", 12),
    ]
    assert len({one.address for one in listed}) == 3
    with refused(ErrorCode.SETTING_INVALID):
        device.open_vault(3, None, surroundings)
    there = list_subwallets(device, surroundings, SOUTH, 5)
    assert [one.client for one in there] == ["", "", "anna-3", "", ""], "not at this bank, or not"


def test_a_payment_is_found_in_whichever_sub_wallet_made_it(
    country: Country, device: Device
) -> None:
    """A request is paid once by a device, also after a move to another sub-wallet."""
    surroundings = country.network.surroundings
    record(device, 0, NORTH, "anna")
    payer = country.open_person(country.north, 30, wallet=device.open_vault(0, None, surroundings))
    shop = country.open_person(country.south)
    network, address = surroundings.genesis.network, shop.wallet.keys.address
    wanted = PaymentRequest(network, address, Minor(10), OrderId(b"o" * 16))
    record(device, 1, SOUTH, "anna-3")
    set_current(device.notes, 1)
    first = choose_attempt(device, wanted)
    assert first == derive_payment_id(wanted, 0) and device.find_payment(first) is None
    order = PaymentOrder(address, Minor(10), Memo(order_id=wanted.order))
    payer.wallet.prepare_payment([order], first)
    assert choose_attempt(device, wanted) == first, "it goes on"
    country.forget_payments(payer)
    again = choose_attempt(device, wanted)
    assert again == derive_payment_id(wanted, 1), "it came to nothing"
    country.pay(payer, shop, 10, again)
    found = device.find_payment(again)
    assert found is not None and found[0] == 0
    with refused(ErrorCode.REQUEST_PAID):
        choose_attempt(device, wanted)


def test_a_move_takes_a_sub_wallet_that_is_free(device: Device, tmp_path: Path) -> None:
    record(device, 0, NORTH, "anna")
    record(device, 1, NORTH, "anna-savings")
    site = Site(device, tmp_path / "device.db", tmp_path, None)
    assert begin_move(site, SOUTH) == 2
    assert begin_move(site, SOUTH) == 2, "again is the same move"


def test_no_sub_wallet_is_opened_that_is_not_looked_for_after_a_loss() -> None:  # T19
    check_to_be_opened(LOST_SUBWALLETS_MAX - 1)
    with refused(ErrorCode.LIMIT_EXCEEDED):
        check_to_be_opened(LOST_SUBWALLETS_MAX)
