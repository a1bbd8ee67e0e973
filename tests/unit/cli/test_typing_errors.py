"""Whatever is typed, a person is answered with a sentence and never with Python's traceback."""

import io
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperArgument, TyperCommand, TyperGroup
from typer.main import get_command

from specie.cli.app import app, main
from specie.cli.devices import created_device
from specie.cli.wallets import make_phrase
from specie.crypto.secrets import parse_phrase

PASSPHRASE = "secret"
WRONG = {"letters": "zz", "empty": "", "long": "ab" * 150}
LONE = {"demo", "up", "ceremony", "bench", "simulate", "serve"}  # start something, take no text


Command = TyperCommand | TyperGroup


def list_commands(
    command: object, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    """Typer's whole tree, by the words that name a command."""
    if isinstance(command, TyperGroup):
        context = command.context_class(command)
        for name in command.list_commands(context):
            yield from list_commands(command.get_command(context, name), (*words, name))
    else:
        assert isinstance(command, TyperCommand)
        yield words, command


def get_type(one: Any) -> object:
    """As the function has it."""
    return one.type_descriptor.annotation


COMMANDS = dict(list_commands(get_command(app)))
KNOWN = {"holder", "network", "help"}
CASES = {
    words: [one.name for one in command.params if get_type(one) is str and one.name not in KNOWN]
    for words, command in COMMANDS.items()
    if words[0] not in LONE and any(isinstance(one, TyperArgument) for one in command.params)
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A device with keys, an empty public folder, and nobody who answers."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "public").mkdir()
    tree = parse_phrase(make_phrase())
    with created_device(folder / "devices.db", "Aigerim", PASSPHRASE, tree):
        return folder


def fill(one: Any, place: Path) -> str:
    """What may well be typed there."""
    if one.name in {"device", "into"}:
        return str(place / "devices.db")
    if one.name == "public":
        return str(place / "public")
    if get_type(one) is Path:
        return str(place / "nobody")
    if get_type(one) is int:
        return "2"
    return {"holder": "Aigerim", "amount": "1.00"}.get(one.name, "ab" * 16)


def build_line(words: tuple[str, ...], wrong: tuple[str, str], place: Path) -> list[str]:
    """All that must be there, and in one place the wrong text."""
    options: list[str] = []
    arguments: list[str] = []
    for one in COMMANDS[words].params:
        is_wrong = one.name == wrong[0]
        if not (one.required or is_wrong):
            continue
        value = wrong[1] if is_wrong else fill(one, place)
        if isinstance(one, TyperArgument):
            arguments.append(value)
        else:
            options += [max(one.opts, key=len), value]
    return [*words, *options, "--", *arguments]


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("words", CASES, ids="-".join)
def test_no_text_ends_in_a_traceback(
    words: tuple[str, ...], text: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One argument or option after the other, what else there must be is well typed."""
    for name in CASES[words]:
        told = say(build_line(words, (name, text), place), monkeypatch)
        assert "Traceback" not in told, name


def say(line: list[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """What `specie` prints; whatever gets past its entry point fails the test."""
    output = io.StringIO()
    monkeypatch.setattr("specie.cli.stopping.signal.signal", lambda *_: None)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSPHRASE}\n{'zoo ' * 24}\n"))
    monkeypatch.setattr(sys, "argv", ["specie", *line])
    with redirect_stdout(output), redirect_stderr(output), pytest.raises(SystemExit):
        main()
    return output.getvalue()


def test_the_field_is_named_and_what_is_allowed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = ["bank", "approve", "zz", "--as", "Dana", "--at", str(place)]
    error = say(line, monkeypatch)
    assert error.startswith("specie: message_malformed: number: ") and "32" in error
    assert "zz" not in error
