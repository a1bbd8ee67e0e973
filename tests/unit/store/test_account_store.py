"""A holder at its bank, on a device: bound to a bank when that has opened a wallet (T3)."""

from pathlib import Path

import pytest

from specie.crypto.secrets import SealingKey
from specie.store.account_store import SqliteAccountStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, ParticipantNumber
from specie.wallet.keys import get_subholder
from tests.country import refused

SECOND, THIRD = ParticipantNumber(2), ParticipantNumber(3)


def test_a_bank_binds_who_it_has_opened_a_wallet_for_and_nobody_else(tmp_path: Path) -> None:
    key = SealingKey.generate()
    store = SqliteAccountStore(tmp_path / "device.db")
    asked = store.prepare("aliya", SECOND, key)
    assert store.prepare("aliya", SECOND, key).key.public == asked.key.public
    other = store.prepare("aliya", THIRD, key)
    assert other.bank == THIRD and other.key.public != asked.key.public
    with refused(ErrorCode.CLIENT_UNKNOWN):
        store.get("aliya", key)
    store.record_client("aliya", ClientId("aliya-3"))
    assert store.get("aliya", key).key.public == other.key.public
    with refused(ErrorCode.CLIENT_EXISTS):
        store.prepare("aliya", SECOND, key)
    assert store.get("aliya", key).bank == THIRD


def test_a_sub_wallet_is_at_a_bank_of_its_own(tmp_path: Path) -> None:  # T25
    """Also at the same bank, with a key and a client of its own; told without keys."""
    key, store = SealingKey.generate(), SqliteAccountStore(tmp_path / "device.db")
    inside = get_subholder("aliya", 1)
    first, second = store.prepare("aliya", SECOND, key), store.prepare(inside, SECOND, key)
    assert first.key.public != second.key.public
    with pytest.raises(SpecieError, match=r"the wallet of aliya \(sub-wallet 1\); "):
        store.get(inside, key)
    store.record_client(inside, ClientId("aliya-savings"))
    known = [(one.holder, one.bank, one.client) for one in store.list_known()]
    assert known == [("aliya", SECOND, ""), (inside, SECOND, "aliya-savings")]
