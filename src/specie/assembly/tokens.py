"""Where a token is and what opens it: a process says it in its settings, an officer in keys.json.

The PIN lies in the encrypted file of keys, so that one passphrase from outside opens both. A token
belongs to one process or officer alone: keys in it that have ended are destroyed.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from specie.assembly.own_keys import OwnKeys
from specie.assembly.service_settings import Keys
from specie.store.durable_files import sync_folder
from specie.store.hsm import HsmToken
from specie.store.key_file import KeyFile
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

PIN: Final = "token-pin"
_MODULE: Final = "token-module"
_LABEL: Final = "token-label"
OFFICER_KEY: Final = "officer"


@dataclass(frozen=True, slots=True, repr=False)
class TokenPlace:
    """A token that somebody has set up."""

    module: Path
    label: str
    pin: str

    def open(self) -> HsmToken:
        """`setting_invalid`, `passphrase_wrong`."""
        return HsmToken(self.module, self.label, self.pin)

    def open_empty(self) -> HsmToken:
        """For the first keys; `order_conflict` if keys are in it: they may be another's."""
        token = self.open()
        if token.list_keys():
            token.close()
            reason = f"token {self.label}: keys are in it; one that is set up anew is asked for"
            raise SpecieError(ErrorCode.ORDER_CONFLICT, reason)
        return token

    def describe(self) -> Keys:
        """As settings say it."""
        return Keys(source="pkcs11", module=str(self.module), token=self.label)


def open_token(settings: Keys, keys: KeyFile) -> HsmToken | None:
    """Of a process, if its keys are in one."""
    if settings.source == "file":
        return None
    return HsmToken(Path(settings.module), settings.token, keys.get_secret(PIN).decode())


@contextmanager
def new_key_file(path: Path, passphrase: str) -> Iterator[KeyFile]:
    """It gets its name when everything is in it; `order_conflict` if there are keys already."""
    if path.exists():
        raise SpecieError(ErrorCode.ORDER_CONFLICT, f"{path}: there are keys already")
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    yield KeyFile.create(draft, passphrase, secrets.token_bytes(16))
    draft.rename(path)
    sync_folder(path.parent)  # before anybody is told its keys: the next attempt removes a draft
    draft.with_name(f".{draft.name}.lock").unlink(missing_ok=True)


def draw_own_keys(keys: KeyFile, place: TokenPlace | None) -> OwnKeys:
    """A new file and, with `place`, an empty token whose PIN it holds from now on."""
    if place is None:
        return OwnKeys(keys)
    keys.put_secret(PIN, place.pin.encode())
    return OwnKeys(keys, place.open_empty())


def draw_officer_keys(keys: KeyFile, place: TokenPlace | None) -> OwnKeys:
    """In the file or, with `place`, in a token of the officer's own, which the file then names."""
    if place is not None:
        keys.put_secret(_MODULE, str(place.module).encode())
        keys.put_secret(_LABEL, place.label.encode())
    own = draw_own_keys(keys, place)
    own.draw_signer(OFFICER_KEY)
    return own


def open_officer_keys(path: Path, passphrase: str) -> OwnKeys:
    """`passphrase_wrong`; `setting_invalid` without file or token."""
    keys = KeyFile(path, passphrase)
    if not keys.has(PIN):
        return OwnKeys(keys)
    module, label, pin = (keys.get_secret(name).decode() for name in (_MODULE, _LABEL, PIN))
    return OwnKeys(keys, HsmToken(Path(module), label, pin))
