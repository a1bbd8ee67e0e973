"""The search itself: it finds every spelling that it says it knows, and nothing by chance."""

import base64
import json
import os
from pathlib import Path

import cbor2
import pytest

from tests.network.canaries import Cage

AMOUNT = 7_654_321


@pytest.fixture
def cage() -> Cage:
    cage = Cage()
    cage.add_amount("amount", AMOUNT, ["76,543.21"])
    cage.add_text("name", "Zaphira Quillon")
    cage.add_bytes("key", bytes(range(32)))
    return cage


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("amount", b"paid 76,543.21 DCU"),
        ("amount", b'{"amount":7654321}'),
        ("amount", b"x" + AMOUNT.to_bytes(8, "big")),
        ("amount", b"x" + AMOUNT.to_bytes(8, "little") + b"y"),
        ("amount", cbor2.dumps({"amount": AMOUNT})),
        ("amount", AMOUNT.to_bytes(8, "big").hex().encode()),
        ("amount", base64.b64encode(b"a" + AMOUNT.to_bytes(8, "little"))),
        ("name", json.dumps({"x": "Zaphira Quillon"}).encode()),
        ("name", base64.b64encode(b"ab" + b"Zaphira Quillon" + b"c")),
        ("key", base64.b64encode(b"abcd" + bytes(range(32)) + b"e")),
        ("key", bytes(range(32)).hex().upper().encode()),
    ],
)
def test_every_spelling_is_found(cage: Cage, field: str, written: bytes) -> None:
    assert field in {one.field for one in cage.search("here", written)}


def test_a_planted_leak_is_found_in_a_folder(cage: Cage, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "db-wal").write_bytes(os.urandom(5000) + b"Zaphira Quillon\0")
    [found] = [one for one in cage.search_folder(tmp_path) if one.spelling == "text"]
    assert (found.field, found.where) == ("name", "deep/db-wal")


def test_nothing_is_found_by_chance(cage: Cage) -> None:
    assert not list(cage.search("noise", os.urandom(3_000_000)))
