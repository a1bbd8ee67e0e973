"""What a bank knows of its clients' money, and what it cannot do with it (T11, T20)."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from specie.bank.service import VAULT_CLIENT, Bank
from specie.crypto.outputs import derive_owner_key
from specie.crypto.secrets import KeyTree
from specie.flows.cancelling import cancel
from specie.flows.payment import complete_payment
from specie.flows.redemption import redeem
from specie.ledger.evidence import DoubleSpend
from specie.ledger.records import Output
from specie.ledger.state import Spend
from specie.ledger.wire import encode_attested
from specie.notary.service import Notary
from specie.ports.vault import Received
from specie.tokens.building import build_payment
from specie.tokens.holdings import Memo
from specie.tokens.scanning import scan
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpentError
from specie.values.identifiers import ClientId, Signature
from specie.values.times import Timestamp
from tests.country import Country, Person, build_country, load_published_outputs, refused


def publish(country: Country) -> list[Output]:
    """All outputs of the public log."""
    country.network.notary.publish(is_forced=True)
    return load_published_outputs(country.network.public)


def find_own(country: Country, person: Person, outputs: list[Output]) -> set[bytes]:
    """What the client's own device finds among them, by its own means."""
    keys = person.wallet.keys
    member = country.network.roster.current.get(keys.address.bank)
    return {token.ref for token in scan(outputs, keys.view, keys.address.spend, member)}


# --- delivery -----------------------------------------------------------------------------------


def test_a_forged_promise_delivers_nothing(country: Country) -> None:
    anna, boris = country.open_person(country.north, 30), country.open_person(country.south)
    real = country.pay(country.open_person(country.north, 5), boris, 5)
    boris.collect()
    built = country.build(anna, boris, 20)
    country.attest(built, country.north)
    txid = built.signed.txid
    forged = [
        replace(real, txid=txid),
        replace(real, txid=txid, signature=Signature(bytes(64))),
        replace(real, publish_by=Timestamp(real.publish_by + 1)),
    ]
    for promise in forged:
        for bank in (country.north, country.south):
            with refused(ErrorCode.PROMISE_INVALID):
                bank.deliver(promise)
    assert country.south.fetch_outputs(boris.id) == []
    assert [one.is_final for one in country.south.load_movements(boris.id)] == [True, False]


def test_delivering_again_and_of_strangers_payments_is_nothing(country: Country) -> None:
    anna, boris = country.open_person(country.north, 30), country.open_person(country.north)
    promise = country.pay(anna, boris, 20)
    for bank in (country.north, country.north, country.south):
        bank.deliver(promise)
    assert len(country.north.fetch_outputs(boris.id)) == 1
    assert boris.collect() == 1
    country.north.deliver(promise)
    assert boris.collect() == 0


def test_a_device_fetches_until_it_has_confirmed(country: Country) -> None:  # T11
    anna, boris = country.open_person(country.north, 30), country.open_person(country.south)
    country.pay(anna, boris, 20)
    country.pay(anna, boris, 4)
    outputs = country.south.fetch_outputs(boris.id)
    assert len(outputs) == 2 and country.south.fetch_outputs(boris.id) == outputs
    country.south.confirm_fetched(boris.id, [outputs[0].ref])
    assert country.south.fetch_outputs(boris.id) == outputs[1:]
    country.south.confirm_fetched(anna.id, [outputs[1].ref])  # not hers to confirm
    assert country.south.fetch_outputs(boris.id) == outputs[1:]


def test_a_device_fetches_page_by_page(country: Country) -> None:
    """T11: who was away for long has more than one answer holds."""
    anna, boris = country.open_person(country.north, 30), country.open_person(country.south)
    for _ in range(5):
        country.pay(anna, boris, 2)
    with pytest.MonkeyPatch.context() as patch:
        for module in ("store.client_store", "flows.receiving"):
            patch.setattr(f"specie.{module}.PAGE_ITEMS_MAX", 2)
        assert len(country.south.fetch_outputs(boris.id)) == 2
        assert boris.collect() == 5
    assert boris.wallet.get_balance() == 10


# --- finding ------------------------------------------------------------------------------------


def test_only_what_the_device_took_is_confirmed(country: Country) -> None:  # M1
    """What it does not recognise today, under another scan key say, is offered again."""
    anna, boris = country.open_person(country.north, 30), country.open_person(country.south)
    country.pay(anna, boris, 20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("specie.wallet.vault.scan_own", lambda *_: [])
        assert boris.collect() == 0
    assert len(country.south.fetch_outputs(boris.id)) == 1
    boris.wallet.receive(country.south.fetch_outputs(boris.id))  # recorded, then stopped
    assert boris.collect() == 0
    assert country.south.fetch_outputs(boris.id) == []
    assert boris.wallet.get_balance() == 20


def forget_everything(country: Country, bank: Bank) -> None:
    """The bank comes back from an old copy: it has its clients, and no token of theirs."""
    path = country.network.settings.data / f"bank-{bank.number}" / "bank.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in ("client_token", "attested_part", "movement"):
            connection.execute(f"DELETE FROM {table}")


def test_a_bank_finds_its_clients_outputs_by_itself(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # T11
    """Nobody told it: by the hints it finds what its clients are owed, and nothing of others."""
    country = build_country(tmp_path_factory.mktemp("found"))
    anna, boris = country.open_person(country.north, 30, 40), country.open_person(country.north)
    clara, david = country.open_person(country.south, 50), country.open_person(country.south)
    for payer, payee in ((anna, boris), (anna, clara), (clara, david), (clara, anna)):
        country.pay(payer, payee, 10)
    outputs = publish(country)
    for bank, clients in ((country.north, (anna, boris)), (country.south, (clara, david))):
        forget_everything(country, bank)
        assert all(bank.fetch_outputs(person.id) == [] for person in clients)
        fresh = bank.scan_published(outputs)
        found = {
            client: {one.ref for one in bank.fetch_outputs(client)}
            for client in (VAULT_CLIENT, *(person.id for person in clients))
        }
        for person in clients:
            assert found[person.id] == find_own(country, person, outputs)
        assert fresh == sum(len(refs) for refs in found.values())
        assert bank.scan_published(outputs) == 0
    everything = [
        output
        for bank in (country.north, country.south)
        for client in [VAULT_CLIENT, *(one.id for one in country.people if one.bank is bank)]
        for output in bank.fetch_outputs(client)
    ]
    assert {output.ref for output in everything} == {output.ref for output in outputs}


def test_what_is_found_can_be_spent(country: Country) -> None:  # T11
    """The promise never reached the payee's bank: stopped between notary and delivery."""
    anna, boris = country.open_person(country.north, 30), country.open_person(country.south)
    attested = country.attest(country.build(anna, boris, 20), country.north)
    country.network.notary.notarise(encode_attested(attested))
    assert boris.collect() == 0
    country.south.scan_published(publish(country))
    assert boris.collect() == 1
    country.pay(boris, country.open_person(country.north), 20)


def test_found_vault_money_is_in_the_vault(country: Country) -> None:  # P14
    before = country.south.vault.get_balance()
    vault = country.north.vault
    order = country.order(country.open_person(country.south), 20)
    order = replace(order, creditor=country.south.vault_address)
    sent = country.draw_order()
    order = replace(order, memo=Memo(order_id=sent))
    prepared = vault.prepare_payment([order], sent)
    with refused(ErrorCode.NOT_SERVED_HERE):  # nobody has announced it
        country.attest(prepared.built, country.north)
    country.south.expect_transfer(sent, country.north.number)
    attested = country.attest(prepared.built, country.north)
    promise = country.network.notary.notarise(encode_attested(attested))
    assert country.south.vault.get_balance() == before
    country.south.scan_published(publish(country))
    assert country.south.vault.get_balance() == before + 20
    country.north.deliver(promise)
    vault.settle(prepared.payment_id, promise)


def test_foreign_and_forged_outputs_are_not_found(country: Country) -> None:
    anna = country.open_person(country.north, 30)
    (token,) = anna.wallet.load_tokens()
    forged = []
    for place in (5, 40, 64, 70, 100, 140, 300):
        data = bytearray(token.output.data)
        data[place] ^= 1
        forged.append(Output(bytes(data)))
    assert country.north.scan_published(forged) == 0
    assert country.south.scan_published([token.output]) == 0
    assert country.north.scan_published([]) == 0


def test_an_output_with_a_wrong_hint_is_nobodys_money(country: Country) -> None:
    """The bank misses it, and the owner refuses it: it does not rebuild (spec page 02)."""
    anna = country.open_person(country.north, 30)
    (token,) = anna.wallet.load_tokens()
    data = token.output.data
    blind = Output(data[:97] + bytes(8) + data[105:])
    assert country.north.scan_published([blind]) == 0
    assert anna.wallet.receive([blind]) == Received((), 0)


# --- movements ----------------------------------------------------------------------------------


def list_movements(bank: Bank, client: ClientId) -> list[tuple[int, bool]]:
    """Amounts, incoming or not, of what is final."""
    return [(one.amount, one.is_incoming) for one in bank.load_movements(client) if one.is_final]


def test_movements_say_what_was_paid_and_received(country: Country) -> None:  # T20
    anna, boris = country.open_person(country.north, 100), country.open_person(country.south)
    clara = country.open_person(country.north)
    promise = country.pay(anna, boris, 30)
    country.clock.advance(1_000)
    country.pay(anna, clara, 20)
    boris.collect()
    country.pay(boris, anna, 5)
    assert list_movements(country.north, anna.id) == [
        (100, True),
        (30, False),
        (20, False),
        (5, True),
    ]
    assert list_movements(country.south, boris.id) == [(30, True), (5, False)]
    assert list_movements(country.north, clara.id) == [(20, True)]
    one = country.north.load_movements(anna.id)[1]
    assert one.txid == promise.txid and one.time < country.north.load_movements(anna.id)[2].time


def test_movements_of_merging_and_redeeming(country: Country) -> None:  # T20
    anna = country.open_person(country.north, 10, 20)
    prepared = anna.wallet.prepare_merge(country.draw_order())
    network, north = country.network, country.north
    anna.wallet.settle(
        prepared.payment_id, complete_payment(prepared.built, north, network, network.notary)
    )
    assert list_movements(north, anna.id)[2:] == [(0, False)]
    redeem(
        country.draw_order(),
        Minor(1_234),
        north.vault,
        north,
        network.desk,
        network.accounting,
        network.notary,
    )
    assert list_movements(north, VAULT_CLIENT)[-1] == (1_234, False)


# --- freezing, and what a bank cannot do --------------------------------------------------------


def test_a_freeze_stops_attestation_and_moves_nothing(country: Country) -> None:  # T20
    """Design §5, 4: the money stays where it is, and is the client's again afterwards."""
    anna, boris = country.open_person(country.north, 30), country.open_person(country.south)
    tokens = {token.ref for token in anna.wallet.load_tokens()}
    country.north.block(anna.id)
    country.north.block(anna.id)
    payment_id = country.draw_order()
    with refused(ErrorCode.CLIENT_BLOCKED):
        country.pay(anna, boris, 20, payment_id)
    with refused(ErrorCode.CLIENT_BLOCKED):
        country.pay(country.open_person(country.south, 5), anna, 5)
    assert {token.ref for token in anna.wallet.load_tokens()} == set()  # its own reservation
    assert country.north.fetch_outputs(anna.id) == []
    country.north.unblock(anna.id)
    country.pay(anna, boris, 20, payment_id)
    assert anna.wallet.get_balance() == 10
    assert tokens.isdisjoint(token.ref for token in anna.wallet.load_tokens())


def test_a_payment_attested_before_the_freeze_gets_its_answer(country: Country) -> None:
    """Its attestation may have left already, so a retry is given the same (design §5, 3)."""
    anna, boris = country.open_person(country.north, 30), country.open_person(country.south)
    payment_id = country.draw_order()
    prepared = anna.wallet.prepare_payment([country.order(boris, 20)], payment_id)
    attested = country.attest(prepared.built, country.north)
    promise = country.network.notary.notarise(encode_attested(attested))
    country.north.block(anna.id)
    country.south.block(boris.id)
    assert country.pay(anna, boris, 20, payment_id) == promise
    assert boris.collect() == 1


def test_who_does_not_exist_cannot_be_blocked(country: Country) -> None:
    with refused(ErrorCode.CLIENT_UNKNOWN):
        country.north.block(ClientId("nobody"))
    with refused(ErrorCode.CLIENT_UNKNOWN):
        country.north.unblock(ClientId("nobody"))


def test_a_bank_cannot_spend_its_clients_token(country: Country) -> None:  # T11
    """It holds the view key; without the spend key no key fits the output (design §5, 4)."""
    anna = country.open_person(country.north, 30)
    (token,) = anna.wallet.load_tokens()
    vault, view = country.north.vault, anna.wallet.keys.view
    strangers = (vault.keys.spend, KeyTree.generate().spend_key(0))
    for spend in strangers:
        with refused(ErrorCode.OPENING_MISMATCH):
            derive_owner_key(spend, view, token.output.data)
    derive_owner_key(anna.wallet.keys.spend, view, token.output.data)
    order = replace(country.order(anna, 30), creditor=vault.keys.address)
    context = country.network.surroundings.build_context()
    thief = replace(vault.keys, view=view)
    with refused(ErrorCode.OPENING_MISMATCH):
        build_payment([order], [token], thief, context)


# --- double spends ------------------------------------------------------------------------------


def test_the_bank_says_who_spent_twice(country: Country) -> None:  # T15
    anna, boris = country.open_person(country.north, 30), country.open_person(country.south)
    copied = country.build(anna, anna, 30)
    second = country.attest(copied, country.north)
    country.pay(anna, boris, 30)
    with pytest.raises(SpentError) as refusal:
        country.network.notary.notarise(encode_attested(second))
    evidence = refusal.value.evidence
    culprit = country.north.identify(evidence, country.network.notary)
    assert (culprit.id, culprit.name) == (anna.id, f"Name of {anna.id}")
    with refused(ErrorCode.CLIENT_UNKNOWN):
        country.south.identify(evidence, country.network.notary)
    with refused(ErrorCode.EVIDENCE_INVALID):
        country.north.identify(evidence[:-1] + bytes([evidence[-1] ^ 1]), country.network.notary)


def test_two_signatures_of_which_one_was_cancelled_convict_nobody(country: Country) -> None:  # T15
    """An honest client that cancels, and signs again over the same window."""
    anna, boris = country.open_person(country.north, 30), country.open_person(country.south)
    notary, order = country.network.notary, country.order(boris, 30)
    first = anna.wallet.prepare_payment([order], country.draw_order())
    cancel(anna.wallet, first.payment_id, notary)
    second = anna.wallet.prepare_payment([order], country.draw_order())
    one, other = first.built.signed, second.built.signed
    spends = [
        Spend(one.txid, one.body.not_before, one.body.not_after, one.owner_signatures[0])
        for one in (one, other)
    ]
    kept = anna.wallet.find_payment(first.payment_id)
    assert kept is not None and kept.voided is not None
    [ref] = one.body.inputs
    (output,) = [held for held in country.north.load_outputs(anna.id) if held.ref == ref]
    evidence = DoubleSpend(one.body.network, output, *spends).pack()
    with refused(ErrorCode.EVIDENCE_INVALID):
        country.north.identify(evidence, notary)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Notary, "find_void", lambda *_: None)  # a notary that has forgotten
        assert country.north.identify(evidence, notary).id == anna.id
        with refused(ErrorCode.EVIDENCE_INVALID):
            country.north.identify(evidence, notary, [kept.voided])
        with refused(ErrorCode.PROMISE_INVALID):
            forged = replace(kept.voided, signature=Signature(bytes(64)))
            country.north.identify(evidence, notary, [forged])


# --- opening wallets ----------------------------------------------------------------------------


def test_a_wallet_is_opened_once(country: Country) -> None:  # T3
    wallet = country.network.make_wallet("once", country.north.number)
    client, address, view = ClientId("once"), wallet.keys.address, wallet.keys.view
    for _ in range(2):
        country.north.open_wallet(client, "Somebody", address, view)
    other = country.network.make_wallet("other", country.north.number)
    taken = [
        (client, "Somebody", other),
        (client, "Somebody else", wallet),
        (ClientId("other"), "Somebody", wallet),
        (VAULT_CLIENT, "Somebody", other),
    ]
    for name, person, device in taken:
        with refused(ErrorCode.CLIENT_EXISTS):
            country.north.open_wallet(name, person, device.keys.address, device.keys.view)
    assert country.north.books.get_deposit(client) == 0


def test_opening_goes_on_after_a_stop(country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    wallet = country.network.make_wallet("stopped", country.north.number)
    client, address, view = ClientId("stopped"), wallet.keys.address, wallet.keys.view

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("specie.bank.deposits.DepositBooks.open_deposit", fail)
    with pytest.raises(KeyboardInterrupt):
        country.north.open_wallet(client, "Somebody", address, view)
    monkeypatch.undo()
    country.north.open_wallet(client, "Somebody", address, view)
    assert country.north.books.get_deposit(client) == 0


def test_nobody_is_half_a_client(country: Country) -> None:  # L5
    """An id too long for a deposit account makes no client either."""
    wallet = country.network.make_wallet("long", country.north.number)
    address, view = wallet.keys.address, wallet.keys.view
    for wrong in ("x" * 60, "line\nbreak"):
        with refused(ErrorCode.TEXT_INVALID):
            country.north.open_wallet(ClientId(wrong), "Somebody", address, view)
    country.north.open_wallet(ClientId("long"), "Somebody", address, view)


def test_a_wallet_of_another_bank_or_key_is_not_opened(country: Country) -> None:
    wallet = country.network.make_wallet("elsewhere", country.south.number)
    client = ClientId("elsewhere")
    with refused(ErrorCode.NOT_SERVED_HERE):
        country.north.open_wallet(client, "X", wallet.keys.address, wallet.keys.view)
    with refused(ErrorCode.NOT_SERVED_HERE):
        strange = KeyTree.generate().view_key(0)
        country.south.open_wallet(client, "X", wallet.keys.address, strange)
    assert country.south.load_movements(client) == []


def test_a_promise_for_what_nobody_attested_finalises_nothing(country: Country) -> None:
    before = country.south.load_movements(VAULT_CLIENT)
    real = country.pay(country.open_person(country.north, 5), country.open_person(country.north), 5)
    country.south.deliver(real)
    assert country.south.load_movements(VAULT_CLIENT) == before
