"""A holder's phone number in the directory: put by its device, verified by who pays it (T8, T9).

    put    locate ─► verify the index ─► sign ─► recorded here ─► bank ─► directory ─► promise
    find   bank ─► directory ─► answer ─► every signature and proof ─► whom the number pays

What was signed here is durable before it leaves: `directory/watching.py` compares the log with it.
"""

import secrets
from dataclasses import dataclass, replace

from specie.crypto.addresses import Address
from specie.crypto.secrets import SpendKey
from specie.directory.answers import AnswerTrust, RecordedEntry, unpack_answer, verify_answer
from specie.directory.entries import (
    SALT_BYTES,
    Authority,
    DirectoryEntry,
    EntryState,
    SignedEntry,
    sign_as_owner,
)
from specie.directory.indexes import verify_index
from specie.ledger.directory_leaves import verify_leaf, verify_leaf_promise
from specie.log.tree import compute_leaf_hash
from specie.ports.clock import Clock
from specie.ports.directory import Located, OwnNumber, OwnPhoneStore, ServingDirectoryPort
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, ParticipantNumber, PublicKey
from specie.values.phones import PhoneNumber


@dataclass(frozen=True, slots=True, repr=False)
class Wish:
    """What a number's owner wants to stand there."""

    state: EntryState
    is_named: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class HolderPhone:
    """One holder's device at its bank, for the directory alone."""

    address: Address
    spend: SpendKey
    serving: ParticipantNumber  # the bank of the address, or its successor
    bank: ServingDirectoryPort
    store: OwnPhoneStore
    trust: AnswerTrust
    clock: Clock
    former: tuple[SpendKey, ...] = ()  # of the same device, from before the wallet moved

    def put(self, phone: PhoneNumber, wish: Wish) -> RecordedEntry:
        """The next version; what a stop left unanswered is handed in again first."""
        before = self._find_former(phone)
        known = PublicKey(before.public) if before is not None else None
        located, name = self.bank.locate(phone, known)
        index = self._adopt(phone, located)
        left = self.store.find_last(index)
        if left is not None and left[1] is None and left[0].entry.version >= located.version:
            recorded = self._hand_in(phone, left[0])
            if _is_wished(left[0].entry, wish, name):
                return recorded
            located, name = self.bank.locate(phone, None)
            before = None
        entry = DirectoryEntry(
            network=self.trust.roster.genesis.network,
            index=index,
            version=located.version + 1,
            state=wish.state,
            authority=located.authority,
            bank=self.serving,
            address=self.address,
            time=self.clock.now(),
            salt=secrets.token_bytes(SALT_BYTES),
            name=name if wish.is_named else "",
        )
        signed = SignedEntry(entry, sign_as_owner(entry, self.spend))
        if before is not None and located.authority is Authority.OWNER:
            signed = replace(signed, previous=sign_as_owner(entry, before))
        self.store.record_entry(signed)
        return self._hand_in(phone, signed)

    def find(self, phone: PhoneNumber) -> DirectoryEntry:
        """Whom a number pays, verified; `phone_unknown` if nobody is to be found.

        An entry that is only promised to be in the log is remembered, to be looked for there.
        """
        answer = unpack_answer(self.bank.find(phone))
        if answer is None:
            reason = "nobody is to be found under this number"
            raise SpecieError(ErrorCode.PHONE_UNKNOWN, reason)
        entry = verify_answer(answer, phone, self.trust, self.clock.now())
        self._check_key(answer.recorded)
        if not answer.recorded.receipt:
            leaf_hash = compute_leaf_hash(answer.recorded.leaf.pack())
            self.store.rely(leaf_hash, answer.recorded.promise.publish_by)
        return entry

    def _find_former(self, phone: PhoneNumber) -> SpendKey | None:
        """The key of what this device has signed last for the number, if that is not today's."""
        own = self.store.find_number()
        last = self.store.find_last(own.index) if own is not None and own.phone == phone else None
        if last is None:
            return None
        stands = last[0].entry.address.spend
        return next((one for one in self.former if one.public == stands), None)

    def _adopt(self, phone: PhoneNumber, located: Located) -> Digest:
        """Our index, with its proof; of the directory that this device knows, if it knows one."""
        known = self.store.find_number()
        if known is not None and known.key != located.key:
            _refuse_key()
        network = self.trust.roster.genesis.network
        index = verify_index(located.key, network, phone, located.value)
        self.store.record_number(OwnNumber(phone, index, located.key))
        return index

    def _check_key(self, recorded: RecordedEntry) -> None:
        known = self.store.find_number()
        if known is not None and known.key != recorded.leaf.key:
            _refuse_key()

    def _hand_in(self, phone: PhoneNumber, signed: SignedEntry) -> RecordedEntry:
        recorded = self.bank.put(phone, signed)
        roster = self.trust.roster
        verify_leaf(recorded.leaf, roster.genesis)
        verify_leaf_promise(recorded.promise, recorded.leaf, roster)
        if recorded.leaf.entry != signed.entry.hash:
            reason = "the directory has taken another entry than the one that was signed here"
            raise SpecieError(ErrorCode.DIRECTORY_ANSWER_INVALID, reason)
        self.store.record_promise(signed, recorded.promise.publish_by)
        return recorded


def _is_wished(entry: DirectoryEntry, wish: Wish, name: str) -> bool:
    return entry.state is wish.state and entry.name == (name if wish.is_named else "")


def _refuse_key() -> None:
    reason = "ALARM: the directory has another key than this device was told of"
    raise SpecieError(ErrorCode.DIRECTORY_KEY_WRONG, reason)
