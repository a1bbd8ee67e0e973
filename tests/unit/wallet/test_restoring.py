"""A lost wallet comes back from its phrase: by the bank's index, or the log alone (T19, X7)."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from specie.assembly.network import Settings
from specie.crypto.secrets import InstitutionKey, KeyTree, SealingKey
from specie.identity.genesis import ProofMode
from specie.ledger.records import Output
from specie.ledger.states import OutputState, StateStatement, sign_states
from specie.log.checkpoint import Checkpoint
from specie.registration.service import LocatedLeaf, Registration
from specie.store.index_store import SqliteLogIndex
from specie.store.log_files import LogFolder
from specie.store.vault_store import VaultDatabase
from specie.tokens.holdings import HolderKeys, derive_keys
from specie.tokens.scanning import scan
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import Digest, OutputRef, ParticipantNumber
from specie.wallet.restoring import (
    Restored,
    RestoreTrust,
    restore_from_log,
    restore_through_bank,
)
from specie.wallet.vault import Vault
from tests.building import make_holding, make_world
from tests.country import NORTH, SOUTH, Country, Person, build_country, load_published_outputs
from tests.refusing import refuse

STEPS = 12


@dataclass(slots=True)
class Town:
    """A country with a registration, and the trees of its people's keys."""

    country: Country
    registration: Registration
    log: LogFolder
    people: list[Person]

    def trust(self, bank: ParticipantNumber) -> RestoreTrust:
        """What a restoring wallet believes now."""
        network = self.country.network
        return RestoreTrust(
            network.genesis,
            network.roster.current.get(bank),
            self.registration.catch_up(),
            self.registration.public_key,
        )

    def list_outputs(self, keys: HolderKeys) -> list[Output]:
        """What an honest bank names: every output of this client that was ever published."""
        outputs = load_published_outputs(self.country.network.public)
        bank = self.country.network.roster.current.get(keys.address.bank)
        return [one.output for one in scan(outputs, keys.view, keys.address.spend, bank)]


def open_town(data: Path, mode: ProofMode) -> Town:
    """Two people of the North, one with two sub-wallets, and one of the South."""
    country = build_country(data, settings=Settings(data, proof_mode=mode))
    network = country.network
    trees = [KeyTree.generate() for _ in range(3)]
    people = []
    for number, (tree, subwallet, bank) in enumerate(
        (
            (trees[0], 0, NORTH),
            (trees[0], 1, NORTH),
            (trees[1], 0, NORTH),
            (trees[2], 5, SOUTH),
        )
    ):
        store = VaultDatabase(data / f"device{number}.db").open_holder("x", SealingKey.generate())
        wallet = Vault(derive_keys(tree, subwallet, bank), store, network.surroundings)
        amounts = (100, 50, 25) if number else (70,) * 4
        people.append(country.open_person(network.banks[bank], *amounts, wallet=wallet))
    network.notary.publish(is_forced=True)
    log = LogFolder(network.public)
    index = SqliteLogIndex(data / "index.db")
    registration = Registration(network.roster, network.registration_key, log, index)
    return Town(country, registration, log, people)


@pytest.fixture(scope="module", params=list(ProofMode), ids=lambda mode: mode.name.lower())
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Both kinds of network."""
    return open_town(tmp_path_factory.mktemp("town"), request.param)


def live(town: Town, seed: int) -> None:
    """Payments in all directions, among them merges and payments to oneself; all published."""
    dice = random.Random(seed)
    for _ in range(STEPS):
        payer, payee = dice.choice(town.people), dice.choice(town.people)
        payer.collect()
        balance = payer.wallet.get_balance()
        tokens = payer.wallet.load_tokens()
        largest = max((one.amount for one in tokens), default=0)
        amount = dice.choice((1, largest, min(balance, largest + 1), balance // 2))
        if 0 < amount <= balance:
            town.country.pay(payer, payee, amount)
        if dice.random() < 0.3:
            town.country.network.notary.publish(is_forced=True)
    town.country.network.notary.publish(is_forced=True)
    for person in town.people:
        person.collect()


def describe(restored: Restored) -> list[tuple[OutputRef, int, bytes]]:
    """What one has, in one order."""
    return sorted((one.ref, one.amount, one.opening.pack()) for one in restored.tokens)


def restore(town: Town, keys: HolderKeys) -> Restored:
    """The fast way, with everybody honest."""
    trust = town.trust(keys.address.bank)
    return restore_through_bank(town.list_outputs(keys), keys, town.registration, town.log, trust)


@pytest.mark.parametrize("seed", range(3))
def test_restored_equals_lost(town: Town, seed: int) -> None:
    live(town, seed)
    total = 0
    for person in town.people:
        keys = person.wallet.keys
        tokens = person.wallet.load_tokens()
        lost = sorted((one.ref, one.amount, one.opening.pack()) for one in tokens)
        fast = restore(town, keys)
        slow = restore_from_log(town.log, keys, town.trust(keys.address.bank))
        assert describe(fast) == describe(slow) == lost
        assert fast.seen == slow.seen >= len(lost)
        total += sum(one.amount for one in fast.tokens)
    assert total == 4 * 70 + 3 * 175


def test_restored_tokens_can_be_spent(town: Town, tmp_path: Path) -> None:
    person, payee = town.people[2], town.people[3]
    restored = restore(town, person.wallet.keys)
    store = VaultDatabase(tmp_path / "new.db").open_holder("x", SealingKey.generate())
    wallet = Vault(person.wallet.keys, store, town.country.network.surroundings)
    wallet.receive([one.output for one in restored.tokens])
    assert wallet.get_balance() == person.wallet.get_balance() > 0
    built = town.country.build(Person(person.id, wallet, person.bank), payee, 1)
    inputs = set(built.signed.body.inputs)
    assert inputs and inputs <= {one.ref for one in restored.tokens}


def test_a_wallet_without_money(town: Town) -> None:
    keys = derive_keys(KeyTree.generate(), 0, NORTH)
    assert restore(town, keys) == Restored((), 0)
    assert restore_from_log(town.log, keys, town.trust(NORTH)) == Restored((), 0)


# --- banks that lie -----------------------------------------------------------------------------


def test_what_the_bank_hides_the_log_shows(town: Town) -> None:
    keys = town.people[0].wallet.keys
    trust, named = town.trust(NORTH), town.list_outputs(keys)
    full = restore(town, keys)
    hidden = full.tokens[0]
    left = [one for one in named if one.ref != hidden.ref]
    fast = restore_through_bank(left, keys, town.registration, town.log, trust)
    assert {one.ref for one in full.tokens} - {one.ref for one in fast.tokens} == {hidden.ref}
    assert describe(restore_from_log(town.log, keys, trust)) == describe(full)


def test_what_the_bank_invents_is_not_counted(town: Town) -> None:
    """An output to our address that never was, one of other people, and junk."""
    keys, other = town.people[0].wallet.keys, town.people[3].wallet.keys
    trust, named = town.trust(NORTH), town.list_outputs(keys)
    members = town.country.network.roster.current
    world = replace(make_world(), members=members)
    invented = make_holding(world, keys, 10**6).token.output
    junk = Output(bytes(414))
    foreign = town.list_outputs(other)
    full = restore(town, keys)
    lying = [invented, *named, junk, *foreign, invented]
    found = restore_through_bank(lying, keys, town.registration, town.log, trust)
    assert (describe(found), found.seen) == (describe(full), full.seen)


def test_what_the_bank_replays_is_counted_once(town: Town) -> None:
    keys = town.people[0].wallet.keys
    named = town.list_outputs(keys)
    twice = restore_through_bank(named * 2, keys, town.registration, town.log, town.trust(NORTH))
    full = restore(town, keys)
    assert (describe(twice), twice.seen) == (describe(full), full.seen)


# --- registrations that lie ---------------------------------------------------------------------


@dataclass(slots=True)
class Liar:
    """A registration that answers what a test wants."""

    honest: Registration
    leaves: Sequence[LocatedLeaf] | None = None
    statement: StateStatement | None = None

    def find_created(self, refs: Sequence[OutputRef]) -> Sequence[LocatedLeaf]:
        """The lie, or the truth."""
        return self.honest.find_created(refs) if self.leaves is None else self.leaves

    def state_outputs(self, refs: Sequence[OutputRef]) -> StateStatement:
        """The lie, or the truth."""
        return self.statement or self.honest.state_outputs(refs)


def find_code(town: Town, liar: Liar) -> ErrorCode:
    """Of restoring the first wallet."""
    keys = town.people[0].wallet.keys
    trust, named = town.trust(NORTH), town.list_outputs(keys)
    return refuse(restore_through_bank, named, keys, liar, town.log, trust)


def list_leaves(town: Town) -> list[LocatedLeaf]:
    refs = [one.ref for one in town.list_outputs(town.people[0].wallet.keys)]
    return town.registration.find_created(refs)


def make_statement(
    town: Town,
    *,
    key: InstitutionKey | None = None,
    checkpoint: Checkpoint | None = None,
    drop: int = 0,
    state: OutputState = OutputState.UNSPENT,
) -> StateStatement:
    """Everything of the first wallet in this state, but for the first `drop` outputs."""
    network = town.country.network
    states = [(one.ref, state) for one in town.list_outputs(town.people[0].wallet.keys)]
    return sign_states(
        network.genesis.network,
        checkpoint or town.registration.catch_up(),
        states[drop:],
        key or network.registration_key,
    )


def test_leaves_that_are_not_in_the_log(town: Town) -> None:
    leaves = list_leaves(town)
    first, second = leaves[0], leaves[1]
    changed = first.leaf[:-1] + bytes([first.leaf[-1] ^ 1])
    for lie in (
        LocatedLeaf(first.position, second.leaf),
        LocatedLeaf(first.position, changed),
        LocatedLeaf(first.position + 1, first.leaf),
        LocatedLeaf(-1, first.leaf),
    ):
        code = find_code(town, Liar(town.registration, [lie, *leaves[1:]]))
        assert code is ErrorCode.LOG_INVALID


def test_a_leaf_that_is_no_output(town: Town) -> None:
    header = next(iter(town.log.iterate_leaves(town.registration.catch_up().size)))
    code = find_code(town, Liar(town.registration, [LocatedLeaf(0, header)]))
    assert code is ErrorCode.LOG_INVALID


def test_forged_statements(town: Town) -> None:
    stranger = InstitutionKey.generate()
    true = make_statement(town)
    for lie in (
        make_statement(town, key=stranger),
        replace(true, states=true.states[1:]),
        replace(true, states=tuple((ref, OutputState.SPENT) for ref, _ in true.states)),
        replace(true, checkpoint=replace(true.checkpoint, size=true.checkpoint.size + 1)),
    ):
        code = find_code(town, Liar(town.registration, statement=lie))
        assert code is ErrorCode.STATEMENT_INVALID
    foreign = make_world().genesis.network
    lie = sign_states(foreign, true.checkpoint, true.states, town.country.network.registration_key)
    code = find_code(town, Liar(town.registration, statement=lie))
    assert code is ErrorCode.NETWORK_MISMATCH


def test_signed_statements_that_contradict_the_leaves(town: Town) -> None:
    """Signed by the registration itself: evidence against it, and nothing is restored."""
    for lie in (make_statement(town, drop=1), make_statement(town, state=OutputState.UNKNOWN)):
        code = find_code(town, Liar(town.registration, statement=lie))
        assert code is ErrorCode.STATEMENT_INVALID
    hiding = Liar(town.registration, list_leaves(town)[1:])
    assert find_code(town, hiding) is ErrorCode.STATEMENT_INVALID


def test_an_old_statement_is_refused(town: Town) -> None:
    """It would call unspent what was spent since."""
    payer, payee = town.people[0], town.people[2]
    old = make_statement(town)
    if not payer.wallet.get_balance():
        town.country.pay(payee, payer, 2)
        payer.collect()
    town.country.pay(payer, payee, 1)
    town.country.network.notary.publish(is_forced=True)
    for person in town.people:
        person.collect()
    code = find_code(town, Liar(town.registration, statement=old))
    assert code is ErrorCode.STATEMENT_INVALID
    other = Checkpoint(
        old.checkpoint.origin, town.trust(NORTH).checkpoint.size, old.checkpoint.root
    )
    lie = make_statement(town, checkpoint=other)
    code = find_code(town, Liar(town.registration, statement=lie))
    assert code is ErrorCode.STATEMENT_INVALID


def test_what_is_published_later_comes_later(town: Town) -> None:
    """A wallet that believes an older checkpoint sees what was in the log then."""
    payer, payee = town.people[3], town.people[0]
    trust, before = town.trust(NORTH), restore(town, payee.wallet.keys)
    town.country.pay(payer, payee, 1)
    town.country.network.notary.publish(is_forced=True)
    payee.collect()
    keys = payee.wallet.keys
    named = town.list_outputs(keys)
    town.registration.catch_up()
    newer = LogFolder(town.country.network.public)
    code = refuse(
        restore_from_log,
        newer,
        keys,
        replace(
            trust, checkpoint=replace(trust.checkpoint, root=town.trust(NORTH).checkpoint.root)
        ),
    )
    assert code is ErrorCode.LOG_INVALID
    assert restore(town, keys).seen == before.seen + 1
    assert len(named) == before.seen + 1


def test_a_log_that_is_not_the_checkpoints(town: Town) -> None:
    keys = town.people[0].wallet.keys
    trust = town.trust(NORTH)
    forged = replace(trust, checkpoint=replace(trust.checkpoint, root=Digest(bytes(32))))
    named = town.list_outputs(keys)
    for code in (
        refuse(restore_from_log, town.log, keys, forged),
        refuse(restore_through_bank, named, keys, town.registration, town.log, forged),
    ):
        assert code is ErrorCode.LOG_INVALID
