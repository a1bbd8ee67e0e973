"""`specie reader …`: who reads a client's account at its bank, with the client's consent (T3)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from specie.assembly.folders import find_passphrase
from specie.assembly.tokens import new_key_file
from specie.cli.arguments import parse_network
from specie.cli.asking import ask, ask_new
from specie.cli.device_commands import Network, Public
from specie.cli.parties import open_channel
from specie.cli.policy_commands import parse_time
from specie.cli.results import AsJson, show, write_json
from specie.cli.trust import load_trust
from specie.crypto.addresses import parse_address
from specie.crypto.secrets import InstitutionKey
from specie.remote.consent_client import Grant, ReaderClient
from specie.remote.consent_models import AccountTransaction
from specie.remote.peers import READER
from specie.store.key_file import KeyFile
from specie.values.amounts import Currency
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest
from specie.values.limits import PAGE_ITEMS_MAX
from specie.values.times import format_time

reader = typer.Typer(help="Read an account with its holder's consent.", no_args_is_help=True)
_KEY: Final = "reader"

KeyPlace = Annotated[Path, typer.Option("--key", help="The reader's file of keys.")]
PassphraseFile = Annotated[
    Path | None, typer.Option(help="File with its passphrase; else it is asked for.")
]
ConsentText = Annotated[str, typer.Option("--consent", help="The consent's id, 64 hex digits.")]
AccountText = Annotated[str, typer.Option("--account", help="The client's address.")]


@reader.command("create-key")
def create_key(key: KeyPlace, passphrase_file: PassphraseFile = None) -> None:
    """Draw the reader's key, sealed in a new file; prints the public key, for clients' consents."""
    passphrase = find_passphrase(passphrase_file) or ask_new()
    drawn = InstitutionKey.generate()
    with new_key_file(key, passphrase) as keys:
        keys.put(_KEY, drawn)
    typer.echo(drawn.public.hex())


@reader.command("payments")
def read_payments(  # noqa: PLR0913, PLR0917  # one parameter for each option
    key: KeyPlace,
    consent: ConsentText,
    account: AccountText,
    public: Public,
    since: Annotated[
        str | None, typer.Option(help="From this time on; else as far back as the consent goes.")
    ] = None,
    start: Annotated[int, typer.Option(min=0, help="Place to begin at, as `next` says.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=PAGE_ITEMS_MAX, help="How many.")] = 100,
    passphrase_file: PassphraseFile = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """A page of the account's payments, oldest first; the bank records that you have read them."""
    time = None if since is None else parse_time(since, "--since")
    with _reaching(key, passphrase_file, public, network, (consent, account)) as (served, currency):
        page = served.read_transactions(time, start, limit)
    rows = [_describe(one, currency) for one in page.transactions]
    if as_json:
        typer.echo(write_json({"payments": rows, "next": page.following}))
        return
    for row in rows:
        what = f"{row['time']}  {row['what']:<8} {row['amount']:>20}  {row['state']:<7}"
        typer.echo(f"{what} {row['transaction']}  {row.get('name', '')}".rstrip())
    if page.following is not None:
        typer.echo(f"more: --start {page.following}")


@reader.command("balance")
def read_balance(
    key: KeyPlace,
    consent: ConsentText,
    account: AccountText,
    public: Public,
    passphrase_file: PassphraseFile = None,
    network: Network = None,
    *,
    as_json: AsJson = False,
) -> None:
    """What is in the deposit account and in the wallet; the bank records that you have asked."""
    with _reaching(key, passphrase_file, public, network, (consent, account)) as (served, currency):
        found = served.read_balances()
    show(
        {
            "deposit": currency.format(found.deposit),
            "deposit minor": found.deposit,
            "wallet": currency.format(found.wallet),
            "wallet minor": found.wallet,
            "time": format_time(found.time),
        },
        as_json=as_json,
    )


@contextmanager
def _reaching(
    key: Path,
    passphrase_file: Path | None,
    public: Path,
    network: str | None,
    granted: tuple[str, str],
) -> Iterator[tuple[ReaderClient, Currency]]:
    """The client's bank, in the reader's name."""
    expected = parse_network(network)
    genesis = load_trust(public, expected).genesis
    consent, account = granted
    grant = Grant(_parse_consent(consent), parse_address(account, genesis.address_prefix))
    opened = KeyFile(key, find_passphrase(passphrase_file) or ask("passphrase"))
    own = opened.get(_KEY, InstitutionKey.unseal)
    name, bank = READER + own.public.hex(), grant.account.bank
    with open_channel(public, expected, name, own, bank) as channel:
        yield ReaderClient(channel, grant), genesis.currency


def _parse_consent(text: str) -> Digest:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise SpecieError(ErrorCode.CONSENT_UNKNOWN, "a consent's id has 64 hex digits")
    return Digest(raw)


def _describe(one: AccountTransaction, currency: Currency) -> dict[str, Any]:
    found = {"order": one.order, "end to end": one.end_to_end}
    return {
        "time": format_time(one.time),
        "what": "received" if one.is_incoming else "paid",
        "amount": currency.format(one.amount),
        "minor": one.amount,
        "state": "settled" if one.is_final else "pending",
        "transaction": one.txid.hex(),
        **{name: value.hex() for name, value in found.items() if value is not None},
        **({"name": one.name} if one.name else {}),
    }
