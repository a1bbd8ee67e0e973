"""What clients have paid to others: found by reference, unreadable without the key (X5, T20)."""

from specie.crypto.secrets import SealingKey
from specie.store.paid_store import SqlitePaidStore
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId
from tests.country import refused
from tests.unit.store.engines import Engine
from tests.unit.store.samples import BANK, Samples

ANNA = ClientId("anna")
KEY = SealingKey.generate()


def test_it_is_found_by_reference(engine: Engine, samples: Samples) -> None:
    store = SqlitePaidStore(engine.open(), KEY)
    txid, sold, other = samples.txid(), samples.token(7), samples.token(8)
    store.record(ANNA, txid, [])
    store.record(ANNA, txid, [sold])
    store.record(ANNA, samples.txid(), [sold, other])
    store = SqlitePaidStore(engine.open(), KEY)
    found = store.find(sold.ref)
    assert found is not None, "by the same secret after a restart"
    assert (found.client, found.txid, found.bank, found.amount) == (ANNA, txid, BANK, 7)
    assert found.anchor == sold.opening.anchor
    assert store.find(other.ref) is not None and store.find(samples.token().ref) is None


def test_nothing_is_in_the_clear(engine: Engine, samples: Samples) -> None:
    database = engine.open()
    txid, sold = samples.txid(), samples.token(74_219)
    SqlitePaidStore(database, KEY).record(ANNA, txid, [sold])
    held = list(database.iterate_values())
    for secret in (txid, sold.ref, sold.opening.anchor, b"anna"):
        assert not [one for one in held if secret in one]
    with refused(ErrorCode.SEALED_INVALID):
        SqlitePaidStore(engine.open(), SealingKey.generate())
