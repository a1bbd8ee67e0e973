"""A request to pay: made and signed by the payee, sent as a link or shown as a QR code (page 10).

    specie:pay?v=1&n=NETWORK&a=ADDRESS&m=MINOR&o=ORDER&e=END-TO-END&x=SECONDS&p=NAME&t=TEXT&s=…

    s = Schnorr(b, H("request", network ‖ bank ‖ A ‖ B ‖ amount ‖ order ‖ end-to-end ‖ expiry
                     ‖ name48 ‖ H("request-text", text)))

One request has one spelling: fields in this order, each at most once, left out if empty. Whoever
reads one writes it again and compares. b signs, so nobody else can ask in the payee's name, or
change where the money goes; that the address is a certain person's the signature does not say.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import quote, unquote

from specie.crypto.addresses import Address, format_address, parse_address
from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import SpendKey
from specie.crypto.signatures import sign, verify_signature
from specie.values.amounts import Minor, check_minor
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text, pad_text, u32, u64, unpad_text
from specie.values.errors import SpecieError
from specie.values.identifiers import ZERO16, Digest, NetworkId, OrderId, Signature
from specie.values.limits import NAME_BYTES_MAX, REQUEST_BYTES_MAX, TEXT_MAX
from specie.values.times import Timestamp, check_timestamp

SCHEME: Final = "specie:"
_HEAD: Final = "specie:pay?"
_VERSION: Final = "1"
_FIELDS: Final = ("v", "n", "a", "m", "o", "e", "x", "p", "t", "s")
_NEEDED: Final = frozenset({"v", "n", "a", "o", "s"})


@dataclass(frozen=True, slots=True, repr=False)
class PaymentRequest:
    """What a payee asks for."""

    network: NetworkId
    payee: Address
    amount: Minor  # 0: as much as the payer likes
    order: OrderId  # drawn by the payee; what is paid under it is this request's
    end_to_end_id: bytes = ZERO16  # 16
    expiry: Timestamp = Timestamp(0)  # a whole second; 0: it has none
    name: str = ""  # as the payee calls itself
    text: str = ""  # what it is for


class RequestState(StrEnum):
    """What has become of a request, by what has arrived under its order."""

    OPEN = "open"
    EXPIRED = "expired"
    PARTLY = "partly paid"
    PAID = "paid"
    OVERPAID = "overpaid"


def format_request(request: PaymentRequest, key: SpendKey, prefix: str) -> str:
    """The link, signed with the spend key of the payee's address; `limit_exceeded` if too long."""
    _check_form(request)
    signature = sign(key, compute_request_message(request))
    return _write(request, signature, prefix)


def parse_request(link: str, network: NetworkId, prefix: str) -> PaymentRequest:
    """What a link asks for, if it has its one spelling and its payee has signed it.

    `request_invalid`, `version_unknown`, `network_mismatch`, `limit_exceeded`; an address or a
    text that is wrong by itself has its own code.
    """
    if len(link) > REQUEST_BYTES_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"at most {REQUEST_BYTES_MAX} characters")
    fields = _split(link)
    if fields["v"] != _VERSION:
        raise SpecieError(ErrorCode.VERSION_UNKNOWN, "a request of a later version")
    found = NetworkId(_read_hex(fields["n"], 16))
    if found != network:
        raise SpecieError(ErrorCode.NETWORK_MISMATCH, "a request of another network")
    request = PaymentRequest(
        network=found,
        payee=parse_address(fields["a"], prefix),
        amount=check_minor(_read_number(fields.get("m", "0"))),
        order=OrderId(_read_hex(fields["o"], 16)),
        end_to_end_id=_read_hex(fields.get("e", ZERO16.hex()), 16),
        expiry=check_timestamp(_read_number(fields.get("x", "0")) * 1000),
        name=unquote(fields.get("p", "")),
        text=unquote(fields.get("t", "")),
    )
    _check_form(request)
    signature = Signature(_read_hex(fields["s"], 64))
    if _write(request, signature, prefix) != link:
        raise SpecieError(ErrorCode.REQUEST_INVALID, "not in its one spelling")
    try:
        verify_signature(request.payee.spend, compute_request_message(request), signature)
    except SpecieError:
        reason = "its payee has not signed this: it was altered"
        raise SpecieError(ErrorCode.REQUEST_INVALID, reason) from None
    return request


def check_payable(request: PaymentRequest, now: Timestamp) -> None:
    """`request_expired` behind its last moment."""
    if request.expiry and now > request.expiry:
        raise SpecieError(ErrorCode.REQUEST_EXPIRED, "the payee wants it no longer")


def choose_amount(request: PaymentRequest, offered: Minor | None) -> Minor:
    """`request_amount_wrong` if it is open and nothing is said, or fixed and something else is."""
    if not request.amount and not offered:
        raise SpecieError(ErrorCode.REQUEST_AMOUNT_WRONG, "say how much: the payee leaves it open")
    if request.amount and offered not in (None, request.amount):
        raise SpecieError(ErrorCode.REQUEST_AMOUNT_WRONG, "the payee asks for another amount")
    return offered or request.amount


def compute_request_state(
    request: PaymentRequest, arrived: Iterable[Minor], now: Timestamp
) -> RequestState:
    """By the sum of what is final under its order, and only then by the clock."""
    total = sum(arrived)
    if not total:
        is_over = bool(request.expiry) and now > request.expiry
        return RequestState.EXPIRED if is_over else RequestState.OPEN
    if total < request.amount:
        return RequestState.PARTLY
    is_more = bool(request.amount) and total > request.amount
    return RequestState.OVERPAID if is_more else RequestState.PAID


def derive_payment_id(request: PaymentRequest, attempt: int) -> OrderId:
    """The payer's own id for paying it: paid once more, it is the same payment."""
    payee = request.payee
    name = tagged_hash(
        "request-payment", u32(payee.bank), payee.view, payee.spend, request.order, u32(attempt)
    )
    return OrderId(name[:16])


def compute_request_message(request: PaymentRequest) -> Digest:
    """What the payee's spend key signs."""
    return tagged_hash(
        "request",
        request.network,
        u32(request.payee.bank),
        request.payee.view,
        request.payee.spend,
        u64(request.amount),
        request.order,
        request.end_to_end_id,
        u64(request.expiry),
        pad_text(request.name, NAME_BYTES_MAX),
        tagged_hash("request-text", encode_text(request.text)),
    )


def _check_form(request: PaymentRequest) -> None:
    if request.order == ZERO16:
        raise SpecieError(ErrorCode.REQUEST_INVALID, "a request has an order of its own")
    if request.expiry % 1000:
        raise SpecieError(ErrorCode.REQUEST_INVALID, "it ends at a whole second")
    if len(request.text) > TEXT_MAX:
        raise SpecieError(ErrorCode.TEXT_INVALID, f"text of at most {TEXT_MAX} characters")
    for text, size in ((request.name, NAME_BYTES_MAX), (request.text, 4 * TEXT_MAX)):
        if unpad_text(pad_text(text, size)) != text:
            raise SpecieError(ErrorCode.TEXT_INVALID, "text in its one spelling, NFC")


def _write(request: PaymentRequest, signature: Signature, prefix: str) -> str:
    values = {
        "v": _VERSION,
        "n": request.network.hex(),
        "a": format_address(request.payee, prefix),
        "m": str(request.amount) if request.amount else "",
        "o": request.order.hex(),
        "e": "" if request.end_to_end_id == ZERO16 else request.end_to_end_id.hex(),
        "x": str(request.expiry // 1000) if request.expiry else "",
        "p": quote(request.name, safe=""),
        "t": quote(request.text, safe=""),
        "s": signature.hex(),
    }
    link = _HEAD + "&".join(f"{name}={values[name]}" for name in _FIELDS if values[name])
    if len(link) > REQUEST_BYTES_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"at most {REQUEST_BYTES_MAX} characters")
    return link


def _split(link: str) -> dict[str, str]:
    encode_text(link)
    if not link.startswith(_HEAD):
        raise SpecieError(ErrorCode.REQUEST_INVALID, f"a request begins with {_HEAD}")
    fields: dict[str, str] = {}
    for part in link.removeprefix(_HEAD).split("&"):
        name, _, value = part.partition("=")
        if name not in _FIELDS or name in fields or not value:
            raise SpecieError(ErrorCode.REQUEST_INVALID, "fields that are known, each once")
        fields[name] = value
    if not fields.keys() >= _NEEDED:
        raise SpecieError(ErrorCode.REQUEST_INVALID, "it has to say where, what for, by whom")
    return fields


def _read_hex(text: str, size: int) -> bytes:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != size:
        raise SpecieError(ErrorCode.REQUEST_INVALID, f"{2 * size} hex digits stand there")
    return raw


def _read_number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 20):
        raise SpecieError(ErrorCode.REQUEST_INVALID, "a whole number stands there")
    return int(text)
