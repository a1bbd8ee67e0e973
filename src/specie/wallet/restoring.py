"""A wallet from its phrase alone (T19, X7): through the bank's index, or from the log by itself.

    bank   the bank names our outputs; each is checked against the log under a checkpoint, and the
           registration signs which are unspent: seconds, whatever the size of the log
    log    every created leaf is scanned with the view key, every spent leaf looked at: slower,
           and nobody has to be asked or believed but the log's signed checkpoint; keys with
           return addresses take some 250 times as long

What the bank leaves out is not found the fast way; the slow way finds it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Protocol

from specie.crypto.outputs import compute_refs
from specie.crypto.proofs import get_proof_size
from specie.identity.genesis import Genesis, ProofMode
from specie.identity.participants import Participant
from specie.ledger.records import Output
from specie.ledger.states import OutputState, StateStatement, verify_states
from specie.log.checkpoint import Checkpoint
from specie.log.leaves import CreatedLeaf, HeaderLeaf, SpentLeaf, unpack_leaf
from specie.log.proofs import prove_inclusion, verify_inclusion
from specie.log.tree import Frontier, compute_leaf_hash
from specie.ports.log import LogReader
from specie.tokens.holdings import HolderKeys, Token
from specie.tokens.scanning import Viewing, scan_own
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, InstitutionPublicKey, OutputRef
from specie.values.limits import HASHES_KEPT_MAX, LEAVES_AT_ONCE_MAX
from specie.values.times import Timestamp


class Located(Protocol):
    """A created leaf with its place in the log."""

    @property
    def position(self) -> int:
        """Index of the leaf."""
        ...

    @property
    def leaf(self) -> bytes:
        """Its bytes."""
        ...


class RestoreIndex(Protocol):
    """What the registration answers to a wallet that restores."""

    def find_created(self, refs: Sequence[OutputRef]) -> Sequence[Located]:
        """The created leaves of these outputs."""
        ...

    def state_outputs(self, refs: Sequence[OutputRef]) -> StateStatement:
        """Signed: which are unspent."""
        ...


@dataclass(frozen=True, slots=True)
class RestoreTrust:
    """What a restoring wallet believes: a verified checkpoint, and who signs statements."""

    genesis: Genesis
    bank: Participant
    checkpoint: Checkpoint
    registration_key: InstitutionPublicKey


@dataclass(frozen=True, slots=True)
class Restored:
    """Unspent tokens, what of ours is spent, and how many were seen in all."""

    tokens: tuple[Token, ...]
    seen: int
    spent: tuple[OutputRef, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class WatchedOutput:
    """What an address was paid, when that was published, and whether it is spent since."""

    token: Token
    time: Timestamp
    is_spent: bool


def restore_through_bank(
    outputs: Sequence[Output],
    keys: HolderKeys,
    index: RestoreIndex,
    log: LogReader,
    trust: RestoreTrust,
) -> Restored:
    """The fast way. What the bank invents is not in the log and not counted.

    `log_invalid` if a leaf is not where the registration says, `statement_invalid` if what it has
    signed is older than our checkpoint, or says other things than the leaves it has shown.
    """
    tokens = scan_own(outputs, keys, trust.bank)
    by_ref = {token.ref: token for token in tokens}
    published = _find_published(list(by_ref), index, log, trust) & by_ref.keys()
    statement = index.state_outputs(list(by_ref))
    states = verify_states(statement, trust.genesis.network, trust.registration_key)
    _check_statement(statement.checkpoint, trust.checkpoint)
    is_same = statement.checkpoint.size == trust.checkpoint.size
    for ref in by_ref:
        is_known = states.get(ref, OutputState.UNKNOWN) is not OutputState.UNKNOWN
        if is_known != (ref in published) and (is_same or not is_known):
            raise SpecieError(ErrorCode.STATEMENT_INVALID, "leaves and statement contradict")
    unspent = [
        token
        for ref, token in by_ref.items()
        if ref in published and states[ref] is OutputState.UNSPENT
    ]
    spent = [ref for ref in published if states[ref] is OutputState.SPENT]
    return Restored(tuple(unspent), len(published), tuple(spent))


def _find_published(
    refs: Sequence[OutputRef], index: RestoreIndex, log: LogReader, trust: RestoreTrust
) -> set[OutputRef]:
    size, root = trust.checkpoint.size, trust.checkpoint.root
    published: set[OutputRef] = set()

    @lru_cache(HASHES_KEPT_MAX)  # proofs of neighbours share most of their hashes
    def read_hash(level: int, number: int) -> Digest:
        return log.read_hash(level, number, size)

    for one in index.find_created(refs):
        if one.position >= size:
            continue  # published after our checkpoint: the next restore sees it
        path = prove_inclusion(one.position, size, read_hash)
        verify_inclusion(compute_leaf_hash(one.leaf), one.position, size, path, root)
        published.add(_get_created_ref(one.leaf, trust.genesis))
    return published


def _check_statement(stated: Checkpoint, ours: Checkpoint) -> None:
    """An old statement would call unspent what was spent since."""
    if stated.size < ours.size or (stated.size == ours.size and stated.root != ours.root):
        raise SpecieError(ErrorCode.STATEMENT_INVALID, "a statement of another or an older log")


def restore_from_log(log: LogReader, keys: Viewing, trust: RestoreTrust) -> Restored:
    """The slow way; `log_invalid` if the leaves are not those of the checkpoint."""
    found = watch_log(log, keys, trust)
    unspent = [one.token for one in found if not one.is_spent]
    spent = [one.token.ref for one in found if one.is_spent]
    return Restored(tuple(unspent), len(found), tuple(spent))


def watch_log(log: LogReader, keys: Viewing, trust: RestoreTrust) -> list[WatchedOutput]:
    """All that these keys open, as it was published; a view key is enough, and spends nothing.

    `log_invalid` if the leaves are not those of the checkpoint.
    """
    proof_size = _get_proof_size(trust.genesis)
    frontier, time = Frontier(), Timestamp(0)
    ours: dict[OutputRef, tuple[Token, Timestamp]] = {}
    spent: set[OutputRef] = set()
    source = log.iterate_leaves(trust.checkpoint.size)
    while part := list(islice(source, LEAVES_AT_ONCE_MAX)):
        frontier = frontier.append(compute_leaf_hash(leaf) for leaf in part)
        created: dict[bytes, Timestamp] = {}
        for leaf in (unpack_leaf(one, proof_size) for one in part):
            if isinstance(leaf, HeaderLeaf):
                time = leaf.time
            elif isinstance(leaf, CreatedLeaf):
                created[leaf.output] = time
            elif isinstance(leaf, SpentLeaf):
                spent.add(leaf.ref)
        found = scan_own([Output(one) for one in created], keys, trust.bank)
        ours.update({one.ref: (one, created[one.output.data]) for one in found})
        spent &= ours.keys()
    if frontier.compute_root() != trust.checkpoint.root:
        raise SpecieError(ErrorCode.LOG_INVALID, "the leaves are not those of the checkpoint")
    return [WatchedOutput(token, time, ref in spent) for ref, (token, time) in ours.items()]


def _get_created_ref(leaf: bytes, genesis: Genesis) -> OutputRef:
    found = unpack_leaf(leaf, _get_proof_size(genesis))
    if not isinstance(found, CreatedLeaf):
        raise SpecieError(ErrorCode.LOG_INVALID, "not the leaf of an output")
    return compute_refs([found.output])[0]


def _get_proof_size(genesis: Genesis) -> int:
    return get_proof_size(1) if genesis.proof_mode is ProofMode.PUBLISHED else 0
