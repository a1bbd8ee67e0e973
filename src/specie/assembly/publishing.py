"""Publishing in time in a network of one process: filler when a batch is small, then the notary."""

from collections.abc import Iterator
from contextlib import contextmanager

from specie.assembly.network import Network
from specie.bank.service import Bank
from specie.flows.filling import fill, split_vault
from specie.flows.payment import resume
from specie.identity.participants import Status
from specie.notary.publisher import Publisher
from specie.values.errors import SpecieError

_CALLS_PER_AGE = 8  # in T_max: filler from a quarter of it on, published by half of it


def make_publisher(network: Network) -> Publisher:
    """Not started yet: `with make_publisher(network): ...` keeps the notary's promises."""
    interval = max(1, network.genesis.batch_age_ms_max // _CALLS_PER_AGE)
    return Publisher(lambda: publish_due(network), interval)


def publish_due(network: Network) -> int:
    """Fill up what waits if it is time, then publish all that is due; gives the leaves written.

    What a bank cannot do keeps no promise from being kept: its error is raised at the end.
    """
    failures: list[SpecieError] = []
    _resume_vaults(network, failures)
    missing = network.notary.count_missing()
    if missing:
        add_filler(network, missing, failures)
    written = 0
    while leaves := network.notary.publish():
        written += leaves
    if written:
        split_vaults(network, failures=failures)
    if failures:
        raise failures[0]
    return written


def add_filler(network: Network, missing: int, failures: list[SpecieError] | None = None) -> int:
    """Banks share it evenly; what one cannot give the others are asked for. Gives how many."""
    since, draw = network.notary.get_published_time(), network.surroundings.identifiers.draw
    banks, wanted = _list_active(network), missing
    for place, bank in enumerate([*banks, *banks]):
        share = -(-missing // max(1, len(banks) - place))
        with network.vault_locks[bank.number], _noting(failures):
            missing -= fill(bank, share, since, draw, network, network.notary)
    return wanted - missing


def split_vaults(network: Network, *banks: Bank, failures: list[SpecieError] | None = None) -> int:
    """In advance, so that these banks (or all) have filler for a whole batch; gives the payments.

    Twice its share of it: while what is published now takes its turn, the other half rests.
    """
    since, draw = network.notary.get_published_time(), network.surroundings.identifiers.draw
    active = _list_active(network)
    least = 4 * -(-network.genesis.batch_payments_min // max(1, len(active)))
    done = 0
    for bank in banks or active:
        with network.vault_locks[bank.number], _noting(failures):
            done += split_vault(bank, least, since, draw, network, network.notary)
    return done


def _resume_vaults(network: Network, failures: list[SpecieError]) -> None:
    """What a vault has signed and heard no answer to is sent again; what is refused stays."""
    for bank in _list_active(network):
        with network.vault_locks[bank.number], _noting(failures):
            resume(bank.vault, bank, network, network.notary)


@contextmanager
def _noting(failures: list[SpecieError] | None) -> Iterator[None]:
    """An error of one bank is for later, if there is a list for it."""
    try:
        yield
    except SpecieError as error:
        if failures is None:
            raise
        failures.append(error)


def _list_active(network: Network) -> list[Bank]:
    members = network.roster.current.participants
    return [
        bank for number, bank in network.banks.items() if members[number].status is Status.ACTIVE
    ]
