"""What it takes to run a flow again, as its journal keeps it. Internal to one institution."""

from collections.abc import Sequence

from specie.crypto.addresses import Address
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import unpack_memo
from specie.values.amounts import Minor
from specie.values.encoding import Reader, encode_text, u8, u32, u64
from specie.values.identifiers import ClientId, ParticipantNumber, PublicKey
from specie.values.limits import OUTPUTS_MAX

_MEMO_BYTES = 160


def pack_amount(amount: Minor, participant: ParticipantNumber) -> bytes:
    """Of an issue or redemption (for whom), or of a transfer (to whom)."""
    return u32(participant) + u64(amount)


def unpack_amount(data: bytes) -> tuple[Minor, ParticipantNumber]:
    """The inverse of `pack_amount`."""
    reader = Reader(data)
    participant, amount = ParticipantNumber(reader.u32()), Minor(reader.u64())
    reader.finish()
    return amount, participant


def pack_withdrawals(requests: Sequence[tuple[ClientId, PaymentOrder]]) -> bytes:
    """Who withdraws how much, and to which address."""
    parts = [u8(len(requests))]
    for client, order in requests:
        name, to = encode_text(client), order.creditor
        parts += [u8(len(name)), name, u32(to.bank), to.view, to.spend]
        parts += [u64(order.amount), order.memo.pack()]
    return b"".join(parts)


def unpack_withdrawals(data: bytes) -> list[tuple[ClientId, PaymentOrder]]:
    """The inverse of `pack_withdrawals`."""
    reader = Reader(data)
    found = []
    for _ in range(reader.count(0, OUTPUTS_MAX, "withdrawals")):
        client = ClientId(reader.take(reader.u8()).decode())
        bank = ParticipantNumber(reader.u32())
        to = Address(bank, PublicKey(reader.take(32)), PublicKey(reader.take(32)))
        amount, memo = Minor(reader.u64()), unpack_memo(reader.take(_MEMO_BYTES))
        found.append((client, PaymentOrder(to, amount, memo)))
    reader.finish()
    return found
