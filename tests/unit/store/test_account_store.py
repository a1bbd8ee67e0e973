"""A holder at its bank, on a device: bound to a bank when that has opened a wallet (T3)."""

from pathlib import Path

from specie.crypto.secrets import SealingKey
from specie.store.account_store import SqliteAccountStore
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId, ParticipantNumber
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
