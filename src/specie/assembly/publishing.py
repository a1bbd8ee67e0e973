"""Publishing in time in a network of one process: filler when a batch is small, then the notary."""

from specie.assembly.network import Network
from specie.flows.filling import fill
from specie.identity.participants import Status
from specie.notary.publisher import Publisher

_CALLS_PER_AGE = 8  # in T_max: filler from a quarter of it on, published by half of it


def make_publisher(network: Network) -> Publisher:
    """Not started yet: `with make_publisher(network): ...` keeps the notary's promises."""
    interval = max(1, network.genesis.batch_age_ms_max // _CALLS_PER_AGE)
    return Publisher(lambda: publish_due(network), interval)


def publish_due(network: Network) -> int:
    """Fill up what waits if it is time, then publish all that is due; gives the leaves written."""
    missing = network.notary.count_missing()
    if missing:
        _fill(network, missing)
    written = 0
    while leaves := network.notary.publish():
        written += leaves
    return written


def _fill(network: Network, missing: int) -> None:
    """Banks share the filler evenly; what one cannot give the others are asked for."""
    members = network.roster.current.participants
    banks = [
        bank for number, bank in network.banks.items() if members[number].status is Status.ACTIVE
    ]
    for place, bank in enumerate([*banks, *banks]):
        share = -(-missing // max(1, len(banks) - place))
        with network.vault_locks[bank.number]:
            draw = network.surroundings.identifiers.draw
            missing -= fill([bank], share, draw, network, network.notary)
