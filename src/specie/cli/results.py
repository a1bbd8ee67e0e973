"""What a command prints as its result: for people lines or a bare id, for programs JSON.

With `--json` standard output holds the result alone, as one JSON value; what is said along the way
goes to standard error. Amounts are in minor units under names that end in `minor`; ids are hex.
"""

import json
from typing import Annotated, Any

import typer

from specie.values.amounts import Currency

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

Facts = dict[str, Any]
"""Name → what it is; names are for people, too."""


def show(facts: Facts, *, as_json: bool) -> None:
    """A line each, or one JSON object."""
    if as_json:
        typer.echo(json.dumps(facts))
        return
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        typer.echo(f"{name:>{width}}: {value}")


def tell(text: str, facts: Facts, *, as_json: bool) -> None:
    """One JSON object, or what people are told: an id, a sentence, nothing if that is empty."""
    if as_json:
        typer.echo(json.dumps(facts))
    elif text:
        typer.echo(text)


def remark(text: str, *, as_json: bool) -> None:
    """Said along the way; not between a program and its result."""
    typer.echo(text, err=as_json)


def spell_amount(currency: Currency, minor: int, name: str = "") -> Facts:
    """`amount` and `minor`, as in a history; of another name, it and `… minor`."""
    return {name or "amount": currency.format(minor), f"{name} minor".strip(): int(minor)}
