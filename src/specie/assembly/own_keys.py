"""An institution's own keys, in its file or in its hardware module: drawn, found, removed (X7, T2).

    institution, institution-2, institution-3 …     the lists say which one counts

A new key has the next number of its kind. What was drawn before the key that counts now has ended
and is removed, of file and token; what was drawn after it waits for officers and stays.
"""

import contextlib
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from specie.assembly.tls import pack_key, unpack_key
from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionKey, InstitutionSigner, SealingKey, SigningKey
from specie.store.hsm import HsmToken
from specie.store.key_file import KeyFile
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import InstitutionPublicKey

ATTESTATION: Final = "attestation"
ISSUING_KEY: Final = "issuing-key"
STORAGE: Final = "storage"  # seals rows of the database
VAULT: Final = "vault"  # of a bank: seals its own tokens
DIRECTORY: Final = "directory"  # of the secret function; there is one for ever
FIRST_TLS_KEY: Final = "certificate-key"  # of who joins, until it has another certificate
ML_DSA: Final = "-ml-dsa"  # ends the kinds of a cosigner's quantum-safe key
_NUMBER: Final = r"(?:-([1-9][0-9]{0,5}))?"
Found = TypeVar("Found", InstitutionKey, SigningKey, CosignerKey)


@dataclass(frozen=True, slots=True, repr=False)
class OwnKeys:
    """File and, if there is one, token."""

    file: KeyFile
    token: HsmToken | None = None

    def draw_signer(self, name: str) -> InstitutionSigner:
        """An Ed25519 key: in the token if there is one, else in the file."""
        if self.token is not None:
            return self.token.generate(name)
        key = InstitutionKey.generate()
        self.file.put(name, key)
        return key

    def draw_issuing(self, name: str) -> ec.EllipticCurvePrivateKey:
        """The same on P-256."""
        if self.token is not None:
            return self.token.generate_issuing(name)
        key = ec.generate_private_key(ec.SECP256R1())
        self.file.put_secret(name, pack_key(key))
        return key

    def get_signer(self, name: str) -> InstitutionSigner:
        """By its name, an Ed25519 key."""
        return self.find_signer(InstitutionPublicKey(self._read_public(name, name)))

    def find_signer(self, public: InstitutionPublicKey) -> InstitutionSigner:
        """The one that the lists name; `setting_invalid` if it is in neither."""
        in_token = self.token.find(public) if self.token else None
        return in_token or self._find_sealed(InstitutionKey.unseal, public)

    def find_attestation(self, public: bytes) -> SigningKey:
        """The same of Ristretto, which no module has."""
        return self._find_sealed(SigningKey.unseal, public)

    def find_cosigner(self, public: bytes) -> CosignerKey:
        """The same of ML-DSA."""
        return self._find_sealed(CosignerKey.unseal, public)

    def find_sealing(self, kind: str) -> SealingKey:
        """The newest, which opens what those before it have sealed; `setting_invalid` if none."""
        numbers = self._number(kind)
        if not numbers:
            raise SpecieError(ErrorCode.SETTING_INVALID, f"no key named {kind}")
        oldest, *newer = sorted(numbers, key=numbers.__getitem__)
        found = self.file.get_sealing_key(oldest)
        for name in newer:
            found = self.file.get_sealing_key(name).with_older(found)
        return found

    def count(self, kind: str) -> int:
        """How many of one kind are here."""
        return len(self._number(kind))

    def find_issuing(self, public: ec.EllipticCurvePublicKey) -> ec.EllipticCurvePrivateKey:
        """The same of the intermediate."""
        in_token = self.token.find_issuing(public) if self.token else None
        if in_token is not None:
            return in_token
        for name in self._number(ISSUING_KEY):
            if self.file.has(name):
                key = unpack_key(self.file.get_secret(name))
                if key.public_key() == public:
                    return key
        raise SpecieError(ErrorCode.SETTING_INVALID, "no key here is the intermediate's")

    def get_first(self, kind: str) -> bytes:
        """The public half that was drawn first: of a cosigner that no list names yet."""
        names = sorted(self._number(kind).items(), key=lambda one: one[1])
        if not names:
            raise SpecieError(ErrorCode.SETTING_INVALID, f"no key named {kind}")
        return self._read_public(kind, names[0][0])

    def name_next(self, *kinds: str) -> list[str]:
        """For keys that are drawn together, one of each kind; ask while the file is `changing`."""
        taken = [number for kind in kinds for number in self._number(kind).values()]
        number = max(taken, default=0) + 1
        return [f"{kind}-{number}" if number > 1 else kind for kind in kinds]

    def has_all(self, kind: str, current: Collection[bytes]) -> bool:
        """Whether all keys of this kind that count are here."""
        return {*current} <= {self._read_public(kind, name) for name in self._number(kind)}

    def prune(self, kind: str, current: Collection[bytes]) -> list[str]:
        """Remove what has ended, and give its names; nothing unless all that counts is here."""
        with self.file.changing():
            numbers = self._number(kind)
            counting = [
                number
                for name, number in numbers.items()
                if self._read_public(kind, name) in current
            ]
            if not current or len(counting) < len({*current}):
                return []
            ended = sorted(name for name, number in numbers.items() if number < min(counting))
            if self.token is not None:
                for name in ended:
                    self.token.remove(name)
            self.file.remove(ended)
        return ended

    def close(self) -> None:
        """Log out of the token."""
        if self.token is not None:
            self.token.close()

    def _number(self, kind: str) -> dict[str, int]:
        """Name → its number, of everything of one kind."""
        names = {*self.file.list_names(), *(self.token.list_keys() if self.token else ())}
        matches = {name: re.fullmatch(re.escape(kind) + _NUMBER, name) for name in names}
        return {name: int(one[1] or 1) for name, one in matches.items() if one is not None}

    def _read_public(self, kind: str, name: str) -> bytes:
        in_token = self.token.list_keys().get(name) if self.token else None
        if in_token is not None:
            return in_token
        if kind == ISSUING_KEY:
            return pack_point(unpack_key(self.file.get_secret(name)).public_key())
        if kind == ATTESTATION:
            return self.file.get(name, SigningKey.unseal).public
        if kind.endswith(ML_DSA):
            return self.file.get(name, CosignerKey.unseal).public
        return self.file.get(name, InstitutionKey.unseal).public

    def _find_sealed(
        self, unseal: Callable[[SealingKey, bytes, bytes], Found], public: bytes
    ) -> Found:
        for name in self.file.list_names():
            with contextlib.suppress(SpecieError):
                key = self.file.get(name, unseal)
                if key.public == public:
                    return key
        reason = "no key here is the one in the network's lists; `specie rotate` draws another"
        raise SpecieError(ErrorCode.SETTING_INVALID, reason)


def pack_point(public: ec.EllipticCurvePublicKey) -> bytes:
    """65 bytes, uncompressed."""
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
