"""From the phrase to the keys (docs/spec/01).

seed = BIP-39(phrase, no passphrase), 64 bytes        (PyPI `mnemonic`, by BIP-39's authors)
a_i  = Hs("view-key",  seed || i u32)        A_i = a_i*G
b_i  = Hs("spend-key", seed || i u32)        B_i = b_i*G
w_i  = H("wallet-secret", seed || i u32)
"""

from dataclasses import dataclass

from mnemonic import Mnemonic

from tests.reference.hashing import tagged_hash, tagged_scalar, u32
from tests.reference.refusals import Refused
from tests.reference.schnorr import public_key


@dataclass(frozen=True, slots=True)
class SubWallet:
    """The secrets of one sub-wallet and their public keys."""

    view: int
    spend: int
    wallet_secret: bytes

    @property
    def view_public(self) -> bytes:
        """A."""
        return public_key(self.view)

    @property
    def spend_public(self) -> bytes:
        """B."""
        return public_key(self.spend)


def derive_seed(phrase: str) -> bytes:
    """64 bytes from an English phrase of 12, 15, 18, 21 or 24 words; a wrong one is refused."""
    reader = Mnemonic("english")
    if not reader.check(phrase):
        raise Refused("phrase_invalid")
    return bytes(reader.to_seed(phrase, passphrase=""))


def derive_subwallet(seed: bytes, subwallet: int) -> SubWallet:
    """The branches of sub-wallet i; 0 is the main one."""
    data = seed + u32(subwallet)
    return SubWallet(
        view=tagged_scalar("view-key", data),
        spend=tagged_scalar("spend-key", data),
        wallet_secret=tagged_hash("wallet-secret", data),
    )
