"""`CoreBank` over HTTPS: a bank's gateway to its core system (P13).

TLS 1.3 to the one certificate that the settings name, and a secret in `authorization: Bearer`: both
sides are one institution's, on its own network, so nothing has to be shown to a third party.

A refusal counts only as the core system's own word: a problem (RFC 9457) with one of three codes.
Whatever else is answered, or not, says nothing of what has happened: `core_bank_unreachable`. Who
did not answer in time is left alone for a moment, so that one hung call does not become many.
"""

import ssl
import threading
import time
from typing import Any, Final, TypeVar

from specie.ports.core_bank import Position
from specie.remote import core_bank_models as core
from specie.remote import core_bank_operations as operations
from specie.remote.channel import build_request
from specie.remote.encoding import JSON, decode, decode_problem, encode
from specie.remote.fields import Empty, Message
from specie.remote.operations import Operation
from specie.remote.wire import Answer, Wire
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, CoreAccount, EndToEndId
from specie.values.limits import CORE_BANK_SECONDS_MAX, MESSAGE_BYTES_MAX

_PAUSE_S: Final = 2.0
_REFUSALS: Final = {
    ErrorCode.FUNDS_INSUFFICIENT: "not enough on the account at the core system",
    ErrorCode.ACCOUNT_UNKNOWN: "the core system knows no such account",
    ErrorCode.CORE_BANK_REFUSED: "the core system says no: look at the account there",
}
"""In our words: theirs may hold names and amounts."""

Response = TypeVar("Response", bound=Message)


class RemoteCoreBank:
    """Of one bank."""

    def __init__(
        self,
        url: str,
        secret: str,
        context: ssl.SSLContext,
        seconds: float = CORE_BANK_SECONDS_MAX,
        pause_s: float = _PAUSE_S,
    ) -> None:
        self._url = url
        self._secret = secret
        self._wire = Wire(context, seconds)
        self._pause_s = pause_s
        self._silent_until = float("-inf")  # monotonic seconds
        self._lock = threading.Lock()

    @property
    def is_ours(self) -> bool:
        """Its books are its own."""
        return False

    def find_account(self, client: ClientId) -> CoreAccount | None:
        """The client's account if there is one that is open, and no other."""
        found = self._call(operations.FIND_ACCOUNTS, core.Customer(customer=client))
        known = [one.account for one in found.accounts if one.is_open and one.customer == client]
        return known[0] if len(known) == 1 else None

    def check_account(self, client: ClientId, account: CoreAccount) -> None:
        """`account_unknown`; `core_bank_refused` if it is not this client's, or closed."""
        found = self._get_account(account)
        if found.customer != client:
            raise SpecieError(ErrorCode.CORE_BANK_REFUSED, "the account is another customer's")
        if not found.is_open:
            raise SpecieError(ErrorCode.CORE_BANK_REFUSED, "the account is closed")

    def get_balance(self, account: CoreAccount) -> Minor:
        """What the client can use."""
        return self._get_account(account).available

    def hold(self, reference: EndToEndId, account: CoreAccount, amount: Minor) -> None:
        """`funds_insufficient`, `account_unknown`, `core_bank_refused`."""
        request = core.CoreMovement(end_to_end_id=reference, account=account, amount=amount)
        self._call(operations.HOLD, request)

    def settle(self, reference: EndToEndId) -> None:
        """`core_bank_refused` if nothing is held, or it was released."""
        self._call(operations.SETTLE, core.CoreReference(end_to_end_id=reference))

    def release(self, reference: EndToEndId) -> None:
        """`core_bank_refused` if it was settled."""
        self._call(operations.RELEASE, core.CoreReference(end_to_end_id=reference))

    def credit(self, reference: EndToEndId, account: CoreAccount, amount: Minor) -> None:
        """`account_unknown`, `core_bank_refused`."""
        request = core.CoreMovement(end_to_end_id=reference, account=account, amount=amount)
        self._call(operations.CREDIT, request)

    def count_position(self) -> Position:
        """As the core system counts it."""
        return self._call(operations.GET_POSITION, Empty()).unwrap()

    def close(self) -> None:
        """All connections."""
        self._wire.close()

    def _get_account(self, account: CoreAccount) -> core.CoreAccountRecord:
        """`core_bank_unreachable` if it answers about another one than it was asked for."""
        found = self._call(operations.GET_ACCOUNT, core.CoreAccountQuery(account=account))
        if found.account != account:
            raise SpecieError(ErrorCode.CORE_BANK_UNREACHABLE, "it speaks of another account")
        return found

    def _call(self, operation: Operation[Any, Response], request: Message) -> Response:
        answer = self._ask(operation, request)
        if answer.status == 200:
            try:
                return decode(answer.data, _read_kind(answer), operation.response)
            except SpecieError as error:
                raise SpecieError(ErrorCode.CORE_BANK_UNREACHABLE, error.message) from None
        code = decode_problem(answer.data).code if 400 <= answer.status < 500 else None
        if code is None or code not in _REFUSALS:
            reason = f"the core system answered with {answer.status}"
            raise SpecieError(ErrorCode.CORE_BANK_UNREACHABLE, reason)
        raise SpecieError(code, _REFUSALS[code])

    def _ask(self, operation: Operation[Any, Any], request: Message) -> Answer:
        with self._lock:
            is_silent = time.monotonic() < self._silent_until
        if is_silent:
            reason = "the core system did not answer a moment ago"
            raise SpecieError(ErrorCode.CORE_BANK_UNREACHABLE, reason)
        path, query, _ = build_request(operation, request)
        body = b"" if operation.method == "GET" else encode(request, JSON)
        headers = {"accept": JSON, "authorization": f"Bearer {self._secret}"}
        if body:
            headers["content-type"] = JSON
        url = self._url + path + (f"?{query}" if query else "")
        try:
            return self._wire.ask(operation.method, url, MESSAGE_BYTES_MAX, body, headers)
        except SpecieError as error:
            with self._lock:
                self._silent_until = time.monotonic() + self._pause_s
            reason = f"the core system: {error.message}"
            raise SpecieError(ErrorCode.CORE_BANK_UNREACHABLE, reason) from None


def _read_kind(answer: Answer) -> str:
    return answer.headers.get("content-type", "").split(";")[0].strip()
