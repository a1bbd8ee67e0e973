"""The project's own checks catch what they are there to catch."""

import pytest

from scripts.check_advisories import read_report
from scripts.check_licences import find_crate_problems, find_python_problems, is_allowed

ALLOWED = frozenset({"MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"})
RULES = {
    "licenses": {"allow": list(ALLOWED)},
    "sources": {"allow-registry": ["https://registry.test/index"]},
    "bans": {"skip": [{"crate": "old@1.0.0", "reason": "…"}]},
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", True),
        ("MIT/Apache-2.0", True),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("MIT OR GPL-3.0-only AND X", True),
        ("(MIT OR GPL-3.0-only) AND X", False),
        ("(MIT OR X) AND Apache-2.0 WITH LLVM-exception", True),
        ("MIT WITH LLVM-exception", False),
        ("GPL-3.0-only", False),
        ("(MIT", False),
        ("MIT Apache-2.0", False),
        ("", False),
    ],
)
def test_licence_expression(expression: str, expected: bool) -> None:
    assert is_allowed(expression, ALLOWED) == expected


def crate(name: str, version: str = "1.0.0", **fields: str | None) -> dict[str, str | None]:
    source = "registry+https://registry.test/index"
    return {"name": name, "version": version, "source": source, "license": "MIT", **fields}


def test_crates_by_licence_source_and_version() -> None:
    good = [crate("a"), crate("old"), crate("old", "2.0.0"), crate("ours", source=None)]
    assert list(find_crate_problems(good, RULES)) == []
    assert "licence GPL" in next(find_crate_problems([crate("a", license="GPL-3.0-only")], RULES))
    assert "licence None" in next(find_crate_problems([crate("a", license=None)], RULES))
    assert "source git" in next(find_crate_problems([crate("a", source="git+file:///a")], RULES))
    assert "2 versions" in next(find_crate_problems([crate("a"), crate("a", "2.0.0")], RULES))


def test_python_package_by_licence(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(find_python_problems(["pytest"], ALLOWED)) == []
    assert list(find_python_problems(["pytest"], frozenset({"ISC"}))) != []
    assert list(find_python_problems(["not-installed"], ALLOWED)) == []
    assert "not-installed" in capsys.readouterr().out


def test_a_package_nobody_audited_is_not_taken_as_sound() -> None:
    finding = {"id": "CVE-1", "fix_versions": ["2.0"]}
    report = {
        "dependencies": [
            {"name": "sound", "version": "1.0", "vulns": []},
            {"name": "unknown", "skip_reason": "not found"},
            {"name": "weak", "version": "1.0", "vulns": [finding]},
        ]
    }
    assert read_report(report) == (["weak 1.0: CVE-1"], ["unknown"])
