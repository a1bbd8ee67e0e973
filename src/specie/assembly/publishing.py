"""Publishing in time in a network of one process: filler when a batch is small, then the notary."""

from collections.abc import Callable
from functools import partial

from specie.assembly.network import InProcessNetwork
from specie.bank.service import Bank
from specie.flows.filling import compute_share, compute_small, fill, split_vault
from specie.flows.payment import resume
from specie.identity.participants import Status
from specie.notary.publisher import Publisher
from specie.values.errors import SpecieError

_CALLS_PER_AGE = 8  # in T_max: filler from a quarter of it on, published by half of it


def make_publisher(network: InProcessNetwork) -> Publisher:
    """Not started yet: `with make_publisher(network): ...` keeps the notary's promises."""
    interval = max(1, network.genesis.batch_age_ms_max // _CALLS_PER_AGE)
    return Publisher(lambda: publish_due(network), interval)


def publish_due(network: InProcessNetwork) -> int:
    """Fill up what waits if it is time, then publish all that is due; gives the leaves written.

    What a bank cannot do keeps no promise from being kept: nobody waits for a vault that pays just
    now, and a bank's error is raised at the end.
    """
    failures: list[SpecieError] = []
    written = _publish_all(network)
    _visit_vaults(network, failures, partial(_resume, network))
    missing = network.notary.count_missing()
    if missing:
        part = compute_share(missing, len(_list_active(network)))
        _visit_vaults(network, failures, lambda bank: _fill(network, bank, part))
        _visit_vaults(network, failures, partial(_fill_rest, network))
    written += _publish_all(network)
    if written:
        _visit_vaults(network, failures, partial(_split, network))
    if failures:
        raise failures[0]
    return written


def add_filler(network: InProcessNetwork, missing: int) -> int:
    """Banks share it evenly; what one cannot give the others are asked for. Gives how many."""
    banks, wanted = _list_active(network), missing
    for place, bank in enumerate([*banks, *banks]):
        share = compute_share(missing, len(banks) - place)
        with network.vault_locks[bank.number]:
            missing -= _fill(network, bank, share)
    return wanted - missing


def split_vaults(network: InProcessNetwork, *banks: Bank) -> int:
    """In advance, so that these banks (or all) have filler to come; gives the payments."""
    done = 0
    for bank in banks or _list_active(network):
        with network.vault_locks[bank.number]:
            done += _split(network, bank)
    return done


def _publish_all(network: InProcessNetwork) -> int:
    written = 0
    while leaves := network.notary.publish():
        written += leaves
    return written


def _visit_vaults(
    network: InProcessNetwork, failures: list[SpecieError], work: Callable[[Bank], object]
) -> None:
    """Every active bank whose vault is free now; the others have their turn the next time."""
    for bank in _list_active(network):
        lock = network.vault_locks[bank.number]
        if not lock.acquire(blocking=False):
            continue
        try:
            work(bank)
        except SpecieError as error:
            failures.append(error)
        finally:
            lock.release()


def _fill(network: InProcessNetwork, bank: Bank, count: int) -> int:
    since, draw = network.notary.get_published_time(), network.surroundings.identifiers.draw
    return fill(bank, count, since, draw, network, network.notary)


def _fill_rest(network: InProcessNetwork, bank: Bank) -> int:
    """What others could not give."""
    return _fill(network, bank, network.notary.count_missing())


def _split(network: InProcessNetwork, bank: Bank) -> int:
    since, draw = network.notary.get_published_time(), network.surroundings.identifiers.draw
    least = compute_small(network.genesis.batch_payments_min, len(_list_active(network)))
    return split_vault(bank, least, since, draw, network, network.notary)


def _resume(network: InProcessNetwork, bank: Bank) -> None:
    """What a vault has signed and heard no answer to is sent again; what is refused stays."""
    resume(bank.vault, bank, network, network.notary)


def _list_active(network: InProcessNetwork) -> list[Bank]:
    members = network.roster.current.participants
    return [
        bank for number, bank in network.banks.items() if members[number].status is Status.ACTIVE
    ]
