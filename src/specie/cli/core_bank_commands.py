"""`specie core-bank …`: the sample core bank, and whoever is at its counter (P13)."""

from pathlib import Path
from typing import Annotated

import typer

from specie.api.core_bank_serving import CoreBankServing
from specie.api.serving import log_to
from specie.assembly.core_bank_process import (
    build_core_bank,
    create_core_bank,
    describe_settings,
    load_core_settings,
)
from specie.cli.naming import naming_order
from specie.cli.network_commands import parse_currency
from specie.cli.parties import parse_order
from specie.cli.results import AsJson, Facts, show, show_rows, spell_amount, tell
from specie.remote import core_bank_models as core
from specie.remote import core_bank_operations as operations
from specie.remote.control import CONTROL, call_control
from specie.values.amounts import Currency, check_positive
from specie.values.identifiers import ClientId, CoreAccount, EndToEndId
from specie.values.limits import PAGE_ITEMS_MAX
from specie.values.times import format_time

core_bank = typer.Typer(help="A sample core bank, for integrators.", no_args_is_help=True)
account = typer.Typer(help="At its counter, while it runs.", no_args_is_help=True)
core_bank.add_typer(account, name="account")

Folder = Annotated[Path, typer.Argument(help="Its folder.")]
At = Annotated[Path, typer.Option("--at", help="Its folder.")]
Number = Annotated[str, typer.Argument(help="Of the account.")]


@core_bank.command("create")
def create(
    folder: Folder,
    bank: Annotated[int, typer.Option(help="In its account numbers, 0 to 9999.")] = 2,
    listen: Annotated[str, typer.Option(help="host:port for the bank.")] = "127.0.0.1:7801",
    operations_at: Annotated[
        str, typer.Option("--operations", help="host:port for /ready, on loopback.")
    ] = "127.0.0.1:7802",
    currency: Annotated[
        str, typer.Option(help="Three capital letters; with :N it has N decimals, not 2.")
    ] = "DCU",
) -> None:
    """A new one: its certificate, and the secret by which the bank is known. Starts nothing.

    Prints what the bank's settings.toml has to say.
    """
    place = folder.absolute()
    create_core_bank(place, bank, listen, operations_at, parse_currency(currency))
    typer.echo(describe_settings(place))


@core_bank.command("serve")
def serve(folder: Folder) -> None:
    """Its process, in the foreground."""
    process = build_core_bank(folder.absolute())
    log_to()
    CoreBankServing(process).run()


@account.command("open")
def open_account(
    customer: Annotated[str, typer.Argument(help="The bank's own id for the customer.")],
    at: At,
    *,
    as_json: AsJson = False,
) -> None:
    """Another account for a customer; prints its number."""
    request = core.Customer(customer=ClientId(customer))
    opened = call_control(at / CONTROL, operations.OPEN_ACCOUNT, request).account
    tell(opened, {"account": opened, "customer": customer}, as_json=as_json)


@account.command("close")
def close_account(number: Number, at: At, *, as_json: AsJson = False) -> None:
    """Nothing is held, paid in or credited any more."""
    request = core.CoreAccountQuery(account=CoreAccount(number))
    call_control(at / CONTROL, operations.CLOSE_ACCOUNT, request)
    tell("", {"account": number, "state": "closed"}, as_json=as_json)


@account.command("pay-in")
def pay_in(
    number: Number,
    amount: Annotated[str, typer.Argument(help="As people write it: 1,000.00")],
    at: At,
    order: Annotated[
        str | None, typer.Option(help="End-to-end id, 32 hex digits; else a new one.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Cash at the counter, or a salary that came in; prints its end-to-end id."""
    chosen = parse_order(order)
    money = load_core_settings(at).money
    value = check_positive(money.parse(amount))
    request = core.CoreMovement(
        end_to_end_id=EndToEndId(chosen), account=CoreAccount(number), amount=value
    )
    with naming_order(chosen):
        call_control(at / CONTROL, operations.PAY_IN, request)
    facts = {"account": number, "end to end": chosen.hex(), **spell_amount(money, value)}
    tell(chosen.hex(), facts, as_json=as_json)


@account.command("show")
def show_account(number: Number, at: At, *, as_json: AsJson = False) -> None:
    """Whose it is, and what is on it."""
    request = core.CoreAccountQuery(account=CoreAccount(number))
    found = call_control(at / CONTROL, operations.GET_ACCOUNT, request)
    money = load_core_settings(at).money
    facts = {
        "account": found.account,
        "customer": found.customer,
        "state": "open" if found.is_open else "closed",
        "booked": money.format(found.booked),
        "booked minor": found.booked,
        "available": money.format(found.available),
        "available minor": found.available,
    }
    show(facts, as_json=as_json)


@account.command("statement")
def show_statement(
    number: Number,
    at: At,
    start: Annotated[int, typer.Option(min=0, help="Entries to pass over.")] = 0,
    *,
    as_json: AsJson = False,
) -> None:
    """Its entries, oldest first, a page of them."""
    request = core.StatementQuery(account=CoreAccount(number), start=start, limit=PAGE_ITEMS_MAX)
    money = load_core_settings(at).money
    found = call_control(at / CONTROL, operations.LIST_ENTRIES, request).entries
    rows = [_describe(one, money) for one in found]
    show_rows(rows, _spell_entry, as_json=as_json)


def _spell_entry(row: Facts) -> str:
    return f"{row['time']}  {row['amount']:>20}  {row['text']}"


def _describe(one: core.StatementEntry, money: Currency) -> Facts:
    amount = one.amount if one.is_credit else -one.amount
    about = {"entry": one.entry.hex(), "time": format_time(one.time), "text": one.text}
    return {**about, **spell_amount(money, amount)}
