"""What a peer may send that no peer should: a message as it is, twisted in one way.

Who twists has no institution's key: a digest it can compute anew, a signature it cannot.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from specie.remote.signing import compute_digest
from specie.values.limits import MESSAGE_BYTES_MAX

LENGTH: Final = "content-length"


@dataclass(frozen=True)
class Said:
    """A request or an answer on its way."""

    status: int  # of an answer
    headers: Mapping[str, str]  # names in small letters
    body: bytes
    is_endless: bool = False  # zeros follow until the connection ends

    def change(self, **headers: str | None) -> "Said":
        """With other headers; None takes one away."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        whole = {**self.headers, **named}
        return replace(self, headers={k: v for k, v in whole.items() if v is not None})

    def say(self, body: bytes) -> "Said":
        """Another body, as long as its head says."""
        return replace(self.change(content_length=str(len(body))), body=body)


def flip(data: bytes) -> bytes:
    """One bit in the middle."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :] if data else b"\x00"


def announce_anew(said: Said) -> Said:
    return said.change(content_digest=compute_digest(said.body))


def spoil_signature(said: Said) -> Said:
    signature = said.headers.get("signature", "")
    return said.change(signature=signature[::-1] if signature else None)


Twist = Callable[[Said], Said]

BOTH: Final[dict[str, Twist]] = {
    "truncated": lambda said: said.say(said.body[: len(said.body) // 2]),
    "changed": lambda said: said.say(flip(said.body)),
    "malformed": lambda said: announce_anew(said.say(b"\xff" * 64)),
    "wrong digest": lambda said: said.change(content_digest=compute_digest(b"another")),
    "wrong signature": spoil_signature,
    "unsigned": lambda said: said.change(signature=None, signature_input=None),
}
ANSWERS: Final[dict[str, Twist]] = {
    **BOTH,
    "cut short": lambda said: replace(said, body=said.body[: len(said.body) // 2]),
    "of another status": lambda said: replace(said, status=404 if said.status == 200 else 200),
    "without a length": lambda said: said.change(content_length=None),
    "packed": lambda said: said.change(content_encoding="gzip"),
    "oversized": lambda said: replace(
        said.change(content_length=str(2 * MESSAGE_BYTES_MAX + 1)), is_endless=True
    ),
    "endless": lambda said: replace(said.change(content_length=None), is_endless=True),
}
REQUESTS: Final = BOTH


@dataclass
class Mischief:
    """One message of three is twisted, each time in the next way."""

    seed: int
    struck: Counter[str] = field(default_factory=Counter)
    _turn: Counter[str] = field(default_factory=Counter)
    _random: random.Random = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def twist_request(self, said: Said) -> Said:
        return self._twist("request", REQUESTS, said)

    def twist_answer(self, said: Said) -> Said:
        return self._twist("answer", ANSWERS, said)

    def list_missing(self) -> set[str]:
        """What has not happened yet."""
        wanted = {f"request {name}" for name in REQUESTS} | {f"answer {name}" for name in ANSWERS}
        return wanted - set(self.struck)

    def _twist(self, kind: str, ways: Mapping[str, Twist], said: Said) -> Said:
        with self._lock:
            if self._random.random() > 1 / 3:
                return said
            name = list(ways)[self._turn[kind] % len(ways)]
            self._turn[kind] += 1
            self.struck[f"{kind} {name}"] += 1
        return ways[name](said)
