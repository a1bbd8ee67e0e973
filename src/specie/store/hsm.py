"""Signing keys in a hardware module, by PKCS#11: they sign there and never leave (X7).

    C_Login(PIN) → find the private key by its label → C_Sign

    Ed25519   CKM_EDDSA over the message (RFC 8032): messages, promises, lists, cosignatures
    P-256     CKM_ECDSA over its SHA-256, R ‖ S → DER: certificates, CRL, OCSP

PKCS#11 has no mechanism for Ristretto signatures, for sealing with our cipher, and in today's
modules none for ML-DSA: those keys stay in the encrypted file, as does the token's PIN. Tested with
SoftHSM2. Its tokens are files: it reads all of them when it is loaded, and fails if a process
beside us logs in at that moment, which writes to its own. So there is a turn for it.
"""

import hashlib
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Final

import pkcs11
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    PrivateFormat,
    PublicFormat,
)
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import (
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PKCS11Error,
)
from pkcs11.util.ec import encode_named_curve_parameters

from specie.store.file_locks import lock_opened
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import InstitutionPublicKey

SOFTHSM_SETTINGS: Final = "SOFTHSM2_CONF"  # variable of the environment: SoftHSM2's own
_ED25519: Final = "1.3.101.112"  # RFC 8410
_P256: Final = "1.2.840.10045.3.1.7"  # RFC 5480
_ED25519_SIZE: Final = 32
_P256_SIZE: Final = 65  # 0x04 ‖ x ‖ y
_HALF: Final = 32  # R, S
_WRONG_PIN: Final = (PinIncorrect, PinInvalid, PinLenRange)


def reload_module(module: Path) -> None:
    """A module looks for its tokens once: after others are made. What was open is closed."""
    with having_turn():
        pkcs11.lib(str(module)).reinitialize()


@contextmanager
def having_turn() -> Iterator[None]:
    """Of all processes with the same tokens of SoftHSM2; not twice at once in one thread.

    There is none where the environment does not name its settings: such tokens are not those of
    `specie up`, whose processes begin at the same moment. `store_unusable` if another does not end.
    """
    settings = os.environ.get(SOFTHSM_SETTINGS)
    with lock_opened(Path(settings)) if settings else nullcontext():
        yield


class HsmToken:
    """An open session with one token; used by one thread at a time."""

    def __init__(self, module: Path, label: str, pin: str) -> None:
        """`setting_invalid` without module or token, `passphrase_wrong` if the PIN is.

        `store_unusable` if the turn for SoftHSM2 does not come.
        """
        self.module, self.label = module, label
        self._lock = threading.Lock()
        try:
            with having_turn():
                token = pkcs11.lib(str(module)).get_token(token_label=label)
                self._session = token.open(rw=True, user_pin=pin)
        except _WRONG_PIN:
            reason = f"token {label}: the PIN does not open it"
            raise SpecieError(ErrorCode.PASSPHRASE_WRONG, reason) from None
        except (PKCS11Error, RuntimeError) as error:
            reason = f"{module}: token {label}: {type(error).__name__}"
            raise SpecieError(ErrorCode.SETTING_INVALID, reason) from None

    def generate(self, name: str) -> "HsmKey":
        """A new Ed25519 key in the token, under its name; `order_conflict` if there is one."""
        mechanism = Mechanism.EC_EDWARDS_KEY_PAIR_GEN
        with having_turn(), self._using():
            public, private = self._generate(name, KeyType.EC_EDWARDS, _ED25519, mechanism)
            return HsmKey(self, private, InstitutionPublicKey(_read_point(public)))

    def generate_issuing(self, name: str) -> "HsmIssuingKey":
        """The same on P-256."""
        with having_turn(), self._using():
            mechanism = Mechanism.EC_KEY_PAIR_GEN
            public, private = self._generate(name, KeyType.EC, _P256, mechanism)
            return HsmIssuingKey(self, private, _read_point(public))

    def find(self, public: InstitutionPublicKey) -> "HsmKey | None":
        """The Ed25519 key of this public half, if it is in the token."""
        with self._using():
            private = self._find(KeyType.EC_EDWARDS, public)
            return None if private is None else HsmKey(self, private, public)

    def find_issuing(self, public: ec.EllipticCurvePublicKey) -> "HsmIssuingKey | None":
        """The same on P-256."""
        point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        with self._using():
            private = self._find(KeyType.EC, point)
            return None if private is None else HsmIssuingKey(self, private, point)

    def list_keys(self) -> dict[str, bytes]:
        """Name → public half: 32 bytes of Ed25519, 65 of P-256."""
        with self._using():
            halves = self._list({Attribute.CLASS: ObjectClass.PUBLIC_KEY})
            return {str(one.label): _read_point(one) for one in halves}

    def remove(self, name: str) -> None:
        """Destroy a key for good; what is not there stays so."""
        with having_turn(), self._using():
            for half in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):  # stopped between: again
                for one in self._list({Attribute.CLASS: half, Attribute.LABEL: name}):
                    one.destroy()

    def sign(self, private: Any, message: bytes, mechanism: Mechanism) -> bytes:
        """64 bytes; `store_unusable` if the module does not do it."""
        with self._using():
            signature: bytes = private.sign(message, mechanism=mechanism)
        return signature

    def close(self) -> None:
        """Log out; again is nothing."""
        with self._lock, suppress(PKCS11Error):
            self._session.close()

    def _generate(self, name: str, kind: KeyType, curve: str, how: Mechanism) -> tuple[Any, Any]:
        if self._list({Attribute.LABEL: name}):
            reason = f"token {self.label}: {name} is there already"
            raise SpecieError(ErrorCode.ORDER_CONFLICT, reason)
        named = {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}
        parameters = self._session.create_domain_parameters(kind, named, local=True)
        made: tuple[Any, Any] = parameters.generate_keypair(mechanism=how, store=True, label=name)
        return made

    def _find(self, kind: KeyType, point: bytes) -> Any | None:
        wanted = {Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.KEY_TYPE: kind}
        names = {one.label for one in self._list(wanted) if _read_point(one) == point}
        privates = self._list({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.KEY_TYPE: kind})
        return next((one for one in privates if one.label in names), None)

    def _list(self, wanted: Mapping[Attribute, object]) -> list[Any]:
        return list(self._session.get_objects({**wanted}))

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
        return self._token.sign(self._private, message, Mechanism.EDDSA)


class HsmIssuingKey(ec.EllipticCurvePrivateKey):
    """What `cryptography` signs certificates with, its secret half in a token."""

    def __init__(self, token: HsmToken, private: Any, point: bytes) -> None:
        self._token = token
        self._private = private
        self._public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)

    @property
    def curve(self) -> ec.EllipticCurve:
        """P-256."""
        return self._public.curve

    @property
    def key_size(self) -> int:
        """256 bits."""
        return self._public.key_size

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Its public half."""
        return self._public

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """DER; hashed here, signed in the module."""
        assert isinstance(signature_algorithm.algorithm, SHA256), "all of ours are"
        digest = hashlib.sha256(data).digest()
        pair = self._token.sign(self._private, digest, Mechanism.ECDSA)
        r, s = (int.from_bytes(one, "big") for one in (pair[:_HALF], pair[_HALF:]))
        return utils.encode_dss_signature(r, s)

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> bytes:
        """It signs, and does nothing else."""
        raise NotImplementedError

    def private_numbers(self) -> ec.EllipticCurvePrivateNumbers:
        """They do not leave the token."""
        raise NotImplementedError

    def private_bytes(
        self,
        encoding: Encoding,
        format: PrivateFormat,  # noqa: A002  # the name of the class above
        encryption_algorithm: KeySerializationEncryption,
    ) -> bytes:
        """They do not leave the token."""
        raise NotImplementedError

    def __copy__(self) -> "HsmIssuingKey":
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> "HsmIssuingKey":
        return self


def _read_point(key: Any) -> bytes:
    """From DER's octet string, or bare, as modules differ."""
    size = _ED25519_SIZE if key.key_type == KeyType.EC_EDWARDS else _P256_SIZE
    point: bytes = key[Attribute.EC_POINT]
    return point[-size:]
