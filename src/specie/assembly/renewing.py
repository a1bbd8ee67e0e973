"""A process' certificate and keys change while it lives (T2).

    certificate   a third of its time is left → new key, request, certificate; contexts take it
    signing keys  drawn here, agreed to by officers, in the lists → the process starts anew,
              removes those that have ended
    storage keys  drawn here, used from the next start on; those before open what they have sealed

Connections that are open keep the certificate with which they were opened.
"""

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from specie.assembly.folders import KEYS
from specie.assembly.foundation import (
    Foundation,
    list_current_keys,
    name_cosigner_keys,
    name_signing_keys,
    open_foundation,
    open_own_keys,
    refresh_if_served,
)
from specie.assembly.lists import (
    COSIGNERS,
    ISSUER,
    REVOCATIONS,
    ROOT_FILE,
    ListReader,
    load_peers,
    read_list,
    write_list,
)
from specie.assembly.own_keys import (
    ATTESTATION,
    FIRST_TLS_KEY,
    ISSUING_KEY,
    STORAGE,
    VAULT,
    OwnKeys,
)
from specie.assembly.service_settings import load_settings
from specie.assembly.tls import (
    build_public_context,
    load_identity,
    read_identity,
    unpack_key,
    write_identity,
)
from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import SealingKey, SigningKey
from specie.identity.certificates import (
    Issuer,
    build_request,
    build_revocations,
    create_intermediate,
    verify_chain,
)
from specie.identity.cosigners import CosignerRole, verify_cosigners
from specie.identity.rotation import CosignerProof, Rotation, sign_cosigner, sign_rotation
from specie.identity.services import ServiceRole
from specie.log.notes import SignatureType
from specie.remote import client_models as clients
from specie.remote import desk_operations as desk
from specie.remote.institutions import CENTRAL_BANK
from specie.remote.peers import Peers
from specie.store.certificate_store import SqliteCertificateStore
from specie.store.key_file import KeyFile
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ServiceName
from specie.values.limits import CERTIFICATE_DAYS, STORAGE_KEYS_MAX

_LEFT: Final = dt.timedelta(days=CERTIFICATE_DAYS / 3)
_COSIGNING: Final = {
    ServiceRole.BANK: CosignerRole.WITNESS,
    ServiceRole.AUDITOR: CosignerRole.AUDITOR,
}
_PAUSE_S: Final = 1.0  # before it is tried again, doubled each time
_PAUSE_S_MAX: Final = 60.0
_LOG: Final = structlog.get_logger("specie.process")


def renew_if_due(base: Foundation) -> list[SpecieError]:
    """In every round of the worker; gives why it could not be done.

    It tries again after a second, then ever later, at last once a minute: at a start the central
    bank may not be there yet.
    """
    if base.certificate_ends is None:
        base.certificate_ends = read_identity(base.folder).not_valid_after_utc
    now = dt.datetime.fromtimestamp(base.clock.now() / 1000, dt.UTC)
    if base.certificate_ends - now > _LEFT or time.monotonic() < base.renewal_due:
        return []
    try:
        base.certificate_ends = renew(base).not_valid_after_utc
    except SpecieError as error:
        base.renewal_pause_s = min(_PAUSE_S_MAX, 2 * base.renewal_pause_s or _PAUSE_S)
        base.renewal_due = time.monotonic() + base.renewal_pause_s
        return [error]
    base.renewal_pause_s = 0.0
    _LOG.info("certificate renewed", until=base.certificate_ends.isoformat())
    return []


def renew(base: Foundation) -> x509.Certificate:
    """A new key and a new certificate for a service of the list; used from the next connection."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = clients.Renewal(request=build_request(base.name, key))
    chain = base.channel.call(CENTRAL_BANK, desk.RENEW, request).chain
    root = x509.load_pem_x509_certificate(read_list(base.folder, ROOT_FILE))
    certificate = verify_chain(chain, root, key.public_key())
    write_identity(base.folder, key, base.tls_password, chain)
    for context in base.contexts:
        load_identity(context, base.folder, base.tls_password)
    base.channel.reconnect()
    return certificate


def renew_certificate(folder: Path, passphrase: str) -> x509.Certificate:
    """By hand; a process that runs takes it with its next start."""
    with closing(open_foundation(folder, passphrase)) as base:
        return renew(base)


def draw_rotation(folder: Path, passphrase: str) -> Rotation:
    """New keys beside the old ones, in file or token; they count once they are listed.

    The present ones are not asked for, they may be lost: officers decide.
    """
    with _open_keys(folder, passphrase) as (own, peers, name):
        service = peers.services.get(name)
        kinds = [name_signing_keys(service.role)]
        if service.role is ServiceRole.BANK:
            kinds.append(ATTESTATION)
        attestation = None
        with own.file.changing():
            names = own.name_next(*kinds)
            if len(names) > 1:
                attestation = SigningKey.generate()
                own.file.put(names[1], attestation)
            institution = own.draw_signer(names[0])
        return sign_rotation(peers.network, name, service.key, institution, attestation)


def draw_cosigner(folder: Path, passphrase: str) -> tuple[CosignerRole, CosignerProof]:
    """New keys of a witness or auditor, shown to be its own; the present ones are not asked for."""
    with _open_keys(folder, passphrase) as (own, peers, name):
        service = peers.services.get(name)
        role = _COSIGNING.get(service.role)
        if role is None:
            raise SpecieError(ErrorCode.SETTING_INVALID, f"{name} cosigns nothing")
        kinds = (SignatureType.COSIGNER_ED25519, SignatureType.COSIGNER_ML_DSA_44)
        with own.file.changing():
            names = own.name_next(*(name_cosigner_keys(service.role, one) for one in kinds))
            quantum_safe = CosignerKey.generate()
            own.file.put(names[1], quantum_safe)
            plain = own.draw_signer(names[0])
        listed = verify_cosigners(read_list(folder, COSIGNERS), peers.roster.genesis)
        return role, sign_cosigner(peers.network, role, name, (plain, quantum_safe), listed)


def draw_storage_keys(folder: Path, passphrase: str) -> list[str]:
    """New keys that seal what the database gets from its process' next start on; gives their names.

    Those before them stay, and open what they have sealed: rows are not sealed anew.
    `limit_exceeded` when there are as many as may be.
    """
    settings = load_settings(folder)
    with closing(open_own_keys(folder, settings, passphrase)) as own, own.file.changing():
        kinds = [kind for kind in (STORAGE, VAULT) if own.file.has(kind)]
        if not kinds:
            raise SpecieError(ErrorCode.SETTING_INVALID, f"{settings.name} seals no rows")
        for kind in kinds:
            own.find_sealing(kind)  # all that is there opens
        names = own.name_next(*kinds)
        if own.count(STORAGE) >= STORAGE_KEYS_MAX:
            reason = f"{STORAGE_KEYS_MAX} keys seal this database already"
            raise SpecieError(ErrorCode.LIMIT_EXCEEDED, reason)
        for name in names:
            own.file.put_sealing_key(name, SealingKey.generate())
    return names


def prune_keys(base: Foundation) -> list[str]:
    """Once a process runs with the keys that count: what ended before them is gone for good.

    Lists keep the public halves, with which everything that was signed verifies.
    """
    gone = []
    try:
        for kind, current in list_current_keys(base.peers, base.name, base.folder).items():
            gone += base.own.prune(kind, current)
        gone += _forget_first(base)
    except SpecieError as error:  # the next start tries again
        _LOG.warning("keys that have ended are still here", code=error.code.value)
    if gone:
        _LOG.info("keys removed that have ended", names=gone)
    return gone


def _forget_first(base: Foundation) -> list[str]:
    """The TLS key with which a bank has joined, once it was renewed."""
    if not base.keys.has(FIRST_TLS_KEY):
        return []
    first = unpack_key(base.keys.get_secret(FIRST_TLS_KEY)).public_key()
    if read_identity(base.folder).public_key() == first:
        return []
    base.keys.remove([FIRST_TLS_KEY])
    return [FIRST_TLS_KEY]


@contextmanager
def _open_keys(folder: Path, passphrase: str) -> Iterator[tuple[OwnKeys, Peers, ServiceName]]:
    """Of a process that may not start as it is, with the newest lists that there are."""
    settings = load_settings(folder)
    own = open_own_keys(folder, settings, passphrase)
    try:
        peers = load_peers(folder, settings.network_id)
        context = build_public_context(folder / ROOT_FILE)
        lists = ListReader(settings.network.lists, folder, peers, context)
        refresh_if_served(lists, settings.name)
        yield own, peers, settings.name
    finally:
        own.close()


def renew_intermediate(folder: Path, passphrase: str, offline: Path, opening: str) -> str:
    """A new intermediate, signed with the root's key from the safe; gives until when it counts.

    `folder` is the central bank's. With it goes a list of revocations that it has signed, for
    everybody takes both; certificates of the older one count until they end or are renewed.
    """
    root_keys = KeyFile(offline / KEYS, opening)
    top = Issuer(
        x509.load_pem_x509_certificate(read_list(folder, ROOT_FILE)),
        unpack_key(root_keys.get_secret("root")),
    )
    with closing(open_foundation(folder, passphrase)) as base:
        now = base.clock.now()
        with base.keys.changing():
            key = base.own.draw_issuing(*base.own.name_next(ISSUING_KEY))
        title = base.peers.roster.genesis.name
        certificate = create_intermediate(title, key.public_key(), top, now)
        pem = certificate.public_bytes(Encoding.PEM)
        base.peers.adopt_issuer(pem, top.certificate)
        store = SqliteCertificateStore(base.database)
        number = max(store.draw_number(), base.peers.revocations.number + 1)
        revoked = store.load_revoked(now)
        listed = build_revocations(revoked, number, Issuer(certificate, key), now)
        write_list(folder, ISSUER, pem)
        write_list(folder, REVOCATIONS, listed.public_bytes(Encoding.DER))
        return certificate.not_valid_after_utc.isoformat()
