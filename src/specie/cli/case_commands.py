"""`specie bank search`, cases, suspicions, reports, the access log: a bank's duties (T20)."""

from pathlib import Path
from typing import Annotated, Any

import typer

from specie.assembly.lists import load_peers
from specie.bank.access import verify_head
from specie.cli.acting import Folder, Officer, Why
from specie.cli.parties import parse_amount
from specie.cli.policy_commands import Whom, parse_time
from specie.cli.results import AsJson, Facts, show, show_rows, tell, write_json
from specie.crypto.addresses import Address, format_address, parse_address
from specie.identity.genesis import Genesis
from specie.remote import compliance_models as models
from specie.remote import compliance_operations as operations
from specie.remote.control import CONTROL, call_control
from specie.remote.fields import Empty
from specie.remote.peers import Peers
from specie.store.durable_files import read_regular, replace_durably
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, ParticipantNumber
from specie.values.limits import NOTE_BYTES_MAX
from specie.values.times import Timestamp, format_time

Number = Annotated[int, typer.Argument(help="Of the case.")]
_DIRECTIONS = {"in": True, "out": False}


def search(  # noqa: PLR0913, PLR0917  # each is an option of the command line
    at: Folder,
    person: Officer,
    reason: Why,
    client: Annotated[str | None, typer.Option(help="One client.")] = None,
    since: Annotated[str | None, typer.Option(help="2026-12-01, UTC; with it.")] = None,
    until: Annotated[str | None, typer.Option(help="2026-12-31, UTC; without it.")] = None,
    least: Annotated[str | None, typer.Option(help="At least this amount.")] = None,
    most: Annotated[str | None, typer.Option(help="At most this amount.")] = None,
    counterparty: Annotated[str | None, typer.Option(help="The other side's address.")] = None,
    direction: Annotated[str | None, typer.Option(help="in or out")] = None,
    before: Annotated[int, typer.Option(help="Where the page before said to go on.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="Of one page.")] = 100,
    *,
    as_json: AsJson = False,
) -> None:
    """Clients' payments, newest first; a page, and where the next one goes on."""
    peers = load_peers(at, None)
    if direction not in (None, *_DIRECTIONS):
        raise typer.BadParameter("in or out", param_hint="--direction")
    request = models.SearchRequest(
        officer=person,
        reason=reason,
        client=None if client is None else ClientId(client),
        since=None if since is None else parse_time(since, "--since"),
        until=None if until is None else parse_time(until, "--until"),
        least=_parse_amount(least, peers),
        most=_parse_amount(most, peers),
        party=_parse_party(counterparty, peers.roster.genesis),
        is_incoming=None if direction is None else _DIRECTIONS[direction],
        before=before,
        limit=limit,
    )
    found = call_control(at / CONTROL, operations.SEARCH_MOVEMENTS, request)
    rows = [_describe(one, peers.roster.genesis) for one in found.movements]
    if as_json:
        typer.echo(write_json({"movements": rows, "after": found.after}))
        return
    for row in rows:
        _print_movement(row)
    if found.after:
        typer.echo(f"more: --before {found.after}")


def list_cases(
    at: Folder,
    person: Officer,
    reason: Why,
    before: Annotated[int, typer.Option(help="Only cases of smaller numbers.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="Of one page.")] = 100,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Decided ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Payments that wait for somebody, and suspicions; newest first."""
    request = models.CasesRequest(
        officer=person, reason=reason, is_open=not everything, before=before, limit=limit
    )
    found = call_control(at / CONTROL, operations.LIST_CASES, request).cases
    genesis = load_peers(at, None).roster.genesis
    rows = [_describe_case(one, genesis) for one in found]
    show_rows(rows, _spell_case, as_json=as_json)


def show_case(
    number: Number, at: Folder, person: Officer, reason: Why, *, as_json: AsJson = False
) -> None:
    """A case with its notes, decisions, and the client's payments of the 30 days before it."""
    request = models.CaseRequest(officer=person, reason=reason, number=number)
    found = call_control(at / CONTROL, operations.GET_CASE, request)
    genesis = load_peers(at, None).roster.genesis
    case = _describe_case(found.case, genesis)
    rows = [_describe(one, genesis) for one in found.movements]
    notes = [{**one.model_dump(), "time": format_time(one.time)} for one in found.notes]
    if as_json:
        told = {"case": case, "tier": found.tier, "notes": notes, "movements": rows}
        typer.echo(write_json({**told, "is_complete": found.is_complete}))
        return
    decisions = case.pop("decisions")
    lists = {name: ", ".join(case[name]) for name in ("rules", "counterparties", "names")}
    show({**case, **lists, "tier": found.tier}, as_json=False)
    for one in decisions:
        typer.echo(f"{one['time']}  {one['verdict']} by {one['officer']}: {one['reason']}")
    for one in notes:
        typer.echo(f"{one['time']}  {one['officer']}: {one['text']}")
    for row in rows:
        _print_movement(row)
    if not found.is_complete:
        typer.echo("older payments are left out: specie bank search")


def add_note(
    number: Number,
    text: Annotated[str, typer.Argument(help="What is to be kept.")],
    at: Folder,
    person: Officer,
    reason: Why,
    *,
    as_json: AsJson = False,
) -> None:
    """Write a note to a case."""
    request = models.NoteRequest(officer=person, reason=reason, number=number, text=text)
    call_control(at / CONTROL, operations.ADD_CASE_NOTE, request)
    tell("", {"case": number, "text": text}, as_json=as_json)


def decide(
    number: Number,
    verdict: Annotated[str, typer.Argument(help="release, refuse or close")],
    at: Folder,
    person: Officer,
    reason: Why,
    *,
    as_json: AsJson = False,
) -> None:
    """Release or refuse a held payment, close a suspicion; a large one needs two people."""
    request = models.DecisionRequest(officer=person, reason=reason, number=number, verdict=verdict)
    found = call_control(at / CONTROL, operations.DECIDE_CASE, request)
    case = _describe_case(found, load_peers(at, None).roster.genesis)
    if as_json:
        typer.echo(write_json(case))
        return
    typer.echo(f"case {number}: {found.state}")
    if found.state == "open":
        typer.echo("somebody else has to release it, too")
    if found.released_until:
        typer.echo(f"the same payment passes once, until {case['released_until']}")


def report(
    number: Number,
    at: Folder,
    person: Officer,
    reason: Why,
    out: Annotated[Path, typer.Option(help="Where to write it.")],
) -> None:
    """Write a case for the financial intelligence unit, as JSON; see docs/policy.md."""
    request = models.CaseRequest(officer=person, reason=reason, number=number)
    found = call_control(at / CONTROL, operations.REPORT_CASE, request).report
    replace_durably(out.absolute().parent, out.name, found.encode())
    out.chmod(0o600)
    typer.echo(f"{out}: case {number}")


def suspect(
    client: Whom, at: Folder, person: Officer, reason: Why, *, as_json: AsJson = False
) -> None:
    """Open a case about a client; --reason is the suspicion."""
    request = models.ClientAct(officer=person, reason=reason, client=ClientId(client))
    found = call_control(at / CONTROL, operations.SUSPECT, request)
    show({"case": found.number}, as_json=as_json)


def show_access_log(  # noqa: PLR0913  # each is an option of the command line
    at: Folder,
    person: Annotated[str, typer.Option("--as", help="Who you are; for reading entries.")] = "",
    reason: Annotated[str, typer.Option(help="Why; for reading entries.")] = "",
    start: Annotated[int, typer.Option(min=1, help="Number of the first entry.")] = 1,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="Of one page.")] = 100,
    head: Annotated[Path | None, typer.Option(help="Write the signed head there.")] = None,
    pinned: Annotated[
        list[Path] | None, typer.Option(help="A head that was given before; may be repeated.")
    ] = None,
    told: Annotated[
        list[str] | None, typer.Option(help="SIZE:HASH, of a line of the process' log.")
    ] = None,
    *,
    verify: Annotated[bool, typer.Option("--verify", help="Go through all entries.")] = False,
    as_json: AsJson = False,
) -> None:
    """Who looked at or decided what; with --verify or --head, the log itself."""
    is_checked = verify or bool(pinned or told)
    if is_checked:
        notes = [_read_head(path) for path in pinned or []]
        heads = models.AccessHeads(heads=notes, told=list(told or ()))
        size = call_control(at / CONTROL, operations.VERIFY_ACCESS, heads).size
        show({"entries": size, "pinned heads": len(notes) + len(heads.told)}, as_json=as_json)
    if head is not None:
        _write_head(at, head)
    if is_checked or head is not None:
        return
    request = models.AccessQuery(officer=person, reason=reason, start=start, limit=limit)
    found = call_control(at / CONTROL, operations.LIST_ACCESS, request).entries
    if as_json:
        typer.echo(write_json([one.model_dump() for one in found]))
        return
    for one in found:
        about = " ".join(word for word in (one.client, one.subject) if word)
        line = f"{one.number:>6}  {format_time(one.time)}  {one.officer}  {one.action}"
        typer.echo(f"{line}  {about}  ({one.reason})")


def add_commands(bank: typer.Typer) -> None:
    """To those of a bank."""
    bank.command("search")(search)
    bank.command("cases")(list_cases)
    bank.command("case")(show_case)
    bank.command("note")(add_note)
    bank.command("decide")(decide)
    bank.command("report")(report)
    bank.command("suspect")(suspect)
    bank.command("access-log")(show_access_log)


def _write_head(at: Path, path: Path) -> None:
    """Verified against the list first, as whoever keeps it will do."""
    note = call_control(at / CONTROL, operations.GET_ACCESS_HEAD, Empty()).head
    peers = load_peers(at, None)
    name = note.rstrip("\n").rsplit("\n", 1)[-1].split(" ")[1]
    number = ParticipantNumber(int(name.removeprefix("bank-")))
    key = peers.roster.current.get(number).institution_key
    found = verify_head(note, peers.network, number, key)
    replace_durably(path.absolute().parent, path.name, note.encode())
    typer.echo(f"{path}: {found.size} entries")


def _read_head(path: Path) -> str:
    try:
        return read_regular(path, NOTE_BYTES_MAX).decode()
    except (OSError, UnicodeDecodeError):
        raise SpecieError(ErrorCode.ACCESS_LOG_INVALID, f"{path}: not readable") from None


def _parse_amount(text: str | None, peers: Peers) -> Minor | None:
    return None if text is None else parse_amount(text, peers)


def _parse_party(text: str | None, genesis: Genesis) -> models.AddressMessage | None:
    if text is None:
        return None
    found = parse_address(text, genesis.address_prefix)
    return models.AddressMessage(bank=found.bank, view=found.view, spend=found.spend)


def _describe(one: models.FoundMovement, genesis: Genesis) -> dict[str, Any]:
    prefix = genesis.address_prefix
    return {
        "time": format_time(one.time),
        "client": one.client,
        "direction": "in" if one.is_incoming else "out",
        "amount": genesis.currency.format(one.amount),
        "minor": one.amount,
        "state": "final" if one.is_final else "not final",
        "counterparties": [_format(party, prefix) for party in one.parties],
        "names": one.names,
        "is_own_bank": one.is_own_bank,
        "txid": one.txid.hex(),
        "order": one.order.hex(),
    }


def _format(party: models.AddressMessage, prefix: str) -> str:
    return format_address(Address(party.bank, party.view, party.spend), prefix)


def _print_movement(row: dict[str, Any]) -> None:
    other = "own bank" if row["is_own_bank"] else ", ".join(row["names"]) or "unknown"
    line = f"{row['time']}  {row['client']:<12} {row['direction']:<3} {row['amount']:>20}"
    typer.echo(f"{line}  {other:<20} {row['state']}  {row['txid']}")


def _describe_case(one: models.CaseMessage, genesis: Genesis) -> dict[str, Any]:
    return {
        "number": one.number,
        "kind": one.kind,
        "client": one.client,
        "opened": format_time(one.opened),
        "state": one.state,
        "rules": one.rules,
        "amount": genesis.currency.format(one.amount),
        "minor": one.amount,
        "txid": one.txid.hex(),
        "order": one.order.hex(),
        "text": one.text,
        "direction": one.direction,
        "counterparties": [_format(party, genesis.address_prefix) for party in one.parties],
        "names": one.names,
        "people_needed": one.people_needed,
        "decisions": [
            {**each.model_dump(), "time": format_time(each.time)} for each in one.decisions
        ],
        "released_until": _tell_end(one.released_until),
        "is_used": one.is_used,
    }


def _spell_case(row: Facts) -> str:
    why = row["text"] or ", ".join(row["rules"])
    line = f"{row['number']:>5}  {row['opened']}  {row['state']:<8}  {row['client']}"
    return f"{line}  {row['amount']}  {why}"


def _tell_end(time: Timestamp) -> str:
    return format_time(time) if time else ""
