"""`specie up` and `status`."""

from pathlib import Path
from typing import Annotated

import typer

from specie.assembly.ceremony import Plan
from specie.cli.processes import bring_up, print_status

Data = Annotated[Path, typer.Option("--data", help="Folder of the network.")]


def up(
    data: Data,
    banks: Annotated[
        list[str] | None, typer.Option("--bank", help="Name of a bank; again for more.")
    ] = None,
    name: Annotated[str, typer.Option(help="Of a new network.")] = "specie pilot",
    batch_age_ms: Annotated[
        int, typer.Option(min=100, help="Of a new network: published at the latest by then.")
    ] = 10_000,
    *,
    traces: Annotated[bool, typer.Option(help="Of a new network: write spans.")] = False,
    hsm: Annotated[
        bool, typer.Option("--hsm", help="Of a new network: signing keys in SoftHSM2.")
    ] = False,
) -> None:
    """Start all institutions as processes on loopback; makes a new network in an empty folder."""
    plan = Plan(
        data.absolute(),
        name=name,
        banks=tuple(banks or ("Bank of the North", "Bank of the South")),
        batch_age_ms_max=batch_age_ms,
        traces=traces,
        is_hsm=hsm,
    )
    bring_up(data.absolute(), plan, typer.echo)


def status(
    data: Data,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Which processes are ready; exit code 0 only if all are."""
    are_ready = print_status(data, as_json=as_json, say=typer.echo)
    raise typer.Exit(0 if are_ready else 1)
