"""`specie demo`, `simulate` and `bench`: what runs in one process, without a network."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from specie.assembly.system import tune_interpreter
from specie.cli.benchmarks import NAMES, run_benchmark
from specie.cli.demo import DemoOptions, run_demo
from specie.cli.results import write_json
from specie.cli.simulating import describe, parse_seeds, run_seeds, to_json
from specie.identity.genesis import ProofMode

_MODES = {mode.name.lower(): mode for mode in ProofMode}


def demo(
    clients: Annotated[int, typer.Option(help="People and shops, 3 or more.")] = 40,
    payments: Annotated[int, typer.Option(help="Orders of the workload, 0 or more.")] = 200,
    profile: Annotated[
        Path | None, typer.Option(help="Folder with statistics of real payments.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Empty folder to keep; else a temporary one.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Fixes the workload.")] = 1,
    mode: Annotated[str, typer.Option(help="Range proofs: published or aggregated.")] = "published",
    database: Annotated[
        str | None, typer.Option(help="postgresql:// URL; else SQLite files.", metavar="URL")
    ] = None,
) -> None:
    """The whole story in one process, a workload, and the supply verified from public data."""
    if mode not in _MODES:
        raise typer.BadParameter("published or aggregated", param_hint="--mode")
    options = DemoOptions(clients, payments, profile, data, seed, _MODES[mode], database)
    tune_interpreter()
    run_demo(options, Console())


def simulate_seeds(
    seed: Annotated[int, typer.Option(min=0, help="Decides everything that happens.")] = 1,
    seeds: Annotated[str | None, typer.Option(help="Many, both included.", metavar="A..B")] = None,
    minutes: Annotated[int, typer.Option(help="Simulated, before everything heals.")] = 20,
    processes: Annotated[int, typer.Option(help="Run side by side.")] = 1,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON a seed.")] = False,
) -> None:
    """A whole country where everything fails, as a seed decides; money must be conserved."""
    wanted = parse_seeds(seeds) if seeds else range(seed, seed + 1)
    findings = 0
    for report in run_seeds(wanted, minutes, processes):
        findings += bool(report.finding)
        shown = [write_json(to_json(report))] if as_json else describe(report, minutes)
        typer.echo("\n".join(shown))
    if not as_json:
        typer.echo(f"{len(wanted)} seeds, {findings} findings")
    raise typer.Exit(1 if findings else 0)


def bench(
    name: Annotated[str, typer.Argument(help=f"Which: {', '.join(NAMES)}.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    seconds: Annotated[float | None, typer.Option(help="To measure for, about.")] = None,
) -> None:
    """Measure, as ratios to a reference of the same run. Needs the repository's bench folder."""
    raise typer.Exit(run_benchmark(name, seconds, is_json=as_json))
