"""Which tokens pay an amount.

Largest first reaches the amount with the fewest inputs; then, while a payment has fewer than two
inputs, the smallest other token is swept in, so that most payments look alike (2 in, 2 out) and
a vault of small change shrinks by being used.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from specie.values.amounts import Minor, check_positive
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import INPUTS_MAX, OUTPUTS_MAX

_USUAL_INPUTS = 2
_PARTS_OF = 10_000  # a part is so much of the whole


class HasAmount(Protocol):
    """Anything with an amount: a token, or its row in a store."""

    @property
    def amount(self) -> Minor:
        """Minor units."""
        ...


Candidate = TypeVar("Candidate", bound=HasAmount)


def select_tokens(tokens: Sequence[Candidate], amount: Minor) -> tuple[Candidate, ...]:
    """At most 16 tokens that together reach `amount`; the smallest single one if one is enough.

    `funds_insufficient` if all together do not reach it; `tokens_too_many` if only more than 16
    would, in which case the holder first pays itself.
    """
    check_positive(amount)
    ordered = sorted(tokens, key=lambda token: token.amount, reverse=True)
    if sum(token.amount for token in ordered) < amount:
        raise SpecieError(ErrorCode.FUNDS_INSUFFICIENT, "not enough money for this amount")
    enough = [token for token in ordered if token.amount >= amount]
    chosen = [enough[-1]] if enough else _take_largest(ordered, amount)
    chosen_ids = {id(token) for token in chosen}
    rest = [token for token in ordered if id(token) not in chosen_ids]
    while rest and len(chosen) < _USUAL_INPUTS:
        chosen.append(rest.pop())
    return tuple(chosen)


def select_merge(tokens: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The largest 16 tokens, to be paid to oneself; tokens of nothing only where there is room.

    The largest, because what they reach grows with every merge, however much dust others send:
    n tokens that reach an amount pay it after n / 15 merges at most.
    """
    ordered = sorted(tokens, key=lambda token: token.amount, reverse=True)
    if not ordered or ordered[0].amount == 0:
        raise SpecieError(ErrorCode.FUNDS_INSUFFICIENT, "there is nothing to merge")
    return tuple(ordered[:INPUTS_MAX])


def list_small(tokens: Iterable[Candidate]) -> list[Candidate]:
    """Tokens of money but for the largest one, smallest first: what filler pays with.

    The largest one stays out of it: what it pays for is never made to wait by filler.
    """
    return sorted((token for token in tokens if token.amount > 0), key=_get_amount)[:-1]


def select_pair(tokens: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """The two smallest of these; `funds_insufficient` if there are not two."""
    small = list_small(tokens)
    if len(small) < 2:
        raise SpecieError(ErrorCode.FUNDS_INSUFFICIENT, "no two small tokens are left")
    return tuple(small[:2])


def select_largest(tokens: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The largest one, if fifteen parts can be split off it; `funds_insufficient` otherwise."""
    largest = max(tokens, key=_get_amount, default=None)
    if largest is None or largest.amount < OUTPUTS_MAX:
        raise SpecieError(ErrorCode.FUNDS_INSUFFICIENT, "nothing is large enough to be split")
    return (largest,)


def compute_part(amount: Minor) -> Minor:
    """What one of fifteen parts has: small, so that the rest pays what the whole could."""
    return Minor(max(1, amount // _PARTS_OF))


def _get_amount(token: HasAmount) -> int:
    return token.amount


def _take_largest(ordered: Sequence[Candidate], amount: Minor) -> list[Candidate]:
    chosen: list[Candidate] = []
    total = 0
    for token in ordered[:INPUTS_MAX]:
        if total >= amount:
            break
        chosen.append(token)
        total += token.amount
    if total < amount:
        raise SpecieError(
            ErrorCode.TOKENS_TOO_MANY, "money is in too small tokens; pay yourself first"
        )
    return chosen
