"""X.509 certificates of the authentication centre: who may open a connection (RFC 5280; T2).

    root (offline, 20 years) → intermediate (online, 5 years) → one certificate per service, 90 days

Keys are ECDSA on P-256, which every TLS stack and browser knows. A certificate names its service in
the URI `specie:network/service`; what a service may ask for is not in it but in the signed lists,
which are looked at with each request. A connection whose certificate was revoked is closed.
"""

import datetime as dt
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId, ServiceName
from specie.values.limits import (
    CERTIFICATE_DAYS,
    CRL_DAYS,
    INTERMEDIATE_DAYS,
    ROOT_DAYS,
)
from specie.values.times import TIMESTAMP_MAX, Timestamp

_EARLY: Final = dt.timedelta(minutes=5)  # clocks differ
_SCHEME: Final = "specie:"


@dataclass(frozen=True, slots=True, repr=False)
class Issuer:
    """A certificate that may sign others, with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Revoked:
    """A certificate that no longer counts, and since when."""

    serial: int
    time: Timestamp


@dataclass(frozen=True, slots=True)
class Revocations:
    """A verified revocation list."""

    number: int = 0
    serials: frozenset[int] = frozenset()
    next_update: Timestamp = Timestamp(TIMESTAMP_MAX)  # later there has to be a newer one


def create_root(name: str, key: ec.EllipticCurvePrivateKey, now: Timestamp) -> x509.Certificate:
    """Signed by itself; may sign intermediates that sign nothing but ends."""
    subject = _name(f"{name} root")
    draft = _draft(subject, subject, key.public_key(), now, ROOT_DAYS)
    return _add_authority(draft, key, key.public_key(), depth=1)


def create_intermediate(
    name: str, public: ec.EllipticCurvePublicKey, root: Issuer, now: Timestamp
) -> x509.Certificate:
    """What signs daily; made at the key ceremony, while the root is there."""
    draft = _draft(
        _name(f"{name} issuing"), root.certificate.subject, public, now, INTERMEDIATE_DAYS
    )
    return _add_authority(draft, root.key, public, depth=0)


def issue_certificate(
    service: ServiceName,
    network: NetworkId,
    hosts: Sequence[str],
    public: ec.EllipticCurvePublicKey,
    issuer: Issuer,
    now: Timestamp,
    days: int = CERTIFICATE_DAYS,
) -> x509.Certificate:
    """For one service, as server and as client, at these hosts."""
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(name_peer(network, service))]
    names += [_name_host(host) for host in hosts]
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    return (
        draft_end(service, public, issuer, now, days)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(issuer.key, SHA256())
    )


def draft_end(
    subject: ServiceName,
    public: ec.EllipticCurvePublicKey,
    issuer: Issuer,
    now: Timestamp,
    days: int,
) -> x509.CertificateBuilder:
    """What every certificate that signs no others has; names and usages come with its kind."""
    draft = _draft(_name(subject), issuer.certificate.subject, public, now, days)
    return (
        draft.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_authority=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(_issuer_key(issuer.key.public_key()), critical=False)
    )


def build_request(service: ServiceName, key: ec.EllipticCurvePrivateKey) -> bytes:
    """A certificate signing request in PEM, signed with the key that it is for."""
    draft = x509.CertificateSigningRequestBuilder().subject_name(_name(service))
    return draft.sign(key, SHA256()).public_bytes(Encoding.PEM)


def read_request(pem: bytes) -> tuple[ServiceName, ec.EllipticCurvePublicKey]:
    """For whom, and its key; `certificate_invalid` unless signed with that key, on P-256."""
    try:
        request = x509.load_pem_x509_csr(pem)
        names = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        public = request.public_key()
        is_signed = request.is_signature_valid
    except (ValueError, TypeError):
        raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "not a certificate request") from None
    is_curve = isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name == "secp256r1"
    if not is_signed or len(names) != 1 or not is_curve:
        raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "a request is signed, on P-256")
    assert isinstance(public, ec.EllipticCurvePublicKey), "checked above"
    return ServiceName(str(names[0].value)), public


def build_revocations(
    revoked: Sequence[Revoked], number: int, issuer: Issuer, now: Timestamp
) -> x509.CertificateRevocationList:
    """The list of all revoked certificates (CRL), with a number that only grows."""
    moment = _moment(now)
    draft = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(moment - _EARLY)
        .next_update(moment + dt.timedelta(days=CRL_DAYS))
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_issuer_key(issuer.key.public_key()), critical=False)
    )
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.serial)
        draft = draft.add_revoked_certificate(entry.revocation_date(_moment(one.time)).build())
    return draft.sign(issuer.key, SHA256())


def verify_revocations(data: bytes, issuer: x509.Certificate, number_min: int = 0) -> Revocations:
    """The serials in a CRL (DER); `certificate_invalid` if not the issuer's, or an older one."""
    try:
        found = x509.load_der_x509_crl(data)
        public = issuer.public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey), "issuers are on P-256"
        is_valid = found.is_signature_valid(public)
        number = found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        ends = found.next_update_utc
    except (ValueError, TypeError, x509.ExtensionNotFound):
        raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "not a revocation list") from None
    if not is_valid or ends is None or number < number_min:
        raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "not the newest revocation list")
    serials = frozenset(one.serial_number for one in found)
    return Revocations(number, serials, Timestamp(int(ends.timestamp() * 1000)))


FindCertificate = Callable[[int], tuple[x509.Certificate, Timestamp | None] | None]
"""Serial → one of ours, and when it was revoked."""


def answer_status(asked: bytes, find: FindCertificate, issuer: Issuer, now: Timestamp) -> bytes:
    """An OCSP response (RFC 6960, DER) for one of our certificates."""
    try:
        question = ocsp.load_der_ocsp_request(asked)
        serial, algorithm = question.serial_number, question.hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return _refuse_status(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
    known = find(serial)
    if known is None or not isinstance(algorithm, SHA1 | SHA256):
        return _refuse_status(ocsp.OCSPResponseStatus.UNAUTHORIZED)
    certificate, ended = known
    moment = _moment(now)
    draft = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=certificate,
            issuer=issuer.certificate,
            algorithm=algorithm,  # of the question: a client looks for its own name for it
            cert_status=ocsp.OCSPCertStatus.GOOD if ended is None else ocsp.OCSPCertStatus.REVOKED,
            this_update=moment,
            next_update=moment + dt.timedelta(days=1),
            revocation_time=None if ended is None else _moment(ended),
            revocation_reason=None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate)
    )
    return draft.sign(issuer.key, SHA256()).public_bytes(Encoding.DER)


def verify_chain(
    pem: bytes, root: x509.Certificate, public: ec.EllipticCurvePublicKey
) -> x509.Certificate:
    """An end certificate for `public` and its intermediate, up to our root; gives the first.

    For who has just been sent one; TLS checks chains by itself. `certificate_invalid`.
    """
    try:
        chain = x509.load_pem_x509_certificates(pem)
        for one, above in zip(chain, [*chain[1:], root], strict=True):
            one.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature):
        raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "not signed by our root") from None
    if chain[0].public_key() != public:
        raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "a certificate for another key")
    return chain[0]


def verify_intermediate(
    pem: bytes, root: x509.Certificate, known: x509.Certificate
) -> x509.Certificate:
    """A newer one of the root's, in the place of `known`; `certificate_invalid`."""
    try:
        found = x509.load_pem_x509_certificate(pem)
        found.verify_directly_issued_by(root)
        limits = found.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "not signed by our root") from None
    if not limits.ca or found.not_valid_before_utc < known.not_valid_before_utc:
        raise SpecieError(ErrorCode.CERTIFICATE_INVALID, "not the newest intermediate")
    return found


def name_peer(network: NetworkId, service: ServiceName) -> str:
    """The URI in a service's certificate."""
    return f"{_SCHEME}{network.hex()}/{service}"


def _draft(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    now: Timestamp,
    days: int,
) -> x509.CertificateBuilder:
    moment = _moment(now)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - _EARLY)
        .not_valid_after(moment + dt.timedelta(days=days))
    )


def _add_authority(
    draft: x509.CertificateBuilder,
    key: ec.EllipticCurvePrivateKey,
    public: ec.EllipticCurvePublicKey,
    depth: int,
) -> x509.Certificate:
    return (
        draft.add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True)
        .add_extension(_usage(is_authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(_issuer_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _issuer_key(public: ec.EllipticCurvePublicKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(public)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _name_host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _moment(time: Timestamp) -> dt.datetime:
    return dt.datetime.fromtimestamp(time // 1000, dt.UTC)


def _refuse_status(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)
