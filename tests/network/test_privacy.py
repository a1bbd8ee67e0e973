"""Who sees what: docs/privacy.md, a test for each cell, on real processes (X5).

Two people at banks 2 and 3 pay each other odd amounts under odd names, while bank 4 looks on. Then
every file of every process and everything that was said to it, decrypted, is searched. "No" means
that no spelling is found; "yes" is tested as well: a search that finds nothing proves nothing.
"""

import json
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cbor2
import pytest

from specie.assembly.foundation import KEYS
from specie.crypto.addresses import parse_address
from specie.ledger.wire import decode_attested
from specie.store.client_store import SqliteClientStore
from specie.store.key_file import KeyFile
from specie.values.identifiers import ClientId
from tests.network.canaries import Cage, Found
from tests.network.middleman import Middleman, standing_between
from tests.network.pilot import Pilot

PAYER, PAYEE = "Zaphira Quillon", "Osgood Wimplethorpe"
PAID, SHOWN_PAID = 7_654_321, "76,543.21"
STARTED, SHOWN_STARTED = 33_344_455, "333,444.55"
CHANGE, SHOWN_CHANGE = STARTED - PAID, "256,901.34"
PARTIES = (
    "bank-2",
    "bank-3",
    "bank-4",
    "notary",
    "auditor",
    "accounting",
    "central-bank",
    "registration",
)

# Payer's bank, payee's bank, another bank, notary, auditor, accounting, central bank, public.
# "sealed": knows or computes it, and nothing holds it in the clear.
# "set": in the log, among those of its batch.
MATRIX = {
    #                    bank-2    bank-3    bank-4 notary auditor accounting central registration
    "payer's name": ("sealed", "no", "no", "no", "no", "no", "no", "no"),
    "payee's name": ("no", "sealed", "no", "no", "no", "no", "no", "no"),
    "amount paid": ("yes", "yes", "no", "no", "no", "no", "no", "no"),
    "change": ("yes", "no", "no", "no", "no", "no", "no", "no"),
    "payer's address": ("yes", "no", "no", "no", "no", "no", "no", "no"),
    "payee's address": ("yes", "yes", "no", "no", "no", "no", "no", "no"),
    "payer's own order id": ("no", "no", "no", "no", "no", "no", "no", "no"),
    "inputs": ("yes", "no", "no", "yes", "yes", "no", "no", "set"),
    "transaction": ("yes", "sealed", "no", "yes", "yes", "no", "no", "set"),
    "change output": ("yes", "no", "no", "yes", "yes", "no", "no", "set"),
    "payment's graph": ("yes", "no", "no", "yes", "yes", "no", "no", "no"),
}


@dataclass
class Seen:
    """What was found, by party and field."""

    pilot: Pilot
    middleman: Middleman
    cage: Cage
    order: bytes
    found: dict[tuple[str, str], list[Found]] = field(default_factory=dict)

    def search(self) -> None:
        self.found.clear()
        for party in PARTIES:
            for one in self.cage.search_folder(self.pilot.data / party):
                self._add(party, one)
            log = self.pilot.data / "logs" / f"{party}.jsonl"
            for one in self.cage.search("log", log.read_bytes()):
                self._add(party, one)
        for said in self.middleman.recorded:
            what = f"{said.service} {said.method} {said.path}"
            whole = said.path.encode() + str(said.headers).encode() + said.body + said.answer
            for one in self.cage.search(what, whole):
                for party in {said.service, said.caller} & set(PARTIES):
                    self._add(party, one)

    def _add(self, party: str, one: Found) -> None:
        self.found.setdefault((party, one.field), []).append(one)


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    banks = ("Bank of the North", "Bank of the South", "Bank of the West")
    with (
        tempfile.TemporaryDirectory(prefix="sp") as folder,
        standing_between(Path(folder), banks=banks, traces=True) as (pilot, middleman),
    ):
        yield _let_them_pay(pilot, middleman)


def _let_them_pay(pilot: Pilot, middleman: Middleman) -> Seen:
    pilot.fund(2, "5,000,000.00")
    zaphira = pilot.give("z", 2, SHOWN_STARTED, PAYER)
    osgood = pilot.open_wallet("o", 3, PAYEE)
    order = secrets.token_bytes(16)
    pilot.wallet("z", "pay", osgood, SHOWN_PAID, "--order", order.hex())
    pilot.wallet("o", "collect")
    pilot.run("audit", pilot.get_url("registration"), "--root", str(pilot.public / "root.pem"))
    seen = Seen(pilot, middleman, Cage(), order)
    seen.cage.add_text("payer's name", PAYER)
    seen.cage.add_text("payee's name", PAYEE)
    seen.cage.add_amount("amount paid", PAID, [SHOWN_PAID, "76543.21"])
    seen.cage.add_amount("change", CHANGE, [SHOWN_CHANGE, "256901.34"])
    for name, text in (("payer's address", zaphira), ("payee's address", osgood)):
        address = parse_address(text, "spc")
        seen.cage.add_text(name, text)
        seen.cage.add_bytes(name, address.spend)
        seen.cage.add_bytes(name, address.view)
    seen.cage.add_bytes("payer's own order id", order)
    _add_graph(seen)
    pilot.wait(lambda: _is_published(seen))
    seen.search()
    return seen


def _add_graph(seen: Seen) -> None:
    """What the payment was made of, from what was said to the notary."""
    said = [
        one
        for one in seen.middleman.recorded
        if (one.service, one.path) == ("notary", "/v1/payments")
    ]
    [data] = cbor2.loads(said[-1].body)["transactions"]
    payment = decode_attested(data)
    body = payment.signed.body
    seen.cage.add_bytes("transaction", body.txid)
    for ref in body.inputs:
        seen.cage.add_bytes("inputs", ref)
    known = [one for one in seen.middleman.recorded if one.service == "bank-3"]
    shown = b"".join(one.body for one in known)
    for output in body.outputs:
        if output.data not in shown:
            seen.cage.add_bytes("change output", output.ref)
            seen.cage.add_bytes("change output", output.data[:64])
    seen.cage.add_bytes("payment's graph", data[:200])  # its start, with all inputs in a row


def _is_published(seen: Seen) -> bool:
    place = seen.pilot.data / "registration" / "public"
    found = {one.field for one in seen.cage.search_folder(place)}
    return {"transaction", "inputs", "change output"} <= found


@pytest.mark.parametrize("party", PARTIES)
@pytest.mark.parametrize("what", MATRIX)
def test_a_cell(seen: Seen, what: str, party: str) -> None:
    expected = MATRIX[what][PARTIES.index(party)]
    found = seen.found.get((party, what), [])
    if expected in ("no", "sealed"):
        assert not found, found[:3]
    else:
        assert found, f"{party} sees {what}, and the search does not find it"


@pytest.mark.parametrize(("number", "client", "name"), [(2, "z", PAYER), (3, "o", PAYEE)])
def test_a_sealed_name_is_there_for_who_has_the_keys(
    seen: Seen, number: int, client: str, name: str
) -> None:
    """The bank identified its client: it can say who that is."""
    said = seen.pilot.bank(number, "show", "--json")
    assert name not in said
    folder = seen.pilot.data / f"bank-{number}"
    seen.pilot.kill(f"bank-{number}")
    keys = KeyFile(folder / KEYS, seen.pilot.get_passphrase(f"bank-{number}"))
    store = SqliteClientStore(folder / "bank.db", keys.get_sealing_key("storage"))
    known = store.find_client(ClientId(client))
    assert known is not None
    assert known.name == name
    store.close()
    seen.pilot.start(f"bank-{number}")


def test_a_planted_leak_is_found(seen: Seen) -> None:
    """In each party's folder and in its log: otherwise "no" above would mean nothing."""
    for party in PARTIES:
        planted = seen.pilot.data / party / "planted"
        planted.write_bytes(b"x" * 999 + PAID.to_bytes(8, "little") + PAYER.encode())
        with (seen.pilot.data / "logs" / f"{party}.jsonl").open("a") as log:
            log.write(f'{{"event": "{PAYEE} got {SHOWN_PAID}"}}\n')
        found = {one.field for one in seen.cage.search_folder(seen.pilot.data / party)}
        assert {"amount paid", "payer's name"} <= found
        planted.unlink()
    seen.search()
    for party in PARTIES:
        assert "log" in {one.where for one in seen.found[party, "payee's name"]}, party


def test_traces_follow_one_payment_and_tell_nothing_of_it(seen: Seen) -> None:
    """X3: one trace through both banks and the notary, without a name or an amount."""
    traces: dict[str, set[str]] = {}
    for party in PARTIES:
        path = seen.pilot.data / party / "traces.jsonl"
        for line in path.read_text().splitlines():
            traces.setdefault(json.loads(line)["trace"], set()).add(party)
    assert any({"bank-2", "bank-3", "notary"} <= parties for parties in traces.values())
