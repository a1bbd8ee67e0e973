"""The one error of the system: a catalogued code and a sentence for a person.

    SpecieError                    a rule was broken; nothing was changed
    └─ SpentError                  ... because an input is spent; carries the evidence

Messages never hold secrets, amounts of others, names or addresses (X5).
"""

from specie.values.catalogue import ErrorCode


class SpecieError(Exception):
    """A broken rule. `code` is for machines, `message` for people; nothing was changed."""

    def __init__(self, code: ErrorCode, message: str = "") -> None:
        self.code = code
        self.message = message or code.value.replace("_", " ")
        super().__init__(f"{code.value}: {self.message}")

    def __reduce__(self) -> tuple[object, ...]:
        """For another process: with all that it carries."""
        return _build_again, (type(self), self.args, self.__dict__)

    def renew(self) -> "SpecieError":
        """The same refusal as a new object: one raised in two threads mixes their tracebacks."""
        return SpecieError(self.code, self.message)


class SpentError(SpecieError):
    """An input was spent before; `evidence` convinces a third party (encoded, spec page 05)."""

    def __init__(self, message: str, evidence: bytes) -> None:
        super().__init__(ErrorCode.INPUT_SPENT, message)
        self.evidence = evidence

    def renew(self) -> "SpentError":
        """With its evidence."""
        return SpentError(self.message, self.evidence)


def _build_again(
    kind: type[SpecieError], args: tuple[object, ...], carried: dict[str, object]
) -> SpecieError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(carried)
    return error
