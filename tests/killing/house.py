"""A notary's house in a process of its own, from which notaries are forked that can be killed.

The parent asks for a notary and gets the process id of one that has just been forked; what the
house knows, keys and transactions, was made before. A notary listens on a socket of its folder,
publishes all the time, and answers until it is killed.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Any, Final

from specie.identity.cosigners import CosignerList, sign_cosigners
from specie.identity.genesis import ProofMode, compute_origin, sign_genesis
from specie.identity.participants import sign_participants
from specie.ledger.voids import sign_void
from specie.ledger.wire import encode_attested, encode_signed
from specie.notary.service import Notary
from specie.store.batch_files import BatchFolder
from specie.store.log_files import LogFolder
from specie.store.notary_store import SqliteNotaryStore
from specie.values.errors import SpecieError
from specie.values.identifiers import Signature, TransactionId
from specie.values.limits import WINDOW_MS_MAX
from specie.values.times import Timestamp
from tests.building import NORTH, NOW, SOUTH, Holding, World, build, make_world, sign
from tests.rosters import make_roster
from tests.station import Station

OUTPUTS: Final = 15
SOCKET: Final = "socket"
ISSUES: Final = 8
LATE_BATCHES: Final = 3
LONG: Final = (Timestamp(NOW - 60_000), Timestamp(NOW + WINDOW_MS_MAX - 60_000))
_BEGUN: Final = time.monotonic_ns()
PUBLISH_EVERY_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class Job:
    """A payment, and what becomes of it: a second one of the same token, or a cancellation."""

    txid: TransactionId
    data: bytes
    rival: tuple[TransactionId, bytes] | None = None
    void: tuple[bytes, Signature] | None = None


def live(folder: str, pipe: Connection) -> None:
    """The house's process."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that were killed
    place, world = Path(folder), make_world(ProofMode.AGGREGATED)
    pipe.send(_furnish(place, world))
    with suppress(EOFError):
        while True:
            is_hasty = pipe.recv()
            child = os.fork()
            if child == 0:
                pipe.close()
                _serve(place, world, is_hasty=is_hasty)
            pipe.send(child)


def open_notary(place: Path, world: World, store: Any = None) -> Notary:
    """Over the files of the folder."""
    store = store or SqliteNotaryStore(place / "notary.db")
    log, archive = LogFolder(place / "public"), BatchFolder(place / "batches")
    return Notary(make_roster(world), world.notary_key, store, log, Running(), archive)


class Running:
    """A clock that goes, from a time at which the payments of the tests are valid."""

    def now(self) -> Timestamp:
        """The same for all notaries of the house."""
        return Timestamp(NOW + (time.monotonic_ns() - _BEGUN) // 1_000_000)


class Hasty:
    """A store that says yes, and records some batches later."""

    def __init__(self, store: SqliteNotaryStore) -> None:
        self._store = store
        self._late: list[Any] = []

    def record_batch(self, *batch: Any) -> None:
        """Soon."""
        self._late.append(batch)
        if len(self._late) > LATE_BATCHES:
            self._store.record_batch(*self._late.pop(0))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def _furnish(place: Path, world: World) -> list[Job]:
    public = place / "public"
    public.mkdir()
    nobody = CosignerList(compute_origin(world.genesis), 1, 0, 0)
    (public / "genesis").write_bytes(sign_genesis(world.genesis, world.list_key))
    (public / "participants").write_bytes(sign_participants(world.members, world.list_key))
    (public / "cosigners").write_bytes(sign_cosigners(nobody, world.list_key))
    store = SqliteNotaryStore(place / "notary.db")
    vault = world.institutions[NORTH].vault
    holdings: list[Holding] = []
    for _ in range(ISSUES):
        holdings += Station(world, store).fund([(vault, 100)] * OUTPUTS)
    jobs = [_make_job(world, number, one) for number, one in enumerate(holdings)]
    store.close()
    return jobs


def _make_job(world: World, number: int, holding: Holding) -> Job:
    """Every third is spent twice, every third is cancelled while it is under way."""
    payees = [(world.institutions[SOUTH].alice, 60), (holding.keys, 40)]
    draft = build(world, [holding], payees, window=LONG)
    first = sign(draft)
    data = encode_attested(first)
    if number % 3 == 1:
        rival = sign(build(world, [holding], payees, window=LONG))
        return Job(first.txid, data, rival=(rival.txid, encode_attested(rival)))
    if number % 3 == 2:
        signature = sign_void(first.signed, draft.owners[0])
        return Job(first.txid, data, void=(encode_signed(first.signed), signature))
    return Job(first.txid, data)


def _serve(place: Path, world: World, *, is_hasty: bool) -> None:
    """A notary, until it is killed."""
    (place / SOCKET).unlink(missing_ok=True)
    store = SqliteNotaryStore(place / "notary.db")
    notary = open_notary(place, world, Hasty(store) if is_hasty else store)
    with Listener(str(place / SOCKET), "AF_UNIX", backlog=32) as listener:
        _begin(partial(_publish, notary))
        while True:
            client = listener.accept()
            _begin(partial(_answer, notary, client))


def _begin(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()


def _publish(notary: Notary) -> None:
    pause = threading.Event()
    while not pause.wait(PUBLISH_EVERY_S):
        notary.publish(is_forced=True)


def _answer(notary: Notary, client: Connection) -> None:
    with suppress(EOFError, OSError):
        while True:
            method, *arguments = client.recv()
            try:
                answer = getattr(notary, method)(*arguments)
            except SpecieError as error:
                answer = error.code
            client.send(answer)
