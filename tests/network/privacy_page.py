"""The tables of docs/privacy.md as their tests read them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "privacy.md"


@dataclass(frozen=True)
class Cell:
    """What the page says that a party sees of a field."""

    table: str  # the heading above it
    row: str
    column: str
    says: str

    def __str__(self) -> str:
        return f"{self.row} · {self.column}"


def read_cells(page: Path = PAGE) -> Iterator[Cell]:
    """Of all tables; every row has as many cells as its head."""
    heading, head = "", list[str]()
    for line in page.read_text().splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if not line.startswith("|"):
            head = []
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not head:
            head = cells
        elif set(line) - set("|- "):
            for column, says in zip(head[1:], cells[1:], strict=True):
                yield Cell(heading, cells[0], column, says)
