"""The public check of the whole currency, from leaves alone (X1, P10; spec page 05).

    Σ C_created - Σ C_spent - supply·H = ΣK + Σo·G
    every kernel signed, every authorisation signed, serials without a gap, every range proven

Nobody's amount, name or address is in the data; the sum is checked all the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice, pairwise

from specie.crypto.outputs import compute_refs
from specie.crypto.points import check_points
from specie.crypto.proofs import (
    BatchRefusedError,
    Statement,
    build_statement,
    get_proof_size,
    verify_statements,
)
from specie.crypto.signatures import verify_institution_signature
from specie.crypto.sums import SupplySum
from specie.identity.genesis import Genesis, ProofMode
from specie.identity.participants import ParticipantList
from specie.ledger.directory_leaves import DirectoryTally
from specie.ledger.evidence import verify_evidence
from specie.ledger.messages import compute_kernel_message, compute_supply_message
from specie.ledger.records import Output
from specie.ledger.tally import MemoryTally, Place, Tally
from specie.log.leaves import (
    ConflictLeaf,
    CreatedLeaf,
    DirectoryLeaf,
    HeaderLeaf,
    KernelLeaf,
    Leaf,
    OtherLeaf,
    SpentLeaf,
    VoidLeaf,
    unpack_leaf,
)
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Commitment
from specie.values.limits import BATCH_LEAVES_MAX
from specie.values.times import Timestamp

_STATEMENTS_AT_ONCE = 256


@dataclass(slots=True)
class Totals:
    """What was verified, and how many of each."""

    batches: int = 0
    created: int = 0
    spent: int = 0
    kernels: int = 0
    range_proofs: int = 0
    authorisations: int = 0
    conflicts: int = 0
    voids: int = 0
    entries: int = 0  # versions of entries of the directory
    serial: int = 0
    supply: int = 0


@dataclass(slots=True)
class PublicAudit:
    """Feed it all batches in order, then `finish`. Raises at the first wrong thing."""

    genesis: Genesis
    participants: ParticipantList
    totals: Totals = field(default_factory=Totals)
    tally: Tally = field(default_factory=MemoryTally)
    _sum: SupplySum = field(default_factory=SupplySum)
    _directory: DirectoryTally = field(init=False)
    _time: Timestamp = Timestamp(0)

    def __post_init__(self) -> None:
        self._directory = DirectoryTally(self.genesis)

    def add_batch(self, leaves: Sequence[bytes]) -> None:
        """One batch: header, created, spent, kernels, others; errors say where."""
        header, body = self._read_batch(leaves)
        created = [(place, leaf) for place, leaf in body if isinstance(leaf, CreatedLeaf)]
        spent = [(place, leaf) for place, leaf in body if isinstance(leaf, SpentLeaf)]
        kernels = [(place, leaf) for place, leaf in body if isinstance(leaf, KernelLeaf)]
        others = [(place, leaf) for place, leaf in body if isinstance(leaf, OtherLeaf)]
        counts = (len(created), len(spent), len(kernels), len(others))
        if (header.created, header.spent, header.kernels, header.others) != counts:
            raise self._at(0).locate(ErrorCode.LOG_INVALID, "its counts are wrong")
        self._add_created(created)
        self._add_spent(spent)
        self._add_kernels(kernels)
        self._add_others(others)
        with _located(self._at(0)):
            self._sum.subtract_offset(header.offset)
        self.totals.batches += 1

    def finish(self) -> Totals:
        """The sum over everything: `supply_not_verified` unless it closes."""
        for commitments in self.tally.iterate_spent():
            self._sum.subtract_commitments(commitments)
        self._sum.subtract_supply(self.totals.supply)
        try:
            self._sum.verify_balanced()
        except SpecieError:
            raise SpecieError(
                ErrorCode.SUPPLY_NOT_VERIFIED, "unspent money is not what was issued"
            ) from None
        return self.totals

    def _at(self, leaf: int) -> Place:
        """A place in the batch that is being read."""
        return Place(self.totals.batches + 1, leaf)

    def _read_batch(self, leaves: Sequence[bytes]) -> tuple[HeaderLeaf, list[tuple[Place, Leaf]]]:
        is_published = self.genesis.proof_mode is ProofMode.PUBLISHED
        proof_size = get_proof_size(1) if is_published else 0
        found: list[tuple[Place, Leaf]] = []
        for index, packed in enumerate(leaves):
            with _located(self._at(index)):
                found.append((self._at(index), unpack_leaf(packed, proof_size)))
        header = found[0][1] if found else None
        if not isinstance(header, HeaderLeaf) or header.number != self.totals.batches + 1:
            raise self._at(0).locate(ErrorCode.LOG_INVALID, "a batch begins with its header")
        if header.time < self._time:
            raise self._at(0).locate(ErrorCode.LOG_INVALID, "the batch goes back in time")
        self._time = header.time
        for index, (left, right) in enumerate(pairwise(leaves[1:]), start=2):
            if left >= right:
                raise self._at(index).locate(ErrorCode.LOG_INVALID, "the batch is not in order")
        for place, leaf in found[1:]:
            if isinstance(leaf, HeaderLeaf):
                raise place.locate(ErrorCode.LOG_INVALID, "a batch has two headers")
        return header, found[1:]

    def _add_created(self, created: Sequence[tuple[Place, CreatedLeaf]]) -> None:
        outputs = [leaf.output for _, leaf in created]
        commitments = [Output(output).commitment for output in outputs]
        pairs = zip(compute_refs(outputs), commitments, strict=True)
        for (place, _), (ref, commitment) in zip(created, pairs, strict=True):
            self.tally.create(ref, commitment, place)
        if self.genesis.proof_mode is ProofMode.PUBLISHED:
            _verify_all(
                (place, build_statement((), 0, (), [commitment], 0, None, [(leaf.proof, 1)]))
                for (place, leaf), commitment in zip(created, commitments, strict=True)
            )
            self.totals.range_proofs += len(created)
        try:
            self._sum.add_commitments(commitments)
        except SpecieError:
            _find_wrong_point(created, commitments)
            raise
        self.totals.created += len(created)

    def _add_spent(self, spent: Sequence[tuple[Place, SpentLeaf]]) -> None:
        for place, leaf in spent:
            self.tally.spend(leaf.ref, place)
        self.totals.spent += len(spent)

    def _add_kernels(self, kernels: Sequence[tuple[Place, KernelLeaf]]) -> None:
        network = self.genesis.network
        statements = []
        for place, leaf in kernels:
            for item in (leaf.txid, *(public for public, _ in leaf.kernels)):
                self.tally.add_unique(item, place)
            message = compute_kernel_message(network, leaf.txid, leaf.supply_change)
            signatures = [(public, message, signature) for public, signature in leaf.kernels]
            statement = build_statement(signatures, len(signatures), (), (), 0, None, ())
            statements.append((place, statement))
            with _located(place):
                self._sum.subtract_commitments([public for public, _ in leaf.kernels])
            self.totals.kernels += len(leaf.kernels)
        _verify_all(statements)
        changes = [(place, leaf) for place, leaf in kernels if leaf.supply is not None]
        for place, leaf in sorted(changes, key=lambda one: _get_serial(one[1])):
            with _located(place):
                self._add_supply(leaf)

    def _add_others(self, others: Sequence[tuple[Place, OtherLeaf]]) -> None:
        """Evidence holds by itself; what is void is in no kernel leaf and in no conflict."""
        for place, leaf in others:
            if isinstance(leaf, ConflictLeaf):
                with _located(place):
                    found = verify_evidence(leaf.evidence, self.genesis.network)
                self.tally.add_unique(leaf.key[1:], place)
                self.tally.add_accused(found.first.txid, place)
                self.tally.add_accused(found.second.txid, place)
                self.totals.conflicts += 1
            elif isinstance(leaf, VoidLeaf):
                self.tally.add_void(leaf.txid, place)
                self.totals.voids += 1
        entries = [(place, leaf) for place, leaf in others if isinstance(leaf, DirectoryLeaf)]
        for place, leaf in sorted(entries, key=lambda one: (one[1].index, one[1].version)):
            with _located(place):
                self._directory.add(leaf)
            self.totals.entries += 1

    def _add_supply(self, leaf: KernelLeaf) -> None:
        supply = leaf.supply
        assert supply is not None, "selected by the caller"
        if supply.serial != self.totals.serial + 1:
            raise SpecieError(ErrorCode.SERIAL_WRONG, f"serial {supply.serial} is not the next one")
        total = self.totals.supply + leaf.supply_change
        if total < 0 or supply.total_after != total:
            raise SpecieError(ErrorCode.TOTAL_WRONG, f"total after serial {supply.serial} is wrong")
        officers = {officer for officer, _ in supply.authorisations}
        is_repeated = len(officers) != len(supply.authorisations)
        if is_repeated or len(officers) < self.genesis.officers_required:
            raise SpecieError(ErrorCode.AUTHORISATION_MISSING, "too few officers have signed")
        self._verify_officers(leaf)
        self.totals.serial, self.totals.supply = supply.serial, total
        self.totals.authorisations += len(supply.authorisations)

    def _verify_officers(self, leaf: KernelLeaf) -> None:
        supply = leaf.supply
        assert supply is not None, "selected by the caller"
        message = compute_supply_message(
            self.genesis.network, supply.serial, leaf.txid, leaf.supply_change, supply.total_after
        )
        for number, signature in supply.authorisations:
            officer = self.participants.officers.get(number)
            if officer is None:
                raise SpecieError(ErrorCode.AUTHORISATION_INVALID, "not an officer")
            try:
                verify_institution_signature(officer.key, message, signature)
            except SpecieError:
                raise SpecieError(
                    ErrorCode.AUTHORISATION_INVALID, f"serial {supply.serial}: wrong signature"
                ) from None


def split_batches(leaves: Iterable[bytes]) -> Iterable[list[bytes]]:
    """Cut the sequence of leaves at its headers; `log_invalid` if a batch has too many."""
    batch: list[bytes] = []
    number = 1
    for leaf in leaves:
        if batch and leaf[:1] == b"\x00":
            yield batch
            batch = []
            number += 1
        if len(batch) == BATCH_LEAVES_MAX:
            raise Place(number, len(batch)).locate(ErrorCode.LOG_INVALID, "too many for a batch")
        batch.append(leaf)
    if batch:
        yield batch


def _get_serial(leaf: KernelLeaf) -> int:
    return leaf.supply.serial if leaf.supply else 0


@contextmanager
def _located(place: Place) -> Iterator[None]:
    """Within: an error says where."""
    try:
        yield
    except SpecieError as error:
        raise place.locate(error.code, error.message) from None


def _find_wrong_point(
    created: Sequence[tuple[Place, CreatedLeaf]], commitments: Sequence[Commitment]
) -> None:
    """The kernel says that one of many is no point; raises for the first."""
    for (place, _), commitment in zip(created, commitments, strict=True):
        with _located(place):
            check_points([commitment])


def _verify_all(statements: Iterable[tuple[Place, Statement]]) -> None:
    source = iter(statements)
    while part := list(islice(source, _STATEMENTS_AT_ONCE)):
        try:
            verify_statements([statement for _, statement in part])
        except BatchRefusedError as refused:
            first = refused.failures[0]
            code = {
                "proof": ErrorCode.PROOF_INVALID,
                "kernel": ErrorCode.KERNEL_SIGNATURE_INVALID,
            }.get(first.part, ErrorCode.POINT_INVALID)
            raise part[first.index][0].locate(code, f"{first.part} does not hold") from None
