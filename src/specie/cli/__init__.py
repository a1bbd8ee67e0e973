"""The command line: `specie COMMAND`.

In: arguments. Out: text for people (JSON with `--json`), exit code 0, 1 (refused) or 2 (usage).
Imported by nobody; imports assembly and whatever is below it.
Invariants: every error is one line with its code; nothing secret is printed.
"""

from specie.cli.app import app, main

__all__ = ["app", "main"]
