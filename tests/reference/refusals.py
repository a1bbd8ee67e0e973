"""The one exception of the twins: a code, the same word the native kernel uses."""


class Refused(Exception):
    """The input breaks a rule; `code` names it (one of the kernel's ERROR_CODES)."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)
