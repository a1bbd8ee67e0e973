"""Signing keys in a hardware module, by PKCS#11: they sign there and never leave (X7).

    C_Login(PIN) → find the private key by its label → C_Sign(CKM_EDDSA, message)

Ed25519 alone, RFC 8032 over the message itself: what institutions, notary, accounting and the list
sign with. Keys of other kinds (Ristretto, ML-DSA, sealing) have no mechanism in PKCS#11 and stay in
the encrypted file, as does the token's PIN. Tested with SoftHSM2.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import (
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PKCS11Error,
)
from pkcs11.util.ec import encode_named_curve_parameters

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import InstitutionPublicKey

_ED25519: Final = "1.3.101.112"  # RFC 8410
_PUBLIC_SIZE: Final = 32
_WRONG_PIN: Final = (PinIncorrect, PinInvalid, PinLenRange)


def reload_module(module: Path) -> None:
    """A module looks for its tokens once: after others are made. What was open is closed."""
    pkcs11.lib(str(module)).reinitialize()


class HsmToken:
    """An open session with one token; used by one thread at a time."""

    def __init__(self, module: Path, label: str, pin: str) -> None:
        """`setting_invalid` without module or token, `passphrase_wrong` if the PIN is."""
        self.module, self.label = module, label
        self._lock = threading.Lock()
        try:
            token = pkcs11.lib(str(module)).get_token(token_label=label)
            self._session = token.open(rw=True, user_pin=pin)
        except _WRONG_PIN:
            reason = f"token {label}: the PIN does not open it"
            raise SpecieError(ErrorCode.PASSPHRASE_WRONG, reason) from None
        except (PKCS11Error, RuntimeError) as error:
            reason = f"{module}: token {label}: {type(error).__name__}"
            raise SpecieError(ErrorCode.SETTING_INVALID, reason) from None

    def generate(self, name: str) -> "HsmKey":
        """A new key in the token, under its name; `order_conflict` if there is one."""
        with self._using():
            if self._list({Attribute.LABEL: name}):
                reason = f"token {self.label}: {name} is there already"
                raise SpecieError(ErrorCode.ORDER_CONFLICT, reason)
            curve = {Attribute.EC_PARAMS: encode_named_curve_parameters(_ED25519)}
            parameters = self._session.create_domain_parameters(
                KeyType.EC_EDWARDS, curve, local=True
            )
            public, private = parameters.generate_keypair(
                mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label=name
            )
            return HsmKey(self, private, _read_public(public))

    def find(self, public: InstitutionPublicKey) -> "HsmKey | None":
        """The key of this public half, if it is in the token."""
        with self._using():
            halves = self._list({Attribute.CLASS: ObjectClass.PUBLIC_KEY})
            names = {one.label for one in halves if _read_public(one) == public}
            for private in self._list({Attribute.CLASS: ObjectClass.PRIVATE_KEY}):
                if private.label in names:
                    return HsmKey(self, private, public)
        return None

    def sign(self, private: Any, message: bytes) -> bytes:
        """64 bytes; `store_unusable` if the module does not do it."""
        with self._using():
            signature: bytes = private.sign(message, mechanism=Mechanism.EDDSA)
        return signature

    def close(self) -> None:
        """Log out; again is nothing."""
        with self._lock, suppress(PKCS11Error):
            self._session.close()

    def _list(self, wanted: dict[Attribute, object]) -> list[Any]:
        return list(self._session.get_objects(wanted))

    @contextmanager
    def _using(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except PKCS11Error as error:
                reason = f"token {self.label}: {type(error).__name__}"
                raise SpecieError(ErrorCode.STORE_UNUSABLE, reason) from None


class HsmKey:
    """`InstitutionSigner` whose secret half is in a token."""

    def __init__(self, token: HsmToken, private: Any, public: bytes) -> None:
        self._token = token
        self._private = private
        self.public = public

    def __repr__(self) -> str:
        return f"HsmKey({self.public.hex()[:8]}…)"

    def sign(self, message: bytes) -> bytes:
        """In the module."""
        return self._token.sign(self._private, message)


def _read_public(key: Any) -> InstitutionPublicKey:
    """From DER's octet string, or bare, as modules differ."""
    point: bytes = key[Attribute.EC_POINT]
    return InstitutionPublicKey(point[-_PUBLIC_SIZE:])
