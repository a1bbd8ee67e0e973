"""Payments of 2 inputs and 2 outputs across two banks, and a ledger in which their inputs stand.

Built by the wallet's own builder and attested with the banks' own keys. The inputs are put into the
notary's database as outputs of a transaction that nobody verified: only what spends them is timed.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from time import time_ns
from typing import Final

from specie.assembly.network import InProcessNetwork, Settings, build_network
from specie.assembly.system import RandomIdentifiers, SystemClock
from specie.bank.attestation import Attester
from specie.cli.people import fund_bank
from specie.crypto.outputs import NO_LABEL, NO_LOCK, Opening, derive_output
from specie.crypto.proofs import prove_range
from specie.crypto.secrets import InstitutionKey, KeyTree, Mask
from specie.flows.issuance import issue
from specie.identity.genesis import ProofMode
from specie.ledger.batches import RecordedTransaction
from specie.ledger.records import AttestationRole, Claim, Kind, Output, RangeProof, Terms
from specie.ledger.transactions import AttestedTransaction
from specie.ledger.wire import encode_attested
from specie.notary.service import Notary
from specie.store.notary_store import SqliteNotaryStore
from specie.tokens.building import BuildContext, BuiltTransaction, PaymentOrder, build_payment
from specie.tokens.holdings import HolderKeys, Memo, Token, derive_keys
from specie.values.amounts import Minor
from specie.values.identifiers import OrderId, ParticipantNumber
from specie.values.times import Timestamp

NORTH: Final = ParticipantNumber(2)
SOUTH: Final = ParticipantNumber(3)
AMOUNT: Final = Minor(1_000)
WINDOW_MS: Final = 40 * 3_600_000
_MINTED: Final = 16
_ATTESTER: Final = attrgetter("_keys.attester")
_NOTARY_KEY: Final = attrgetter("_key")


@dataclass(slots=True, repr=False)
class Bench:
    """A network, a payer and a payee, and the parts of the notary that are timed."""

    network: InProcessNetwork
    payer: HolderKeys
    payee: HolderKeys
    context: BuildContext

    @property
    def notary(self) -> Notary:
        """The real one, over its database and its folder."""
        return self.network.notary

    @property
    def notary_key(self) -> InstitutionKey:
        """What its promises are signed with."""
        key: InstitutionKey = _NOTARY_KEY(self.network.notary)
        return key

    @property
    def store(self) -> SqliteNotaryStore:
        """The same database."""
        return SqliteNotaryStore(self.network.databases.open("notary"))


def open_bench(folder: Path, mode: ProofMode, database: str | None = None) -> Bench:
    """A new network in an empty folder; one issue is on the ledger."""
    settings = Settings(folder, proof_mode=mode, batch_payments_min=1_024, database=database)
    network = build_network(settings, SystemClock(), RandomIdentifiers())
    bank = network.banks[NORTH]
    fund_bank(network, bank, Minor(10**12))
    order = OrderId(network.surroundings.identifiers.draw())
    issue(order, Minor(10**9), bank, network.desk, network.accounting, network.notary)
    now = time_ns() // 1_000_000
    context = replace(
        network.surroundings.build_context(),
        not_before=Timestamp(now - 60_000),
        not_after=Timestamp(now + WINDOW_MS),
    )
    payer, payee = (derive_keys(KeyTree.generate(), 0, bank) for bank in (NORTH, SOUTH))
    return Bench(network, payer, payee, context)


def mint(bench: Bench, count: int) -> list[Token]:
    """At least so many tokens of the payer's, in the notary's database."""
    [pattern] = bench.store.load_waiting(1)
    proofs = _make_proofs(bench.context.proof_mode)
    tokens = [_make_token(bench) for _ in range(-(-count // _MINTED) * _MINTED)]
    for start in range(0, len(tokens), 4_096):
        part = tokens[start : start + 4_096]
        recorded = [
            _record(pattern, part[one : one + _MINTED], proofs)
            for one in range(0, len(part), _MINTED)
        ]
        bench.store.record_batch(recorded, bench.store.load_supply())
    return tokens


def build_payments(bench: Bench, count: int, threads: int) -> list[bytes]:
    """As they arrive at the notary; each of two tokens of its own."""
    tokens = mint(bench, 2 * count)
    pairs = [tokens[one : one + 2] for one in range(0, 2 * count, 2)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda pair: build_one(bench, pair), pairs))


def build_one(bench: Bench, pair: list[Token]) -> bytes:
    """Built, signed, attested, encoded."""
    order = PaymentOrder(bench.payee.address, Minor(1_234), Memo())
    built = build_payment([order], pair, bench.payer, bench.context)
    payers, payees = (_ATTESTER(bench.network.banks[number]) for number in (NORTH, SOUTH))
    return attest(built, payers, payees)


def attest(built: BuiltTransaction, payers: Attester, payees: Attester) -> bytes:
    """A payment of two tokens across two banks, with both banks' word, encoded."""
    txid, openings = built.signed.txid, built.disclosure.openings
    ours = [index for index, one in enumerate(openings) if one.bank == NORTH]
    theirs = [index for index, one in enumerate(openings) if one.bank == SOUTH]
    attestations = (
        payers.attest(txid, AttestationRole.PAYER, 2, ours, Claim.CLIENT),
        payees.attest(txid, AttestationRole.PAYEE, 0, theirs, Claim.CLIENT),
    )
    return encode_attested(AttestedTransaction(built.signed, attestations))


def split(batch: list[bytes], size: int) -> Iterator[list[bytes]]:
    """Parts of this size."""
    return (batch[start : start + size] for start in range(0, len(batch), size))


def _make_token(bench: Bench) -> Token:
    address = bench.payer.address
    opening = Opening(
        view=address.view,
        spend=address.spend,
        bank=NORTH,
        anchor=os.urandom(16),
        amount=AMOUNT,
        kind=int(Kind.CASH),
        label=NO_LABEL,
        lock=NO_LOCK,
        expiry=Timestamp(0),
        memo=Memo().pack(),
    )
    return Token(Output(derive_output(opening, bench.context.find_scan_key(NORTH)).data), opening)


def _make_proofs(mode: ProofMode) -> tuple[RangeProof, ...]:
    """Of the right size; they prove something else."""
    amounts, masks = [Minor(0)] * _MINTED, [Mask.generate() for _ in range(_MINTED)]
    if mode is ProofMode.AGGREGATED:
        return (RangeProof(_MINTED, prove_range(amounts, masks)),)
    return (RangeProof(1, prove_range(amounts[:1], masks[:1])),) * _MINTED


def _record(
    pattern: RecordedTransaction, tokens: list[Token], proofs: tuple[RangeProof, ...]
) -> RecordedTransaction:
    """Recorded as if it had been notarised."""
    signed = pattern.transaction.signed
    body = replace(
        signed.body,
        supply_change=0,
        outputs=tuple(token.output for token in tokens),
        terms=tuple(Terms(bytes(16), Kind.CASH, NORTH) for _ in tokens),
        proofs=proofs,
    )
    kernels = tuple(replace(one, public=tokens[0].output.owner) for one in signed.kernels)
    transaction = replace(
        pattern.transaction, signed=replace(signed, body=body, kernels=kernels, supply=None)
    )
    promise = replace(pattern.promise, txid=body.txid)
    data = encode_attested(transaction)
    return replace(pattern, transaction=transaction, data=data, promise=promise)
