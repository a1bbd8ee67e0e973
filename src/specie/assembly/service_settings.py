"""One TOML file per process; every setting is checked, an error names it, and none is a secret.

Documented in docs/reference/settings.md, which a test compares with these models.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from specie.store.durable_files import read_regular, replace_durably
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId, ServiceName
from specie.values.limits import LOG_FILE_BYTES_MAX

SETTINGS = "settings.toml"

_Address = Annotated[str, Field(pattern=r"^[A-Za-z0-9.\[\]:-]{1,253}:[0-9]{1,5}$")]
_Strict = ConfigDict(extra="forbid", frozen=True, strict=True)


class Listen(BaseModel):
    """Where the process is reached, host:port; the operations' listener belongs on loopback."""

    model_config = _Strict

    institutions: _Address
    public: _Address
    operations: _Address


class Network(BaseModel):
    """Which network, and where its lists are asked for."""

    model_config = _Strict

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    lists: Annotated[str, Field(pattern=r"^https://[A-Za-z0-9.:\[\]-]+$")]


class Keys(BaseModel):
    """Where the signing keys are: in the encrypted file, or behind PKCS#11."""

    model_config = _Strict

    source: Literal["file", "pkcs11"] = "file"
    module: str = ""  # path of the PKCS#11 library
    token: str = ""  # label of the token


class Observe(BaseModel):
    """What is written down."""

    model_config = _Strict

    level: Literal["debug", "info", "warning", "error"] = "info"
    traces: bool = False  # spans as JSON lines in traces.jsonl


class Work(BaseModel):
    """How often the process looks after what is open, in milliseconds."""

    model_config = _Strict

    interval_ms: Annotated[int, Field(ge=20, le=60_000)] = 250
    lists_ms: Annotated[int, Field(ge=100, le=3_600_000)] = 2_000
    drain_ms: Annotated[int, Field(ge=0, le=600_000)] = 5_000


class ServiceSettings(BaseModel):
    """All of them."""

    model_config = _Strict

    service: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    network: Network
    listen: Listen
    keys: Keys = Keys()
    observe: Observe = Observe()
    work: Work = Work()

    @property
    def name(self) -> ServiceName:
        """Of the process."""
        return ServiceName(self.service)

    @property
    def network_id(self) -> NetworkId:
        """16 bytes."""
        return NetworkId(bytes.fromhex(self.network.id))


def load_settings(folder: Path) -> ServiceSettings:
    """From `settings.toml`; `setting_invalid` names the setting that is wrong."""
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
        first = error.errors(include_url=False, include_context=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{path}: {name}: {first['msg']}") from None


def write_settings(folder: Path, settings: ServiceSettings) -> None:
    """All of them, with their defaults, so that people see what there is."""
    lines = [f'service = "{settings.service}"']
    for name, table in settings.model_dump().items():
        if isinstance(table, dict):
            lines += ["", f"[{name}]", *(f"{key} = {_spell(one)}" for key, one in table.items())]
    replace_durably(folder, SETTINGS, ("\n".join(lines) + "\n").encode())


def _spell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    text = str(value)
    assert text.isprintable() and not set(text) & set('"\\'), "patterns allow no others"
    return f'"{text}"'
