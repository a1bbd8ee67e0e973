"""What the documents say about the repository is so: commands, targets, links, locks."""

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from typer import Typer
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from specie.cli import app

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    *ROOT.glob("*.md"),
    *(path for name in ("docs", "deploy") for path in (ROOT / name).rglob("*.md")),
]
TARGETS = {"demo", "test", "check", "bench", "soak", "fuzz", "clean"}


def read_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_bare_make_lists_every_target() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = dict(re.findall(r"^  ([a-z]+) +(\S.*)$", done.stdout, re.MULTILINE))
    assert set(listed) == read_targets() >= TARGETS


def test_readme_opens_with_demo_and_test() -> None:
    text = (ROOT / "README.md").read_text()
    blocks = re.findall(r"^ *```[a-z]*\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    lines = [line.split("#")[0].strip().removeprefix("$ ") for line in "".join(blocks).split("\n")]
    commands = [line for line in lines if line.startswith(("make", "specie", ".venv"))]
    assert commands[:2] == ["make demo", "make test"]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a clone: nothing to commit to")
def test_no_networks_keys_are_committed() -> None:
    """After the README's tour `git add .` takes nothing of it, nor keys of another folder."""
    [tour] = set(re.findall(r"--data ([a-z]+)\b", (ROOT / "README.md").read_text()))
    secret = [f"{tour}/alice.device", "other/passphrases/notary", "other/bank-2/keys.json"]
    command = ["git", "check-ignore", "--no-index", *secret]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == secret, done.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_document_names_what_exists(document: Path) -> None:
    text = document.read_text()
    assert set(re.findall(r"`make ([a-z]+)", text)) <= read_targets()
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#]+)", text)
    assert [link for link in links if not (document.parent / link).exists()] == []
    named = re.findall(r"`((?:src|tests|docs|rust|bench|scripts)/[^`\s]*)`", text)
    paths = [name for name in named if not set(name) & set("*…<{")]
    assert [path for path in paths if not (ROOT / path).exists()] == []


def find_commands(
    command: object, name: str = "specie"
) -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    """Yield every command with its full name, groups included."""
    assert isinstance(command, TyperCommand | TyperGroup)
    yield name, command
    if isinstance(command, TyperGroup):
        context = command.context_class(command)
        for part in command.list_commands(context):  # `commands` of a lazy group is empty
            yield from find_commands(command.get_command(context, part), f"{name} {part}")


def test_every_command_is_documented() -> None:
    """Each has a heading of its own in docs/reference/commands.md, and below it its options.

    What all commands of a group have stands once at the group's head, with those that have not.
    """
    assert isinstance(app, Typer)
    page = (ROOT / "docs/reference/commands.md").read_text()
    sections = dict(re.findall(r"^#+ `([^`]+)`$(.*?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL))
    missing = []
    for name, command in find_commands(get_command(app)):
        if name != "specie" and name not in sections:
            missing.append(name)
        options = [p for p in command.params if isinstance(p, TyperOption)]
        spelled = {long for o in options for long in o.opts if long.startswith("--")}
        spelled -= {"--help", "--install-completion", "--show-completion"}
        common = set() if isinstance(command, TyperGroup) else read_common(sections, name)
        missing += [f"{name} {o} is not there" for o in common - spelled]
        here = sections.get(name, "")
        missing += [f"{name} {o}" for o in spelled - common if f"`{o}" not in here]
    assert not missing, "\n".join(missing)


def read_common(sections: dict[str, str], name: str) -> set[str]:
    """Options in the table of four columns at the head of this command's group, but for those
    whose last cell names the command."""
    _, group, *words = [*name.split(), ""]
    head = sections.get(f"specie {group}", "")
    rows = re.findall(r"^\| `(--[a-z-]+)` \|[^|]+\|[^|]+\| ([^|]+) \|$", head, re.MULTILINE)
    own = f"`{' '.join(words).strip()}`"
    return {option for option, others in rows if own not in others.split(", ")}


def test_the_page_of_commands_begins_with_all_of_them() -> None:
    """A link for each command, and for those of the two groups that are long."""
    head, _, rest = (ROOT / "docs/reference/commands.md").read_text().partition("\n## ")
    headings = re.findall(r"^#* ?`specie ([^`]+)`$", rest, re.MULTILINE)
    long = ("bank", "wallet")
    shown = [one for one in headings if " " not in one or one.split()[0] in long]
    listed = re.findall(r"\(#specie-([^)]+)\)", head)
    assert sorted(listed) == sorted(one.replace(" ", "-") for one in shown if one.count(" ") < 2)


def test_scripts_can_be_run() -> None:
    scripts = [ROOT / ".ci/run", *(ROOT / "scripts").glob("*.sh")]
    assert [script for script in scripts if not os.access(script, os.X_OK)] == []


def read_lock(name: str) -> dict[str, str]:
    """Versions by package; every pin must carry a hash."""
    text = (ROOT / "requirements" / name).read_text()
    pins = re.findall(r"^([a-z0-9._-]+)==([^ ;]+).*\\\n +--hash=sha256:", text, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^\S", text, re.MULTILINE)), f"{name}: a pin has no hash"
    return dict(pins)


def test_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime, dev = read_lock("runtime.lock"), read_lock("dev.lock")
    wanted = [(runtime, text) for text in project["project"]["dependencies"]]
    wanted += [(dev, text) for text in project["dependency-groups"]["dev"]]
    for lock, text in wanted:
        requirement = Requirement(text)
        version = lock.get(requirement.name)
        assert version is not None and version in requirement.specifier, f"{text}: `make lock`"
    assert runtime.items() <= dev.items()
