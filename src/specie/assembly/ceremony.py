"""The key ceremony: a new network's keys, certificates and lists, a folder for each process (T2).

    offline/            the root's key; to be carried away, and needed again in five years
    officers/N/         each officer's key
    central-bank/ …     settings.toml, keys.json (encrypted), certificate, the lists as known
    passphrases/NAME    of each file of keys; where they are kept in earnest, docs/ceremony.md says

Everything is drawn here once. On a machine of a pilot each folder goes where its institution is.
"""

import errno
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from specie.assembly.centre import HISTORY, list_hosts
from specie.assembly.folders import KEYS, OFFICERS, OFFLINE, PASSPHRASES, PUBLIC
from specie.assembly.foundation import TLS_PASSWORD, name_signing_keys
from specie.assembly.lists import (
    COSIGNERS,
    GENESIS,
    ISSUER,
    PARTICIPANTS,
    REVOCATIONS,
    ROOT_FILE,
    SERVICES,
    write_list,
)
from specie.assembly.own_keys import DIRECTORY, ISSUING_KEY, ML_DSA, STORAGE, VAULT, OwnKeys
from specie.assembly.service_settings import (
    Keys,
    Listen,
    NetworkSettings,
    Observe,
    ServiceSettings,
    Work,
    check_address,
    write_settings,
)
from specie.assembly.softhsm import SoftHsm
from specie.assembly.tls import pack_key, write_identity
from specie.assembly.tokens import OFFICER_KEY, TokenPlace, draw_officer_keys, draw_own_keys
from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import (
    InstitutionSigner,
    KeyTree,
    ScanKey,
    SealingKey,
    SigningKey,
    VrfKey,
)
from specie.identity.certificates import (
    Issuer,
    build_revocations,
    create_intermediate,
    create_root,
    issue_certificate,
)
from specie.identity.cosigners import CosignerList, CosignerRole, sign_cosigners
from specie.identity.genesis import Genesis, ProofMode, compute_origin, sign_genesis
from specie.identity.participants import (
    Officer,
    Participant,
    ParticipantList,
    Role,
    Status,
    check_name,
    sign_participants,
)
from specie.identity.services import (
    Service,
    ServiceList,
    ServiceRole,
    sign_services,
)
from specie.log.notes import VerifierKey, get_verifier_key
from specie.ports.clock import Clock
from specie.store.certificate_store import SqliteCertificateStore
from specie.store.database import Database
from specie.store.durable_files import replace_durably
from specie.store.key_file import KeyFile
from specie.values.amounts import Currency, Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    InstitutionPublicKey,
    ParticipantNumber,
    PublicKey,
    ServiceName,
)
from specie.values.limits import OFFICERS_MAX
from specie.values.times import Timestamp

CENTRAL_BANK: Final = ParticipantNumber(1)
AUDITOR: Final = ParticipantNumber(1_000)
_HOST: Final = "127.0.0.1"
_PORTS: Final = range(20_000, 32_000)
_TRIES: Final = 200
_BANKS_MAX: Final = AUDITOR - 2  # from number 2 on
_TITLES: Final = ("Central Bank", "Court of Auditors")
_CENTRAL: Final = ("central-bank", "accounting", "notary", "registration", "auditor")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a network is made with."""

    data: Path
    name: str = "specie pilot"
    currency: Currency = Currency("DCU", 2)
    address_prefix: str = "spc"
    proof_mode: ProofMode = ProofMode.PUBLISHED
    banks: tuple[str, ...] = ("Bank of the North", "Bank of the South")
    officers: int = 3  # two decide; if one of them is lost, two are left
    supply_cap_day: Minor = Minor(10**17)
    batch_payments_min: int = 32
    batch_age_ms_max: int = 10_000
    host: str = _HOST
    hosts: Mapping[str, str] = field(default_factory=dict)  # service → its own machine's host
    traces: bool = False
    interval_ms: int = Work().interval_ms
    lists_ms: int = 1_000
    is_hsm: bool = False  # what PKCS#11 can sign with, in tokens of SoftHSM2


@dataclass(slots=True, repr=False)
class _Institution:
    """One service while it is made."""

    name: ServiceName
    role: ServiceRole
    number: ParticipantNumber
    title: str
    own: OwnKeys
    message: InstitutionSigner
    listen: Listen
    place: TokenPlace | None = None
    participant: Participant | None = None
    certificate_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def keys(self) -> KeyFile:
        """The file."""
        return self.own.file

    def describe(self) -> Service:
        """Its entry in the list of services."""
        key = InstitutionPublicKey(self.message.public)
        urls = (f"https://{self.listen.institutions}", f"https://{self.listen.public}")
        return Service(self.name, self.role, self.number, *urls, key)


def create_network(plan: Plan, clock: Clock) -> Genesis:
    """In a folder that is empty or not there; `check_plan` refuses before anything is written."""
    check_plan(plan)
    plan.data.mkdir(parents=True, exist_ok=True)
    plan.data.chmod(0o700)
    now = clock.now()
    places = _draw_tokens(plan)
    institutions = _draw_institutions(plan, places)
    officers = _draw_officers(plan, places)
    desk = institutions[ServiceName("central-bank")]
    list_key = desk.own.draw_signer("list")
    genesis = _build_genesis(plan, InstitutionPublicKey(list_key.public), now)
    root = _create_root(plan, now)
    issuing = desk.own.draw_issuing(ISSUING_KEY)
    intermediate = create_intermediate(plan.name, issuing.public_key(), root, now)
    issuer = Issuer(intermediate, issuing)
    members = _build_members(genesis, institutions, officers, now)
    origin = compute_origin(genesis)
    services = ServiceList(origin, 1, {one.name: one.describe() for one in institutions.values()})
    published = {
        GENESIS: sign_genesis(genesis, list_key),
        PARTICIPANTS: sign_participants(members, list_key),
        SERVICES: sign_services(services, list_key),
        COSIGNERS: sign_cosigners(_list_cosigners(origin, institutions), list_key),
        REVOCATIONS: build_revocations((), 1, issuer, now).public_bytes(Encoding.DER),
        ISSUER: intermediate.public_bytes(Encoding.PEM),
        ROOT_FILE: root.certificate.public_bytes(Encoding.PEM),
    }
    desk_database = Database(plan.data / desk.name / "central.db")
    store = SqliteCertificateStore(desk_database)
    for one in institutions.values():
        folder = plan.data / one.name
        for name, data in published.items():
            write_list(folder, name, data)
        hosts = list_hosts(one.describe())
        public = one.certificate_key.public_key()
        certificate = issue_certificate(one.name, genesis.network, hosts, public, issuer, now)
        store.add(one.name, certificate)
        chain = certificate.public_bytes(Encoding.PEM) + published[ISSUER]
        write_identity(folder, one.certificate_key, draw_tls_password(one.keys), chain)
        write_settings(folder, _describe_settings(plan, one, genesis, desk))
    desk_database.close()
    for one in institutions.values():
        one.own.close()
    for name, data in published.items():
        write_list(plan.data / PUBLIC, name, data)
    write_list(plan.data / desk.name / HISTORY, "1", published[PARTICIPANTS])
    return genesis


def check_plan(plan: Plan) -> None:
    """Folder, officers, names, hosts, and by a trial what genesis refuses; nothing is written.

    `setting_invalid`, or for names `text_invalid`.
    """
    if plan.data.exists() and any(plan.data.iterdir()):
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{plan.data}: not empty")
    if not 2 <= plan.officers <= OFFICERS_MAX:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"2 to {OFFICERS_MAX} officers")
    if not 1 <= len(plan.banks) <= _BANKS_MAX:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"1 to {_BANKS_MAX} banks")
    taken = set(_TITLES)
    for name in (plan.name, *plan.banks):
        check_name(name)
    for name in plan.banks:
        if name in taken:
            raise SpecieError(ErrorCode.SETTING_INVALID, f"{name}: the name of another institution")
        taken.add(name)
    _check_hosts(plan)
    _build_genesis(plan, InstitutionPublicKey(bytes(32)), Timestamp(0))


def _check_hosts(plan: Plan) -> None:
    names = _name_services(plan)
    unknown = sorted(set(plan.hosts) - set(names))
    if unknown:
        reason = f"no service {', '.join(unknown)}: {', '.join(names)}"
        raise SpecieError(ErrorCode.SETTING_INVALID, reason)
    for host in (plan.host, *plan.hosts.values()):
        check_host(host)


def check_host(host: str) -> None:
    """`setting_invalid` unless an address can begin with it."""
    try:
        check_address(f"{host}:{_PORTS.start}")
    except ValueError:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{host}: a name or an address") from None


def create_keys(data: Path, name: str, folder: Path | None = None) -> KeyFile:
    """A file of keys with a passphrase drawn for it."""
    passphrase = secrets.token_urlsafe(24)
    place = data / PASSPHRASES
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(0o700)
    replace_durably(place, name, passphrase.encode() + b"\n")
    (place / name).chmod(0o600)
    folder = folder or data / name
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return KeyFile.create(folder / KEYS, passphrase, secrets.token_bytes(16))


def draw_listen(host: str = _HOST, taken: set[int] | None = None) -> Listen:
    """Three free ports of this machine, not `taken`; operations on loopback whatever the host."""
    known = set() if taken is None else taken
    institutions, public, operations = (draw_port(place, known) for place in (host, host, _HOST))
    return Listen(
        institutions=f"{host}:{institutions}",
        public=f"{host}:{public}",
        operations=f"{_HOST}:{operations}",
    )


def draw_port(host: str, taken: set[int]) -> int:
    """One that is free now, below those that systems give to outgoing connections; taken then.

    Of another machine's address we cannot know: any that was not drawn yet.
    """
    for _ in range(_TRIES):
        port = _PORTS.start + secrets.randbelow(len(_PORTS))
        if port not in taken and _may_be_free(host, port):
            taken.add(port)
            return port
    raise SpecieError(ErrorCode.SETTING_INVALID, f"{host}: no free port")


def _may_be_free(host: str, port: int) -> bool:
    with socket.socket() as bound:
        try:
            bound.bind((host, port))
        except socket.gaierror:
            return True  # a name that only the network of there knows
        except OSError as error:
            return error.errno == errno.EADDRNOTAVAIL
    return True


def draw_bank_keys(own: OwnKeys) -> tuple[ScanKey, SigningKey]:
    """Everything else that a bank signs, scans and seals with."""
    keys = own.file
    scan, attestation = ScanKey.generate(), SigningKey.generate()
    keys.put("scan", scan)
    keys.put("attestation", attestation)
    keys.put("tree", KeyTree.generate())
    draw_cosigner_keys(own, "witness")
    keys.put_sealing_key(STORAGE, SealingKey.generate())
    keys.put_sealing_key(VAULT, SealingKey.generate())
    return scan, attestation


def draw_cosigner_keys(own: OwnKeys, kind: str) -> None:
    """Of a witness or an auditor, one of each kind."""
    own.draw_signer(kind)
    own.file.put(f"{kind}{ML_DSA}", CosignerKey.generate())


def draw_tls_password(keys: KeyFile) -> bytes:
    """Of the file with certificate and key; it lies in the file of keys."""
    password = secrets.token_bytes(32)
    keys.put_secret(TLS_PASSWORD, password)
    return password


def _name_services(plan: Plan) -> list[str]:
    return [*_CENTRAL, *(f"bank-{place + 2}" for place in range(len(plan.banks)))]


def _draw_tokens(plan: Plan) -> dict[str, TokenPlace]:
    """One for each holder of keys, all at once: a module that is told of more closes the others."""
    if not plan.is_hsm:
        return {}
    officers = [f"officer-{number}" for number in range(1, plan.officers + 1)]
    return SoftHsm.create(plan.data).draw_tokens([*_name_services(plan), *officers])


def _draw_institutions(
    plan: Plan, places: Mapping[str, TokenPlace]
) -> dict[ServiceName, _Institution]:
    wanted = [
        ("central-bank", ServiceRole.CENTRAL_BANK, CENTRAL_BANK, "Central Bank"),
        ("accounting", ServiceRole.ACCOUNTING, CENTRAL_BANK, "Accounting"),
        ("notary", ServiceRole.NOTARY, CENTRAL_BANK, "Notary"),
        ("registration", ServiceRole.REGISTRATION, CENTRAL_BANK, "Registration"),
        ("auditor", ServiceRole.AUDITOR, AUDITOR, "Court of Auditors"),
    ]
    for place, title in enumerate(plan.banks):
        number = ParticipantNumber(place + 2)
        wanted.append((f"bank-{number}", ServiceRole.BANK, number, title))
    made, ports = {}, set[int]()
    for name, role, number, title in wanted:
        service, home = ServiceName(name), places.get(name)
        own = draw_own_keys(create_keys(plan.data, name), home)
        message = own.draw_signer(name_signing_keys(role))
        listen = draw_listen(plan.hosts.get(name, plan.host), ports)
        one = _Institution(service, role, number, title, own, message, listen, home)
        one.participant = _draw_participant(one)
        made[service] = one
    return made


def _draw_participant(one: _Institution) -> Participant | None:
    """Keys by role; the registration speaks for the central bank, with its institution key."""
    keys = one.keys
    if one.role is ServiceRole.BANK:
        scan, attestation = draw_bank_keys(one.own)
        return _describe(one, Role.BANK, scan, attestation)
    if one.role is ServiceRole.REGISTRATION:
        scan, attestation = ScanKey.generate(), SigningKey.generate()
        keys.put("scan", scan)
        keys.put("attestation", attestation)
        return _describe(one, Role.CENTRAL_BANK, scan, attestation)
    if one.role is ServiceRole.AUDITOR:
        scan, attestation = ScanKey.generate(), SigningKey.generate()
        keys.put("scan", scan)
        keys.put("attestation", attestation)
        draw_cosigner_keys(one.own, "auditor")
        return _describe(one, Role.AUDITOR, scan, attestation)
    if one.role is ServiceRole.CENTRAL_BANK:
        keys.put("tree", KeyTree.generate())
        keys.put_sealing_key(STORAGE, SealingKey.generate())
        keys.put(DIRECTORY, VrfKey.generate())
    return None


def _describe(one: _Institution, role: Role, scan: ScanKey, attestation: SigningKey) -> Participant:
    return Participant(
        number=one.number,
        role=role,
        status=Status.ACTIVE,
        successor=0,
        scan_key=PublicKey(scan.public),
        attestation_key=PublicKey(attestation.public),
        institution_key=InstitutionPublicKey(one.message.public),
        name="Central Bank" if role is Role.CENTRAL_BANK else one.title,
    )


def _draw_officers(plan: Plan, places: Mapping[str, TokenPlace]) -> dict[int, Officer]:
    officers = {}
    for number in range(1, plan.officers + 1):
        name = f"officer-{number}"
        keys = create_keys(plan.data, name, plan.data / OFFICERS / str(number))
        own = draw_officer_keys(keys, places.get(name))
        public = InstitutionPublicKey(own.get_signer(OFFICER_KEY).public)
        officers[number] = Officer(number, Status.ACTIVE, public)
        own.close()
    return officers


def _build_genesis(plan: Plan, list_key: InstitutionPublicKey, now: Timestamp) -> Genesis:
    return Genesis(
        name=plan.name,
        currency=plan.currency,
        address_prefix=plan.address_prefix,
        proof_mode=plan.proof_mode,
        list_key=list_key,
        officers_required=2,
        supply_cap_day=plan.supply_cap_day,
        batch_payments_min=plan.batch_payments_min,
        batch_age_ms_max=plan.batch_age_ms_max,
        created_ms=now,
    )


def _create_root(plan: Plan, now: Timestamp) -> Issuer:
    keys = create_keys(plan.data, OFFLINE)
    key = ec.generate_private_key(ec.SECP256R1())
    keys.put_secret("root", pack_key(key))
    certificate = create_root(plan.name, key, now)
    write_list(plan.data / OFFLINE, ROOT_FILE, certificate.public_bytes(Encoding.PEM))
    return Issuer(certificate, key)


def _build_members(
    genesis: Genesis,
    institutions: dict[ServiceName, _Institution],
    officers: dict[int, Officer],
    now: Timestamp,
) -> ParticipantList:
    found = [one.participant for one in institutions.values() if one.participant is not None]
    notary, books = institutions[ServiceName("notary")], institutions[ServiceName("accounting")]
    return ParticipantList(
        network=genesis.network,
        version=1,
        time=now,
        notary_key=InstitutionPublicKey(notary.message.public),
        accounting_key=InstitutionPublicKey(books.message.public),
        officers=officers,
        participants={one.number: one for one in found},
    )


def _list_cosigners(origin: str, institutions: dict[ServiceName, _Institution]) -> CosignerList:
    """Every bank is a witness, the court is the auditor; most witnesses have to have cosigned."""
    entries = []
    witnesses = [one for one in institutions.values() if one.role is ServiceRole.BANK]
    for one in witnesses:
        entries += _describe_cosigner(one, CosignerRole.WITNESS, "witness")
    auditor = institutions[ServiceName("auditor")]
    entries += _describe_cosigner(auditor, CosignerRole.AUDITOR, "auditor")
    return CosignerList(origin, 1, (len(witnesses) + 1) // 2, 1, tuple(entries))


def _describe_cosigner(
    one: _Institution, role: CosignerRole, key: str
) -> list[tuple[CosignerRole, VerifierKey]]:
    plain = one.own.get_signer(key)
    quantum_safe = one.keys.get(f"{key}{ML_DSA}", CosignerKey.unseal)
    return [(role, get_verifier_key(one.name, handle)) for handle in (plain, quantum_safe)]


def _describe_settings(
    plan: Plan, one: _Institution, genesis: Genesis, desk: _Institution
) -> ServiceSettings:
    return ServiceSettings(
        service=one.name,
        network=NetworkSettings(id=genesis.network.hex(), lists=f"https://{desk.listen.public}"),
        listen=one.listen,
        keys=one.place.describe() if one.place is not None else Keys(),
        observe=Observe(traces=plan.traces),
        work=Work(interval_ms=plan.interval_ms, lists_ms=plan.lists_ms),
    )
