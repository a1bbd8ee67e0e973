"""An operator with everything that a bank has tries to spend a client's money (T3, T9, X5, X7).

Keys of the bank, its database opened, view keys and openings in the clear, the share that it keeps,
an approval of its own: all of that attests, watches and blocks. It does not sign.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from specie.crypto.addresses import Address
from specie.crypto.outputs import derive_owner_key
from specie.crypto.secrets import InstitutionKey, KeyTree
from specie.crypto.shares import combine_shares, split_phrase
from specie.crypto.signatures import sign
from specie.flows.payment import complete_payment
from specie.identity.codes import hash_code
from specie.ledger.messages import compute_owner_message
from specie.ledger.wire import encode_attested
from specie.tokens.building import BuiltTransaction, PaymentOrder, build_payment
from specie.tokens.holdings import HolderKeys, Memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import InstitutionPublicKey, OrderId, Signature
from tests.country import Country, Person, build_country, refused
from tests.unit.assembly.office import Office, make_office


class Operator:
    """All of it in one hand, in the bank's own process."""

    def __init__(self, office: Office, client: Person) -> None:
        self.office, self.client = office, client
        self.country: Country = office.country
        bank = office.bank
        refs = [one.ref for one in bank.load_outputs(client.id)]
        self.tokens = [one.token for one in bank.clients.find_tokens(refs).values()]
        known = bank.get_client(client.id)
        self.view, self.address = known.view_key, known.address
        self.own = KeyTree.generate()

    def pretend(self) -> HolderKeys:
        """The client's view key and address, with a spend key of the operator's."""
        return HolderKeys(self.view, self.own.spend_key(0), self.own.wallet_secret(0), self.address)

    def order(self, amount: int) -> PaymentOrder:
        vault = self.office.bank.vault_address
        return PaymentOrder(vault, Minor(amount), Memo(order_id=self.country.draw_order()))


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    office = make_office(country := build_country(tmp_path), country.north)
    return Operator(office, country.open_person(country.north, 100))


def test_a_view_key_signs_nothing(operator: Operator) -> None:
    """It finds the token, and the owner's one-time key is not b + t for any other b."""
    [token] = operator.tokens
    pretended = operator.pretend()
    with refused(ErrorCode.OPENING_MISMATCH):
        derive_owner_key(pretended.spend, pretended.view, token.output.data)
    context = operator.country.network.surroundings.build_context()
    with refused(ErrorCode.OPENING_MISMATCH):
        build_payment([operator.order(100)], [token], pretended, context)


EXPECTED = OrderId(b"o" * 16)  # as a deposit of the client's own: only its signature is missing


def forge(operator: Operator, payee: Address) -> BuiltTransaction:
    """As the client's device would build it, but signed with a key that the operator has."""
    wallet = operator.client.wallet
    context = operator.country.network.surroundings.build_context()
    order = PaymentOrder(payee, Minor(100), Memo(order_id=EXPECTED))
    built = build_payment([order], wallet.load_tokens(), wallet.keys, context)
    body, spend = built.signed.body, operator.own.spend_key(0)
    message = compute_owner_message(
        body.network, body.inputs[0], body.not_before, body.not_after, body.txid
    )
    owners = (Signature(sign(spend, message)),)
    return replace(built, signed=replace(built.signed, owner_signatures=owners))


def test_the_notary_takes_no_transaction_without_the_owner(operator: Operator) -> None:
    """Attested by the bank, whose keys the operator has: refused by who verifies the owner's."""
    operator.office.bank.expect_deposit(EXPECTED, operator.client.id)
    forged = forge(operator, operator.office.bank.vault_address)
    attested = operator.country.attest(forged, operator.office.bank)
    with refused(ErrorCode.OWNER_SIGNATURE_INVALID):
        operator.country.network.notary.notarise(encode_attested(attested))


def test_a_loss_that_did_not_happen_moves_nothing(operator: Operator) -> None:
    """Reported, reopened and taken over by the operator's own device: it is told, it cannot pay."""
    office, client = operator.office, operator.client
    people = office.people
    people.losses.report(client.id)
    code = people.losses.reopen(client.id)
    wallet = operator.country.network.make_wallet("the operator", office.bank.number)
    keys, device = wallet.keys, InstitutionPublicKey(InstitutionKey.generate().public)
    with office.database.transaction():
        office.devices.record_key(hash_code(code), device)
        people.losses.make_room(client.id, keys.address)
        office.bank.open_wallet(client.id, "taken over", keys.address, keys.view)
    page = people.losses.list_outputs(client.id, operator.address, 0)
    assert len(page.outputs) == 1, "it sees what a bank sees"
    assert wallet.receive(page.outputs).fresh == 0, "and none of it is its own"
    order = PaymentOrder(keys.address, Minor(100), Memo())
    context = operator.country.network.surroundings.build_context()
    with refused(ErrorCode.OPENING_MISMATCH):
        build_payment([order], operator.tokens, operator.pretend(), context)
    network = operator.country.network
    with refused(ErrorCode.OWNER_SIGNATURE_INVALID):
        complete_payment(forge(operator, keys.address), office.bank, network, network.notary)


def test_the_kept_share_is_not_the_phrase(operator: Operator) -> None:
    phrase = KeyTree.generate().phrase()
    shares = split_phrase(phrase, 2, 3)
    operator.office.people.losses.keep_share(operator.client.id, shares[2])
    kept = operator.office.people.losses.get_share(operator.client.id)
    with refused(ErrorCode.PHRASE_INVALID):
        combine_shares([kept])
    assert combine_shares([kept, shares[0]]) == phrase, "with another one it would be"


def test_signatories_and_bank_together_move_nothing(operator: Operator) -> None:
    """Where nobody has come the bank ends the rule; the spend key is still the client's."""
    office = operator.office
    office.people.signing.propose(operator.client.id, 1, ("Aru",))
    office.people.signing.propose(operator.client.id, 0, ())
    network = operator.country.network
    office.bank.expect_deposit(EXPECTED, operator.client.id)
    with refused(ErrorCode.OWNER_SIGNATURE_INVALID):
        complete_payment(
            forge(operator, office.bank.vault_address), office.bank, network, network.notary
        )
    operator.client.collect()
    assert operator.client.wallet.get_balance() == 100
