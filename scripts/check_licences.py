"""Check licences, sources and duplicates of everything we depend on, against written lists.

Crates: `cargo metadata` against deny.toml, which is also run through cargo-deny where that tool is
installed. Python packages: the metadata installed in .venv against pyproject.toml,
[tool.specie.licences]. A package whose licence cannot be read is a failure, not a pass.
"""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

# How packages without an SPDX expression spell their licence, in `License` or in a classifier.
SPDX_OF_NAME: Mapping[str, str] = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "PSFL": "PSF-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


def is_allowed(expression: str, allowed: frozenset[str]) -> bool:
    """Tell whether an SPDX expression can be met with the allowed licences only.

    OR asks for one side, AND for both and binds tighter; `X WITH Y` is a licence of its own.
    """
    text = re.sub(r"\s+WITH\s+", "+WITH+", expression.replace("/", " OR "))
    tokens = re.findall(r"[()]|[^\s()]+", text)

    def any_of() -> bool:
        met = all_of()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            met = all_of() or met
        return met

    def all_of() -> bool:
        met = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            met = one() and met
        return met

    def one() -> bool:
        token = tokens.pop(0) if tokens else ""
        if token != "(":
            return token.replace("+WITH+", " WITH ") in allowed
        met = any_of()
        return bool(tokens) and tokens.pop(0) == ")" and met

    met = any_of()
    return met and not tokens


def get_python_licence(package: metadata.PackageMetadata) -> str:
    """Read a package's licence as an SPDX expression; empty if it names none that we know."""
    fields = package.json
    if "license_expression" in fields:
        return str(fields["license_expression"])
    classifiers = [c for c in fields.get("classifier", ()) if c.startswith("License ::")]
    spelled = [str(fields.get("license", "")), *(c.rpartition(" :: ")[2] for c in classifiers)]
    known = {SPDX_OF_NAME.get(name, name) for name in spelled if name}
    usable = sorted(name for name in known if re.fullmatch(r"[A-Za-z0-9.+-]+", name))
    return " AND ".join(usable)


def read_locked_names(lock: Path) -> list[str]:
    """Names of the packages a lock file pins."""
    return re.findall(r"^([a-z0-9._-]+)==", lock.read_text(), re.MULTILINE)


def find_python_problems(
    names: Iterable[str], allowed: frozenset[str], read: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Yield a line for each installed package whose licence is not allowed or not known.

    `read` has what we read in the licence files of packages whose metadata names no SPDX licence.
    """
    for name in names:
        try:
            package = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            print(f"note: {name}: for other systems, not installed here, its licence not read")
            continue
        licence = get_python_licence(package) or (read or {}).get(name, "")
        if not is_allowed(licence, allowed):
            yield f"{name}: licence {licence or 'unknown'} is not allowed (pyproject.toml)"


def find_crate_problems(
    packages: Iterable[Mapping[str, Any]], rules: Mapping[str, Any]
) -> Iterator[str]:
    """Yield a line for each crate whose licence, source or second version is not allowed."""
    allowed = frozenset(rules["licenses"]["allow"])
    sources = {f"registry+{address}" for address in rules["sources"]["allow-registry"]}
    skipped = {entry["crate"] for entry in rules["bans"]["skip"]}
    names = Counter[str]()
    foreign = [package for package in packages if package["source"] is not None]
    for package in foreign:
        name = f"{package['name']}@{package['version']}"
        names.update([package["name"]] if name not in skipped else [])
        if package["source"] not in sources:
            yield f"{name}: source {package['source']} is not allowed (deny.toml)"
        if not is_allowed(package["license"] or "", allowed):
            yield f"{name}: licence {package['license']} is not allowed (deny.toml)"
    for name, count in names.items():
        if count > 1:
            yield f"{name}: {count} versions of one crate (deny.toml)"


def run_cargo_deny() -> Iterator[str]:
    """Run the tool itself where it is installed; else say that it was not."""
    if shutil.which("cargo-deny") is None:
        print("note: cargo-deny is not installed: deny.toml was read by this check alone")
        return
    command = ["cargo", "deny", "--locked", "--offline", "check", "licenses", "bans", "sources"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        yield f"cargo-deny: {done.stderr}"


def read_crates(targets: Iterable[str]) -> list[dict[str, Any]]:
    """List every crate that is built for one of the targets."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    for target in targets:
        command += ["--filter-platform", target]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    packages: list[dict[str, Any]] = json.loads(done.stdout)["packages"]
    return packages


def main() -> int:
    """Print every problem; the exit code tells whether there was one."""
    lists = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["specie"]["licences"]
    rules = tomllib.loads((ROOT / "deny.toml").read_text())
    runtime = read_locked_names(ROOT / "requirements/runtime.lock")
    tools = set(read_locked_names(ROOT / "requirements/dev.lock")) - set(runtime)
    shipped = frozenset(lists["allow"])
    problems = [
        *find_python_problems(runtime, shipped, lists["read"]),
        *find_python_problems(
            sorted(tools), shipped | set(lists["allow_in_development"]), lists["read"]
        ),
        *find_crate_problems(read_crates(rules["graph"]["targets"]), rules),
        *run_cargo_deny(),
    ]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
