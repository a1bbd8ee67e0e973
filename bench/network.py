"""Payments per second through real processes: `python -m bench.network [--json] [--payments N]`.

    bytes → TLS → gate → notary's process → durably recorded → promise → TLS → caller

A pilot network is made and started as `specie up` does it. Money is issued, withdrawn and split by
real payments, so that auditors can follow; then prebuilt payments across two banks are handed to
the notary by a bank's connection, several batches at once. The reference is the same notary over a
copy of the same files, in this process, with the same payments (`bench/notary.py`), in the same
run, when the network has been stopped. The whole path is measured as well: a device's payment
through both banks' attestation.
"""

import argparse
import json
import os
import platform
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

from bench.notary import hand_in_batches, publish_rest
from bench.payments import NORTH, SOUTH, attest, split
from bench.prepared import House
from specie.assembly.ceremony import Plan, create_network
from specie.assembly.folders import KEYS, PASSPHRASES, PUBLIC
from specie.assembly.lists import load_peers
from specie.assembly.own_keys import OwnKeys
from specie.assembly.system import SystemClock
from specie.assembly.tls import build_client_context
from specie.bank.attestation import Attester
from specie.cli.online_commands import opened_online
from specie.crypto.addresses import Address, parse_address
from specie.crypto.secrets import KeyTree, SigningKey
from specie.identity.genesis import ProofMode
from specie.ledger.records import AttestationRole, Claim
from specie.ledger.transactions import AttestedTransaction
from specie.ledger.wire import encode_attested
from specie.notary.service import Notary
from specie.remote import notary_operations
from specie.remote.channel import Channel, Speaker
from specie.remote.models import Submission
from specie.store.batch_files import BatchFolder
from specie.store.database import Database
from specie.store.key_file import KeyFile
from specie.store.log_files import LogFolder
from specie.store.notary_store import SqliteNotaryStore
from specie.tokens.building import BuildContext, BuiltTransaction, PaymentOrder, build_payment
from specie.tokens.holdings import HolderKeys, Memo, Token, derive_keys
from specie.values.amounts import Minor
from specie.values.identifiers import ParticipantNumber, ServiceName

PAYMENTS: Final = 2_048
BATCH: Final = 256
CALLERS: Final = 4
PATHS: Final = 40
PASSPHRASE: Final = "of a benchmark"
_AMOUNT: Final = "300,000.00"
_FAN: Final = 16


@dataclass(slots=True, repr=False)
class Pilot:
    """A network of processes, started by `specie up`, and a payer's device."""

    data: Path
    up: "subprocess.Popen[str]"
    pids: dict[str, int]

    @property
    def device(self) -> Path:
        """The payer's store."""
        return self.data / "payer.device"

    def call(self, *words: str) -> str:
        """A command as people type it."""
        command = [sys.executable, "-m", "specie", *words]
        done = subprocess.run(  # noqa: S603  # our own program
            command, input=f"{PASSPHRASE}\n", capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def open_keys(self, name: str) -> KeyFile:
        """A process' file of keys."""
        passphrase = (self.data / PASSPHRASES / name).read_text().strip()
        return KeyFile(self.data / name / KEYS, passphrase)

    def get_attester(self, number: ParticipantNumber) -> Attester:
        """A bank's attestation key, as it signs with it."""
        key = self.open_keys(f"bank-{number}").get("attestation", SigningKey.unseal)
        return Attester(number, key, load_peers(self.data / PUBLIC, None).roster)

    def open_channel(self) -> Channel:
        """As bank 2 speaks to the notary."""
        keys, name = self.open_keys("bank-2"), ServiceName("bank-2")
        peers = load_peers(self.data / "bank-2", None)
        key = OwnKeys(keys).find_signer(peers.services.get(name).key)
        context = build_client_context(self.data / "bank-2", keys.get_secret("tls-password"))
        return Channel(Speaker(name, key), peers, context, SystemClock(), answer_s=120.0)


def read_options(about: str | None, payments: int) -> argparse.Namespace:
    """`json` and `payments`, of a benchmark that takes as long as its payments take."""
    parser = argparse.ArgumentParser(description=(about or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, help="not used: the number of payments decides")
    parser.add_argument("--payments", type=int, default=payments)
    return parser.parse_args()


def main() -> None:
    """Print figures."""
    options = read_options(__doc__, PAYMENTS)
    found = {
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "without_auditor": measure(options.payments, has_auditor=False),
        "with_auditor": measure(options.payments, has_auditor=True),
    }
    if options.json:
        print(json.dumps(found))  # what the program is for
        return
    for name, value in found.items():
        shown = value.items() if isinstance(value, dict) else [("", value)]
        for part, one in shown:
            print(f"{name} {part}".strip() + f": {one}")  # what the program is for


def measure(payments: int, *, has_auditor: bool) -> dict[str, Any]:
    """One network from its ceremony to its end."""
    with open_pilot(has_auditor=has_auditor) as (pilot, startup):
        built = prebuild(pilot, payments)
        with tempfile.TemporaryDirectory(prefix="specie-bench-") as place:
            folder = Path(place) / "notary"
            _copy_notary(pilot, folder)
            seconds = hand_in(pilot, built)
            memory = {name: _read_memory(pid) for name, pid in pilot.pids.items()}
            path = _measure_path(pilot)
            keys_file = pilot.open_keys("notary")
            stop(pilot.up)  # nobody else uses the cores while the reference is measured
            promised, published = _measure_in_process(pilot, keys_file, folder, built)
    rate = payments / seconds
    return {
        "payments": payments,
        "payments_per_second": round(rate, 1),
        "in_process_per_second": round(promised, 1),
        "ratio_to_in_process": round(rate / promised, 3),
        "bench_notary_per_second": round(published, 1),
        "ratio_to_bench_notary": round(rate / published, 3),
        **path,
        "seconds_until_all_are_ready": round(startup, 2),
        "memory_mib": memory,
    }


@contextmanager
def open_pilot(*, has_auditor: bool) -> Iterator[tuple[Pilot, float]]:
    """Made and started; with the seconds from the first start until everything is ready."""
    with tempfile.TemporaryDirectory(prefix="sp") as place:
        data = Path(place) / "n"
        plan = Plan(data, proof_mode=ProofMode.PUBLISHED)
        create_network(plan, SystemClock())
        if not has_auditor:
            shutil.rmtree(data / "auditor")
        command = [sys.executable, "-m", "specie", "up", "--data", str(data)]
        started = time.perf_counter()
        with subprocess.Popen(  # noqa: S603  # our own program
            command, stdout=subprocess.PIPE, text=True
        ) as up:
            try:
                pids = read_pids(up)
                yield Pilot(data, up, pids), time.perf_counter() - started
            finally:
                stop(up)


def read_pids(up: "subprocess.Popen[str]") -> dict[str, int]:
    """Process → its number; once all are ready."""
    pids = dict[str, int]()
    assert up.stdout is not None
    for line in up.stdout:
        name, _, said = line.strip().partition(": ")
        if name == "all":
            return pids
        found = re.search(r"ready, pid (\d+),", said)
        if found:
            pids[name] = int(found[1])
    raise RuntimeError("it did not start")


def stop(up: "subprocess.Popen[str]") -> None:
    """The whole network; a second time does nothing."""
    up.terminate()
    up.wait()


def prebuild(pilot: Pilot, payments: int) -> list[bytes]:
    """Payments of two tokens each from bank 2 to bank 3, attested by both, of money issued now."""
    keys, context, tokens = _prepare_money(pilot)
    parts = _split(pilot, keys, context, tokens, 2 * payments)
    payee = derive_keys(KeyTree.generate(), 0, SOUTH).address
    pairs = [parts[one : one + 2] for one in range(0, 2 * payments, 2)]
    attesters = (pilot.get_attester(NORTH), pilot.get_attester(SOUTH))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(lambda pair: _pay(pair, payee, keys, context, attesters), pairs))


def _prepare_money(pilot: Pilot) -> tuple[HolderKeys, BuildContext, list[Token]]:
    """Reserves, an issue, a wallet, a withdrawal: through the processes, as people do it."""
    data = str(pilot.data)
    officers = ("--data", data, "--officer", "1", "--officer", "2")
    fields = ("--set", "participant=2", "--set", "amount=1,000,000.00")
    pilot.call("officer", "decide", "lend-reserves", *fields, *officers)
    order = pilot.call("bank", "issue", "900,000.00", "--at", f"{data}/bank-2")
    pilot.call("officer", "approve", order, "--amount", "900,000.00", *officers)
    open_wallet(pilot, "payer", 2)
    withdraw(pilot, "payer", _AMOUNT)
    with opened_online(pilot.device, "payer", pilot.data / PUBLIC, None, PASSPHRASE) as online:
        vault = online.vault
        tokens = vault.load_tokens()
        return vault.keys, vault.surroundings.build_context(), tokens


def _split(
    pilot: Pilot, keys: HolderKeys, context: BuildContext, tokens: list[Token], count: int
) -> list[Token]:
    """Into so many tokens or more, by payments to oneself, which the notary judges like others."""
    attester = pilot.get_attester(NORTH)
    channel = pilot.open_channel()
    while len(tokens) < count:
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            built = list(pool.map(lambda one: _fan_out(one, keys, context), tokens))
        data = [_attest_alone(one, attester) for one in built]
        for part in split(data, BATCH):
            _notarise(channel, part)
        tokens = [
            Token(output, opening)
            for one in built
            for output, opening in zip(
                one.signed.body.outputs, one.disclosure.openings, strict=True
            )
        ]
    channel.close()
    return tokens


def _fan_out(token: Token, keys: HolderKeys, context: BuildContext) -> BuiltTransaction:
    amount = Minor(token.amount // _FAN)
    orders = [PaymentOrder(keys.address, amount, Memo()) for _ in range(_FAN - 1)]
    return build_payment(orders, [token], keys, context)


def _attest_alone(built: BuiltTransaction, attester: Attester) -> bytes:
    outputs = list(range(len(built.disclosure.openings)))
    role = AttestationRole.BOTH
    attestation = attester.attest(built.signed.txid, role, 1, outputs, Claim.CLIENT)
    return encode_attested(AttestedTransaction(built.signed, (attestation,)))


def _pay(
    pair: list[Token],
    payee: Address,
    keys: HolderKeys,
    context: BuildContext,
    attesters: tuple[Attester, Attester],
) -> bytes:
    """2 inputs, 2 outputs, two banks: as `bench/payments.py` builds them."""
    built = build_payment([PaymentOrder(payee, Minor(1_234), Memo())], pair, keys, context)
    return attest(built, *attesters)


def _notarise(channel: Channel, batch: list[bytes]) -> None:
    answer = channel.call(
        ServiceName("notary"), notary_operations.NOTARISE, Submission(transactions=batch)
    )
    refused = [one.refusal for one in answer.outcomes if one.promise is None]
    if refused:
        raise RuntimeError(str(refused[0]))


def hand_in(pilot: Pilot, payments: Sequence[bytes]) -> float:
    """Seconds until all are final, with several batches at once."""
    channel = pilot.open_channel()
    started = time.perf_counter()
    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(lambda part: _notarise(channel, part), split(list(payments), BATCH)))
    passed = time.perf_counter() - started
    channel.close()
    return passed


def _copy_notary(pilot: Pilot, folder: Path) -> None:
    """Its files while they stand still, once all that came before is published."""
    genesis = load_peers(pilot.data / PUBLIC, None).roster.genesis
    time.sleep(2 * genesis.batch_age_ms_max / 1_000)
    os.kill(pilot.pids["notary"], signal.SIGSTOP)
    try:
        shutil.copytree(pilot.data / "notary", folder, ignore=_ignore_sockets)
    finally:
        os.kill(pilot.pids["notary"], signal.SIGCONT)


def _measure_in_process(
    pilot: Pilot, keys: KeyFile, place: Path, payments: list[bytes]
) -> tuple[float, float]:
    """Payments per second of the same notary over a copy of its files, without a network.

    Until all are promised, as the network is measured; and until all are published as well, which
    is what `bench notary` prints.
    """
    peers = load_peers(pilot.data / "notary", None)
    key = OwnKeys(keys).find_signer(peers.roster.current.notary_key)
    database = Database(place / "notary.db")
    store, log = SqliteNotaryStore(database), LogFolder(place / "public")
    archive = BatchFolder(place / "batches")
    notary = Notary(peers.roster, key, store, log, SystemClock(), archive)
    while notary.publish(is_forced=True):
        pass  # nothing of what was there before is published while a clock runs
    house = House(place, notary, store, database, payments, store.load_batch_number())
    started = time.perf_counter()
    done = hand_in_batches(house, 3_600)
    promised = time.perf_counter() - started
    publish_rest(house)
    published = time.perf_counter() - started
    database.close()
    return done / promised, done / published


def _ignore_sockets(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name.endswith(".sock")]


def _measure_path(pilot: Pilot) -> dict[str, float]:
    """A device pays, one payment after the other: both banks attest, the notary promises."""
    public = pilot.data / PUBLIC
    open_wallet(pilot, "walker", 2)
    text = open_wallet(pilot, "payee", 3)
    withdraw(pilot, "walker", "100.00")
    times = []
    store = pilot.data / "walker.device"
    with opened_online(store, "walker", public, None, PASSPHRASE) as online:
        payee = parse_address(text, online.channel.peers.roster.genesis.address_prefix)
        for _ in range(PATHS):
            started = time.perf_counter()
            online.pay(PaymentOrder(payee, Minor(5), Memo()), secrets.token_bytes(16))
            times.append(1_000 * (time.perf_counter() - started))
    cut = quantiles(times, n=100)
    return {"whole_path_p50_ms": round(cut[49], 1), "whole_path_p99_ms": round(cut[98], 1)}


def open_wallet(pilot: Pilot, holder: str, number: int) -> str:
    """Gives its address."""
    device = ("--device", str(pilot.data / f"{holder}.device"), "--holder", holder)
    pilot.call("wallet", "create", *device)
    code = pilot.call("bank", "invite", holder, "Some Body", "--at", f"{pilot.data}/bank-{number}")
    public = ("--public", str(pilot.data / PUBLIC))
    return pilot.call("wallet", "open", code, "--bank", str(number), *device, *public)


def withdraw(pilot: Pilot, holder: str, amount: str) -> None:
    """A client of bank 2 borrows, and has it on its device."""
    device = ("--device", str(pilot.data / f"{holder}.device"), "--holder", holder)
    pilot.call("bank", "lend", holder, amount, "--at", str(pilot.data / "bank-2"))
    pilot.call("wallet", "withdraw", amount, *device, "--public", str(pilot.data / PUBLIC))


def _read_memory(process: int) -> dict[str, int]:
    """Resident and its own (not shared with other processes), in MiB."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text()
    kinds = {"resident": "Rss", "own": "Private_(?:Clean|Dirty)"}
    found = {name: re.findall(rf"{kind}:\s+(\d+) kB", text) for name, kind in kinds.items()}
    return {name: sum(map(int, sizes)) // 1_024 for name, sizes in found.items()}


if __name__ == "__main__":
    main()
