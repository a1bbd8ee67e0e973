"""docs/reference says what the code says: each limit with its value, each setting and variable."""

import dataclasses
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from specie.api import pages
from specie.api.pages import Page
from specie.assembly import folders, foundation, service_settings
from specie.assembly.network import Settings
from specie.identity.genesis import Genesis
from specie.ledger.contracts import CASH_CONTRACT, SUPPLY_CONTRACT
from specie.remote import operations
from specie.remote.encoding import get_status
from specie.remote.operations import Operation
from specie.store.hsm import SOFTHSM_SETTINGS
from specie.values import limits
from specie.values.catalogue import ErrorCode
from specie.workload import limits as workload_limits
from tests import operations_page

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs/reference"


def read_rows(page: str, heading: str = "") -> list[list[str]]:
    """Cells of every row of every table below a heading, without heads and rules."""
    text = (REFERENCE / page).read_text()
    section = text.partition(f"## {heading}\n")[2].partition("\n## ")[0] if heading else text
    rows = [line.strip("| ").split(" | ") for line in section.split("\n") if line.startswith("|")]
    rules = [place for place, row in enumerate(rows) if set(row[-1]) == {"-"}]
    heads = {place - 1 for place in rules}
    return [row for place, row in enumerate(rows) if place not in heads | set(rules)]


def get_limits(module: ModuleType) -> dict[str, int]:
    return {name: value for name, value in vars(module).items() if name.isupper()}


def test_every_limit_is_there_with_its_value() -> None:
    known = {name: f"{value:,}" for name, value in get_limits(limits).items()}
    known |= {name: f"{value:,}" for name, value in get_limits(workload_limits).items()}
    named = {row[0].strip("`"): row[1] for row in read_rows("limits.md")}
    assert named == known


def test_every_limit_is_enforced_where_the_page_says() -> None:
    for row in read_rows("limits.md"):
        places = re.findall(r"`([a-z_]+/[a-z_]*(?:\.py)?)`", row[3]) if len(row) > 3 else []
        for place in places:
            path = ROOT / "src/specie" / place
            files = [path] if path.suffix else list(path.glob("*.py"))
            assert any(row[0].strip("`") in file.read_text() for file in files), (row[0], place)
        assert places or row[0].strip("`") in get_limits(workload_limits), row[0]


def test_every_setting_is_there() -> None:
    named = [row[0].strip("`") for row in read_rows("settings.md", "A network in one process")]
    assert named == [field.name for field in dataclasses.fields(Settings)]


def test_every_parameter_of_genesis_is_there() -> None:
    named = [row[0].strip("`") for row in read_rows("settings.md", "Genesis")]
    assert named == [field.name for field in dataclasses.fields(Genesis) if field.init]


def test_every_variable_of_the_environment_is_there() -> None:
    """`PYTHON` and `ARGS` are read by shell and make; the others are found in the source."""
    ours = re.compile(r"\$\{(SPECIE_\w+)")
    read = re.compile(r"""os\.(?:environ(?:\.get\(|\[)|getenv\()\s*["'](\w+)["']""")
    source = [path for folder in ("src", "tests", "scripts") for path in (ROOT / folder).rglob("*")]
    found = {
        name for path in source if path.suffix == ".py" for name in read.findall(path.read_text())
    }
    scripts = [path.read_text() for path in (ROOT / "scripts").glob("*.sh")]
    found |= {name for text in scripts for name in ours.findall(text)}
    found |= {folders.PASSPHRASE, foundation.DATABASE, folders.CREDENTIALS}
    found.add(SOFTHSM_SETTINGS)
    named = {row[0].strip("`") for row in read_rows("settings.md", "Environment")}
    assert named == found | {"PYTHON", "ARGS"}
    reading = {path.name for path in (ROOT / "src").rglob("*.py") if "environ" in path.read_text()}
    assert reading == {"folders.py", "foundation.py", "hsm.py", "softhsm.py"}


def test_every_setting_of_a_process_is_there() -> None:
    """Tables of TOML, each with its settings and their defaults."""
    tables: dict[str, type[BaseModel]] = {
        "network": service_settings.NetworkSettings,
        "listen": service_settings.Listen,
        "keys": service_settings.Keys,
        "observe": service_settings.Observe,
        "work": service_settings.Work,
        "core_bank": service_settings.CoreBank,
    }
    assert {"service", *tables} == set(service_settings.ServiceSettings.model_fields)
    known = {"service"}
    for table, model in tables.items():
        known |= {f"{table}.{name}" for name in model.model_fields}
    rows = read_rows("settings.md", "A process")
    assert {row[0].strip("`") for row in rows} == known
    for name, default, _ in rows:
        table, _, setting = name.strip("`").partition(".")
        if setting:
            value = tables[table].model_fields[setting].default
            shown = "–" if value is PydanticUndefined else str(value).lower()
            assert default.strip("`").replace(",", "") == (shown or "empty"), name


def test_the_contract_is_told_check_by_check() -> None:
    """As many rows as checks, in two tables, and only codes that exist."""
    rows = read_rows("errors.md", "The contract, in order")
    assert [int(row[0]) for row in rows] == list(range(1, len(SUPPLY_CONTRACT) + 1))
    assert len(rows) - len(CASH_CONTRACT) == len(set(SUPPLY_CONTRACT) - set(CASH_CONTRACT)) - 1
    codes = {code for row in rows for code in re.findall(r"`([a-z_]+)`", row[2])}
    assert codes <= {code.value for code in ErrorCode}


def test_every_code_says_what_to_do() -> None:
    rows = [row for row in read_rows("errors.md") if row[0].startswith("`")]
    assert [row[0].strip("`") for row in rows] == [code.value for code in ErrorCode]
    assert all(len(row) == 3 and row[1] and row[2] for row in rows)


def test_every_code_has_the_status_that_the_specification_says() -> None:
    """One row for each status of HTTP; what is in none is 422."""
    rows = read_rows("../spec/08-messages.md", "Refusals")
    told = {code: int(row[0]) for row in rows for code in re.findall(r"`([a-z_]+)`", row[1])}
    assert {code.value: get_status(code) for code in ErrorCode} == {
        code.value: told.get(code.value, 422) for code in ErrorCode
    }


def test_operations_are_those_that_are_offered() -> None:
    page = (REFERENCE / "operations.md").read_text()
    assert page == operations_page.format_page(), "python -m tests.operations_page"


def test_no_operation_and_no_page_is_left_out() -> None:
    """All that any module of `remote` or `api.pages` declares is in a table of the page."""
    modules = Path(operations.__file__).parent.glob("*_operations.py")
    found = [import_module(f"specie.remote.{path.stem}") for path in modules]
    declared = [
        one for module in found for one in vars(module).values() if isinstance(one, Operation)
    ]
    assert {one.name for one in declared} == {
        one.name for table in operations_page.TABLES.values() for one in table
    }
    shown = {page for table in operations_page.PAGES.values() for page in table}
    assert shown == {one for one in vars(pages).values() if isinstance(one, Page) and one.kind}
