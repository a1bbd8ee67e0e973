"""The signed lists as files: what a process knows, fetched anew when it has grown old.

    genesis, participants, services, cosigners, revocations (DER), root.pem

The central bank's public face hands them out, and each bank's for its clients' devices; everybody
verifies them for themselves.
"""

import json
import ssl
import threading
from pathlib import Path
from typing import Any, Final

from cryptography import x509

from specie.assembly.fetching import Fetcher
from specie.identity.cosigners import CosignerList, verify_cosigners
from specie.identity.roster import Roster
from specie.remote.peers import Peers
from specie.store.durable_files import read_limited, replace_durably
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId
from specie.values.limits import LOG_FILE_BYTES_MAX

GENESIS: Final = "genesis"
PARTICIPANTS: Final = "participants"
SERVICES: Final = "services"
COSIGNERS: Final = "cosigners"
REVOCATIONS: Final = "revocations"
ISSUER: Final = "issuer.pem"
ROOT_FILE: Final = "root.pem"
TIME: Final = "time"  # beside the lists' versions: what the clock says there, in milliseconds
PUBLISHED: Final = (GENESIS, PARTICIPANTS, SERVICES, COSIGNERS, REVOCATIONS, ISSUER, ROOT_FILE)
_TIMEOUT_S: Final = 5.0


def read_list(folder: Path, name: str) -> bytes:
    """The file of one list."""
    return read_limited(folder, name, LOG_FILE_BYTES_MAX)


def write_list(folder: Path, name: str, data: bytes) -> None:
    """Durably."""
    replace_durably(folder, name, data)


def load_peers(folder: Path, network: NetworkId | None) -> Peers:
    """From the files; verified as if they came from anywhere.

    `setting_invalid` if there are none.
    """
    if not (folder / GENESIS).is_file():
        reason = f"{folder}: no lists of a network are there"
        raise SpecieError(ErrorCode.SETTING_INVALID, reason)
    roster = Roster(read_list(folder, GENESIS), read_list(folder, PARTICIPANTS), network)
    issuer = x509.load_pem_x509_certificate(read_list(folder, ISSUER))
    peers = Peers(roster, read_list(folder, SERVICES), issuer)
    if (folder / REVOCATIONS).exists():
        try:
            peers.adopt_revocations(read_list(folder, REVOCATIONS))
        except SpecieError:
            peers.distrust()  # of another intermediate: we were stopped between two files
    return peers


def describe_versions(peers: Peers, cosigners: int) -> dict[str, int]:
    """What a reader compares with what it has."""
    return {
        ISSUER: peers.issuer_since,
        PARTICIPANTS: peers.roster.current.version,
        SERVICES: peers.services.version,
        COSIGNERS: cosigners,
        REVOCATIONS: peers.revocations.number,
    }


class ListReader:
    """Fetches what is newer elsewhere, verifies it, keeps it."""

    def __init__(self, url: str, folder: Path, peers: Peers, context: ssl.SSLContext) -> None:
        self._fetcher = Fetcher(url, context, _TIMEOUT_S)
        self._folder = folder
        self._peers = peers
        self._refreshing = threading.Lock()
        self.time_ms = 0  # of whoever answered last

    def describe(self) -> dict[str, int]:
        """The versions that are known here."""
        cosigners = self._find_cosigners()
        return describe_versions(self._peers, cosigners.version if cosigners else 0)

    def refresh(self) -> list[str]:
        """Gives the names of lists that were newer; `unreachable` if nobody answers."""
        with self._refreshing:
            return self._refresh()

    def fetch_participants(self, version: int) -> bytes:
        """A list that was in force once, for auditors; they verify the line of them."""
        return self._fetcher.fetch(f"lists/participants/{version}")

    def _refresh(self) -> list[str]:
        offered = _read_versions(self._fetcher.fetch("lists"))
        self.time_ms = _get_number(offered, TIME)
        known = self.describe()
        newer = [name for name in known if _get_number(offered, name) > known[name]]
        for name in newer:
            data = self._fetcher.fetch(f"lists/{name}")
            self._adopt(name, data)
            write_list(self._folder, name, data)
        return newer

    def _find_cosigners(self) -> CosignerList | None:
        if not (self._folder / COSIGNERS).exists():
            return None
        return verify_cosigners(read_list(self._folder, COSIGNERS), self._peers.roster.genesis)

    def _adopt(self, name: str, data: bytes) -> None:
        if name == ISSUER:
            root = x509.load_pem_x509_certificate(read_list(self._folder, ROOT_FILE))
            self._peers.adopt_issuer(data, root)
        elif name == PARTICIPANTS:
            self._peers.roster.adopt(data)
        elif name == COSIGNERS:
            verify_cosigners(data, self._peers.roster.genesis, self._find_cosigners())
        elif name == SERVICES:
            self._peers.adopt_services(data)
        elif name == REVOCATIONS:
            self._peers.adopt_revocations(data)


def fetch_lists(url: str, folder: Path, network: NetworkId, context: ssl.SSLContext) -> Peers:
    """The first time: everything, verified against the network's id."""
    fetcher = Fetcher(url, context, _TIMEOUT_S)
    for name in (GENESIS, PARTICIPANTS, SERVICES, COSIGNERS, REVOCATIONS, ISSUER):
        write_list(folder, name, fetcher.fetch(f"lists/{name}"))
    return load_peers(folder, network)


def _read_versions(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise SpecieError(ErrorCode.UNREACHABLE, "no versions of lists") from None


def _get_number(offered: Any, name: str) -> int:
    value = offered.get(name, 0) if isinstance(offered, dict) else 0
    return value if isinstance(value, int) else 0
