"""What parties' own keys open of what they have, and values that stand there alone."""

import json
from collections.abc import Iterator

from specie.assembly.folders import KEYS
from specie.cli.devices import load_surroundings, opened_device
from specie.crypto.secrets import SealingKey
from specie.ports.clients import Client
from specie.store.access_store import SqliteAccessStore
from specie.store.application_store import SqliteApplicationStore
from specie.store.case_store import SqliteCaseStore
from specie.store.client_store import SqliteClientStore
from specie.store.consent_store import SqliteConsentStore
from specie.store.core_link_store import SqliteCoreLinks
from specie.store.database import Database
from specie.store.event_store import SqliteEventStore
from specie.store.key_file import KeyFile
from specie.store.loss_store import SqliteLossStore
from specie.store.policy_store import SqlitePolicyStore
from specie.store.request_store import SqliteRequestStore
from specie.store.return_store import SqliteReturnStore
from specie.store.signatory_store import SqliteSignatoryStore
from specie.store.travel_store import SqliteTravelStore
from specie.values.identifiers import OrderId
from specie.wallet.keys import get_subholder
from tests.network.evidence import Evidence, Kind, Record
from tests.network.pilot import PASSPHRASE
from tests.network.privacy_page import DEVICES
from tests.network.privacy_story import Story, add_address

BANKS = (2, 3, 4)
SUBWALLETS = {"ow": (0, 1)}  # of others the first


def add_opened(story: Story, evidence: Evidence) -> None:
    """Of all; and when banks attested, and what was asked back, which are canaries as well."""
    for number in BANKS:
        _add_bank(story, evidence, number)
    _add_desk(story, evidence)
    for holder, party in DEVICES.items():
        _add_device(story, evidence, holder, party)


def _add(evidence: Evidence, party: str, found: list[bytes]) -> None:
    evidence.records += [Record(party, Kind.OPENED, "its keys", one) for one in found]


def _add_bank(story: Story, evidence: Evidence, number: int) -> None:
    """What it knows of each of its clients, and when it attested for it."""
    party, txid = f"bank-{number}", story.cage.spellings["transaction"]["raw"]
    folder = story.pilot.data / party
    keys = KeyFile(folder / KEYS, story.pilot.get_passphrase(party))
    storage = keys.get_sealing_key("storage")
    store = SqliteClientStore(folder / "bank.db", storage)
    database = Database(folder / "bank.db")
    people = store.load_clients()
    for client in people:
        refs = [one.ref for one in store.load_outputs(client.id)]
        tokens = [one.token.opening.pack() for one in store.find_tokens(refs).values()]
        moved = store.load_movements(client.id)
        amounts = [f"{one.txid.hex()} {one.amount}".encode() for one in moved]
        key = f"view key of {client.view_key.public.hex()}"
        _add(evidence, party, [client.name.encode(), *tokens, *amounts, key.encode()])
        for one in moved:
            if one.txid == txid:
                story.cage.add_time(f"time at {party}", one.time)
        _add_returns(story, SqliteReturnStore(database, storage), client)
        _add(evidence, party, list(_list_said(database, storage, client)))
    store.close()
    _add(evidence, party, list(_list_kept(database, storage)))
    database.close()


def _add_returns(story: Story, store: SqliteReturnStore, client: Client) -> None:
    """The id of each request at the bank, and what it carries."""
    for one in store.load(client.id, 100):
        story.cage.add_bytes("id of a request", one.id)
        story.cage.add_bytes("proof of a request", one.signed.request.proof)
        add_address(story.cage, "address of a request", one.signed.request.creditor)


def _list_said(database: Database, key: SealingKey, client: Client) -> Iterator[bytes]:
    """By and of this client; each as one text."""
    for kept in SqliteReturnStore(database, key).load(client.id, 100):
        answer = "" if kept.answer is None else kept.answer.text
        yield f"{kept.signed.request.reason}: {answer}".encode()
    identity = SqliteTravelStore(database, key).find_identity(client.id)
    if identity is not None:
        yield json.dumps([identity.primary, identity.secondary, identity.national_id]).encode()
    rule = SqliteSignatoryStore(database, key).find_rule(client.id)
    yield from (seat.name.encode() for seat in rule.seats) if rule else ()
    consents = SqliteConsentStore(database, key)
    yield from (one.consent.reader_name.encode() for one in consents.load(client.id))
    yield from (one.what.encode() for one in consents.load_readings(client.id, 0, 100))
    frozen = SqlitePolicyStore(database, key).find_freeze(client.id)
    yield b"" if frozen is None else frozen.reference.encode()
    yield (SqliteLossStore(database, key).find_share(client.id) or "").encode()
    yield (SqliteCoreLinks(database, key).find_account(client.id) or "").encode()
    yield from (
        one.data.encode() for one in SqliteEventStore(database, key).load(client.id, 0, 100)
    )


def _list_kept(database: Database, key: SealingKey) -> Iterator[bytes]:
    """Of all of them: who looked and why, cases, who pays whom, where events go."""
    for entry in SqliteAccessStore(database, key).load(1, 100):
        yield f"{entry.officer}: {entry.reason}".encode()
    for case in SqliteCaseStore(database, key).load(is_open=False, before=0, limit=100):
        yield case.text.encode()
    for record in SqliteTravelStore(database, key).load(None, None, 100):
        yield record.data.encode()
    yield from (one.url.encode() for one in SqliteEventStore(database, key).load_webhooks())


def _add_desk(story: Story, evidence: Evidence) -> None:
    folder, pilot = story.pilot.data / "central-bank", story.pilot
    keys = KeyFile(folder / KEYS, pilot.get_passphrase(folder.name))
    store = SqliteApplicationStore(folder / "central.db", keys.get_sealing_key("storage"))
    built = store.find_produced(OrderId(story.issue))
    assert built is not None
    _add(evidence, "central-bank", [one.pack() for one in built.disclosure.openings])
    store.close()


def _add_device(story: Story, evidence: Evidence, holder: str, party: str) -> None:
    """Of each sub-wallet: what was paid, tokens (also what is spent), keys."""
    surroundings = load_surroundings(story.pilot.public, None)
    path = story.pilot.devices / f"{holder}.db"
    with opened_device(path, holder, PASSPHRASE) as device:
        database, key = device.database, device.opened.vault_key
        found = [device.show_phrase()]
        tokens = []
        for place in SUBWALLETS.get(holder, (0,)):
            vault = device.open_vault(place, None, surroundings)
            history = vault.load_history()
            found += [str(one.amount) for one in history.paid]
            found += [str(one.amount) for one in history.received]
            found.append(f"view key of {vault.keys.view.public.hex()}")
            found.append(f"spend key of {vault.keys.spend.public.hex()}")
            held = database.open_holder(get_subholder(holder, place), key).load_tokens()
            tokens += [one.token.opening.pack() for one in held]
        found += SqliteRequestStore(database.place, holder, key).load_made()
    _add(evidence, party, [*tokens, *(one.encode() for one in found)])
