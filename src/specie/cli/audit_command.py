"""`specie audit`: its options, and what it prints."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from specie.cli.arguments import parse_network
from specie.cli.audit import audit_folder, describe_claims, describe_signers, describe_totals
from specie.cli.batch_audit import BATCH_CLAIMS, audit_batches
from specie.cli.mirroring import Source
from specie.cli.results import write_json
from specie.cli.telling import show_progress
from specie.cli.trust import load_backing
from specie.identity.cosigners import Backing, check_backed


def audit(  # noqa: PLR0913  # one parameter for each option
    place: Annotated[
        str, typer.Argument(help="Public folder, or https:// address of a registration.")
    ],
    network: Annotated[
        str | None, typer.Option(help="Network id you trust, 32 hex digits.")
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Root certificate of the network, for an address.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Folder for the copy of an address; continued if there.")
    ] = None,
    batches: Annotated[
        Path | None,
        typer.Option(help="For auditors: folder with private batches/ and lists/ as well."),
    ] = None,
    cosigners: Annotated[
        Path | None, typer.Option(help="Your own list: only who stands in it counts.")
    ] = None,
    earlier: Annotated[
        Path | None, typer.Option(help="A checkpoint that you kept: the log must continue it.")
    ] = None,
    *,
    is_required: Annotated[
        bool, typer.Option("--require-cosigners", help="Refuse it if too few have cosigned.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the totals as JSON.")] = False,
) -> None:
    """Verify the whole currency from its public data alone, without seeing one amount."""
    expected = parse_network(network)
    source = Source(place, root, keep, expected)
    console = Console(stderr=True)
    with show_progress(console, "leaves") as progress, source.open(progress) as folder:
        trust, signed, totals = audit_folder(folder, expected, progress, earlier)
        backing = load_backing(trust, signed, cosigners)
        if is_required:
            check_backed(backing)
        judged = (
            audit_batches(folder, batches, trust, signed.checkpoint, progress) if batches else None
        )
    found = describe_totals(trust, signed, totals)
    claims = describe_claims(trust, backing, expected)
    if judged is not None:
        found |= {f"{name} judged": value for name, value in asdict(judged).items()}
        claims = [*claims, *BATCH_CLAIMS]
    signers = describe_signers(signed)
    if as_json:
        rows = [{"claim": claim, "rests on": ground} for claim, ground in claims]
        typer.echo(write_json({**found, "signers": signers, "claims": rows}))
        return
    _print(found, signers, backing, claims)


def _print(
    found: dict[str, int | str],
    signers: Sequence[str],
    backing: Sequence[Backing],
    claims: Sequence[tuple[str, str]],
) -> None:
    for name, value in found.items():
        if name != "signed by":
            typer.echo(f"{name:>16}: {value}")
    for number, signer in enumerate(signers):
        typer.echo(f"{'cosigned by' if number else 'signed by':>16}: {signer}")
    if len(signers) == 1:
        typer.echo(f"{'cosigned by':>16}: nobody")
    for one in backing:
        typer.echo(f"{'vouching':>16}: {one.describe()}")
    typer.echo("what rests on what:")
    for claim, ground in claims:
        typer.echo(f"  {claim}: {ground}")
