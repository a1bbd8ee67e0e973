"""`specie wallet switch` and `link`; what `pay` and `collect` do by themselves; the own limits.

A bank of an older version has no switches: then they are off.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Protocol

import typer

from specie.cli.device_commands import Holder, Network, Public, Store, Subwallet
from specie.cli.parties import draw_order
from specie.cli.results import AsJson, Facts, remark, show, spell_amount, tell
from specie.flows.moving import Limits
from specie.flows.waterfall import pour_excess, top_up
from specie.ledger.transactions import Promise
from specie.ports.top_ups import TopUps
from specie.remote import client_models as clients
from specie.remote.channel import Channel
from specie.remote.serving_bank import ServingBankClient
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Currency, Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import CoreAccount, OrderId
from specie.wallet.vault import Vault


class OnlineWallet(Protocol):
    """A device's wallet with its bank at hand."""

    vault: Vault
    bank: ServingBankClient
    channel: Channel
    top_ups: TopUps

    def collect(self) -> int:
        """What has arrived."""
        ...

    def pay(self, request: PaymentOrder, payment_id: bytes) -> Promise:
        """Recorded on the device before it leaves."""
        ...


class Opening(Protocol):
    """`opened_online`."""

    def __call__(
        self,
        device: Path,
        holder: str,
        public: Path,
        network: str | None,
        passphrase: str | None = None,
        subwallet: int | None = None,
    ) -> AbstractContextManager[OnlineWallet]:
        """The sub-wallet in use, or another one."""
        ...


class Switch(StrEnum):
    """As it is typed."""

    ON = "on"
    OFF = "off"


SwitchOption = Annotated[Switch | None, typer.Option(help="on or off; left out, it stays as it is")]


@dataclass(frozen=True, slots=True, repr=False)
class Pouring:
    """`PouringDevice`."""

    online: OnlineWallet

    def get_balance(self) -> Minor:
        return self.online.vault.get_balance()

    def collect(self) -> int:
        return self.online.collect()

    def draw_order(self) -> OrderId:
        return draw_order()

    def withdraw(self, order: OrderId, amount: Minor) -> None:
        self.online.bank.withdraw(order, amount)

    def deposit(self, order: OrderId, amount: Minor) -> None:
        address = self.online.bank.expect_deposit(order, amount)
        self.online.pay(PaymentOrder(address, amount, Memo(order_id=order)), order)


@dataclass(frozen=True, slots=True, repr=False)
class MovingWallet(Pouring):
    """`MovingDevice`."""

    @property
    def vault(self) -> Vault:
        return self.online.vault

    @property
    def top_ups(self) -> TopUps:
        return self.online.top_ups

    @property
    def bank(self) -> ServingBankClient:
        return self.online.bank

    def get_deposit(self) -> Minor:
        return self.online.bank.get_standing()[0]

    def get_limits(self) -> Limits:
        found = _find_waterfall(self.online)
        if found is None:
            return Limits()
        return Limits(found.holding_limit, found.payment_limit)


def deposit_excess(online: OnlineWallet, *, as_json: bool = False) -> Minor:
    """What is over the holding limit, if the client has switched the waterfall on; how much."""
    found = _find_waterfall(online)
    if found is None or not found.waterfall:
        return Minor(0)
    try:
        poured = pour_excess(Pouring(online), found.holding_limit)
    except SpecieError as error:  # the next time: what was asked for has been done
        remark(f"not into the deposit yet: {error.code.value}", as_json=as_json)
        return Minor(0)
    if poured:
        remark(f"into the deposit: {_get_currency(online).format(poured)}", as_json=as_json)
    return poured


def withdraw_missing(
    online: OnlineWallet, payment: bytes, amount: Minor, *, as_json: bool = False
) -> Minor:
    """For a payment that is not recorded yet, if the client has switched reverse waterfall on.

    What was begun for it is brought to its end even if it was switched off since. Gives how much.
    """
    if online.vault.find_payment(payment) is not None:
        return Minor(0)
    is_short = online.vault.get_balance() < amount
    if online.top_ups.find(payment) is None:
        found = _find_waterfall(online) if is_short else None
        if found is None or not found.reverse_waterfall:
            return Minor(0)
    withdrawn = top_up(Pouring(online), online.top_ups, payment, amount)
    if withdrawn:
        remark(f"out of the deposit: {_get_currency(online).format(withdrawn)}", as_json=as_json)
    return withdrawn


@contextmanager
def naming_limit(online: OnlineWallet) -> Iterator[None]:
    """Around a payment: if it is more than the client may pay at once, says how much that is."""
    try:
        yield
    except SpecieError as error:
        is_limit = error.code is ErrorCode.PAYMENT_LIMIT_EXCEEDED
        found = _find_waterfall(online) if is_limit else None
        if found is None or found.payment_limit is None:
            raise
        most = _get_currency(online).format(found.payment_limit)
        raise SpecieError(error.code, f"{error.message}: at most {most} at once") from None


def describe_switches(standing: clients.Standing, currency: Currency, *, as_json: bool) -> Facts:
    """What there is none of is left out."""
    facts = _describe(standing, as_json=as_json)
    limits = {"holding limit": standing.holding_limit, "payment limit": standing.payment_limit}
    for name, limit in limits.items():
        if limit is not None:
            facts |= spell_amount(currency, limit, name)
    if standing.account is not None:
        facts["account"] = standing.account
    return facts


def add_money_commands(wallet: typer.Typer, opened: Opening) -> None:
    """`switch` and `link`."""

    def switch(
        device: Store,
        holder: Holder,
        public: Public,
        waterfall: SwitchOption = None,
        reverse: SwitchOption = None,
        subwallet: Subwallet = None,
        network: Network = None,
        *,
        as_json: AsJson = False,
    ) -> None:
        """Have money flow between device and deposit by itself; prints what is on now."""
        request = clients.Switching(
            waterfall=_read(waterfall),
            reverse_waterfall=_read(reverse),
        )
        with opened(device, holder, public, network, subwallet=subwallet) as online:
            found = online.bank.switch_waterfall(request)
            show(_describe(found, as_json=as_json), as_json=as_json)

    def link(
        device: Store,
        holder: Holder,
        public: Public,
        account: Annotated[
            str | None, typer.Option(help="At the bank's core system; else the one it knows.")
        ] = None,
        subwallet: Subwallet = None,
        network: Network = None,
        *,
        as_json: AsJson = False,
    ) -> None:
        """Link the wallet to an account at the bank, which says that it is the holder's."""
        chosen = None if account is None else CoreAccount(account)
        with opened(device, holder, public, network, subwallet=subwallet) as online:
            linked = online.bank.link_account(chosen)
            tell(linked, {"account": linked}, as_json=as_json)

    wallet.command("switch")(switch)
    wallet.command("link")(link)


def _find_waterfall(online: OnlineWallet) -> clients.Waterfall | None:
    try:
        return online.bank.get_waterfall()
    except SpecieError as error:
        if error.code in (ErrorCode.VERSION_UNKNOWN, ErrorCode.UNREACHABLE):
            return None
        raise


def _get_currency(online: OnlineWallet) -> Currency:
    return online.channel.peers.roster.genesis.currency


def _read(switch: Switch | None) -> bool | None:
    return None if switch is None else switch is Switch.ON


def _describe(told: clients.Standing | clients.Waterfall, *, as_json: bool) -> Facts:
    """On or off; true or false for programs."""
    found = {"waterfall": bool(told.waterfall), "reverse waterfall": bool(told.reverse_waterfall)}
    if as_json:
        return dict(found)
    return {name: (Switch.ON if is_on else Switch.OFF).value for name, is_on in found.items()}
