"""`specie`: its entry point; `lazy.py` names the commands, each in a module of its own."""

import signal
import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError

from specie.cli.lazy import LazyGroup
from specie.cli.stopping import Stopped, silence_output, watch_signals
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

app = typer.Typer(
    help="A central bank digital currency that runs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    cls=LazyGroup,
)


def _print_version(*, is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"specie {version('specie')}")
        raise typer.Exit


@app.callback()
def specie(
    *,
    is_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print it and stop."
        ),
    ] = False,
) -> None:
    """A central bank digital currency that runs."""


def main() -> None:
    """Entry point: a broken rule is one line on standard error and exit code 1."""
    watch_signals()
    try:
        app()
    except SpecieError as error:
        _end(f"specie: {error}", 1)
    except ValidationError as error:
        _end(f"specie: {ErrorCode.MESSAGE_MALFORMED.value}: {_name_misfit(error)}", 1)
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        _end(f"specie: {ErrorCode.STORE_UNUSABLE.value}: {what}", 1)
    except Stopped as stopped:
        if stopped.number is signal.SIGPIPE:
            silence_output()
            sys.exit(stopped.exit_code)
        _end(f"specie: {stopped.describe()}", stopped.exit_code)


def _name_misfit(error: ValidationError) -> str:
    """Of a message that is built from what was typed: the field and what is allowed, no value.

    What others send is refused where it is decoded and does not come here.
    """
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    return f"{field}: {first['msg']}"


def _end(line: str, exit_code: int) -> NoReturn:
    sys.stderr.write(f"{line}\n")
    sys.exit(exit_code)
