"""SoftHSM2 for a network on one machine: tokens in its folder, one for each institution.

In earnest a token is set up with the tools of who makes the module, and settings name it.
"""

import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from specie.assembly.tokens import TokenPlace
from specie.store.durable_files import replace_durably
from specie.store.hsm import SOFTHSM_SETTINGS, having_turn, reload_module
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

FOLDER: Final = "hsm"
_SETTINGS: Final = "softhsm2.conf"
_MODULES: Final = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


@dataclass(frozen=True, slots=True)
class SoftHsm:
    """Of one network."""

    module: Path

    @classmethod
    def create(cls, data: Path) -> "SoftHsm":
        """A folder for tokens; `setting_invalid` if SoftHSM is not installed."""
        found = cls(_find_module())
        tokens = data / FOLDER / "tokens"
        tokens.mkdir(parents=True, mode=0o700)
        (data / FOLDER).chmod(0o700)
        text = f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
        replace_durably(data / FOLDER, _SETTINGS, text.encode())
        use_tokens(data)
        return found

    @classmethod
    def open(cls, data: Path) -> "SoftHsm":
        """The folder that is there, or a new one."""
        if not (data / FOLDER / _SETTINGS).exists():
            return cls.create(data)
        use_tokens(data)
        return cls(_find_module())

    def draw_tokens(self, labels: Sequence[str]) -> dict[str, TokenPlace]:
        """New tokens, each with a PIN of its own."""
        pins = {label: secrets.token_hex(16) for label in labels}
        self.create_tokens(pins)
        return {label: TokenPlace(self.module, label, pin) for label, pin in pins.items()}

    def create_tokens(self, pins: Mapping[str, str]) -> None:
        """Label → PIN; the folder is its owner's alone, so a PIN among arguments tells nobody."""
        for label, pin in pins.items():
            command = ["softhsm2-util", "--init-token", "--free", "--label", label]
            command += ["--pin", pin, "--so-pin", pin]
            try:
                with having_turn():
                    subprocess.run(  # noqa: S603  # a program of the system, found above
                        command, check=True, capture_output=True
                    )
            except subprocess.CalledProcessError:
                raise SpecieError(ErrorCode.SETTING_INVALID, f"no token {label}") from None
        reload_module(self.module)


def use_tokens(data: Path, *, is_asked: bool = True) -> None:
    """Tell the module where this network's tokens are; it asks the environment.

    Not `is_asked`, what stands there already goes first.
    """
    settings = data / FOLDER / _SETTINGS
    if settings.exists() and (is_asked or SOFTHSM_SETTINGS not in os.environ):
        os.environ[SOFTHSM_SETTINGS] = str(settings)


def _find_module() -> Path:
    module = next((Path(one) for one in _MODULES if Path(one).exists()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        reason = "SoftHSM2 is not installed (Debian: apt-get install softhsm2)"
        raise SpecieError(ErrorCode.SETTING_INVALID, reason)
    return module
