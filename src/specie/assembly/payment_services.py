"""What a bank does around payments of people: names, events, webhooks; one part of its process."""

from dataclasses import dataclass

from specie.assembly.webhooks import WebhookSender
from specie.bank.events import ClientEvents, check_url
from specie.bank.naming import NameSigner
from specie.bank.service import VAULT_CLIENT
from specie.crypto.secrets import SealingKey
from specie.ports.clock import Clock
from specie.ports.events import EventKind, Webhook
from specie.store.database import Database
from specie.store.event_store import SqliteEventStore
from specie.store.paid_store import SqlitePaidStore
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, TransactionId
from specie.wallet.statuses import SILENCES


@dataclass(frozen=True, slots=True, repr=False)
class PaymentServices:
    """Of one bank."""

    names: NameSigner
    events: SqliteEventStore
    paid: SqlitePaidStore
    telling: ClientEvents
    webhooks: WebhookSender
    database: Database

    def register_webhook(self, webhook: Webhook) -> None:
        """In force, and told to the client: whoever it is sent to, its device hears that it is."""
        about = {"host": check_url(webhook.url)[1]}
        with self.database.transaction():
            self.telling.tell_act(webhook.client, EventKind.WEBHOOK_REGISTERED, about)
            self.events.set_webhook(webhook)

    def remove_webhook(self, client: ClientId) -> None:
        """In force no more, and told to the client; `webhook_unknown`."""
        with self.database.transaction():
            self.events.remove_webhook(client)
            self.telling.tell_act(client, EventKind.WEBHOOK_REMOVED, {})

    def hear_refusal(self, client: ClientId, txid: TransactionId, error: SpecieError) -> None:
        """A payment of a client was refused by somebody; a silence is no refusal."""
        if error.code not in SILENCES:
            self.telling.tell_refused(client, txid, error.code)

    def work(self) -> None:
        """What is due goes out; nothing is waited for."""
        self.webhooks.start_due()

    def close(self) -> None:
        """Deliveries under way end first."""
        self.webhooks.close()


def build_payment_services(
    database: Database, storage: SealingKey, names: NameSigner, clock: Clock
) -> PaymentServices:
    """Before the store of clients, which tells of what becomes final."""
    events = SqliteEventStore(database, storage)
    paid = SqlitePaidStore(database, storage)
    telling = ClientEvents(events, clock, VAULT_CLIENT, names.network, paid)
    webhooks = WebhookSender(events, clock)
    return PaymentServices(names, events, paid, telling, webhooks, database)
