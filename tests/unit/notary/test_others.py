"""What the log says besides payments: proven double spends, and what owners have cancelled."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from specie.crypto.outputs import derive_owner_key
from specie.crypto.secrets import SigningKey
from specie.ledger.audit import PublicAudit, Totals, split_batches
from specie.ledger.evidence import verify_evidence
from specie.ledger.promises import verify_void_promise
from specie.ledger.transactions import Promise
from specie.ledger.voids import sign_void
from specie.ledger.wire import decode_attested, encode_attested, encode_signed
from specie.log.leaves import ConflictLeaf, HeaderLeaf, Leaf, VoidLeaf, order_batch, unpack_leaf
from specie.notary.notarisation import notarise
from specie.notary.service import Notary
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError, SpentError
from specie.values.identifiers import NetworkId, OutputRef, Scalar, Signature, TransactionId
from specie.values.limits import VOIDS_PER_INPUT_MAX
from specie.values.times import Timestamp
from tests.country import Country, Person, find_code, refused
from tests.unit.notary.house import House, build_house, spend_unseen

PROOF_SIZE = 577


@pytest.fixture
def people(country: Country) -> tuple[Person, Person]:
    """A payer with two tokens, and a payee."""
    return country.open_person(country.north, 20, 20), country.open_person(country.north)


@pytest.fixture
def own(country: Country, people: tuple[Person, Person], tmp_path: Path) -> House:
    """A notary that knows of their money."""
    return build_house(country, tmp_path)


def make_spends(country: Country, people: tuple[Person, Person], count: int) -> list[bytes]:
    """So many spends of one token, all signed by its owner."""
    token = people[0].wallet.load_tokens()[0]
    return [spend_unseen(country, *people, place + 1, token)[0] for place in range(count)]


def cancel(owner: Person, data: bytes) -> Signature:
    """The owner of the first input cancels this transaction."""
    signed = decode_attested(data).signed
    (token,) = [
        one for one in owner.wallet.load_tokens() if one.output.ref == signed.body.inputs[0]
    ]
    keys = owner.wallet.keys
    return sign_void(signed, derive_owner_key(keys.spend, keys.view, token.output.data))


def read_leaves(house: House) -> list[bytes]:
    """The whole log."""
    store = house.open_store()
    return store.load_leaves(0, store.count_leaves())


def read_others(house: House) -> list[Leaf]:
    """Conflict and void leaves, in the order of the log."""
    return [unpack_leaf(leaf, PROOF_SIZE) for leaf in read_leaves(house) if leaf[0] in (4, 5)]


def audit(house: House, leaves: list[bytes]) -> Totals:
    """The public check."""
    check = PublicAudit(house.roster.genesis, house.roster.current)
    for batch in split_batches(leaves):
        check.add_batch(batch)
    return check.finish()


def with_last_batch(leaves: list[bytes], *others: bytes) -> list[bytes]:
    """The log with other leaves besides payments in its last batch, counted and in order."""
    *before, last = split_batches(leaves)
    header = unpack_leaf(last[0], PROOF_SIZE)
    assert isinstance(header, HeaderLeaf)
    kept = [leaf for leaf in last[1:] if leaf[0] < 4]
    counted = replace(header, others=len(others))
    whole = [*order_batch(counted, [], [], [])[:1], *kept, *sorted(others)]
    return [*(leaf for batch in before for leaf in batch), *whole]


# --- conflicts ----------------------------------------------------------------------------------


def test_a_double_spend_is_published_once(
    country: Country, people: tuple[Person, Person], own: House
) -> None:  # T15, however often and with whatever it is tried
    notary = own.open_notary()
    first, *others = make_spends(country, people, 4)
    notary.notarise(first)
    for data in (*others, *others):
        with pytest.raises(SpentError):
            notary.notarise(data)
    assert all(isinstance(one, SpentError) for one in notary.notarise_batch(others))
    notary.publish(is_forced=True)
    (leaf,) = read_others(own)
    assert isinstance(leaf, ConflictLeaf)
    found = verify_evidence(leaf.evidence, own.roster.genesis.network)
    assert found.first.txid == decode_attested(first).txid
    assert found.second.txid == decode_attested(others[0]).txid
    assert audit(own, read_leaves(own)).conflicts == 1
    again = own.open_notary()
    with pytest.raises(SpentError):
        again.notarise(others[0])
    spend, _ = spend_unseen(country, *people, 1, people[0].wallet.load_tokens()[1])
    again.notarise(spend)
    again.publish(is_forced=True)
    assert read_others(own) == [leaf]


def test_each_output_has_its_own(
    country: Country, people: tuple[Person, Person], own: House
) -> None:  # T15
    notary = own.open_notary()
    for token in people[0].wallet.load_tokens()[:2]:
        first, second = (spend_unseen(country, *people, one, token)[0] for one in (1, 2))
        notary.notarise(first)
        with refused(ErrorCode.INPUT_SPENT):
            notary.notarise(second)
    notary.publish(is_forced=True)
    assert [type(one) for one in read_others(own)] == [ConflictLeaf, ConflictLeaf]
    assert audit(own, read_leaves(own)).conflicts == 2


def test_an_audit_verifies_conflicts(
    country: Country, people: tuple[Person, Person], own: House
) -> None:  # X1: the log's own key cannot accuse anybody
    notary = own.open_notary()
    first, second = make_spends(country, people, 2)
    notary.notarise(first)
    with pytest.raises(SpentError):
        notary.notarise(second)
    notary.publish(is_forced=True)
    leaves = read_leaves(own)
    (leaf,) = [one for one in leaves if one[0] == 4]
    assert audit(own, with_last_batch(leaves, leaf)).conflicts == 1
    place = len(list(split_batches(leaves))[-1]) - 1
    for spoilt in (leaf[:-64] + bytes(64), leaf[:20] + bytes([leaf[20] ^ 1]) + leaf[21:]):
        with pytest.raises(SpecieError, match=f"leaf {place}: ") as error:
            audit(own, with_last_batch(leaves, spoilt))
        assert error.value.code is ErrorCode.EVIDENCE_INVALID
    with refused(ErrorCode.LOG_INVALID):
        audit(own, with_last_batch(leaves, leaf, leaf))
    swapped = leaf[:432] + leaf[432 + 112 :] + leaf[432 : 432 + 112]
    with refused(ErrorCode.KERNEL_EXISTS):  # the same output accused twice
        audit(own, with_last_batch(leaves, leaf, swapped))


# --- voids --------------------------------------------------------------------------------------


def test_what_is_cancelled_never_becomes_final(
    country: Country, people: tuple[Person, Person], own: House
) -> None:  # T15
    notary = own.open_notary()
    data, other = make_spends(country, people, 2)
    signature = cancel(people[0], data)
    told = notary.void(data, signature)
    verify_void_promise(told, own.roster)
    assert told.publish_by == own.clock.now() + own.roster.genesis.batch_age_ms_max
    own.clock.advance(1)
    assert notary.void(data, signature) == told
    bare = encode_signed(decode_attested(data).signed)
    assert notary.void(bare, signature) == told  # attested or not
    for one in (notary, own.open_notary()):
        with refused(ErrorCode.TRANSACTION_VOID):
            one.notarise(data)
    assert isinstance(notary.notarise(other), Promise)  # the tokens are free for another
    with refused(ErrorCode.TRANSACTION_VOID):  # nobody is accused of a double spend
        notary.notarise(data)
    notary.publish(is_forced=True)
    assert read_others(own) == [VoidLeaf(decode_attested(data).txid)]
    assert audit(own, read_leaves(own)).voids == 1
    assert own.open_notary().void(data, signature) == told  # published long ago
    with refused(ErrorCode.TRANSACTION_VOID):
        notary.notarise(data)


def test_a_void_that_is_published_late_is_a_broken_promise(
    country: Country, people: tuple[Person, Person], own: House
) -> None:  # X3
    notary, (data,) = own.open_notary(), make_spends(country, people, 1)
    notary.publish(is_forced=True)
    before = notary.count_broken_promises()
    notary.void(data, cancel(people[0], data))
    own.clock.advance(own.roster.genesis.batch_age_ms_max)
    assert notary.count_broken_promises() == before
    own.clock.advance(1)
    assert notary.count_broken_promises() == before + 1
    notary.publish()
    assert notary.count_broken_promises() == before + 1


def test_a_void_waits_for_what_it_is_about(
    country: Country,
    people: tuple[Person, Person],
    own: House,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # X3: an auditor knows the money of every void that it is shown
    notary = own.open_notary()
    notary.publish(is_forced=True)
    monkeypatch.setattr("specie.notary.service.PUBLICATION_TRANSACTIONS_MAX", 1)
    payer, payee = people
    first, second = payer.wallet.load_tokens()[:2]
    notary.notarise(spend_unseen(country, payer, payee, 1, first)[0])
    own.clock.advance(1)
    made, found = spend_unseen(country, payer, payer, 1, second)
    notary.notarise(made)  # left out of the next batch
    token = next(one for one in found if one.amount)
    void, _ = spend_unseen(country, payer, payee, 1, token)
    keys = payer.wallet.keys
    owner = derive_owner_key(keys.spend, keys.view, token.output.data)
    own.clock.advance(1)
    notary.void(void, sign_void(decode_attested(void).signed, owner))
    notary.publish(is_forced=True)
    assert read_others(own) == []
    notary.publish(is_forced=True)
    assert read_others(own) == [VoidLeaf(decode_attested(void).txid)]


def test_cancelling_has_its_limit(
    country: Country, people: tuple[Person, Person], own: House
) -> None:
    """One token does not buy a flood of leaves."""
    notary = own.open_notary()
    spends = make_spends(country, people, VOIDS_PER_INPUT_MAX + 1)
    for data in spends[:-1]:
        notary.void(data, cancel(people[0], data))
    with refused(ErrorCode.LIMIT_EXCEEDED):
        own.open_notary().void(spends[-1], cancel(people[0], spends[-1]))
    notary.void(spends[0], cancel(people[0], spends[0]))  # the same answer again


def test_in_one_batch_with_others(
    country: Country, people: tuple[Person, Person], own: House
) -> None:
    void, good, late = make_spends(country, people, 3)
    own.open_notary().void(void, cancel(people[0], void))
    outcomes = notarise([void, good, void, late], own.open_store(), own.rules, own.clock.now())
    codes = [one.code if isinstance(one, SpecieError) else None for one in outcomes]
    cancelled, spent = ErrorCode.TRANSACTION_VOID, ErrorCode.INPUT_SPENT
    assert codes == [cancelled, None, cancelled, spent]


def test_who_may_cancel_what(
    country: Country, people: tuple[Person, Person], own: House
) -> None:  # T15
    notary = own.open_notary()
    final, data = (
        spend_unseen(country, *people, 1, token)[0] for token in people[0].wallet.load_tokens()[:2]
    )
    right = cancel(people[0], data)
    attested = decode_attested(data)
    stranger = sign_void(attested.signed, SigningKey.generate())
    body = attested.body
    unknown = replace(body, inputs=(OutputRef(bytes(32)),))
    issue = replace(body, inputs=(), supply_change=0)
    abroad = replace(body, network=NetworkId(bytes(16)))
    wrong = [
        (ErrorCode.OWNER_SIGNATURE_INVALID, data, stranger),
        (ErrorCode.OWNER_SIGNATURE_INVALID, data, cancel(people[0], final)),
        (ErrorCode.OWNER_SIGNATURE_INVALID, data, attested.signed.owner_signatures[0]),
        (ErrorCode.TRUNCATED, data[:-1], right),
    ]
    for code, changed in (
        (ErrorCode.INPUT_UNKNOWN, unknown),
        (ErrorCode.INPUT_UNKNOWN, issue),
        (ErrorCode.NETWORK_MISMATCH, abroad),
    ):
        signatures = attested.signed.owner_signatures[: len(changed.inputs)]
        signed = replace(attested.signed, body=changed, owner_signatures=signatures)
        wrong.append((code, encode_attested(replace(attested, signed=signed)), right))
    for code, sent, signature in wrong:
        with refused(code):
            notary.void(sent, signature)
    signature = cancel(people[0], final)
    promise = notary.notarise(final)
    with refused(ErrorCode.TRANSACTION_FINAL):
        notary.void(final, signature)
    assert notary.notarise(final) == promise
    assert isinstance(notary.notarise(data), Promise)  # nothing above has cancelled it


def test_who_has_signed_twice_cannot_void_the_proof(
    country: Country, people: tuple[Person, Person], own: House
) -> None:  # T15
    notary = own.open_notary()
    first, second = make_spends(country, people, 2)
    notary.notarise(first)
    for one in (notary, own.open_notary()):
        with refused(ErrorCode.INPUT_SPENT):
            one.void(second, cancel(people[0], second))
    with pytest.raises(SpentError):
        notary.notarise(second)
    with refused(ErrorCode.INPUT_SPENT):
        notary.void(second, cancel(people[0], second))
    notary.publish(is_forced=True)
    assert [type(one) for one in read_others(own)] == [ConflictLeaf]
    audit(own, read_leaves(own))


def test_any_spent_input_counts(
    country: Country, people: tuple[Person, Person], own: House
) -> None:  # T15: not only the first
    notary = own.open_notary()
    tokens = people[0].wallet.load_tokens()[:2]
    both, _ = spend_unseen(country, *people, 25, *tokens)
    refs = decode_attested(both).body.inputs
    (last,) = [one for one in tokens if one.output.ref == refs[-1]]
    notary.notarise(spend_unseen(country, *people, 1, last)[0])
    with refused(ErrorCode.INPUT_SPENT):
        notary.void(both, cancel(people[0], both))


def test_nobody_voids_altered_bodies(
    country: Country, people: tuple[Person, Person], own: House
) -> None:  # the owner has to have signed what is cancelled, for every input
    notary = own.open_notary()
    data, _ = spend_unseen(country, *people, 25, *people[0].wallet.load_tokens()[:2])
    attested = decode_attested(data)
    signed = attested.signed
    later = replace(signed.body, not_after=Timestamp(signed.body.not_after + 1))
    beyond = replace(signed.body, inputs=(signed.body.inputs[0], OutputRef(b"\xff" * 32)))
    second = (signed.owner_signatures[0], Signature(bytes(64)))
    for changed, code in (
        (replace(signed, body=later), ErrorCode.OWNER_SIGNATURE_INVALID),
        (replace(signed, owner_signatures=second), ErrorCode.OWNER_SIGNATURE_INVALID),
        (replace(signed, body=beyond), ErrorCode.INPUT_UNKNOWN),
    ):
        sent = encode_attested(replace(attested, signed=changed))
        with refused(code):
            notary.void(sent, cancel(people[0], sent))
    assert own.open_store().load_waiting_others(9) == []
    notary.void(data, cancel(people[0], data))


def test_others_alone_are_published_in_time(
    country: Country, people: tuple[Person, Person], own: House
) -> None:
    notary = own.open_notary()
    first, second = make_spends(country, people, 2)
    void, _ = spend_unseen(country, *people, 1, people[0].wallet.load_tokens()[1])
    notary.notarise(first)
    notary.publish(is_forced=True)
    notary.void(void, cancel(people[0], void))
    with pytest.raises(SpentError):
        notary.notarise(second)
    waiting = own.open_store().load_waiting_others(9)
    assert [one.leaf[0] for one in waiting] == [4, 5]  # conflicts before voids
    assert own.open_store().load_waiting_others(1) == waiting[:1]
    half = own.roster.genesis.batch_age_ms_max // 2
    own.clock.advance(half - 1)
    assert notary.publish() == 0 and notary.count_missing() > 0  # filler is asked for
    own.clock.advance(1)
    assert notary.publish() == 3  # due like payments, and legal without any
    assert notary.publish(is_forced=True) == 0
    assert [one.pack() for one in read_others(own)] == [one.leaf for one in waiting]
    assert notary.count_broken_promises() == 0
    audit(own, read_leaves(own))


def test_cancelled_and_notarised_at_once(
    country: Country, people: tuple[Person, Person], own: House
) -> None:
    """Exactly one of the two wins, and everybody hears the same."""
    notary, token = own.open_notary(), people[0].wallet.load_tokens()[0]
    for amount in range(1, 6):
        data, _ = spend_unseen(country, *people, amount, token)
        told = race(notary, data, cancel(people[0], data))
        is_void = set(told["void"]) == {None}
        final, void = ErrorCode.TRANSACTION_FINAL, ErrorCode.TRANSACTION_VOID
        assert set(told["void"]) == ({None} if is_void else {final})
        assert set(told["notarise"]) == ({void} if is_void else {None})
        if not is_void:
            break  # the token is spent
    notary.publish(is_forced=True)
    audit(own, read_leaves(own))


def race(notary: Notary, data: bytes, signature: Signature) -> dict[str, list[ErrorCode | None]]:
    """Three threads cancel and three send it, at once."""
    told: dict[str, list[ErrorCode | None]] = {"void": [], "notarise": []}
    start = threading.Barrier(6, timeout=30)

    def run(name: str) -> None:
        start.wait()
        if name == "void":
            told[name].append(find_code(lambda: notary.void(data, signature)))
        else:
            told[name].append(find_code(lambda: notary.notarise(data)))

    threads = [threading.Thread(target=run, args=(name,)) for name in [*told] * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return told


def test_an_audit_refuses_what_is_void_and_final(
    country: Country, people: tuple[Person, Person], own: House
) -> None:  # X1
    notary = own.open_notary()
    data, _ = make_spends(country, people, 2)
    promise = notary.notarise(data)
    notary.publish(is_forced=True)
    leaves = read_leaves(own)
    assert audit(own, leaves).voids == 0
    with refused(ErrorCode.KERNEL_EXISTS):
        audit(own, with_last_batch(leaves, VoidLeaf(promise.txid).pack()))
    void = VoidLeaf(TransactionId(bytes(32))).pack()
    assert audit(own, with_last_batch(leaves, void)).voids == 1
    with refused(ErrorCode.LOG_INVALID):
        audit(own, [*with_last_batch(leaves, void), void])


def test_an_audit_refuses_void_evidence(
    country: Country, people: tuple[Person, Person], own: House
) -> None:  # X1: who has cancelled was free to sign again
    notary = own.open_notary()
    first, second = make_spends(country, people, 2)
    notary.notarise(first)
    with pytest.raises(SpentError):
        notary.notarise(second)
    notary.publish(is_forced=True)
    leaves = read_leaves(own)
    (conflict,) = [one for one in leaves if one[0] == 4]
    void = VoidLeaf(decode_attested(second).txid).pack()
    with refused(ErrorCode.EVIDENCE_INVALID):
        audit(own, with_last_batch(leaves, conflict, void))
    earlier, later = with_last_batch(leaves, void), with_last_batch(leaves, conflict)
    for one, other in ((earlier, conflict), (later, void)):
        audit(own, one)
        with refused(ErrorCode.EVIDENCE_INVALID):
            audit(own, [*one, *make_next(one, other)])


def make_next(leaves: list[bytes], other: bytes) -> list[bytes]:
    """One more batch, which holds nothing else."""
    *_, last = split_batches(leaves)
    header = unpack_leaf(last[0], PROOF_SIZE)
    assert isinstance(header, HeaderLeaf)
    empty = HeaderLeaf(
        header.number + 1, header.time, 0, 0, 0, Scalar(bytes(32)), header.batch_hash, 1
    )
    return [empty.pack(), other]
