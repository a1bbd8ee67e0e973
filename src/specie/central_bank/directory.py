"""The directory of phone numbers, run by the central bank's desk for all banks (T8, T1).

    locate  bank, number, client's key ─► index with proof, newest version, what the next stands on
    put     signed entry ─► rules ─► recorded ─► leaf at the notary ─► promise recorded ─► answer
    look up bank, number ─► one answer of one size

A version is told to payers once the notary has promised its leaf. What a stop leaves in between is
taken up by `work`, which also fetches the proofs of what has been published.
"""

from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Final

from specie.crypto.addresses import Address
from specie.crypto.secrets import InstitutionSigner, VrfKey
from specie.directory.answers import NOTHING_FOUND, RecordedEntry, build_answer
from specie.directory.entries import (
    Authority,
    DirectoryEntry,
    EntryState,
    SignedEntry,
    verify_bank,
)
from specie.directory.indexes import evaluate_phone, get_index
from specie.directory.quotas import BANK_QUOTAS, Quotas
from specie.directory.succession import check_entry, choose_authority, is_found, is_open
from specie.identity.roster import Roster
from specie.ledger.directory_leaves import LeafPromise, sign_leaf
from specie.log.leaves import DirectoryLeaf
from specie.log.tree import compute_leaf_hash
from specie.ports.clock import Clock
from specie.ports.directory import (
    DirectoryLog,
    DirectoryStore,
    Located,
    LookUpCounts,
    StoredEntry,
)
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ZERO16,
    ZERO32,
    ZERO64,
    Digest,
    NetworkId,
    ParticipantNumber,
    PublicKey,
    Signature,
)
from specie.values.limits import ENTRIES_AT_ONCE_MAX
from specie.values.phones import PhoneNumber
from specie.values.times import Timestamp

_CONTRADICTED: Final = (ErrorCode.ORDER_CONFLICT, ErrorCode.DIRECTORY_VERSION_WRONG)


@dataclass(frozen=True, slots=True, repr=False)
class DirectoryKeys:
    """The secret function, the list key for leaves, the desk's own for answers."""

    function: VrfKey
    leaves: InstitutionSigner
    answers: InstitutionSigner


@dataclass(slots=True, repr=False)
class Directory:
    """`DirectoryPort`, in this process."""

    roster: Roster
    keys: DirectoryKeys
    store: DirectoryStore
    counts: LookUpCounts
    log: DirectoryLog
    clock: Clock
    quotas: Quotas = BANK_QUOTAS
    _decoy: RecordedEntry | None = None
    _putting: Lock = field(default_factory=Lock)

    @property
    def public(self) -> PublicKey:
        """Of the secret function; it never changes, and every leaf names it."""
        return PublicKey(self.keys.function.public)

    def locate(self, bank: ParticipantNumber, phone: PhoneNumber, spend: PublicKey) -> Located:
        """For a number that the bank has confirmed; `order_conflict` if it is another's."""
        self._count(f"own:{bank}", is_own=True)
        value = self._evaluate(phone)
        found = self.store.find_newest(get_index(self.public, value))
        before = found.signed.entry if found else None
        authority = choose_authority(before, bank, spend, self.roster)
        version = before.version if before else 0
        is_somebodys = before is not None and is_open(before)
        return Located(self.public, value, version, is_somebodys, authority)

    def put(
        self, bank: ParticipantNumber, phone: PhoneNumber, signed: SignedEntry
    ) -> RecordedEntry:
        """Durable, and promised to be in the log; the same entry again gives the same.

        Again with another signature of its bank, that one stands under it from now on.
        """
        self._count(f"own:{bank}", is_own=True)
        entry = signed.entry
        if entry.bank != bank:
            raise SpecieError(ErrorCode.NOT_SERVED_HERE, "an entry of another bank")
        if entry.index != get_index(self.public, self._evaluate(phone)):
            raise SpecieError(ErrorCode.PROOF_INVALID, "the index is not the number's")
        with self._putting:
            stored = self._record(signed)
        return self._promise(stored)

    def look_up(self, bank: ParticipantNumber, phone: PhoneNumber) -> bytes:
        """One size and one work, whether it is found, hidden, closed or unknown."""
        self._count(f"find:{bank}", is_own=False)
        value = self._evaluate(phone)
        found = self.store.find_newest(get_index(self.public, value), is_promised=True)
        recorded = self._get_decoy() if found is None else _get_recorded(found)
        network, now = self.roster.genesis.network, self.clock.now()
        answer = build_answer(value, recorded, network, now, self.keys.answers).pack()
        is_told = found is not None and is_found(found.signed.entry)
        return answer if is_told else NOTHING_FOUND

    def work(self) -> list[SpecieError]:
        """What a stop has left before its promise, then proofs of what is published."""
        refusals: list[SpecieError] = []
        for stored in self.store.load_unpromised(ENTRIES_AT_ONCE_MAX):
            try:
                self._promise(stored)
            except SpecieError as error:
                refusals.append(error)
        for stored in self.store.load_unproven(ENTRIES_AT_ONCE_MAX):
            try:
                self._prove(stored)
            except SpecieError as error:
                refusals.append(error)
                return refusals  # the oldest first: those behind it are not published either
        return refusals

    def _prove(self, stored: StoredEntry) -> None:
        """Its receipt; what is not in the log in time is handed in again: the notary lost it."""
        assert stored.promise is not None, "asked for those that are promised"
        try:
            receipt = self.log.prove_leaf(stored.leaf)
        except SpecieError as error:
            is_late = stored.promise.publish_by < self.clock.now()
            if error.code is not ErrorCode.NOT_PUBLISHED or not is_late:
                raise
            promise = self.log.record_leaf(stored.leaf)
            self.store.record_promise(stored.leaf, promise)
            return
        self.store.record_receipt(stored.leaf, receipt)

    def _record(self, signed: SignedEntry) -> StoredEntry:
        """Known and the same, or next by every rule."""
        entry = signed.entry
        known = self.store.find_version(entry.index, entry.version)
        if known is not None:
            return self._renew(known, signed)
        newest = self.store.find_newest(entry.index)
        if newest is not None and newest.promise is None:
            newest = self._promised(newest)
        check_entry(newest.signed if newest else None, signed, self.roster, self.clock.now())
        leaf = sign_leaf(
            entry.index,
            entry.version,
            self.public,
            entry.hash,
            self.roster.genesis.network,
            self.keys.leaves,
        )
        stored = StoredEntry(signed, leaf)
        self.store.add(stored)
        return stored

    def _renew(self, known: StoredEntry, signed: SignedEntry) -> StoredEntry:
        """The entry stands; its bank's signature may be one with newer keys.

        `order_conflict` if another entry has this place.
        """
        if signed.entry.pack() != known.signed.entry.pack():
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "another entry has this version")
        if signed.bank == known.signed.bank:
            return known
        verify_bank(signed, self.roster.current)
        renewed = replace(known.signed, bank=signed.bank)
        self.store.replace_signatures(renewed)
        return replace(known, signed=renewed)

    def _promised(self, stored: StoredEntry) -> StoredEntry:
        recorded = self._promise(stored)
        return replace(stored, promise=recorded.promise)

    def _promise(self, stored: StoredEntry) -> RecordedEntry:
        if stored.promise is None:
            promise = self._hand_in(stored)
            self.store.record_promise(stored.leaf, promise)
            stored = replace(stored, promise=promise)
        return _get_recorded(stored)

    def _hand_in(self, stored: StoredEntry) -> LeafPromise:
        """What the log has otherwise already never stood: it is forgotten, whoever put it hears."""
        try:
            return self.log.record_leaf(stored.leaf)
        except SpecieError as error:
            if error.code in _CONTRADICTED:
                self.store.forget(stored.leaf)
            raise

    def _count(self, caller: str, *, is_own: bool) -> None:
        quota = self.quotas.own if is_own else self.quotas.look_ups
        self.counts.take(caller, self.clock.now(), quota)

    def _evaluate(self, phone: PhoneNumber) -> bytes:
        return evaluate_phone(self.keys.function, self.roster.genesis.network, phone)

    def _get_decoy(self) -> RecordedEntry:
        """What is worked on where nothing is found."""
        if self._decoy is None:
            self._decoy = _build_decoy(self.roster.genesis.network, self.public)
        return self._decoy


def _build_decoy(network: NetworkId, public: PublicKey) -> RecordedEntry:
    nobody = Address(ParticipantNumber(0), PublicKey(ZERO32), PublicKey(ZERO32))
    entry = DirectoryEntry(
        network=network,
        index=Digest(ZERO32),
        version=0,
        state=EntryState.HIDDEN,
        authority=Authority.FIRST,
        bank=ParticipantNumber(0),
        address=nobody,
        time=Timestamp(0),
        salt=ZERO16,
    )
    unsigned = Signature(ZERO64)
    leaf = DirectoryLeaf(entry.index, 0, public, entry.hash, unsigned)
    promise = LeafPromise(compute_leaf_hash(leaf.pack()), Timestamp(0), unsigned)
    return RecordedEntry(SignedEntry(entry, unsigned), leaf, promise)


def _get_recorded(stored: StoredEntry) -> RecordedEntry:
    assert stored.promise is not None, "asked for those that are promised"
    return RecordedEntry(stored.signed, stored.leaf, stored.promise, stored.receipt)
