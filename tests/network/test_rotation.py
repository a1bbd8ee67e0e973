"""Keys and certificates end, money goes on (T2): rotation, renewal, revocation, officers.

The network was made two months before it is started: every certificate is due, and the list of
revocations has run out.
"""

import json
import re
import secrets
import shlex
import sqlite3
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from specie.assembly.folders import PASSPHRASES
from specie.assembly.lists import ISSUER, read_list
from specie.assembly.service_settings import load_settings
from specie.assembly.system import SystemClock
from specie.assembly.tls import read_identity
from specie.crypto.secrets import SealingKey, open_sealed
from specie.remote import notary_operations as notary
from specie.remote.channel import Channel, Speaker
from specie.remote.fields import Empty
from specie.remote.institutions import NOTARY
from specie.values.errors import SpecieError
from specie.values.identifiers import ParticipantNumber
from specie.values.times import DAY_MS, Timestamp
from tests.clocks import ManualClock
from tests.network.pilot import PASSPHRASE, Pilot, catch, running_pilot

AGE_DAYS = 65
SERVICES = ("notary", "accounting", "central-bank", "registration", "auditor", "bank-2", "bank-3")


@pytest.fixture(scope="module")
def pilot() -> Iterator[Pilot]:
    long_ago = ManualClock(Timestamp(SystemClock().now() - AGE_DAYS * DAY_MS))
    with (
        tempfile.TemporaryDirectory(prefix="sp") as folder,
        running_pilot(Path(folder), long_ago) as found,
    ):
        yield found


def wait_for_renewal(pilot: Pilot) -> None:
    soon = datetime.now(UTC) + timedelta(days=80)

    def are_new() -> bool:
        ends = [read_identity(pilot.data / name).not_valid_after_utc for name in SERVICES]
        return min(ends) > soon

    pilot.wait(are_new)


@pytest.fixture(scope="module")
def bob(pilot: Pilot) -> str:
    """Alice has money, Bob an address; until certificates are new nobody is greeted for sure."""
    wait_for_renewal(pilot)
    pilot.fund(2, "500.00")
    pilot.give("alice", 2, "100.00")
    return pilot.open_wallet("bob", 3, "Bob")


def pay(pilot: Pilot, to: str, amount: str) -> str:
    """Gives the payment's id; as often as it takes while a bank starts anew."""
    words = pilot.spell("alice", "pay", to, amount, "--order", secrets.token_hex(16))
    out = pilot.insist(*words, stdin=f"{PASSPHRASE}\n")
    return str(re.findall(r"paid: ([0-9a-f]{32})", out)[0])


def write_receipt(pilot: Pilot, payment: str, folder: Path) -> Path:
    mirror, file = folder / "mirror", folder / f"{payment}.tlog-proof"
    root, device = str(pilot.public / "root.pem"), str(pilot.devices / "alice.db")
    command = ["wallet", "receipt", payment, "--device", device, "--holder", "alice"]
    command += ["--public", str(mirror), "--out", str(file)]

    def is_there() -> bool:
        pilot.run("audit", pilot.get_url("registration"), "--root", root, "--keep", str(mirror))
        found = pilot.try_run(*command, stdin=f"{PASSPHRASE}\n")
        return bool(found["code"] == 0 and find_lines(file))

    pilot.wait(is_there)
    return file


def find_lines(receipt: Path) -> set[str]:
    """Who cosigned, by the first letters of their lines: the keys' ids."""
    lines = re.findall(r"^— (\S+) (\S{6})", receipt.read_text(), re.MULTILINE)
    return {key for name, key in lines if not name.startswith("specie/")}


def list_numbered(pilot: Pilot, name: str, kind: str) -> list[str]:
    """Keys of one kind in its file: `witness` is not `witness-ml-dsa`."""
    return [one for one in pilot.open_keys(name).list_names() if re.sub(r"-\d+$", "", one) == kind]


def test_certificates_renew_themselves(pilot: Pilot) -> None:
    """When a third is left; what runs shows the new one to who comes next."""
    wait_for_renewal(pilot)
    pilot.wait(lambda: _get_metric(pilot, "bank-2", "specie_certificate_days_left") > 80)
    assert _get_metric(pilot, "bank-2", "specie_lists_age_seconds") < 60


def test_who_was_renewed_loses_the_old_one(pilot: Pilot) -> None:
    """T2: also whoever has it, on a connection that is open; the institution stays what it was."""
    old = read_identity(pilot.data / "bank-3")
    thief = pilot.open_channel("bank-3")
    thief.call(NOTARY, notary.GET_SUPPLY, Empty())
    place = str(pilot.data / PASSPHRASES / "bank-3")
    told = pilot.run(
        "bank", "renew", "--at", str(pilot.data / "bank-3"), "--passphrase-file", place
    )
    serial = told.rpartition(" ")[2]
    revoke = ("decide", "revoke-certificates", "--set", "service=bank-3", "--set")
    numbers = ("--data", str(pilot.data), "--officer", "1", "--officer", "2")
    assert "in force" in pilot.run("officer", *revoke, f"kept={'ab' * 20}", *numbers, code=1)
    assert "done" in pilot.officer(*revoke, f"kept={serial}")
    pilot.wait(lambda: _is_revoked(pilot, old.serial_number))
    assert not _is_revoked(pilot, read_identity(pilot.data / "bank-3").serial_number)
    pilot.wait(lambda: _ask_supply(thief) == "certificate_invalid")
    thief.close()
    renewed = pilot.open_channel("bank-3")
    assert _ask_supply(renewed) == ""
    pilot.restart("bank-3")


def test_a_banks_keys_rotate_while_money_moves(pilot: Pilot, bob: str, tmp_path: Path) -> None:
    """T2: both signing keys are new, the old ones are refused, old receipts hold."""
    receipt = write_receipt(pilot, pay(pilot, bob, "1.00"), tmp_path)
    old = pilot.get_key("bank-2")
    before = pilot.load_peers().roster.current.participants
    pilot.rotate("bank-2")
    pilot.rotate("bank-3")
    after = pilot.load_peers().roster.current.participants
    for number in map(ParticipantNumber, (2, 3)):
        assert before[number].institution_key != after[number].institution_key
        assert before[number].attestation_key != after[number].attestation_key
        assert before[number].scan_key == after[number].scan_key
    for name in ("bank-2", "bank-3"):  # the private halves that have ended are gone
        for kind in ("institution", "attestation"):
            assert list_numbered(pilot, name, kind) == [f"{kind}-2"]
    stale = pilot.open_channel("bank-2", speaker=Speaker("bank-2", old))
    error = catch(lambda: stale.call(NOTARY, notary.GET_SUPPLY, Empty()))
    assert "message_signature_invalid" in error.message
    newer = write_receipt(pilot, pay(pilot, bob, "2.00"), tmp_path)
    pilot.insist(*pilot.spell("bob", "collect"), stdin=f"{PASSPHRASE}\n")
    for file in (receipt, newer):
        pilot.run("verify-receipt", str(file), "--public", str(tmp_path / "mirror"))


def test_a_banks_database_gets_new_keys(pilot: Pilot, bob: str, tmp_path: Path) -> None:
    """T2: what was sealed before is read, what comes is sealed anew; so are the keys."""
    folder, passphrase = str(pilot.data / "bank-2"), pilot.data / PASSPHRASES / "bank-2"
    given = ("--passphrase-file", str(passphrase))
    told = pilot.run("rotate", folder, *given, "--storage")
    assert told.startswith("storage-2 and vault-2: used from the process' next start on\n")
    (tmp_path / "new").write_text("battery staple\n")
    new = ("--new-passphrase-file", str(tmp_path / "new"))
    said = pilot.run("change-passphrase", folder, *given, *new)
    assert "sealed under the new passphrase" in said
    assert f"{passphrase}: has the old one still" in said
    assert "passphrase_wrong" in pilot.run("rotate", folder, *given, "--storage", code=1)
    passphrase.write_text("battery staple\n")
    pilot.restart("bank-2")
    assert "alice" in pilot.bank(2, "clients", "--as", "olga", "--reason", "keys rotated")
    pay(pilot, bob, "1.50")
    keys = pilot.open_keys("bank-2")
    opened = [_count_opened(pilot, keys.get_sealing_key(name)) for name in ("storage", "storage-2")]
    assert all(opened)
    assert "seals no rows" in pilot.run(
        "rotate",
        str(pilot.data / "notary"),
        "--passphrase-file",
        str(pilot.data / PASSPHRASES / "notary"),
        "--storage",
        code=1,
    )


def _count_opened(pilot: Pilot, key: SealingKey) -> int:
    """Clients' tokens whose openings this key alone opens."""
    place = f"file:{pilot.data / 'bank-2' / 'bank.db'}?mode=ro"
    with closing(sqlite3.connect(place, uri=True)) as database:
        rows = database.execute("SELECT sealed_opening, ref FROM client_token")
        return sum(_does_open(key, sealed, ref) for sealed, ref in rows)


def _does_open(key: SealingKey, sealed: bytes, ref: bytes) -> bool:
    try:
        return bool(open_sealed(key, sealed, ref))
    except SpecieError:
        return False


def test_witnesses_get_new_keys_and_old_receipts_count(
    pilot: Pilot, bob: str, tmp_path: Path
) -> None:
    """Both keys of each: new checkpoints carry them, and receipts of before hold."""
    old = write_receipt(pilot, pay(pilot, bob, "1.00"), tmp_path)
    shown: list[str] = []
    for name in ("bank-2", "bank-3", "auditor"):
        shown = shlex.split(pilot.rotate(name, "--cosigner"))
        kind = "auditor" if name == "auditor" else "witness"
        assert list_numbered(pilot, name, kind) == [f"{kind}-2"]
        assert list_numbered(pilot, name, f"{kind}-ml-dsa") == [f"{kind}-ml-dsa-2"]
    waiting = shlex.split(pilot.draw_rotation("auditor", "--cosigner"))
    place = next(at for at, word in enumerate(shown) if word.startswith("proofs="))
    forged = [*waiting[1:place], shown[place], *waiting[place + 1 :]]
    numbers = ("--data", str(pilot.data), "--officer", "1", "--officer", "2")
    assert "signature_invalid" in pilot.run(*forged, *numbers, code=1), "nobody has shown that key"
    assert "auditor-3" in list_numbered(pilot, "auditor", "auditor"), "it waits"
    new = write_receipt(pilot, pay(pilot, bob, "2.00"), tmp_path)

    assert not find_lines(old) & find_lines(new)
    for file in (old, new):
        pilot.run("verify-receipt", str(file), "--public", str(tmp_path / "mirror"))


def test_keys_that_are_lost_are_replaced(pilot: Pilot, bob: str) -> None:
    """As if an old file was put back: officers alone decide, who brings the new ones they know."""
    place = str(pilot.data / PASSPHRASES / "bank-3")
    serve = ("serve", str(pilot.data / "bank-3"), "--passphrase-file", place)
    pilot.kill("bank-3")
    keys = pilot.open_keys("bank-3")
    keys.remove(
        one for one in keys.list_names() if re.match("institution|attestation|witness", one)
    )
    assert "`specie rotate` draws another" in pilot.run(*serve, code=1)
    for options in ((), ("--cosigner",)):
        assert "setting_invalid" in pilot.run(*serve, code=1)
        words = shlex.split(pilot.draw_rotation("bank-3", *options))
        assert "done" in pilot.officer(*words[2:])
    pilot.start("bank-3")
    pay(pilot, bob, "1.00")
    pilot.insist(*pilot.spell("bob", "collect"), stdin=f"{PASSPHRASE}\n")


@pytest.mark.soak
def test_keys_of_the_central_banks_services_rotate(pilot: Pilot, bob: str) -> None:
    for name in ("registration", "accounting", "auditor", "central-bank"):
        pilot.rotate(name)
    order = secrets.token_hex(16)
    redeem = ("bank", "redeem", "5.00", "--at", str(pilot.data / "bank-2"), "--order", order)
    pilot.insist(*redeem)  # until its lists are as new as the desk's key
    pilot.approve(order)
    pay(pilot, bob, "3.00")


def test_the_intermediate_is_replaced(pilot: Pilot, bob: str) -> None:
    """The root comes out of its safe once in five years; nobody notices but for new chains."""
    place, child = pilot.data / "central-bank", pilot.children["central-bank"]
    before = read_list(place, ISSUER)
    passphrases = pilot.data / PASSPHRASES
    command = ["renew-authority", str(place), str(pilot.data / "offline")]
    command += ["--passphrase-file", str(passphrases / "central-bank")]
    pilot.run(*command, "--offline-passphrase-file", str(passphrases / "notary"), code=1)
    assert read_list(place, ISSUER) == before, "that does not open the root's key"
    pilot.run(*command, "--offline-passphrase-file", str(passphrases / "offline"))
    assert child.running.wait(60) == 0
    pilot.network.children.remove(child)
    pilot.start("central-bank")
    after = read_list(place, ISSUER)
    assert after != before
    assert list_numbered(pilot, "central-bank", "issuing-key") == ["issuing-key-2"]
    pilot.wait(lambda: all(read_list(pilot.data / one, ISSUER) == after for one in SERVICES))
    at = str(pilot.data / "bank-2")
    pilot.run("bank", "renew", "--at", at, "--passphrase-file", str(passphrases / "bank-2"))
    pilot.restart("bank-2")
    issuer = x509.load_pem_x509_certificate(after)
    read_identity(pilot.data / "bank-2").verify_directly_issued_by(issuer)
    pay(pilot, bob, "1.50")


def test_the_notarys_key_stays(pilot: Pilot) -> None:
    passphrase = str(pilot.data / PASSPHRASES / "notary")
    line = pilot.run("rotate", str(pilot.data / "notary"), "--passphrase-file", passphrase)
    numbers = ["--data", str(pilot.data), "--officer", "1", "--officer", "2"]
    assert "the notary's key stays" in pilot.run(*shlex.split(line)[1:], *numbers, code=1)
    assert "refused    rotate-keys" in pilot.officer("decisions", officers=(1,))


def test_an_officer_comes_and_one_goes(pilot: Pilot) -> None:
    """A new number and a new key; who has gone signs nothing, and two are always left."""
    assert "done" in pilot.officer("decide", "suspend-officer", "--set", "officer=2")
    leave = ("officer", "decide", "remove-officer", "--set", "officer=1")
    numbers = ("--data", str(pilot.data), "--officer", "1", "--officer", "3")
    assert "have to be able to decide" in pilot.run(*leave, *numbers, code=1)
    (pilot.data / PASSPHRASES / "officer-4").write_text("the fourth one's\n")
    create = ("officer", "create", "--data", str(pilot.data), "--officer", "4")
    words = shlex.split(pilot.run(*create))
    assert "done" in pilot.officer(*words[2:], officers=(1, 3))
    assert "order_conflict" in pilot.run(*create, code=1), "its key is there"
    assert "done" in pilot.run(*leave, *numbers)
    gone = pilot.run("officer", "tasks", "--data", str(pilot.data), "--officer", "2", code=1)
    assert "caller_unknown" in gone
    order = pilot.bank(2, "redeem", "1.00")
    assert "final" in pilot.officer("approve", order, "--amount", "1.00", officers=(3, 4))


def test_nothing_is_approved_that_was_not_meant(pilot: Pilot) -> None:
    """The amount is said beforehand, or seen and agreed to."""
    order = pilot.bank(2, "redeem", "2.00")
    command = ("officer", "approve", order, "--data", str(pilot.data), "--officer", "4")
    wrong = pilot.run(*command, "--amount", "20.00", code=1)
    assert "order_conflict: it asks for 2.00" in wrong
    for answer in ("n\n", ""):
        refused = pilot.try_run(*command, stdin=answer)
        assert "nothing was signed" in refused["err"]
        assert "redeem 2.00 DCU for bank 2" in refused["out"]
    assert "approved by nobody" in pilot.officer("tasks", officers=(4,))
    numbers = ("--officer", "3", "--officer", "4")
    other = pilot.bank(2, "redeem", "9.00")
    refuse = ("decide", "refuse-application", "--set", f"order={other}")
    assert "done" in pilot.officer(*refuse, officers=(3, 4))
    again = ("bank", "redeem", "9.00", "--at", str(pilot.data / "bank-2"), "--order", other)
    assert "order_conflict" in pilot.run(*again, code=1)
    approve = ("officer", "approve", order, "--data", str(pilot.data), *numbers)
    assert "final" in pilot.run(*approve, "--amount", "2.00")


def test_a_decision_is_agreed_to_with_its_parameters(pilot: Pilot) -> None:
    """As people write them, before and after: nobody counts zeros of minor units."""
    out = pilot.lend(2, "1,000.07", officers=(4,))
    sentence = "lend 1,000.07 DCU to bank 2, Bank of the North"
    assert f"officer 4: signed: {sentence}" in out
    [identifier] = re.findall(r"^([0-9a-f]{32}): proposed", out, re.MULTILINE)
    agree = ["officer", "decide", "lend-reserves", "--id", identifier]
    agree += ["--data", str(pilot.data), "--officer", "3"]
    other = pilot.run(*agree, "--set", "participant=2", "--set", "amount=100007", code=1)
    assert sentence in other
    refused = pilot.try_run(*agree, stdin="n\n")
    assert f"{sentence}?" in refused["out"] and "nothing was signed" in refused["err"]
    assert "done" in pilot.run(*agree, "--set", "participant=2", "--set", "amount=1000.07")
    assert f"{sentence}  signed by [3, 4]" in pilot.officer("decisions", officers=(3,))
    lines = pilot.officer("decisions", "--json", officers=(3,)).splitlines()
    [found] = [one for one in map(json.loads, lines) if one["id"] == identifier]
    assert (found["state"], found["signed_by"]) == ("done", [3, 4])
    assert json.loads(found["parameters"])["amount"] == 100_007, "minor units, as signed"


def _get_metric(pilot: Pilot, name: str, metric: str) -> float:
    address = load_settings(pilot.data / name).listen.operations
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return float(re.findall(rf"^{metric} (\S+)$", text, re.MULTILINE)[0])


def _ask_supply(channel: Channel) -> str:
    """The notary's code, if it refuses."""
    try:
        channel.call(NOTARY, notary.GET_SUPPLY, Empty())
    except SpecieError as error:
        return str(error.code)
    return ""


def _is_revoked(pilot: Pilot, serial: int) -> bool:
    return serial in pilot.load_peers().revocations.serials
