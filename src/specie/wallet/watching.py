"""Who holds the view key of one sub-wallet sees what that one receives, and spends nothing (T3).

Of the phrase's other sub-wallets it knows nothing, nor of return addresses: each has keys of its
own. It cannot be taken back, only left behind with other keys.
"""

from dataclasses import dataclass

from specie.crypto.addresses import Address
from specie.crypto.secrets import ViewKey
from specie.crypto.view_keys import parse_view_key
from specie.tokens.holdings import ReturnKeys


@dataclass(frozen=True, slots=True, repr=False)
class WatchKeys:
    """Enough to see (`tokens/scanning.py`): neither spend key nor phrase."""

    view: ViewKey
    address: Address
    returns: ReturnKeys | None = None


def read_watch_keys(text: str, prefix: str) -> WatchKeys:
    """As the holder's device has printed it; `address_invalid`, `sealed_invalid`."""
    view, address = parse_view_key(text, prefix)
    return WatchKeys(view, address)
