"""`specie wallet move, close, loss-code, lost, recover, shares, restore-shares, certificate`."""

from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from specie.assembly.system import SystemClock
from specie.assembly.tls import ROOT
from specie.cli.applying import apply_at_bank, build_person
from specie.cli.arguments import parse_network
from specie.cli.asking import ask, ask_new
from specie.cli.certifying import get_certificate
from specie.cli.device_commands import Holder, Network, Public, Store, Subwallet
from specie.cli.devices import created_device, opened_device
from specie.cli.moving import (
    begin_move,
    finish_move,
    has_opened,
    move_number,
    open_with_code,
    recover,
)
from specie.cli.online_commands import check_to_be_opened
from specie.cli.parties import open_channel, parse_order
from specie.cli.people_wallet_commands import BankNumber, opened_site
from specie.cli.places import STRANGER, Site, draw_secret
from specie.cli.results import AsJson, Facts, remark, show, spell_amount, tell
from specie.cli.wallets import make_phrase
from specie.crypto.secrets import InstitutionKey, parse_phrase
from specie.crypto.shares import combine_shares, split_phrase
from specie.remote.people_client import PeopleClient
from specie.store.durable_files import replace_durably
from specie.store.vault_store import VaultDatabase
from specie.values.identifiers import ParticipantNumber

_NUMBER_TOLD = {
    True: "your phone number pays the new address",
    False: (
        "your phone number still names the old address: let the new bank confirm it, "
        "then `specie wallet phone set`"
    ),
    None: "",
}
_LOST = "{} (lost)"  # whose keys a new device has until the old wallet's money is in the new one


def move(  # noqa: PLR0913, PLR0917  # one parameter for each option
    device: Store,
    holder: Holder,
    public: Public,
    to_bank: Annotated[int, typer.Option(help="Number of the new bank.")],
    code: Annotated[str | None, typer.Option(help="The new bank's one-time code.")] = None,
    name: Annotated[str | None, typer.Option(help="Without a code: apply, with your name.")] = None,
    phone: Annotated[str | None, typer.Option(help="And your number.")] = None,
    detail: Annotated[
        list[str] | None, typer.Option(help="And what the tier asks for: key=value.")
    ] = None,
    tier: Annotated[str, typer.Option(help="Of the new wallet.")] = "basic",
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Go to another bank with all money; the same again goes on where it stood."""
    with opened_site(device, holder, public, network) as site:
        place = begin_move(site, to_bank)
        if not has_opened(site, place) and code is not None:
            open_with_code(site, place, to_bank, parse_order(code))
        if not has_opened(site, place) and name is not None:
            person = build_person(name, phone, detail or [])
            apply_at_bank(site, place, to_bank, person, tier)
        if not has_opened(site, place):
            facts: Facts = {"state": "not opened", "bank": to_bank, "subwallet": place}
            told = f"bank {to_bank} has not opened the wallet: --code or --name, then again"
            tell(told, facts, as_json=as_json)
            return
        shown, balance = finish_move(site, place)
        if not as_json:
            typer.echo(f"moved to bank {to_bank}, sub-wallet {place}: {shown}")
        is_moved = move_number(site)
    facts = {"state": "moved", "bank": to_bank, "subwallet": place}
    facts |= {"balance": shown, "balance minor": balance, "phone is moved": is_moved}
    tell(_NUMBER_TOLD[is_moved], facts, as_json=as_json)


def close(
    device: Store,
    holder: Holder,
    public: Public,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Close your account at the bank, for good; only with nothing left in it."""
    with opened_site(device, holder, public, network) as site:
        place = site.device.choose(subwallet)
        with site.online(place) as (online, people):
            online.collect()
            people.close()
    tell("", {"subwallet": place, "state": "closed"}, as_json=as_json)


def loss_code(
    device: Store,
    holder: Holder,
    public: Public,
    subwallet: Subwallet = None,
    network: Network = None,
) -> None:
    """A code that stops the wallet from any other device: write it down, it opens nothing."""
    drawn = draw_secret()
    with (
        opened_site(device, holder, public, network) as site,
        site.online(site.device.choose(subwallet)) as (_, people),
    ):
        people.set_loss_code(drawn)
    typer.echo(drawn.hex())


def lost(
    code: Annotated[str, typer.Argument(help="The loss code that you wrote down.")],
    public: Public,
    bank: BankNumber,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Your device is lost: stop its wallet at once, from any device."""
    number, key = ParticipantNumber(bank), InstitutionKey.generate()
    with open_channel(public, parse_network(network), STRANGER, key, number) as channel:
        PeopleClient(channel, number).report_loss(parse_order(code))
    told = "stopped: ask your bank for a code, then `specie wallet recover`"
    tell(told, {"bank": bank, "state": "stopped"}, as_json=as_json)


def recover_wallet(  # noqa: PLR0913  # one parameter for each option
    code: Annotated[str, typer.Argument(help="The bank's code, for your new device.")],
    device: Store,
    holder: Holder,
    public: Public,
    bank: BankNumber,
    shares: Annotated[int, typer.Option(help="So many shares in place of the phrase.")] = 0,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """A new wallet after a loss, by new keys, with the money of the old one; again goes on."""
    passphrase = ask_new() if not _is_there(device, holder) else ask("passphrase")
    old = _read_shares(shares) if shares else ask("phrase of the lost wallet")
    tree, facts = parse_phrase(old), Facts()
    if not _is_there(device, holder):
        facts["phrase"] = make_phrase()
        with created_device(device, holder, passphrase, parse_phrase(facts["phrase"])):
            if not as_json:
                typer.echo(facts["phrase"])
    with (
        opened_device(device, holder, passphrase) as opened,
        created_device(device, _LOST.format(holder), passphrase, tree) as before,
    ):
        site, place = Site(opened, device, public, network), opened.choose(subwallet)
        check_to_be_opened(place)
        payments, held = recover(site, place, bank, parse_order(code), before)
        with site.online(place) as (online, _):
            facts |= spell_amount(online.currency, online.vault.get_balance(), "balance")
    remark("paid by phone number? `specie wallet phone set` names the new address", as_json=as_json)
    facts |= {"payments": payments, "tokens that wait": held}
    told = {name: facts[name] for name in ("balance", "payments", "tokens that wait")}
    show(facts | {"subwallet": place} if as_json else told, as_json=as_json)
    if held:
        remark(
            "a payment of the lost device may still be on its way: again in an hour",
            as_json=as_json,
        )


def split(
    count: Annotated[int, typer.Argument(help="How many shares.")],
    device: Store,
    holder: Holder,
    public: Public,
    threshold: Annotated[int, typer.Option(help="How many of them are enough.")] = 2,
    network: Network = None,
    *,
    is_kept: Annotated[
        bool, typer.Option("--bank-keeps-one", help="Leave the last one at the bank.")
    ] = False,
) -> None:
    """The phrase in shares, for you, your bank, someone you trust; printed once, kept nowhere."""
    with opened_site(device, holder, public, network) as site:
        made = split_phrase(site.device.show_phrase(), threshold, count)
        if is_kept:
            with site.online(site.current) as (_, people):
                people.keep_share(made.pop())
    for share in made:
        typer.echo(share)


def restore_shares(
    count: Annotated[int, typer.Argument(help="How many shares you have.")],
) -> None:
    """The phrase, from enough of its shares; one on each line."""
    typer.echo(_read_shares(count))


def bank_share(device: Store, holder: Holder, public: Public, network: Network = None) -> None:
    """The share that was left at the bank, for your new device."""
    with (
        opened_site(device, holder, public, network) as site,
        site.online(site.current) as (_, people),
    ):
        typer.echo(people.get_share())


def certificate(
    device: Store,
    holder: Holder,
    public: Public,
    out: Annotated[Path | None, typer.Option(help="Write the chain there, PEM.")] = None,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """This device's certificate: it names a key and nobody; a new one when a third is left."""
    root = x509.load_pem_x509_certificate((public / ROOT).read_bytes())
    with opened_site(device, holder, public, network) as site:
        place = site.device.choose(subwallet)
        with site.online(place) as (_, people):
            chain = get_certificate(site, place, people, root, SystemClock().now())
    found = x509.load_pem_x509_certificate(chain)
    if out is not None:
        replace_durably(out.parent, out.name, chain)
    show(
        {
            "subject": found.subject.rfc4514_string(),
            "serial": f"{found.serial_number:040x}",
            "counts until": found.not_valid_after_utc.isoformat(),
        },
        as_json=as_json,
    )


def add_moving_commands(wallet: typer.Typer) -> None:
    """Beside those that pay."""
    for command in (move, close, lost, certificate):
        wallet.command(command.__name__)(command)
    wallet.command("loss-code")(loss_code)
    wallet.command("recover")(recover_wallet)
    wallet.command("shares")(split)
    wallet.command("restore-shares")(restore_shares)
    wallet.command("bank-share")(bank_share)


def _is_there(device: Path, holder: str) -> bool:
    if not device.is_file():
        return False
    database = VaultDatabase(device)
    try:
        return database.find_keys(holder) is not None
    finally:
        database.close()


def _read_shares(count: int) -> str:
    return combine_shares([ask(f"share {one + 1}") for one in range(count)])
