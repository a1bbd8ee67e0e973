"""One TOML file per process; every setting is checked, one error names all that are wrong.

None is a secret.

Documented in docs/reference/settings.md, which a test compares with these models.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator

from specie.store.durable_files import read_regular, replace_durably
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId, ServiceName
from specie.values.limits import LOG_FILE_BYTES_MAX

SETTINGS = "settings.toml"

_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")
_HTTPS: Final = "https://"
_UNKNOWN: Final = "extra_forbidden"
_SENTENCES: Final[Mapping[str, str]] = {
    "missing": "missing",
    "string_type": "a text in quotes",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "model_type": "a table",
}


def check_address(text: str) -> str:
    """Gives it back; a `ValueError` says what an address is."""
    host, _, port = text.rpartition(":")
    is_port = port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 2**16
    if not is_port or not _HOST.fullmatch(host):
        raise ValueError("host:port, port 1 to 65535")
    return text


def _check_url(text: str) -> str:
    try:
        check_address(text.removeprefix(_HTTPS))
    except ValueError as error:
        raise ValueError(f"{_HTTPS}{error}") from None
    if not text.startswith(_HTTPS):
        raise ValueError(f"{_HTTPS}host:port")
    return text


def _spelled(pattern: str, what: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(what)
        return text

    return AfterValidator(check)


def _within(least: int, most: int) -> AfterValidator:
    def check(value: int) -> int:
        if not least <= value <= most:
            raise ValueError(f"{least:,} to {most:,}")
        return value

    return AfterValidator(check)


_Address = Annotated[str, AfterValidator(check_address)]
_Strict = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)
_NAME: Final = "a small letter, then small letters, digits and -, 32 in all at most"


class Listen(BaseModel):
    """Where the process is reached, host:port; the operations' listener belongs on loopback."""

    model_config = _Strict

    institutions: _Address
    public: _Address
    operations: _Address

    @model_validator(mode="after")
    def _check_apart(self) -> Self:
        if len({self.institutions, self.public, self.operations}) < 3:
            raise ValueError("each listener has an address of its own")
        return self


class NetworkSettings(BaseModel):
    """Which network, and where its lists are asked for."""

    model_config = _Strict

    id: Annotated[str, _spelled("[0-9a-f]{32}", "32 hexadecimal digits, small letters")]
    lists: Annotated[str, AfterValidator(_check_url)]


class Keys(BaseModel):
    """Where the signing keys are: in the encrypted file, or behind PKCS#11."""

    model_config = _Strict

    source: Literal["file", "pkcs11"] = "file"
    module: str = ""  # path of the PKCS#11 library
    token: str = ""  # label of the token

    @model_validator(mode="after")
    def _check_token(self) -> Self:
        if self.source == "pkcs11" and not (self.module and self.token):
            raise ValueError("source pkcs11 takes module and token")
        return self


class Observe(BaseModel):
    """What is written down."""

    model_config = _Strict

    level: Literal["debug", "info", "warning", "error"] = "info"
    traces: bool = False  # spans as JSON lines in traces.jsonl


class Work(BaseModel):
    """How often the process looks after what is open, and how long it waits, in milliseconds."""

    model_config = _Strict

    interval_ms: Annotated[int, _within(20, 60_000)] = 500
    lists_ms: Annotated[int, _within(100, 3_600_000)] = 2_000
    drain_ms: Annotated[int, _within(0, 600_000)] = 5_000
    answer_ms: Annotated[int, _within(1_000, 60_000)] = 30_000


class CoreBank(BaseModel):
    """A bank's core system; without one, deposits are in the bank's own books."""

    model_config = _Strict

    url: str = ""  # https://host:port
    certificate: str = ""  # path of a PEM file: the core system's own certificate, or its issuer's
    secret: str = ""  # path of a file with the secret, readable for its owner alone

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        if len({bool(self.url), bool(self.certificate), bool(self.secret)}) > 1:
            raise ValueError("url, certificate and secret, or none of them")
        if self.url:
            _check_url(self.url)
        return self


class ServiceSettings(BaseModel):
    """All of them."""

    model_config = _Strict

    service: Annotated[str, _spelled("[a-z][a-z0-9-]{0,31}", _NAME)]
    network: NetworkSettings
    listen: Listen
    keys: Keys = Keys()
    observe: Observe = Observe()
    work: Work = Work()
    core_bank: CoreBank = CoreBank()

    @property
    def name(self) -> ServiceName:
        """Of the process."""
        return ServiceName(self.service)

    @property
    def network_id(self) -> NetworkId:
        """16 bytes."""
        return NetworkId(bytes.fromhex(self.network.id))


def load_settings(folder: Path) -> ServiceSettings:
    """From `settings.toml`; `setting_invalid` names every setting that is wrong."""
    path = folder / SETTINGS
    try:
        text = read_regular(path, LOG_FILE_BYTES_MAX).decode()
        found = tomllib.loads(text)
    except OSError as error:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{path}: {error}") from None
    try:
        return ServiceSettings.model_validate(found)
    except ValidationError as error:
        mistakes = _list_mistakes(error)
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{path}: {'; '.join(mistakes)}") from None


def write_settings(folder: Path, settings: ServiceSettings) -> None:
    """All of them, with their defaults, so that people see what there is."""
    lines = [f'service = "{settings.service}"']
    for name, table in settings.model_dump().items():
        if isinstance(table, dict):
            lines += ["", f"[{name}]", *(f"{key} = {_spell(one)}" for key, one in table.items())]
    replace_durably(folder, SETTINGS, ("\n".join(lines) + "\n").encode())


def _list_mistakes(error: ValidationError) -> list[str]:
    """A sentence each; names that there are not come first, for others may be missing by them."""
    found = sorted(error.errors(include_url=False), key=lambda one: one["type"] != _UNKNOWN)
    return [f"{'.'.join(map(str, one['loc']))}: {_describe(one)}" for one in found]


def _describe(mistake: Mapping[str, Any]) -> str:
    kind, context = mistake["type"], mistake.get("ctx", {})
    if kind == _UNKNOWN:
        near = get_close_matches(str(mistake["loc"][-1]), _list_names(mistake["loc"][:-1]), 1)
        return f"no such setting, perhaps {near[0]}" if near else "no such setting"
    if kind == "literal_error":
        return f"one of {context['expected']}"
    return _SENTENCES.get(kind) or str(context.get("error", mistake["msg"]))


def _list_names(table: Sequence[int | str]) -> list[str]:
    """Of the settings in a table, or of the tables themselves."""
    model: Any = ServiceSettings
    for name in table:
        model = model.model_fields[name].annotation
    return list(model.model_fields)


def _spell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    text = str(value)
    assert text.isprintable() and not set(text) & set('"\\'), "patterns allow no others"
    return f'"{text}"'
