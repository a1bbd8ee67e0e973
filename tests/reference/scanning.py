"""Finding a bank's clients' outputs (docs/spec/02, Receiving).

    every key:  each output against each client
    by hint:    client = those with H("client", A || B)[:8] = hint xor H("hint", x*R)[:8]

An R that does not decode belongs to nobody. An output whose P is a client's but which does not
rebuild from its opening is refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.reference.output import OUTPUT_SIZE, derive_hint, multiply_key, open_output
from tests.reference.refusals import Refused
from tests.reference.ristretto import decode_key
from tests.reference.schnorr import public_key

Found = tuple[list[tuple[int, int, bytes]], list[int]]
"""Hits (output, client, opening) and refused outputs."""


@dataclass(frozen=True, slots=True)
class Bank:
    """What a serving bank scans with. Clients: (a, B). Audit keys: label -> V_label."""

    number: int
    scan_secret: int
    audit_keys: Mapping[int, bytes]
    clients: Sequence[tuple[int, bytes]]


def scan(bank: Bank, outputs: bytes) -> Found:
    """Every output against every client."""
    pairs = [
        (at, output, client)
        for at, output in _list_readable(outputs)
        for client in range(len(bank.clients))
    ]
    return _open_all(bank, pairs)


def scan_hinted(bank: Bank, outputs: bytes) -> Found:
    """Every output against the clients its hint names."""
    pairs = [
        (at, output, client)
        for at, output in _list_readable(outputs)
        for client in range(len(bank.clients))
        if output[97:105] == _expect_hint(bank, output, client)
    ]
    return _open_all(bank, pairs)


def _open_all(bank: Bank, pairs: Sequence[tuple[int, bytes, int]]) -> Found:
    hits: list[tuple[int, int, bytes]] = []
    refused: set[int] = set()
    scan_public = public_key(bank.scan_secret)
    for at, output, client in pairs:
        view, spend_public = bank.clients[client]
        try:
            opening = open_output(
                output, view, spend_public, bank.number, scan_public, bank.audit_keys
            )
        except Refused:
            refused.add(at)
            continue
        if opening:
            hits.append((at, client, opening.pack()))
    return hits, sorted(refused)


def _expect_hint(bank: Bank, output: bytes, client: int) -> bytes:
    view, spend_public = bank.clients[client]
    product = multiply_key(bank.scan_secret, output[32:64])
    return derive_hint(public_key(view) + spend_public, product)


def _list_readable(outputs: bytes) -> Iterator[tuple[int, bytes]]:
    for start in range(0, len(outputs), OUTPUT_SIZE):
        output = outputs[start : start + OUTPUT_SIZE]
        try:
            decode_key(output[32:64])
        except Refused:
            continue
        yield start // OUTPUT_SIZE, output
