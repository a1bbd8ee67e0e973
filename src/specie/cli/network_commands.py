"""`specie up`, `status`, `alarms`, and `ceremony` for a network of several machines."""

from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from specie.assembly.ceremony import Plan
from specie.assembly.folders import OFFICERS, OFFLINE, PASSPHRASES, PUBLIC
from specie.assembly.lists import ROOT_FILE
from specie.cli.processes import bring_up, create, list_processes, print_alarms, print_status
from specie.cli.results import AsJson, show
from specie.values.amounts import Currency
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

Data = Annotated[Path, typer.Option("--data", help="Folder of the network.")]

_BANKS: Final = ("Bank of the North", "Bank of the South")


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
        banks=tuple(banks or _BANKS),
        batch_age_ms_max=batch_age_ms,
        traces=traces,
        is_hsm=hsm,
    )
    bring_up(data.absolute(), plan, typer.echo)


def ceremony(
    data: Data,
    banks: Annotated[
        list[str] | None, typer.Option("--bank", help="Name of a bank; again for more.")
    ] = None,
    name: Annotated[str, typer.Option(help="Of the network.")] = "specie pilot",
    currency: Annotated[
        str, typer.Option(help="Three capital letters; with :N it has N decimals, not 2.")
    ] = "DCU",
    officers: Annotated[int, typer.Option(min=2, help="Of the central bank; two decide.")] = 3,
    host: Annotated[str, typer.Option(help="Where all services are reached.")] = "127.0.0.1",
    places: Annotated[
        list[str] | None,
        typer.Option("--place", help="SERVICE=HOST, where one is reached; again for more."),
    ] = None,
    *,
    hsm: Annotated[bool, typer.Option("--hsm", help="Signing keys in SoftHSM2.")] = False,
) -> None:
    """Draw all keys of a new network and sign its lists; starts nothing."""
    plan = Plan(
        data.absolute(),
        name=name,
        currency=parse_currency(currency),
        banks=tuple(banks or _BANKS),
        officers=officers,
        host=host,
        hosts=dict(_parse_place(one) for one in places or ()),
        is_hsm=hsm,
    )
    print_ceremony(create(plan), plan.data)


def print_ceremony(network: str, data: Path) -> None:
    """What witnesses write down, where everything lies, and what comes next."""
    root = x509.load_pem_x509_certificate((data / PUBLIC / ROOT_FILE).read_bytes())
    officers = sorted(path.name for path in (data / OFFICERS).iterdir())
    folders = [*list_processes(data), *(f"{OFFICERS}/{one}" for one in officers), OFFLINE, PUBLIC]
    facts = {
        "network": network,
        "root's SHA-256 fingerprint": root.fingerprint(SHA256()).hex(":").upper(),
        "folders": f"{data}: {', '.join(folders)}",
        "passphrases": f"{data / PASSPHRASES}, a file for each keys.json",
        "next": "docs/ceremony.md from step 3: write down the first two lines, take "
        f"{OFFLINE} away, bring each folder and its passphrase to its holder, there "
        "`specie serve FOLDER`",
        "or in a rehearsal": f"specie up --data {data}",
    }
    show(facts, as_json=False)


def status(
    data: Data,
    *,
    as_json: AsJson = False,
) -> None:
    """Which processes are ready; exit code 0 only if all are."""
    are_ready = print_status(data, as_json=as_json, say=typer.echo)
    raise typer.Exit(0 if are_ready else 1)


def alarms(
    data: Data,
    *,
    as_json: AsJson = False,
) -> None:
    """What an operator has to look at; exit code 0 only if there is nothing."""
    is_quiet = print_alarms(data, as_json=as_json, say=typer.echo)
    raise typer.Exit(0 if is_quiet else 1)


def _parse_place(text: str) -> tuple[str, str]:
    service, separator, host = text.partition("=")
    if not separator or not host:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{text}: SERVICE=HOST")
    return service, host


def parse_currency(text: str) -> Currency:
    """`CODE` or `CODE:DECIMALS`."""
    code, separator, decimals = text.partition(":")
    if separator and not (decimals.isascii() and decimals.isdigit() and len(decimals) == 1):
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{text}: CODE:DECIMALS")
    return Currency(code, int(decimals or 2))
