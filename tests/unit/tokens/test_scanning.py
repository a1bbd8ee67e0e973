"""Finding our own: the outputs that rebuild from their openings, and no others (T11, T10)."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specie.crypto.outputs import (
    OUTPUT_BYTES,
    Opening,
    Scanner,
    compute_refs,
    derive_output,
    derive_owner_key,
    unpack_opening,
)
from specie.crypto.secrets import KeyTree, ScanKey
from specie.ledger.records import Output
from specie.tokens import scanning
from specie.tokens.holdings import HolderKeys, derive_keys
from specie.tokens.scanning import scan, scan_for_clients
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ParticipantNumber, PublicKey
from tests.building import NORTH, SOUTH, make_opening, make_world
from tests.refusing import refuse

WORLD = make_world()
BANK = WORLD.members.get(NORTH)
HOUSE = WORLD.institutions[NORTH]
STRANGER = derive_keys(KeyTree.generate(), 0, NORTH)
PEOPLE = (HOUSE.alice, HOUSE.bob, HOUSE.vault, STRANGER)
CLIENTS = PEOPLE[:3]


def make_output(keys: HolderKeys, amount: int) -> tuple[Opening, Output]:
    opening = make_opening(keys.address, amount)
    return opening, Output(derive_output(opening, BANK.scan_key).data)


def scan_as(keys: HolderKeys, outputs: list[Output]) -> list[Opening]:
    return [token.opening for token in scan(outputs, keys.view, keys.address.spend, BANK)]


@given(st.lists(st.tuples(st.sampled_from(range(4)), st.integers(0, 2**64 - 1)), max_size=12))
@settings(max_examples=25)
def test_each_finds_exactly_its_own(payments: list[tuple[int, int]]) -> None:  # T10, T11
    made = [(who, *make_output(PEOPLE[who], amount)) for who, amount in payments]
    outputs = [output for _, _, output in made]
    for who, keys in enumerate(PEOPLE):
        own = [opening for payee, opening, _ in made if payee == who]
        assert scan_as(keys, outputs) == own
    clients = [(keys.view, keys.address.spend) for keys in CLIENTS]
    found = scan_for_clients(outputs, clients, BANK, HOUSE.scan)
    expected = [(who, opening, output) for who, opening, output in made if who < len(CLIENTS)]
    assert [(one.client, one.token.opening, one.token.output) for one in found] == expected


def test_what_is_found_can_be_spent_by_its_owner_alone() -> None:  # T5, T11
    _, output = make_output(HOUSE.alice, 5)
    key = derive_owner_key(HOUSE.alice.spend, HOUSE.alice.view, output.data)
    assert key.public == output.owner
    for other in (HOUSE.bob, STRANGER):
        code = refuse(derive_owner_key, other.spend, HOUSE.alice.view, output.data)
        assert code is ErrorCode.OPENING_MISMATCH


@pytest.mark.parametrize(
    "place", [*range(0, 169, 8), *range(169, OUTPUT_BYTES, 20), OUTPUT_BYTES - 1]
)
def test_an_output_that_does_not_rebuild_is_not_ours(place: int) -> None:  # T11
    """Any changed byte: not counted. Where P is still ours, it is reported as refused."""
    _, output = make_output(HOUSE.alice, 5)
    changed = bytearray(output.data)
    changed[place] ^= 1
    spoilt = Output(bytes(changed))
    assert scan_as(HOUSE.alice, [output, spoilt]) == scan_as(HOUSE.alice, [output])
    scanner = Scanner(NORTH, BANK.scan_key)
    scanner.add(HOUSE.alice.view, HOUSE.alice.address.spend)
    result = scanner.scan([spoilt.data])
    is_still_addressed = place >= 65
    assert (result.hits, result.refused) == ((), (0,) if is_still_addressed else ())


def test_an_output_for_another_bank_is_not_ours() -> None:  # T3, T11
    """Alice's keys with the south as serving bank: nobody would attest it, so it is refused."""
    address = replace(HOUSE.alice.address, bank=SOUTH)
    opening = make_opening(address, 5)
    output = Output(derive_output(opening, WORLD.members.get(SOUTH).scan_key).data)
    assert scan_as(HOUSE.alice, [output]) == []


def test_a_hint_for_another_bank_hides_it_from_the_bank_only() -> None:  # T11
    """Terms say north, the hint is made with the south's key: both scans refuse to count it."""
    opening = make_opening(HOUSE.alice.address, 5)
    output = Output(derive_output(opening, WORLD.members.get(SOUTH).scan_key).data)
    assert scan_as(HOUSE.alice, [output]) == []
    clients = [(HOUSE.alice.view, HOUSE.alice.address.spend)]
    assert scan_for_clients([output], clients, BANK, HOUSE.scan) == []


def test_garbage_is_nobodys() -> None:
    outputs = [Output(bytes([byte]) * OUTPUT_BYTES) for byte in (0, 1, 0x7F, 0xFF)]
    assert scan_as(HOUSE.alice, outputs) == []
    assert scan_as(HOUSE.alice, []) == []
    clients = [(HOUSE.alice.view, HOUSE.alice.address.spend)]
    assert scan_for_clients(outputs, clients, BANK, HOUSE.scan) == []
    assert scan_for_clients(outputs, [], BANK, HOUSE.scan) == []


def test_a_bank_scans_with_its_own_key_only() -> None:  # T10
    _, output = make_output(HOUSE.alice, 5)
    clients = [(HOUSE.alice.view, HOUSE.alice.address.spend)]
    code = refuse(scan_for_clients, [output], clients, BANK, ScanKey.generate())
    assert code is ErrorCode.SCAN_KEY_MISMATCH


def test_a_scan_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    _, output = make_output(HOUSE.alice, 5)
    monkeypatch.setattr(scanning, "SCAN_OUTPUTS_MAX", 2)
    assert len(scan_as(HOUSE.alice, [output, output])) == 2
    alice = (HOUSE.alice.view, HOUSE.alice.address.spend)
    assert refuse(scan, [output] * 3, *alice, BANK) is ErrorCode.LIMIT_EXCEEDED
    code = refuse(scan_for_clients, [output] * 3, [alice], BANK, HOUSE.scan)
    assert code is ErrorCode.LIMIT_EXCEEDED


def test_openings_are_packed_and_read_back() -> None:
    opening, output = make_output(HOUSE.alice, 2**64 - 1)
    packed = opening.pack()
    assert unpack_opening(packed) == opening
    assert refuse(unpack_opening, packed[:-1]) is ErrorCode.TRUNCATED
    assert refuse(unpack_opening, packed + b"\0") is ErrorCode.TRAILING_BYTES
    assert compute_refs([output.data] * 2) == [output.ref] * 2


def test_openings_of_wrong_keys_are_refused() -> None:
    opening, _ = make_output(HOUSE.alice, 5)
    wrong = {
        ErrorCode.IDENTITY_POINT: replace(opening, view=PublicKey(bytes(32))),
        ErrorCode.POINT_INVALID: replace(opening, spend=PublicKey(b"\xff" * 32)),
        ErrorCode.AUDIT_KEY_INVALID: replace(opening, label=3),
    }
    for code, one in wrong.items():
        assert refuse(derive_output, one, BANK.scan_key) is code
    assert refuse(derive_output, opening, PublicKey(bytes(32))) is ErrorCode.IDENTITY_POINT
    number = ParticipantNumber(1)
    labels = {0: BANK.scan_key}
    assert refuse(Scanner, number, BANK.scan_key, labels) is ErrorCode.AUDIT_KEY_INVALID
