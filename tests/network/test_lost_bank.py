"""A bank is lost with all that it knew: its clients' money goes to the successor (T2, T19, X7).

Nobody wrote anything down before. Whoever has the view keys alone, as the bank's operators had,
gets nothing.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from specie.assembly.bank_process import CODE_SALT, compute_opening_aad
from specie.bank.succession import claim_token
from specie.cli.parties import open_channel
from specie.crypto.secrets import InstitutionKey, KeyTree, derive_sealing_key
from specie.ports.clients import Client
from specie.remote import bank_operations as banks
from specie.remote import client_models as clients
from specie.remote.channel import Channel
from specie.store.client_store import SqliteClientStore
from specie.store.database import Database
from specie.tokens.holdings import HolderKeys, Token
from specie.values.identifiers import (
    ClientId,
    InstitutionPublicKey,
    OutputRef,
    ParticipantNumber,
    Signature,
)
from tests.network.pilot import PASSPHRASE, Pilot, catch, name, running_pilot

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


def read_lost(pilot: Pilot, client: str) -> tuple[Client, Token]:
    """What the lost bank's disk and keys know of a client."""
    database = Database(pilot.data / f"bank-{LOST}" / "bank.db")
    storage = pilot.open_keys(f"bank-{LOST}").get_sealing_key("storage")
    store = SqliteClientStore(database, storage)
    found = store.find_client(ClientId(client))
    assert found is not None
    refs: list[OutputRef] = [one.ref for one in store.load_outputs(found.id)]
    token = store.find_tokens(refs)[refs[0]].token
    database.close()
    return found, token


def open_as_thief(pilot: Pilot, channel: Channel, code: str, victim: Client) -> clients.Opening:
    """An opening of the victim's address, for the thief's own device."""
    key = derive_sealing_key(bytes.fromhex(code).hex(), CODE_SALT)
    aad = compute_opening_aad(channel.peers.network, name(f"bank-{SUCCESSOR}"))
    device = InstitutionKey.generate()
    return clients.Opening(
        code=bytes.fromhex(code),
        view=victim.address.view,
        spend=victim.address.spend,
        sealed_view=victim.view_key.seal(key, aad),
        device=InstitutionPublicKey(device.public),
        bank=ParticipantNumber(LOST),
    )


def test_a_view_key_takes_no_address(bereft: Pilot) -> None:
    """The lost bank's operator, with all its disk: identified at the successor as somebody."""
    victim, token = read_lost(bereft, "dora")
    code = bereft.bank(SUCCESSOR, "invite", "thief", "Some Body")
    with open_channel(bereft.public, None, "device", InstitutionKey.generate()) as channel:
        opening = open_as_thief(bereft, channel, code, victim)
        error = catch(lambda: channel.call(name("bank-2"), banks.OPEN_WALLET, opening))
        assert error.code == "not_served_here"
        tree = KeyTree.generate()
        own = HolderKeys(victim.view_key, tree.spend_key(0), tree.wallet_secret(0), victim.address)
        network, successor = channel.peers.network, ParticipantNumber(SUCCESSOR)
        error = catch(lambda: claim_token(token, own, network, successor, opening.device))
        assert error.code == "opening_mismatch", "the owner's key comes of the spend key"
        proof = Signature(InstitutionKey.generate().sign(bytes(32)))
        claim = clients.Claim(token=token.output.data + token.opening.pack(), proof=proof)
        opening = opening.model_copy(update={"claim": claim})
        error = catch(lambda: channel.call(name("bank-2"), banks.OPEN_WALLET, opening))
        assert error.code == "signature_invalid"


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
    assert '"deposit minor": 200' in bereft.wallet("dora", "account", "--json")


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


def test_without_a_token_there_is_nothing_to_take(bereft: Pilot) -> None:
    """The message says what to do."""
    bereft.wallet("fritz", "create")
    code = bereft.bank(SUCCESSOR, "invite", "fritz", "Fritz Example")
    told = bereft.wallet("fritz", "open", code, "--bank", str(LOST), code=1)
    assert "token_unavailable" in told
    assert "restore --into" in told
