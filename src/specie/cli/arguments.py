"""Arguments that several commands read the same way."""

import typer

from specie.values.identifiers import NetworkId


def parse_network(text: str | None) -> NetworkId | None:
    """32 hex digits, or nothing; a usage error otherwise."""
    if text is None:
        return None
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != 16:
        raise typer.BadParameter("32 hex digits", param_hint="--network")
    return NetworkId(raw)
