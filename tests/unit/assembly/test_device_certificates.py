"""Certificates of devices: a key that the network vouches for, and no name (T25, T2)."""

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import text

from specie.assembly.centre import Centre
from specie.assembly.device_authority import DeviceAuthority
from specie.assembly.device_certifying import DeviceCertifying
from specie.identity.certificates import build_request, issue_certificate, name_peer
from specie.identity.device_certificates import (
    build_device_request,
    get_end,
    is_due,
    issue_device_certificate,
    name_subject,
)
from specie.remote.client_models import Chain
from specie.remote.loss_models import DeviceRequest, DeviceRevocation, UnknownDevices
from specie.store.certificate_store import SqliteCertificateStore
from specie.store.device_certificate_store import DeviceCertificate, SqliteDeviceCertificateStore
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, ServiceName
from specie.values.limits import (
    BANK_CERTIFICATES_DAY_MAX,
    DEVICE_CERTIFICATE_DAYS,
    DEVICE_CERTIFICATES_DAY_MAX,
    DEVICE_CERTIFICATES_MAX,
    DEVICE_REVOCATIONS_MAX,
)
from specie.values.times import DAY_MS
from tests.clocks import MORNING, ManualClock
from tests.country import Country, build_country, refused
from tests.unit.api.cast import Cast, make_cast

BANK, OTHER = "bank-2", "bank-3"


class Wire:
    """Bank 2's way to the centre; it can be cut."""

    def __init__(self, authority: DeviceAuthority) -> None:
        self.authority = authority
        self.is_cut = False

    def call(self, _to: ServiceName, _operation: Any, request: Any) -> Any:
        if self.is_cut:
            raise SpecieError(ErrorCode.UNREACHABLE, "cut")
        if isinstance(request, DeviceRequest):
            return Chain(chain=self.authority.certify(BANK, request.request))
        assert isinstance(request, DeviceRevocation)
        return UnknownDevices(subjects=self.authority.revoke(BANK, request.subjects))


class Desk:
    """A centre with its keys, and bank 2 with two clients."""

    def __init__(self, folder: Path, country: Country) -> None:
        self.cast: Cast = make_cast()
        self.clock = ManualClock()
        store = SqliteCertificateStore(folder / "centre.db")
        nobody: Any = None
        peers, issuer = self.cast.peers, self.cast.issuer
        self.centre = Centre(folder, peers, nobody, issuer, store, self.clock)
        self.authority = DeviceAuthority(self.centre)
        self.wire = Wire(self.authority)
        channel: Any = self.wire
        self.anna, self.boris = (country.open_person(country.north).id for _ in range(2))
        self.country = country
        self.store = SqliteDeviceCertificateStore(folder / "bank.db")
        clients = country.north.clients
        self.bank = DeviceCertifying(clients, self.store, channel, self.clock)

    def tell(self) -> None:
        """A round of the bank's worker."""
        self.bank._told_at = float("-inf")  # noqa: SLF001  # its pause is over
        assert self.bank.tell() == []

    def list_revoked(self) -> set[int]:
        return {one.serial for one in self.centre.store.load_revoked(self.clock.now())}


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    return build_country(tmp_path_factory.mktemp("certificates"), is_funded=False)


@pytest.fixture
def desk(tmp_path: Path, country: Country) -> Desk:
    return Desk(tmp_path, country)


def draw() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def read(chain: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(chain)


def verify(folder: Path, cast: Cast, end: x509.Certificate, *options: str) -> bool:
    """By OpenSSL's own tool."""
    paths = []
    for place, one in enumerate((cast.root, cast.issuer.certificate, end)):
        path = folder / f"{place}.pem"
        path.write_bytes(one.public_bytes(Encoding.PEM))
        paths.append(str(path))
    root, issuer, device = paths
    time = str(MORNING // 1000 + 60)
    command = ["openssl", "verify", "-attime", time, "-CAfile", root, "-untrusted", issuer]
    done = subprocess.run([*command, *options, device], check=False, capture_output=True)
    return done.returncode == 0


def test_openssl_believes_it_and_opens_no_connection_with_it(desk: Desk, tmp_path: Path) -> None:
    """While a service's certificate does open one: the same command, the other kind."""
    network, issuer = desk.cast.peers.network, desk.cast.issuer
    device = issue_device_certificate(draw().public_key(), network, issuer, MORNING)
    service = issue_certificate(
        ServiceName(BANK), network, ["localhost"], draw().public_key(), issuer, MORNING
    )
    assert verify(tmp_path, desk.cast, device) and verify(tmp_path, desk.cast, service)
    for purpose in ("sslclient", "sslserver"):
        assert verify(tmp_path, desk.cast, service, "-purpose", purpose)
        assert not verify(tmp_path, desk.cast, device, "-purpose", purpose)


def test_it_names_a_key_and_nobody(desk: Desk) -> None:
    key = draw()
    found = read(desk.bank.certify(desk.anna, build_device_request(key)))
    subject = name_subject(key.public_key())
    assert found.public_key() == key.public_key()
    assert found.subject.rfc4514_string() == f"CN={subject}"
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [one.value for one in names] == [name_peer(desk.cast.peers.network, subject)]
    assert desk.anna.encode() not in found.public_bytes(Encoding.DER)
    life = found.not_valid_after_utc - found.not_valid_before_utc
    assert life <= timedelta(days=DEVICE_CERTIFICATE_DAYS, minutes=5)


def test_it_is_the_same_until_a_third_is_left(desk: Desk) -> None:
    request = build_device_request(draw())
    first = desk.bank.certify(desk.anna, request)
    desk.clock.advance(DEVICE_CERTIFICATE_DAYS * DAY_MS * 2 // 3 - 1)
    assert not is_due(read(first), desk.clock.now())
    assert desk.bank.certify(desk.anna, request) == first
    assert desk.authority.certify(BANK, request) == first, "an answer that was lost"
    desk.clock.advance(1)
    second = desk.bank.certify(desk.anna, request)
    assert read(second).serial_number != read(first).serial_number
    assert read(second).not_valid_after_utc > read(first).not_valid_after_utc


def test_a_request_is_signed_and_names_its_key(desk: Desk) -> None:
    key, other = draw(), draw()
    named = build_request(name_subject(other.public_key()), key)
    person = build_request(ServiceName("Aliya Bekova"), key)
    for bad in (named, person, b"nothing"):
        with refused(ErrorCode.CERTIFICATE_INVALID):
            desk.bank.certify(desk.anna, bad)


def test_a_key_is_one_clients(desk: Desk) -> None:
    request = build_device_request(draw())
    desk.bank.certify(desk.anna, request)
    with refused(ErrorCode.CERTIFICATE_INVALID):
        desk.bank.certify(desk.boris, request)


def test_a_loss_ends_it_even_if_the_centre_hears_late(desk: Desk) -> None:
    """Recorded with the loss; told when the line is there again, once; the key never comes back."""
    request = build_device_request(draw())
    chain = desk.bank.certify(desk.anna, request)
    kept = desk.bank.certify(desk.boris, build_device_request(draw()))
    desk.bank.end(desk.anna)
    desk.wire.is_cut = True
    [error] = desk.bank.tell()
    assert error.code is ErrorCode.UNREACHABLE and not desk.list_revoked()
    desk.wire.is_cut = False
    for _ in range(2):
        desk.tell()
    assert desk.list_revoked() == {read(chain).serial_number}
    told = desk.cast.peers.revocations
    assert told.serials == frozenset({read(chain).serial_number})
    assert told.number == 1, "one list, for everybody"
    assert read(kept).serial_number not in desk.list_revoked()
    with refused(ErrorCode.CERTIFICATE_INVALID):
        desk.bank.certify(desk.anna, request)


def test_a_bank_ends_only_what_it_asked_for(desk: Desk) -> None:
    key = draw()
    desk.authority.certify(BANK, build_device_request(key))
    subject = name_subject(key.public_key())
    foreign = name_subject(draw().public_key())
    for bank, name in ((OTHER, subject), (BANK, foreign)):
        assert desk.authority.revoke(bank, [name]) == [name]
    assert desk.list_revoked() == set() and desk.cast.peers.revocations.number == 0
    assert desk.authority.revoke(BANK, [foreign, subject]) == [foreign], "it holds up no other"
    assert len(desk.list_revoked()) == 1


def test_a_client_has_few_and_the_newest(desk: Desk) -> None:
    """The oldest ends, and its key with it; one that is nearly over is on no list."""
    keys = [draw() for _ in range(DEVICE_CERTIFICATES_MAX + 1)]
    chains = [desk.bank.certify(desk.anna, build_device_request(one)) for one in keys]
    desk.tell()
    assert desk.list_revoked() == {read(chains[0]).serial_number}
    with refused(ErrorCode.CERTIFICATE_INVALID):
        desk.bank.certify(desk.anna, build_device_request(keys[0]))
    assert desk.bank.certify(desk.anna, build_device_request(keys[1])) == chains[1]
    desk.clock.advance((DEVICE_CERTIFICATE_DAYS - 1) * DAY_MS)
    for _ in range(DEVICE_CERTIFICATES_MAX):
        desk.bank.certify(desk.anna, build_device_request(draw()))
    desk.tell()
    assert desk.list_revoked() == {read(chains[0]).serial_number}


def test_a_client_has_few_new_ones_a_day(desk: Desk) -> None:
    """So it cannot fill the list that everybody reads; others go on."""
    for _ in range(DEVICE_CERTIFICATES_DAY_MAX):
        desk.bank.certify(desk.anna, build_device_request(draw()))
    with refused(ErrorCode.RATE_EXCEEDED):
        desk.bank.certify(desk.anna, build_device_request(draw()))
    desk.bank.certify(desk.boris, build_device_request(draw()))
    desk.clock.advance(DAY_MS)
    desk.bank.certify(desk.anna, build_device_request(draw()))


def test_a_bank_has_a_number_of_new_ones_a_day(desk: Desk) -> None:
    store, day = desk.centre.store, MORNING // DAY_MS
    for _ in range(3):
        assert store.count_device(BANK, day, 3)
    assert not store.count_device(BANK, day, 3)
    assert store.count_device(OTHER, day, 3) and store.count_device(BANK, day + 1, 3)
    with store.database.transaction() as connection:
        full = text("update device_certificate_day set day = :day, issued = :issued")
        connection.execute(full, {"day": day, "issued": BANK_CERTIFICATES_DAY_MAX})
    with refused(ErrorCode.RATE_EXCEEDED):
        desk.bank.certify(desk.anna, build_device_request(draw()))


def test_many_end_with_one_list_and_a_page_a_round(desk: Desk) -> None:
    """Of more than a page, those that ended first are told first."""
    now = desk.clock.now()
    for place in range(DEVICE_REVOCATIONS_MAX + 1):
        client = ClientId(f"client-{place}")
        chain = desk.authority.certify(BANK, build_device_request(key := draw()))
        subject, ends = name_subject(key.public_key()), get_end(read(chain))
        desk.store.put(DeviceCertificate(subject, client, chain, ends), now)
        desk.store.end(client)
    desk.tell()
    assert len(desk.list_revoked()) == DEVICE_REVOCATIONS_MAX
    desk.tell()
    assert len(desk.list_revoked()) == DEVICE_REVOCATIONS_MAX + 1
    assert desk.cast.peers.revocations.number == 2, "one list a round"


def test_who_is_stopped_gets_none(desk: Desk) -> None:
    with refused(ErrorCode.CLIENT_UNKNOWN):
        desk.bank.certify(ClientId("nobody"), build_device_request(draw()))
    desk.country.north.block(desk.boris)
    with refused(ErrorCode.CLIENT_BLOCKED):
        desk.bank.certify(desk.boris, build_device_request(draw()))
