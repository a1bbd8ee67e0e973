"""`specie wallet view-key, watch`: one sub-wallet is seen by who holds its view key (T3)."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from specie.cli.arguments import parse_network
from specie.cli.asking import ask
from specie.cli.device_commands import Holder, Network, Public, Store
from specie.cli.devices import load_surroundings, opened_device
from specie.cli.mirroring import Source
from specie.cli.results import AsJson, show, write_json
from specie.cli.telling import show_progress
from specie.cli.trust import load_trust
from specie.crypto.addresses import format_address
from specie.crypto.view_keys import format_view_key
from specie.log.notes import verify_note
from specie.store.account_store import SqliteAccountStore
from specie.store.database import Database
from specie.store.log_files import LogFolder
from specie.tokens.holdings import unpack_memo
from specie.values.amounts import Currency
from specie.values.identifiers import NetworkId
from specie.values.times import format_time
from specie.wallet.keys import get_subholder
from specie.wallet.restoring import RestoreTrust, WatchedOutput, watch_log
from specie.wallet.watching import read_watch_keys


def view_key(
    subwallet: Annotated[int, typer.Option(min=0, help="Number of the sub-wallet.")],
    device: Store,
    holder: Holder,
    public: Public,
    bank: Annotated[
        int | None, typer.Option(help="Serving bank; else the one that has opened it.")
    ] = None,
    network: Network = None,
) -> None:
    """A secret: whoever has it sees all that this sub-wallet is paid, and can spend nothing."""
    surroundings = load_surroundings(public, parse_network(network))
    with opened_device(device, holder, ask("passphrase")) as opened:
        if bank is None:
            name, key = get_subholder(holder, subwallet), opened.opened.vault_key
            bank = SqliteAccountStore(Database(device)).get(name, key).bank
        keys = opened.open_vault(subwallet, bank, surroundings).keys
    typer.echo(format_view_key(keys.view, keys.address, surroundings.genesis.address_prefix))


def watch(
    place: Annotated[
        str, typer.Argument(help="Public folder, or https:// address of a registration.")
    ],
    network: Network = None,
    root: Annotated[
        Path | None, typer.Option(help="Root certificate of the network, for an address.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Folder for the copy of an address; continued if there.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """What a sub-wallet was paid, by its view key and the public log alone; every leaf is read."""
    secret, expected = ask("view key"), parse_network(network)
    source = Source(place, root, keep, expected)
    console = Console(stderr=True)
    with show_progress(console, "leaves") as progress, source.open(progress) as folder:
        facts, rows = watch_folder(folder, secret, expected)
    if as_json:
        typer.echo(write_json({**facts, "outputs": rows}))
        return
    show(facts, as_json=False)
    for row in rows:
        typer.echo(f"{row['time']}  {row['amount']:>20}  {row['state']:<7} {row['id']}")


def watch_folder(
    folder: Path, secret: str, expected: NetworkId | None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Facts and a row for each output, as they were published."""
    trust = load_trust(folder, expected)
    genesis, log = trust.genesis, LogFolder(folder)
    keys = read_watch_keys(secret.strip(), genesis.address_prefix)
    signed = verify_note(log.read_checkpoint(), trust.get_log_key(), trust.cosigners)
    member = trust.participants.get(keys.address.bank)
    registration = trust.participants.get_central_bank().institution_key
    believed = RestoreTrust(genesis, member, signed.checkpoint, registration)
    found = sorted(watch_log(log, keys, believed), key=lambda one: (one.time, one.token.ref))
    unspent = sum(one.token.amount for one in found if not one.is_spent)
    facts = {
        "address": format_address(keys.address, genesis.address_prefix),
        "unspent": genesis.currency.format(unspent),
        "unspent minor": unspent,
        "outputs ever": len(found),
        "log size": signed.checkpoint.size,
    }
    return facts, [_describe(one, genesis.currency) for one in found]


def _describe(one: WatchedOutput, currency: Currency) -> dict[str, Any]:
    """The memo with it: it was written to whoever can open the output."""
    memo = unpack_memo(one.token.opening.memo)
    told = {"order": memo.order_id.hex(), "end to end": memo.end_to_end_id.hex()}
    return {
        "time": format_time(one.time),
        "id": one.token.ref.hex(),
        "amount": currency.format(one.token.amount),
        "minor": one.token.amount,
        "state": "spent" if one.is_spent else "unspent",
        **{name: value for name, value in told.items() if value.strip("0")},
        **({"name": memo.name} if memo.name else {}),
    }


def add_watch_commands(wallet: typer.Typer) -> None:
    """Beside those of the holder."""
    wallet.command("view-key")(view_key)
    wallet.command("watch")(watch)
