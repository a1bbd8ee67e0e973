"""Leaves of the directory: who signs them, what they count, what the notary promises (page 09).

    leaf    = 0x06 ‖ index32 ‖ version u32 ‖ P32 ‖ hash of the entry 32 ‖ signature64
    signed  : Ed25519(list key, H("directory-leaf", network ‖ index ‖ version ‖ P ‖ entry hash))
    promise = Ed25519(notary key, H("directory-promise", network ‖ leaf hash32 ‖ publish_by u64))

Over the whole log there is one P, and under each index versions count 1, 2, 3 …: nobody shows two
people two directories, and nobody takes a version back.
"""

from dataclasses import dataclass, field

from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionSigner
from specie.crypto.signatures import sign_as_institution, verify_institution_signature
from specie.identity.genesis import Genesis
from specie.identity.roster import Roster
from specie.log.leaves import DirectoryLeaf
from specie.log.tree import compute_leaf_hash
from specie.values.catalogue import ErrorCode
from specie.values.encoding import u32, u64
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, NetworkId, PublicKey, Signature
from specie.values.times import Timestamp


@dataclass(frozen=True, slots=True)
class LeafPromise:
    """The notary's word that a leaf is in the log by then."""

    leaf_hash: Digest
    publish_by: Timestamp
    signature: Signature


@dataclass(slots=True)
class DirectoryTally:
    """What the leaves of a log say together; fed in its order, those of a batch by version."""

    genesis: Genesis
    key: PublicKey | None = None
    versions: dict[Digest, int] = field(default_factory=dict)

    def add(self, leaf: DirectoryLeaf) -> None:
        """`directory_signature_invalid`, `directory_key_wrong`, `directory_version_wrong`."""
        verify_leaf(leaf, self.genesis)
        check_follows(leaf, self.key, self.versions.get(leaf.index, 0))
        self.key = leaf.key
        self.versions[leaf.index] = leaf.version


def sign_leaf(
    index: Digest,
    version: int,
    key: PublicKey,
    entry: Digest,
    network: NetworkId,
    signer: InstitutionSigner,
) -> DirectoryLeaf:
    """By the authentication centre; the same again has the same bytes."""
    message = _compute_message(network, index, version, key, entry)
    return DirectoryLeaf(index, version, key, entry, sign_as_institution(signer, message))


def verify_leaf(leaf: DirectoryLeaf, genesis: Genesis) -> None:
    """`directory_signature_invalid` unless the network's list key has signed it."""
    message = _compute_message(genesis.network, leaf.index, leaf.version, leaf.key, leaf.entry)
    try:
        verify_institution_signature(genesis.list_key, message, leaf.signature)
    except SpecieError:
        reason = "an entry of the directory that the central bank has not signed"
        raise SpecieError(ErrorCode.DIRECTORY_SIGNATURE_INVALID, reason) from None


def check_follows(leaf: DirectoryLeaf, key: PublicKey | None, last: int) -> None:
    """Whether it comes next under its index, and is of the one directory there is."""
    if key is not None and leaf.key != key:
        raise SpecieError(ErrorCode.DIRECTORY_KEY_WRONG, "the directory has another key")
    if leaf.version != last + 1:
        reason = f"version {leaf.version} of an entry comes after version {last}"
        raise SpecieError(ErrorCode.DIRECTORY_VERSION_WRONG, reason)


def promise_leaf(
    leaf_hash: Digest, publish_by: Timestamp, genesis: Genesis, key: InstitutionSigner
) -> LeafPromise:
    """The notary's word; signed again it is the same."""
    message = _compute_promise_message(genesis.network, leaf_hash, publish_by)
    return LeafPromise(leaf_hash, publish_by, sign_as_institution(key, message))


def verify_leaf_promise(promise: LeafPromise, leaf: DirectoryLeaf, roster: Roster) -> None:
    """`promise_invalid` unless the network's notary gave it for this leaf."""
    genesis = roster.genesis
    message = _compute_promise_message(genesis.network, promise.leaf_hash, promise.publish_by)
    refused = SpecieError(ErrorCode.PROMISE_INVALID, "not signed by the notary for this entry")
    if promise.leaf_hash != compute_leaf_hash(leaf.pack()):
        raise refused
    try:
        verify_institution_signature(roster.current.notary_key, message, promise.signature)
    except SpecieError:
        raise refused from None


def _compute_message(
    network: NetworkId, index: Digest, version: int, key: PublicKey, entry: Digest
) -> Digest:
    return tagged_hash("directory-leaf", network, index, u32(version), key, entry)


def _compute_promise_message(
    network: NetworkId, leaf_hash: Digest, publish_by: Timestamp
) -> Digest:
    return tagged_hash("directory-promise", network, leaf_hash, u64(publish_by))
