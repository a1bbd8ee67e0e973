"""Who pays: clients who differ in how busy they are, in what they hold, and in being a shop.

Clients are numbered from 0; the last of them are the shops. How busy a client is with a kind of
payment is drawn once, from the profile's bands; whoever pays is then drawn in that proportion.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Final, NewType

from specie.workload.kinds import KIND_OF_ACTION, Action, OrderKind
from specie.workload.profile import ActionProfile, BalanceRange, Profile

ClientIndex = NewType("ClientIndex", int)

CLIENTS_PER_SHOP: Final = 20
POPULARITY_FIRST: Final = 1_000  # of the most visited shop; the n-th has an n-th of it (Zipf)


@dataclass(frozen=True, slots=True)
class Weights:
    """Clients `first`, `first + 1` … and the running sum of their weights, each at least 1."""

    first: int
    cumulative: tuple[int, ...]

    def draw(self, random: Random) -> ClientIndex:
        """A client, in proportion to the weights."""
        point = random.randrange(self.cumulative[-1])
        return ClientIndex(self.first + bisect_right(self.cumulative, point))

    def draw_other(self, random: Random, client: ClientIndex) -> ClientIndex:
        """A client other than the one given, who must be among these and not alone."""
        position = client - self.first
        below = self.cumulative[position - 1] if position else 0
        weight = self.cumulative[position] - below
        point = random.randrange(self.cumulative[-1] - weight)
        if point >= below:
            point += weight
        return ClientIndex(self.first + bisect_right(self.cumulative, point))


@dataclass(frozen=True, slots=True)
class Population:
    """Who pays each kind, who is paid, which shops are visited."""

    payers: Mapping[Action, Weights]
    shops: Weights


def count_shops(clients: int) -> int:
    """How many of the clients are shops: one in twenty, at least one."""
    return max(1, clients // CLIENTS_PER_SHOP)


def build_population(profile: Profile, clients: int, random: Random) -> Population:
    """Everybody redeems tokens; withdrawing, shopping and transferring is what people do."""
    shops = count_shops(clients)
    people = clients - shops
    payers = {
        kind.action: _draw_weights(
            kind, clients if KIND_OF_ACTION[kind.action] is OrderKind.DEPOSIT else people, random
        )
        for kind in profile.actions
    }
    popularity = (max(1, POPULARITY_FIRST // rank) for rank in range(1, shops + 1))
    return Population(payers, Weights(people, tuple(accumulate(popularity))))


def draw_balances(
    ranges: Sequence[BalanceRange], clients: int, factor: int, random: Random
) -> list[int]:
    """Starting balances in minor units, `factor` of them to the profile's currency unit."""
    shares = [balances.share for balances in ranges]
    drawn = random.choices(ranges, weights=shares, k=clients)
    return [random.randint(int(r.start * factor), int(r.end * factor)) for r in drawn]


def _draw_weights(kind: ActionProfile, clients: int, random: Random) -> Weights:
    shares = [band.share for band in kind.activity]
    bands = random.choices(kind.activity, weights=shares, k=clients)
    drawn = (random.randint(band.occurrences_min, band.occurrences_max) for band in bands)
    return Weights(0, tuple(accumulate(min(kind.occurrences_max, weight) for weight in drawn)))
