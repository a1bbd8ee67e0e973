"""X.509: what our root vouches for, what it has revoked, and what is none of it (T2)."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from specie.identity.certificates import (
    Issuer,
    Revoked,
    answer_status,
    build_request,
    build_revocations,
    create_intermediate,
    create_root,
    issue_certificate,
    name_peer,
    read_request,
    verify_chain,
    verify_revocations,
)
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import NetworkId, ServiceName
from specie.values.limits import CRL_DAYS
from specie.values.times import DAY_MS, Timestamp
from tests.clocks import MORNING
from tests.country import refused

NETWORK = NetworkId(b"a network".ljust(16))
BANK = ServiceName("bank-2")
UNAUTHORISED = ocsp.OCSPResponseStatus.UNAUTHORIZED


class Centre:
    """A root, its intermediate, and one certificate."""

    def __init__(self) -> None:
        root_key, issuing_key, self.key = (
            ec.generate_private_key(ec.SECP256R1()) for _ in range(3)
        )
        self.root = create_root("test", root_key, MORNING)
        top = Issuer(self.root, root_key)
        intermediate = create_intermediate("test", issuing_key.public_key(), top, MORNING)
        self.issuer = Issuer(intermediate, issuing_key)
        self.leaf = issue_certificate(
            BANK, NETWORK, ["127.0.0.1", "bank.test"], self.key.public_key(), self.issuer, MORNING
        )

    def chain(self, *certificates: x509.Certificate) -> bytes:
        return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)

    def ask(self, certificate: x509.Certificate, algorithm: HashAlgorithm | None = None) -> bytes:
        draft = ocsp.OCSPRequestBuilder()
        issuer = self.issuer.certificate
        draft = draft.add_certificate(certificate, issuer, algorithm or SHA256())
        return draft.build().public_bytes(Encoding.DER)


@pytest.fixture(scope="module")
def centre() -> Centre:
    return Centre()


def test_a_chain_leads_to_the_root(centre: Centre) -> None:
    pem = centre.chain(centre.leaf, centre.issuer.certificate)
    assert verify_chain(pem, centre.root, centre.key.public_key()) == centre.leaf


def test_a_certificate_names_its_service_and_hosts(centre: Centre) -> None:
    names = centre.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [name_peer(NETWORK, BANK)]
    assert names.get_values_for_type(x509.DNSName) == ["bank.test"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert not centre.leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_chain_of_others_is_refused(centre: Centre) -> None:
    stranger, public = Centre(), centre.key.public_key()
    whole = centre.chain(centre.leaf, centre.issuer.certificate)
    cases = [
        (whole, stranger.root, public),  # another root
        (centre.chain(centre.leaf), centre.root, public),  # without its intermediate
        (centre.chain(centre.leaf, stranger.issuer.certificate), centre.root, public),
        (whole, centre.root, stranger.key.public_key()),  # another's key
        (b"no certificate", centre.root, public),
    ]
    for pem, root, key in cases:
        with refused(ErrorCode.CERTIFICATE_INVALID):
            verify_chain(pem, root, key)


def test_a_request_is_for_its_own_key(centre: Centre) -> None:
    service, public = read_request(build_request(BANK, centre.key))
    assert (service, public) == (BANK, centre.key.public_key())


def test_requests_that_are_none_are_refused(centre: Centre) -> None:
    pem = build_request(BANK, centre.key)
    changed = x509.load_pem_x509_csr(pem).public_bytes(Encoding.DER).replace(b"bank-2", b"bank-3")
    forged = x509.load_der_x509_csr(changed).public_bytes(Encoding.PEM)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, BANK)])
    builder = x509.CertificateSigningRequestBuilder()
    edwards = builder.subject_name(name).sign(ed25519.Ed25519PrivateKey.generate(), None)
    curve = builder.subject_name(name).sign(ec.generate_private_key(ec.SECP384R1()), SHA256())
    nameless = builder.subject_name(x509.Name([])).sign(centre.key, SHA256())
    others = [one.public_bytes(Encoding.PEM) for one in (edwards, curve, nameless)]
    for found in (b"", b"no request", forged, *others):
        with refused(ErrorCode.CERTIFICATE_INVALID):
            read_request(found)


def test_a_revocation_list_only_grows(centre: Centre) -> None:
    revoked = [Revoked(centre.leaf.serial_number, MORNING)]
    data = build_revocations(revoked, 7, centre.issuer, MORNING).public_bytes(Encoding.DER)
    found = verify_revocations(data, centre.issuer.certificate, 7)
    assert (found.number, found.serials) == (7, frozenset([centre.leaf.serial_number]))
    assert found.next_update == MORNING + CRL_DAYS * DAY_MS
    with refused(ErrorCode.CERTIFICATE_INVALID):
        verify_revocations(data, centre.issuer.certificate, 8)
    with refused(ErrorCode.CERTIFICATE_INVALID):
        verify_revocations(data, Centre().issuer.certificate)
    with refused(ErrorCode.CERTIFICATE_INVALID):
        verify_revocations(b"no list", centre.issuer.certificate)


def test_status_of_one_certificate(centre: Centre) -> None:
    def ask(revoked: list[Revoked], question: bytes | None = None) -> ocsp.OCSPResponse:
        asked = centre.ask(centre.leaf) if question is None else question
        ended = {one.serial: one.time for one in revoked}

        def find(serial: int) -> tuple[x509.Certificate, Timestamp | None] | None:
            is_ours = serial == centre.leaf.serial_number
            return (centre.leaf, ended.get(serial)) if is_ours else None

        answer = answer_status(asked, find, centre.issuer, MORNING)
        return ocsp.load_der_ocsp_response(answer)

    assert ask([]).certificate_status is ocsp.OCSPCertStatus.GOOD
    ended = ask([Revoked(centre.leaf.serial_number, Timestamp(MORNING + 1000))])
    assert ended.certificate_status is ocsp.OCSPCertStatus.REVOKED
    as_openssl_asks = ask([], centre.ask(centre.leaf, SHA1()))  # a name, no signature
    assert isinstance(as_openssl_asks.hash_algorithm, SHA1)
    assert as_openssl_asks.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert ask([], centre.ask(centre.leaf, SHA512())).response_status is UNAUTHORISED
    unknown = ask([], centre.ask(Centre().leaf))
    assert unknown.response_status is UNAUTHORISED
    assert ask([], b"?").response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST
