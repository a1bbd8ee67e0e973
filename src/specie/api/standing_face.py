"""Whom a bank serves, for its own operators; each look stands in the access log (T20)."""

from collections.abc import Sequence

from specie.api.acting import name_operator
from specie.api.gate import Asking, Offer
from specie.assembly.bank_process import BankProcess
from specie.bank.service import VAULT_CLIENT
from specie.ports.clients import Client
from specie.remote import people_operations as people
from specie.remote.standing_models import ClientShown, ClientsQuery, ClientsShown
from specie.values.identifiers import ClientId


def offer_standings(process: BankProcess) -> Sequence[Offer]:
    """To operators."""

    def list_clients(_: Asking, request: ClientsQuery) -> ClientsShown:
        subject = f"after {request.after}" if request.after else ""
        who = request.client or ClientId("")
        process.compliance.access.write(name_operator(request), "clients", who, subject)
        if request.client is not None:
            return ClientsShown(clients=[_show(process, process.get_client(request.client))])
        store, after = process.bank.clients, request.after or ClientId("")
        page = store.load_client_page(after, request.limit, but=VAULT_CLIENT)
        return ClientsShown(clients=[_show(process, one) for one in page])

    return ((people.LIST_CLIENTS, list_clients),)


def _show(process: BankProcess, client: Client) -> ClientShown:
    phone = process.directory.phones.find(client.id)
    rule = process.people.signing.find_rule(client.id)
    return ClientShown(
        client=client.id,
        name=client.name,
        standing=client.status.value,
        tier=process.compliance.get_tier(client.id).name,
        phone="" if phone is None else phone.phone,
        account=process.bank.teller.find_linked(client.id) or "",
        signatories="" if rule is None else f"{rule.need} of {len(rule.seats)}",
        frozen_until=process.compliance.find_frozen(client.id),
    )
