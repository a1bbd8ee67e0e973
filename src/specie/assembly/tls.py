"""TLS 1.3 between processes: from a certificate, its encrypted key, and the root of the network.

institutions   both sides show a certificate of the root
public         the server alone does; clients and browsers are told the root
"""

import ssl
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from specie.store.durable_files import read_limited, replace_durably
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import KEY_FILE_BYTES_MAX

IDENTITY: Final = "tls.pem"  # encrypted key, own certificate, the intermediate's: one file
ROOT: Final = "root.pem"


def write_identity(
    folder: Path, key: ec.EllipticCurvePrivateKey, password: bytes, chain: bytes
) -> None:
    """Key and certificate together, so that they always fit; the password lies with the keys."""
    encryption = BestAvailableEncryption(password.hex().encode())
    sealed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    replace_durably(folder, IDENTITY, sealed + chain)
    (folder / IDENTITY).chmod(0o600)


def read_identity(folder: Path) -> x509.Certificate:
    """The certificate alone."""
    try:
        return x509.load_pem_x509_certificate(read_limited(folder, IDENTITY, KEY_FILE_BYTES_MAX))
    except ValueError:
        raise SpecieError(ErrorCode.CERTIFICATE_INVALID, f"{folder}: no certificate") from None


def unpack_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """A key that was sealed as plain PEM in the file of keys."""
    key = load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "certificates are signed on P-256")
    return key


def pack_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Plain PEM, to be sealed at once."""

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def build_server_context(folder: Path, password: bytes, *, is_mutual: bool) -> ssl.SSLContext:
    """For a listener; `certificate_invalid` if certificate and key do not fit."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    load_identity(context, folder, password)
    if is_mutual:
        context.load_verify_locations(folder / ROOT)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def build_client_context(folder: Path, password: bytes) -> ssl.SSLContext:
    """For calls to other institutions."""
    context = build_public_context(folder / ROOT)
    load_identity(context, folder, password)
    return context


def build_public_context(root: Path) -> ssl.SSLContext:
    """For who has no certificate: officers' tools, clients' devices."""
    if not root.is_file():
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{root}: no such file")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(root)
    return context


def load_identity(context: ssl.SSLContext, folder: Path, password: bytes) -> None:
    """For the connections from now on; `certificate_invalid` if key and certificate do not fit."""
    try:
        context.load_cert_chain(folder / IDENTITY, password=password.hex())
    except (ssl.SSLError, OSError):
        raise SpecieError(
            ErrorCode.CERTIFICATE_INVALID, f"{folder}: certificate and key do not fit"
        ) from None
