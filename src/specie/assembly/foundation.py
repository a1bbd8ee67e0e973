"""What every process stands on: its settings, keys, database, lists, and its way to the others."""

import contextlib
import datetime as dt
import os
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, TypeVar

import structlog

from specie.assembly.alarms import CERTIFICATE_ENDS, CLOCK_OFF, LISTS_OLD, Alarms
from specie.assembly.lists import COSIGNERS, ISSUER, ListReader, load_peers, read_list
from specie.assembly.service_settings import Keys, ServiceSettings, load_settings
from specie.assembly.system import RandomIdentifiers, SystemClock
from specie.assembly.tls import (
    ROOT,
    build_client_context,
    build_public_context,
)
from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionKey, InstitutionSigner, SealingKey, SigningKey
from specie.identity.cosigners import CosignerRole, verify_cosigners
from specie.identity.services import ServiceRole
from specie.log.notes import SignatureType, VerifierKey
from specie.ports.clock import Clock
from specie.remote.channel import Channel, Speaker
from specie.remote.peers import Peers
from specie.store.database import Database
from specie.store.durable_files import read_regular
from specie.store.hsm import HsmToken
from specie.store.key_file import KeyFile
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import InstitutionPublicKey, PublicKey, ServiceName
from specie.values.limits import CERTIFICATE_DAYS, MESSAGE_AGE_MS_MAX, PASSPHRASE_BYTES_MAX
from specie.wallet.vault import Surroundings

KEYS: Final = "keys.json"
PASSPHRASE: Final = "SPECIE_PASSPHRASE"
DATABASE: Final = "SPECIE_DATABASE"
CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"  # systemd's
TLS_PASSWORD: Final = "tls-password"
PIN: Final = "token-pin"  # of the hardware module's token
_LISTS_OLD_S: Final = 60.0
_CURRENT: Final = (CosignerRole.WITNESS, CosignerRole.AUDITOR)
Found = TypeVar("Found", InstitutionKey, SigningKey, CosignerKey)
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
    renewal_tried_at: float = float("-inf")
    own_keys: tuple[bytes, ...] = ()  # by the lists, when we started
    alarms: Alarms = field(default_factory=Alarms)
    is_outdated: bool = False  # they name others now: start anew
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

    def find_key(self, public: InstitutionPublicKey) -> InstitutionSigner:
        """Ours of this public half, in the file or in the hardware module."""
        return find_key(self.keys, self.token, public)

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
        own = list_own_keys(self.peers, self.name, self.folder)
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
    """Everything verified before anything is offered."""
    settings = load_settings(folder)
    keys = KeyFile(folder / KEYS, passphrase)
    password = keys.get_secret(TLS_PASSWORD)
    peers = load_peers(folder, settings.network_id)
    clock = SystemClock()
    service = peers.services.get(settings.name)
    token = _open_token(settings.keys, keys)
    speaker = Speaker(settings.name, find_key(keys, token, service.key))
    context = build_client_context(folder, password)
    channel = Channel(speaker, peers, context, clock)
    public = build_public_context(folder / ROOT)
    place = os.environ.get(DATABASE) or folder / f"{get_kind(settings.name)}.db"
    return Foundation(
        folder=folder,
        settings=settings,
        keys=keys,
        database=Database(place, is_migrating=is_migrating),
        peers=peers,
        channel=channel,
        clock=clock,
        lists=ListReader(settings.network.lists, folder, peers, public),
        tls_password=password,
        token=token,
        contexts=[context],
        own_keys=list_own_keys(peers, settings.name, folder),
    )


def list_own_keys(peers: Peers, name: ServiceName, folder: Path) -> tuple[bytes, ...]:
    """Of a service, in all lists."""
    cosigning = tuple(key.public for key in list_cosigner_keys(peers, name, folder))
    issuing = (read_list(folder, ISSUER),) if get_kind(name) == "central" else ()
    return _list_signing_keys(peers, name) + cosigning + issuing


def list_cosigner_keys(peers: Peers, name: ServiceName, folder: Path) -> list[VerifierKey]:
    """With which it cosigns: the newest of each kind."""
    listed = verify_cosigners(read_list(folder, COSIGNERS), peers.roster.genesis)
    mine = [key for role, key in listed.entries if key.name == name and role in _CURRENT]
    return list({key.type: key for key in mine}.values())


def _list_signing_keys(peers: Peers, name: ServiceName) -> tuple[bytes, ...]:
    service, members = peers.services.get(name), peers.roster.current
    if service.role is ServiceRole.BANK:
        member = members.get(service.number)
        return service.key, member.institution_key, member.attestation_key
    if service.role is ServiceRole.REGISTRATION:
        return service.key, members.get_central_bank().institution_key
    if service.role is ServiceRole.ACCOUNTING:
        return service.key, members.accounting_key
    return (service.key,)


def find_attestation_key(keys: KeyFile, public: PublicKey) -> SigningKey:
    """The one that the participant list names."""
    return _find_in_file(keys, SigningKey.unseal, public)


def find_cosigner_keys(base: Foundation, kind: str) -> tuple[InstitutionKey, CosignerKey]:
    """The ones that the list names; before it names any, those that were drawn first."""
    public = {
        one.type: one.public for one in list_cosigner_keys(base.peers, base.name, base.folder)
    }
    plain = public.get(SignatureType.COSIGNER_ED25519)
    quantum_safe = public.get(SignatureType.COSIGNER_ML_DSA_44)
    keys = base.keys
    return (
        keys.get(kind, InstitutionKey.unseal)
        if plain is None
        else _find_in_file(keys, InstitutionKey.unseal, plain),
        keys.get(f"{kind}-ml-dsa", CosignerKey.unseal)
        if quantum_safe is None
        else _find_in_file(keys, CosignerKey.unseal, quantum_safe),
    )


def _find_in_file(
    keys: KeyFile, unseal: Callable[[SealingKey, bytes, bytes], Found], public: bytes
) -> Found:
    for name in keys.list_names():
        with contextlib.suppress(SpecieError):
            key = keys.get(name, unseal)
            if key.public == public:
                return key
    raise SpecieError(ErrorCode.SETTING_INVALID, "no key here is the one in the network's lists")


def find_key(
    keys: KeyFile, token: HsmToken | None, public: InstitutionPublicKey
) -> InstitutionSigner:
    """The one that the lists name: after a rotation there are older ones as well."""
    in_token = token.find(public) if token else None
    if in_token is not None:
        return in_token
    return _find_in_file(keys, InstitutionKey.unseal, public)


def _open_token(settings: Keys, keys: KeyFile) -> HsmToken | None:
    if settings.source == "file":
        return None
    return HsmToken(Path(settings.module), settings.token, keys.get_secret(PIN).decode())


def read_passphrase(folder: Path, given: Path | None) -> str:
    """From a file that was named, the environment, or systemd's credentials; never an argument."""
    place = given
    credentials = os.environ.get(CREDENTIALS)
    if place is None and credentials:
        place = Path(credentials) / "passphrase"
    if place is None:
        found = os.environ.get(PASSPHRASE)
        if not found:
            reason = f"{folder.name}: a passphrase in {PASSPHRASE}, or --passphrase-file"
            raise SpecieError(ErrorCode.SETTING_INVALID, reason)
        return found
    try:
        return read_regular(place, PASSPHRASE_BYTES_MAX).decode().rstrip("\n")
    except (OSError, UnicodeDecodeError):
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{place}: not readable") from None


def get_kind(name: ServiceName) -> str:
    """`bank-2` → `bank`."""
    return name.split("-", maxsplit=1)[0]
