"""Tokens of a lost bank: their owner says who serves them, and for which device (T2, T19)."""

from dataclasses import replace

import pytest

from specie.bank.succession import (
    ClaimedToken,
    claim_token,
    compute_claim_message,
    verify_claim,
)
from specie.crypto.secrets import InstitutionKey
from specie.identity.participants import Status
from specie.ledger.records import AttestationRole
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import (
    InstitutionPublicKey,
    NetworkId,
    ParticipantNumber,
    Signature,
)
from tests.country import NORTH, SOUTH, Country, Person, refused
from tests.reference.hashing import tagged_hash


def draw_device() -> InstitutionPublicKey:
    return InstitutionPublicKey(InstitutionKey.generate().public)


@pytest.fixture(scope="module")
def bereft(country: Country) -> list[Person]:
    """Clients with one token each, of a bank that is suspended then."""
    people = [country.open_person(country.north, 30) for _ in range(6)]
    current = country.network.roster.current
    gone = replace(current.get(NORTH), status=Status.SUSPENDED, successor=SOUTH)
    country.network.replace_participants(
        replace(
            current,
            version=current.version + 1,
            time=country.clock.now(),
            participants={**current.participants, NORTH: gone},
        )
    )
    return people


@pytest.fixture
def anna(bereft: list[Person]) -> Person:
    """One of them, for one test."""
    return bereft.pop()


def claim(country: Country, anna: Person, device: InstitutionPublicKey) -> ClaimedToken:
    [token] = anna.wallet.load_unspent()
    network = country.network.roster.genesis.network
    return claim_token(token, anna.wallet.keys, network, SOUTH, device)


def test_the_message_is_what_the_page_says(country: Country, anna: Person) -> None:
    """Spec page 04, with the hash of the twin."""
    network, device = country.network.roster.genesis.network, draw_device()
    [token] = anna.wallet.load_unspent()
    message = compute_claim_message(network, SOUTH, token.ref, device)
    parts = network + int(SOUTH).to_bytes(4, "little") + token.ref + device
    assert message == tagged_hash("claim", parts)


def test_a_claimed_token_is_attested(country: Country, anna: Person) -> None:
    """Claimed twice is claimed once; before, the successor knows nothing of it."""
    device, address = draw_device(), anna.wallet.keys.address
    order = PaymentOrder(country.south.vault_address, Minor(20), Memo())
    built = anna.wallet.prepare_payment([order], country.draw_order()).built
    with refused(ErrorCode.NOT_SERVED_HERE):
        country.south.attest_payment(built)
    token = country.south.verify_claim(claim(country, anna, device), address, device)
    country.south.open_wallet(anna.id, "Anna again", address, anna.wallet.keys.view)
    country.south.add_tokens(anna.id, [token])
    country.south.add_tokens(anna.id, [token])
    attestation = country.south.attest_payment(built)
    assert (attestation.bank, attestation.role) == (SOUTH, AttestationRole.BOTH)
    assert [one.amount for one in country.south.load_movements(anna.id)] == [20]


def test_only_the_successor_takes_it(country: Country, anna: Person) -> None:
    """No other bank opens its address; and the bank that was suspended none of the successor's."""
    keys, boris = anna.wallet.keys, country.open_person(country.south)
    other = boris.wallet.keys
    with refused(ErrorCode.NOT_SERVED_HERE):
        country.north.open_wallet(boris.id, "Boris", other.address, other.view)
    with refused(ErrorCode.NOT_SERVED_HERE):
        country.south.open_wallet(anna.id, "Anna", keys.address, other.view)
    country.south.open_wallet(anna.id, "Anna", keys.address, keys.view)


def test_every_part_of_it_is_signed(country: Country, anna: Person) -> None:
    device, address = draw_device(), anna.wallet.keys.address
    roster, good = country.network.roster, claim(country, anna, device)
    assert verify_claim(good, address, SOUTH, device, roster).amount == 30
    with refused(ErrorCode.SIGNATURE_INVALID):
        verify_claim(good, address, SOUTH, draw_device(), roster)
    with refused(ErrorCode.SIGNATURE_INVALID):
        verify_claim(good, address, ParticipantNumber(4), device, roster)
    with refused(ErrorCode.SIGNATURE_INVALID):
        verify_claim(replace(good, proof=Signature(bytes(64))), address, SOUTH, device, roster)
    [token] = anna.wallet.load_unspent()
    elsewhere = claim_token(token, anna.wallet.keys, NetworkId(bytes(16)), SOUTH, device)
    with refused(ErrorCode.SIGNATURE_INVALID):
        verify_claim(elsewhere, address, SOUTH, device, roster)


def test_a_token_of_somebody_else_is_refused(country: Country, anna: Person) -> None:
    device, boris = draw_device(), country.open_person(country.south, 5)
    with refused(ErrorCode.NOT_SERVED_HERE):
        verify_claim(
            claim(country, anna, device),
            boris.wallet.keys.address,
            SOUTH,
            device,
            country.network.roster,
        )
    with refused(ErrorCode.OPENING_MISMATCH):
        [token] = boris.wallet.load_unspent()
        network = country.network.roster.genesis.network
        claim_token(token, anna.wallet.keys, network, SOUTH, device)


def test_a_token_that_is_not_what_it_says_is_refused(country: Country, anna: Person) -> None:
    device, address = draw_device(), anna.wallet.keys.address
    good = claim(country, anna, device)
    changed = bytearray(good.token)
    changed[-20] ^= 1
    with pytest.raises(Exception, match=r"mismatch|encoding|canonical|size"):
        verify_claim(
            replace(good, token=bytes(changed)), address, SOUTH, device, country.network.roster
        )
    with refused(ErrorCode.SIZE_INVALID):
        verify_claim(
            replace(good, token=good.token[:-1]), address, SOUTH, device, country.network.roster
        )
