"""How much somebody may ask in a second: a bucket that fills steadily, and is emptied by requests.

    level = min(burst, level + rate · seconds)      a request needs 1 and takes it
                                                    a body takes 1 for each 64 KiB, afterwards

Of a bucket that is full again nothing needs to be known, so those that were used longest ago are
forgotten: memory is bounded, whoever asks.
"""

import asyncio
import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from specie.values.limits import (
    ADDRESS_BURST_MAX,
    ADDRESS_SECOND_MAX,
    PERSON_BURST_MAX,
    PERSON_SECOND_MAX,
    PUBLIC_BURST_MAX,
    PUBLIC_SECOND_MAX,
    QUOTAS_KEPT_MAX,
    REFUSAL_SECONDS,
    REQUEST_BYTES,
    SERVICE_BURST_MAX,
    SERVICE_SECOND_MAX,
)


@dataclass(slots=True)
class _Bucket:
    level: float
    seen: float  # seconds


@dataclass(slots=True)
class Quotas:
    """Buckets by name. `now` is in seconds and never goes back."""

    rate: float  # requests a second
    burst: float
    kept: int = QUOTAS_KEPT_MAX
    _buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)

    def take(self, name: str, now: float) -> bool:
        """Whether one more request may come; if so it is counted."""
        bucket = self._fill(name, now)
        if bucket.level < 1:
            return False
        bucket.level -= 1
        return True

    def charge(self, name: str, size: int, now: float) -> None:
        """The bytes of a body that is here already: who owes is refused until it is paid."""
        self._fill(name, now).level -= size / REQUEST_BYTES

    def _fill(self, name: str, now: float) -> _Bucket:
        bucket = self._buckets.setdefault(name, _Bucket(self.burst, now))
        self._buckets.move_to_end(name)
        if len(self._buckets) > self.kept:
            self._buckets.popitem(last=False)
        bucket.level = min(self.burst, bucket.level + self.rate * (now - bucket.seen))
        bucket.seen = now
        return bucket


@dataclass(slots=True)
class Rations:
    """The quotas of one listener."""

    services: Quotas = field(default_factory=lambda: Quotas(SERVICE_SECOND_MAX, SERVICE_BURST_MAX))
    persons: Quotas = field(default_factory=lambda: Quotas(PERSON_SECOND_MAX, PERSON_BURST_MAX))
    addresses: Quotas = field(default_factory=lambda: Quotas(ADDRESS_SECOND_MAX, ADDRESS_BURST_MAX))
    everybody: Quotas = field(default_factory=lambda: Quotas(PUBLIC_SECOND_MAX, PUBLIC_BURST_MAX))


@dataclass(slots=True)
class Rationed:
    """ASGI before everything else: what is too much is refused unread.

    And the refusal takes its time: a connection is refused once in that time, however fast it asks.
    """

    app: ASGIApp
    admit: Callable[[Mapping[str, Any], float], bool]
    refuse: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if self.admit(scope, asyncio.get_running_loop().time()):
            await self.app(scope, receive, send)
            return
        await asyncio.sleep(REFUSAL_SECONDS)
        await self.refuse(scope, receive, send)


@dataclass(slots=True)
class RationedRoute(BaseRoute):
    """A route that is refused in the same way."""

    route: Route
    admit: Callable[[Mapping[str, Any], float], bool]
    refuse: ASGIApp

    @property
    def methods(self) -> set[str]:
        """With which it may be asked."""
        return set(self.route.methods or ())

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As the route does."""
        return self.route.matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        await Rationed(self.route.handle, self.admit, self.refuse)(scope, receive, send)


def name_place(address: str) -> str:
    """Whose an address is, as far as can be said: of IPv6, everybody has a network of 64 bits."""
    try:
        found = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
