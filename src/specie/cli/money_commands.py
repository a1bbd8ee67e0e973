"""`specie bank link-account, unlink-account, reconcile`: an operator and the bank's core system."""

from typing import Annotated

import typer

from specie.assembly.lists import load_peers
from specie.cli.acting import Folder, Officer, Why
from specie.cli.results import AsJson, show, tell
from specie.remote import bank_operations as operations
from specie.remote import client_models as clients
from specie.remote.acting import NO_REASON, NOBODY
from specie.remote.control import CONTROL, call_control
from specie.remote.fields import Empty
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, CoreAccount

Client = Annotated[str, typer.Argument(help="The bank's own id for the person.")]


def link_account(
    client: Client,
    at: Folder,
    account: Annotated[
        str | None, typer.Argument(help="At the core system; else the one that it knows.")
    ] = None,
    officer: Officer = NOBODY,
    reason: Why = NO_REASON,
    *,
    as_json: AsJson = False,
) -> None:
    """Link a client's account at the core system, which says that it is the client's."""
    chosen = None if account is None else CoreAccount(account)
    request = clients.ClientLinking(
        client=ClientId(client), account=chosen, officer=officer, reason=reason
    )
    linked = call_control(at / CONTROL, operations.LINK_ACCOUNT, request).account
    tell(linked, {"client": client, "account": linked}, as_json=as_json)


def unlink_account(
    client: Client,
    at: Folder,
    officer: Officer = NOBODY,
    reason: Why = NO_REASON,
    *,
    as_json: AsJson = False,
) -> None:
    """Unlink it again; refused while anything of the client's is in transit."""
    request = clients.ClientQuery(client=ClientId(client), officer=officer, reason=reason)
    call_control(at / CONTROL, operations.UNLINK_ACCOUNT, request)
    tell("", {"client": client, "account": None}, as_json=as_json)


def reconcile(at: Folder, *, as_json: AsJson = False) -> None:
    """Control accounts beside the core system's position; exit code 1 if they differ unexplained.

    What is in transit may be on one of the two sides only.
    """
    currency = load_peers(at, None).roster.genesis.currency
    facts = call_control(at / CONTROL, operations.RECONCILE, Empty()).facts
    is_explained = facts.pop("differences are explained") == "yes"
    amounts = {
        name: value if as_json else currency.format(int(value)) for name, value in facts.items()
    }
    show({**amounts, "differences are explained": is_explained}, as_json=as_json)
    if not is_explained:
        raise SpecieError(
            ErrorCode.CORE_BANK_MISMATCH, "the two sides differ by more than is in transit"
        )


def add_money_commands(bank: typer.Typer) -> None:
    """To those of `specie bank`."""
    bank.command("link-account")(link_account)
    bank.command("unlink-account")(unlink_account)
    bank.command("reconcile")(reconcile)
