"""`specie backup`, `restore`, `migrate` and `rotate`: looking after one process' folder."""

import socket
from pathlib import Path
from typing import Annotated

import typer

from specie.api.serving import CONTROL
from specie.assembly.foundation import open_foundation, read_passphrase
from specie.assembly.renewing import draw_cosigner, draw_rotation, renew_intermediate
from specie.cli.serve_command import build_process
from specie.store.backup import back_up, restore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

Folder = Annotated[Path, typer.Argument(help="Folder of the process, with settings.toml.")]
PassphraseFile = Annotated[
    Path | None, typer.Option(help="Else SPECIE_PASSPHRASE, or systemd's credentials.")
]


def backup(
    folder: Folder, file: Annotated[Path, typer.Argument(help="The backup; must not be there.")]
) -> None:
    """A consistent copy of a process' folder in one file, also while it runs."""
    count = back_up(folder.absolute(), file.absolute())
    typer.echo(f"{file}: {count} files, {file.stat().st_size:,} bytes; the passphrase is not in it")


def restore_backup(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    folder: Annotated[Path, typer.Argument(help="Empty, or not there.")],
) -> None:
    """Put a backup into an empty folder, every file checked."""
    count = restore(file, folder.absolute())
    typer.echo(f"{folder}: {count} files")


def migrate(
    folder: Folder,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Bring a stopped process' database to this version; make a backup first."""
    if _is_running(folder / CONTROL):
        raise SpecieError(ErrorCode.STORE_UNUSABLE, f"{folder}: its process is running; stop it")
    passphrase = read_passphrase(folder, passphrase_file)
    base = open_foundation(folder.absolute(), passphrase, is_migrating=True)
    process = build_process(base)
    changed = base.database.upgraded
    process.close()
    for store, old, new in changed:
        typer.echo(f"{store}: version {old} → {new}")
    if not changed:
        typer.echo("nothing to do")


def rotate(
    folder: Folder,
    passphrase_file: PassphraseFile = None,
    *,
    cosigner: Annotated[
        bool, typer.Option("--cosigner", help="Of its witness or auditor, not its messages.")
    ] = False,
) -> None:
    """Draw new signing keys; prints the decision with which two officers put them in the lists."""
    passphrase = read_passphrase(folder, passphrase_file)
    if cosigner:
        role, shown = draw_cosigner(folder.absolute(), passphrase)
        start = f"specie officer decide put-cosigner --set role={role.value} --set retire=0"
        typer.echo(" ".join([start, *(f"--set '{k}={v}'" for k, v in shown.format().items())]))
        return
    rotation = draw_rotation(folder.absolute(), passphrase)
    parameters = " ".join(f"--set {name}={value}" for name, value in rotation.format().items())
    typer.echo(f"specie officer decide rotate-keys {parameters}")


def renew_authority(
    folder: Annotated[Path, typer.Argument(help="Of the central bank's process.")],
    offline: Annotated[Path, typer.Argument(help="The medium from the safe, with the root's key.")],
    passphrase_file: PassphraseFile = None,
    offline_passphrase_file: Annotated[
        Path | None, typer.Option(help="Of the root's key; else you are asked.")
    ] = None,
) -> None:
    """A new online intermediate, signed with the root's key; the process starts anew with it."""
    passphrase = read_passphrase(folder, passphrase_file)
    if offline_passphrase_file is not None:
        opening = read_passphrase(offline, offline_passphrase_file)
    else:
        opening = typer.prompt("passphrase of the root's key", hide_input=True)
    until = renew_intermediate(folder.absolute(), passphrase, offline.absolute(), opening)
    typer.echo(f"counts until {until}")


def _is_running(place: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        try:
            asking.connect(str(place))
        except OSError:
            return False
    return True
