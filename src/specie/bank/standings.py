"""What a successor goes on with: a client's tier, and the order that freezes it (T2, T20)."""

import json
from dataclasses import asdict, dataclass

from specie.crypto.secrets import SealingKey, open_sealed
from specie.ports.supervision import Freeze
from specie.values.encoding import encode_text
from specie.values.identifiers import ClientId
from specie.values.times import Timestamp

_AAD = b"standing\0"


@dataclass(frozen=True, slots=True, repr=False)
class HandedStanding:
    """How a client stood at the bank that leaves; None: as everybody."""

    tier: str | None
    freeze: Freeze | None


def seal_standing(standing: HandedStanding, client: ClientId, key: SealingKey) -> bytes:
    """For the successor; empty if there is nothing to say."""
    if standing.tier is None and standing.freeze is None:
        return b""
    return key.seal(json.dumps(asdict(standing)).encode(), _AAD + encode_text(client))


def open_standing(
    sealed: bytes, client: ClientId, key: SealingKey, heir: ClientId
) -> HandedStanding:
    """The same at the successor, where the client is `heir`."""
    found = json.loads(open_sealed(key, sealed, _AAD + encode_text(client)))
    order = found["freeze"]
    if order is None:
        return HandedStanding(found["tier"], None)
    since, until = Timestamp(order["since"]), Timestamp(order["until"])
    freeze = Freeze(heir, order["reference"], since, until, order["officer"])
    return HandedStanding(found["tier"], freeze)
