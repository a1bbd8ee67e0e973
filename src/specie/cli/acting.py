"""Options of operators' commands: whose process, who asks and why, for the access log (T20)."""

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Option("--at", help="Folder of the bank's process.")]
Officer = Annotated[str, typer.Option("--as", help="Who you are; it stands in the access log.")]
Why = Annotated[str, typer.Option("--reason", help="Why; it stands in the access log.")]
