"""`specie bank clients, applications, approve, refuse, signatories, close, lost, reopen` …"""

from datetime import UTC, datetime
from typing import Annotated

import typer

from specie.cli.acting import Folder, Officer, Why
from specie.cli.results import AsJson, Facts, show, tell, write_json
from specie.remote import client_models as clients
from specie.remote import loss_models as losses
from specie.remote import onboarding_models as onboarding
from specie.remote import people_operations as operations
from specie.remote import signatory_models as signatories
from specie.remote.acting import NO_REASON, NOBODY
from specie.remote.control import CONTROL, call_control
from specie.remote.standing_models import ClientsQuery
from specie.values.identifiers import ClientId
from specie.values.times import format_time

Number = Annotated[str, typer.Argument(help="The application's number, 32 hex digits.")]
Client = Annotated[str, typer.Argument(help="The bank's id for the client.")]
By = Annotated[str, typer.Option("--as", help="Your name: it stands beside the decision.")]


def applications(
    at: Folder,
    state: Annotated[str, typer.Option(help="waiting, approved, refused, expired.")] = "waiting",
    officer: Officer = NOBODY,
    reason: Why = NO_REASON,
    *,
    as_json: AsJson = False,
) -> None:
    """Who asks for a wallet, the oldest first."""
    request = onboarding.ApplicationsQuery(state=state, officer=officer, reason=reason)
    found = call_control(at / CONTROL, operations.LIST_ACCOUNTS, request).applications
    if as_json:
        typer.echo(write_json([_describe(one) for one in found]))
        return
    for one in found:
        name = one.person.get("name", "–")
        typer.echo(f"{one.number}  {_spell(one.time)}  {one.tier:<10}  {name}")


def application(
    number: Number,
    at: Folder,
    officer: Officer = NOBODY,
    reason: Why = NO_REASON,
    *,
    as_json: AsJson = False,
) -> None:
    """One application, with what the person says of himself."""
    request = onboarding.ApplicationQuery(number=number, officer=officer, reason=reason)
    found = call_control(at / CONTROL, operations.SHOW_ACCOUNT, request)
    show(_describe(found), as_json=as_json)


def approve(
    number: Number,
    at: Folder,
    by: By,
    client: Annotated[str | None, typer.Option(help="The bank's id for the person.")] = None,
    tier: Annotated[str | None, typer.Option(help="Another tier than was asked for.")] = None,
    reason: Why = NO_REASON,
    *,
    as_json: AsJson = False,
) -> None:
    """Open the wallet; prints the client's id. Again is the same."""
    chosen = None if client is None else ClientId(client)
    request = onboarding.AccountApproval(
        number=number, client=chosen, tier=tier, by=by, reason=reason
    )
    opened = call_control(at / CONTROL, operations.APPROVE_ACCOUNT, request).client
    tell(opened, {"number": number, "client": opened}, as_json=as_json)


def refuse(
    numbers: Annotated[list[str], typer.Argument(help="One, or as many as a page shows.")],
    at: Folder,
    by: By,
    told: Annotated[str, typer.Option("--tell", help="Why, as each person is told it.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Refuse them all or none, for good; the view keys that came with them are forgotten."""
    request = onboarding.AccountRefusal(numbers=numbers, reason=told, by=by)
    call_control(at / CONTROL, operations.REFUSE_ACCOUNT, request)
    tell("", {"refused": numbers, "told": told}, as_json=as_json)


def signatories_of(
    client: Client,
    at: Folder,
    names: Annotated[
        list[str] | None, typer.Argument(help="Who signs; nobody shows who does now.")
    ] = None,
    need: Annotated[
        int | None, typer.Option(help="How many of them sign; 0 of nobody ends it.")
    ] = None,
    officer: Officer = NOBODY,
    reason: Why = NO_REASON,
    *,
    as_json: AsJson = False,
) -> None:
    """Who signs for a client together; a change needs those of before as well."""
    if need is None:
        query = clients.ClientQuery(client=ClientId(client), officer=officer, reason=reason)
        found = call_control(at / CONTROL, operations.SHOW_SEATS, query)
        seats = [{"name": one.name, "signs": one.is_known} for one in found.seats]
        known = {one.name: "signs" if one.is_known else "no device yet" for one in found.seats}
        show({"need": found.need, **({"seats": seats} if as_json else known)}, as_json=as_json)
        return
    request = signatories.SeatsProposal(
        client=ClientId(client), need=need, names=names or [], officer=officer, reason=reason
    )
    done = call_control(at / CONTROL, operations.PROPOSE_SEATS, request)
    facts: Facts = {"in force": done.is_in_force, "id": done.digest.hex()}
    if as_json:
        facts["codes"] = [{"name": one.name, "code": one.code.hex()} for one in done.codes]
    else:
        facts["in force"] = "now" if done.is_in_force else "when those of before have approved"
        facts |= {one.name: one.code.hex() for one in done.codes}
    show(facts, as_json=as_json)


def list_clients(
    at: Folder,
    officer: Officer,
    reason: Why,
    client: Annotated[str | None, typer.Option(help="One client.")] = None,
    after: Annotated[str | None, typer.Option(help="Go on behind this id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="Of one page.")] = 100,
    *,
    as_json: AsJson = False,
) -> None:
    """Whom the bank serves, and how each stands; a page, in the order of ids."""
    request = ClientsQuery(
        officer=officer,
        reason=reason,
        client=None if client is None else ClientId(client),
        after=None if after is None else ClientId(after),
        limit=limit,
    )
    found = call_control(at / CONTROL, operations.LIST_CLIENTS, request)
    if as_json:
        typer.echo(write_json([one.model_dump(mode="json") for one in found.clients]))
        return
    for one in found.clients:
        notes = [one.phone, one.account, f"signs {one.signatories}" if one.signatories else ""]
        if one.frozen_until is not None:
            notes.append(f"frozen until {format_time(one.frozen_until)}")
        told = "  ".join(filter(None, notes))
        typer.echo(f"{one.client:<20}  {one.standing:<12}  {one.tier:<10}  {one.name}  {told}")
    if client is None and len(found.clients) == limit:
        typer.echo(f"more: --after {found.last}")


def close(
    client: Client,
    at: Folder,
    officer: Officer = NOBODY,
    reason: Why = NO_REASON,
    *,
    as_json: AsJson = False,
) -> None:
    """Close an account, for good; only with nothing left in it."""
    request = clients.ClientQuery(client=ClientId(client), officer=officer, reason=reason)
    call_control(at / CONTROL, operations.CLOSE_CLIENT, request)
    tell("", {"client": client, "state": "closed"}, as_json=as_json)


def lost(
    client: Client,
    at: Folder,
    officer: Officer = NOBODY,
    reason: Why = NO_REASON,
    *,
    as_json: AsJson = False,
) -> None:
    """The client's device is lost: nothing is attested any more, its key is refused."""
    request = losses.LossOrder(client=ClientId(client), officer=officer, reason=reason)
    call_control(at / CONTROL, operations.REPORT_LOST, request)
    tell("", {"client": client, "state": "lost"}, as_json=as_json)


def reopen(
    client: Client,
    at: Folder,
    officer: Officer = NOBODY,
    reason: Why = NO_REASON,
    *,
    as_json: AsJson = False,
) -> None:
    """A code for the new device of a client who lost one; `specie wallet recover` takes it."""
    request = losses.LossOrder(client=ClientId(client), officer=officer, reason=reason)
    code = call_control(at / CONTROL, operations.REOPEN_LOST, request).code.hex()
    tell(code, {"client": client, "code": code}, as_json=as_json)


def add_people_commands(bank: typer.Typer) -> None:
    """Beside those that move money."""
    for command in (applications, application, approve, refuse, close, lost, reopen):
        bank.command(command.__name__)(command)
    bank.command("signatories")(signatories_of)
    bank.command("clients")(list_clients)


def _describe(one: onboarding.ApplicationShown) -> dict[str, str]:
    facts = {"number": one.number, "state": one.state, "tier": one.tier, "asked": _spell(one.time)}
    facts |= {"until": _spell(one.expires), **one.person}
    if one.client:
        facts["client"] = one.client
    if one.decided_by:
        facts["decided by"] = one.decided_by
    if one.reason:
        facts["reason"] = one.reason
    return facts


def _spell(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
