"""Options of commands that stand in a bank's access log, where nobody has to be named (T20)."""

from typing import Annotated

import typer

Officer = Annotated[str, typer.Option("--as", help="Who you are; it stands in the access log.")]
Why = Annotated[str, typer.Option("--reason", help="Why; it stands in the access log.")]
