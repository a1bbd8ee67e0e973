"""What is sealed for one receiver opens there, as what it was sealed for, and nowhere else (X5)."""

import pytest

from specie.crypto.transit import (
    TransitKey,
    derive_transit_sealing,
    draw_transit_key,
    draw_transit_secret,
    seal_for,
)
from specie.values.catalogue import ErrorCode
from tests.country import refused

OURS, OTHERS = TransitKey(draw_transit_key()), TransitKey(draw_transit_key())


def test_only_the_receiver_opens_it() -> None:
    secret = draw_transit_secret()
    sent = seal_for(OURS.public, secret, b"here")
    assert OURS.open(sent, b"here") == secret and secret not in sent
    assert seal_for(OURS.public, secret, b"here") != sent, "fresh each time"
    with refused(ErrorCode.SEALED_INVALID):
        OTHERS.open(sent, b"here")
    with refused(ErrorCode.SEALED_INVALID):
        OURS.open(sent, b"there")


@pytest.mark.parametrize("place", [0, 31, 32, 40, -1])
def test_a_changed_bit_is_seen(place: int) -> None:
    sent = bytearray(seal_for(OURS.public, b"x" * 32, b"here"))
    sent[place] ^= 1
    with refused(ErrorCode.SEALED_INVALID):
        OURS.open(bytes(sent), b"here")


def test_shapes_are_looked_at() -> None:
    for short in (b"", b"x" * 31, b"x" * 47):
        with refused(ErrorCode.SEALED_INVALID):
            OURS.open(short, b"here")
    for bad in (b"", bytes(31), bytes(32)):
        with refused(ErrorCode.POINT_INVALID):
            seal_for(bad, b"x", b"here")
    with refused(ErrorCode.SIZE_INVALID):
        derive_transit_sealing(b"short")


def test_a_key_tells_nothing_of_itself() -> None:
    private = draw_transit_key()
    key = TransitKey(private)
    assert private.hex() not in repr(key) and repr(private) not in repr(key)
    sealing = derive_transit_sealing(private)
    assert derive_transit_sealing(private).open(sealing.seal(b"x", b""), b"") == b"x"
