"""The sample core bank's folder: settings, database, certificate, and the bank's secret.

    core-bank.toml   where it listens; what tells the folder from an institution's
    certificate.pem  for the bank, which trusts this one alone      tls.key   its key
    secret           by which the bank is known                     core.db   accounts and books

It is no part of the network: it has no keys of it and reads none of its lists.
"""

import datetime as dt
import ipaddress
import secrets
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from specie.assembly.core_system import read_secret
from specie.assembly.service_settings import check_address
from specie.assembly.system import SystemClock
from specie.assembly.tls import pack_key
from specie.core_bank.service import SampleCoreBank
from specie.store.books_store import SqliteBooksStore
from specie.store.core_account_store import SqliteCoreAccounts
from specie.store.database import Database
from specie.store.durable_files import read_regular, replace_durably
from specie.values.amounts import Currency
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import LOG_FILE_BYTES_MAX

CORE_SETTINGS: Final = "core-bank.toml"
CERTIFICATE: Final = "certificate.pem"
KEY: Final = "tls.key"
SECRET: Final = "secret"
_DATABASE: Final = "core.db"
_YEARS: Final = 5  # of a certificate that nobody but the bank believes

_Address = Annotated[str, AfterValidator(check_address)]


class CoreBankSettings(BaseModel):
    """All of them."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    bank: Annotated[int, Field(ge=0, le=9_999)]  # in account numbers
    listen: _Address
    operations: _Address  # /live and /ready, on loopback
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "DCU"
    decimals: Annotated[int, Field(ge=0, le=8)] = 2

    @property
    def money(self) -> Currency:
        """For people at the counter; between programs amounts are minor units."""
        return Currency(self.currency, self.decimals)


@dataclass(slots=True, repr=False)
class CoreBankProcess:
    """Everything that it does."""

    folder: Path
    settings: CoreBankSettings
    service: SampleCoreBank
    secret: str
    database: Database

    def close(self) -> None:
        """The database."""
        self.database.close()


def create_core_bank(
    folder: Path, bank: int, listen: str, operations: str, currency: Currency
) -> None:
    """A new one; `setting_invalid` if the folder is not empty or an address is none."""
    found = {"bank": bank, "listen": listen, "operations": operations}
    settings = _validate({**found, "currency": currency.code, "decimals": currency.decimals})
    if folder.exists() and any(folder.iterdir()):
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{folder}: not empty")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    _write_private(folder, SECRET, f"{secrets.token_urlsafe(32)}\n".encode())
    _write_certificate(folder, listen)
    lines = [
        f"{name} = {value}" if isinstance(value, int) else f'{name} = "{value}"'
        for name, value in settings.model_dump().items()
    ]
    replace_durably(folder, CORE_SETTINGS, ("\n".join(lines) + "\n").encode())


def load_core_settings(folder: Path) -> CoreBankSettings:
    """`setting_invalid`."""
    path = folder / CORE_SETTINGS
    try:
        found = tomllib.loads(read_regular(path, LOG_FILE_BYTES_MAX).decode())
    except OSError as error:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{path}: {error}") from None
    return _validate(found)


def build_core_bank(folder: Path) -> CoreBankProcess:
    """From its folder."""
    settings, secret = load_core_settings(folder), read_secret(folder / SECRET)
    database = Database(folder / _DATABASE)
    books, accounts = SqliteBooksStore(database), SqliteCoreAccounts(database)
    service = SampleCoreBank(settings.bank, books, accounts, SystemClock())
    return CoreBankProcess(folder, settings, service, secret, database)


def describe_settings(folder: Path) -> str:
    """What the bank's settings have to say."""
    url = f"https://{load_core_settings(folder).listen}"
    lines = ("[core_bank]", f'url = "{url}"', f'certificate = "{folder / CERTIFICATE}"')
    return "\n".join((*lines, f'secret = "{folder / SECRET}"'))


def _validate(found: dict[str, object]) -> CoreBankSettings:
    try:
        return CoreBankSettings.model_validate(found)
    except ValidationError as error:
        mistakes = [
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False)
        ]
        reason = f"{CORE_SETTINGS}: {'; '.join(mistakes)}"
        raise SpecieError(ErrorCode.SETTING_INVALID, reason) from None


def _write_certificate(folder: Path, listen: str) -> None:
    """Signed by itself: the bank is given this one, and trusts no other."""
    host = listen.rpartition(":")[0].strip("[]")
    try:
        place: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        place = x509.DNSName(host)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sample core bank")])
    now = dt.datetime.fromtimestamp(SystemClock().now() // 1000, dt.UTC)
    usage = x509.BasicConstraints(ca=False, path_length=None)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=365 * _YEARS))
        .add_extension(x509.SubjectAlternativeName([place]), critical=False)
        .add_extension(usage, critical=True)
        .sign(key, SHA256())
    )
    replace_durably(folder, CERTIFICATE, certificate.public_bytes(Encoding.PEM))
    _write_private(folder, KEY, pack_key(key))


def _write_private(folder: Path, name: str, data: bytes) -> None:
    """The folder is for its owner alone, and so is the file."""
    replace_durably(folder, name, data)
    (folder / name).chmod(0o600)
