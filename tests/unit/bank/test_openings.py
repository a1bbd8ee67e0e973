"""A wallet is opened by who has its spend key, for a device that agrees (T3, T2, T19)."""

from dataclasses import replace

import pytest

from specie.bank.openings import (
    OpeningProofs,
    OpeningRequest,
    compute_opening_message,
    sign_opening,
    verify_opening,
)
from specie.bank.succession import unpack_own_token
from specie.crypto.addresses import Address
from specie.crypto.secrets import InstitutionKey, KeyTree
from specie.identity.participants import Status
from specie.ledger.records import AttestationRole
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo, Token, derive_keys
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    Digest,
    InstitutionPublicKey,
    NetworkId,
    ParticipantNumber,
    Signature,
)
from tests.country import NORTH, SOUTH, Country, Person, refused
from tests.reference.hashing import tagged_hash, u32
from tests.reference.schnorr import verify as verify_by_twin

BANK = ParticipantNumber(2)
TREE, DEVICE = KeyTree.generate(), InstitutionKey.generate()
KEYS = derive_keys(TREE, 0, BANK)
REQUEST = OpeningRequest(
    network=NetworkId(bytes(range(16))),
    bank=BANK,
    code_hash=Digest(bytes(range(32))),
    address=KEYS.address,
    device=InstitutionPublicKey(DEVICE.public),
)


def test_the_message_is_what_the_page_says() -> None:
    """Spec page 01, with the twins of hash and signature."""
    address = KEYS.address
    parts = REQUEST.network + u32(2) + u32(2) + REQUEST.code_hash
    message = tagged_hash("opening", parts + address.view + address.spend + REQUEST.device)
    assert compute_opening_message(REQUEST) == message
    proofs = sign_opening(REQUEST, KEYS.spend, DEVICE)
    verify_opening(REQUEST, proofs)
    verify_by_twin(address.spend, message, proofs.spend)


@pytest.mark.parametrize("part", ["network", "bank", "code_hash", "address", "device"])
def test_every_part_of_it_is_signed(part: str) -> None:
    other = OpeningRequest(
        network=NetworkId(bytes(16)),
        bank=ParticipantNumber(3),
        code_hash=Digest(bytes(32)),
        address=replace(KEYS.address, bank=ParticipantNumber(3)),
        device=InstitutionPublicKey(InstitutionKey.generate().public),
    )
    proofs = sign_opening(REQUEST, KEYS.spend, DEVICE)
    changed = replace(REQUEST, **{part: getattr(other, part)})
    with refused(ErrorCode.SIGNATURE_INVALID):
        verify_opening(changed, proofs)


def test_both_keys_sign() -> None:
    """Somebody else's address, somebody else's device."""
    stranger, device = KeyTree.generate().spend_key(0), InstitutionKey.generate()
    with refused(ErrorCode.SIGNATURE_INVALID):
        verify_opening(REQUEST, sign_opening(REQUEST, stranger, DEVICE))
    with refused(ErrorCode.SIGNATURE_INVALID):
        verify_opening(REQUEST, sign_opening(REQUEST, KEYS.spend, device))
    good = sign_opening(REQUEST, KEYS.spend, DEVICE)
    with refused(ErrorCode.SIGNATURE_INVALID):
        verify_opening(REQUEST, OpeningProofs(Signature(bytes(64)), good.device))


# --- at the successor of a bank that is lost -----------------------------------------------------


@pytest.fixture(scope="module")
def bereft(country: Country) -> list[Person]:
    """Clients with one token each, of a bank that is suspended then."""
    people = [country.open_person(country.north, 30) for _ in range(5)]
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


def pack(token: Token) -> bytes:
    return token.output.data + token.opening.pack()


def test_a_claimed_token_is_attested(country: Country, anna: Person) -> None:
    """Shown again it is there once; before, the successor knows nothing of it."""
    address = anna.wallet.keys.address
    shown = [pack(one) for one in anna.wallet.load_unspent()]
    paid = country.draw_order()
    order = PaymentOrder(country.south.vault_address, Minor(20), Memo(order_id=paid))
    built = anna.wallet.prepare_payment([order], country.draw_order()).built
    with refused(ErrorCode.NOT_SERVED_HERE):
        country.south.attest_payment(built)
    country.south.open_wallet(anna.id, "Anna again", address, anna.wallet.keys.view)
    for _ in range(2):
        country.south.add_tokens(anna.id, country.south.unpack_claimed(anna.id, shown))
    with refused(ErrorCode.NOT_SERVED_HERE):  # for nobody's deposit
        country.south.attest_payment(built)
    country.south.expect_deposit(paid, anna.id)
    attestation = country.south.attest_payment(built)
    assert (attestation.bank, attestation.role) == (SOUTH, AttestationRole.BOTH)
    assert [one.amount for one in country.south.load_movements(anna.id)] == [20]


def test_one_phrase_may_be_at_both_banks(country: Country, anna: Person) -> None:
    """Its address at the lost bank is another one than that here."""
    keys = anna.wallet.keys
    here = replace(keys.address, bank=SOUTH)
    country.south.open_wallet(anna.id, "Anna", here, keys.view)
    again = type(anna.id)(f"{anna.id} again")
    country.south.open_wallet(again, "Anna", keys.address, keys.view)
    assert country.south.find_client_at(here).id == anna.id
    assert country.south.find_client_at(keys.address).id == again
    with refused(ErrorCode.CLIENT_EXISTS):
        country.south.open_wallet(type(anna.id)("third"), "Anna", here, keys.view)


def test_only_the_successor_opens_its_addresses(country: Country, anna: Person) -> None:
    """And the bank that was suspended none of the successor's."""
    keys, boris = anna.wallet.keys, country.open_person(country.south)
    other = boris.wallet.keys
    with refused(ErrorCode.NOT_SERVED_HERE):
        country.north.open_wallet(boris.id, "Boris", other.address, other.view)
    with refused(ErrorCode.NOT_SERVED_HERE):
        country.south.open_wallet(anna.id, "Anna", keys.address, other.view)
    country.south.open_wallet(anna.id, "Anna", keys.address, keys.view)


def test_what_is_claimed_is_ones_own_and_shown_once(country: Country, anna: Person) -> None:
    boris = country.open_person(country.south, 5)
    address, roster = anna.wallet.keys.address, country.network.roster
    [own], [others] = anna.wallet.load_unspent(), boris.wallet.load_unspent()

    def is_own(one: Address) -> bool:
        return one == address

    assert unpack_own_token(pack(own), is_own, roster) == own
    with refused(ErrorCode.NOT_SERVED_HERE):
        unpack_own_token(pack(others), is_own, roster)
    with refused(ErrorCode.SIZE_INVALID):
        unpack_own_token(pack(own)[:-1], is_own, roster)
    mixed = own.output.data + others.opening.pack()
    with pytest.raises(SpecieError) as error:
        unpack_own_token(mixed, is_own, roster)
    assert error.value.code in (ErrorCode.DISCLOSURE_MISMATCH, ErrorCode.NOT_SERVED_HERE)
    country.south.open_wallet(anna.id, "Anna", address, anna.wallet.keys.view)
    with refused(ErrorCode.NOT_SERVED_HERE):
        country.south.unpack_claimed(anna.id, [pack(own), pack(own)])
    with refused(ErrorCode.NOT_SERVED_HERE):
        country.south.unpack_claimed(boris.id, [pack(others)])  # its bank is not lost
