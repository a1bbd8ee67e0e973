"""What the directory answers to a look-up, and what a payer's device checks of it (spec page 09).

    answer   found u8 ‖ length u16 ‖ body ‖ zeros                                     6,144 bytes
    body     value96 ‖ signed entry391 ‖ leaf165 ‖ publish_by u64 ‖ promise64 ‖ time u64
             ‖ signature64 ‖ length u16 ‖ receipt
    signed   Ed25519(the desk's key, H("directory-answer", network ‖ leaf hash ‖ time))

Nothing found, closed and hidden are all zeros: one content, one size. What is found holds if

    the index is the number's               `proof_invalid`
    the leaf is the central bank's, of this index, version and entry   `directory_…`
    the leaf is in the log, or the notary promises it for a time that is not over
    the entry is signed by its address' key and by its bank
    the desk said so just now: it is the newest version, or the log convicts it
"""

from dataclasses import dataclass
from typing import Final

from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionSigner
from specie.crypto.signatures import sign_as_institution, verify_institution_signature
from specie.crypto.vrf import VALUE_BYTES
from specie.directory.entries import (
    SIGNED_BYTES,
    DirectoryEntry,
    SignedEntry,
    unpack_signed_entry,
    verify_bank,
    verify_owner,
)
from specie.directory.indexes import verify_index
from specie.directory.succession import is_found
from specie.identity.roster import Roster
from specie.ledger.directory_leaves import LeafPromise, verify_leaf, verify_leaf_promise
from specie.ledger.receipts import ReceiptTrust, verify_receipt
from specie.log.leaves import DirectoryLeaf, unpack_leaf
from specie.log.tree import compute_leaf_hash
from specie.values.catalogue import ErrorCode
from specie.values.encoding import Reader, u8, u16, u64
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, InstitutionPublicKey, NetworkId, Signature
from specie.values.limits import ANSWER_AGE_MS_MAX, ANSWER_BYTES, RECEIPT_BYTES_MAX
from specie.values.phones import PhoneNumber
from specie.values.times import Timestamp

LEAF_BYTES: Final = 165


@dataclass(frozen=True, slots=True, repr=False)
class RecordedEntry:
    """A version with what the log has or will have of it; the receipt is empty until it has."""

    signed: SignedEntry
    leaf: DirectoryLeaf
    promise: LeafPromise
    receipt: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """Found: an entry, why its index is the number's, and the desk's word that it is the newest."""

    value: bytes
    recorded: RecordedEntry
    time: Timestamp
    signature: Signature

    def pack(self) -> bytes:
        """6,144 bytes, whatever is in it."""
        promise, receipt = self.recorded.promise, self.recorded.receipt.encode()
        body = b"".join(
            (
                self.value,
                self.recorded.signed.pack(),
                self.recorded.leaf.pack(),
                u64(promise.publish_by),
                promise.signature,
                u64(self.time),
                self.signature,
                u16(len(receipt)),
                receipt,
            )
        )
        return (u8(1) + u16(len(body)) + body).ljust(ANSWER_BYTES, b"\0")


NOTHING_FOUND: Final = bytes(ANSWER_BYTES)


@dataclass(frozen=True, slots=True)
class AnswerTrust:
    """What a device knows beforehand: the newest lists, and the desk's key in them."""

    roster: Roster
    receipts: ReceiptTrust
    desk: InstitutionPublicKey


def build_answer(
    value: bytes,
    recorded: RecordedEntry,
    network: NetworkId,
    now: Timestamp,
    key: InstitutionSigner,
) -> Answer:
    """Signed by the desk, for this moment; a receipt that is too long is left to the log."""
    if len(recorded.receipt) > RECEIPT_BYTES_MAX:
        recorded = RecordedEntry(recorded.signed, recorded.leaf, recorded.promise)
    message = _compute_message(network, recorded.leaf, now)
    return Answer(value, recorded, now, sign_as_institution(key, message))


def unpack_answer(data: bytes) -> Answer | None:
    """None if nothing was found; not verified."""
    reader = Reader(data)
    if len(data) != ANSWER_BYTES or reader.u8() > 1:
        raise SpecieError(ErrorCode.DIRECTORY_ANSWER_INVALID, "an answer of another form")
    body = Reader(reader.take(reader.u16()))
    if any(data[reader.position :]) or (data[0] == 0 and body.data):
        raise SpecieError(ErrorCode.DIRECTORY_ANSWER_INVALID, "an answer of another form")
    return _read_body(body) if body.data else None


def verify_answer(
    answer: Answer, phone: PhoneNumber, trust: AnswerTrust, now: Timestamp
) -> DirectoryEntry:
    """Everything, offline; raises with the code of the first wrong thing."""
    recorded, genesis = answer.recorded, trust.roster.genesis
    entry, leaf = recorded.signed.entry, recorded.leaf
    index = verify_index(leaf.key, genesis.network, phone, answer.value)
    verify_leaf(leaf, genesis)
    if (leaf.index, leaf.version, leaf.entry) != (index, entry.version, entry.hash):
        _refuse("the log has something else under this number")
    if entry.network != genesis.network or entry.index != index or not is_found(entry):
        _refuse("not an entry of this number that is to be found")
    _verify_published(recorded, trust, now)
    verify_owner(recorded.signed)
    verify_bank(recorded.signed, trust.roster.current)
    _verify_time(answer, trust, now)
    return entry


def _verify_published(recorded: RecordedEntry, trust: AnswerTrust, now: Timestamp) -> None:
    """In the log, or promised for a time that is not over; clocks differ a little."""
    if recorded.receipt:
        if verify_receipt(recorded.receipt, trust.receipts).leaf != recorded.leaf:
            _refuse("the proof is of another leaf of the log")
        return
    verify_leaf_promise(recorded.promise, recorded.leaf, trust.roster)
    if recorded.promise.publish_by + ANSWER_AGE_MS_MAX < now:
        reason = "the entry should be in the log, and nobody shows that it is"
        raise SpecieError(ErrorCode.NOT_PUBLISHED, reason)


def _verify_time(answer: Answer, trust: AnswerTrust, now: Timestamp) -> None:
    message = _compute_message(trust.roster.genesis.network, answer.recorded.leaf, answer.time)
    try:
        verify_institution_signature(trust.desk, message, answer.signature)
    except SpecieError:
        _refuse("not signed by the central bank's desk")
    if abs(now - answer.time) > ANSWER_AGE_MS_MAX:
        raise SpecieError(ErrorCode.MESSAGE_OUT_OF_TIME, "an answer of another time than now")


def _refuse(reason: str) -> None:
    raise SpecieError(ErrorCode.DIRECTORY_ANSWER_INVALID, reason)


def _compute_message(network: NetworkId, leaf: DirectoryLeaf, time: Timestamp) -> Digest:
    return tagged_hash("directory-answer", network, compute_leaf_hash(leaf.pack()), u64(time))


def _read_body(body: Reader) -> Answer:
    value, signed = body.take(VALUE_BYTES), unpack_signed_entry(body.take(SIGNED_BYTES))
    packed = body.take(LEAF_BYTES)
    leaf = unpack_leaf(packed, 0)
    if not isinstance(leaf, DirectoryLeaf):
        raise SpecieError(ErrorCode.DIRECTORY_ANSWER_INVALID, "not a leaf of the directory")
    publish_by, promise = body.time(), Signature(body.take(64))
    time, signature = body.time(), Signature(body.take(64))
    try:
        receipt = body.take(body.u16()).decode()
    except UnicodeDecodeError:
        raise SpecieError(ErrorCode.DIRECTORY_ANSWER_INVALID, "a receipt is text") from None
    body.finish()
    promised = LeafPromise(compute_leaf_hash(packed), publish_by, promise)
    return Answer(value, RecordedEntry(signed, leaf, promised, receipt), time, signature)
