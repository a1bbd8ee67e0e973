"""Batches overlap: what happens to one while the other is verified changes nothing (T15, T16)."""

import threading
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from specie.crypto.outputs import derive_owner_key
from specie.identity.participants import Participant, Status
from specie.ledger.evidence import verify_evidence
from specie.ledger.transactions import Promise
from specie.ledger.voids import sign_void
from specie.ledger.wire import decode_attested, encode_attested, encode_signed
from specie.notary.notarisation import Notarisation, NotaryRules, Outcome
from specie.tokens.holdings import Token
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError, SpentError
from specie.values.limits import BATCHES_AT_ONCE
from tests.country import Country, Person, build_country
from tests.unit.notary.house import (
    House,
    break_transaction,
    build_house,
    spend_unseen,
)


@dataclass(slots=True, repr=False)
class Scene:
    """A country with a payer and a payee, and a notary of one's own."""

    country: Country
    payer: Person
    payee: Person
    house: House

    def pay(self, token: Token | None = None) -> tuple[bytes, list[Token]]:
        """A payment nobody has sent yet."""
        given = token or self.payer.wallet.load_tokens()[0]
        owner, other = (self.payee, self.payer) if token else (self.payer, self.payee)
        return spend_unseen(self.country, owner, other, 5, given)


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    """Shared: nobody of these tests changes it."""
    return build_country(tmp_path_factory.mktemp("pipeline"))


@pytest.fixture(scope="module")
def people(country: Country) -> tuple[Person, Person]:
    """A payer with one token, and a payee."""
    return country.open_person(country.north, 10), country.open_person(country.north)


@pytest.fixture
def scene(country: Country, people: tuple[Person, Person], tmp_path: Path) -> Scene:
    """With a new notary."""
    return Scene(country, *people, build_house(country, tmp_path))


def begin(scene: Scene, *batch: bytes) -> Notarisation:
    """Prepared and verified, not settled."""
    one = Notarisation(batch)
    one.prepare(scene.house.open_store(), scene.house.rules, scene.house.clock.now())
    one.verify()
    return one


def settle(scene: Scene, one: Notarisation, rules: NotaryRules | None = None) -> list[Outcome]:
    """Now."""
    return one.settle(scene.house.open_store(), rules or scene.house.rules, scene.house.clock.now())


def get_code(outcome: Outcome) -> ErrorCode | None:
    """None for a promise."""
    return outcome.code if isinstance(outcome, SpecieError) else None


def test_the_same_payment_in_two_batches_has_one_promise(scene: Scene) -> None:
    data, _ = scene.pay()
    first, second = begin(scene, data), begin(scene, data)
    [promise] = settle(scene, first)
    scene.house.clock.advance(5)
    assert isinstance(promise, Promise)
    assert settle(scene, second) == [promise]


def test_of_two_spends_in_two_batches_one_is_final(scene: Scene) -> None:
    one, other = scene.pay()[0], scene.pay()[0]
    first, second = begin(scene, one), begin(scene, other)
    assert isinstance(settle(scene, second)[0], Promise)
    [error] = settle(scene, first)
    assert isinstance(error, SpentError)
    verify_evidence(error.evidence, scene.house.roster.genesis.network)


def test_an_input_of_the_other_batch_is_known_when_that_has_settled(scene: Scene) -> None:
    parent, tokens = scene.pay()
    child, _ = scene.pay(tokens[0])
    spoilt = encode_attested(break_transaction(decode_attested(child), "owner"))
    first, second = begin(scene, parent), begin(scene, child, spoilt)
    assert isinstance(settle(scene, first)[0], Promise)
    # nothing of the second could be verified ahead; two encodings of one payment, one promise
    assert [get_code(one) for one in settle(scene, second)] == [None, None]


def test_what_was_not_verified_ahead_is_verified_at_the_end(scene: Scene) -> None:
    parent, tokens = scene.pay()
    child, _ = scene.pay(tokens[0])
    spoilt = encode_attested(break_transaction(decode_attested(child), "owner"))
    first, second = begin(scene, parent), begin(scene, spoilt)
    settle(scene, first)
    assert get_code(settle(scene, second)[0]) is ErrorCode.OWNER_SIGNATURE_INVALID


def test_a_child_that_settles_before_its_parent_is_refused(scene: Scene) -> None:
    parent, tokens = scene.pay()
    child, _ = scene.pay(tokens[0])
    first, second = begin(scene, parent), begin(scene, child)
    assert get_code(settle(scene, second)[0]) is ErrorCode.INPUT_UNKNOWN
    assert isinstance(settle(scene, first)[0], Promise)


def test_time_goes_on_meanwhile(scene: Scene) -> None:
    data, _ = scene.pay()
    begun = begin(scene, data)
    end = decode_attested(data).body.not_after
    scene.house.clock.advance(end + 1 - scene.house.clock.now())
    assert get_code(settle(scene, begun)[0]) is ErrorCode.EXPIRED


def test_a_bank_is_suspended_meanwhile(scene: Scene) -> None:  # P12
    begun = begin(scene, scene.pay()[0])
    bank = replace(
        scene.house.roster.current.participants[scene.country.north.number],
        status=Status.SUSPENDED,
    )
    assert get_code(settle(scene, begun, _with(scene, bank))[0]) is ErrorCode.ATTESTER_SUSPENDED


def test_a_bank_has_another_key_meanwhile(scene: Scene) -> None:
    begun = begin(scene, scene.pay()[0])
    members = scene.house.roster.current
    other = members.participants[scene.country.south.number].attestation_key
    bank = replace(members.participants[scene.country.north.number], attestation_key=other)
    code = get_code(settle(scene, begun, _with(scene, bank))[0])
    assert code is ErrorCode.ATTESTATION_SIGNATURE_INVALID


def _with(scene: Scene, bank: Participant) -> NotaryRules:
    """The rules with this participant as it is now."""
    members = scene.house.roster.current
    changed = {**members.participants, scene.country.north.number: bank}
    return replace(
        scene.house.rules,
        participants=replace(members, version=members.version + 1, participants=changed),
    )


def test_it_is_cancelled_meanwhile(scene: Scene) -> None:
    data, _ = scene.pay()
    begun = begin(scene, data)
    signed, keys = decode_attested(data).signed, scene.payer.wallet.keys
    [token] = scene.payer.wallet.load_tokens()
    key = derive_owner_key(keys.spend, keys.view, token.output.data)
    scene.house.open_notary().void(encode_signed(signed), sign_void(signed, key))
    assert get_code(settle(scene, begun)[0]) is ErrorCode.TRANSACTION_VOID


def test_one_batch_is_recorded_while_another_is_verified(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:  # T26
    """A batch that takes long to verify holds nobody up: neither other batches nor publication."""
    notary = scene.house.open_notary()
    is_verifying, may_go_on = threading.Event(), threading.Event()
    verify = Notarisation.verify
    verifications = iter(range(9))

    def verify_slowly(one: Notarisation) -> None:
        if next(verifications) == 0:
            is_verifying.set()
            assert may_go_on.wait(30), "nobody lets us go on"
        verify(one)

    monkeypatch.setattr(Notarisation, "verify", verify_slowly)
    data, _ = scene.pay()
    rival, _ = scene.pay()
    outcomes: list[Outcome] = []
    slow = threading.Thread(target=lambda: outcomes.extend(notary.notarise_batch([data])))
    slow.start()
    assert is_verifying.wait(30)
    assert isinstance(notary.notarise(rival), Promise)
    assert notary.publish(is_forced=True) > 0
    may_go_on.set()
    slow.join(30)
    assert [get_code(one) for one in outcomes] == [ErrorCode.INPUT_SPENT]


def test_who_is_interrupted_while_waiting_leaves_nobody_behind(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The turn that was given to an interrupted caller is used all the same."""
    notary = scene.house.open_notary()
    data, _ = scene.pay()
    assert isinstance(notary.notarise(data), Promise)
    waits = iter([True])

    def interrupt(*_: object) -> bool:
        if next(waits, False):
            raise KeyboardInterrupt
        return True

    notary._turns = 0  # noqa: SLF001  # everybody is at work
    with monkeypatch.context() as patch:
        patch.setattr(threading.Event, "wait", interrupt)
        with pytest.raises(KeyboardInterrupt):
            notary.notarise(data)
    assert not notary._queue  # noqa: SLF001  # nobody waits for an answer that no one reads
    notary._turns = BATCHES_AT_ONCE  # noqa: SLF001  # and nobody is
    assert isinstance(notary.notarise(data), Promise)
