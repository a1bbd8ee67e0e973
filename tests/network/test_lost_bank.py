"""A bank is lost with all that it knew: its clients' money goes to the successor (T2, T19, X7).

Nobody wrote anything down before. Whoever has the view keys alone, as the bank's operators had,
gets nothing.
"""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from specie.bank.openings import (
    OpeningRequest,
    compute_transit_aad,
    derive_transit_key,
    sign_opening,
)
from specie.cli.parties import open_channel
from specie.crypto.addresses import Address
from specie.crypto.secrets import InstitutionKey, KeyTree, ViewKey
from specie.identity.codes import hash_code
from specie.ports.clients import Client
from specie.remote import bank_operations as banks
from specie.remote import client_models as clients
from specie.remote.channel import Channel
from specie.store.client_store import SqliteClientStore
from specie.store.database import Database
from specie.tokens.holdings import derive_keys
from specie.values.identifiers import (
    ClientId,
    InstitutionPublicKey,
    ParticipantNumber,
    PublicKey,
)
from tests.network.pilot import PASSPHRASE, Pilot, catch, draw, name, running_pilot

LOST, SUCCESSOR = 3, 2


@pytest.fixture(scope="module")
def bereft() -> Iterator[Pilot]:
    """Two people with money at bank 3, which is then killed and suspended."""
    with tempfile.TemporaryDirectory(prefix="sp") as folder, running_pilot(Path(folder)) as pilot:
        pilot.fund(LOST, "500.00")
        pilot.give("dora", LOST, "30.00")
        pilot.give("eric", LOST, "40.00")
        pilot.open_wallet("gina", SUCCESSOR)
        pilot.kill(f"bank-{LOST}")
        change = ("--set", f"participant={LOST}", "--set", f"successor={SUCCESSOR}")
        pilot.officer("decide", "suspend", *change)
        yield pilot


def read_lost(pilot: Pilot, client: str) -> Client:
    """What the lost bank's disk and keys know of a client."""
    database = Database(pilot.data / f"bank-{LOST}" / "bank.db")
    storage = pilot.open_keys(f"bank-{LOST}").get_sealing_key("storage")
    found = SqliteClientStore(database, storage).find_client(ClientId(client))
    database.close()
    assert found is not None
    return found


def open_as_thief(
    pilot: Pilot, channel: Channel, victim: Client, view: ViewKey, bank: int
) -> clients.Opening:
    """An opening of the victim's spend key at this bank, for the thief's own device and name."""
    code = bytes.fromhex(pilot.bank(SUCCESSOR, "invite", draw().hex()[:12], "Some Body"))
    key, network = derive_transit_key(code), channel.peers.network
    aad = compute_transit_aad(network, name(f"bank-{SUCCESSOR}"))
    device, tree = InstitutionKey.generate(), KeyTree.generate()
    address = Address(ParticipantNumber(bank), PublicKey(view.public), victim.address.spend)
    named = InstitutionPublicKey(device.public)
    request = OpeningRequest(network, ParticipantNumber(SUCCESSOR), hash_code(code), address, named)
    proofs = sign_opening(request, tree.spend_key(0), device)
    return clients.Opening(
        code=code,
        view=address.view,
        spend=address.spend,
        sealed_view=view.seal(key, aad),
        device=named,
        spend_proof=proofs.spend,
        device_proof=proofs.device,
        bank=ParticipantNumber(bank) if bank != SUCCESSOR else None,
    )


def test_a_view_key_takes_no_address(bereft: Pilot) -> None:
    """The lost bank's operator, with all its disk: identified at the successor as somebody.

    At the lost bank's number, or at the successor's own, with the victim's view key or another.
    """
    victim = read_lost(bereft, "dora")
    views = victim.view_key, KeyTree.generate().view_key(0)
    with open_channel(bereft.public, None, "device", InstitutionKey.generate()) as channel:
        for bank in (LOST, SUCCESSOR):
            for view in views:
                opening = open_as_thief(bereft, channel, victim, view, bank)
                error = catch(partial(channel.call, name("bank-2"), banks.OPEN_WALLET, opening))
                assert error.code == "signature_invalid"


def test_its_vault_is_no_clients(bereft: Pilot) -> None:
    """What backs the deposits stays where it is, also for who has the vault's keys."""
    keys = bereft.open_keys(f"bank-{LOST}")
    holder = derive_keys(keys.get("tree", KeyTree.unseal), 0, ParticipantNumber(LOST))
    code = bytes.fromhex(bereft.bank(SUCCESSOR, "invite", "somebody", "Some Body"))
    device = InstitutionKey.generate()
    with open_channel(bereft.public, None, "device", InstitutionKey.generate()) as channel:
        network, named = channel.peers.network, InstitutionPublicKey(device.public)
        number = ParticipantNumber(SUCCESSOR)
        request = OpeningRequest(network, number, hash_code(code), holder.address, named)
        proofs = sign_opening(request, holder.spend, device)
        aad = compute_transit_aad(network, name(f"bank-{SUCCESSOR}"))
        opening = clients.Opening(
            code=code,
            view=holder.address.view,
            spend=holder.address.spend,
            sealed_view=holder.view.seal(derive_transit_key(code), aad),
            device=named,
            spend_proof=proofs.spend,
            device_proof=proofs.device,
            bank=ParticipantNumber(LOST),
        )
        error = catch(lambda: channel.call(name("bank-2"), banks.OPEN_WALLET, opening))
    assert error.code == "not_served_here"
    assert "vault" in error.message


def test_a_device_takes_its_tokens_along(bereft: Pilot) -> None:
    """Identified anew, the same phrase, the same address, served by another bank."""
    code = bereft.bank(SUCCESSOR, "invite", "dora", "Dora Example")
    opened = bereft.wallet("dora", "open", code, "--bank", str(LOST))
    assert opened.endswith("1 of 1 tokens are served by bank 2")
    assert bereft.wallet("dora", "open", code, "--bank", str(LOST)) == opened, "again is the same"
    gina = bereft.run(
        *("wallet", "subwallets", "--device", str(bereft.devices / "gina.db"), "--holder", "gina"),
        *("--public", str(bereft.public), "--bank", str(SUCCESSOR), "--count", "1"),
        stdin=f"{PASSPHRASE}\n",
    ).split()[-1]
    assert "balance: 25.00 DCU" in bereft.wallet("dora", "pay", gina, "5.00")
    assert "balance: 5.00 DCU" in bereft.wallet("gina", "collect")
    bereft.wallet("gina", "pay", opened.splitlines()[0], "1.00")
    assert "balance: 26.00 DCU" in bereft.wallet("dora", "collect")
    assert "balance: 24.00 DCU" in bereft.wallet("dora", "deposit", "2.00")
    assert '"deposit_minor": 200' in bereft.wallet("dora", "account", "--json")


def test_a_phrase_takes_them_along_from_the_log(bereft: Pilot) -> None:
    """Bank and device both are lost; the 24 words and the public log are left."""
    device = ("--device", str(bereft.devices / "eric.db"), "--holder", "eric")
    words = bereft.run("wallet", "phrase", *device, stdin=f"{PASSPHRASE}\n")
    url, root = bereft.get_url("registration"), str(bereft.public / "root.pem")
    mirror = str(bereft.devices / "mirror")
    bereft.insist("audit", url, "--root", root, "--keep", mirror)
    fresh = ("--into", str(bereft.devices / "eric2.db"), "--holder", "eric")
    told = bereft.run(
        *("wallet", "restore", "--public", mirror, "--bank", str(LOST), *fresh),
        stdin=f"{words}\n{PASSPHRASE}\n",
    )
    assert "40.00 DCU" in told
    (bereft.devices / "eric2.db").rename(bereft.devices / "eric.db")
    code = bereft.bank(SUCCESSOR, "invite", "eric", "Eric Example")
    told = bereft.wallet("eric", "open", code, "--bank", str(LOST))
    assert told.endswith("1 of 1 tokens are served by bank 2")


def test_who_has_nothing_opens_a_wallet_all_the_same(bereft: Pilot) -> None:
    """The address of the lost bank is the person's own, with or without money."""
    bereft.wallet("fritz", "create")
    code = bereft.bank(SUCCESSOR, "invite", "fritz", "Fritz Example")
    assert bereft.wallet("fritz", "open", code, "--bank", str(LOST)).startswith("spc1")
