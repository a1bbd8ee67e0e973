"""`specie wallet apply, application, sign-as, approvals, approve, reject`: not about money."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from specie.cli.applying import apply_at_bank, ask_bank, build_person
from specie.cli.asking import ask
from specie.cli.device_commands import Holder, Network, Public, Store, Subwallet
from specie.cli.devices import opened_device
from specie.cli.online_commands import check_to_be_opened
from specie.cli.parties import parse_order
from specie.cli.places import Site
from specie.cli.results import AsJson, Facts, show, tell, write_json
from specie.cli.signing_tool import Role, describe, enrol, load_role, vote
from specie.identity.roster import Roster
from specie.remote.onboarding_models import AccountAnswer
from specie.remote.peers import SIGNATORY
from specie.remote.people_client import PeopleClient
from specie.store.device_store import name_device
from specie.values.identifiers import InstitutionPublicKey

BankNumber = Annotated[int, typer.Option("--bank", help="Number of the bank.")]
Chosen = Annotated[str, typer.Argument(help="Its id, as `approvals` shows it; a part is enough.")]


def apply(  # noqa: PLR0913, PLR0917  # one parameter for each option
    device: Store,
    holder: Holder,
    public: Public,
    bank: BankNumber,
    name: Annotated[str, typer.Option(help="Your name, as your papers have it.")],
    phone: Annotated[str | None, typer.Option(help="Your number: +77015550102.")] = None,
    detail: Annotated[
        list[str] | None, typer.Option(help="What the tier asks for: key=value; once for each.")
    ] = None,
    tier: Annotated[
        str, typer.Option(help="What you want to do with it: basic, person …")
    ] = "basic",
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Ask a bank for a wallet from this device; again is the same application."""
    person = build_person(name, phone, detail or [])
    with opened_site(device, holder, public, network) as site:
        place = site.device.choose(subwallet)
        check_to_be_opened(place)
        answer = apply_at_bank(site, place, bank, person, tier)
    _tell_application(answer, as_json=as_json)


def application(
    device: Store,
    holder: Holder,
    public: Public,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """What the bank has decided: waiting, approved, refused or expired."""
    with opened_site(device, holder, public, network) as site:
        answer = ask_bank(site, site.device.choose(subwallet))
    _tell_application(answer, as_json=as_json)


def sign_as(
    code: Annotated[str, typer.Argument(help="The bank's one-time code.")],
    device: Store,
    holder: Holder,
    public: Public,
    bank: BankNumber,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Make this device one that signs for a client, together with others."""
    with opened_site(device, holder, public, network) as site:
        client = enrol(site, bank, parse_order(code))
    facts = {"client": client, "bank": bank}
    tell(f"this device signs for: {client}", facts, as_json=as_json)


def approvals(
    device: Store,
    holder: Holder,
    public: Public,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """What waits for your signature; each is recomputed here, whatever the bank says it is."""
    with _opened_role(device, holder, public, network) as (served, role, roster):
        rows = [
            {
                "id": one.digest.hex(),
                "signed": f"{one.yes} of {one.need}",
                "you": {"yes": True, "no": False}.get(one.mine),
                **describe(one, role, roster),
            }
            for one in served.list_approvals()
        ]
    if as_json:
        typer.echo(write_json(rows))
        return
    for row in rows:
        _show_subject(row, as_json=False)
        typer.echo("")


def approve(
    chosen: Chosen,
    device: Store,
    holder: Holder,
    public: Public,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Sign it: with as many as the bank asks for, the money moves."""
    done = _vote(chosen, (device, holder, public, network), is_yes=True)
    _show_subject(done, as_json=as_json)


def reject(
    chosen: Chosen,
    device: Store,
    holder: Holder,
    public: Public,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Say no, for good."""
    done = _vote(chosen, (device, holder, public, network), is_yes=False)
    _show_subject(done, as_json=as_json)


def add_people_commands(wallet: typer.Typer) -> None:
    """Beside those that move money."""
    wallet.command("apply")(apply)
    wallet.command("application")(application)
    wallet.command("sign-as")(sign_as)
    for command in (approvals, approve, reject):
        wallet.command(command.__name__)(command)


@contextmanager
def opened_site(device: Path, holder: str, public: Path, network: str | None) -> Iterator[Site]:
    """The holder's part of a device; asks for the passphrase."""
    with opened_device(device, holder, ask("passphrase")) as opened:
        yield Site(opened, device, public, network)


@contextmanager
def _opened_role(
    device: Path, holder: str, public: Path, network: str | None
) -> Iterator[tuple[PeopleClient, Role, Roster]]:
    with opened_site(device, holder, public, network) as site:
        role = load_role(site)
        name = SIGNATORY + name_device(InstitutionPublicKey(role.key.public))
        with site.speak(name, role.key, role.bank) as channel:
            yield PeopleClient(channel, role.bank), role, channel.peers.roster


def _vote(chosen: str, place: tuple[Path, str, Path, str | None], *, is_yes: bool) -> Facts:
    with _opened_role(*place) as (served, role, roster):
        told, outcome = vote(served, role, roster, chosen, is_yes=is_yes)
    return {**told, "now": outcome}


def _show_subject(facts: Facts, *, as_json: bool) -> None:
    """For people, a line for each who is paid, and a dash for who has not voted."""
    lines: Facts = {}
    for name, value in facts.items():
        if name == "pays":
            lines |= {f"pay {one['to']}": one["amount"] for one in value}
        elif not name.endswith(" minor"):
            lines[name] = "–" if value is None else value
    show(facts if as_json else lines, as_json=as_json)


def _tell_application(answer: AccountAnswer, *, as_json: bool) -> None:
    facts = {"state": answer.state}
    if answer.client is not None:
        facts["client"] = answer.client
    if answer.reason:
        facts["reason"] = answer.reason
    show(facts, as_json=as_json)
