"""What an outsider checks with OpenSSL and curl; a log with two histories (T2, P6)."""

import json
import subprocess
from functools import partial
from pathlib import Path

import pytest

from specie.identity.genesis import compute_origin
from specie.log.checkpoint import Checkpoint
from specie.log.notes import parse_note, sign_checkpoint
from specie.log.tree import compute_leaf_hash
from specie.remote.institutions import RemoteBanks
from specie.values.identifiers import ParticipantNumber
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
    note = ""
    for forged, growth in forks:
        note = sign_checkpoint(forged, key)
        error = catch(partial(witness.cosign, note, growth))
        assert error.code in ("log_invalid", "proof_invalid")
    assert witness.get_witnessed() >= seen.size  # and goes on with the one it knows
    assert (pilot.data / "bank-2" / "forked.note").read_text() == note, "evidence is kept"
    alarms = json.loads(pilot.fetch(f"{pilot.get_url('bank-2', 'operations')}/alarms").data)
    assert "forked.note" in alarms["log_forked"]


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
