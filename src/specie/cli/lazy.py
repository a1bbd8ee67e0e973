"""Commands by name; a module is imported when its command is asked for.

Starting costs what the command needs: a look at a status does not wait for every module there is.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, ClassVar, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

_PACKAGE: Final = "specie.cli"
COMMANDS: Final = {
    "demo": "alone_commands:demo",
    "up": "network_commands:up",
    "ceremony": "network_commands:ceremony",
    "status": "network_commands:status",
    "alarms": "network_commands:alarms",
    "serve": "serve_command:serve_one",
    "backup": "upkeep_commands:backup",
    "restore": "upkeep_commands:restore_backup",
    "catch-up": "upkeep_commands:catch_up",
    "migrate": "upkeep_commands:migrate",
    "rotate": "upkeep_commands:rotate",
    "change-passphrase": "upkeep_commands:change_passphrase",
    "renew-authority": "upkeep_commands:renew_authority",
    "officer": "officer_commands:officer",
    "bank": "bank_commands:bank",
    "core-bank": "core_bank_commands:core_bank",
    "central-bank": "bank_commands:central_bank",
    "wallet": "wallet_commands:wallet",
    "reader": "reader_commands:reader",
    "audit": "audit_command:audit",
    "verify-receipt": "wallet_commands:verify_receipt",
    "simulate": "alone_commands:simulate_seeds",
    "bench": "alone_commands:bench",
}
"""Command → module of this package and what it holds: a function, or a group of commands."""


BANK_COMMANDS: Final = {
    "join": "joining_commands:join",
    "renew": "joining_commands:renew",
}
"""Of `specie bank`: those that need more than the bank's process at the other end."""


class LazyGroup(TyperGroup):
    """`specie` itself."""

    table: ClassVar[Mapping[str, str]] = COMMANDS

    def list_commands(self, ctx: Any) -> list[str]:
        """Those that are here, then in the order of the table."""
        return [*super().list_commands(ctx), *self.table]

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | TyperGroup | None:
        """None for one that there is not."""
        place = self.table.get(cmd_name)
        if place is not None:
            return load(cmd_name, place)
        found = super().get_command(ctx, cmd_name)
        assert found is None or isinstance(found, (TyperCommand, TyperGroup)), "made by Typer"
        return found


class LazyBank(LazyGroup):
    """`specie bank`."""

    table: ClassVar[Mapping[str, str]] = BANK_COMMANDS


@cache
def load(name: str, place: str) -> TyperCommand | TyperGroup:
    """Made once: its options are read off signatures, and many commands have dozens."""
    module, _, attribute = place.partition(":")
    found = getattr(import_module(f"{_PACKAGE}.{module}"), attribute)
    if isinstance(found, typer.Typer):
        group = get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    command = get_command(alone)
    assert isinstance(command, TyperCommand), "made by Typer"
    return command
