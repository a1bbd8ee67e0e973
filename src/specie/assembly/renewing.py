"""A process' certificate and keys change while it lives (T2).

    certificate   a third of its time is left → new key, request, certificate; contexts take it
    signing keys  drawn here, agreed to by officers, in the lists → the process starts anew

Connections that are open keep the certificate with which they were opened.
"""

import datetime as dt
import secrets
import time
from contextlib import closing
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from specie.assembly.centre import ISSUING_KEY
from specie.assembly.ceremony import draw_signer
from specie.assembly.foundation import KEYS, Foundation, open_foundation
from specie.assembly.lists import ISSUER, REVOCATIONS, ROOT_FILE, read_list, write_list
from specie.assembly.tls import (
    load_identity,
    pack_key,
    read_identity,
    unpack_key,
    write_identity,
)
from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionKey, SigningKey
from specie.identity.certificates import (
    Issuer,
    build_request,
    build_revocations,
    create_intermediate,
    verify_chain,
)
from specie.identity.cosigners import CosignerRole
from specie.identity.rotation import Rotation, sign_rotation
from specie.identity.services import ServiceRole
from specie.log.notes import get_verifier_key
from specie.remote import client_models as clients
from specie.remote import desk_operations as desk
from specie.remote.institutions import CENTRAL_BANK
from specie.store.certificate_store import SqliteCertificateStore
from specie.store.key_file import KeyFile
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import CERTIFICATE_DAYS

_LEFT: Final = dt.timedelta(days=CERTIFICATE_DAYS / 3)
_COSIGNING: Final = {
    ServiceRole.BANK: CosignerRole.WITNESS,
    ServiceRole.AUDITOR: CosignerRole.AUDITOR,
}
_TRY_EVERY_S: Final = 60.0
_LOG: Final = structlog.get_logger("specie.process")


def renew_if_due(base: Foundation) -> list[SpecieError]:
    """In every round of the worker; gives why it could not be done, tries again in a minute."""
    if base.certificate_ends is None:
        base.certificate_ends = read_identity(base.folder).not_valid_after_utc
    now = dt.datetime.fromtimestamp(base.clock.now() / 1000, dt.UTC)
    tried = time.monotonic()
    if base.certificate_ends - now > _LEFT or tried - base.renewal_tried_at < _TRY_EVERY_S:
        return []
    base.renewal_tried_at = tried
    try:
        base.certificate_ends = renew(base).not_valid_after_utc
    except SpecieError as error:
        return [error]
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
    """New keys beside the old ones, in file or token; they count once they are listed."""
    with closing(open_foundation(folder, passphrase)) as base:
        service = base.peers.services.get(base.name)
        label = secrets.token_hex(4)
        institution = draw_signer(base.keys, base.token, f"institution-{label}")
        attestation = None
        if service.role is ServiceRole.BANK:
            attestation = SigningKey.generate()
            base.keys.put(f"attestation-{label}", attestation)
        return sign_rotation(base.peers.network, base.name, service.key, institution, attestation)


def draw_cosigner(folder: Path, passphrase: str) -> tuple[CosignerRole, str]:
    """New keys of a witness or auditor, as they stand in the list of cosigners."""
    with closing(open_foundation(folder, passphrase)) as base:
        role = _COSIGNING.get(base.peers.services.get(base.name).role)
        if role is None:
            raise SpecieError(ErrorCode.SETTING_INVALID, f"{base.name} cosigns nothing")
        label = f"{role.value}-{secrets.token_hex(4)}"
        plain, quantum_safe = InstitutionKey.generate(), CosignerKey.generate()
        base.keys.put(label, plain)
        base.keys.put(f"{label}-ml-dsa", quantum_safe)
        keys = [get_verifier_key(base.name, one).format() for one in (plain, quantum_safe)]
        return role, " ".join(keys)


def renew_intermediate(folder: Path, passphrase: str, offline: Path, opening: str) -> str:
    """A new intermediate, signed with the root's key from the safe; gives until when it counts.

    `folder` is the central bank's. With it goes a list of revocations that it has signed, for
    everybody takes both; certificates of the older one count until they end or are renewed.
    """
    keys, root_keys = KeyFile(folder / KEYS, passphrase), KeyFile(offline / KEYS, opening)
    top = Issuer(
        x509.load_pem_x509_certificate(read_list(folder, ROOT_FILE)),
        unpack_key(root_keys.get_secret("root")),
    )
    with closing(open_foundation(folder, passphrase)) as base:
        now, key = base.clock.now(), ec.generate_private_key(ec.SECP256R1())
        title = base.peers.roster.genesis.name
        certificate = create_intermediate(title, key.public_key(), top, now)
        pem = certificate.public_bytes(Encoding.PEM)
        base.peers.adopt_issuer(pem, top.certificate)
        store = SqliteCertificateStore(base.database)
        number = max(store.draw_number(), base.peers.revocations.number + 1)
        revoked = store.load_revoked(now)
        listed = build_revocations(revoked, number, Issuer(certificate, key), now)
        keys.put_secret(f"{ISSUING_KEY}-{secrets.token_hex(4)}", pack_key(key))
        write_list(folder, ISSUER, pem)
        write_list(folder, REVOCATIONS, listed.public_bytes(Encoding.DER))
        return certificate.not_valid_after_utc.isoformat()
