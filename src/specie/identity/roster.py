"""The network and the participant list in force, as one party knows them."""

import threading

from specie.identity.genesis import Genesis, verify_genesis
from specie.identity.participants import ParticipantList, verify_participants
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId, ParticipantNumber


class Roster:
    """Holds the newest verified list; reading it is one attribute, replacing it is atomic.

    Every party makes its own from the signed bytes and the network id that it was told, and
    believes neither before: `network_mismatch` for another network. Who is told no id trusts
    whoever brings the bytes.
    """

    __slots__ = ("_adopting", "current", "genesis")

    def __init__(self, signed_genesis: bytes, signed: bytes, expected: NetworkId | None) -> None:
        self.genesis: Genesis = verify_genesis(signed_genesis)
        if expected is not None and self.genesis.network != expected:
            raise SpecieError(ErrorCode.NETWORK_MISMATCH, "genesis of another network")
        self._adopting = threading.Lock()
        self.current: ParticipantList = verify_participants(signed, self.genesis)

    def adopt(self, signed: bytes) -> None:
        """Take a newer list; refuses a wrong signature and what cannot follow the present one."""
        with self._adopting:
            self.current = verify_participants(signed, self.genesis, self.current)


def is_served(served: ParticipantNumber, number: ParticipantNumber, roster: Roster) -> bool:
    """Whether bank `number` attests for clients of `served`: itself, or as its successor now."""
    attester = roster.current.find_attester(served)
    return attester is not None and attester.number == number
