"""An institution's secrets in one encrypted file; the passphrase comes from outside (X7).

    passphrase --Argon2id, salt16--> K;   entry = seal(K, bytes, aad = "key-file" ‖ 0x00 ‖ name)

A JSON object, so that people see what is in it without seeing any of it: format, salt, and the
sealed entries by name in base64. It is replaced as a whole, durably; only its owner may read it.
Who changes it holds the lock beside it and reads it anew first: a process that runs and a command
beside it do not lose each other's keys.
"""

import base64
import binascii
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from specie.crypto.cosigning import CosignerKey
from specie.crypto.native import translated_errors
from specie.crypto.secrets import (
    InstitutionKey,
    KeyTree,
    ScanKey,
    Sealable,
    SealingKey,
    SigningKey,
    SpendKey,
    ViewKey,
    VrfKey,
    WalletSecret,
    derive_sealing_key,
    open_sealed,
    unseal,
)
from specie.store.durable_files import read_regular, replace_durably
from specie.store.file_locks import lock_file
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text
from specie.values.errors import SpecieError
from specie.values.limits import KEY_FILE_BYTES_MAX

_FORMAT: Final = "specie keys v1"
_AAD: Final = b"key-file\0"
_CHECK: Final = "check"  # an entry of no secret: tells a wrong passphrase from a damaged entry

_OPENERS: Final[tuple[Callable[[SealingKey, bytes, bytes], Sealable], ...]] = (
    InstitutionKey.unseal,
    SigningKey.unseal,
    ScanKey.unseal,
    KeyTree.unseal,
    CosignerKey.unseal,
    VrfKey.unseal,
    ViewKey.unseal,
    SpendKey.unseal,
    WalletSecret.unseal,
)
"""What is sealed as itself; besides there are keys that seal, and plain secrets."""

Handle = TypeVar("Handle")


class KeyFile:
    """Opened with its passphrase; hands out handles, never bytes of keys, but for plain secrets."""

    def __init__(self, path: Path, passphrase: str, derived: SealingKey | None = None) -> None:
        """`setting_invalid` if there is no such file, `passphrase_wrong` if it does not open.

        `derived` is the passphrase's key, if it has been computed just now.
        """
        found = _read(path)
        self._path = path
        self._changing = threading.RLock()
        self._depth = 0
        self._salt = _decode(found["salt"])
        self._entries = {name: _decode(one) for name, one in found["entries"].items()}
        self._key = derived or derive_sealing_key(passphrase, self._salt)
        try:
            self.get_secret(_CHECK)
        except SpecieError:
            reason = f"{path}: the passphrase does not open it"
            raise SpecieError(ErrorCode.PASSPHRASE_WRONG, reason) from None

    @classmethod
    def create(cls, path: Path, passphrase: str, salt: bytes) -> "KeyFile":
        """A new file with nothing in it; `order_conflict` if there is one already."""
        _check_passphrase(passphrase)
        if path.exists():
            raise SpecieError(ErrorCode.ORDER_CONFLICT, f"{path}: there are keys already")
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = derive_sealing_key(passphrase, salt)
        _write(path, salt, {_CHECK: key.seal(b"", _AAD + _CHECK.encode())})
        return cls(path, passphrase, key)

    def list_names(self) -> list[str]:
        """What is in it."""
        return sorted(name for name in self._entries if name != _CHECK)

    def has(self, name: str) -> bool:
        """Whether an entry is there."""
        return name in self._entries

    def put(self, name: str, handle: Sealable) -> None:
        """Add a key, durably; `order_conflict` if there is one of this name."""
        self._add(name, handle.seal(self._key, _AAD + encode_text(name)))

    def put_sealing_key(self, name: str, key: SealingKey) -> None:
        """The same for a key that seals others."""
        with translated_errors():
            sealed = self._key.seal_key(key, _AAD + encode_text(name))
        self._add(name, sealed)

    def put_secret(self, name: str, secret: bytes) -> None:
        """The same for secrets of other libraries: a password, a key in PEM."""
        self._add(name, self._key.seal(secret, _AAD + encode_text(name)))

    def get(self, name: str, opener: Callable[[SealingKey, bytes, bytes], Handle]) -> Handle:
        """A handle, e.g. `get("scan", ScanKey.unseal)`; `sealed_invalid` if it was changed."""
        return unseal(opener, self._key, self._find(name), _AAD + encode_text(name))

    def get_sealing_key(self, name: str) -> SealingKey:
        """A key that seals others."""
        with translated_errors():
            return self._key.open_key(self._find(name), _AAD + encode_text(name))

    def get_secret(self, name: str) -> bytes:
        """A secret of another library."""
        return open_sealed(self._key, self._find(name), _AAD + encode_text(name))

    def remove(self, names: Iterable[str]) -> None:
        """Forget entries for good, durably; what is not there stays so."""
        gone = {*names} - {_CHECK}
        with self.changing():
            left = {name: one for name, one in self._entries.items() if name not in gone}
            if left != self._entries:
                _write(self._path, self._salt, left)
                self._entries = left

    def change_passphrase(self, passphrase: str, salt: bytes) -> None:
        """Everything sealed anew under another one, in one durable step; `salt` is 16 new bytes.

        By the salt who has the file open sees that it is another: it goes on with what it has
        read, and changes nothing any more. `sealed_invalid` if an entry does not open: then nothing
        was changed.
        """
        _check_passphrase(passphrase)
        assert len(salt) == len(self._salt) and salt != self._salt, "drawn for this change"
        key = derive_sealing_key(passphrase, salt)
        with self.changing():
            entries = {name: self._seal_anew(name, key) for name in self._entries}
            _write(self._path, salt, entries)
            self._entries, self._salt, self._key = entries, salt, key

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Nobody else changes it meanwhile, and we know what others have; again within is nothing.

        `store_unusable` if another writer does not end, `setting_invalid` if it is another file.
        """
        with self._changing:
            if self._depth:
                yield
                return
            with lock_file(self._path):
                self._read_again()
                self._depth = 1
                try:
                    yield
                finally:
                    self._depth = 0

    def _read_again(self) -> None:
        found = _read(self._path)
        if _decode(found["salt"]) != self._salt:
            reason = f"{self._path}: another file has taken its place"
            raise SpecieError(ErrorCode.SETTING_INVALID, reason)
        self._entries = {name: _decode(one) for name, one in found["entries"].items()}

    def _seal_anew(self, name: str, key: SealingKey) -> bytes:
        """Whatever it is: it opens as nothing else."""
        aad = _AAD + encode_text(name)
        for opener in _OPENERS:
            handle = None
            with suppress(SpecieError):
                handle = self.get(name, opener)
            if handle is not None:
                return handle.seal(key, aad)
        inner = None
        with suppress(SpecieError):
            inner = self.get_sealing_key(name)
        if inner is None:
            return key.seal(self.get_secret(name), aad)
        with translated_errors():
            return key.seal_key(inner, aad)

    def _find(self, name: str) -> bytes:
        sealed = self._entries.get(name)
        if sealed is None:
            raise SpecieError(ErrorCode.SETTING_INVALID, f"{self._path}: no key named {name}")
        return sealed

    def _add(self, name: str, sealed: bytes) -> None:
        with self.changing():
            if name in self._entries:
                reason = f"{self._path}: {name} is there already"
                raise SpecieError(ErrorCode.ORDER_CONFLICT, reason)
            entries = {**self._entries, name: sealed}
            _write(self._path, self._salt, entries)
            self._entries = entries


def _check_passphrase(passphrase: str) -> None:
    if not passphrase:
        raise SpecieError(ErrorCode.SETTING_INVALID, "an empty passphrase protects nothing")


def _read(path: Path) -> dict[str, Any]:
    try:
        data = read_regular(path, KEY_FILE_BYTES_MAX)
    except OSError as error:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{path}: {error.strerror}") from None
    try:
        found = json.loads(data)
        entries, salt = found["entries"], found["salt"]
        is_ours = found["format"] == _FORMAT and isinstance(salt, str) and len(_decode(salt)) == 16
        is_ours = is_ours and all(isinstance(one, str) for one in entries.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        is_ours = False
        found = {}
    if not is_ours or len(data) > KEY_FILE_BYTES_MAX:
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{path}: not a file of keys")
    return dict(found)


def _write(path: Path, salt: bytes, entries: Mapping[str, bytes]) -> None:
    shown = {name: base64.b64encode(one).decode() for name, one in sorted(entries.items())}
    whole = {
        "format": _FORMAT,
        "salt": base64.b64encode(salt).decode(),
        "entries": shown,
    }
    text = json.dumps(whole, indent=1).encode() + b"\n"
    replace_durably(path.parent, path.name, text, mode=0o600)


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SpecieError(ErrorCode.SETTING_INVALID, "a file of keys is damaged") from None
