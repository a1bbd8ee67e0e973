"""What an outsider checks with OpenSSL and curl; a log with two histories (T2, P6)."""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from specie.assembly.fetching import Fetcher
from specie.assembly.fork_evidence import name_fork
from specie.assembly.lists import (
    COSIGNERS,
    PUBLISHED,
    ROOT_FILE,
    TIME,
    ListReader,
    load_peers,
    read_list,
)
from specie.assembly.tls import build_public_context
from specie.crypto.secrets import InstitutionKey
from specie.identity.cosigners import sign_cosigners, verify_cosigners
from specie.identity.genesis import compute_origin
from specie.log.checkpoint import Checkpoint
from specie.log.leaves import HEADER, HeaderLeaf, unpack_leaf
from specie.log.notes import parse_note, sign_checkpoint
from specie.log.tree import Frontier, compute_leaf_hash
from specie.remote.institutions import RemoteBanks
from specie.store.log_files import LogFolder
from specie.values.identifiers import ParticipantNumber
from specie.values.times import Timestamp
from tests.network.pilot import Pilot, catch


def call(command: str, folder: Path, *, code: int = 0) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(pilot: Pilot) -> Path:
    """Where an outsider has put what is public."""
    call(f"cp {pilot.public}/*.pem .", pilot.devices)
    return pilot.devices


def fetch_certificate(pilot: Pilot, name: str, folder: Path) -> str:
    """As the process shows it to who connects."""
    address = pilot.get_url(name).removeprefix("https://")
    call(
        f"openssl s_client -connect {address} -CAfile root.pem -verify_return_error </dev/null"
        f" 2>/dev/null | openssl x509 > {name}.pem",
        folder,
    )
    return f"{name}.pem"


def ask_state(pilot: Pilot, folder: Path, name: str) -> str:
    """OCSP: the question made, carried and its answer verified by others' programs."""
    call(f"openssl ocsp -issuer issuer.pem -cert {name} -no_nonce -reqout asked.der", folder)
    call(
        "curl -sS --cacert root.pem -H 'content-type: application/ocsp-request'"
        f" --data-binary @asked.der {pilot.get_url('central-bank')}/ocsp -o answer.der",
        folder,
    )
    return call(
        f"openssl ocsp -issuer issuer.pem -cert {name} -respin answer.der"
        " -CAfile root.pem -verify_other issuer.pem -no_nonce",
        folder,
    )


def test_openssl_verifies_every_chain(pilot: Pilot, folder: Path) -> None:
    """T2: the ceremony's certificates, by somebody else's software, with the revocation list."""
    url = pilot.get_url("central-bank")
    call(f"curl -sS --cacert root.pem {url}/crl -o crl.der", folder)
    call("openssl crl -inform DER -in crl.der -CAfile issuer.pem -noout", folder)
    call("openssl crl -inform DER -in crl.der -out crl.pem", folder)
    for child in pilot.children:
        name = fetch_certificate(pilot, child, folder)
        verify = f"openssl verify -CAfile root.pem -untrusted issuer.pem {name}"
        assert "OK" in call(verify, folder)
        checked = f"-crl_check -CRLfile crl.pem {verify.removeprefix('openssl verify ')}"
        assert "OK" in call(f"openssl verify {checked}", folder)
        shown = call(f"openssl x509 -in {name} -noout -ext subjectAltName", folder)
        assert f"URI:specie:{pilot.load_peers().network.hex()}/{child}" in shown


def test_openssl_asks_for_a_certificates_state(pilot: Pilot, folder: Path) -> None:
    """T2: OCSP of a bank in good standing."""
    name = fetch_certificate(pilot, "bank-3", folder)
    found = ask_state(pilot, folder, name)
    assert "Response verify OK" in found
    assert f"{name}: good" in found


def test_only_tls_1_3_is_spoken(pilot: Pilot, folder: Path) -> None:
    for listener in ("public", "institutions"):
        address = pilot.get_url("bank-2", listener).removeprefix("https://")
        line = f"openssl s_client -connect {address} -CAfile root.pem -tls1_2 </dev/null"
        assert "no peer certificate available" in call(line, folder, code=1)


def test_curl_without_a_certificate_is_not_heard(pilot: Pilot, folder: Path) -> None:
    url = pilot.get_url("notary", "institutions")
    line = f"curl -s --cacert root.pem {url}/v1/checkpoint || echo closed"
    assert call(line, folder) == "closed\n"  # and nothing was said


# --- lists from whoever answers -----------------------------------------------------------------


Offering = Callable[[Mapping[str, bytes]], ListReader]


@pytest.fixture
def offering(pilot: Pilot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Offering:
    """A reader with what the registration has, to whom these answers are given."""
    home, folder = pilot.data / "registration", tmp_path / "registration"
    folder.mkdir()
    for name in PUBLISHED:
        shutil.copy(home / name, folder)
    context = build_public_context(folder / ROOT_FILE)

    def offer(answers: Mapping[str, bytes]) -> ListReader:
        monkeypatch.setattr(Fetcher, "fetch", lambda _, path, *__: answers[path])
        return ListReader("https://127.0.0.1:1", folder, load_peers(folder, None), context)

    return offer


def test_cosigners_are_verified_before_they_are_kept(
    pilot: Pilot, offering: Offering, tmp_path: Path
) -> None:
    """Another's list, or an older one, would end all cosigning; it is looked at first."""
    folder, genesis = tmp_path / "registration", pilot.load_peers().roster.genesis
    present = read_list(folder, COSIGNERS)
    known = verify_cosigners(present, genesis)
    newer = replace(known, version=known.version + 1)
    for data, code in (
        (sign_cosigners(newer, InstitutionKey.generate()), "cosigners_invalid"),
        (b"\xff" * 100, "cosigners_invalid"),
        (present, "cosigners_outdated"),
    ):
        offered = json.dumps({COSIGNERS: newer.version}).encode()
        reader = offering({"lists": offered, f"lists/{COSIGNERS}": data})
        assert catch(reader.refresh).code == code
        assert read_list(folder, COSIGNERS) == present
    key = pilot.open_keys("central-bank").get("list", InstitutionKey.unseal)
    signed = sign_cosigners(newer, key)
    offered = json.dumps({COSIGNERS: newer.version, TIME: 12}).encode()
    reader = offering({"lists": offered, f"lists/{COSIGNERS}": signed})
    assert reader.refresh() == [COSIGNERS]
    assert reader.refresh() == []
    assert reader.time_ms == 12
    assert read_list(folder, COSIGNERS) == signed


def test_an_answer_that_names_no_lists(offering: Offering) -> None:
    for answer in (b"<html>", b"\xff", b"[" * 100_000):
        assert catch(offering({"lists": answer}).refresh).code == "unreachable"
    for answer in (b"[]", b"7", b'{"participants": "x"}', b"{}"):
        assert offering({"lists": answer}).refresh() == []


# --- a log with two histories -------------------------------------------------------------------


def test_a_log_with_two_histories_is_not_cosigned(pilot: Pilot) -> None:
    """P6: signed with the notary's own key, and the witness remembers what it saw."""
    pilot.fund(2, "500.00")
    url = pilot.get_url("registration")
    peers = pilot.load_peers()
    banks = RemoteBanks(pilot.open_channel("registration"))
    witness = banks.get_remote(ParticipantNumber(2))
    pilot.wait(lambda: witness.get_witnessed() > 0)
    seen = parse_note(pilot.fetch(f"{url}/checkpoint").data.decode())[0]
    pilot.wait(lambda: witness.get_witnessed() >= seen.size)
    origin, key = compute_origin(peers.roster.genesis), pilot.get_key("notary")
    root = compute_leaf_hash(b"another history")
    forks = [
        (Checkpoint(origin, witness.get_witnessed(), root), []),  # the same size, another root
        (Checkpoint(origin, witness.get_witnessed() + 9, root), [root, root]),  # does not continue
        (Checkpoint(origin, 1, root), []),  # goes back
    ]
    for forged, growth in forks:
        note = sign_checkpoint(forged, key)
        error = catch(partial(witness.cosign, note, growth))
        assert error.code in ("log_invalid", "proof_invalid")
    assert witness.get_witnessed() >= seen.size  # and goes on with the one it knows
    for forged in (forks[0][0], forks[2][0]):  # a proof that does not hold shows nothing
        kept = pilot.data / "bank-2" / name_fork(sign_checkpoint(forged, key))
        assert kept.read_text() == sign_checkpoint(forged, key), "evidence is kept"
    alarms = json.loads(pilot.fetch(f"{pilot.get_url('bank-2', 'operations')}/alarms").data)
    assert name_fork(sign_checkpoint(forks[0][0], key)) in alarms["log_forked"]


def test_a_registration_that_rewrites_its_log_is_caught(pilot: Pilot, folder: Path) -> None:
    """P6: with the notary's key as well, a history that holds for who has seen no other.

    Both witnesses and the auditor say so, nobody cosigns it, and who has kept a checkpoint, or asks
    for cosigners, refuses it. Put back, the log goes on.
    """
    pilot.fund(2, "10.00")
    home, url = pilot.data / "registration", pilot.get_url("registration")
    audit = ("audit", url, "--root", str(pilot.public / "root.pem"))
    stop_when_vouched_for(pilot, audit)
    (folder / "kept").write_bytes(pilot.fetch(f"{url}/checkpoint").data)
    pilot.kill("registration")
    shutil.copytree(home, folder / "honest", ignore=shutil.ignore_patterns("*.sock"))
    rewrite(pilot, home / "public")
    for file in home.glob("registration.db*"):
        file.unlink()  # or its own index would not go on from another root
    pilot.start("registration")
    overseers = ("bank-2", "bank-3", "auditor")
    pilot.wait(lambda: all("log_forked" in pilot.read_alarms(one) for one in overseers))
    assert pilot.try_run("alarms", "--data", str(pilot.data))["out"].count("log_forked") >= 3
    note = pilot.fetch(f"{url}/checkpoint").data.decode()
    assert note.count("\n\u2014 ") == 1, "the notary's line alone"
    pilot.run(*audit)
    missing = pilot.run(*audit, "--require-cosigners", code=1)
    assert "cosigners_missing" in missing
    other = pilot.run(*audit, "--earlier", str(folder / "kept"), code=1)
    assert "another history" in other
    pilot.kill("registration")
    shutil.rmtree(home)
    shutil.copytree(folder / "honest", home)
    pilot.start("notary", "registration")
    size = parse_note((folder / "kept").read_text())[0].size
    pilot.bank(2, "transfer", "3", "1.00")
    pilot.wait(lambda: parse_note(pilot.fetch(f"{url}/checkpoint").data.decode())[0].size > size)
    pilot.insist(*audit, "--require-cosigners", "--earlier", str(folder / "kept"))


def stop_when_vouched_for(pilot: Pilot, audit: tuple[str, ...]) -> None:
    """The notary ends once everybody has cosigned all that it has published."""
    for _ in range(10):
        pilot.insist(*audit, "--require-cosigners")
        pilot.kill("notary")
        published = (pilot.data / "notary" / "public" / "checkpoint").read_text()
        shown = pilot.fetch(f"{pilot.get_url('registration')}/checkpoint").data.decode()
        is_all = parse_note(published)[0] == parse_note(shown)[0]
        if is_all and pilot.try_run(*audit, "--require-cosigners")["code"] == 0:
            return
        pilot.start("notary")
    raise AssertionError("it never stood still")


def rewrite(pilot: Pilot, public: Path) -> None:
    """The newest batch was published a moment earlier; signed with the notary's own key."""
    log = LogFolder(public)
    size = parse_note(log.read_checkpoint())[0].size
    leaves = list(log.iterate_leaves(size))
    place = max(one for one, leaf in enumerate(leaves) if leaf[0] == HEADER)
    header = unpack_leaf(leaves[place], 0)
    assert isinstance(header, HeaderLeaf)
    leaves[place] = replace(header, time=Timestamp(header.time - 1)).pack()
    hashes = log.write_leaves(0, leaves)
    origin = compute_origin(pilot.load_peers().roster.genesis)
    forged = Checkpoint(origin, size, Frontier().append(hashes).compute_root())
    log.write_checkpoint(sign_checkpoint(forged, pilot.get_key("notary")), size)


def test_a_removed_banks_certificate_is_revoked(pilot: Pilot, folder: Path) -> None:
    """T2: in the list and by OCSP, as OpenSSL reads them; the last test here."""
    name = fetch_certificate(pilot, "bank-3", folder)
    parameters = ("--set", "participant=3", "--set", "successor=2")
    pilot.officer("decide", "remove", *parameters)
    assert f"{name}: revoked" in ask_state(pilot, folder, name)
    url = pilot.get_url("central-bank")
    call(f"curl -sS --cacert root.pem {url}/crl | openssl crl -inform DER -out crl.pem", folder)
    line = "openssl verify -crl_check -CRLfile crl.pem -CAfile root.pem -untrusted issuer.pem"
    assert "certificate revoked" in call(f"{line} {name}", folder, code=2)
