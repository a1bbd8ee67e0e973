"""`specie bank join` and `renew`: what a bank does with its keys where they lie."""

from pathlib import Path
from typing import Annotated

import typer

from specie.assembly.ceremony import check_host
from specie.assembly.folders import read_passphrase
from specie.assembly.newcomer import Newcomer
from specie.assembly.renewing import renew_certificate
from specie.cli.acting import Folder
from specie.cli.parties import parse_order
from specie.cli.results import AsJson, tell
from specie.cli.token_options import Hsm, Token, choose_token


def join(
    code: Annotated[str, typer.Argument(help="The one-time code of the central bank.")],
    at: Folder,
    public: Annotated[Path, typer.Option(help="Folder with root.pem and the network's lists.")],
    host: Annotated[str, typer.Option(help="Where it listens.")] = "127.0.0.1",
    wait: Annotated[float, typer.Option(help="Seconds for an officer to approve.")] = 600.0,
    passphrase_file: Annotated[
        Path | None, typer.Option(help="Else SPECIE_PASSPHRASE, for the new keys.")
    ] = None,
    token: Token = None,
    *,
    hsm: Hsm = False,
) -> None:
    """A new bank: draw keys, enrol, wait for approval; then `specie serve` starts it."""
    check_host(host)
    passphrase = read_passphrase(at, passphrase_file)
    folder = at.absolute()
    chosen = choose_token(folder.parent, folder.name, token, is_soft=hsm)
    asked = Newcomer(folder, public, parse_order(code), host, chosen)
    asked.prepare(passphrase)
    typer.echo(f"digest of the keys: {asked.digest}")
    number = asked.wait(wait)
    typer.echo(f"approved: bank-{number}; specie serve {at}")


def renew(
    at: Folder,
    passphrase_file: Annotated[
        Path | None, typer.Option(help="Else SPECIE_PASSPHRASE, for the file of keys.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """A new certificate; the process takes it with its next start."""
    certificate = renew_certificate(at.absolute(), read_passphrase(at, passphrase_file))
    until = certificate.not_valid_after_utc.isoformat()
    serial = f"{certificate.serial_number:040x}"
    facts = {"counts until": until, "serial": serial}
    tell(f"counts until {until}\nserial: {serial}", facts, as_json=as_json)
