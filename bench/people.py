"""What people wait for: `python -m bench.people [--json] [--payments N]`.

    order → device builds → its bank attests → payee's bank attests → notary → payee's device has it

A pilot network of processes, as `specie up` starts it, with people at two banks. Many pay at once,
each from a device of its own, and payees fetch what arrives meanwhile; the clock stops when the
last payee has the last token, and what each process has used meanwhile is divided by the payments.
The reference is the notary alone, handed prebuilt payments over the network (`bench/network.py`),
in the same run. One payment on idle servers is a multiple of its pure cryptography: the device's
build and the kernel's verification of one payment, in this process. And a wallet of many outputs is
restored through its bank, against scanning as many outputs.
"""

import json
import os
import platform
import secrets
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from bench.metering import measure_seconds, read_processor_seconds
from bench.network import (
    PASSPHRASE,
    Pilot,
    hand_in,
    open_pilot,
    open_wallet,
    prebuild,
    read_options,
    withdraw,
)
from bench.payments import NORTH, SOUTH, Bench, mint, open_bench
from bench.statements import make_payment
from specie.assembly.folders import PUBLIC
from specie.cli.online_commands import Online, opened_online
from specie.crypto.addresses import Address
from specie.crypto.proofs import verify_statements
from specie.crypto.secrets import SigningKey
from specie.identity.genesis import ProofMode
from specie.registration.service import Registration
from specie.store.index_store import SqliteLogIndex
from specie.store.log_files import LogFolder
from specie.tokens.building import PaymentOrder, build_payment
from specie.tokens.holdings import Memo
from specie.tokens.scanning import scan
from specie.values.amounts import Minor
from specie.wallet.restoring import RestoreTrust, restore_through_bank

PAYMENTS: Final = 256
PAIRS: Final = 8  # of a payer and a payee
PREBUILT: Final = 512
IDLE: Final = 240
OUTPUTS: Final = 10_000
_FUNDS: Final = "100.00"
_AMOUNT: Final = Minor(7)
_ROUNDS: Final = 20
_POLL_S: Final = 1.0  # as an application that is looked at asks; a quiet one hears events


def main() -> None:
    """Print figures."""
    options = read_options(__doc__, PAYMENTS)
    found = {
        "benchmark": "people",
        "reference": "the notary handed prebuilt payments over the network, same run",
        **measure_payments(options.payments),
        **measure_restore(OUTPUTS),
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "specie": version("specie"),
    }
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name}: {value}")


def measure_payments(payments: int) -> dict[str, Any]:
    """Many at once, then one after the other, on one network."""
    with open_pilot(has_auditor=False) as (pilot, _):
        rate = PREBUILT / hand_in(pilot, prebuild(pilot, PREBUILT))
        with _open_people(pilot) as pairs:
            each = max(1, payments // PAIRS)
            before = _read_processors(pilot)
            seconds = _pay_all(pairs, each)
            after = _read_processors(pilot)
            idle = _pay_alone(*pairs[0])
    people = PAIRS * each / seconds
    spent = {name: 1_000 * (after[name] - before[name]) / (PAIRS * each) for name in before}
    pure = _measure_crypto()
    cut = quantiles(idle, n=100)
    return {
        "payments": PAIRS * each,
        "payers_at_once": PAIRS,
        "payments_per_second": round(people, 1),
        "network_per_second": round(rate, 1),
        "ratio_to_network": round(people / rate, 3),
        "processor_ms_per_payment": {name: round(one, 1) for name, one in spent.items()},
        "one_payment_p50_ms": round(cut[49], 1),
        "one_payment_p99_ms": round(cut[98], 1),
        "pure_crypto_ms": round(pure, 2),
        "p50_in_pure_crypto": round(cut[49] / pure, 2),
        "p99_in_pure_crypto": round(cut[98] / pure, 2),
    }


def measure_restore(count: int) -> dict[str, Any]:
    """So many unspent outputs of one phrase in the log, named by the bank, each looked up."""
    with tempfile.TemporaryDirectory(prefix="specie-bench-") as folder:
        place = Path(folder)
        bench = open_bench(place, ProofMode.PUBLISHED)
        tokens = mint(bench, count)[:count]
        while bench.notary.publish(is_forced=True):
            pass
        outputs = [one.output for one in tokens]
        registration, trust = _open_registration(bench, place)
        log, keys = LogFolder(bench.network.public), bench.payer
        started = time.perf_counter()
        found = restore_through_bank(outputs, keys, registration, log, trust)
        restoring = time.perf_counter() - started
        scanning = measure_seconds(lambda: scan(outputs, keys.view, keys.address.spend, trust.bank))
        bench.network.databases.close()
    if len(found.tokens) != count:
        raise RuntimeError(f"{len(found.tokens)} of {count} came back")
    return {
        "restored_outputs": count,
        "restore_seconds": round(restoring, 2),
        "scan_seconds": round(scanning, 2),
        "restore_in_scans": round(restoring / scanning, 2),
    }


@contextmanager
def _open_people(pilot: Pilot) -> Iterator[list[tuple[Online, Online]]]:
    """Payers at bank 2 with money on their devices, payees at bank 3 with none."""
    public = pilot.data / PUBLIC
    names = [(f"payer-{one}", f"payee-{one}") for one in range(PAIRS)]
    for payer, payee in names:
        open_wallet(pilot, payer, NORTH)
        open_wallet(pilot, payee, SOUTH)
        withdraw(pilot, payer, _FUNDS)
    with ExitStack() as stack:

        def enter(name: str) -> Online:
            device = pilot.data / f"{name}.device"
            return stack.enter_context(opened_online(device, name, public, None, PASSPHRASE))

        yield [(enter(payer), enter(payee)) for payer, payee in names]


def _pay_all(pairs: list[tuple[Online, Online]], each: int) -> float:
    """Seconds from the first order until the last payee has all that it was paid."""
    started = time.perf_counter()
    with ThreadPoolExecutor(2 * len(pairs)) as pool:
        paying = [pool.submit(_pay_many, payer, _address(payee), each) for payer, payee in pairs]
        getting = [pool.submit(_collect_many, payee, each) for _, payee in pairs]
        for one in (*paying, *getting):
            one.result()
    return time.perf_counter() - started


def _read_processors(pilot: Pilot) -> dict[str, float]:
    """Seconds that each process has used; all devices are in this one."""
    pids = {**pilot.pids, "devices": os.getpid()}
    return {name: read_processor_seconds(pid) for name, pid in pids.items()}


def _pay_many(payer: Online, payee: Address, count: int) -> None:
    for _ in range(count):
        payer.pay(PaymentOrder(payee, _AMOUNT, Memo()), secrets.token_bytes(16))


def _collect_many(payee: Online, count: int) -> None:
    arrived = 0
    while arrived < count:
        arrived += payee.collect()
        time.sleep(_POLL_S)


def _pay_alone(payer: Online, payee: Online) -> list[float]:
    """Milliseconds of each, until the payee's device has it."""
    times = []
    for _ in range(IDLE):
        started = time.perf_counter()
        payer.pay(PaymentOrder(_address(payee), _AMOUNT, Memo()), secrets.token_bytes(16))
        if payee.collect() != 1:
            raise RuntimeError("settled, and not at the payee")
        times.append(1_000 * (time.perf_counter() - started))
    return times


def _measure_crypto() -> float:
    """Milliseconds: a wallet's build of one payment, and the verification of one alone."""
    with tempfile.TemporaryDirectory(prefix="specie-bench-") as folder:
        bench = open_bench(Path(folder), ProofMode.PUBLISHED)
        pair = mint(bench, 2)[:2]
        order = PaymentOrder(bench.payee.address, _AMOUNT, Memo())
        statement = make_payment([SigningKey.generate() for _ in range(2)], is_aggregated=False)
        building = [
            measure_seconds(lambda: build_payment([order], pair, bench.payer, bench.context))
            for _ in range(_ROUNDS)
        ]
        verifying = [
            measure_seconds(lambda: verify_statements([statement])) for _ in range(_ROUNDS)
        ]
        bench.network.databases.close()
    return 1_000 * (median(building) + median(verifying))


def _open_registration(bench: Bench, folder: Path) -> tuple[Registration, RestoreTrust]:
    network = bench.network
    index = SqliteLogIndex(folder / "index.db")
    log = LogFolder(network.public)
    registration = Registration(network.roster, network.registration_key, log, index)
    bank = network.roster.current.get(NORTH)
    checkpoint = registration.catch_up()
    key = registration.public_key
    return registration, RestoreTrust(network.genesis, bank, checkpoint, key)


def _address(one: Online) -> Address:
    return one.vault.keys.address


if __name__ == "__main__":
    main()
