"""`specie bank webhooks …`: where clients' events are sent, and what did not get there (T18)."""

from typing import Annotated, Any

import typer

from specie.cli.acting import Folder, Officer, Why
from specie.cli.results import AsJson, tell, write_json
from specie.remote import payment_models as said
from specie.remote import payment_operations as operations
from specie.remote.acting import NO_REASON, NOBODY
from specie.remote.control import CONTROL, call_control
from specie.values.identifiers import ClientId

webhooks = typer.Typer(help="Where clients' events are sent.", no_args_is_help=True)

Client = Annotated[str, typer.Argument(help="The bank's own id for the client.")]


@webhooks.command("register")
def register(
    client: Client,
    url: Annotated[str, typer.Argument(help="https://…, or http://127.0.0.1:… in a pilot.")],
    at: Folder,
    officer: Officer = NOBODY,
    reason: Why = NO_REASON,
) -> None:
    """Send a client's events there from now on; prints the secret that signs them, once."""
    request = said.WebhookRequest(client=ClientId(client), url=url, officer=officer, reason=reason)
    typer.echo(call_control(at / CONTROL, operations.SET_WEBHOOK, request).secret)


@webhooks.command("remove")
def remove(
    client: Client,
    at: Folder,
    officer: Officer = NOBODY,
    reason: Why = NO_REASON,
    *,
    as_json: AsJson = False,
) -> None:
    """Send nothing more; what was on its way is forgotten."""
    request = said.WebhookClient(client=ClientId(client), officer=officer, reason=reason)
    call_control(at / CONTROL, operations.REMOVE_WEBHOOK, request)
    tell("", {"client": client, "state": "removed"}, as_json=as_json)


@webhooks.command("list")
def list_webhooks(
    at: Folder, officer: Officer = NOBODY, reason: Why = NO_REASON, *, as_json: AsJson = False
) -> None:
    """All that are registered, without their secrets."""
    who = said.WebhooksQuery(officer=officer, reason=reason)
    found = call_control(at / CONTROL, operations.LIST_WEBHOOKS, who).webhooks
    _show([one.model_dump(mode="json") for one in found], as_json=as_json)


@webhooks.command("dead")
def list_dead(
    at: Folder, officer: Officer = NOBODY, reason: Why = NO_REASON, *, as_json: AsJson = False
) -> None:
    """Events that never got there: tried twelve times, within a day and a half or so."""
    who = said.WebhooksQuery(officer=officer, reason=reason)
    found = call_control(at / CONTROL, operations.LIST_DEAD, who).dead
    _show([one.model_dump(mode="json") for one in found], as_json=as_json)


@webhooks.command("replay")
def replay(
    client: Client,
    at: Folder,
    officer: Officer = NOBODY,
    reason: Why = NO_REASON,
    *,
    as_json: AsJson = False,
) -> None:
    """Send a client's dead events once more, under the ids that they had."""
    request = said.WebhookClient(client=ClientId(client), officer=officer, reason=reason)
    count = call_control(at / CONTROL, operations.REPLAY_WEBHOOK, request).size
    facts = {"client": client, "events": count}
    tell(f"{count} events are on their way again", facts, as_json=as_json)


def _show(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        typer.echo(write_json(rows))
        return
    for row in rows:
        typer.echo("  ".join(str(value) for value in row.values()))
