"""Look for known vulnerabilities in what we depend on, where a service answers that knows them.

pip-audit asks the package index, cargo-deny reads the RustSec database. Both are network services.
pip-audit answers "No known vulnerabilities" also when the index had nothing to say about a package,
so the report is read here package by package. A vulnerability found is a failure; a package that
nobody could say anything about is named in a note, never passed over.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = "requirements/dev.lock"  # holds the runtime's packages too
SECONDS_MAX = 180


def read_report(report: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Split pip-audit's report: lines on vulnerable packages, names of those nobody audited."""
    vulnerable = [
        f"{package['name']} {package['version']}: {finding['id']}"
        for package in report["dependencies"]
        for finding in package.get("vulns", [])
    ]
    unaudited = [package["name"] for package in report["dependencies"] if "skip_reason" in package]
    return vulnerable, unaudited


def audit_python() -> Iterator[str]:
    """Yield a line for each vulnerability in the locked Python packages."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes"]
    command += ["--progress-spinner", "off", "--format", "json", "--requirement", LOCK]
    try:
        done = run(command)
        report = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        print("note: SKIPPED for Python packages: the vulnerability service does not answer")
        return
    vulnerable, unaudited = read_report(report)
    count = len(report["dependencies"])
    if len(unaudited) == count:
        print(f"note: SKIPPED for all {count} Python packages: the index here knows no advisories")
    elif unaudited:
        print(f"note: SKIPPED for {', '.join(unaudited)}: unknown to the vulnerability service")
    yield from vulnerable


def audit_crates() -> Iterator[str]:
    """Yield cargo-deny's report if it finds an advisory for one of the locked crates."""
    if shutil.which("cargo-deny") is None:
        print("note: SKIPPED for crates: cargo-deny is not installed")
        return
    try:
        fetched = run(["cargo", "deny", "--locked", "fetch", "db"]).returncode == 0
    except subprocess.TimeoutExpired:
        fetched = False
    if not fetched:
        print("note: SKIPPED for crates: the RustSec database cannot be fetched from here")
        return
    done = run(["cargo", "deny", "--locked", "check", "--disable-fetch", "advisories"])
    if done.returncode != 0:
        yield done.stderr


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a tool in the repository and keep what it says."""
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS_MAX
    )


def main() -> int:
    """Print what was found; the exit code tells whether anything was."""
    problems = [*audit_python(), *audit_crates()]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
