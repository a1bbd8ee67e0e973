"""`specie demo`: the story, a workload from statistics of payments, the supply verified apart.

The sums are verified by a separate process that is given the public folder and nothing else.
"""

import json
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from specie.assembly.network import Network, Settings, build_network
from specie.assembly.system import RandomIdentifiers, SystemClock
from specie.cli.running import Population, check_workload, distribute, open_population, run_orders
from specie.cli.story import tell_story
from specie.cli.telling import Teller, build_progress
from specie.identity.genesis import ProofMode
from specie.store.profile_folder import read_profile
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.workload.builtin import build_builtin_profile
from specie.workload.orders import (
    WorkloadPlan,
    build_distribution,
    compute_openings,
    generate_orders,
)


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line asked for."""

    clients: int
    payments: int
    profile: Path | None
    data: Path | None
    seed: int
    mode: ProofMode


def run_demo(options: DemoOptions, console: Console) -> None:
    """The whole demo; the last line is `supply verified: …`."""
    plan = _build_plan(options)
    with _open_folder(options.data) as folder:
        teller = Teller(console)
        with teller.step("A network is born: keys, signed genesis, signed participant list"):
            settings = Settings(data=Path(folder), proof_mode=options.mode)
            network = build_network(settings, SystemClock(), RandomIdentifiers())
            mode = options.mode.name.lower()
            teller.say(f"network {network.genesis.network.hex()}, range proofs {mode}")
        tell_story(network, teller)
        population = _run_workload(network, plan, teller)
        _tell_workload(network, population, teller)
        _verify_apart(network, teller)


def _build_plan(options: DemoOptions) -> WorkloadPlan:
    """Refuses a bad profile or setting before anything is made."""
    profile = read_profile(options.profile) if options.profile else build_builtin_profile()
    return WorkloadPlan(profile, options.clients, options.payments, options.seed)


def _open_folder(data: Path | None) -> AbstractContextManager[str]:
    if data is None:
        return tempfile.TemporaryDirectory(prefix="specie-demo-")
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise SpecieError(ErrorCode.SETTING_INVALID, f"--data {data}: not an empty folder")
    return nullcontext(str(data))


def _run_workload(network: Network, plan: WorkloadPlan, teller: Teller) -> Population:
    openings = compute_openings(plan)
    with teller.step(f"{plan.clients:,} people and shops open wallets"):
        population = open_population(network, openings)
    first = list(build_distribution(openings))
    with (
        teller.step("They withdraw what they begin the day with"),
        build_progress(teller.console) as bar,
    ):
        task = bar.add_task("withdrawals", total=len(first))
        for count in distribute(population, first):
            bar.advance(task, count)
    started = time.perf_counter()
    with teller.step(f"A day of {plan.payments:,} orders"), build_progress(teller.console) as bar:
        task = bar.add_task("orders", total=plan.payments)
        for count in run_orders(population, generate_orders(plan)):
            bar.advance(task, count)
    seconds = time.perf_counter() - started
    check_workload(population, plan.payments)
    if plan.payments:
        teller.say(f"{plan.payments / seconds:,.0f} orders a second, everything in one process")
    return population


def _tell_workload(network: Network, population: Population, teller: Teller) -> None:
    kinds = ", ".join(f"{count} {kind.value}" for kind, count in population.done.most_common())
    if kinds:
        teller.say(kinds)
        teller.say(f"turnover {network.genesis.currency.format(population.turnover)}")
    if population.merges:
        teller.say(f"{population.merges} times somebody merged small tokens first")


def _verify_apart(network: Network, teller: Teller) -> None:
    with teller.step("Everything is published, and a separate process verifies it"):
        network.notary.publish(is_forced=True)
        command = [
            *(sys.executable, "-m", "specie", "audit", str(network.public), "--json"),
            *("--network", network.genesis.network.hex()),
        ]
        done = subprocess.run(  # noqa: S603  # this very program, on our own folder
            command, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise SpecieError(ErrorCode.SUPPLY_NOT_VERIFIED, done.stderr.strip())
        found = json.loads(done.stdout)
        fund = network.accounting.get_fund()
        if found["supply minor"] != fund:
            raise SpecieError(ErrorCode.SUPPLY_NOT_VERIFIED, "the issuance fund says otherwise")
        teller.say(
            f"{found['created']} outputs, {found['range proofs']} range proofs,"
            f" {found['kernels']} kernels, {found['authorisations']} authorisations"
        )
    unspent = found["created"] - found["spent"]
    teller.console.print(
        f"supply verified: {found['supply']} in {unspent:,} unspent outputs"
        " = issued - redeemed = issuance fund",
        highlight=False,
        soft_wrap=True,
    )
