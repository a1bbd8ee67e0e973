"""Keys that have ended are removed, of file and token, and no other (X7, T2)."""

import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from specie.assembly.own_keys import ATTESTATION, ISSUING_KEY, STORAGE, OwnKeys, pack_point
from specie.assembly.softhsm import SoftHsm
from specie.assembly.tokens import (
    TokenPlace,
    draw_officer_keys,
    draw_own_keys,
    new_key_file,
    open_officer_keys,
)
from specie.cli.token_options import choose_token, parse_token
from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionKey, SealingKey, SigningKey, open_sealed
from specie.crypto.signatures import sign_as_institution, verify_institution_signature
from specie.store.key_file import KeyFile
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import InstitutionPublicKey
from tests.country import refused

PASSPHRASE = "correct horse"
PLACES = ("file", "token")


@pytest.fixture(scope="module")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TokenPlace]:
    """All tokens at once: a module that is told of more closes those that are open."""
    if shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM2 is not installed")
    made = SoftHsm.create(tmp_path_factory.mktemp("network"))
    return made.draw_tokens(["rotated", "waiting", "missing", "issuing", "officer-9", "joining"])


def open_own(request: pytest.FixtureRequest, folder: Path, where: str, label: str) -> OwnKeys:
    keys = KeyFile.create(folder / "keys.json", PASSPHRASE, bytes(16))
    place = request.getfixturevalue("hsm")[label] if where == "token" else None
    return draw_own_keys(keys, place)


@pytest.fixture(params=PLACES)
def where(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_what_has_ended_is_gone(request: pytest.FixtureRequest, tmp_path: Path, where: str) -> None:
    with closing(open_own(request, tmp_path, where, "rotated")) as own:
        drawn = []
        for _ in range(3):
            [name] = own.name_next("institution")
            drawn.append((name, own.draw_signer(name).public))
        others = (own.draw_signer("list").public, own.draw_signer("institution-old").public)
        assert [name for name, _ in drawn] == ["institution", "institution-2", "institution-3"]
        assert own.prune("institution", {drawn[2][1]}) == ["institution", "institution-2"]
        assert own.prune("institution", {drawn[2][1]}) == []
        for _, public in drawn[:2]:
            with refused(ErrorCode.SETTING_INVALID):
                own.find_signer(InstitutionPublicKey(public))
        for public in (drawn[2][1], *others):
            key = own.find_signer(InstitutionPublicKey(public))
            signature = sign_as_institution(key, b"x")
            verify_institution_signature(InstitutionPublicKey(public), b"x", signature)
        assert own.name_next("institution") == ["institution-4"]


def test_what_was_sealed_before_opens(tmp_path: Path) -> None:
    """Three keys of one kind: the newest seals."""
    own = OwnKeys(KeyFile.create(tmp_path / "keys.json", PASSPHRASE, bytes(16)))
    with refused(ErrorCode.SETTING_INVALID):
        own.find_sealing(STORAGE)
    sealed = []
    for number in range(3):
        own.file.put_sealing_key(own.name_next(STORAGE)[0], SealingKey.generate())
        key = own.find_sealing(STORAGE)
        sealed.append(key.seal(b"%d" % number, b"aad"))
        assert [open_sealed(key, one, b"aad") for one in sealed] == [b"0", b"1", b"2"][: number + 1]
    own.file.put_sealing_key("storage-old", SealingKey.generate())  # a name of something else
    assert own.file.list_names() == ["storage", "storage-2", "storage-3", "storage-old"]
    newest, oldest = own.file.get_sealing_key("storage-3"), own.file.get_sealing_key("storage")
    assert open_sealed(newest, sealed[2], b"aad") == b"2"
    for key, one in ((newest, sealed[0]), (oldest, sealed[2])):
        with refused(ErrorCode.SEALED_INVALID):
            open_sealed(key, one, b"aad")


def test_what_is_listed_or_waits_stays(
    request: pytest.FixtureRequest, tmp_path: Path, where: str
) -> None:
    """A list that still names the first key; a key that officers have not seen yet."""
    with closing(open_own(request, tmp_path, where, "waiting")) as own:
        keys = [own.draw_signer(name).public for name in ("message", "message-2", "message-3")]
        for current in ({keys[0]}, {keys[0], keys[1]}, {keys[0], keys[2]}, set[bytes]()):
            assert own.prune("message", current) == []
        assert own.prune("message", {keys[1]}) == ["message"]
        assert own.find_signer(InstitutionPublicKey(keys[2])).public == keys[2]


def test_nothing_is_removed_if_what_counts_is_missing(
    request: pytest.FixtureRequest, tmp_path: Path, where: str
) -> None:
    with closing(open_own(request, tmp_path, where, "missing")) as own:
        keys = [own.draw_signer(name).public for name in ("message", "message-2")]
        lost = InstitutionKey.generate().public
        assert own.prune("message", {lost}) == []
        assert own.prune("message", {lost, keys[1]}) == []
        assert not own.has_all("message", {lost, keys[1]})
        assert own.has_all("message", keys)


def test_the_intermediates_key(request: pytest.FixtureRequest, tmp_path: Path, where: str) -> None:
    with closing(open_own(request, tmp_path, where, "issuing")) as own:
        old, new = (own.draw_issuing(*own.name_next(ISSUING_KEY)).public_key() for _ in range(2))
        assert own.find_issuing(old).public_key() == old
        assert own.prune(ISSUING_KEY, {pack_point(new)}) == [ISSUING_KEY]
        assert own.find_issuing(new).public_key() == new
        for gone in (old, ec.generate_private_key(ec.SECP256R1()).public_key()):
            with refused(ErrorCode.SETTING_INVALID):
                own.find_issuing(gone)


def test_keys_of_the_file_alone(tmp_path: Path) -> None:
    """Two that are drawn together have one number; each kind ends by itself."""
    own = OwnKeys(KeyFile.create(tmp_path / "keys.json", PASSPHRASE, bytes(16)))
    own.file.put("witness-ml-dsa", CosignerKey.generate())
    own.file.put(ATTESTATION, SigningKey.generate())
    names = own.name_next("witness", "witness-ml-dsa")
    assert names == ["witness-2", "witness-ml-dsa-2"]
    own.draw_signer(names[0])
    new = CosignerKey.generate()
    own.file.put(names[1], new)
    assert own.get_first("witness") == own.get_signer("witness-2").public
    assert own.prune("witness-ml-dsa", {new.public}) == ["witness-ml-dsa"]
    assert own.find_cosigner(new.public).public == new.public
    assert own.prune(ATTESTATION, {SigningKey.generate().public}) == []
    assert own.file.list_names() == [ATTESTATION, "witness-2", "witness-ml-dsa-2"]
    with refused(ErrorCode.SETTING_INVALID):
        own.get_first("auditor")


def test_an_officers_token_is_named_in_the_file(hsm: dict[str, TokenPlace], tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with new_key_file(path, PASSPHRASE) as keys:
        own = draw_officer_keys(keys, hsm["officer-9"])
        public = own.get_signer("officer").public
        own.close()
        assert not path.exists()
    assert not KeyFile(path, PASSPHRASE).has("officer")
    with closing(open_officer_keys(path, PASSPHRASE)) as again:
        assert again.get_signer("officer").public == public
    with refused(ErrorCode.ORDER_CONFLICT), new_key_file(path, PASSPHRASE):
        pass
    other = KeyFile.create(tmp_path / "other.json", PASSPHRASE, bytes(16))
    with refused(ErrorCode.ORDER_CONFLICT):  # they may be another's
        draw_own_keys(other, hsm["officer-9"])


def test_a_new_files_name_is_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before its keys are told to anybody: a draft that is left is removed by the next attempt."""
    path, found = tmp_path / "keys.json", list[bool]()
    fsync = os.fsync

    def note_sync(handle: int) -> None:
        if os.readlink(f"/proc/self/fd/{handle}") == str(tmp_path):  # noqa: PTH115  # of the system
            found.append(path.exists())
        fsync(handle)

    monkeypatch.setattr(os, "fsync", note_sync)
    with new_key_file(path, PASSPHRASE) as keys:
        draw_officer_keys(keys, None).close()
        assert True not in found
    assert found[-1:] == [True]


@pytest.fixture
def pin_file(tmp_path: Path) -> Path:
    place = tmp_path / "pin"
    place.write_text("1234\n")
    return place


def test_a_token_is_named_as_rfc_7512_does(pin_file: Path) -> None:
    uri = f"pkcs11:token=the%20bank?module-path=/usr/lib/x.so&pin-source=file:{pin_file}"
    found = parse_token(uri)
    assert (found.module, found.label, found.pin) == (Path("/usr/lib/x.so"), "the bank", "1234")
    wrong = [
        "",
        uri.removeprefix("pkcs11:"),
        uri.replace("token=", "object="),
        uri.replace("token=", "serial=1;token="),
        uri.replace("&pin-source", "&pin-value"),
        uri.replace("file:", "http:"),
        uri.replace("module-path=/usr/lib/x.so&", ""),
        f"{uri}x",
    ]
    for one in wrong:
        with refused(ErrorCode.SETTING_INVALID):
            parse_token(one)
    with refused(ErrorCode.SETTING_INVALID):
        choose_token(pin_file.parent, "bank", uri, is_soft=True)
    assert choose_token(pin_file.parent, "bank", None, is_soft=False)() is None
