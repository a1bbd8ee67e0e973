"""`specie wallet consent …`: whom one lets read one's account at the bank, and who has (T3).

Each sub-wallet is an account of its own, with consents of its own.
"""

import secrets
from typing import Annotated, Final

import typer

from specie.cli.device_commands import Holder, Network, Public, Store, Subwallet
from specie.cli.online_commands import Online, opened_online
from specie.cli.policy_commands import parse_time
from specie.cli.results import AsJson, Facts, show, show_rows
from specie.crypto.addresses import format_address
from specie.identity.consents import (
    NONCE_BYTES,
    Consent,
    ConsentPlace,
    Permission,
    sign_consent,
    sign_end,
)
from specie.remote.consent_client import ConsentClient
from specie.remote.consent_models import ConsentShown
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import InstitutionPublicKey
from specie.values.limits import CONSENT_MS_MAX, PAGE_ITEMS_MAX
from specie.values.times import DAY_MS, Timestamp, format_time

consent = typer.Typer(help="Let somebody else read your account.", no_args_is_help=True)
DAYS_MAX: Final = CONSENT_MS_MAX // DAY_MS


@consent.command("give")
def give_consent(  # noqa: PLR0913, PLR0917  # one parameter for each option
    device: Store,
    holder: Holder,
    public: Public,
    reader: Annotated[str, typer.Option(help="The reader's public key, 64 hex digits.")],
    name: Annotated[str, typer.Option(help="What you call the reader.")],
    since: Annotated[
        str | None, typer.Option(help="Payments from this time on; else from now on.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=DAYS_MAX, help="Until it ends.")] = 90,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    is_bare: Annotated[bool, typer.Option("--no-payments", help="No payments at all.")] = False,
    has_memos: Annotated[
        bool, typer.Option("--memos", help="And what was written to them.")
    ] = False,
    has_balance: Annotated[bool, typer.Option("--balance", help="And balances.")] = False,
    as_json: AsJson = False,
) -> None:
    """Signed on the device: who may read, what, from when on, until when."""
    key = parse_reader(reader)
    permissions = Permission.READ_BALANCES if has_balance else Permission(0)
    if not is_bare:
        permissions |= Permission.READ_TRANSACTIONS_BASIC
        permissions |= Permission.READ_TRANSACTIONS_DETAIL if has_memos else Permission(0)
    if not permissions:
        reason = "it permits nothing: leave out --no-payments, or say --balance"
        raise SpecieError(ErrorCode.CONSENT_INVALID, reason)
    with opened_online(device, holder, public, network, subwallet=subwallet) as online:
        served, now = _reach(online), online.channel.clock.now()
        given = Consent(
            account=online.vault.keys.address,
            number=1 + max((one.consent.number for one in served.load()), default=0),
            nonce=secrets.token_bytes(NONCE_BYTES),
            reader=key,
            reader_name=name,
            permissions=permissions,
            transactions_from=now if since is None else parse_time(since, "--since"),
            creation=now,
            expiration=Timestamp(now + days * DAY_MS),
        )
        place = _get_place(online, served)
        found = served.give(given, sign_consent(given, place, online.vault.keys.spend))
        _show(_describe(found, online), as_json=as_json)


@consent.command("list")
def list_consents(
    device: Store,
    holder: Holder,
    public: Public,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """All that you ever gave at this bank, and how each stands."""
    with opened_online(device, holder, public, network, subwallet=subwallet) as online:
        rows = [_describe(one, online) for one in _reach(online).load()]
    show_rows(rows, _spell_consent, as_json=as_json)


@consent.command("revoke")
def revoke_consent(
    number: Annotated[int, typer.Argument(help="Its number, as `list` shows it.")],
    device: Store,
    holder: Holder,
    public: Public,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """At once and for good."""
    with opened_online(device, holder, public, network, subwallet=subwallet) as online:
        served, now = _reach(online), online.channel.clock.now()
        known = [one for one in served.load() if one.consent.number == number]
        if not known:
            raise SpecieError(ErrorCode.CONSENT_UNKNOWN, f"you gave no consent {number}")
        place, identifier = _get_place(online, served), known[0].consent_id
        signature = sign_end(identifier, now, place, online.vault.keys.spend)
        _show(_describe(served.revoke(identifier, now, signature), online), as_json=as_json)


@consent.command("readings")
def list_readings(
    device: Store,
    holder: Holder,
    public: Public,
    start: Annotated[int, typer.Option(min=0, help="How many of the newest to pass over.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=PAGE_ITEMS_MAX, help="How many.")] = 100,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Who has read your account and when, the newest first: each is in the bank's access log."""
    with opened_online(device, holder, public, network, subwallet=subwallet) as online:
        served = _reach(online)
        known = {one.consent_id: one.consent for one in served.load()}
        rows = [
            {
                "time": format_time(one.time),
                "consent": known[one.consent_id].number,
                "reader name": known[one.consent_id].reader_name,
                "reader": known[one.consent_id].reader.hex(),
                "what": one.what,
            }
            for one in served.load_readings(start, limit)
        ]
    show_rows(rows, _spell_reading, as_json=as_json)


def parse_reader(text: str) -> InstitutionPublicKey:
    """64 hex digits; a usage error otherwise."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise typer.BadParameter("64 hex digits, as `specie reader create-key` prints them")
    return InstitutionPublicKey(raw)


def _reach(online: Online) -> ConsentClient:
    return ConsentClient(online.channel, online.account.bank)


def _get_place(online: Online, served: ConsentClient) -> ConsentPlace:
    return ConsentPlace(online.channel.peers.network, served.number)


def _describe(one: ConsentShown, online: Online) -> Facts:
    """What the client hands over to its reader is `consent` and `account`."""
    given = one.consent
    prefix = online.channel.peers.roster.genesis.address_prefix
    return {
        "number": given.number,
        "status": one.status,
        "status update": format_time(one.status_update_date_time),
        **({"ended by": one.ended_by} if one.ended_by else {}),
        "reader name": given.reader_name,
        "reader": given.reader.hex(),
        "permissions": given.permissions,
        "payments since": format_time(given.transaction_from_date_time),
        "creation": format_time(given.creation_date_time),
        "expiration": format_time(given.expiration_date_time),
        "consent": one.consent_id.hex(),
        "account": format_address(given.account.unwrap(), prefix),
    }


def _show(facts: Facts, *, as_json: bool) -> None:
    plain = {**facts, "permissions": ", ".join(facts["permissions"])}
    show(facts if as_json else plain, as_json=as_json)


def _spell_consent(row: Facts) -> str:
    until = f"until {row['expiration']}"
    scope = f"{', '.join(row['permissions'])}, payments since {row['payments since']}"
    head = f"{row['number']:>4}  {row['status']:<10} {until}  {row['reader name']}"
    return f"{head}\n      {scope}"


def _spell_reading(row: Facts) -> str:
    return f"{row['time']}  {row['reader name']} (consent {row['consent']})  {row['what']}"
