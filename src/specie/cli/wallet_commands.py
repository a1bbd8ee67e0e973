"""`specie wallet …` and `specie verify-receipt`: their options; the work is in the modules beside.

A phrase is asked for without echo, or read from standard input when that is not a terminal; it is
never an argument, which other users of the machine could read.
"""

from pathlib import Path
from typing import Annotated

import typer

from specie.cli.arguments import parse_network
from specie.cli.asking import ask
from specie.cli.consent_commands import consent
from specie.cli.device_commands import (
    Subwallet,
    add_device_commands,
    find_own_address,
    restore_device,
)
from specie.cli.devices import load_surroundings
from specie.cli.moving_commands import add_moving_commands
from specie.cli.online_commands import add_online_commands
from specie.cli.paying import add_payment_commands
from specie.cli.people_wallet_commands import add_people_commands
from specie.cli.phone_commands import find_phone, phone
from specie.cli.receipts import describe_receipt, verify_receipt_file
from specie.cli.results import AsJson, Facts, remark, show, tell, write_json
from specie.cli.trust import load_backing
from specie.cli.wallets import (
    draw_qr,
    list_addresses,
    make_phrase,
    restore_wallet,
    save_qr_sequence,
)
from specie.cli.watch_commands import add_watch_commands
from specie.identity.cosigners import check_backed
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

wallet = typer.Typer(help="A wallet: by its phrase, or on a device's store.", no_args_is_help=True)
add_device_commands(wallet)
add_online_commands(wallet)
wallet.command("find")(find_phone)
wallet.add_typer(phone, name="phone")
add_people_commands(wallet)
add_moving_commands(wallet)
add_payment_commands(wallet)
wallet.add_typer(consent, name="consent")
add_watch_commands(wallet)

Public = Annotated[Path, typer.Option(help="The network's public folder.")]
Bank = Annotated[int, typer.Option(help="Number of the serving bank in the participant list.")]
Subwallets = Annotated[int, typer.Option(min=1, max=100, help="How many sub-wallets to look at.")]
Network = Annotated[str | None, typer.Option(help="Network id you trust, 32 hex digits.")]


@wallet.command("new")
def new_wallet() -> None:
    """Make a phrase of 24 words. Write it down: whoever has it has the money."""
    typer.echo(make_phrase())


@wallet.command("address")
def show_address(  # noqa: PLR0913  # one parameter for each option
    public: Public,
    bank: Annotated[
        int | None, typer.Option(help="Number of the serving bank; a device knows its own.")
    ] = None,
    subwallets: Subwallets = 1,
    network: Network = None,
    *,
    is_qr: Annotated[bool, typer.Option("--qr", help="Draw QR codes as well.")] = False,
    device: Annotated[
        Path | None, typer.Option(help="The device's store, with --holder: its address in use.")
    ] = None,
    holder: Annotated[str, typer.Option(help="Whose wallet on that device.")] = "",
    subwallet: Subwallet = None,
    as_json: AsJson = False,
) -> None:
    """Where money is sent to: of a device's wallet, or of a phrase at a bank."""
    expected = parse_network(network)
    if device is not None:
        surroundings = load_surroundings(public, expected)
        own = find_own_address(device, holder, surroundings, bank, subwallet)
        rows: list[Facts] = [_describe_address(own.number, own.bank, own.address)]
    elif bank is not None:
        found = list_addresses(ask("phrase"), public, bank, subwallets, expected)
        rows = [_describe_address(place, bank, one) for place, one in enumerate(found)]
    else:
        raise SpecieError(ErrorCode.SETTING_INVALID, "name the bank with --bank, or a --device")
    tell("", {"addresses": rows}, as_json=as_json)
    for row in rows:
        if not as_json:
            typer.echo(row["address"])
        if is_qr:
            remark(draw_qr(row["address"].upper()), as_json=as_json)


def _describe_address(subwallet: int, bank: int, address: str) -> Facts:
    return {"subwallet": subwallet, "bank": bank, "address": address}


@wallet.command("restore")
def restore(
    public: Public,
    bank: Bank,
    subwallets: Subwallets = 1,
    network: Network = None,
    *,
    as_json: AsJson = False,
    into: Annotated[
        Path | None, typer.Option(help="Make a device's store of it, with --holder.")
    ] = None,
    holder: Annotated[str, typer.Option(help="Whose wallet it is on that device.")] = "",
    has_returns: Annotated[
        bool, typer.Option("--with-returns", help="Refunds too: some 250 times as slow.")
    ] = False,
) -> None:
    """What a phrase owns, from the log alone: nobody is asked, every leaf is checked."""
    if into is not None:
        place = (into, holder, public, bank, subwallets, network)
        show(restore_device(*place, has_returns=has_returns), as_json=as_json)
        return
    expected = parse_network(network)
    found = restore_wallet(
        ask("phrase"), public, bank, subwallets, expected, has_returns=has_returns
    )
    tokens = [token for one in found.restored for token in one.tokens]
    facts = {
        "balance": found.genesis.currency.format(found.balance),
        "balance minor": found.balance,
        "unspent tokens": len(tokens),
        "tokens ever": sum(one.seen for one in found.restored),
        "log size": found.log_size,
    }
    show(facts, as_json=as_json)


def verify_receipt(
    file: Annotated[Path, typer.Argument(help="The receipt, a .tlog-proof file.")],
    public: Annotated[Path, typer.Option(help="Folder with genesis, participants, cosigners.")],
    network: Network = None,
    *,
    as_json: AsJson = False,
    qr: Annotated[Path | None, typer.Option(help="Save it as QR codes (SVG) as well.")] = None,
    cosigners: Annotated[
        Path | None, typer.Option(help="Your own list: only who stands in it counts.")
    ] = None,
    is_required: Annotated[
        bool, typer.Option("--require-cosigners", help="Refuse it if too few have cosigned.")
    ] = False,
) -> None:
    """Verify a receipt offline: that a leaf is in the log, what was paid, and to whom."""
    expected = parse_network(network)
    trust, receipt = verify_receipt_file(file, public, expected)
    backing = load_backing(trust, receipt.checkpoint, cosigners)
    if is_required:
        check_backed(backing)
    facts = describe_receipt(trust, receipt, backing, expected)
    if as_json:
        typer.echo(write_json(facts))
    else:
        for name, value in facts.items():
            typer.echo(f"{name:>12}: {value}")
    if qr is not None:
        typer.echo(f"saved as {save_qr_sequence(file.read_text(), qr)} QR codes", err=True)
