"""What every process stands on: its settings, keys, database, lists, and its way to the others."""

import contextlib
import datetime as dt
import os
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from specie.assembly.alarms import CERTIFICATE_ENDS, CLOCK_OFF, LISTS_OLD, Alarms
from specie.assembly.databases import make_schema_url
from specie.assembly.folders import KEYS
from specie.assembly.lists import COSIGNERS, ISSUER, ListReader, load_peers, read_list
from specie.assembly.own_keys import ATTESTATION, ISSUING_KEY, ML_DSA, OwnKeys, pack_point
from specie.assembly.service_settings import SETTINGS, ServiceSettings, load_settings
from specie.assembly.softhsm import use_tokens
from specie.assembly.system import RandomIdentifiers, SystemClock
from specie.assembly.tls import (
    ROOT,
    build_client_context,
    build_public_context,
)
from specie.assembly.tokens import open_token
from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionSigner
from specie.identity.cosigners import verify_cosigners
from specie.identity.services import ServiceRole
from specie.log.notes import SignatureType, VerifierKey
from specie.ports.clock import Clock
from specie.remote.channel import Channel, Speaker
from specie.remote.peers import Peers
from specie.store.database import Database
from specie.store.hsm import HsmToken
from specie.store.key_file import KeyFile
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import InstitutionPublicKey, ServiceName
from specie.values.limits import CERTIFICATE_DAYS, MESSAGE_AGE_MS_MAX
from specie.wallet.vault import Surroundings

DATABASE: Final = "SPECIE_DATABASE"
TLS_PASSWORD: Final = "tls-password"
_LISTS_OLD_S: Final = 60.0
_SPEAKERS: Final = (ServiceRole.CENTRAL_BANK, ServiceRole.ACCOUNTING, ServiceRole.NOTARY)
"""They are no participants of their own: their key signs messages, and what their role signs."""
_LOG: Final = structlog.get_logger("specie.process")


@dataclass(slots=True, repr=False)
class Foundation:
    """Of one process."""

    folder: Path
    settings: ServiceSettings
    keys: KeyFile
    database: Database
    peers: Peers
    channel: Channel
    clock: Clock
    lists: ListReader
    tls_password: bytes
    token: HsmToken | None = None
    contexts: list[ssl.SSLContext] = field(default_factory=list)  # with our certificate
    certificate_ends: dt.datetime | None = None
    renewal_due: float = float("-inf")  # monotonic seconds: not before
    renewal_pause_s: float = 0.0  # after the last try that failed
    own_keys: Mapping[str, frozenset[bytes]] = field(default_factory=dict)  # when we started
    alarms: Alarms = field(default_factory=Alarms)
    is_outdated: bool = False  # they name others now: start anew
    is_behind: bool = False  # our database came back from an old copy: end
    refreshed_at: float = field(default_factory=time.monotonic)
    clock_off_ms: int = 0  # how far the central bank's is ahead of ours
    _read_at: float = 0.0

    @property
    def name(self) -> ServiceName:
        """Of the process."""
        return self.settings.name

    @property
    def surroundings(self) -> Surroundings:
        """For vaults and desks."""
        return Surroundings(self.peers.roster, self.clock, RandomIdentifiers())

    @property
    def own(self) -> OwnKeys:
        """Our keys, in the file or in the hardware module."""
        return OwnKeys(self.keys, self.token)

    def find_key(self, public: InstitutionPublicKey) -> InstitutionSigner:
        """Ours of this public half."""
        return self.own.find_signer(public)

    def refresh_lists(self) -> list[str]:
        """What is newer, if it is time to ask; nothing if the central bank does not answer."""
        now = time.monotonic()
        if now - self._read_at < self.settings.work.lists_ms / 1000:
            return []
        self._read_at = now
        self.look_at_keys()
        try:
            newer = self.lists.refresh()
        except SpecieError as error:
            if error.code is not ErrorCode.UNREACHABLE:
                _LOG.warning("lists refused", code=error.code.value)
            return []
        self.refreshed_at = now
        self.clock_off_ms = self.lists.time_ms - self.clock.now() if self.lists.time_ms else 0
        return newer

    def look_at_keys(self) -> None:
        """Whether the lists name other keys of ours than those with which we started."""
        own = list_current_keys(self.peers, self.name, self.folder)
        self.is_outdated = own != self.own_keys

    def check_ages(self) -> None:
        """Alarms about what we go by."""
        found = self.describe_age()
        longest = max(_LISTS_OLD_S, 10 * self.settings.work.lists_ms / 1000)
        is_old = found["lists_age_seconds"] > longest
        self.alarms.set(LISTS_OLD, "the central bank does not answer", is_on=is_old)
        off_s = self.clock_off_ms / 1000
        why = f"the central bank's is {off_s:+.0f} s from ours"
        self.alarms.set(CLOCK_OFF, why, is_on=abs(self.clock_off_ms) > MESSAGE_AGE_MS_MAX / 2)
        left = found.get("certificate_days_left", CERTIFICATE_DAYS)
        why = f"{left:.0f} days are left"
        self.alarms.set(CERTIFICATE_ENDS, why, is_on=left < CERTIFICATE_DAYS / 6)

    def describe_age(self) -> dict[str, float]:
        """How old it is what we go by: lists in seconds, the certificate in days that are left."""
        found = {"lists_age_seconds": time.monotonic() - self.refreshed_at}
        if self.certificate_ends is not None:
            left = self.certificate_ends.timestamp() - self.clock.now() / 1000
            found["certificate_days_left"] = left / 86_400
        return found

    def close(self) -> None:
        """Connections and database."""
        self.channel.close()
        self.database.close()
        if self.token is not None:
            self.token.close()


class Process(Protocol):
    """A service that runs: what its faces and its worker use."""

    base: Foundation

    def work(self) -> Sequence[SpecieError]:
        """One round of what is open; gives what did not come to its end this time."""
        ...

    def close(self) -> None:
        """Everything that is open."""
        ...


@dataclass(slots=True, repr=False)
class Worker:
    """A thread that looks after what is open, until it is stopped."""

    process: Process
    interval_ms: int
    told: Callable[[str], None]
    prepare: Callable[[], Sequence[SpecieError]] = tuple  # first in each round
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Once."""
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """A round that is under way comes to its end."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self.interval_ms / 1000):
            self._run_once()

    def _run_once(self) -> None:
        try:
            self.process.base.refresh_lists()
            self.process.base.check_ages()
            refusals = [*self.prepare(), *self.process.work()]
        except SpecieError as error:
            refusals = [error]
        except Exception as error:  # noqa: BLE001  # told to the log; the next round comes
            _LOG.error("worker failed", error=type(error).__name__)
            self.told(ErrorCode.INTERNAL.value)
            return
        for one in refusals:
            _LOG.debug("not yet", code=one.code.value, why=one.message)
        self.told(refusals[0].code.value if refusals else "done")


def open_foundation(folder: Path, passphrase: str, *, is_migrating: bool = False) -> Foundation:
    """Everything verified before anything is offered.

    `setting_invalid` if a key that the lists name is not ours, and nobody has newer lists.
    """
    settings = load_settings(folder)
    own = open_own_keys(folder, settings, passphrase)
    password = own.file.get_secret(TLS_PASSWORD)
    peers = load_peers(folder, settings.network_id)
    if settings.name not in peers.services.services:
        reason = f"{folder / SETTINGS}: service: no {settings.name} in the list of services"
        raise SpecieError(ErrorCode.SETTING_INVALID, reason)
    public = build_public_context(folder / ROOT)
    lists = ListReader(settings.network.lists, folder, peers, public)
    if not _has_current_keys(own, peers, settings.name, folder):
        refresh_if_served(lists, settings.name)  # we were replaced while we stood still
    clock = SystemClock()
    service = peers.services.get(settings.name)
    speaker = Speaker(settings.name, own.find_signer(service.key))
    context = build_client_context(folder, password)
    answer_s = settings.work.answer_ms / 1000
    channel = Channel(speaker, peers, context, clock, answer_s=answer_s)
    return Foundation(
        folder=folder,
        settings=settings,
        keys=own.file,
        database=open_database(folder, settings, is_migrating=is_migrating),
        peers=peers,
        channel=channel,
        clock=clock,
        lists=lists,
        tls_password=password,
        token=own.token,
        contexts=[context],
        own_keys=list_current_keys(peers, settings.name, folder),
    )


def open_database(
    folder: Path, settings: ServiceSettings, *, is_migrating: bool = False
) -> Database:
    """A process' own: its file, or its schema of the server that the environment names.

    `store_unusable` if it is another service's.
    """
    server, network, name = os.environ.get(DATABASE), settings.network_id, settings.name
    place: Path | str = find_database_file(folder, name)
    if server:
        place = make_schema_url(server, network, name, given_as=DATABASE)
    database = Database(place, is_migrating=is_migrating)
    try:
        database.claim(network, name)
    except SpecieError:
        database.close()
        raise
    return database


def find_database_file(folder: Path, name: ServiceName) -> Path:
    """In a process' folder; if it is on a server, there is none, or what the ceremony left."""
    return folder / f"{get_kind(name)}.db"


def is_on_server() -> bool:
    """Whether the environment names one for this process' database."""
    return bool(os.environ.get(DATABASE))


def open_own_keys(folder: Path, settings: ServiceSettings, passphrase: str) -> OwnKeys:
    """A process' file and, if its settings name one, its token."""
    keys = KeyFile(folder / KEYS, passphrase)
    use_tokens(folder.parent, is_asked=False)
    return OwnKeys(keys, open_token(settings.keys, keys))


def refresh_if_served(lists: ListReader, name: ServiceName) -> None:
    """Newer lists, if anybody answers; the central bank's own folder has the newest there are."""
    if get_kind(name) != "central":
        with contextlib.suppress(SpecieError):
            lists.refresh()


def list_current_keys(peers: Peers, name: ServiceName, folder: Path) -> dict[str, frozenset[bytes]]:
    """Public halves of a service that count now, by their kind in its file of keys."""
    service = peers.services.get(name)
    found = {name_signing_keys(service.role): _list_signing_keys(peers, name)}
    if service.role is ServiceRole.BANK:
        attesting = peers.roster.current.get(service.number).attestation_key
        found[ATTESTATION] = frozenset({attesting})
    for key in list_cosigner_keys(peers, name, folder):
        found[name_cosigner_keys(service.role, key.type)] = frozenset({key.public})
    if service.role is ServiceRole.CENTRAL_BANK:
        public = x509.load_pem_x509_certificate(read_list(folder, ISSUER)).public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey), "issuers are on P-256"
        found[ISSUING_KEY] = frozenset({pack_point(public)})
    return found


def list_cosigner_keys(peers: Peers, name: ServiceName, folder: Path) -> list[VerifierKey]:
    """With which it cosigns: the newest of each kind."""
    listed = verify_cosigners(read_list(folder, COSIGNERS), peers.roster.genesis)
    return list(listed.list_newest(name))


def name_signing_keys(role: ServiceRole) -> str:
    """As they are called in its file or token."""
    return "message" if role in _SPEAKERS else "institution"


def name_cosigner_keys(role: ServiceRole, kind: SignatureType) -> str:
    """Of a bank, which is a witness, or of the auditor."""
    name = "auditor" if role is ServiceRole.AUDITOR else "witness"
    return f"{name}{ML_DSA}" if kind is SignatureType.COSIGNER_ML_DSA_44 else name


def find_cosigner_keys(base: Foundation) -> tuple[InstitutionSigner, CosignerKey]:
    """The ones that the list names; before it names any, those that were drawn first."""
    listed = {
        one.type: one.public for one in list_cosigner_keys(base.peers, base.name, base.folder)
    }
    own, role = base.own, base.peers.services.get(base.name).role
    plain, quantum_safe = (
        listed.get(kind) or own.get_first(name_cosigner_keys(role, kind))
        for kind in (SignatureType.COSIGNER_ED25519, SignatureType.COSIGNER_ML_DSA_44)
    )
    return own.find_signer(InstitutionPublicKey(plain)), own.find_cosigner(quantum_safe)


def _has_current_keys(own: OwnKeys, peers: Peers, name: ServiceName, folder: Path) -> bool:
    current = list_current_keys(peers, name, folder)
    return all(own.has_all(kind, keys) for kind, keys in current.items())


def _list_signing_keys(peers: Peers, name: ServiceName) -> frozenset[bytes]:
    service, members = peers.services.get(name), peers.roster.current
    found: set[bytes] = {service.key}
    if service.role is ServiceRole.ACCOUNTING:
        found.add(members.accounting_key)
    elif service.role is ServiceRole.REGISTRATION:
        found.add(members.get_central_bank().institution_key)
    elif service.role not in _SPEAKERS:
        found.add(members.get(service.number).institution_key)
    return frozenset(found)


def get_kind(name: ServiceName) -> str:
    """`bank-2` → `bank`."""
    return name.split("-", maxsplit=1)[0]
