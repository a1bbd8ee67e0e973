"""Files over HTTPS from whoever publishes them: bounded, never redirected, not believed yet."""

import ssl

import urllib3
from urllib3.exceptions import HTTPError

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import LOG_FILE_BYTES_MAX


class Fetcher:
    """One address, its connection kept; `context` is what its certificate has to be under."""

    def __init__(self, url: str, context: ssl.SSLContext | None, timeout_s: float) -> None:
        self.url = url.rstrip("/")
        self._pool = urllib3.PoolManager(ssl_context=context, timeout=timeout_s, retries=False)

    def fetch(self, path: str) -> bytes:
        """`unreachable` if nobody answers, or not with it."""
        found = self.find(path)
        if found is None:
            raise SpecieError(ErrorCode.UNREACHABLE, f"{self.url}/{path}: 404")
        return found

    def find(self, path: str) -> bytes | None:
        """The same; None for what is not there (404)."""
        place = f"{self.url}/{path}"
        try:
            answer = self._pool.request("GET", place, redirect=False, preload_content=False)
            with answer:
                data = answer.read(LOG_FILE_BYTES_MAX + 1)
        except (HTTPError, OSError) as error:
            kind = type(error).__name__
            raise SpecieError(ErrorCode.UNREACHABLE, f"{place}: no answer ({kind})") from None
        if answer.status == 404:
            return None
        if answer.status != 200 or len(data) > LOG_FILE_BYTES_MAX:
            raise SpecieError(ErrorCode.UNREACHABLE, f"{place}: {answer.status}")
        return data
