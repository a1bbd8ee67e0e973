"""The participant list in force, as one party knows it; it only moves forward."""

import threading

from specie.identity.genesis import Genesis
from specie.identity.participants import ParticipantList, verify_participants


class Roster:
    """Holds the newest verified list; reading it is one attribute, replacing it is atomic."""

    __slots__ = ("_adopting", "current", "genesis")

    def __init__(self, genesis: Genesis, signed: bytes) -> None:
        self.genesis = genesis
        self._adopting = threading.Lock()
        self.current: ParticipantList = verify_participants(signed, genesis)

    def adopt(self, signed: bytes) -> None:
        """Take a newer list; refuses a wrong signature and what cannot follow the present one."""
        with self._adopting:
            self.current = verify_participants(signed, self.genesis, self.current)
