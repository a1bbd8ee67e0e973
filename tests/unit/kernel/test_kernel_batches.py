"""The native kernel's work on many: signatures, statements, outputs, threads and processes."""

import multiprocessing
import struct
import threading
import time
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from specie import _kernel as kernel
from specie._kernel import InstitutionKey, KeyTree, ScanKey, Scanner, SigningKey
from tests.unit.kernel.samples import (
    GARBAGE,
    IDENTITY,
    MESSAGE,
    PARTS,
    TREE,
    G,
    Parts,
    flip,
    get_code,
    get_failures,
    make_record,
    put,
)

# --- signatures and statements -----------------------------------------------------------------


def test_signatures_verify_and_fail() -> None:
    key, institution = SigningKey.generate(), InstitutionKey.generate()
    signature = key.sign(MESSAGE)
    kernel.verify_signature(key.public, MESSAGE, signature)
    for call in (
        lambda: kernel.verify_signature(key.public, flip(MESSAGE, 0), signature),
        lambda: kernel.verify_signature(key.public, MESSAGE, flip(signature, 5)),
        lambda: kernel.verify_signature(SigningKey.generate().public, MESSAGE, signature),
    ):
        assert get_code(call) == "signature_invalid"
    signature = institution.sign(b"any length")
    kernel.verify_institution_signature(institution.public, b"any length", signature)
    verify = partial(kernel.verify_institution_signature, institution.public)
    assert get_code(partial(verify, b"another", signature)) == "signature_invalid"


def test_signatures_are_named_by_their_record() -> None:
    records = [make_record(SigningKey.generate()) for _ in range(40)]
    kernel.verify_signatures(b"".join(records))
    kernel.verify_signatures(b"")
    records[3] = flip(records[3], 33)
    records[17] = put(records[17], 0, IDENTITY)
    records[39] = put(records[39], 64, GARBAGE)
    failures = get_failures(lambda: kernel.verify_signatures(b"".join(records)))
    assert failures == ((3, "signature", 0), (17, "signature", 0), (39, "signature", 0))


@pytest.mark.parametrize(
    ("wrong", "parts"),
    [
        (replace(PARTS, signatures=flip(PARTS.signatures, 40)), [("kernel", 0)]),
        (replace(PARTS, signatures=flip(PARTS.signatures, 128 + 40)), [("signature", 0)]),
        (replace(PARTS, signatures=flip(PARTS.signatures, 256 + 40)), [("signature", 1)]),
        (
            replace(PARTS, signatures=put(PARTS.signatures, 0, IDENTITY)),
            [("balance", 0), ("kernel", 0)],
        ),
        (replace(PARTS, value=1), [("balance", 0)]),
        (replace(PARTS, offset=G), [("balance", 0), ("scalar", 0)]),
        (replace(PARTS, offset=bytes(32)), [("balance", 0)]),
        (
            replace(PARTS, inputs=put(PARTS.inputs, 32, IDENTITY)),
            [("balance", 0), ("point", 1)],
        ),
        (
            replace(PARTS, outputs=put(PARTS.outputs, 32, GARBAGE)),
            [("balance", 0), ("point", 3), ("proof", 0)],
        ),
        (replace(PARTS, proofs=((flip(PARTS.proofs[0][0], 300), 2),)), [("proof", 0)]),
        (replace(PARTS, proofs=((PARTS.proofs[0][0][:-1], 2),)), [("proof", 0)]),
        (replace(PARTS, proofs=((b"", 1), (b"", 1))), [("proof", 0), ("proof", 1)]),
    ],
)
def test_what_fails_is_named_and_disturbs_nothing_else(
    wrong: Parts, parts: list[tuple[str, int]]
) -> None:
    right = PARTS.statement()
    for count, at in ((1, 0), (3, 1), (70, 66)):
        statements = [right] * count
        statements[at] = wrong.statement()
        failures = get_failures(partial(kernel.verify_statements, statements))
        assert failures == tuple((at, part, position) for part, position in parts)


def test_statements_that_hold_are_accepted_in_any_number() -> None:
    right = PARTS.statement()
    public = replace(PARTS, offset=None, value=9, inputs=b"").statement()
    for count in (0, 1, 2, 7, 64, 130):
        kernel.verify_statements([right, public] * count)
    kernel.verify_statements((right,))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"signatures": PARTS.signatures[:-1]}, "size_invalid"),
        ({"signatures": b""}, "size_invalid"),
        ({"inputs": PARTS.inputs[:-1]}, "size_invalid"),
        ({"outputs": PARTS.outputs[:32]}, "size_invalid"),
        ({"offset": bytes(31)}, "size_invalid"),
        ({"proofs": ()}, "size_invalid"),
        ({"proofs": ((b"", 17),)}, "size_invalid"),
        ({"proofs": ((b"", 2), (b"", 0))}, "size_invalid"),
        ({"proofs": ((b"", -2),)}, "value_range"),
        ({"value": -(2**63)}, "value_range"),
        ({"value": 2**63}, "value_range"),
    ],
)
def test_shapes_are_checked_when_a_statement_is_made(change: dict[str, Any], code: str) -> None:
    assert get_code(replace(PARTS, **change).statement) == code


# --- outputs -----------------------------------------------------------------------------------


def make_opening(value: int, label: int = 0, bank: int = 7) -> bytes:
    anchor = TREE.wallet_secret(0).anchor(bytes(32), 0)
    core = struct.pack("<QBI", value, 1, label) + bytes(40)
    keys = TREE.view_key(0).public + TREE.spend_key(0).public
    return keys + struct.pack("<I", bank) + anchor + core + bytes(160)


def test_an_output_is_found_opened_and_spent() -> None:
    bank, authority = ScanKey.generate(), ScanKey.generate()
    openings = [make_opening(5), make_opening(6, label=3)]
    plain, mask, nonce = kernel.derive_output(openings[0], bank.public, None)
    labelled, _, _ = kernel.derive_output(openings[1], bank.public, authority.public)
    assert len(plain) == kernel.OUTPUT_SIZE == 414 and len(nonce) == 16
    assert plain[65:97] == mask.commit(5)

    scanner = Scanner(7, bank.public, [(3, authority.public)])
    assert scanner.add(KeyTree.generate().view_key(0), TREE.spend_key(0).public) == 0
    assert scanner.add(TREE.view_key(0), TREE.spend_key(0).public) == 1
    cheating = flip(plain, 150)  # another `terms` than the opening's
    outputs = plain + bytes(414) + labelled + cheating
    for hits, refused in (scanner.scan(outputs), scanner.scan_hinted(bank, outputs)):
        assert [(output, client) for output, client, _, _ in hits] == [(0, 1), (2, 1)]
        assert [opening for _, _, opening, _ in hits] == openings
        assert hits[0][3].commit(5) == plain[65:97]
        assert refused == [3]

    owner = TREE.spend_key(0).owner_key(TREE.view_key(0), plain)
    assert owner.public == plain[:32]
    stranger = KeyTree.generate()
    owner_key = stranger.spend_key(0).owner_key
    assert get_code(partial(owner_key, TREE.view_key(0), plain)) == "opening_mismatch"


def test_a_scanner_takes_clients_while_it_scans() -> None:
    bank = ScanKey.generate()
    scanner = Scanner(7, bank.public)
    scanner.add(TREE.view_key(0), TREE.spend_key(0).public)
    output, _, _ = kernel.derive_output(make_opening(5), bank.public, None)
    scanning = threading.Thread(target=scanner.scan, args=(output * 2000,))
    scanning.start()
    while scanning.is_alive():
        scanner.add(TREE.view_key(1), TREE.spend_key(1).public)
        time.sleep(0.001)
    hits, _ = scanner.scan(output)
    assert len(hits) == 1


# --- threads and processes ---------------------------------------------------------------------


def test_the_interpreter_runs_while_statements_are_verified() -> None:
    """Another thread sees time pass during one call, in many small steps."""
    statements = [PARTS.statement()] * 512
    seen: list[float] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            seen.append(time.perf_counter())
            time.sleep(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    kernel.verify_statements(statements)
    end = time.perf_counter()
    stop.set()
    watcher.join()
    during = [moment for moment in seen if start < moment < end]
    assert len(during) >= 5


def verify_in_child() -> None:
    kernel.verify_statements([PARTS.statement()] * 32)


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_verifies_too() -> None:
    """The threads of a pool do not survive a fork; a child makes its own and does not hang."""
    verify_in_child()
    child = multiprocessing.get_context("fork").Process(target=verify_in_child)
    child.start()
    child.join(timeout=60)
    if child.is_alive():
        child.kill()
    assert child.exitcode == 0
