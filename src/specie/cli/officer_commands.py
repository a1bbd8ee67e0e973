"""`specie officer …`: what people of the central bank decide, each with a key of their own.

Keys are where the officer is; the desk gets signatures. A tool recomputes what it signs: an
application's amount and vault, every output of what was produced, the reserve debit behind it.
"""

import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from specie.assembly.ceremony import OFFICERS, PASSPHRASES, PUBLIC
from specie.assembly.foundation import KEYS, PASSPHRASE, find_passphrase
from specie.assembly.lists import load_peers
from specie.assembly.softhsm import use_tokens
from specie.assembly.tokens import OFFICER_KEY, draw_officer_keys, new_key_file
from specie.central_bank.decisions import compute_operation_message, format_parameters
from specie.central_bank.officers import OfficerDesk
from specie.cli.decision_words import describe_decision, parse_decision, show_decision
from specie.cli.device_commands import AsJson, ask, ask_new, show
from specie.cli.naming import naming_order
from specie.cli.parties import OfficerTool, open_officer, parse_amount, parse_order
from specie.cli.token_options import Hsm, Token, choose_token
from specie.crypto.signatures import sign_as_institution
from specie.identity.codes import hash_code
from specie.identity.participants import check_name
from specie.identity.roster import Roster
from specie.identity.rotation import name_officer, sign_rotation
from specie.ledger.records import read_reserve
from specie.ports.decisions import DecisionState
from specie.ports.issuance import Application, ApplicationState
from specie.remote import desk_operations as desk
from specie.remote import models
from specie.remote.fields import Empty
from specie.remote.institutions import CENTRAL_BANK
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import OrderId

officer = typer.Typer(help="Decisions of the central bank's officers.", no_args_is_help=True)

Data = Annotated[Path, typer.Option("--data", help="Folder with public/, officers/N/.")]
Numbers = Annotated[
    list[int], typer.Option("--officer", help="Who signs; several if their keys are all here.")
]


@officer.command("tasks")
def list_tasks(
    data: Data, number: Annotated[int, typer.Option("--officer")] = 1, *, as_json: AsJson = False
) -> None:
    """Applications that wait for officers."""
    with open_tools(data, [number]) as (tool,):
        found = tool.channel.call(CENTRAL_BANK, desk.LIST_TASKS, Empty())
        if as_json:
            typer.echo(found.model_dump_json())
            return
        tasks = found.tasks
        for task in tasks:
            one = task.application
            typer.echo(
                f"{one.order.hex()}  {one.direction:<6}  bank {one.participant}  "
                f"{tool.currency.format(one.amount):>20}  {one.state:<9}  "
                f"approved by {one.approved_by or 'nobody'}, authorised by "
                f"{task.authorised_by or 'nobody'}"
            )
        if not tasks:
            typer.echo("nothing waits")


@officer.command("approve")
def approve(
    order: Annotated[str, typer.Argument(help="The application's id, as `tasks` shows it.")],
    data: Data,
    numbers: Numbers,
    amount: Annotated[
        str | None, typer.Option(help="What it has to ask for; else you are shown it, and asked.")
    ] = None,
    wait: Annotated[float, typer.Option(help="Seconds, until it is final.")] = 30.0,
) -> None:
    """Approve an application, then authorise what is produced for it, once it is."""
    wanted = parse_order(order)
    with open_tools(data, numbers) as tools:
        meant = _confirm(tools[0], wanted, amount)
        for tool in tools:
            if _approve(tool, meant):
                typer.echo(f"officer {tool.number}: approved")
        end = time.monotonic() + wait
        while not _authorise_all(tools, meant):
            if time.monotonic() > end:
                raise SpecieError(ErrorCode.APPROVALS_MISSING, _tell_why(tools[0], meant))
            time.sleep(0.2)
        state = _get_application(tools[0], wanted).state
    typer.echo("done: given up" if state == ApplicationState.ENDED else "done: final")


@officer.command("decide")
def decide(
    kind: Annotated[str, typer.Argument(help="lend-reserves, pause-issuance, suspend, …")],
    data: Data,
    numbers: Numbers,
    parameters: Annotated[
        list[str] | None, typer.Option("--set", help="name=value, one for each parameter.")
    ] = None,
    identifier: Annotated[
        str | None,
        typer.Option("--id", help="Of a decision to agree to, or that may not have arrived."),
    ] = None,
) -> None:
    """Propose a decision, or agree to one; it is carried out with the last signature it needs."""
    with open_tools(data, numbers) as tools:
        roster, chosen = tools[0].peers.roster, parse_order(identifier)
        found = None if identifier is None else _find_proposal(tools[0], chosen)
        if found is None:
            spelled = parse_decision(kind, parameters or [], roster)
        else:
            spelled = _agree_to(found, kind, parameters, roster)
        if identifier is not None and found is None:
            typer.echo(f"{chosen.hex()}: nobody has proposed it yet")
        sentence, state = describe_decision(kind, spelled, roster), ""
        with naming_order(chosen, "--id", lambda: _tell_begun(tools[0], chosen)):
            for tool in tools:
                state = _sign(tool, chosen, kind, spelled).state
                typer.echo(f"officer {tool.number}: signed: {sentence}")
        typer.echo(f"{chosen.hex()}: {state}")
        if state == DecisionState.REFUSED:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "a rule was against it, for good")
        if state == DecisionState.WITHDRAWN:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "an officer has withdrawn it")
        if state == DecisionState.EXPIRED:
            reason = "it did not get its signatures within two days: propose it again"
            raise SpecieError(ErrorCode.ORDER_CONFLICT, reason)


@officer.command("create")
def create(
    data: Data,
    number: Annotated[int, typer.Option("--officer", help="A number that nobody has had.")],
    token: Token = None,
    *,
    hsm: Hsm = False,
) -> None:
    """A new officer draws a key; prints the decision with which two others put it in the list."""
    path = data / OFFICERS / str(number) / KEYS
    network = load_peers(data / PUBLIC, None).network
    passphrase = _read_passphrase(data, number, ask_new)
    chosen = choose_token(data.absolute(), f"officer-{number}", token, is_soft=hsm)
    with new_key_file(path, passphrase) as keys, closing(draw_officer_keys(keys, chosen())) as own:
        key = own.get_signer(OFFICER_KEY)
        found = sign_rotation(network, name_officer(number), b"", key, None)
    fields = {"officer": number, "key": found.institution.hex()}
    fields["proof"] = found.institution_proof.hex()
    parameters = " ".join(f"--set {name}={value}" for name, value in fields.items())
    typer.echo(f"specie officer decide add-officer {parameters}")


@officer.command("decisions")
def list_decisions(
    data: Data, number: Annotated[int, typer.Option("--officer")] = 1, *, as_json: AsJson = False
) -> None:
    """The history: what was decided, and by whom; as JSON, one a line."""
    with open_tools(data, [number]) as (tool,):
        for one in _load_proposals(tool):
            moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(one.time / 1000))
            words = show_decision(one.kind, one.parameters, tool.peers.roster)
            line = f"{one.id.hex()}  {moment}  {one.state:<9}  {one.kind}  {words}"
            typer.echo(one.model_dump_json() if as_json else f"{line}  signed by {one.signed_by}")


@officer.command("invite")
def invite(
    name: Annotated[str, typer.Argument(help="Name of the new institution.")],
    data: Data,
    number: Annotated[int, typer.Option("--officer")],
) -> None:
    """Invite an institution: prints its one-time code, which counts for two days."""
    check_name(name)
    code = secrets.token_bytes(16)
    fields = {"name": name, "code_hash": hash_code(code).hex()}
    with open_tools(data, [number]) as (tool,):
        _sign(tool, secrets.token_bytes(16), "invite", format_parameters(fields))
    typer.echo(code.hex())


@officer.command("enrolments")
def list_enrolments(
    data: Data, number: Annotated[int, typer.Option("--officer")] = 1, *, as_json: AsJson = False
) -> None:
    """Who has enrolled and waits; compare the digest with what the institution reads out."""
    with open_tools(data, [number]) as (tool,):
        for one in tool.channel.call(CENTRAL_BANK, desk.LIST_ENROLMENTS, Empty()).waiting:
            show(dict(one.facts), as_json=as_json)


@officer.command("enrol")
def enrol(
    digest: Annotated[str, typer.Argument(help="Of the institution's keys, as it reads it out.")],
    data: Data,
    number: Annotated[int, typer.Option("--officer")],
) -> None:
    """Approve an institution that has enrolled; not by who has invited it."""
    with open_tools(data, [number]) as (tool,):
        waiting = tool.channel.call(CENTRAL_BANK, desk.LIST_ENROLMENTS, Empty()).waiting
        found = [one.facts for one in waiting if one.facts.get("digest") == digest]
        if len(found) != 1:
            raise SpecieError(ErrorCode.APPLICATION_UNKNOWN, "nobody has enrolled with these keys")
        fields = {"code_hash": found[0]["code_hash"], "digest": digest}
        proposal = _sign(tool, secrets.token_bytes(16), "enrol", format_parameters(fields))
    typer.echo(f"{found[0]['name']}: {proposal.state}")


@contextmanager
def open_tools(data: Path, numbers: list[int]) -> Iterator[list[OfficerTool]]:
    """The officers whose keys are in the folder."""
    use_tokens(data.absolute(), is_asked=False)
    with ExitStack() as stack:
        tools = []
        for number in numbers:
            keys = data / OFFICERS / str(number) / KEYS
            if not keys.is_file():
                reason = f"{keys}: not there; --data is a folder with public/ and officers/N/"
                raise SpecieError(ErrorCode.SETTING_INVALID, reason)
            passphrase = _read_passphrase(data, number, lambda: ask("passphrase"))
            opened = open_officer(data / PUBLIC, keys, number, passphrase, None)
            tools.append(stack.enter_context(opened))
        yield tools


def _read_passphrase(data: Path, number: int, asking: Callable[[], str]) -> str:
    """Beside the network in a rehearsal, else as the officer gives it, on a terminal if asked."""
    place = data / PASSPHRASES / f"officer-{number}"
    found = find_passphrase(place if place.is_file() else None)
    if found is None and sys.stdin.isatty():
        found = asking()
    if not found:
        reason = f"officer {number}: a passphrase in {PASSPHRASE}, or in {place}"
        raise SpecieError(ErrorCode.SETTING_INVALID, reason)
    return found


def _confirm(tool: OfficerTool, order: OrderId, amount: str | None) -> Application:
    """What all signatures will be for: nothing is signed that the officer has not seen or said."""
    application = _get_application(tool, order).unwrap()
    asked = tool.currency.format(application.amount)
    bank = tool.peers.roster.current.get(application.participant)
    line = f"{application.direction} {asked} for bank {bank.number}, {bank.name}"
    typer.echo(line)
    if amount is None:
        _ask("is that what you approve")
    elif parse_amount(amount, tool.peers) != application.amount:
        raise SpecieError(ErrorCode.ORDER_CONFLICT, f"it asks for {asked}")
    return application


def _agree_to(found: models.Proposal, kind: str, given: list[str] | None, roster: Roster) -> str:
    """What is proposed, if it is what was given, or else what the officer says yes to."""
    shown = show_decision(found.kind, found.parameters, roster)
    is_same = found.kind == kind and (
        not given or parse_decision(kind, given, roster) == found.parameters
    )
    if not is_same:
        reason = f"that decision is {found.kind}: {shown}"
        raise SpecieError(ErrorCode.ORDER_CONFLICT, reason)
    if not given and found.parameters != format_parameters({}):
        _ask(shown)
    return found.parameters


def _ask(question: str) -> None:
    """A yes, from who sits there or from standard input."""
    try:
        is_agreed = typer.confirm(f"{question}?")
    except typer.Abort:
        is_agreed = False
    if not is_agreed:
        raise SpecieError(ErrorCode.APPROVALS_MISSING, "not agreed to, nothing was signed")


def _approve(tool: OfficerTool, meant: Application) -> bool:
    """Gives whether there was anything left to approve."""
    task = _find_task(tool, meant)
    if task is None:
        return False
    signature = OfficerDesk(tool.number, tool.key).approve(meant, tool.peers.roster)
    request = models.Signed(order=meant.order, signature=signature)
    tool.channel.call(CENTRAL_BANK, desk.APPROVE, request)
    return True


def _get_application(tool: OfficerTool, order: OrderId) -> models.ApplicationRecord:
    return tool.channel.call(CENTRAL_BANK, desk.GET_APPLICATION, models.OrderQuery(order=order))


def _tell_why(tool: OfficerTool, meant: Application) -> str:
    task = _find_task(tool, meant)
    why = task.held_up_by if task is not None else ""
    return f"not final yet: {why or 'another officer has to approve, or run it again'}"


def _authorise_all(tools: list[OfficerTool], meant: Application) -> bool:
    """Each signs for the place that is next now; gives whether nothing waits any more."""
    task = _find_task(tools[0], meant)
    if task is None:
        return True
    if task.built is None:
        return False
    for tool in tools:
        if tool.number not in task.authorised_by:
            _authorise(tool, meant, task)
    return False


def _authorise(tool: OfficerTool, meant: Application, task: models.Task) -> None:
    assert task.built is not None, "looked at before"
    signed = OfficerDesk(tool.number, tool.key).authorise(
        meant,
        task.built.unwrap(),
        tool.peers.roster,
        task.serial,
        task.total_after,
        read_reserve(task.reserve) if task.reserve else None,
    )
    request = models.SignedSupply(
        order=meant.order,
        serial=task.serial,
        total_after=task.total_after,
        signature=signed.signature,
    )
    tool.channel.call(CENTRAL_BANK, desk.AUTHORISE_SUPPLY, request)


def _find_task(tool: OfficerTool, meant: Application) -> models.Task | None:
    """None once nothing of it waits; `order_conflict` if it has become another one."""
    tasks = tool.channel.call(CENTRAL_BANK, desk.LIST_TASKS, Empty()).tasks
    found = next((one for one in tasks if one.application.order == meant.order), None)
    if found is not None and found.application.unwrap() != replace(
        meant, state=found.application.unwrap().state
    ):
        raise SpecieError(ErrorCode.ORDER_CONFLICT, "the application is not what it was")
    return found


def _sign(tool: OfficerTool, identifier: bytes, kind: str, parameters: str) -> models.Proposal:
    message = compute_operation_message(tool.network, identifier, kind, parameters)
    request = models.SignedProposal(
        id=identifier,
        kind=kind,
        parameters=parameters,
        signature=sign_as_institution(tool.key, message),
    )
    return tool.channel.call(CENTRAL_BANK, desk.SIGN_PROPOSAL, request)


def _find_proposal(tool: OfficerTool, identifier: bytes) -> models.Proposal | None:
    """None if nobody has proposed it."""
    return next((one for one in _load_proposals(tool) if one.id == identifier), None)


def _tell_begun(tool: OfficerTool, identifier: bytes) -> str:
    """Of a decision that nothing holds up for good; empty for others, and if nobody answers."""
    try:
        found = _find_proposal(tool, identifier)
    except SpecieError:
        return ""
    is_begun = found is not None and found.state == DecisionState.BEGUN
    return (
        f"{identifier.hex()} is begun and will be carried out: do not repeat it" if is_begun else ""
    )


def _load_proposals(tool: OfficerTool) -> Iterator[models.Proposal]:
    """All that were ever made, oldest first."""
    start = 0
    while True:
        request = models.LeavesQuery(start=start)
        page = tool.channel.call(CENTRAL_BANK, desk.LIST_PROPOSALS, request).proposals
        if not page:
            return
        yield from page
        start += len(page)
