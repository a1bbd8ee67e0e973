"""Certificates of clients' devices (T25): a key that the network vouches for, and no person.

    subject   CN device-<first 16 bytes of SHA-256 of the public key, hex>
    URI       specie:network/device-…
    life      30 days; a new one when a third is left; revoked by the bank when a wallet is lost

Only the bank knows whose device it is. The certificate opens no connection between institutions:
its extended key usage is the network's own, which TLS takes neither for a server nor for a client.
"""

import hashlib
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from specie.identity.certificates import Issuer, build_request, draft_end, name_peer, read_request
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId, ServiceName
from specie.values.limits import DEVICE_CERTIFICATE_DAYS
from specie.values.times import DAY_MS, Timestamp

DEVICE_USAGE: Final = x509.ObjectIdentifier("2.25.263127843214325463221049184213756132945")
_RENEW_MS: Final = DEVICE_CERTIFICATE_DAYS * DAY_MS // 3


def name_subject(public: ec.EllipticCurvePublicKey) -> ServiceName:
    """What the certificate calls the device: by its key, so it tells a stranger nothing."""
    raw = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return ServiceName(f"device-{hashlib.sha256(raw).hexdigest()[:32]}")


def build_device_request(key: ec.EllipticCurvePrivateKey) -> bytes:
    """On the device, PEM: signed with the key that it is for."""
    return build_request(name_subject(key.public_key()), key)


def read_device_request(pem: bytes) -> tuple[ServiceName, ec.EllipticCurvePublicKey]:
    """`certificate_invalid` unless it is signed, and names nothing but its key."""
    name, public = read_request(pem)
    if name != name_subject(public):
        raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "a device is named by its key alone")
    return name, public


def issue_device_certificate(
    public: ec.EllipticCurvePublicKey, network: NetworkId, issuer: Issuer, now: Timestamp
) -> x509.Certificate:
    """For a device's key, without any name of a person or a client."""
    subject = name_subject(public)
    draft = draft_end(subject, public, issuer, now, DEVICE_CERTIFICATE_DAYS)
    names = [x509.UniformResourceIdentifier(name_peer(network, subject))]
    return (
        draft.add_extension(x509.ExtendedKeyUsage([DEVICE_USAGE]), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(issuer.key, SHA256())
    )


def is_due(certificate: x509.Certificate, now: Timestamp) -> bool:
    """Whether a third of its life is left at most."""
    return get_end(certificate) - now <= _RENEW_MS


def get_end(certificate: x509.Certificate) -> Timestamp:
    """Its last moment."""
    return Timestamp(int(certificate.not_valid_after_utc.timestamp() * 1000))
