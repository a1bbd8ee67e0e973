"""What a holder has: keys, and tokens (an output together with its opening)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from specie.crypto.addresses import Address
from specie.crypto.outputs import Opening
from specie.crypto.secrets import KeyTree, SpendKey, ViewKey, WalletSecret
from specie.ledger.records import Output
from specie.tokens.memo_notes import NOTE_BYTES, MemoNote, pack_note, read_note
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
from specie.values.limits import RETURN_ADDRESSES_MAX, SUBWALLETS_MAX

_NAME_SIZE: Final = 48


@dataclass(frozen=True, slots=True, repr=False)
class ReturnKeys:
    """The return addresses of one sub-wallet, by the same phrase; derived when they are needed."""

    tree: KeyTree
    subwallet: int
    bank: ParticipantNumber
    _known: "dict[int, HolderKeys]" = field(default_factory=dict)
    _by_spend: "dict[PublicKey, HolderKeys]" = field(default_factory=dict)

    def get(self, place: int) -> "HolderKeys":
        """Number `place`, from 0 up to `RETURN_ADDRESSES_MAX` - 1."""
        assert 0 <= place < RETURN_ADDRESSES_MAX, "places come round again"
        if place not in self._known:
            number = SUBWALLETS_MAX + self.subwallet * RETURN_ADDRESSES_MAX + place
            self._known[place] = derive_keys(self.tree, number, self.bank)
        return self._known[place]

    def find(self, opening: Opening) -> "HolderKeys | None":
        """Those that an output is paid to."""
        if not self._by_spend:
            self._by_spend.update((one.address.spend, one) for one in self)
        found = self._by_spend.get(opening.spend)
        return found if found is not None and found.address.view == opening.view else None

    def __iter__(self) -> "Iterator[HolderKeys]":
        return (self.get(place) for place in range(RETURN_ADDRESSES_MAX))


@dataclass(frozen=True, slots=True, repr=False)
class HolderKeys:
    """The keys of one sub-wallet or vault, and the address they answer to."""

    view: ViewKey
    spend: SpendKey
    secret: WalletSecret
    address: Address
    returns: ReturnKeys | None = None  # a vault has none

    def find_for(self, opening: Opening) -> "HolderKeys | None":
        """Those that an output is paid to: our own, or a return address's; None: not ours."""
        if opening.view == self.address.view and opening.spend == self.address.spend:
            return self
        return None if self.returns is None else self.returns.find(opening)

    def get_for(self, opening: Opening) -> "HolderKeys":
        """Those that spend an output of ours; of another's our own, which do not open it."""
        return self.find_for(opening) or self


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
    note: MemoNote | None = None  # in the place of a name: a memo has room for one of the two

    def pack(self) -> bytes:
        """160 bytes."""
        head = self.order_id + self.end_to_end_id + self.travel_rule
        if self.note is not None:
            assert not self.name, "a name or a note"
            return head + pack_note(self.note)
        return head + self.name_signature + pad_text(self.name, _NAME_SIZE)


def unpack_memo(data: bytes) -> Memo:
    """The inverse of `Memo.pack`. Payers write what they like: a name that is not text is none."""
    reader = Reader(data)
    order, end_to_end, travel_rule = OrderId(reader.take(16)), reader.take(16), reader.take(16)
    rest = reader.take(NOTE_BYTES)
    reader.finish()
    note = read_note(rest)
    if note is not None:
        return Memo(order, end_to_end, travel_rule, note=note)
    signature, name = Signature(rest[:64]), _read_name(rest[64:])
    return Memo(order, end_to_end, travel_rule, signature, name)


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


def derive_keys_with_returns(tree: KeyTree, subwallet: int, bank: ParticipantNumber) -> HolderKeys:
    """The same of a person's sub-wallet, which takes refunds at addresses of their own."""
    keys = derive_keys(tree, subwallet, bank)
    return replace(keys, returns=ReturnKeys(tree, subwallet, bank))
