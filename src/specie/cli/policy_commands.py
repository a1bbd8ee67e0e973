"""`specie bank policy …`, `tier`, `freeze`, `unfreeze`: rules for clients, and orders about one."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from specie.assembly.lists import load_peers
from specie.cli.acting import Folder, Officer, Why
from specie.cli.results import AsJson, show, tell, write_json
from specie.policy.policies import Policy, Tier, parse_policy
from specie.remote import compliance_models as models
from specie.remote import compliance_operations as operations
from specie.remote.control import CONTROL, call_control
from specie.remote.fields import Empty
from specie.store.durable_files import read_regular
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId
from specie.values.limits import POLICY_BYTES_MAX
from specie.values.times import Timestamp, format_time

policy = typer.Typer(help="What clients may do, and what is looked at first.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="A policy, TOML; see docs/policy.md.")]
Whom = Annotated[str, typer.Argument(help="The bank's own id for the client.")]


@policy.command("show")
def show_policy(
    at: Folder,
    version: Annotated[int, typer.Option(help="An older one; else the one in force.")] = 0,
    *,
    as_json: AsJson = False,
) -> None:
    """The policy in force, as it was set."""
    request = models.PolicyQuery(version=version)
    found = call_control(at / CONTROL, operations.GET_POLICY, request)
    if as_json:
        typer.echo(found.model_dump_json())
        return
    typer.echo(f"# version {found.version}, set by {found.officer}: {found.reason}")
    typer.echo(found.text.rstrip("\n"))


@policy.command("check")
def check_policy(file: File, *, as_json: AsJson = False) -> None:
    """Whether a file is a policy; every key that is wrong is named. No process is asked."""
    found = parse_policy(read_policy(file))
    facts = {
        "policy": found.name,
        "tiers": ", ".join(_describe_tier(one, found) for one in found.tiers.values()),
        "rules": ", ".join(f"{one.name} ({one.consequence})" for one in found.rules) or "none",
    }
    show(dict(facts), as_json=as_json)


@policy.command("set")
def set_policy(
    file: File, at: Folder, person: Officer, reason: Why, *, as_json: AsJson = False
) -> None:
    """It comes into force at once; try it with dry-run first."""
    request = models.PolicyRequest(officer=person, reason=reason, text=read_policy(file))
    found = call_control(at / CONTROL, operations.SET_POLICY, request)
    show({"version": found.version, "in force since": _tell(found.time)}, as_json=as_json)


@policy.command("history")
def list_policies(at: Folder, *, as_json: AsJson = False) -> None:
    """Who set which version when, and why."""
    found = call_control(at / CONTROL, operations.LIST_POLICIES, Empty()).policies
    if as_json:
        typer.echo(write_json([one.model_dump(mode="json") for one in found]))
        return
    for one in found:
        typer.echo(f"{one.version:>4}  {_tell(one.time):<24}  {one.officer}: {one.reason}")


@policy.command("dry-run")
def rehearse_policy(
    file: File, at: Folder, person: Officer, reason: Why, *, as_json: AsJson = False
) -> None:
    """What it would have refused and held of all past payments; nothing is changed."""
    request = models.PolicyRequest(officer=person, reason=reason, text=read_policy(file))
    found = call_control(at / CONTROL, operations.REHEARSE_POLICY, request)
    if as_json:
        typer.echo(found.model_dump_json())
        return
    currency = load_peers(at, None).roster.genesis.currency
    rows = [("", "", "in all", found.judged), ("", "", "refused", found.refused)]
    rows.append(("", "", "held", found.held))
    rows += [(one.tier, one.rule, one.consequence, one.tally) for one in found.rows]
    for tier, rule, what, tally in rows:
        amount = currency.format(tally.amount)
        name = f"{tier} {rule}".strip()
        typer.echo(
            f"{name:<40} {what:<8} {tally.payments:>8} payments"
            f" {amount:>24} {tally.clients:>6} clients"
        )


def set_tier(
    client: Whom,
    tier: Annotated[str, typer.Argument(help="One of the policy's.")],
    at: Folder,
    person: Officer,
    reason: Why,
    *,
    as_json: AsJson = False,
) -> None:
    """Put a client into a tier of the policy."""
    request = models.TierRequest(officer=person, reason=reason, client=ClientId(client), tier=tier)
    call_control(at / CONTROL, operations.SET_TIER, request)
    tell("", {"client": client, "tier": tier}, as_json=as_json)


def freeze(
    client: Whom,
    at: Folder,
    reference: Annotated[str, typer.Option("--order-reference", help="Of the authority's order.")],
    until: Annotated[str, typer.Option(help="When it ends: 2026-12-31 or 2026-12-31T12:00, UTC.")],
    person: Officer,
    reason: Why,
    *,
    as_json: AsJson = False,
) -> None:
    """By order, attest nothing for a client until a time; no money moves."""
    end = parse_time(until, "--until")
    request = models.FreezeRequest(
        officer=person,
        reason=reason,
        client=ClientId(client),
        reference=reference,
        until=end,
    )
    call_control(at / CONTROL, operations.FREEZE, request)
    facts = {"client": client, "state": "frozen", "reference": reference}
    tell("", {**facts, "until": format_time(end)}, as_json=as_json)


def unfreeze(
    client: Whom, at: Folder, person: Officer, reason: Why, *, as_json: AsJson = False
) -> None:
    """Attest again before the end of a freeze."""
    request = models.ClientAct(officer=person, reason=reason, client=ClientId(client))
    call_control(at / CONTROL, operations.UNFREEZE, request)
    tell("", {"client": client, "state": "unfrozen"}, as_json=as_json)


def show_freeze(
    client: Whom, at: Folder, person: Officer, reason: Why, *, as_json: AsJson = False
) -> None:
    """The order by which a client is or was frozen."""
    request = models.ClientAct(officer=person, reason=reason, client=ClientId(client))
    found = call_control(at / CONTROL, operations.FIND_FREEZE, request)
    if as_json:
        typer.echo(found.model_dump_json())
    elif found.since is None or found.until is None:
        typer.echo("not frozen")
    else:
        since, until = _tell(found.since), _tell(found.until)
        typer.echo(f"order {found.reference}, by {found.officer}, {since} until {until}")


def add_commands(bank: typer.Typer) -> None:
    """To those of a bank."""
    bank.add_typer(policy, name="policy")
    bank.command("tier")(set_tier)
    bank.command("freeze")(freeze)
    bank.command("unfreeze")(unfreeze)
    bank.command("freeze-show")(show_freeze)


def read_policy(file: Path) -> str:
    """`policy_invalid` if it cannot be read or is too long."""
    try:
        return read_regular(file, POLICY_BYTES_MAX).decode()
    except OSError as error:
        raise SpecieError(ErrorCode.POLICY_INVALID, f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SpecieError(ErrorCode.POLICY_INVALID, f"{file}: not UTF-8") from None


def parse_time(text: str, option: str) -> Timestamp:
    """ISO 8601, UTC if no offset is there; a usage error otherwise."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("2026-12-31 or 2026-12-31T12:00", param_hint=option) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    milliseconds = int(moment.timestamp()) * 1000
    if milliseconds < 0:
        raise typer.BadParameter("after 1970", param_hint=option)
    return Timestamp(milliseconds)


def _describe_tier(tier: Tier, found: Policy) -> str:
    return f"{tier.name} (default)" if tier.name == found.default_tier else tier.name


def _tell(time: Timestamp) -> str:
    return format_time(time) if time else "from the beginning"
