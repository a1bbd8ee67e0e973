"""What a command prints as its result: for people lines or a bare id, for programs JSON.

With `--json` standard output holds the result alone, as one JSON value; what is said along the way
goes to standard error. Amounts are in minor units under names that end in `minor`; ids are hex.
What people are told as `deposit minor` is `deposit_minor` there; what is no name of ours, as a
contact or a claim, is a value.
"""

import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from specie.values.amounts import Currency

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

Facts = dict[str, Any]
"""Name → what it is; names are for people, too."""


def show(facts: Facts, *, as_json: bool) -> None:
    """A line each, or one JSON object."""
    if as_json:
        typer.echo(write_json(facts))
        return
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        said = ("yes" if value else "no") if isinstance(value, bool) else value
        typer.echo(f"{name:>{width}}: {said}")


def tell(text: str, facts: Facts, *, as_json: bool) -> None:
    """One JSON object, or what people are told: an id, a sentence, nothing if that is empty."""
    if as_json:
        typer.echo(write_json(facts))
    elif text:
        typer.echo(text)


def show_rows(rows: Sequence[Facts], spell: Callable[[Facts], str], *, as_json: bool) -> None:
    """One JSON list, or what people are told of each: a line, or a few."""
    if as_json:
        typer.echo(write_json(rows))
        return
    for row in rows:
        typer.echo(spell(row))


def write_json(value: object) -> str:
    """On one line, with the names that programs are told."""
    return json.dumps(_spell_names(value))


def remark(text: str, *, as_json: bool) -> None:
    """Said along the way; not between a program and its result."""
    typer.echo(text, err=as_json)


def spell_amount(currency: Currency, minor: int, name: str = "") -> Facts:
    """`amount` and `minor`, as in a history; of another name, it and `… minor`."""
    return {name or "amount": currency.format(minor), f"{name} minor".strip(): int(minor)}


def _spell_names(value: object) -> object:
    if isinstance(value, dict):
        return {_spell_name(name): _spell_names(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_spell_names(one) for one in value]
    return value


def _spell_name(name: str) -> str:
    """One word stays as it is: a process is `bank-2` everywhere."""
    return name.replace(" ", "_").replace("-", "_") if " " in name else name
