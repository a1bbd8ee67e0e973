"""The commands and their options; each hands over to a module of its own."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from specie.cli.audit import audit_folder, describe_claims, describe_totals
from specie.cli.benchmarks import run_benchmark
from specie.cli.demo import DemoOptions, run_demo
from specie.cli.telling import show_progress
from specie.identity.genesis import ProofMode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId

app = typer.Typer(
    help="A central bank digital currency that runs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_MODES = {mode.name.lower(): mode for mode in ProofMode}


@app.callback()
def specie() -> None:
    """A central bank digital currency that runs."""


@app.command()
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
) -> None:
    """The whole story in one process, a workload, and the supply verified from public data."""
    if mode not in _MODES:
        raise typer.BadParameter("published or aggregated", param_hint="--mode")
    options = DemoOptions(clients, payments, profile, data, seed, _MODES[mode])
    run_demo(options, Console())


@app.command()
def audit(
    folder: Annotated[Path, typer.Argument(help="Public folder: genesis, checkpoint, tile/.")],
    network: Annotated[
        str | None, typer.Option(help="Network id you trust, 32 hex digits.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the totals as JSON.")] = False,
) -> None:
    """Verify the whole currency from its public data alone, without seeing one amount."""
    expected = _parse_network(network)
    with show_progress(Console(stderr=True), "leaves") as progress:
        trust, signed, totals = audit_folder(folder, expected, progress)
    found = describe_totals(trust, signed, totals)
    if as_json:
        typer.echo(json.dumps(found))
        return
    for name, value in found.items():
        typer.echo(f"{name:>16}: {value}")
    for claim in describe_claims(trust.genesis, trust.participants):
        typer.echo(f"  - {claim}")


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help="Which: kernel.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure, as ratios to a reference of the same run. Needs the repository's bench folder."""
    raise typer.Exit(run_benchmark(name, is_json=as_json))


def main() -> None:
    """Entry point: a broken rule is one line on standard error and exit code 1."""
    try:
        app()
    except SpecieError as error:
        sys.stderr.write(f"specie: {error}\n")
        sys.exit(1)


def _parse_network(text: str | None) -> NetworkId | None:
    if text is None:
        return None
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != 16:
        raise typer.BadParameter("32 hex digits", param_hint="--network")
    return NetworkId(raw)
