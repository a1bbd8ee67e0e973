"""What a holder has: keys, and tokens (an output together with its opening)."""

from dataclasses import dataclass
from typing import Final

from specie.crypto.addresses import Address
from specie.crypto.outputs import Opening
from specie.crypto.secrets import KeyTree, SpendKey, ViewKey, WalletSecret
from specie.ledger.records import Output
from specie.values.amounts import Minor
from specie.values.encoding import Reader, pad_text, unpad_text
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ZERO16,
    ZERO64,
    OrderId,
    OutputRef,
    ParticipantNumber,
    PublicKey,
    Signature,
)

_NAME_SIZE: Final = 48


@dataclass(frozen=True, slots=True, repr=False)
class HolderKeys:
    """The keys of one sub-wallet or vault, and the address they answer to."""

    view: ViewKey
    spend: SpendKey
    secret: WalletSecret
    address: Address


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """An output that we can open, and spend if we hold the spend key."""

    output: Output
    opening: Opening

    @property
    def ref(self) -> OutputRef:
        """The output's reference."""
        return self.output.ref

    @property
    def amount(self) -> Minor:
        """Its amount."""
        return self.opening.amount


@dataclass(frozen=True, slots=True, repr=False)
class Memo:
    """What travels sealed with an output (spec page 02)."""

    order_id: OrderId = OrderId(ZERO16)
    end_to_end_id: bytes = ZERO16
    travel_rule: bytes = ZERO16
    name_signature: Signature = Signature(ZERO64)
    name: str = ""

    def pack(self) -> bytes:
        """160 bytes."""
        return b"".join(
            (
                self.order_id,
                self.end_to_end_id,
                self.travel_rule,
                self.name_signature,
                pad_text(self.name, _NAME_SIZE),
            )
        )


def unpack_memo(data: bytes) -> Memo:
    """The inverse of `Memo.pack`. Payers write what they like: a name that is not text is none."""
    reader = Reader(data)
    memo = Memo(
        OrderId(reader.take(16)),
        reader.take(16),
        reader.take(16),
        Signature(reader.take(64)),
        _read_name(reader.take(_NAME_SIZE)),
    )
    reader.finish()
    return memo


def _read_name(raw: bytes) -> str:
    try:
        return unpad_text(raw)
    except SpecieError:
        return ""


def derive_keys(tree: KeyTree, subwallet: int, bank: ParticipantNumber) -> HolderKeys:
    """The keys of sub-wallet `subwallet`, served by `bank` (T3)."""
    view, spend = tree.view_key(subwallet), tree.spend_key(subwallet)
    address = Address(bank, PublicKey(view.public), PublicKey(spend.public))
    return HolderKeys(view, spend, tree.wallet_secret(subwallet), address)
