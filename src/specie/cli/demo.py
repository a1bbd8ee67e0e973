"""`specie demo`: the story, a workload from statistics of payments, the supply verified apart.

The sums are verified by a separate process that is given the public folder and nothing else.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from specie.assembly.network import InProcessNetwork, Settings, build_network
from specie.assembly.overseers import build_overseers
from specie.assembly.publishing import make_publisher
from specie.assembly.system import RandomIdentifiers, SystemClock
from specie.cli.people import publish_now
from specie.cli.running import Town, distribute, open_town, run_orders
from specie.cli.showing import count_batches
from specie.cli.stopping import Stopped, give_way, patiently
from specie.cli.story import tell_story
from specie.cli.story_log import RECEIPT, tell_of_the_log
from specie.cli.telling import Narrator, build_progress
from specie.identity.genesis import ProofMode
from specie.store.profile_folder import read_profile
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.workload.builtin import build_builtin_profile
from specie.workload.orders import (
    WorkloadOrder,
    WorkloadPlan,
    build_distribution,
    compute_starting_balances,
    generate_orders,
)
from specie.workload.summary import Summary, compare, compute_expected_summary, summarise

_LINE_LENGTH_MAX = 80


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line asked for."""

    clients: int
    payments: int
    profile: Path | None
    data: Path | None
    seed: int
    mode: ProofMode
    database: str | None = field(default=None, repr=False)  # it may hold a password


def run_demo(options: DemoOptions, console: Console) -> None:
    """The whole demo; the last line is `supply verified: …`."""
    plan = _build_plan(options)
    with _open_folder(options.data) as folder:
        narrator = Narrator(console)
        with (
            narrator.step("A network is born: keys, signed genesis, signed participant list"),
            patiently(),
        ):
            settings = Settings(folder, proof_mode=options.mode, database=options.database)
            network = build_network(settings, SystemClock(), RandomIdentifiers())
            mode = options.mode.name.lower()
            narrator.say(f"network {network.genesis.network.hex()}, range proofs {mode}")
        with _closing(network, is_kept=options.data is not None), _finishing(network):
            overseers = build_overseers(network)
            with patiently(), make_publisher(network):
                payment = tell_story(network, narrator)
                town, summary = _run_workload(network, plan, narrator)
                _tell_workload(town, plan, summary, options.profile, narrator)
            with patiently():
                _publish_rest(network, narrator)
                tell_of_the_log(network, overseers, payment, narrator)
            found = _verify_apart(network, narrator)
        if options.data is not None:
            narrator.say("kept; to verify it again:")
            narrator.say(f"specie audit {network.public}")
            narrator.say(f"specie audit {network.public} --batches {options.data / 'notary'}")
            receipt = options.data / "receipts" / RECEIPT
            narrator.say(f"specie verify-receipt {receipt} --public {network.public}")
            device = options.data / "devices" / "devices.db"
            narrator.say("to look into Aigerim's phone, whose passphrase is:")
            narrator.say(f"  {settings.device_passphrase}")
            command = f"specie wallet history --device {device} --holder Aigerim"
            narrator.say(f"{command} --public {network.public}")
    console.print(_build_last_line(found), highlight=False, soft_wrap=True)


def _build_plan(options: DemoOptions) -> WorkloadPlan:
    """Refuses a bad profile or setting before anything is made."""
    profile = read_profile(options.profile) if options.profile else build_builtin_profile()
    return WorkloadPlan(profile, options.clients, options.payments, options.seed)


@contextmanager
def _open_folder(data: Path | None) -> Iterator[Path]:
    """A folder that only its owner may read; a temporary one is removed, whatever happens."""
    try:
        if data is None:
            with tempfile.TemporaryDirectory(prefix="specie-demo-") as folder:
                yield Path(folder)
            return
        _make_private(data)
        yield data
    except Stopped as stopped:
        stopped.note = _describe_kept(data)
        raise


def _make_private(data: Path) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True)
        if any(data.iterdir()):
            raise SpecieError(ErrorCode.SETTING_INVALID, f"--data {data}: not an empty folder")
        data.chmod(0o700)
    except (FileExistsError, NotADirectoryError):
        raise SpecieError(ErrorCode.SETTING_INVALID, f"--data {data}: not a folder") from None
    except OSError as error:
        reason = f"--data {data}: {error.strerror}"
        raise SpecieError(ErrorCode.STORE_UNUSABLE, reason) from None


def _describe_kept(data: Path | None) -> str:
    if data is None:
        return "nothing was kept"
    if (data / "public" / "checkpoint").exists():
        return f"kept what was final; verify it: specie audit {data / 'public'}"
    return f"nothing was final yet, remove {data}"


@contextmanager
def _closing(network: InProcessNetwork, *, is_kept: bool) -> Iterator[None]:
    """A temporary network leaves nothing on a server either."""
    try:
        yield
    finally:
        if not is_kept and network.settings.database is not None:
            network.databases.clear()
        network.databases.close()


@contextmanager
def _finishing(network: InProcessNetwork) -> Iterator[None]:
    """Stopped halfway: what is final is published, so that the folder can be verified."""
    try:
        yield
    except Stopped:
        with suppress(SpecieError):
            network.notary.publish(is_forced=True)
        raise


def _run_workload(
    network: InProcessNetwork, plan: WorkloadPlan, narrator: Narrator
) -> tuple[Town, Summary]:
    starting = compute_starting_balances(plan)
    with narrator.step(f"{plan.clients:,} people and shops open wallets"):
        town = open_town(network, starting)
    first = list(build_distribution(starting))
    with (
        narrator.step("They withdraw what they begin the day with"),
        build_progress(narrator.console) as bar,
    ):
        task = bar.add_task("withdrawals", total=len(first))
        for count in distribute(town, first):
            bar.advance(task, count)
    with narrator.step(f"A day of {plan.payments:,} orders"):
        started = time.perf_counter()
        with (
            build_progress(narrator.console) as bar,
            closing(run_orders(town, generate_orders(plan))) as done,
        ):
            task = bar.add_task("orders", total=plan.payments)

            def count_done() -> Iterator[WorkloadOrder]:
                for order in done:
                    bar.advance(task)
                    give_way()
                    yield order

            summary = summarise(count_done())
        seconds = time.perf_counter() - started
        if summary.count != plan.payments:
            raise SpecieError(ErrorCode.PAYMENT_UNKNOWN, "not every order was carried out")
        speed = f"{plan.payments / seconds:,.0f} a second, " if plan.payments else ""
        narrator.say(f"{speed}everything in this one process")
    return town, summary


def _tell_workload(
    town: Town, plan: WorkloadPlan, summary: Summary, profile: Path | None, narrator: Narrator
) -> None:
    counts = sorted(((one.count, kind) for kind, one in summary.amounts.items()), reverse=True)
    kinds = ", ".join(f"{count:,} {kind.value}" for count, kind in counts)
    if not kinds:
        return
    narrator.say(kinds)
    turnover = town.network.genesis.currency.format(town.turnover)
    merges = f"; {town.merges} merged small tokens first" if town.merges else ""
    narrator.say(f"turnover {turnover}{merges}")
    found = compare(summary, compute_expected_summary(plan))
    name = profile.name if profile else "built in"
    narrator.say(
        f"profile {name}: kinds within {100 * found.kind_share:.1f} points of it,"
        f" hours {100 * found.hour_share:.1f},"
    )
    narrator.say(f"  mean amounts {found.amount_standard_errors:.1f} standard errors")


def _publish_rest(network: InProcessNetwork, narrator: Narrator) -> None:
    with narrator.step("What waits is published; did the notary keep its promises?"):
        publish_now(network)
        network.notary.publish(is_forced=True)
        broken = network.notary.count_broken_promises()
        if broken:
            raise SpecieError(ErrorCode.NOT_PUBLISHED, f"the notary broke {broken} promises")
        sizes = count_batches(network)
        kept, least = f"all {sum(sizes):,} promises kept", f"{min(sizes):,} payments"
        narrator.say(f"{kept}, smallest publication batch {least}")


def _verify_apart(network: InProcessNetwork, narrator: Narrator) -> dict[str, Any]:
    with narrator.step("A separate process verifies the supply from the public folder alone"):
        found = _run_audit(network)
        fund = network.accounting.get_fund()
        if found["supply_minor"] != fund:
            raise SpecieError(ErrorCode.SUPPLY_NOT_VERIFIED, "the issuance fund says otherwise")
        narrator.say(
            f"{found['leaves']:,} leaves: {found['created']:,} outputs, {found['spent']:,} spent,"
            f" {found['range_proofs']:,} range proofs,"
        )
        narrator.say(
            f"  {found['kernels']:,} kernels, {found['authorisations']:,} officers' signatures,"
            f" {found['conflicts']} double spend proven"
        )
        narrator.say(f"issuance fund: {network.genesis.currency.format(fund)},")
        narrator.say("  the same, but the central bank's word and not public data")
    return found


def _run_audit(network: InProcessNetwork) -> dict[str, Any]:
    """`specie audit` in a process of its own, which is ended with us."""
    command = [
        *(sys.executable, "-m", "specie", "audit", str(network.public), "--json"),
        *("--network", network.genesis.network.hex()),
    ]
    with subprocess.Popen(  # noqa: S603  # this very program, on our own folder
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    ) as process:
        try:
            output, errors = process.communicate()
        except BaseException:
            process.terminate()  # and wait: it removes its own temporary files
            raise
    if process.returncode != 0:
        raise SpecieError(ErrorCode.SUPPLY_NOT_VERIFIED, errors.strip())
    found: dict[str, Any] = json.loads(output)
    return found


def _build_last_line(found: dict[str, Any]) -> str:
    """At most 80 characters, however much there is."""
    unspent = found["created"] - found["spent"]
    line = f"supply verified: {found['supply']} = issued - redeemed"
    longer = f"{line}, in {unspent:,} unspent outputs"
    return longer if len(longer) <= _LINE_LENGTH_MAX else line
