"""Strict reading of tables that people write: unknown keys, wrong kinds, numbers out of range.

Every fault is collected under its key, so that one error names all that are wrong.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

_WORD: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_FAULTS_SHOWN: Final = 20


@dataclass(slots=True)
class Faults:
    """What is wrong, each with its key."""

    found: list[str] = field(default_factory=list)

    def add(self, key: str, what: str) -> None:
        """One more."""
        self.found.append(f"{key}: {what}")

    def insist(self) -> None:
        """`policy_invalid` if there is any."""
        if self.found:
            shown = "; ".join(self.found[:_FAULTS_SHOWN])
            more = len(self.found) - _FAULTS_SHOWN
            reason = shown + (f"; and {more} more" if more > 0 else "")
            raise SpecieError(ErrorCode.POLICY_INVALID, reason)


@dataclass(slots=True)
class Fields:
    """One table; each key is taken once, and what is left over is unknown."""

    values: Mapping[str, Any]
    path: str
    faults: Faults
    _known: set[str] = field(default_factory=set)

    def name(self, key: str) -> str:
        """The key with the tables it stands in."""
        return f"{self.path}.{key}" if self.path else key

    def take_integer(self, key: str, least: int, most: int) -> int | None:
        """A whole number within its range; None if the key is not there."""
        value = self._take(key)
        if value is None:
            return None
        if type(value) is not int or not least <= value <= most:
            self.faults.add(self.name(key), f"a whole number, {least:,} to {most:,}")
            return None
        return value

    def need_integer(self, key: str, least: int, most: int) -> int:
        """The same, and it has to be there."""
        value = self.take_integer(key, least, most)
        self._need(key)
        return least if value is None else value

    def take_text(self, key: str, most: int, default: str = "") -> str:
        """Text of one line."""
        value = self._take(key)
        if value is None:
            return default
        if not isinstance(value, str) or not 1 <= len(value) <= most or not value.isprintable():
            self.faults.add(self.name(key), f"a text in quotes, 1 to {most} letters")
            return default
        return value

    def need_word(self, key: str) -> str:
        """A name for programs."""
        value = self._take(key)
        self._need(key)
        if value is not None and not (isinstance(value, str) and _WORD.fullmatch(value)):
            self.faults.add(self.name(key), "a small letter, then small letters, digits, _ and -")
            return ""
        return value or ""

    def take_choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """One of these words; no default means that it has to be there."""
        value = self._take(key)
        if value is None and not default:
            self._need(key)
            return choices[0]
        if value is not None and value not in choices:
            self.faults.add(self.name(key), f"one of {', '.join(choices)}")
            return choices[0]
        return str(value or default)

    def take_texts(self, key: str, most: int) -> tuple[str, ...]:
        """A list of texts, each once."""
        value = self._take(key)
        if value is None:
            return ()
        is_list = isinstance(value, list) and len(value) <= most
        if not is_list or not all(isinstance(one, str) and 0 < len(one) <= 256 for one in value):
            self.faults.add(self.name(key), f"a list of at most {most:,} texts in quotes")
            return ()
        if len(set(value)) < len(value):
            self.faults.add(self.name(key), "each text once")
        return tuple(value)

    def take_table(self, key: str) -> "Fields":
        """A table; an empty one if it is not there."""
        value = self._take(key)
        if value is not None and not isinstance(value, dict):
            self.faults.add(self.name(key), "a table")
        return Fields(value if isinstance(value, dict) else {}, self.name(key), self.faults)

    def take_tables(self, key: str, least: int, most: int) -> list["Fields"]:
        """`[[key]]`, as often as it stands there."""
        value = self._take(key)
        found = [] if value is None else value
        is_list = isinstance(found, list) and all(isinstance(one, dict) for one in found)
        if not is_list or not least <= len(found) <= most:
            self.faults.add(self.name(key), f"{least} to {most} tables, each [[{key}]]")
            return []
        return [
            Fields(one, f"{self.name(key)}[{place}]", self.faults)
            for place, one in enumerate(found, 1)
        ]

    def finish(self) -> None:
        """Nothing may be left over: a key with a typing error would be a limit that is not."""
        for key in self.values:
            if key not in self._known:
                near = get_close_matches(str(key), self._known, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                self.faults.add(self.name(str(key)), f"no such key{hint}")

    def _take(self, key: str) -> Any:
        self._known.add(key)
        return self.values.get(key)

    def _need(self, key: str) -> None:
        if key not in self.values:
            self.faults.add(self.name(key), "missing")
