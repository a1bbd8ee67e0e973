"""What a bank offers about money in and out: to its clients' devices, and to its operators."""

from collections.abc import Sequence

from specie.api.acting import note
from specie.api.gate import Asking, Offer
from specie.assembly.bank_process import BankProcess
from specie.bank.control_books import is_reconciled
from specie.ports.core_bank import Switches
from specie.remote import bank_operations as bank
from specie.remote import client_models as clients
from specie.remote.fields import Empty
from specie.values.identifiers import ClientId


def offer_money(process: BankProcess) -> Sequence[Offer]:
    """Everything."""
    return (*_offer_clients(process), *_offer_operators(process))


def build_standing(process: BankProcess, name: str) -> clients.Standing:
    """A client's account, with what it has switched on."""
    client, desk = process.get_client(ClientId(name)), process.money
    switches = desk.switches.get_switches(client.id)
    return clients.Standing(
        deposit=desk.teller.get_balance(client.id),
        status=client.status.value,
        account=None if desk.teller.is_ours else desk.teller.find_account(client.id),
        holding_limit=desk.holding_limit(client.id),
        payment_limit=desk.payment_limit(client.id),
        waterfall=switches.waterfall or None,
        reverse_waterfall=switches.reverse or None,
    )


def _offer_clients(process: BankProcess) -> Sequence[Offer]:
    desk = process.money

    def wrap(client: ClientId, switches: Switches) -> clients.Waterfall:
        return clients.Waterfall(
            waterfall=switches.waterfall,
            reverse_waterfall=switches.reverse,
            holding_limit=desk.holding_limit(client),
            payment_limit=desk.payment_limit(client),
        )

    def get_waterfall(asking: Asking, _request: Empty) -> clients.Waterfall:
        client = ClientId(asking.name)
        return wrap(client, desk.switches.get_switches(client))

    def switch(asking: Asking, request: clients.Switching) -> clients.Waterfall:
        client = ClientId(asking.name)
        chosen = {"waterfall": request.waterfall, "reverse": request.reverse_waterfall}
        return wrap(client, desk.switch(client, **chosen))

    def link(asking: Asking, request: clients.Linking) -> clients.Linked:
        return clients.Linked(account=desk.link(ClientId(asking.name), request.account))

    return (
        (bank.GET_WATERFALL, get_waterfall),
        (bank.SWITCH_WATERFALL, switch),
        (bank.LINK_OWN_ACCOUNT, link),
    )


def _offer_operators(process: BankProcess) -> Sequence[Offer]:
    desk = process.money

    def link(_: Asking, request: clients.ClientLinking) -> clients.Linked:
        note(process, request, "link-account", request.client, request.account or "")
        return clients.Linked(account=desk.link(request.client, request.account))

    def unlink(_: Asking, request: clients.ClientQuery) -> Empty:
        note(process, request, "unlink-account", request.client)
        desk.unlink(request.client)
        return Empty()

    def reconcile(_: Asking, _request: Empty) -> clients.Facts:
        found = process.reconcile()
        ours, theirs = found.ours, found.theirs
        facts: dict[str, int | str] = {
            "held here": ours.held,
            "held at the core system": theirs.held,
            "settled here": ours.settled,
            "settled at the core system": theirs.settled,
            "credited here": ours.credited,
            "credited at the core system": theirs.credited,
            "credits in transit": found.due,
            "withdrawals in transit": found.unconfirmed,
            "differences are explained": "yes" if is_reconciled(found) else "no",
        }
        return clients.Facts(facts=facts)

    return (
        (bank.LINK_ACCOUNT, link),
        (bank.UNLINK_ACCOUNT, unlink),
        (bank.RECONCILE, reconcile),
    )
