"""Keys in a token of SoftHSM2, which stands for a hardware module (X7)."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pkcs11 import Attribute, ObjectClass

from specie.assembly.softhsm import SoftHsm
from specie.assembly.system import SystemClock
from specie.crypto.secrets import InstitutionKey
from specie.crypto.signatures import sign_as_institution, verify_institution_signature
from specie.identity.certificates import (
    Issuer,
    build_revocations,
    create_root,
    issue_certificate,
)
from specie.store.hsm import HsmToken
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import InstitutionPublicKey, NetworkId, ServiceName
from tests.country import refused

needs_softhsm = pytest.mark.skipif(
    shutil.which("softhsm2-util") is None, reason="SoftHSM2 is not installed"
)
pytestmark = needs_softhsm
PEM, PKCS8 = Encoding.PEM, PrivateFormat.PKCS8
PIN = "a pin of sixteen"


@pytest.fixture(scope="module")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> SoftHsm:
    """A module finds its tokens once a process: one folder for all tests here."""
    found = SoftHsm.create(tmp_path_factory.mktemp("network"))
    found.create_tokens({"bank-2": PIN})
    return found


@pytest.fixture
def token(hsm: SoftHsm) -> Iterator[HsmToken]:
    with closing(HsmToken(hsm.module, "bank-2", PIN)) as found:
        yield found


def test_it_signs_as_a_key_of_the_file_does(token: HsmToken) -> None:
    key = token.generate("signing")
    public = InstitutionPublicKey(key.public)
    for message in (b"", b"message", bytes(100_000)):
        verify_institution_signature(public, message, sign_as_institution(key, message))
    with refused(ErrorCode.SIGNATURE_INVALID):
        verify_institution_signature(public, b"other", sign_as_institution(key, b"message"))


_OPENS_ITS_TOKEN = """
import sys, time
from pathlib import Path
from specie.store.hsm import HsmToken

module, label, pin = sys.argv[1:]
sys.stdout.write("here\\n")
sys.stdout.flush()
sys.stdin.readline()
for _ in range(20):
    HsmToken(Path(module), label, pin).close()
"""


def test_many_processes_open_their_tokens_at_once(hsm: SoftHsm) -> None:
    """As those of `specie up` do. Each look at the tokens would fail, or abort, now and then."""
    labels = [f"beside-{number}" for number in range(4)]
    hsm.create_tokens(dict.fromkeys(labels, PIN))
    command = [sys.executable, "-c", _OPENS_ITS_TOKEN, str(hsm.module)]
    pipe = subprocess.PIPE
    begun = [
        subprocess.Popen([*command, label, PIN], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        for label in labels
    ]
    for one in begun:
        assert one.stdout is not None and one.stdout.readline() == "here\n"
    for one in begun:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    said = [one.communicate(timeout=60)[1] for one in begun]
    assert said == ["", "", "", ""]
    assert [one.returncode for one in begun] == [0, 0, 0, 0]


def test_a_key_is_found_by_its_public_half(token: HsmToken, hsm: SoftHsm) -> None:
    """After a rotation there are several; the lists say which counts."""
    first, second = token.generate("first"), token.generate("second")
    token.close()
    again = HsmToken(hsm.module, "bank-2", PIN)
    for key in (first, second):
        found = again.find(InstitutionPublicKey(key.public))
        assert found is not None
        message = sign_as_institution(found, b"x")
        verify_institution_signature(InstitutionPublicKey(key.public), b"x", message)
    assert again.find(InstitutionPublicKey(InstitutionKey.generate().public)) is None
    with refused(ErrorCode.ORDER_CONFLICT):
        again.generate("first")
    again.close()


def test_the_secret_half_never_leaves(token: HsmToken) -> None:
    token.generate("kept")
    private = token._list({Attribute.CLASS: ObjectClass.PRIVATE_KEY})  # noqa: SLF001  # what it has
    assert private
    for one in private:
        assert one[Attribute.SENSITIVE]
        assert not one[Attribute.EXTRACTABLE]
        with pytest.raises(pkcs11.exceptions.AttributeSensitive):
            one[Attribute.VALUE]
    token.close()
    token_alone = pkcs11.lib(str(token.module)).get_token(token_label="bank-2")
    with token_alone.open() as session:  # without a PIN
        assert not list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY}))


def test_a_wrong_pin_or_token_is_said(hsm: SoftHsm, tmp_path: Path) -> None:
    with refused(ErrorCode.PASSPHRASE_WRONG):
        HsmToken(hsm.module, "bank-2", PIN + "x")
    with refused(ErrorCode.SETTING_INVALID):
        HsmToken(hsm.module, "bank-9", PIN)
    with refused(ErrorCode.SETTING_INVALID):
        HsmToken(tmp_path / "no-module.so", "bank-2", PIN)


def test_it_issues_certificates(token: HsmToken) -> None:
    """On P-256, with everything that an intermediate signs; `cryptography` believes it."""
    key = token.generate_issuing("issuing")
    now, other = SystemClock().now(), ec.generate_private_key(ec.SECP256R1())
    issuer = Issuer(create_root("test", key, now), key)
    issuer.certificate.verify_directly_issued_by(issuer.certificate)
    hosts, network, service = ["127.0.0.1"], NetworkId(bytes(16)), ServiceName("bank-2")
    one = issue_certificate(service, network, hosts, other.public_key(), issuer, now)
    one.verify_directly_issued_by(issuer.certificate)
    revocations = build_revocations((), 1, issuer, now)
    assert revocations.is_signature_valid(key.public_key())
    found = token.find_issuing(key.public_key())
    assert found is not None
    assert found.public_key() == key.public_key()
    assert token.find_issuing(other.public_key()) is None
    assert (key.curve.name, key.key_size) == ("secp256r1", 256)
    for leave in (key.private_numbers, lambda: key.private_bytes(PEM, PKCS8, NoEncryption())):
        with pytest.raises(NotImplementedError):
            leave()


def test_what_is_removed_signs_no_more(token: HsmToken) -> None:
    names = ("ended", "ended-2")
    keys = {name: token.generate(name) for name in names}
    assert token.list_keys()["ended"] == keys["ended"].public
    token.remove("ended")
    token.remove("ended")
    assert token.find(InstitutionPublicKey(keys["ended"].public)) is None
    assert "ended" not in token.list_keys()
    with refused(ErrorCode.STORE_UNUSABLE):
        keys["ended"].sign(b"x")
    assert token.find(InstitutionPublicKey(keys["ended-2"].public)) is not None
    token.generate("ended")


def test_threads_take_turns(token: HsmToken) -> None:
    key = token.generate("busy")
    made: list[bytes] = []

    def work() -> None:
        made.extend(sign_as_institution(key, b"x") for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(made) == 80 and len(set(made)) == 1  # Ed25519 is deterministic


def test_a_token_that_is_closed_refuses(token: HsmToken) -> None:
    key = token.generate("closed")
    token.close()
    with refused(ErrorCode.STORE_UNUSABLE):
        key.sign(b"x")
