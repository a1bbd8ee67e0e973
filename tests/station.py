"""A notary on disk for tests: its function with a real store, and money to begin with."""

from collections.abc import Sequence
from dataclasses import dataclass

from specie.ledger.transactions import Promise
from specie.ledger.wire import encode_attested
from specie.notary.notarisation import NotaryRules, Outcome, notarise
from specie.store.notary_store import SqliteNotaryStore
from specie.tokens.holdings import HolderKeys
from specie.values.catalogue import ErrorCode
from specie.values.times import Timestamp
from tests.building import NOW, Holding, World, build_issue, hold, sign


@dataclass(frozen=True, slots=True)
class Station:
    """The notary's function with a real store."""

    world: World
    store: SqliteNotaryStore

    def notarise(self, batch: Sequence[bytes], now: Timestamp = NOW) -> list[Outcome]:
        """An outcome each."""
        rules = NotaryRules(self.world.genesis, self.world.members, self.world.notary_key)
        return notarise(batch, self.store, rules, now)

    def find_codes(self, batch: Sequence[bytes], now: Timestamp = NOW) -> list[ErrorCode | None]:
        """The code of each refusal, None for a promise."""
        outcomes = self.notarise(batch, now)
        return [None if isinstance(one, Promise) else one.code for one in outcomes]

    def fund(self, payees: Sequence[tuple[HolderKeys, int]]) -> list[Holding]:
        """Money for holders of one bank, by a real issue."""
        draft = build_issue(self.world, self.store.load_supply(), payees)
        [code] = self.find_codes([encode_attested(sign(draft))])
        assert code is None, code
        return [
            hold(self.world, keys, opening)
            for (keys, _), opening in zip(payees, draft.openings, strict=True)
        ]

    def describe(self) -> tuple[object, ...]:
        """Everything that is recorded: to see that a refusal changed nothing."""
        waiting = self.store.load_waiting(1_000)
        return (self.store.load_supply(), [one.data for one in waiting], self.store.count_leaves())
