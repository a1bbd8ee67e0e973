"""The participant list in force: newer ones count at once, older ones never (T2)."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from specie.crypto.secrets import InstitutionKey
from specie.identity.genesis import sign_genesis
from specie.identity.participants import (
    ParticipantList,
    Status,
    sign_participants,
    verify_participants,
)
from specie.identity.roster import Roster
from specie.ledger.wire import encode_attested
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import NetworkId, ParticipantNumber
from tests.country import NORTH, SOUTH, Country, build_country, find_code, refused


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Country:
    """A country whose participant list the tests change."""
    return build_country(tmp_path_factory.mktemp("town"))


def change(country: Country, **changes: Any) -> ParticipantList:
    """The next list, with bank 2 changed."""
    current = country.network.roster.current
    changed = replace(current.participants[NORTH], **changes)
    return replace(
        current,
        version=current.version + 1,
        participants={**current.participants, NORTH: changed},
    )


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status.SUSPENDED, ErrorCode.ATTESTER_SUSPENDED),
        (Status.REVOKED, ErrorCode.ATTESTER_REVOKED),
    ],
)
def test_who_may_attest_changes_at_once(
    town: Country, status: Status, code: ErrorCode
) -> None:  # T2: also on what was signed while it was still allowed
    payer, payee = town.open_person(town.north, 10), town.open_person(town.south)
    data = encode_attested(town.attest(town.build(payer, payee, 1), town.north))
    town.network.replace_participants(change(town, status=status))
    with refused(code):
        town.network.notary.notarise(data)
    town.network.replace_participants(change(town, status=Status.ACTIVE))
    promise = town.network.notary.notarise(data)
    town.network.replace_participants(change(town, status=status))
    assert town.network.notary.notarise(data) == promise  # what is final stays final
    town.network.replace_participants(change(town, status=Status.ACTIVE))


def test_a_key_that_was_replaced_signs_no_more(town: Country) -> None:  # T2
    anna, boris = town.open_person(town.north, 10), town.open_person(town.south)
    data = encode_attested(town.attest(town.build(anna, boris, 1), town.north))
    old = town.network.roster.current.participants[NORTH].attestation_key
    other = town.network.roster.current.participants[SOUTH].attestation_key
    town.network.replace_participants(change(town, attestation_key=other))
    with refused(ErrorCode.ATTESTATION_SIGNATURE_INVALID):
        town.network.notary.notarise(data)
    town.network.replace_participants(change(town, attestation_key=old))
    town.network.notary.notarise(data)


def test_a_list_that_is_not_newer_is_refused(town: Country) -> None:
    network = town.network
    current = network.roster.current
    before = (network.public / "participants").read_bytes()
    for version in (current.version, current.version - 1, 0):
        with refused(ErrorCode.PARTICIPANTS_OUTDATED):
            network.replace_participants(replace(current, version=version))
    assert network.roster.current == current
    assert (network.public / "participants").read_bytes() == before


def test_a_list_must_be_signed_and_of_this_network(town: Country) -> None:
    roster, key = town.network.roster, town.network.list_key
    current, newer = roster.current, change(town)
    signed = sign_participants(newer, key)
    cases = [
        (ErrorCode.PARTICIPANTS_INVALID, sign_participants(newer, InstitutionKey.generate())),
        (ErrorCode.PARTICIPANTS_INVALID, signed[:-1] + bytes([signed[-1] ^ 1])),
        (ErrorCode.PARTICIPANTS_INVALID, sign_participants(current, key)[:-64] + signed[-64:]),
        (
            ErrorCode.NETWORK_MISMATCH,
            sign_participants(replace(newer, network=NetworkId(bytes(16))), key),
        ),
        (ErrorCode.VERSION_UNKNOWN, b"\xff" + signed[1:]),
        (ErrorCode.TRUNCATED, signed[:100]),
    ]
    for code, data in cases:
        with refused(code):
            roster.adopt(data)
        assert roster.current is current


def test_adopting_at_once_never_goes_back(town: Country) -> None:
    genesis, key = town.network.genesis, town.network.list_key
    first = town.network.roster.current
    lists = [
        sign_participants(replace(first, version=first.version + place), key)
        for place in range(1, 9)
    ]
    roster = Roster(sign_genesis(genesis, key), sign_participants(first, key), genesis.network)
    start = threading.Barrier(len(lists), timeout=30)

    def adopt(data: bytes) -> None:
        start.wait()
        find_code(lambda: roster.adopt(data))  # outdated, for whoever is late

    threads = [threading.Thread(target=adopt, args=(data,)) for data in lists]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert roster.current.version == first.version + 8


def test_the_public_list_is_the_one_in_force(town: Country, tmp_path: Path) -> None:
    network = town.network
    network.replace_participants(change(town, name="Bank of the Cold North"))
    signed = (network.public / "participants").read_bytes()
    assert verify_participants(signed, network.genesis) == network.roster.current
    assert network.roster.current.get(NORTH).name == "Bank of the Cold North"
    with refused(ErrorCode.PARTICIPANT_UNKNOWN):
        network.get_bank(ParticipantNumber(9))
