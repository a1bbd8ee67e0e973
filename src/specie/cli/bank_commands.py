"""`specie bank …` and `specie central-bank …`: an operator asks the institution's own process."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from specie.assembly.lists import load_peers
from specie.cli import case_commands, policy_commands, travel_commands
from specie.cli.acting import Folder, Officer, Why
from specie.cli.asking import ask, ask_new
from specie.cli.lazy import LazyBank
from specie.cli.money_commands import add_money_commands
from specie.cli.naming import naming_order
from specie.cli.parties import parse_amount, parse_order
from specie.cli.people_bank_commands import add_people_commands
from specie.cli.policy_commands import Whom
from specie.cli.results import AsJson, Facts, show, spell_amount, tell
from specie.cli.webhook_commands import webhooks
from specie.remote import bank_operations as operations
from specie.remote import client_models as clients
from specie.remote import compliance_models as compliance
from specie.remote import desk_operations as desk
from specie.remote import directory_models, directory_operations
from specie.remote.acting import NO_REASON, NOBODY
from specie.remote.control import CONTROL, call_control
from specie.remote.encoding import JSON, decode, encode
from specie.remote.fields import Empty
from specie.store.durable_files import read_regular, replace_durably
from specie.values.amounts import Currency, Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, OrderId, ParticipantNumber
from specie.values.limits import LOG_FILE_BYTES_MAX
from specie.values.phones import parse_phone

bank = typer.Typer(
    help="For operators of a bank, on its machine.", no_args_is_help=True, cls=LazyBank
)
add_money_commands(bank)
add_people_commands(bank)
central_bank = typer.Typer(help="For operators of the central bank.", no_args_is_help=True)
bank.add_typer(webhooks, name="webhooks")

AmountText = Annotated[str, typer.Argument(help="As people write it: 1,000.00")]
Order = Annotated[str | None, typer.Option(help="Order id, 32 hex digits; else a new one.")]


@dataclass(frozen=True, slots=True)
class Ordered:
    """An amount under an order's id, in this bank's currency."""

    id: OrderId
    amount: Minor
    currency: Currency

    def describe(self) -> Facts:
        """As a result."""
        return {"order": self.id.hex(), **spell_amount(self.currency, self.amount)}


@bank.command("invite")
def invite(
    client: Annotated[str, typer.Argument(help="The bank's own id for the person.")],
    name: Annotated[str, typer.Argument(help="The person's name.")],
    at: Folder,
    officer: Officer = NOBODY,
    reason: Why = NO_REASON,
    *,
    as_json: AsJson = False,
) -> None:
    """A code with which the person's device opens a wallet, once."""
    request = clients.Invitation(client=ClientId(client), name=name, officer=officer, reason=reason)
    code = call_control(at / CONTROL, operations.INVITE, request).code.hex()
    tell(code, {"client": client, "code": code}, as_json=as_json)


@bank.command("lend")
def lend(
    client: Annotated[str, typer.Argument(help="Who borrows.")],
    amount: AmountText,
    at: Folder,
    order: Order = None,
    *,
    as_json: AsJson = False,
) -> None:
    """A loan: it makes the client's deposit."""
    ordered = _read_order(order, amount, at)
    request = clients.ClientOrder(order=ordered.id, client=ClientId(client), amount=ordered.amount)
    with naming_order(ordered.id):
        call_control(at / CONTROL, operations.LEND_CLIENT, request)
    tell(ordered.id.hex(), {"client": client, **ordered.describe()}, as_json=as_json)


@bank.command("issue")
def issue(amount: AmountText, at: Folder, order: Order = None, *, as_json: AsJson = False) -> None:
    """Apply for new money in the vault, against reserves; prints the order for the officers."""
    ordered = _read_order(order, amount, at)
    request = clients.Amount(order=ordered.id, amount=ordered.amount)
    with naming_order(ordered.id):
        call_control(at / CONTROL, operations.APPLY_ISSUE, request)
    tell(ordered.id.hex(), ordered.describe(), as_json=as_json)


@bank.command("redeem")
def redeem(amount: AmountText, at: Folder, order: Order = None, *, as_json: AsJson = False) -> None:
    """Give money of the vault back for reserves; prints the order for the officers."""
    ordered = _read_order(order, amount, at)
    request = clients.Amount(order=ordered.id, amount=ordered.amount)
    with naming_order(ordered.id):
        call_control(at / CONTROL, operations.REDEEM, request)
    tell(ordered.id.hex(), ordered.describe(), as_json=as_json)


@bank.command("transfer")
def transfer(
    receiver: Annotated[int, typer.Argument(help="Number of the other bank.")],
    amount: AmountText,
    at: Folder,
    order: Order = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Vault money to another bank's vault; final when it returns."""
    ordered = _read_order(order, amount, at)
    request = clients.TransferOrder(
        order=ordered.id, receiver=ParticipantNumber(receiver), amount=ordered.amount
    )
    with naming_order(ordered.id):
        txid = call_control(at / CONTROL, operations.TRANSFER, request).txid.hex()
    facts = {"transaction": txid, "to bank": receiver, **ordered.describe()}
    tell(txid, facts, as_json=as_json)


@bank.command("block")
def block(
    client: Whom, at: Folder, person: Officer, reason: Why, *, as_json: AsJson = False
) -> None:
    """Stop attesting for a client; its money stays where it is."""
    request = compliance.ClientAct(officer=person, reason=reason, client=ClientId(client))
    call_control(at / CONTROL, operations.BLOCK, request)
    tell("", {"client": client, "state": "blocked"}, as_json=as_json)


@bank.command("unblock")
def unblock(
    client: Whom, at: Folder, person: Officer, reason: Why, *, as_json: AsJson = False
) -> None:
    """Attest again."""
    request = compliance.ClientAct(officer=person, reason=reason, client=ClientId(client))
    call_control(at / CONTROL, operations.UNBLOCK, request)
    tell("", {"client": client, "state": "unblocked"}, as_json=as_json)


@bank.command("phone")
def set_phone(
    client: Annotated[str, typer.Argument(help="Whose.")],
    number: Annotated[str | None, typer.Argument(help="With its country: +77015550102")] = None,
    *,
    at: Folder,
    officer: Officer = NOBODY,
    reason: Why = NO_REASON,
    is_none: Annotated[
        bool, typer.Option("--none", help="It is the client's no more; its entry is closed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """A number that the bank has seen to be the client's, so that it can be paid by it."""
    if (number is None) != is_none:
        raise SpecieError(ErrorCode.SETTING_INVALID, "a number, or --none")
    known = None if number is None else parse_phone(number)
    request = directory_models.ClientPhone(
        client=ClientId(client), phone=known, officer=officer, reason=reason
    )
    call_control(at / CONTROL, directory_operations.SET_CLIENT_PHONE, request)
    tell("", {"client": client, "phone": known}, as_json=as_json)


@bank.command("show")
def show_bank(at: Folder, *, as_json: AsJson = False) -> None:
    """What the bank's own books say."""
    currency = load_peers(at, None).roster.genesis.currency
    facts = call_control(at / CONTROL, operations.GET_FACTS, Empty()).facts
    amounts = {
        name: value if as_json or name == "open flows" else currency.format(int(value))
        for name, value in facts.items()
    }
    show(dict(amounts), as_json=as_json)


policy_commands.add_commands(bank)
case_commands.add_commands(bank)
travel_commands.add_commands(bank)


@bank.command("export-clients")
def export_clients(
    file: Annotated[Path, typer.Argument(help="Where to write it.")],
    at: Folder,
    officer: Officer = NOBODY,
    reason: Why = NO_REASON,
) -> None:
    """Everything that a successor needs to serve our clients, sealed under a passphrase."""
    request = clients.Passphrase(passphrase=ask_new(), officer=officer, reason=reason)
    found = call_control(at / CONTROL, operations.EXPORT_CLIENTS, request)
    replace_durably(file.parent, file.name, encode(found, JSON))
    typer.echo(f"{file}: {len(found.clients)} clients")


@bank.command("import-clients")
def import_clients(
    file: Annotated[Path, typer.Argument(help="From the bank that leaves.")],
    at: Folder,
    officer: Officer = NOBODY,
    reason: Why = NO_REASON,
    *,
    as_json: AsJson = False,
) -> None:
    """Take over the clients of a bank whose successor we are."""
    try:
        data = read_regular(file, LOG_FILE_BYTES_MAX)
    except OSError as error:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{file}: {error.strerror}") from None
    found = decode(data, JSON, clients.Succession)
    request = clients.SuccessionImport(
        passphrase=ask("passphrase"), succession=found, officer=officer, reason=reason
    )
    count = call_control(at / CONTROL, operations.IMPORT_CLIENTS, request).size
    tell(f"{count} clients are new here", {"clients": count}, as_json=as_json)


@central_bank.command("stock")
def count_stock(at: Folder, *, as_json: AsJson = False) -> None:
    """Count all money against what backs it."""
    currency = load_peers(at, None).roster.genesis.currency
    facts = call_control(at / CONTROL, desk.COUNT_STOCK, Empty()).facts
    shown = {
        name: value if as_json or name == "serial" else currency.format(int(value))
        for name, value in facts.items()
    }
    show(dict(shown), as_json=as_json)


def _read_order(order: str | None, amount: str, at: Path) -> Ordered:
    peers = load_peers(at, None)
    chosen, value = parse_order(order), parse_amount(amount, peers)
    return Ordered(chosen, value, peers.roster.genesis.currency)
