"""`specie backup`, `restore`, `catch-up`, `migrate`, `rotate` and more for a folder of keys."""

import secrets
import socket
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from specie.assembly.catching_up import catch_up_notary, catch_up_witness
from specie.assembly.folders import KEYS, PASSPHRASES, find_passphrase, read_passphrase
from specie.assembly.foundation import open_foundation, refresh_if_served
from specie.assembly.renewing import (
    draw_cosigner,
    draw_rotation,
    draw_storage_keys,
    renew_intermediate,
)
from specie.assembly.tls import ROOT
from specie.cli.mirroring import Source
from specie.cli.serve_command import build_process
from specie.identity.services import ServiceRole
from specie.notary.catching_up import CaughtUp
from specie.remote.control import CONTROL
from specie.store.backup import back_up, restore
from specie.store.key_file import KeyFile
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.times import format_time

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


def catch_up(folder: Folder, passphrase_file: PassphraseFile = None) -> None:
    """Bring the database of a stopped notary or bank, put back from an old copy, up to the log."""
    _check_stopped(folder)
    passphrase = read_passphrase(folder, passphrase_file)
    with closing(open_foundation(folder.absolute(), passphrase)) as base:
        role = base.peers.services.get(base.name).role
        if role not in (ServiceRole.NOTARY, ServiceRole.BANK):
            reason = f"{base.name}: only a notary or a bank catches up with the log"
            raise SpecieError(ErrorCode.SETTING_INVALID, reason)
        refresh_if_served(base.lists, base.name)
        place = base.peers.services.get_one(ServiceRole.REGISTRATION).public_url
        source = Source(place, base.folder / ROOT, network=base.peers.network)
        with source.open(None) as copy:
            if role is ServiceRole.NOTARY:
                _tell_notary(catch_up_notary(base, copy))
            else:
                _tell_bank(catch_up_witness(base, copy))


def migrate(
    folder: Folder,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Bring a stopped process' database to this version; make a backup first."""
    _check_stopped(folder)
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
    storage: Annotated[
        bool, typer.Option("--storage", help="Those that seal its database; no decision needed.")
    ] = False,
) -> None:
    """Draw new keys: those that sign, of its cosigner, or those that seal its database.

    Of keys that sign it prints the decision with which two officers put them in the lists.
    """
    if cosigner and storage:
        raise typer.BadParameter("--cosigner or --storage, one after the other")
    passphrase = read_passphrase(folder, passphrase_file)
    if storage:
        drawn = " and ".join(draw_storage_keys(folder.absolute(), passphrase))
        typer.echo(f"{drawn}: used from the process' next start on")
        typer.echo("make a backup then: with older keys alone what comes cannot be read")
        return
    if cosigner:
        role, shown = draw_cosigner(folder.absolute(), passphrase)
        start = f"specie officer decide put-cosigner --set role={role.value} --set retire=0"
        typer.echo(" ".join([start, *(f"--set '{k}={v}'" for k, v in shown.format().items())]))
        return
    rotation = draw_rotation(folder.absolute(), passphrase)
    parameters = " ".join(f"--set {name}={value}" for name, value in rotation.format().items())
    typer.echo(f"specie officer decide rotate-keys {parameters}")


def change_passphrase(
    place: Annotated[Path, typer.Argument(help="A file of keys, or the folder of keys.json.")],
    passphrase_file: Annotated[
        Path | None,
        typer.Option(help="With the present one; else as at a start, or you are asked."),
    ] = None,
    new_passphrase_file: Annotated[
        Path | None, typer.Option(help="With the new one; else you are asked, twice.")
    ] = None,
) -> None:
    """Seal a file of keys anew, under another passphrase; the keys in it stay what they are."""
    path = (place / KEYS if place.is_dir() else place).resolve()
    present = find_passphrase(passphrase_file)
    if present is None:
        present = typer.prompt("present passphrase", hide_input=True)
    keys = KeyFile(path, present)
    if new_passphrase_file is not None:
        chosen = read_passphrase(path, new_passphrase_file)
    else:
        chosen = typer.prompt("new passphrase", hide_input=True, confirmation_prompt=True)
    keys.change_passphrase(chosen, secrets.token_bytes(16))
    typer.echo(f"{path}: sealed under the new passphrase; copies of it open with the old one")
    beside = path.parent.parent / PASSPHRASES / path.parent.name
    if beside.is_file():
        typer.echo(f"{beside}: has the old one still; put the new one there before the next start")


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


def _tell_notary(found: CaughtUp) -> None:
    typer.echo(f"restored: {found.batches} batches, {found.transactions} transactions")
    until = format_time(found.lost_from)
    typer.echo(f"what was promised after {until} is lost, unless its payer sends it again")


def _tell_bank(leaves: int) -> None:
    typer.echo(f"witness: goes on {leaves:,} leaves later")
    if leaves:
        typer.echo("clients, books and vault are as old as the copy: book by hand what is missing")


def _check_stopped(folder: Path) -> None:
    if _is_running(folder / CONTROL):
        raise SpecieError(ErrorCode.STORE_UNUSABLE, f"{folder}: its process is running; stop it")


def _is_running(place: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        try:
            asking.connect(str(place))
        except OSError:
            return False
    return True
