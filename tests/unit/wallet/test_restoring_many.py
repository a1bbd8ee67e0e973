"""Ten thousand outputs come back, whatever else is in the log (T19); how fast: `bench people`."""

from pathlib import Path

from specie.crypto.secrets import KeyTree
from specie.identity.genesis import ProofMode
from specie.ledger.records import Output
from specie.log.leaves import CreatedLeaf, SpentLeaf
from specie.tokens.holdings import HolderKeys, derive_keys
from specie.wallet.restoring import RestoreTrust, restore_from_log, restore_through_bank
from tests.building import NORTH, World, make_holding, make_world
from tests.press import Press

OURS, FOREIGN, SPENT = 10_000, 2_000, 3_000


def make_outputs(world: World, keys: HolderKeys, count: int) -> list[Output]:
    """Straight from the kernel: no notary, no proofs."""
    return [make_holding(world, keys, number + 1).token.output for number in range(count)]


def test_ten_thousand_outputs(tmp_path: Path) -> None:
    world = make_world(ProofMode.AGGREGATED)
    keys, other = (derive_keys(KeyTree.generate(), 0, NORTH) for _ in range(2))
    press = Press(world, tmp_path / "log")
    ours, foreign = make_outputs(world, keys, OURS), make_outputs(world, other, FOREIGN)
    gone = ours[:SPENT]
    leaves = [CreatedLeaf(one.data, b"").pack() for one in [*ours, *foreign]]
    press.append([*leaves, *(SpentLeaf(one.ref).pack() for one in [*gone, *foreign])])
    registration = press.open_registration()
    checkpoint = registration.catch_up()
    trust = RestoreTrust(
        world.genesis, world.members.get(NORTH), checkpoint, registration.public_key
    )
    fast = restore_through_bank(ours, keys, registration, press.log, trust)
    slow = restore_from_log(press.log, keys, trust)
    assert {one.ref for one in fast.tokens} == {one.ref for one in ours[SPENT:]}
    assert fast.seen == slow.seen == OURS
    assert {one.ref for one in slow.tokens} == {one.ref for one in fast.tokens}
    assert sum(one.amount for one in fast.tokens) == sum(range(SPENT + 1, OURS + 1))
