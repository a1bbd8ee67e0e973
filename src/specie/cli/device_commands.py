"""The options of `specie wallet …` over a device's store; the work is in `devices.py`.

Passphrase and phrase are asked for without echo, or read from standard input, a line each, when
that is not a terminal; they are never arguments, which other users of the machine could read.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from specie.cli.arguments import parse_network
from specie.cli.asking import ask, ask_new
from specie.cli.devices import (
    OwnSubwallet,
    created_device,
    describe_subwallet,
    list_subwallets,
    load_surroundings,
    make_receipt,
    opened_device,
    restore_into,
)
from specie.cli.payments import (
    format_row,
    list_history,
    load_told,
    parse_payment,
    show_payment,
)
from specie.cli.results import AsJson, Facts, show, show_rows, spell_amount, tell, write_json
from specie.cli.trust import load_trust
from specie.cli.wallets import make_phrase
from specie.crypto.secrets import parse_phrase
from specie.store.durable_files import replace_durably
from specie.values.amounts import Currency
from specie.wallet.vault import Surroundings

Store = Annotated[Path, typer.Option("--device", help="The device's store, a file.")]
Holder = Annotated[str, typer.Option(help="Whose wallet on this device.")]
Public = Annotated[Path, typer.Option(help="The network's public folder.")]
Bank = Annotated[
    int | None, typer.Option(help="Its bank; else who has opened it, or by its tokens.")
]
Subwallet = Annotated[
    int | None, typer.Option(min=0, help="Number of the sub-wallet; else the one in use.")
]
Network = Annotated[str | None, typer.Option(help="Network id you trust, 32 hex digits.")]

contacts = typer.Typer(help="The device's address book.", no_args_is_help=True)


def create(device: Store, holder: Holder) -> None:
    """Make a wallet on a device: new keys under a passphrase; prints its 24 words once."""
    phrase = make_phrase()
    with created_device(device, holder, ask_new(), parse_phrase(phrase)):
        typer.echo(phrase)


def restore_device(
    device: Path,
    holder: str,
    public: Path,
    bank: int,
    subwallets: int,
    network: str | None,
    *,
    has_returns: bool = False,
) -> dict[str, Any]:
    """Keys from the phrase under a new passphrase, and its tokens from the log."""
    tree, passphrase = parse_phrase(ask("phrase")), ask_new()
    expected = parse_network(network)
    surroundings = load_surroundings(public, expected)
    with created_device(device, holder, passphrase, tree) as made:
        taken, seen = restore_into(
            made, public, bank, subwallets, expected, has_returns=has_returns
        )
        owned = list_subwallets(made, surroundings, bank, subwallets)
    balance = sum(one.balance for one in owned)
    return {
        "balance": surroundings.genesis.currency.format(balance),
        "balance minor": balance,
        "tokens taken": taken,
        "tokens ever": seen,
        "to be spent": "in 22 minutes: the lost device may have signed for them",
    }


def phrase(device: Store, holder: Holder) -> None:
    """The backup: shows the 24 words. Whoever has them has the money."""
    with opened_device(device, holder, ask("passphrase")) as opened:
        typer.echo(opened.show_phrase())


def balance(
    device: Store,
    holder: Holder,
    public: Public,
    subwallet: Subwallet = None,
    bank: Bank = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """What can be spent, there and in all sub-wallets, and what waits for an answer."""
    surroundings = load_surroundings(public, parse_network(network))
    with opened_device(device, holder, ask("passphrase")) as opened:
        place = opened.choose(subwallet)
        vault = opened.open_vault(place, bank, surroundings)
        free, waiting = vault.get_balance(), len(vault.load_prepared())
        served = opened.open_served(surroundings)
    others = sum(one.get_balance() for number, one in served.items() if number != place)
    currency = surroundings.genesis.currency
    show(
        {
            "subwallet": place,
            **spell_amount(currency, free, "balance"),
            "payments without an answer": waiting,
            **spell_amount(currency, free + others, "in all sub-wallets"),
        },
        as_json=as_json,
    )


def subwallets(
    device: Store,
    holder: Holder,
    public: Public,
    bank: Annotated[
        int | None, typer.Option(help="Else those of this device, each at its bank.")
    ] = None,
    count: Annotated[
        int, typer.Option(min=1, max=100, help="With --bank: how many to look at.")
    ] = 4,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """One's sub-wallets, at all banks: where, as whom, what each holds, its address.

    Nobody else can tell that they are one's. With --bank: the first ones of the phrase there.
    """
    surroundings = load_surroundings(public, parse_network(network))
    currency = surroundings.genesis.currency
    with opened_device(device, holder, ask("passphrase")) as opened:
        found = list_subwallets(opened, surroundings, bank, count)
        current = opened.current
    total = sum(one.balance for one in found)
    if as_json:
        rows = [_describe_subwallet(one, currency, current) for one in found]
        show({"subwallets": rows, **spell_amount(currency, total, "balance")}, as_json=True)
        return
    for one in found:
        mark = "*" if one.number == current else " "
        place = f"{one.number:>4}{mark} bank {one.bank}  {one.client:<16}"
        typer.echo(f"{place}  {currency.format(one.balance):>20}  {one.address}")
    if len(found) > 1 and bank is None:
        typer.echo(f"in all: {currency.format(total)}")


def history(
    device: Store,
    holder: Holder,
    public: Public,
    subwallet: Subwallet = None,
    bank: Bank = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """What was paid and received here, oldest first; settled, by the notary's word, is final."""
    surroundings = load_surroundings(public, parse_network(network))
    with opened_device(device, holder, ask("passphrase")) as opened:
        vault = opened.open_vault(opened.choose(subwallet), bank, surroundings)
        told, found = load_told(opened, vault), vault.load_history()
        rows = list_history(found, told, surroundings.genesis.currency)
    show_rows(rows, format_row, as_json=as_json)


def payment(
    payment: Annotated[str, typer.Argument(help="Its id, as `history` shows it.")],
    device: Store,
    holder: Holder,
    public: Public,
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """One payment: how far it has come, and what is known of it."""
    expected = parse_network(network)
    trust, surroundings = load_trust(public, expected), load_surroundings(public, expected)
    with opened_device(device, holder, ask("passphrase")) as opened:
        vault = opened.open_vault(opened.choose(subwallet), None, surroundings)
        told = load_told(opened, vault)
        show(show_payment(vault, parse_payment(payment), told, public, trust), as_json=as_json)


def receipt(
    payment: Annotated[str, typer.Argument(help="The payment's id, as `history` shows it.")],
    device: Store,
    holder: Holder,
    public: Public,
    out: Annotated[Path, typer.Option(help="Where to write it, a .tlog-proof file.")],
    subwallet: Subwallet = None,
    network: Network = None,
    *,
    is_quantum_safe: Annotated[
        bool, typer.Option("--quantum-safe", help="Keep the ML-DSA lines: 3 kB each.")
    ] = False,
) -> None:
    """Prove a payment to a third party: made from the public folder alone, no server is asked."""
    expected = parse_network(network)
    trust, surroundings = load_trust(public, expected), load_surroundings(public, expected)
    with opened_device(device, holder, ask("passphrase")) as opened:
        vault = opened.open_vault(opened.choose(subwallet), None, surroundings)
        wanted = parse_payment(payment)
        text = make_receipt(vault, wanted, public, trust, is_quantum_safe=is_quantum_safe)
    replace_durably(out.parent, out.name, text.encode())
    typer.echo(f"{out}: {len(text):,} bytes")


def find_own_address(
    device: Path, holder: str, surroundings: Surroundings, bank: int | None, subwallet: int | None
) -> OwnSubwallet:
    """Of the sub-wallet in use; at the bank that has opened it, unless another is named."""
    with opened_device(device, holder, ask("passphrase")) as opened:
        place = opened.choose(subwallet)
        return describe_subwallet(opened, place, opened.open_vault(place, bank, surroundings))


@contacts.command("list")
def list_contacts(
    device: Store,
    holder: Holder,
    public: Public,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Everybody in it."""
    prefix = _get_prefix(public, network)
    with opened_device(device, holder, ask("passphrase")) as opened:
        known = opened.open_contacts(prefix).load()
    if as_json:
        rows = [{"name": name, "address": address} for name, address in known.items()]
        typer.echo(write_json(rows))
        return
    show(known, as_json=False)


@contacts.command("add")
def add_contact(
    name: Annotated[str, typer.Argument(help="Who it is.")],
    address: Annotated[str, typer.Argument(help="The address.")],
    device: Store,
    holder: Holder,
    public: Public,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """A name that is there gets the new address."""
    prefix = _get_prefix(public, network)
    with opened_device(device, holder, ask("passphrase")) as opened:
        opened.open_contacts(prefix).add(name, address)
    tell("", {"name": name, "address": address}, as_json=as_json)


@contacts.command("remove")
def remove_contact(
    name: Annotated[str, typer.Argument(help="Who it is.")],
    device: Store,
    holder: Holder,
    public: Public,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Forget a name."""
    prefix = _get_prefix(public, network)
    with opened_device(device, holder, ask("passphrase")) as opened:
        opened.open_contacts(prefix).remove(name)
    tell("", {"name": name, "state": "forgotten"}, as_json=as_json)


def add_device_commands(wallet: typer.Typer) -> None:
    """Beside those by phrase."""
    for command in (create, phrase, balance, subwallets, history, payment, receipt):
        wallet.command(command.__name__)(command)
    wallet.add_typer(contacts, name="contacts")


def _describe_subwallet(one: OwnSubwallet, currency: Currency, current: int) -> Facts:
    about: Facts = {"subwallet": one.number, "bank": one.bank, "client": one.client}
    about |= {"address": one.address, "is in use": one.number == current}
    return about | spell_amount(currency, one.balance, "balance")


def _get_prefix(public: Path, network: str | None) -> str:
    return load_surroundings(public, parse_network(network)).genesis.address_prefix
