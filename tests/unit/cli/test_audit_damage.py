"""Every kind of damage to a public folder is refused, with a code and the name of the file (X1)."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from specie.cli.audit import audit_folder, describe_claims
from specie.cli.trust import load_backing
from specie.crypto.cosigning import CosignerKey
from specie.identity.cosigners import CosignerList, CosignerRole, sign_cosigners
from specie.identity.genesis import ProofMode
from specie.log.notes import VerifierKey, append_lines, cosign, get_verifier_key, parse_note
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId
from tests.country import Country, build_country
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


@pytest.mark.parametrize("text", [b"\xff", b"no key at all\n", b"\n", b""])
def test_cosigners_that_are_no_list_are_named(copy: Path, text: bytes) -> None:
    (copy / "cosigners").write_bytes(text)
    assert check_refused(copy, "cosigners").code is ErrorCode.COSIGNERS_INVALID


NOBODY = "nobody's word but the notary's"


@pytest.fixture
def cosigned(published: Country, copy: Path) -> list[VerifierKey]:
    """The copy, cosigned by one of two witnesses and the auditor that its list names."""
    keys = {name: CosignerKey.generate() for name in ("lookout", "absent", "checker")}
    publics = {name: get_verifier_key(name, key) for name, key in keys.items()}
    entries = (
        (CosignerRole.WITNESS, publics["lookout"]),
        (CosignerRole.WITNESS, publics["absent"]),
        (CosignerRole.AUDITOR, publics["checker"]),
    )
    note = (copy / "checkpoint").read_text()
    checkpoint = parse_note(note)[0]
    listed = CosignerList(checkpoint.origin, 2, 2, 1, entries)
    (copy / "cosigners").write_bytes(sign_cosigners(listed, published.network.list_key))
    lines = [cosign(checkpoint, name, keys[name], 1) for name in ("lookout", "checker")]
    (copy / "checkpoint").write_text(append_lines(note, lines))
    return list(publics.values())


def test_the_audit_says_who_vouches_for_what(copy: Path, cosigned: list[VerifierKey]) -> None:  # X3
    trust, signed, _ = audit_folder(copy)
    backing = load_backing(trust, signed, None)
    claims = dict(describe_claims(trust, backing, None))
    witnesses = "1 of 2 witnesses: lookout; 2 are asked for"
    auditors = "1 of 1 auditors: checker"
    assert claims["every amount is in range"] == f"the word of {auditors}"
    assert claims["every reader is shown this log"] == f"the word of {witnesses}; {auditors}"
    assert claims["this is the network that you mean"].endswith("give --network")
    genesis = replace(trust.genesis, proof_mode=ProofMode.PUBLISHED)
    told = replace(trust, genesis=genesis)
    claims = dict(describe_claims(told, backing, genesis.network))
    assert claims["every amount is in range"] == "proven in the data"
    assert claims["this is the network that you mean"] == "the id that you gave"
    done = run("audit", copy, "--require-cosigners")
    assert done.errors == [f"specie: cosigners_missing: {witnesses}"]
    assert f"        vouching: {witnesses}" in run("audit", copy).lines


def test_without_lines_nobody_is_credited(public: Path) -> None:  # X3
    trust, signed, _ = audit_folder(public)
    claims = dict(describe_claims(trust, load_backing(trust, signed, None), None))
    assert claims["every amount is in range"] == NOBODY
    assert claims["every reader is shown this log"] == NOBODY
    said = "specie: cosigners_missing: 0 of 0 witnesses; 0 of 0 auditors"
    assert run("audit", public, "--require-cosigners").errors == [said]


def test_lines_of_strangers_are_refused(copy: Path) -> None:  # X3
    note = (copy / "checkpoint").read_text()
    line = cosign(parse_note(note)[0], "auditor", CosignerKey.generate(), 1)
    (copy / "checkpoint").write_text(append_lines(note, [line]))
    assert check_refused(copy, "checkpoint").code is ErrorCode.CHECKPOINT_INVALID


def test_a_list_of_ones_own(copy: Path, cosigned: list[VerifierKey], tmp_path: Path) -> None:  # X3
    own, kept = tmp_path / "own", tmp_path / "keys"
    own.symlink_to(kept)
    kept.write_text(f"witness {cosigned[0].format()}\n")
    done = run("audit", copy, "--cosigners", own)
    assert done.code == 0
    assert "        vouching: 1 of 1 witnesses: lookout" in done.lines
    assert "        vouching: 0 of 0 auditors" in done.lines
    assert run("audit", copy, "--cosigners", own, "--require-cosigners").code == 0
    kept.write_text(cosigned[0].format())
    said = "specie: cosigners_invalid: own: lines of keys, each ended"
    assert run("audit", copy, "--cosigners", own).errors == [said]
    done = run("audit", copy, "--cosigners", tmp_path)
    assert done.errors[0].startswith("specie: setting_invalid: ")


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
