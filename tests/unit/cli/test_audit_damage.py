"""Every kind of damage to a public folder is refused, with a code and the name of the file (X1)."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from specie.cli.audit import audit_folder, describe_claims
from specie.crypto.cosigning import CosignerKey
from specie.identity.genesis import ProofMode
from specie.log.notes import append_lines, cosign, get_verifier_key, parse_note
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId
from tests.country import build_country
from tests.unit.cli.conftest import run

FULL, EDGE = "tile/entries/000", "tile/entries/001.p/"
HASHES, HASHES_EDGE, TOP = "tile/0/000", "tile/0/001.p/", "tile/1/000.p/1"


def flip(place: Path) -> None:
    data = bytearray(place.read_bytes())
    data[len(data) // 2] ^= 1
    place.write_bytes(data)


def truncate(place: Path) -> None:
    place.write_bytes(place.read_bytes()[:-1])


def extend(place: Path) -> None:
    place.write_bytes(place.read_bytes() + b"\0")


def remove(place: Path) -> None:
    place.unlink()


def empty(place: Path) -> None:
    place.write_bytes(b"")


DAMAGES: dict[str, Callable[[Path], None]] = {
    "flipped": flip,
    "truncated": truncate,
    "extended": extend,
    "missing": remove,
    "empty": empty,
}
FILES = ("genesis", "participants", "checkpoint", FULL, EDGE, HASHES, HASHES_EDGE, TOP)
CASES = [pytest.param(file, damage, id=f"{file} {damage}") for file in FILES for damage in DAMAGES]


@pytest.fixture
def copy(public: Path, tmp_path: Path) -> Path:
    """A public folder to break."""
    return shutil.copytree(public, tmp_path / "public")


def find(folder: Path, name: str) -> Path:
    """A file; a partial tile's width depends on the run."""
    return next(folder.glob(f"{name}*")) if name.endswith("/") else folder / name


def check_refused(folder: Path, name: str) -> SpecieError:
    """Refused, and this file is named."""
    with pytest.raises(SpecieError) as refused:
        audit_folder(folder)
    assert refused.value.message.startswith(name), refused.value
    return refused.value


@pytest.mark.parametrize(("file", "damage"), CASES)
def test_a_damaged_file_is_named(copy: Path, file: str, damage: str) -> None:
    DAMAGES[damage](find(copy, file))
    error = check_refused(copy, file)
    if file.startswith("tile") or damage == "missing":
        assert error.code is ErrorCode.LOG_INVALID


def test_an_undamaged_folder_passes(copy: Path) -> None:
    audit_folder(copy)


@pytest.mark.parametrize("name", ["readme", "tile/entries/002", "tile/0/001.p/1"])
def test_a_file_too_many_is_named(copy: Path, name: str) -> None:
    (copy / name).write_bytes(b"more")
    assert check_refused(copy, f"{name}: ").code is ErrorCode.LOG_INVALID


@pytest.mark.parametrize("name", ["extra", "tile/hidden", "tile/entries/000.p", "tile/2"])
@pytest.mark.parametrize("inside", ["", "12", "000.p/1"])
def test_a_folder_too_many_is_named(copy: Path, name: str, inside: str) -> None:
    (copy / name).mkdir()
    if inside:
        (copy / name / inside).parent.mkdir(exist_ok=True)
        (copy / name / inside).write_bytes(b"more")
    assert check_refused(copy, f"{name}: ").code is ErrorCode.LOG_INVALID


@pytest.mark.parametrize("name", ["extra", "tile/hidden", "tile/entries/002"])
@pytest.mark.parametrize("target", ["/etc", "/dev/zero", "nowhere"])
def test_a_link_too_many_is_named(copy: Path, name: str, target: str) -> None:
    (copy / name).symlink_to(target)
    assert check_refused(copy, f"{name}: ").code is ErrorCode.LOG_INVALID


@pytest.mark.parametrize(
    "name", [*FILES, "cosigners", "tile", "tile/entries", "tile/entries/001.p"]
)
def test_a_link_instead_of_what_it_points_to(copy: Path, tmp_path: Path, name: str) -> None:
    place = find(copy, name)
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    assert check_refused(copy, name).code is ErrorCode.LOG_INVALID


@pytest.mark.parametrize("name", [*FILES, "cosigners"])
def test_a_pipe_or_a_device_is_not_waited_for(copy: Path, name: str) -> None:
    place = find(copy, name)
    place.unlink()
    os.mkfifo(place)
    assert check_refused(copy, name).code is ErrorCode.LOG_INVALID
    place.unlink()
    place.symlink_to("/dev/zero")
    assert check_refused(copy, name).code is ErrorCode.LOG_INVALID


@pytest.mark.parametrize("names", [(FULL, EDGE), (HASHES, HASHES_EDGE), (HASHES, FULL)])
def test_swapped_files_are_noticed(copy: Path, names: tuple[str, str]) -> None:
    one, other = (find(copy, name) for name in names)
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)
    assert check_refused(copy, "tile/").code is ErrorCode.LOG_INVALID


@pytest.mark.parametrize("text", [b"\xff", b"no key at all\n", b"\n"])
def test_cosigners_that_are_no_keys_are_named(copy: Path, text: bytes) -> None:
    (copy / "cosigners").write_bytes(text)
    check_refused(copy, "cosigners")


def test_cosigners_have_one_spelling(copy: Path) -> None:
    keys = [get_verifier_key(name, CosignerKey.generate()) for name in ("auditor", "witness.one")]
    good = "".join(f"{key.format()}\n" for key in keys).encode()
    (copy / "cosigners").write_bytes(good)
    audit_folder(copy)
    for data in (
        good[:-1],
        good + b"\n",
        good.replace(b"\n", b"\r\n"),
        good.replace(b"\n", b" \n"),
        good.replace(b"\n", b"\x0b", 1),
        b" " + good,
    ):
        (copy / "cosigners").write_bytes(data)
        assert check_refused(copy, "cosigners").code is ErrorCode.CHECKPOINT_INVALID


def test_cosigners_of_ones_own(copy: Path, tmp_path: Path) -> None:
    own, signer = tmp_path / "own", CosignerKey.generate()
    note = (copy / "checkpoint").read_text()
    line = cosign(parse_note(note)[0], "auditor", signer, 1)
    (copy / "checkpoint").write_text(append_lines(note, [line]))
    (copy / "cosigners").write_text(f"{get_verifier_key('auditor', signer).format()}\n")
    (tmp_path / "keys").write_bytes((copy / "cosigners").read_bytes())
    own.symlink_to(tmp_path / "keys")
    said = "cosigners' keys from the folder itself"
    assert said in run("audit", copy).lines
    done = run("audit", copy, "--cosigners", own)
    assert done.code == 0 and said not in done.lines
    key = get_verifier_key("auditor", CosignerKey.generate())
    own.write_text(f"{key.format()}\n")  # the folder's cosigners are strangers now
    with pytest.raises(SpecieError) as refused:
        audit_folder(copy, cosigners=own)
    assert refused.value.code is ErrorCode.CHECKPOINT_INVALID
    own.write_text(key.format())
    with pytest.raises(SpecieError, match="own: not in its one spelling"):
        audit_folder(copy, cosigners=own)
    with pytest.raises(SpecieError) as refused:
        audit_folder(copy, cosigners=tmp_path)
    assert refused.value.code is ErrorCode.SETTING_INVALID


NOBODY = "nobody's word but the notary's"


@pytest.mark.parametrize(
    ("names", "ranges", "shown"),
    [
        ((), NOBODY, NOBODY),
        (("auditor",), "the word of auditor", "the word of auditor"),
        (("witness.one",), NOBODY, "the word of witness.one"),
        (("notary", "auditors", "my.auditor", "Auditor"), NOBODY, NOBODY),
        (
            ("witness.one", "friend", "auditor.two", "auditor2", "auditor2"),
            "the word of auditor.two, auditor2",
            "the word of witness.one, auditor.two, auditor2",
        ),
    ],
)
def test_only_a_role_is_credited(
    public: Path, names: tuple[str, ...], ranges: str, shown: str
) -> None:
    trust, signed, _ = audit_folder(public)
    keys = [get_verifier_key(name, CosignerKey.generate()) for name in names]
    signed = replace(signed, signers=(signed.signers[0], *keys))
    for mode, said in ((ProofMode.AGGREGATED, ranges), (ProofMode.PUBLISHED, "proven in the data")):
        genesis = replace(trust.genesis, proof_mode=mode)
        claims = dict(describe_claims(genesis, trust.participants, signed))
        assert claims["every amount is in range"] == said
        assert claims["every reader is shown this log"] == shown


def test_files_of_another_network_are_named(copy: Path, tmp_path: Path) -> None:
    other = build_country(tmp_path / "other")
    other.audit()
    check_refused_with(copy, other.network.public, "checkpoint")
    check_refused_with(copy, other.network.public, "participants")
    check_refused_with(copy, other.network.public, "genesis", said="participants")
    with pytest.raises(SpecieError) as refused:
        audit_folder(copy, NetworkId(bytes(16)))
    assert refused.value.code is ErrorCode.NETWORK_MISMATCH


def check_refused_with(copy: Path, other: Path, name: str, said: str = "") -> None:
    """One file of another network instead of ours; ours is put back."""
    ours = (copy / name).read_bytes()
    shutil.copy(other / name, copy / name)
    check_refused(copy, said or name)
    (copy / name).write_bytes(ours)


def test_a_folder_is_no_file(copy: Path) -> None:
    (copy / "genesis").unlink()
    (copy / "genesis").mkdir()
    check_refused(copy, "genesis")


def test_the_command_says_it_in_one_line(copy: Path) -> None:
    flip(copy / FULL)
    done = run("audit", copy)
    said = f"specie: log_invalid: {FULL}: not what the checkpoint covers"
    assert (done.code, done.lines, done.errors) == (1, [], [said])
