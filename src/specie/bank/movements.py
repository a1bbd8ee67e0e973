"""What an attested payment moved for each client: recorded, judged, searched (T20)."""

from collections.abc import Callable, Sequence

from specie.bank.losses import get_heir
from specie.crypto.addresses import Address, format_address
from specie.ledger.outline import Outline
from specie.policy.checks import Side
from specie.policy.policies import Direction
from specie.policy.spellings import ADDRESSES, NAMES, PHONES, spell_known
from specie.ports.clients import Client, Movement
from specie.tokens.holdings import Memo, Token, unpack_memo
from specie.values.amounts import check_minor, sum_minor
from specie.values.encoding import Reader, u32
from specie.values.identifiers import (
    ClientId,
    ParticipantNumber,
    PublicKey,
)
from specie.values.times import Timestamp

Owned = tuple[Client, Token]
Mark = Callable[[Sequence[Address], set[str]], frozenset[str]]
"""Addresses and names of the other side → as lists have them."""


def mark_nothing(_parties: Sequence[Address], _names: set[str]) -> frozenset[str]:
    """Where no list is looked up."""
    return frozenset()


def list_movements(
    outline: Outline,
    payer: tuple[Client, int] | None,
    outputs: Sequence[Token],
    owned: Sequence[Owned],
    vault: tuple[ClientId, Timestamp],
) -> list[Movement]:
    """What each client receives, and what the payer spends without what comes back to it.

    `outputs` are all that this bank sees, `owned` those of its clients; `vault` is the client that
    the bank's own vault is watched as, and the time.
    """
    vault_client, now = vault
    found = [
        _describe_receipt(outline, payer, one, vault_client, now)
        for one in owned
        if payer is None or one[0].id != payer[0].id
    ]
    if payer is not None:
        found.append(_describe_payment(outline, payer, outputs, owned, vault))
    return found


def list_others(payer: ClientId, outputs: Sequence[Token], owned: Sequence[Owned]) -> list[Token]:
    """What a payment gives to others: without its change, and without outputs of nothing."""
    own = {token.ref for owner, token in owned if owner.id == payer}
    return [token for token in outputs if token.ref not in own and token.amount]


def is_recovery(movements: Sequence[Movement]) -> bool:
    """Whether a wallet that was lost gives its owner's new one what is in it: no payment."""
    return any(not one.is_incoming and get_heir(one.client) is not None for one in movements)


def group_sides(movements: Sequence[Movement], mark: Mark = mark_nothing) -> list[Side]:
    """One side for each client, direction and transaction: outputs of one payment are one payment.

    A payment to oneself, a merge say, is none.
    """
    grouped: dict[tuple[bytes, ClientId, bool], list[Movement]] = {}
    for one in movements:
        grouped.setdefault((one.txid, one.client, one.is_incoming), []).append(one)
    sides = [_build_side(parts, mark) for parts in grouped.values()]
    return [one for one in sides if one.amount]


def make_mark(prefix: str, find_phones: Callable[[Address], Sequence[str]]) -> Mark:
    """`prefix` is the network's; phones are those that the bank knows of an address."""

    def mark(parties: Sequence[Address], names: set[str]) -> frozenset[str]:
        addresses = {spell_known(ADDRESSES, format_address(one, prefix)) for one in parties}
        phones = {spell_known(PHONES, phone) for one in parties for phone in find_phones(one)}
        return frozenset(addresses | phones | {spell_known(NAMES, name) for name in names})

    return mark


def pack_address(address: Address) -> bytes:
    """bank u32 ‖ A32 ‖ B32."""
    return u32(address.bank) + address.view + address.spend


def unpack_address(data: bytes) -> Address:
    """The inverse of `pack_address`."""
    reader = Reader(data)
    bank = ParticipantNumber(reader.u32())
    address = Address(bank, PublicKey(reader.take(32)), PublicKey(reader.take(32)))
    reader.finish()
    return address


def get_address(token: Token) -> Address:
    """Whose an output is."""
    opening = token.opening
    return Address(opening.bank, opening.view, opening.spend)


def _describe_receipt(
    outline: Outline,
    payer: tuple[Client, int] | None,
    owned: Owned,
    vault: ClientId,
    now: Timestamp,
) -> Movement:
    owner, token = owned
    memo = unpack_memo(token.opening.memo)
    claimed = (memo.name,) if memo.name else ()
    return Movement(
        txid=outline.compute_id(),
        client=owner.id,
        amount=token.amount,
        time=now,
        is_incoming=True,
        is_final=False,
        until=outline.not_after,
        parties=() if payer is None else (payer[0].address,),
        is_own_bank=payer is not None and payer[0].id == vault,
        order=memo.order_id,
        names=claimed if payer is None else (payer[0].name,),
        end_to_end=memo.end_to_end_id,
        told=memo.name,
    )


def _describe_payment(
    outline: Outline,
    payer: tuple[Client, int],
    outputs: Sequence[Token],
    owned: Sequence[Owned],
    vault: tuple[ClientId, Timestamp],
) -> Movement:
    client, spent = payer
    vault_client, now = vault
    change = sum(token.amount for owner, token in owned if owner.id == client.id)
    others = list_others(client.id, outputs, owned)
    parties = tuple(dict.fromkeys(get_address(token) for token in others))
    payees = [owner for owner, _ in owned if owner.id != client.id]
    is_own_bank = bool(parties) and len(payees) == len(others)
    memo = _read_memo(others or outputs)
    return Movement(
        txid=outline.compute_id(),
        client=client.id,
        amount=check_minor(spent - change),
        time=now,
        is_incoming=False,
        is_final=False,
        until=outline.not_after,
        parties=parties,
        is_own_bank=is_own_bank and all(owner.id == vault_client for owner in payees),
        order=memo.order_id,
        names=tuple(dict.fromkeys(owner.name for owner in payees)),
        end_to_end=memo.end_to_end_id,
    )


def _read_memo(tokens: Sequence[Token]) -> Memo:
    """Of the first: a payment is for one order."""
    return unpack_memo(tokens[0].opening.memo) if tokens else Memo()


def _build_side(parts: Sequence[Movement], mark: Mark) -> Side:
    first = parts[0]
    parties = dict.fromkeys(party for one in parts for party in one.parties)
    names = {name for one in parts for name in one.names if not one.is_own_bank}
    return Side(
        client=first.client,
        direction=Direction.IN if first.is_incoming else Direction.OUT,
        amount=sum_minor([one.amount for one in parts]),
        time=first.time,
        parties=tuple(pack_address(one) for one in parties),
        is_own_bank=all(one.is_own_bank for one in parts),
        marks=mark(list(parties), names),
        order=first.order,
        names=tuple(sorted(names)),
    )
