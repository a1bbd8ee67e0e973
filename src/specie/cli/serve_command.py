"""`specie serve`: one institution's process."""

from collections.abc import Callable
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Annotated, Final

import typer

from specie.api.serving import Serving, log_to
from specie.assembly.bank_process import build_bank
from specie.assembly.central_processes import (
    build_accounting,
    build_auditor,
    build_notary,
    build_registration,
)
from specie.assembly.desk_process import build_desk
from specie.assembly.folders import read_passphrase
from specie.assembly.foundation import Foundation, Process, open_foundation
from specie.assembly.renewing import prune_keys
from specie.assembly.system import tune_interpreter
from specie.identity.services import ServiceRole

_TRACING: Final = "specie.assembly.telemetry"  # loads OpenTelemetry's SDK: where it is wanted alone
_BUILDERS: Final[dict[ServiceRole, Callable[[Foundation], Process]]] = {
    ServiceRole.NOTARY: build_notary,
    ServiceRole.ACCOUNTING: build_accounting,
    ServiceRole.CENTRAL_BANK: build_desk,
    ServiceRole.REGISTRATION: build_registration,
    ServiceRole.BANK: build_bank,
    ServiceRole.AUDITOR: build_auditor,
}


def serve_one(
    folder: Annotated[Path, typer.Argument(help="Folder of the process, with settings.toml.")],
    passphrase_file: Annotated[
        Path | None, typer.Option(help="Else SPECIE_PASSPHRASE, or systemd's credentials.")
    ] = None,
) -> None:
    """One institution's process, in the foreground."""
    serve(folder.absolute(), read_passphrase(folder, passphrase_file))


def serve(folder: Path, passphrase: str) -> None:
    """In the foreground, until it is told to stop."""
    base = open_foundation(folder, passphrase)
    log_to(level=base.settings.observe.level)
    tune_interpreter()
    with ExitStack() as at_end:
        if base.settings.observe.traces:
            telemetry = import_module(_TRACING)
            at_end.callback(telemetry.trace_to(folder / "traces.jsonl", base.name))
        process = build_process(base)
        prune_keys(base)
        Serving(process).run(lambda: None)


def build_process(base: Foundation) -> Process:
    """What its role in the list of services says."""
    return _BUILDERS[base.peers.services.get(base.name).role](base)
