"""No bit of a transaction can be changed: refused with a code, and nothing is recorded.

Every byte of a payment and of an issue in turn, one random bit of it, through the notary with its
store on disk; afterwards the untouched bytes are still accepted. So nothing in the encoding is
free to be changed by whoever carries it, and a refusal leaves no trace.
"""

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from specie.identity.genesis import ProofMode
from specie.ledger.transactions import Promise
from specie.ledger.wire import encode_attested
from specie.store.notary_store import SqliteNotaryStore
from specie.values.catalogue import ErrorCode
from specie.values.limits import BATCH_TRANSACTIONS_MAX
from tests.building import NORTH, SOUTH, build, build_issue, make_world, sign
from tests.station import Station

SEED: Final = 20261120
KINDS: Final = ("payment", "issue")


def make_station(folder: Path, mode: ProofMode = ProofMode.PUBLISHED) -> Station:
    return Station(make_world(mode), SqliteNotaryStore(folder / "notary.db"))


def make_bytes(station: Station, kind: str) -> bytes:
    """A transaction that the station would accept."""
    north, south = (station.world.institutions[bank] for bank in (NORTH, SOUTH))
    held = station.fund([(north.alice, 700), (north.alice, 300)])
    if kind == "payment":
        draft = build(station.world, held, [(south.bob, 900), (north.alice, 100)])
    else:
        supply = station.store.load_supply()
        draft = build_issue(station.world, supply, [(north.vault, 5_000), (north.vault, 0)])
    return encode_attested(sign(draft))


def refuse_all(station: Station, spoilt: Sequence[bytes]) -> Counter[ErrorCode]:
    """How often each code refuses; nothing may be promised, nothing recorded."""
    before = station.describe()
    codes: Counter[ErrorCode] = Counter()
    for start in range(0, len(spoilt), BATCH_TRANSACTIONS_MAX):
        batch = spoilt[start : start + BATCH_TRANSACTIONS_MAX]
        for offset, outcome in enumerate(station.notarise(batch)):
            assert not isinstance(outcome, Promise), f"accepted number {start + offset}"
            codes[outcome.code] += 1
    assert station.describe() == before
    return codes


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_anywhere_is_refused(tmp_path: Path, kind: str) -> None:  # T16, T5, P2
    station, draw = make_station(tmp_path), random.Random(SEED)
    good = make_bytes(station, kind)
    spoilt = []
    for position in range(len(good)):
        changed = bytearray(good)
        changed[position] ^= 1 << draw.randrange(8)
        spoilt.append(bytes(changed))
    codes = refuse_all(station, spoilt)
    assert sum(codes.values()) == len(good)
    common = {
        ErrorCode.VERSION_UNKNOWN,
        ErrorCode.NETWORK_MISMATCH,
        ErrorCode.LIMIT_EXCEEDED,
        ErrorCode.TERMS_MISMATCH,
        ErrorCode.POINT_INVALID,
        ErrorCode.KERNEL_SIGNATURE_INVALID,
        ErrorCode.ATTESTATION_SIGNATURE_INVALID,
    }
    assert common <= set(codes)
    assert station.find_codes([good]) == [None]


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_every_flipped_bit_is_refused(tmp_path: Path, kind: str) -> None:  # T16
    station = make_station(tmp_path)
    good = make_bytes(station, kind)
    for bit in range(8):
        spoilt = [
            good[:place] + bytes([good[place] ^ 1 << bit]) + good[place + 1 :]
            for place in range(len(good))
        ]
        assert sum(refuse_all(station, spoilt).values()) == len(good)
    assert station.find_codes([good]) == [None]


@pytest.mark.parametrize("kind", KINDS)
def test_a_piece_missing_or_too_much_is_refused(tmp_path: Path, kind: str) -> None:  # T16
    station = make_station(tmp_path)
    good = make_bytes(station, kind)
    shorter = [good[:size] for size in range(len(good))]
    assert set(refuse_all(station, shorter)) == {ErrorCode.TRUNCATED}
    longer = [good + bytes([more]) * count for more in range(256) for count in (1, 77)]
    assert set(refuse_all(station, longer)) == {ErrorCode.TRAILING_BYTES}
    cut_out = [good[:place] + good[place + 1 :] for place in range(0, len(good), 7)]
    doubled = [good[:place] + good[place : place + 1] + good[place:] for place in range(0, 300, 7)]
    refuse_all(station, [one for one in (*cut_out, *doubled) if one != good])
    assert station.find_codes([good]) == [None]


def test_flipped_bits_of_an_aggregated_payment(tmp_path: Path) -> None:  # T16
    """Every 16th byte: the form differs from a published one only in its one proof."""
    station, draw = make_station(tmp_path, ProofMode.AGGREGATED), random.Random(SEED)
    good = make_bytes(station, "payment")
    spoilt = []
    for position in range(0, len(good), 16):
        changed = bytearray(good)
        changed[position] ^= 1 << draw.randrange(8)
        spoilt.append(bytes(changed))
    refuse_all(station, spoilt)
    assert station.find_codes([good]) == [None]


def test_the_same_bytes_get_the_same_promise(tmp_path: Path) -> None:  # T15
    station = make_station(tmp_path)
    good = make_bytes(station, "payment")
    first = station.notarise([good])
    before = station.describe()
    assert station.notarise([good, good]) == first * 2
    assert station.describe() == before
