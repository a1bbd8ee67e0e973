"""`specie bank travel-data, identify`: who pays and who is paid, of large payments (T20)."""

import json
from typing import Annotated

import typer

from specie.cli.acting import Folder, Officer, Why
from specie.cli.policy_commands import Whom
from specie.cli.results import AsJson, tell, write_json
from specie.remote import travel_models as models
from specie.remote import travel_operations as travel
from specie.remote.control import CONTROL, call_control
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, TransactionId
from specie.values.times import format_time


def show_travel_data(
    at: Folder,
    person: Officer,
    reason: Why,
    client: Annotated[str | None, typer.Option(help="One client.")] = None,
    payment: Annotated[str | None, typer.Option(help="One transaction, 64 hex digits.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most so many.")] = 100,
    *,
    as_json: AsJson = False,
) -> None:
    """What was said to and by other banks about who pays and who is paid, the newest first."""
    request = models.TravelQuery(
        officer=person,
        reason=reason,
        client=None if client is None else ClientId(client),
        txid=None if payment is None else _parse_txid(payment),
        limit=limit,
    )
    found = call_control(at / CONTROL, travel.LIST_TRAVEL, request).records
    rows = [
        {
            "time": format_time(one.time),
            "transaction": one.txid.hex(),
            "client": one.client,
            "direction": "out" if one.is_originating else "in",
            "bank": one.bank,
            "data": json.loads(one.data),
        }
        for one in found
    ]
    if as_json:
        typer.echo(write_json(rows))
        return
    for row in rows:
        typer.echo(f"{row['time']}  {row['client']:<12} {row['direction']:<3} bank {row['bank']}")
        typer.echo(f"    {row['transaction']}")
        typer.echo(json.dumps(row["data"], ensure_ascii=False, indent=2))


def identify(  # noqa: PLR0913, PLR0917  # one parameter for each option
    client: Whom,
    at: Folder,
    person: Officer,
    reason: Why,
    primary: Annotated[str, typer.Option(help="Surname; of a company its name.")],
    secondary: Annotated[str, typer.Option(help="Given names.")] = "",
    birth_date: Annotated[str, typer.Option(help="1990-12-31")] = "",
    birth_place: Annotated[str, typer.Option(help="Where.")] = "",
    national_id: Annotated[str, typer.Option(help="Number of a document or a register.")] = "",
    *,
    is_legal: Annotated[
        bool, typer.Option("--legal/--natural", help="A company, an authority.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """What the bank knows of a client, for what it tells other banks of large payments."""
    request = models.IdentityRequest(
        officer=person,
        reason=reason,
        client=ClientId(client),
        is_legal=is_legal,
        primary=primary,
        secondary=secondary,
        birth_date=birth_date,
        birth_place=birth_place,
        national_id=national_id,
    )
    call_control(at / CONTROL, travel.SET_IDENTITY, request)
    tell(f"{client}: recorded", {"client": client, "state": "recorded"}, as_json=as_json)


def add_commands(bank: typer.Typer) -> None:
    """Beside the others of compliance."""
    bank.command("travel-data")(show_travel_data)
    bank.command("identify")(identify)


def _parse_txid(text: str) -> TransactionId:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 32:
        raise SpecieError(ErrorCode.SETTING_INVALID, "a transaction's id has 64 hex digits")
    return TransactionId(found)
