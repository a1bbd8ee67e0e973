"""What a command prints with `--json` has names of one word, at every depth."""

import json
from typing import Any


def check_names(text: str) -> None:
    """Of one value, or of one on each line."""
    for line in text.splitlines() if text[:1] in "{[" else ():
        _check(json.loads(line))


def _check(value: Any) -> None:
    if isinstance(value, dict):
        wrong = [name for name in value if " " in name]
        assert not wrong, f"names of several words: {wrong}"
        value = list(value.values())
    for one in value if isinstance(value, list) else ():
        _check(one)
