"""Files over HTTPS from whoever publishes them: bounded, never redirected, not believed yet."""

import ssl

from specie.remote.wire import Answer, Wire
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import LOG_FILE_BYTES_MAX


class Fetcher:
    """One address, its connection kept; `context` is what its certificate has to be under.

    `timeout_s` is for each file as a whole.
    """

    def __init__(self, url: str, context: ssl.SSLContext | None, timeout_s: float) -> None:
        self.url = url.rstrip("/")
        self._wire = Wire(context, timeout_s)

    def fetch(self, path: str, bytes_max: int = LOG_FILE_BYTES_MAX) -> bytes:
        """`unreachable` if nobody answers, or not with it."""
        found = self.find(path, bytes_max)
        if found is None:
            raise SpecieError(ErrorCode.UNREACHABLE, f"{self.url}/{path}: 404")
        return found

    def find(self, path: str, bytes_max: int = LOG_FILE_BYTES_MAX) -> bytes | None:
        """The same; None for what is not there (404)."""
        place = f"{self.url}/{path}"
        answer = self._ask(place, bytes_max)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise SpecieError(ErrorCode.UNREACHABLE, f"{place}: {answer.status}")
        return answer.data

    def _ask(self, place: str, bytes_max: int) -> Answer:
        try:
            return self._wire.ask("GET", place, bytes_max)
        except SpecieError as error:
            raise SpecieError(error.code, f"{place}: no answer ({error.message})") from None
