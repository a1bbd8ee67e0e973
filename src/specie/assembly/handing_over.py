"""What goes to a successor is one whole: who only carries it can change and leave out nothing (T2).

    digest = H("succession", JSON of the clients)      keys sorted, without what is as if not said
    seal   = the digest, sealed under the passphrase

Parts of it stand in the clear, a client's standing and its device among them, and what is sealed
could be left out: the rule of its signatories, the order that freezes it, a token.
"""

import hmac
import json
from collections.abc import Sequence
from typing import Final

from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import SealingKey, open_sealed
from specie.remote.client_models import Succession, SuccessionClient
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest

_AAD: Final = b"succession seal\0"


def seal_succession(salt: bytes, clients: list[SuccessionClient], key: SealingKey) -> Succession:
    """By the bank that leaves."""
    seal = key.seal(_compute_digest(clients), _AAD)
    return Succession(salt=salt, clients=clients, seal=seal)


def check_succession(succession: Succession, key: SealingKey) -> None:
    """`sealed_invalid`: another passphrase, or not what the bank that leaves has written."""
    if not succession.seal:
        reason = "an export without the seal of all of it: let the bank write it again"
        raise SpecieError(ErrorCode.SEALED_INVALID, reason)
    told = open_sealed(key, succession.seal, _AAD)
    if not hmac.compare_digest(told, _compute_digest(succession.clients)):
        raise SpecieError(ErrorCode.SEALED_INVALID, "not what the bank that leaves has written")


def _compute_digest(clients: Sequence[SuccessionClient]) -> Digest:
    """What a later version adds and this one has not said changes nothing."""
    found = [one.model_dump(exclude_defaults=True) for one in clients]
    text = json.dumps(found, sort_keys=True, separators=(",", ":"), default=bytes.hex)
    return tagged_hash("succession", text.encode())
