"""docs/security.md says of whom what they cannot do: each row names the test that shows it (X5)."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECURITY = (ROOT / "docs/security.md").read_text()


def test_every_claim_of_the_page_has_its_test() -> None:
    """docs/security.md names a test in each row of its tables of what somebody cannot do, and all
    tests of the files that are there to show such rows."""
    claims = dict(read_claims())
    assert len(claims) == SECURITY.count("| it cannot ")
    for home, named in claims.items():
        assert len({*named}) == len(named), home
        for test, place in named:
            assert f"def {test}(" in (ROOT / (place or home)).read_text(), test
    for home, start in (
        ("tests/network/test_attacks.py", "test_it_cannot"),
        ("tests/unit/assembly/test_operator.py", "test_"),
    ):
        here = re.findall(rf"^def ({start}\w+)", (ROOT / home).read_text(), re.MULTILINE)
        assert {test for test, place in claims[home] if not place} == {*here}


def read_claims() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The file that a section names before its table; test of each row, with its own file."""
    for section in SECURITY.split("\n\n## "):
        before, _, rows = section.partition("\n| it cannot ")
        if not rows:
            continue
        [home] = re.findall(r"`(tests/\S+\.py)`", before)
        table = rows.partition("\n\n")[0]
        named = re.findall(r"`(test_\w+)`(?: in `(tests/\S+)`)? \|$", table, re.MULTILINE)
        assert len(named) == table.count("\n") - 1, f"{home}: each row names its test"
        yield home, named
