"""Making and opening a holder's keys (T3, X7).

    passphrase --Argon2id--> K
    K seals a random key V,   V seals the phrase's seed and all openings

A new passphrase re-seals V only. The phrase is shown once and stored nowhere in the clear.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from specie.crypto.native import translated_errors
from specie.crypto.secrets import KeyTree, SealingKey, derive_sealing_key, unseal
from specie.ports.randomness import Identifiers
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text
from specie.values.errors import SpecieError

SUBWALLET_MARK: Final = "\x1f"  # between a holder's name and the number of a sub-wallet
_KEY: Final = b"holder-key\0"
_TREE: Final = b"holder-tree\0"


class KeyStore(Protocol):
    """Where sealed keys are kept."""

    def store_keys(self, holder: str, salt: bytes, sealed_key: bytes, sealed_tree: bytes) -> None:
        """Once per holder."""
        ...

    def find_keys(self, holder: str) -> tuple[bytes, bytes, bytes] | None:
        """(salt, sealed key, sealed tree)."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class OpenedKeys:
    """A holder's secrets, as handles."""

    vault_key: SealingKey
    tree: KeyTree


def create_keys(
    store: KeyStore, holder: str, master: SealingKey, salt: bytes, tree: KeyTree
) -> OpenedKeys:
    """Seal a key tree under a fresh vault key, and that under `master`."""
    if SUBWALLET_MARK in holder:
        raise SpecieError(ErrorCode.TEXT_INVALID, "a holder's name has no control characters")
    vault_key = SealingKey.generate()
    aad = encode_text(holder)
    with translated_errors():
        sealed_key = master.seal_key(vault_key, _KEY + aad)
        sealed_tree = tree.seal(vault_key, _TREE + aad)
    store.store_keys(holder, salt, sealed_key, sealed_tree)
    return OpenedKeys(vault_key, tree)


def open_keys(store: KeyStore, holder: str, master: SealingKey) -> OpenedKeys:
    """Open them again; `passphrase_wrong` if `master` is not the one."""
    found = store.find_keys(holder)
    if found is None:
        raise SpecieError(ErrorCode.CLIENT_UNKNOWN, "no keys of this holder here")
    _, sealed_key, sealed_tree = found
    aad = encode_text(holder)
    try:
        with translated_errors():
            vault_key = master.open_key(sealed_key, _KEY + aad)
    except SpecieError:
        raise SpecieError(ErrorCode.PASSPHRASE_WRONG, "the passphrase does not open it") from None
    return OpenedKeys(vault_key, unseal(KeyTree.unseal, vault_key, sealed_tree, _TREE + aad))


def get_subholder(holder: str, subwallet: int) -> str:
    """The name under which a sub-wallet's rows are kept; the main wallet has the holder's own."""
    return holder if subwallet == 0 else f"{holder}{SUBWALLET_MARK}{subwallet}"


def spell_subholder(name: str) -> str:
    """For people."""
    holder, mark, number = name.partition(SUBWALLET_MARK)
    return f"{holder} (sub-wallet {number})" if mark else name


def find_subwallet(holder: str, name: str) -> int | None:
    """Which of the holder's sub-wallets has rows under this name; None if it is another's."""
    if name == holder:
        return 0
    own, mark, number = name.rpartition(SUBWALLET_MARK)
    return int(number) if mark and own == holder else None


def derive_master(
    store: KeyStore, holder: str, passphrase: str, identifiers: Identifiers
) -> tuple[SealingKey, bytes]:
    """The key that opens a holder's vault key, with the holder's salt or a fresh one."""
    found = store.find_keys(holder)
    salt = identifiers.draw() if found is None else found[0]
    return derive_sealing_key(passphrase, salt), salt
