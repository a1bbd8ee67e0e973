"""Logs of any length that pass the audit, made without banks or a notary.

One issue, then transactions of 2 inputs and 2 outputs; real outputs, kernels, signatures and, on
published networks, range proofs; no owners' signatures, which are not in the public log.
"""

import hashlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from specie.crypto.outputs import NO_LOCK, Opening, compute_refs, derive_output, draw_anchor
from specie.crypto.proofs import build_balance_key, prove_range
from specie.crypto.secrets import InstitutionKey, KeyTree, Mask, ScanKey, SigningKey
from specie.crypto.signatures import sign, sign_as_institution
from specie.crypto.sums import sum_scalars
from specie.identity.genesis import Genesis, ProofMode, compute_origin, sign_genesis
from specie.identity.participants import (
    Officer,
    Participant,
    ParticipantList,
    Role,
    Status,
    sign_participants,
)
from specie.ledger.messages import compute_kernel_message, compute_supply_message
from specie.log.checkpoint import Checkpoint
from specie.log.leaves import (
    CreatedLeaf,
    HeaderLeaf,
    KernelLeaf,
    SpentLeaf,
    SupplyChange,
    order_batch,
)
from specie.log.notes import sign_checkpoint
from specie.log.tree import Frontier, compute_leaf_hash
from specie.store.log_files import LogFolder
from specie.tokens.holdings import HolderKeys, derive_keys
from specie.values.amounts import Currency, Minor
from specie.values.identifiers import (
    ZERO32,
    Digest,
    InstitutionPublicKey,
    OutputRef,
    ParticipantNumber,
    PublicKey,
    Scalar,
    TransactionId,
)
from specie.values.times import Timestamp

BATCH: Final = 256
SUPPLY: Final = Minor(10**12)
_BANK: Final = ParticipantNumber(2)
_START: Final = Timestamp(1_700_000_000_000)


@dataclass(frozen=True, slots=True)
class _Made:
    created: list[CreatedLeaf]
    spent: list[SpentLeaf]
    kernel: KernelLeaf
    offset: Scalar


class SyntheticLog:
    """Writes a public folder whose audit passes."""

    def __init__(self, folder: Path, mode: ProofMode) -> None:
        self.folder = folder
        self._officers = {number: InstitutionKey.generate() for number in (1, 2)}
        self._notary = InstitutionKey.generate()
        list_key = InstitutionKey.generate()
        self.genesis = _build_genesis(list_key, mode)
        self._scan = ScanKey.generate()
        self.members = self._build_members()
        self.keys: HolderKeys = derive_keys(KeyTree.generate(), 0, _BANK)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "genesis").write_bytes(sign_genesis(self.genesis, list_key))
        (folder / "participants").write_bytes(sign_participants(self.members, list_key))
        (folder / "cosigners").write_bytes(b"")
        self._pool: deque[tuple[OutputRef, Mask]] = deque()

    def write(self, leaves_min: int) -> int:
        """At least so many leaves; gives how many."""
        log, frontier = LogFolder(self.folder), Frontier()
        for batch in self._iterate_batches(leaves_min):
            log.write_leaves(frontier.size, batch)
            frontier = frontier.append(compute_leaf_hash(leaf) for leaf in batch)
        checkpoint = Checkpoint(
            compute_origin(self.genesis), frontier.size, frontier.compute_root()
        )
        log.write_checkpoint(sign_checkpoint(checkpoint, self._notary), frontier.size)
        return frontier.size

    def _iterate_batches(self, leaves_min: int) -> Iterator[list[bytes]]:
        batch = self._pack(1, [self._make_issue()])
        total = len(batch)
        yield batch
        number = 1
        with ThreadPoolExecutor(2) as pool:
            while total < leaves_min:
                number += 1
                inputs = self._take_inputs()
                batch = self._pack(number, list(pool.map(self._make_payment, inputs)))
                total += len(batch)
                yield batch

    def _take_inputs(self) -> list[list[tuple[OutputRef, Mask]]]:
        """1 in, 2 out until there are enough outputs for batches of 2 in, 2 out."""
        size = 2 if len(self._pool) >= 2 * BATCH else 1
        count = min(BATCH, len(self._pool) // size)
        return [[self._pool.popleft() for _ in range(size)] for _ in range(count)]

    def _make_issue(self) -> _Made:
        return self._make([], [SUPPLY, Minor(0)], SUPPLY)

    def _make_payment(self, inputs: list[tuple[OutputRef, Mask]]) -> _Made:
        """Amounts are moved nowhere: values do not matter to the cost of an audit."""
        return self._make(inputs, [Minor(0), Minor(0)], 0)

    def _make(
        self, inputs: list[tuple[OutputRef, Mask]], amounts: list[Minor], change: int
    ) -> _Made:
        first = inputs[0][0] if inputs else ZERO32
        drafts = [self._derive(amount, first, place) for place, amount in enumerate(amounts)]
        masks = [mask for _, mask in drafts]
        key, offset = build_balance_key(masks, [mask for _, mask in inputs])
        created = []
        is_published = self.genesis.proof_mode is ProofMode.PUBLISHED
        for (output, mask), amount in zip(drafts, amounts, strict=True):
            proof = prove_range([amount], [mask]) if is_published else b""
            created.append(CreatedLeaf(output, proof))
        refs = compute_refs([output for output, _ in drafts])
        kept = list(zip(refs, masks, strict=True))
        self._pool.extend(kept[1:] if change else kept)  # the issued amount stays unspent
        return _Made(
            created,
            [SpentLeaf(ref) for ref, _ in inputs],
            self._build_kernel(key, offset, change),
            offset,
        )

    def _derive(self, amount: Minor, first: bytes, place: int) -> tuple[bytes, Mask]:
        address = self.keys.address
        opening = Opening(
            view=address.view,
            spend=address.spend,
            bank=_BANK,
            anchor=draw_anchor(self.keys.secret, first, place),
            amount=amount,
            kind=1,
            label=0,
            lock=NO_LOCK,
            expiry=Timestamp(0),
            memo=bytes(160),
        )
        derived = derive_output(opening, PublicKey(self._scan.public))
        return derived.data, derived.mask

    def _build_kernel(self, key: SigningKey, offset: Scalar, change: int) -> KernelLeaf:
        network = self.genesis.network
        txid = TransactionId(hashlib.sha256(b"bench" + offset).digest())
        signature = sign(key, compute_kernel_message(network, txid, change))
        supply = None
        if change:
            message = compute_supply_message(network, 1, txid, change, change)
            signed = tuple(
                (number, sign_as_institution(officer, message))
                for number, officer in self._officers.items()
            )
            supply = SupplyChange(1, change, signed)
        return KernelLeaf(txid, change, ((PublicKey(key.public), signature),), supply)

    def _pack(self, number: int, made: list[_Made]) -> list[bytes]:
        created = [leaf for one in made for leaf in one.created]
        spent = [leaf for one in made for leaf in one.spent]
        header = HeaderLeaf(
            number=number,
            time=Timestamp(_START + number),
            created=len(created),
            spent=len(spent),
            kernels=len(made),
            offset=sum_scalars([one.offset for one in made]),
            batch_hash=Digest(ZERO32),
        )
        return order_batch(header, created, spent, [one.kernel for one in made])

    def _build_members(self) -> ParticipantList:
        officers = {
            number: Officer(number, Status.ACTIVE, InstitutionPublicKey(key.public))
            for number, key in self._officers.items()
        }
        bank = Participant(
            number=_BANK,
            role=Role.BANK,
            status=Status.ACTIVE,
            successor=0,
            scan_key=PublicKey(self._scan.public),
            attestation_key=PublicKey(self._scan.public),
            institution_key=InstitutionPublicKey(self._notary.public),
            name="bench bank",
        )
        notary = InstitutionPublicKey(self._notary.public)
        network = self.genesis.network
        return ParticipantList(network, 1, _START, notary, notary, officers, {_BANK: bank})


def _build_genesis(list_key: InstitutionKey, mode: ProofMode) -> Genesis:
    return Genesis(
        name="bench",
        currency=Currency("DCU", 2),
        address_prefix="bench",
        proof_mode=mode,
        list_key=InstitutionPublicKey(list_key.public),
        officers_required=2,
        supply_cap_day=SUPPLY,
        batch_payments_min=BATCH,
        batch_age_ms_max=2_000,
        created_ms=_START,
    )
