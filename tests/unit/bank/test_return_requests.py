"""A payer asks for its money back: only what it paid, proven at every station (T8, T20)."""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from specie.bank.return_requests import ReturnDesk
from specie.bank.service import Bank
from specie.crypto.secrets import InstitutionKey, SealingKey
from specie.identity.participants import Status
from specie.ports.events import EventKind
from specie.ports.returns import KeptReturn, ReturnAnswer
from specie.store.return_store import SqliteReturnStore
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.tokens.return_requests import (
    PaidSecret,
    ReturnRequest,
    ReturnState,
    build_return_request,
    compute_return_state,
    prove_answer,
    sign_return,
    verify_return,
)
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, Digest, InstitutionPublicKey, Signature
from specie.values.limits import (
    ATTEST_EARLY_MS_MAX,
    RETURN_REQUEST_MS_MAX,
    RETURN_REQUESTS_DAY_MAX,
    TEXT_MAX,
)
from specie.values.times import Timestamp
from tests.country import NORTH, SOUTH, Country, Person, refused
from tests.unit.wallet.test_refunds import give, send

REASON = "paid twice"


@dataclass
class Desks:
    """Both banks' desks, with keys that the list names; anna has paid boris 30."""

    country: Country
    anna: Person
    boris: Person
    folder: Path
    keys: dict[int, InstitutionKey] = field(default_factory=dict)
    told: list[tuple[ClientId, EventKind]] = field(default_factory=list)
    open: dict[int, ReturnDesk] = field(default_factory=dict)

    @property
    def north(self) -> ReturnDesk:
        return self.open[NORTH]

    @property
    def south(self) -> ReturnDesk:
        return self.open[SOUTH]

    def get_secret(self) -> PaidSecret:
        paid = self.anna.wallet.load_history().paid[-1].outputs[0]
        return PaidSecret(self.country.network.genesis.network, paid.ref, paid.anchor)

    def build(self, reason: str = REASON) -> ReturnRequest:
        now = self.country.clock.now()
        return build_return_request(self.get_secret(), give(self.anna), now, reason)

    def relay(self, kept: KeptReturn) -> None:
        self.south.receive(NORTH, kept.signed)

    def make(self, bank: Bank) -> ReturnDesk:
        assert bank.paid is not None
        network = self.country.network
        return ReturnDesk(
            number=bank.number,
            network=network.genesis.network,
            key=self.keys[bank.number],
            clients=bank.clients,
            paid=bank.paid,
            store=SqliteReturnStore(self.folder / f"{bank.number}.db", SealingKey.generate()),
            tell=lambda client, kind, _: self.told.append((client, kind)),
            clock=self.country.clock,
            find_members=lambda: network.roster.current,
        )


@pytest.fixture
def desks(country: Country, tmp_path: Path) -> Desks:
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    found = Desks(country, anna, boris, tmp_path)
    members = country.network.roster.current
    people = dict(members.participants)
    for number in (NORTH, SOUTH):
        key = found.keys[number] = InstitutionKey.generate()
        named = InstitutionPublicKey(key.public)
        people[number] = replace(people[number], institution_key=named)
    country.network.replace_participants(
        replace(members, version=members.version + 1, participants=people)
    )
    send(country, anna, PaymentOrder(boris.wallet.keys.address, Minor(30), Memo()))
    boris.collect()
    for bank in (country.north, country.south):
        found.open[bank.number] = found.make(bank)
    return found


def test_a_request_reaches_the_payee_and_is_answered(desks: Desks) -> None:
    kept = desks.north.ask(desks.anna.id, desks.build())
    desks.relay(kept)
    [seen] = desks.south.load(desks.boris.id)
    assert seen.signed.request.reason == REASON and not seen.is_asked
    received = desks.boris.wallet.load_history().received[-1]
    secret = PaidSecret(desks.get_secret().network, received.ref, received.anchor)
    verify_return(seen.signed, secret, desks.country.network.roster.current)
    answer = ReturnAnswer("it was for two", prove_answer(secret, "it was for two"))
    for _ in range(2):
        desks.north.ask(desks.anna.id, kept.signed.request)
        desks.relay(kept)
        said = desks.south.decline(desks.boris.id, received.ref, answer)
        desks.north.hear_answer(SOUTH, said.signed.request.ref, answer)
    [mine] = desks.north.load(desks.anna.id)
    assert mine.answer == answer and mine.is_asked
    assert desks.told == [
        (desks.boris.id, EventKind.RETURN_ASKED),
        (desks.anna.id, EventKind.RETURN_DECLINED),
    ]
    other = ReturnAnswer("never", prove_answer(secret, "never"))
    with refused(ErrorCode.ORDER_CONFLICT):
        desks.south.decline(desks.boris.id, received.ref, other)
    with refused(ErrorCode.ORDER_CONFLICT):
        desks.north.ask(desks.anna.id, desks.build("in other words"))


def test_nobody_asks_for_what_it_has_not_paid(desks: Desks) -> None:
    request = desks.build()
    vera = desks.country.open_person(desks.country.north)
    for client in (vera.id, ClientId("nobody")):
        with refused(ErrorCode.PAYMENT_UNKNOWN):
            desks.north.ask(client, request)
    with refused(ErrorCode.PAYMENT_UNKNOWN):
        desks.north.ask(desks.anna.id, replace(request, ref=type(request.ref)(bytes(32))))
    with refused(ErrorCode.NOT_SERVED_HERE):
        theirs = give(vera)
        now = desks.country.clock.now()
        bad = build_return_request(desks.get_secret(), theirs, now, REASON)
        desks.north.ask(desks.anna.id, bad)
    country = desks.country
    order = PaymentOrder(desks.boris.wallet.keys.address, Minor(5), Memo())
    prepared = desks.anna.wallet.prepare_payment([order], country.draw_order())
    country.north.attest_payment(prepared.built)
    with refused(ErrorCode.PAYMENT_UNKNOWN):
        desks.north.ask(desks.anna.id, desks.build())  # of one that is attested, and not final
    assert desks.north.load(desks.anna.id) == []


@pytest.mark.parametrize("part", ["reason", "proof", "time", "signature", "bank", "anchor"])
def test_the_payees_bank_believes_proofs_alone(desks: Desks, part: str) -> None:
    signed = desks.north.ask(desks.anna.id, desks.build()).signed
    request, caller = signed.request, NORTH
    key = desks.keys[NORTH]
    network = desks.country.network.genesis.network
    if part == "reason":
        signed = sign_return(replace(request, reason="other"), network, NORTH, key)
    if part == "proof":
        signed = sign_return(replace(request, proof=Digest(bytes(32))), network, NORTH, key)
    if part == "time":
        later = Timestamp(request.time + 1)
        signed = sign_return(replace(request, time=later), network, NORTH, key)
    if part == "signature":
        signed = replace(signed, signature=Signature(bytes(64)))
    if part == "bank":
        caller = SOUTH
    if part == "anchor":
        guess = PaidSecret(network, request.ref, bytes(16))
        forged = build_return_request(guess, request.creditor, request.time, REASON)
        signed = sign_return(forged, network, NORTH, key)
    with refused(ErrorCode.RETURN_REQUEST_INVALID):
        desks.south.receive(caller, signed)
    assert desks.south.load(desks.boris.id) == [] and desks.told == []


def test_a_bank_that_takes_no_part_is_not_heard(desks: Desks) -> None:
    kept = desks.north.ask(desks.anna.id, desks.build())
    members, secret = desks.country.network.roster.current, desks.get_secret()
    verify_return(kept.signed, secret, members)
    gone = replace(members.get(NORTH), status=Status.SUSPENDED)
    others = replace(members, participants={**members.participants, NORTH: gone})
    with refused(ErrorCode.RETURN_REQUEST_INVALID):
        verify_return(kept.signed, secret, others)
    nobody = replace(kept.signed, bank=type(NORTH)(99))
    with refused(ErrorCode.RETURN_REQUEST_INVALID):
        desks.south.receive(type(NORTH)(99), nobody)


def test_only_who_was_asked_answers(desks: Desks) -> None:
    kept = desks.north.ask(desks.anna.id, desks.build())
    secret = desks.get_secret()
    answer = ReturnAnswer("no", prove_answer(secret, "no"))
    with refused(ErrorCode.RETURN_REQUEST_UNKNOWN):
        desks.south.decline(desks.boris.id, secret.ref, answer)
    desks.relay(kept)
    vera = desks.country.open_person(desks.country.south)
    with refused(ErrorCode.RETURN_REQUEST_UNKNOWN):
        desks.south.decline(vera.id, secret.ref, answer)
    with refused(ErrorCode.RETURN_REQUEST_INVALID):
        desks.south.decline(desks.boris.id, secret.ref, replace(answer, text="yes"))
    with refused(ErrorCode.RETURN_REQUEST_UNKNOWN):
        desks.north.hear_answer(type(NORTH)(4), secret.ref, answer)
    with refused(ErrorCode.RETURN_REQUEST_UNKNOWN):
        desks.north.hear_answer(SOUTH, type(secret.ref)(bytes(32)), answer)
    with refused(ErrorCode.RETURN_REQUEST_INVALID):
        desks.north.hear_answer(SOUTH, secret.ref, replace(answer, proof=Digest(bytes(32))))


def test_a_request_ends(desks: Desks) -> None:
    request = desks.build()
    kept = desks.north.ask(desks.anna.id, request)
    desks.relay(kept)
    desks.country.clock.advance(RETURN_REQUEST_MS_MAX + 1)
    answer = ReturnAnswer("no", prove_answer(desks.get_secret(), "no"))
    with refused(ErrorCode.REQUEST_EXPIRED):
        desks.south.decline(desks.boris.id, request.ref, answer)
    with refused(ErrorCode.REQUEST_EXPIRED):
        desks.relay(kept)
    with refused(ErrorCode.REQUEST_EXPIRED):
        desks.north.ask(desks.anna.id, request)
    later = Timestamp(desks.country.clock.now() + ATTEST_EARLY_MS_MAX + 1)
    ahead = build_return_request(desks.get_secret(), request.creditor, later, REASON)
    with refused(ErrorCode.RETURN_REQUEST_INVALID):
        desks.north.ask(desks.anna.id, ahead)


def test_a_client_asks_so_often_a_day(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    assert RETURN_REQUESTS_DAY_MAX > 1
    monkeypatch.setattr("specie.bank.return_requests.RETURN_REQUESTS_DAY_MAX", 1)
    first = desks.build()
    desks.north.ask(desks.anna.id, first)
    order = PaymentOrder(desks.boris.wallet.keys.address, Minor(5), Memo())
    send(desks.country, desks.anna, order)
    with refused(ErrorCode.RATE_EXCEEDED):
        desks.north.ask(desks.anna.id, desks.build())
    desks.north.ask(desks.anna.id, first)  # again is no more
    desks.country.clock.advance(24 * 3600 * 1000 + 1)
    desks.north.ask(desks.anna.id, desks.build())


@pytest.mark.parametrize("text", ["x" * (TEXT_MAX + 1), "one\ntwo", "e\u0301", "a\0"])
def test_a_reason_is_short_plain_text(desks: Desks, text: str) -> None:
    with refused(ErrorCode.TEXT_INVALID):
        desks.build(text)
    request = replace(desks.build(), reason=text)
    with refused(ErrorCode.TEXT_INVALID):
        desks.north.ask(desks.anna.id, request)


@pytest.mark.parametrize(
    ("returned", "passed", "is_declined", "state"),
    [
        (0, 0, False, ReturnState.ASKED),
        (0, RETURN_REQUEST_MS_MAX, False, ReturnState.ASKED),
        (0, RETURN_REQUEST_MS_MAX + 1, False, ReturnState.EXPIRED),
        (0, RETURN_REQUEST_MS_MAX + 1, True, ReturnState.DECLINED),
        (1, 0, True, ReturnState.PARTLY),
        (30, RETURN_REQUEST_MS_MAX + 1, True, ReturnState.RETURNED),
    ],
)
def test_money_counts_more_than_words(
    returned: int, passed: int, is_declined: bool, state: ReturnState
) -> None:
    amounts = Minor(30), Minor(returned)
    found = compute_return_state(
        *amounts, Timestamp(5), Timestamp(5 + passed), is_declined=is_declined
    )
    assert found is state


def test_nothing_is_in_the_clear(desks: Desks) -> None:
    desks.relay(desks.north.ask(desks.anna.id, desks.build()))
    ref = desks.get_secret().ref
    held = b"".join(path.read_bytes() for path in desks.folder.glob("*.db*"))
    for secret in (ref, ref.hex().encode(), REASON.encode()):
        assert secret not in held
    with suppress(SpecieError):
        desks.south.load(desks.boris.id)
