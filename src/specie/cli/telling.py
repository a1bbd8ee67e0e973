"""How the demo tells its story: numbered steps, each with its time, facts below."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from specie.cli.stopping import give_way


class Narrator:
    """Prints steps and facts to a console."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._number = 0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step of the story; its time is printed when it is over."""
        self._number += 1
        self._print(f"[bold]{self._number:2}. {escape(title)}[/bold]")
        started = time.perf_counter()
        yield
        passed_ms = (time.perf_counter() - started) * 1000
        self._print(f"    [dim]{passed_ms:,.0f} ms[/dim]")

    def say(self, text: str) -> None:
        """A fact, as plain text."""
        self._print(f"    {escape(text)}")

    def show(self, rows: Sequence[Sequence[str]]) -> None:
        """A small table; the first row is its head."""
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.say("  ".join(cells).rstrip())

    def _print(self, line: str) -> None:
        self.console.print(line, highlight=False, soft_wrap=True)
        give_way()


def build_progress(console: Console) -> Progress:
    """A bar with count and time left, which disappears when it is done; for terminals only."""
    return Progress(
        TextColumn("    {task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


@contextmanager
def show_progress(console: Console, name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar to be told how far it is: `(done, total)`."""
    with build_progress(console) as bar:
        task = bar.add_task(name, total=None)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield advance
