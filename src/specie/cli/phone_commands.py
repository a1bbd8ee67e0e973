"""`specie wallet phone …` and `specie wallet find`: the directory, from a holder's device (T8).

A device has one number, which pays one of its sub-wallets.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from specie.assembly.lists import load_peers
from specie.assembly.tls import ROOT
from specie.cli.arguments import parse_network
from specie.cli.asking import ask
from specie.cli.device_commands import Holder, Network, Public, Store, Subwallet
from specie.cli.devices import opened_device
from specie.cli.mirroring import Source
from specie.cli.online_commands import opened_online
from specie.cli.phones import watch_log
from specie.cli.results import AsJson, show
from specie.crypto.addresses import format_address
from specie.directory.answers import RecordedEntry
from specie.directory.entries import DirectoryEntry, EntryState
from specie.directory.watching import WatchReport
from specie.identity.services import ServiceRole
from specie.ports.directory import OwnPhoneStore
from specie.store.database import Database
from specie.store.own_phone_store import SqliteOwnPhoneStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.phones import PhoneNumber, parse_phone
from specie.values.times import format_time
from specie.wallet.phone import Wish

phone = typer.Typer(help="Your phone number in the directory.", no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="With its country: +77015550102")]
IsNamed = Annotated[
    bool, typer.Option("--show-name/--hide-name", help="Whether payers see your name.")
]
IsHidden = Annotated[
    bool, typer.Option("--hidden", help="Keep the number, but let nobody find you by it.")
]
Log = Annotated[
    str | None, typer.Option("--log", help="Folder or https:// of the log; else the network's.")
]
Keep = Annotated[Path | None, typer.Option(help="Folder for the copy of the log, to go on from.")]


@phone.command("set")
def set_phone(  # noqa: PLR0913  # one parameter for each option
    number: Number,
    device: Store,
    holder: Holder,
    public: Public,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    is_named: IsNamed = False,
    is_hidden: IsHidden = False,
    as_json: AsJson = False,
) -> None:
    """Be paid by this number, which your bank has confirmed; again with other options changes it.

    Without --show-name payers see no name.
    """
    if is_named and is_hidden:
        raise SpecieError(ErrorCode.SETTING_INVALID, "who is not found shows no name")
    wish = Wish(EntryState.HIDDEN if is_hidden else EntryState.ACTIVE, is_named)
    known = parse_phone(number)
    with opened_online(device, holder, public, network, subwallet=subwallet) as online:
        recorded = online.phone.put(known, wish)
        show(_describe_own(known, recorded), as_json=as_json)


@phone.command("remove")
def remove_phone(
    device: Store,
    holder: Holder,
    public: Public,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Nobody pays you by your number any more; the number is free."""
    with opened_online(device, holder, public, network, subwallet=subwallet) as online:
        number = _get_number(online.phone.store)
        recorded = online.phone.put(number, Wish(EntryState.CLOSED))
        show(_describe_own(number, recorded), as_json=as_json)


@phone.command("show")
def show_phone(device: Store, holder: Holder, *, as_json: AsJson = False) -> None:
    """What this device has signed last for its number; nobody is asked."""
    with opened_device(device, holder, ask("passphrase")) as opened:
        store = SqliteOwnPhoneStore(Database(device), holder, opened.opened.vault_key)
        number = _get_number(store)
        watched = store.find_number()
        assert watched is not None, "found above"
        last = store.find_last(watched.index)
        facts: dict[str, Any] = {"phone": number, "index": watched.index.hex()}
        if last is not None:
            facts |= _describe_entry(last[0].entry)
            by = "no answer yet; set it again" if last[1] is None else format_time(last[1])
            facts["in the log by"] = by
        show(facts, as_json=as_json)


@phone.command("watch")
def watch_phone(
    device: Store,
    holder: Holder,
    public: Public,
    log: Log = None,
    keep: Keep = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Look in the public log after your number, and after those you have paid by number.

    Ends with an alarm if somebody else has changed whom your number pays, or if payers are told
    something that is not in the log.
    """
    with opened_device(device, holder, ask("passphrase")) as opened:
        store = SqliteOwnPhoneStore(Database(device), holder, opened.opened.vault_key)
        report, backing = watch_log(_choose_source(public, log, keep, network), store)
    facts = _describe_report(report)
    facts |= {f"cosigned by {one.role.plural}": one.describe() for one in backing}
    show(facts, as_json=as_json)
    if report.alarm is not None:
        raise report.alarm


def find_phone(
    number: Number,
    device: Store,
    holder: Holder,
    public: Public,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Whom a number pays: the address, and the name if its owner shows it."""
    with opened_online(device, holder, public, network, subwallet=subwallet) as online:
        known = parse_phone(number)
        entry = online.phone.find(known)
        prefix = online.channel.peers.roster.genesis.address_prefix
        facts: dict[str, Any] = {"phone": known, "address": format_address(entry.address, prefix)}
        facts["name"] = entry.name or "not shown"
        show(facts, as_json=as_json)


def _choose_source(public: Path, log: str | None, keep: Path | None, network: str | None) -> Source:
    """The registration's public face, if nobody names another."""
    expected = parse_network(network)
    peers = load_peers(public, expected)
    place = log or peers.services.get_one(ServiceRole.REGISTRATION).public_url
    return Source(place, public / ROOT, keep, peers.network)


def _get_number(store: OwnPhoneStore) -> PhoneNumber:
    found = store.find_number()
    if found is None:
        reason = "this device has no number in the directory; `specie wallet phone set` puts it"
        raise SpecieError(ErrorCode.PHONE_UNKNOWN, reason)
    return found.phone


def _describe_own(number: PhoneNumber, recorded: RecordedEntry) -> dict[str, Any]:
    facts: dict[str, Any] = {"phone": number, **_describe_entry(recorded.signed.entry)}
    facts["in the log by"] = format_time(recorded.promise.publish_by)
    return facts


def _describe_entry(entry: DirectoryEntry) -> dict[str, Any]:
    return {
        "version": entry.version,
        "state": entry.state.name.lower(),
        "name": entry.name or "not shown",
        "bank": entry.bank,
    }


def _describe_report(report: WatchReport) -> dict[str, Any]:
    return {
        "leaves": report.seen.size,
        "versions in the log": report.versions,
        "signed here": _list(report.own),
        "of before this device": _list(report.earlier),
        "not signed here": _list(report.foreign),
        "promised and missing": _list(report.missing),
        "paid by and missing": len(report.unkept),
    }


def _list(versions: tuple[int, ...]) -> str:
    return ", ".join(map(str, versions)) or "none"
