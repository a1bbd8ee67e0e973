"""Our log as golang.org/x/mod sees it: note and tlog of the Go module mirror's own log (X2).

Go is not needed to build or use `specie`: without it, or without its module, this is skipped.
"""

import base64
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionKey
from specie.log.leaves import VoidLeaf
from specie.log.notes import append_lines, cosign
from specie.log.tree import compute_leaf_hash
from specie.values.identifiers import TransactionId
from tests.building import make_world
from tests.press import Press
from tests.unit.ledger.test_receipts import write

SOURCE = Path(__file__).parent / "golog"
SIZES = (1, 256, 300, 1_000)
GO_S_MAX = 120


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from pinned sources; go.sum says which."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is not installed")
    target = tmp_path_factory.mktemp("go") / "golog"
    environment = {**os.environ, "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local"}

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [go, *arguments],
            cwd=SOURCE,
            env=environment,
            capture_output=True,
            text=True,
            timeout=GO_S_MAX,
            check=False,
        )

    fetched = call("mod", "download")
    if fetched.returncode:
        pytest.skip(f"golang.org/x/mod cannot be had: {fetched.stderr.strip()[-200:]}")
    built = call("build", "-o", str(target), ".")
    assert built.returncode == 0, built.stderr
    return target


@pytest.fixture(scope="module", params=SIZES)
def press(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Press:
    """A log of void leaves, with a witness's lines that Go does not know."""
    made = Press(make_world(), tmp_path_factory.mktemp("log"))
    numbers = range(request.param)
    made.append([VoidLeaf(TransactionId(n.to_bytes(32, "big"))).pack() for n in numbers])
    keys = (InstitutionKey.generate(), CosignerKey.generate())
    lines = [cosign(made.checkpoint, "witness.example", key, 1) for key in keys]
    made.log.write_checkpoint(append_lines(made.log.read_checkpoint(), lines), request.param)
    return made


def run(program: Path, folder: Path, key: str, index: int, receipt: str) -> tuple[int, str]:
    """Its answer."""
    done = subprocess.run(
        [str(program), str(folder), key, str(index)],
        input=receipt,
        capture_output=True,
        text=True,
        timeout=GO_S_MAX,
        check=False,
    )
    return done.returncode, done.stdout.strip()


def test_go_agrees(program: Path, press: Press) -> None:
    """Signature, key id, tile paths, tile bytes, root, proof of inclusion."""
    key, size = press.trust.get_log_key().format(), len(press.leaves)
    root = press.checkpoint.format().split("\n")[2]
    for index in sorted({0, size // 2, 255 % size, 256 % size, size - 1}):
        code, answer = run(program, press.folder, key, index, write(press, index))
        assert code == 0, answer
        assert answer.split(" ")[:2] == [str(size), root]
        leaf_hash = base64.b64encode(compute_leaf_hash(press.leaves[index])).decode()
        assert answer.split(" ")[2] == leaf_hash


def test_go_refuses_what_we_refuse(program: Path, press: Press, tmp_path: Path) -> None:
    key = press.trust.get_log_key()
    receipt = write(press, 0)
    stranger = type(key)(key.name, key.type, InstitutionKey.generate().public)
    assert run(program, press.folder, stranger.format(), 0, receipt)[0] == 1
    if len(press.leaves) > 1:
        assert run(program, press.folder, key.format(), 1, receipt)[0] == 1
    copy = tmp_path / "copy"
    shutil.copytree(press.folder, copy)
    edge = next(path for path in sorted((copy / "tile" / "0").rglob("*")) if path.is_file())
    data = edge.read_bytes()
    edge.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    assert run(program, copy, key.format(), 0, receipt)[0] == 1
