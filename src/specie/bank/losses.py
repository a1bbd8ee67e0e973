"""A wallet whose keys may be a thief's (T19, X7): how its money comes back to its owner.

    alice        lost: nothing is attested, whoever asks, with whatever keys
    alice~1      the same wallet, once its owner has opened a new one
    alice        the new one, by new keys

What was lost pays nobody but `alice`: so whoever has the old keys can do nothing but to give the
money back. Two losses make alice~1 and alice~2; both pay `alice`. Who was blocked before the loss,
or before the new wallet, is blocked with the new one.
"""

import re
from typing import Final

from specie.ports.clients import ClientStatus
from specie.values.identifiers import ClientId
from specie.values.limits import ATTEST_AHEAD_MS_MAX, ATTEST_EARLY_MS_MAX
from specie.values.times import Timestamp

BLOCKED_BY: Final = {
    ClientStatus.GOOD: ClientStatus.BLOCKED,
    ClientStatus.LOST: ClientStatus.LOST_BLOCKED,
}
"""What a block makes of a wallet's standing."""

_RETIRED: Final = re.compile(r"(.+)~[0-9]+")


def get_heir(client: ClientId) -> ClientId | None:
    """Who gets what is in this wallet, if it is one that was lost."""
    found = _RETIRED.fullmatch(client)
    return None if found is None else ClientId(found[1])


def name_retired(client: ClientId, place: int) -> ClientId:
    """The id of a client's wallet that was lost: 1, 2, …"""
    return ClientId(f"{client}~{place}")


def compute_settled_since(now: Timestamp) -> Timestamp:
    """What was attested before that is final or never will be.

    A bank attests what ends within an hour; the notary's clock may be 2 minutes behind ours.
    """
    return Timestamp(max(0, now - ATTEST_AHEAD_MS_MAX - ATTEST_EARLY_MS_MAX))


def compute_settled_at(attested: Timestamp) -> Timestamp:
    """When what was attested then is final or never will be."""
    return Timestamp(attested + ATTEST_AHEAD_MS_MAX + ATTEST_EARLY_MS_MAX)
