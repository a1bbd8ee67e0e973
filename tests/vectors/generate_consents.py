"""Makes `consents.json`: what a client signs to let somebody read, and to end it."""

from collections.abc import Mapping
from typing import Any

from tests.reference import consents
from tests.reference.building import Draw

Content = dict[str, Any]


def make_consents(_: Mapping[str, Any]) -> Content:
    """From a fixed seed; nothing of it is a key of anybody."""
    draw = Draw(b"consents.json")
    cases = []
    for number, name, permissions in ((1, "L", 1), (2**31 - 1, "Есепші және серіктер", 7)):
        case: Content = {one: draw.take(32) for one in ("view", "spend", "reader")}
        case |= {"network": draw.take(16), "nonce": draw.take(16), "bank": 7, "serving": 2}
        case |= {"number": number, "name": name, "permissions": permissions, "from": 0}
        creation = 1_767_225_600_123
        case |= {"creation": creation, "expiration": creation + 180 * 86_400_000}
        case |= {"time": creation + 1}
        cases.append(_compute(case))
    return {"provenance": "docs/spec/01, computed by tests/reference.", "cases": cases}


def _compute(case: Content) -> Content:
    found = {
        **case,
        "packed": consents.pack_consent(case),
        "id": consents.compute_id(case),
        "end": consents.compute_end(case),
    }
    return {name: one.hex() if isinstance(one, bytes) else one for name, one in found.items()}
