"""What is refused outside operations is a problem as well: routes, lists (X5)."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from specie.api.list_pages import build_list_pages
from specie.assembly.centre import HISTORY
from specie.assembly.lists import GENESIS
from tests.unit.api.cast import make_cast
from tests.unit.api.test_gate import DOUBLE, LOOK, House, ask


@pytest.mark.parametrize(
    ("path", "method", "status", "allowed"),
    [
        ("/v1/nothing", "POST", 404, None),
        ("/v1/look/7", "POST", 405, "GET, HEAD"),
        ("/openapi.json", "PUT", 405, "GET, HEAD"),
        ("/v1/double", "DELETE", 405, "PATCH, POST"),
    ],
)
def test_what_is_not_offered_is_a_problem(
    path: str, method: str, status: int, allowed: str | None
) -> None:
    """RFC 9110, 15.5.6: with which methods, by all of its routes; RFC 9457: the same status."""
    patched = replace(DOUBLE, name="patch", method="PATCH")
    house = House(make_cast())
    app = house.gate.build_app([(DOUBLE, house.call), (patched, house.call), (LOOK, house.look)])
    answer = ask(app, b"", {}, path=path, method=method)
    assert (answer[0], json.loads(answer[2])["status"]) == (status, status)
    assert json.loads(answer[2])["code"] == "not_found"
    assert answer[1]["content-type"] == "application/problem+json"
    assert answer[1].get("allow") == allowed


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/lists/genesis", 200),
        ("/lists/participants/1", 200),
        ("/lists/nope", 404),
        ("/lists/cosigners", 404),  # a list, but not here yet
        ("/lists/participants/99", 404),
        ("/lists/participants/x", 404),
        ("/lists/participants/" + "9" * 5_000, 404),
        ("/crl", 404),
    ],
)
def test_a_list_that_is_not_there_is_a_problem(tmp_path: Path, path: str, status: int) -> None:
    (tmp_path / GENESIS).write_bytes(b"genesis")
    (tmp_path / HISTORY).mkdir()
    (tmp_path / HISTORY / "1").write_bytes(b"the first")
    base = SimpleNamespace(folder=tmp_path)
    process: Any = SimpleNamespace(base=base, centre=None)  # what the pages look at
    app = House(make_cast()).public.build_app([], build_list_pages(process))
    answer = ask(app, b"", {}, path=path, method="GET")
    assert answer[0] == status
    if status == 404:
        assert answer[1]["content-type"] == "application/problem+json"
        assert json.loads(answer[2])["code"] == "not_found"
