"""One batch: each transaction is judged by itself, in order, as if it had come alone (T15, T16)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from specie.ledger.evidence import verify_evidence
from specie.ledger.promises import verify_promise
from specie.ledger.transactions import Promise
from specie.ledger.wire import decode_attested, encode_attested
from specie.notary.notarisation import Outcome, notarise
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError, SpentError
from specie.values.limits import BATCH_TRANSACTIONS_MAX
from tests.country import Country, Person, build_country, refused
from tests.unit.notary.house import (
    House,
    break_transaction,
    build_house,
    get_kernel,
    spend_unseen,
)

SIZE = 6
BREAKS = {
    "garbage": ErrorCode.VERSION_UNKNOWN,
    "cut": ErrorCode.TRUNCATED,
    "longer": ErrorCode.TRAILING_BYTES,
    "network": ErrorCode.NETWORK_MISMATCH,
    "expired": ErrorCode.EXPIRED,
    "input": ErrorCode.INPUT_UNKNOWN,
    "terms": ErrorCode.TERMS_MISMATCH,
    "no attestation": ErrorCode.ATTESTATION_MISSING,
    "attestation": ErrorCode.ATTESTATION_SIGNATURE_INVALID,
    "owner": ErrorCode.OWNER_SIGNATURE_INVALID,
    "kernel": ErrorCode.KERNEL_SIGNATURE_INVALID,
}


@dataclass(slots=True, repr=False)
class Scene:
    """A country whose people have money, and valid payments that nobody has sent yet."""

    country: Country
    people: list[Person]
    batch: list[bytes]

    def house(self, folder: Path) -> House:
        """A notary that has not seen them."""
        return build_house(self.country, folder)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Six payments of six people, some of them across banks."""
    country = build_country(tmp_path_factory.mktemp("batches"))
    people = [country.open_person(country.north, 10) for _ in range(SIZE)]
    payees = [country.open_person(bank) for bank in (country.north, country.south)]
    batch = [
        encode_attested(country.attest(country.build(person, payees[place % 2], 7), country.north))
        for place, person in enumerate(people)
    ]
    return Scene(country, people, batch)


def run(house: House, batch: Sequence[bytes]) -> list[Outcome]:
    """One batch, now."""
    return notarise(batch, house.open_store(), house.rules, house.clock.now())


def get_codes(outcomes: Sequence[Outcome]) -> list[ErrorCode | None]:
    """The code of each refusal, None for a promise."""
    return [one.code if isinstance(one, SpecieError) else None for one in outcomes]


def list_recorded(house: House) -> set[bytes]:
    """What the notary has and has not published: the transactions of this test."""
    return {one.data for one in house.open_store().load_waiting(999)}


def break_data(data: bytes, what: str) -> bytes:
    """One thing wrong with it."""
    if what == "garbage":
        return b"\xff" + data[1:]
    if what == "cut":
        return data[:-1]
    if what == "longer":
        return data + b"\0"
    return encode_attested(break_transaction(decode_attested(data), what))


def test_every_promise_is_signed_and_in_time(scene: Scene, tmp_path: Path) -> None:  # T15
    house = scene.house(tmp_path)
    for data, outcome in zip(scene.batch, run(house, scene.batch), strict=True):
        assert isinstance(outcome, Promise)
        assert outcome.txid == decode_attested(data).txid
        assert outcome.publish_by == house.clock.now() + house.roster.genesis.batch_age_ms_max
        verify_promise(outcome, house.roster)
        with refused(ErrorCode.PROMISE_INVALID):
            verify_promise(outcome, scene.country.network.roster)  # another notary's


@pytest.mark.parametrize("what", BREAKS)
def test_a_bad_one_is_refused_alone_at_every_place(
    scene: Scene, tmp_path_factory: pytest.TempPathFactory, what: str
) -> None:  # T16
    for place in range(SIZE):
        house = scene.house(tmp_path_factory.mktemp("house"))
        before = list_recorded(house)
        batch = list(scene.batch)
        batch[place] = break_data(batch[place], what)
        codes = get_codes(run(house, batch))
        assert codes == [BREAKS[what] if index == place else None for index in range(SIZE)]
        assert list_recorded(house) - before == set(batch) - {batch[place]}


def test_many_bad_ones_leave_the_good_ones(scene: Scene, tmp_path: Path) -> None:
    house = scene.house(tmp_path)
    kinds = ["owner", "", "kernel", "", "attestation", ""]
    pairs = zip(scene.batch, kinds, strict=True)
    batch = [break_data(data, what) if what else data for data, what in pairs]
    assert get_codes(run(house, batch)) == [BREAKS.get(what) for what in kinds]


def test_an_empty_batch_and_one_too_long(scene: Scene, tmp_path: Path) -> None:
    house = scene.house(tmp_path)
    assert run(house, []) == []
    with refused(ErrorCode.LIMIT_EXCEEDED):
        run(house, [b""] * (BATCH_TRANSACTIONS_MAX + 1))
    assert set(get_codes(run(house, [b""] * BATCH_TRANSACTIONS_MAX))) == {ErrorCode.TRUNCATED}


def test_the_same_again_gets_the_same_answer(scene: Scene, tmp_path: Path) -> None:
    house = scene.house(tmp_path)
    batch = [scene.batch[0], scene.batch[1], scene.batch[0], scene.batch[0]]
    first = run(house, batch)
    assert first[0] == first[2] == first[3]
    house.clock.advance(86_400_000)  # long after its window
    assert run(house, batch) == first
    assert len(list_recorded(house) & set(scene.batch)) == 2


@pytest.mark.parametrize("place", range(4))
def test_other_witnesses_do_not_spoil_a_payment(scene: Scene, tmp_path: Path, place: int) -> None:
    """Signatures are not in the id: who changes one has the same payment, and breaks nothing."""
    good, house = scene.batch[0], scene.house(tmp_path)
    spoiled = [break_data(good, what) for what in ("owner", "kernel", "attestation")]
    batch = [*spoiled[:place], good, *spoiled[place:], scene.batch[1]]
    outcomes = run(house, batch)
    assert isinstance(outcomes[place], Promise) and isinstance(outcomes[-1], Promise)
    recorded = list_recorded(house)
    assert good in recorded and not recorded & set(spoiled)
    assert run(house, [good]) == [outcomes[place]]


# --- conflicts ----------------------------------------------------------------------------------


def test_of_two_spends_in_one_batch_the_first_wins(scene: Scene, tmp_path: Path) -> None:  # T15
    country, (anna, boris, *_) = scene.country, scene.people
    house = scene.house(tmp_path)
    (token,) = anna.wallet.load_tokens()
    first, second, third = (
        spend_unseen(country, anna, boris, amount, token)[0] for amount in (5, 6, 7)
    )
    batch = [first, scene.batch[1], second, third]
    outcomes = run(house, batch)
    code = ErrorCode.INPUT_SPENT
    assert get_codes(outcomes) == [None, None, code, code]
    for data, outcome in zip(batch[2:], outcomes[2:], strict=True):
        assert isinstance(outcome, SpentError)
        found = verify_evidence(outcome.evidence, house.roster.genesis.network)
        assert found.output == token.output
        assert found.first.txid == decode_attested(first).txid
        assert found.second.txid == decode_attested(data).txid
    again = run(house, [third, second, first])
    assert get_codes(again) == [code, code, None] and again[2] == outcomes[0]


def test_a_refused_spend_takes_nothing_away(scene: Scene, tmp_path: Path) -> None:
    """The first of two spends does not hold, so the second is the first."""
    country, (anna, boris, *_) = scene.country, scene.people
    house = scene.house(tmp_path)
    tokens = anna.wallet.load_tokens()
    first, second = (spend_unseen(country, anna, boris, amount, *tokens)[0] for amount in (5, 6))
    bad = break_data(first, "kernel")
    assert get_codes(run(house, [bad, second])) == [ErrorCode.KERNEL_SIGNATURE_INVALID, None]
    (code,) = get_codes(run(house, [first]))
    assert code is ErrorCode.INPUT_SPENT


def test_a_strangers_signature_shows_no_evidence(scene: Scene, tmp_path: Path) -> None:  # T15
    """Naming other people's spent outputs does not bring their signatures to light."""
    house = scene.house(tmp_path)
    run(house, scene.batch[:1])
    fishing = break_data(break_data_txid(scene.batch[0]), "owner")
    (outcome,) = run(house, [fishing])
    assert isinstance(outcome, SpecieError) and not isinstance(outcome, SpentError)
    assert outcome.code is ErrorCode.OWNER_SIGNATURE_INVALID


def break_data_txid(data: bytes) -> bytes:
    """Another transaction over the same input: one millisecond longer valid."""
    body = decode_attested(data).body
    place = data.index(body.not_after.to_bytes(8, "little"))
    later = (body.not_after + 1).to_bytes(8, "little")
    return data[:place] + later + data[place + 8 :]


# --- chains -------------------------------------------------------------------------------------


def make_chain(scene: Scene) -> list[bytes]:
    """Anna pays Boris, he pays Clara from that, and she David from that."""
    people, links = scene.people, []
    tokens = people[0].wallet.load_tokens()
    for payer, payee in pairwise(people[:4]):
        data, tokens = spend_unseen(scene.country, payer, payee, 4, *tokens)
        links.append(data)
    return links


def test_an_output_of_the_same_batch_can_be_spent(scene: Scene, tmp_path: Path) -> None:
    house, chain = scene.house(tmp_path), make_chain(scene)
    assert get_codes(run(house, chain)) == [None] * 3
    assert list_recorded(house) >= set(chain)


def test_but_only_after_it_is_there(scene: Scene, tmp_path: Path) -> None:
    house = scene.house(tmp_path)
    first, second, third = make_chain(scene)
    unknown = ErrorCode.INPUT_UNKNOWN
    assert get_codes(run(house, [third, second, first])) == [unknown, unknown, None]
    assert get_codes(run(house, [third, second])) == [unknown, None]
    assert get_codes(run(house, [third])) == [None]


@pytest.mark.parametrize("what", ["owner", "no attestation", "expired", "cut"])
def test_children_of_a_refused_payment_are_refused(scene: Scene, tmp_path: Path, what: str) -> None:
    house = scene.house(tmp_path)
    first, second, third = make_chain(scene)
    bad = break_data(first, what)
    unknown = ErrorCode.INPUT_UNKNOWN
    codes = get_codes(run(house, [bad, second, scene.batch[5], third]))
    assert codes == [BREAKS[what], unknown, None, unknown]
    assert not list_recorded(house) & {bad, first, second, third}
    assert get_codes(run(house, [first, second, third])) == [None] * 3


def test_a_refused_link_breaks_the_chain_there(scene: Scene, tmp_path: Path) -> None:
    house = scene.house(tmp_path)
    first, second, third = make_chain(scene)
    codes = get_codes(run(house, [first, break_data(second, "kernel"), third]))
    assert codes == [None, ErrorCode.KERNEL_SIGNATURE_INVALID, ErrorCode.INPUT_UNKNOWN]
    assert get_codes(run(house, [second, third])) == [None, None]


# --- what must be new ---------------------------------------------------------------------------


def test_a_recorded_kernel_or_output_does_not_come_again(scene: Scene, tmp_path: Path) -> None:
    house = scene.house(tmp_path)
    run(house, scene.batch[:2])
    kernels = {get_kernel(decode_attested(data)) for data in scene.batch[:2]}
    assert len(kernels) == 2
    replayed = put_body(scene.batch[2], scene.batch[0])
    (outcome,) = run(house, [replayed])
    assert isinstance(outcome, SpecieError) and outcome.code is ErrorCode.OUTPUT_EXISTS


def put_body(data: bytes, other: bytes) -> bytes:
    """The inputs of one transaction with all the rest of another."""
    one, two = decode_attested(data), decode_attested(other)
    place = other.index(two.body.inputs[0])
    return other[:place] + one.body.inputs[0] + other[place + 32 :]
