"""A bank's part in the directory: numbers of its clients, entries that it vouches for, look-ups.

    confirm   an operator, or onboarding, has seen that a number is a client's
    locate    client ─► is it its number? ─► the central bank's directory
    put       signed entry ─► its number, its address, its name ─► signed ─► directory
    find      client ─► within its quota ─► directory ─► the answer, as it came

Which numbers its clients look up the bank sees, as it sees the addresses that they pay.
"""

import secrets
from dataclasses import dataclass, replace
from typing import Final

from specie.bank.service import Bank
from specie.crypto.secrets import InstitutionSigner
from specie.directory.answers import RecordedEntry
from specie.directory.entries import (
    SALT_BYTES,
    Authority,
    DirectoryEntry,
    EntryState,
    SignedEntry,
    sign_as_bank,
)
from specie.directory.quotas import CLIENT_QUOTAS, Quota, Quotas
from specie.directory.succession import is_open
from specie.ports.clients import Client, ClientStatus
from specie.ports.clock import Clock
from specie.ports.directory import (
    ConfirmedPhone,
    DirectoryPort,
    Located,
    LookUpCounts,
    PhoneStore,
)
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ZERO32,
    ZERO64,
    ClientId,
    InstitutionPublicKey,
    PublicKey,
    Signature,
)
from specie.values.limits import ENTRIES_AT_ONCE_MAX, NAME_BYTES_MAX
from specie.values.phones import PhoneNumber

_NOBODY: Final = PublicKey(ZERO32)  # no client's key


@dataclass(slots=True, repr=False)
class BankDirectory:
    """Of one bank."""

    bank: Bank
    key: InstitutionSigner  # the bank's own, by the participant list
    phones: PhoneStore
    counts: LookUpCounts
    directory: DirectoryPort
    clock: Clock
    quotas: Quotas = CLIENT_QUOTAS

    def register_phone(self, client: ClientId, phone: PhoneNumber) -> None:
        """The number is this client's: the bank has seen it.

        Again hands in again what the bank has signed for it: a directory that came back from an
        old copy has it then.
        """
        self.bank.get_client(client)
        self.phones.confirm(client, phone)
        known = self.phones.find(client)
        if known is not None and known.signed is not None:
            self._send(known, known.signed)

    def confirm_phone(self, client: ClientId, phone: PhoneNumber) -> ConfirmedPhone:
        """`phone_not_confirmed` unless the bank knows the number as this client's."""
        found = self.phones.find(client)
        if found is None or found.phone != phone:
            reason = "the bank has not confirmed that this number is yours; ask it to"
            raise SpecieError(ErrorCode.PHONE_NOT_CONFIRMED, reason)
        return found

    def locate(
        self, client: ClientId, phone: PhoneNumber, former: PublicKey | None
    ) -> tuple[Located, str]:
        """Where the client's own number stands, and the name that it may show.

        For a client with new keys: by the key of before, which then has to sign as well.
        """
        known = self._get_good(client)
        self._count(client, self.quotas.own, "own")
        self.confirm_phone(client, phone)
        located = self.directory.locate(self.bank.number, phone, former or known.address.spend)
        return located, cut_name(known.name)

    def put(self, client: ClientId, phone: PhoneNumber, signed: SignedEntry) -> RecordedEntry:
        """The client's entry with the bank's signature; the same again is the same."""
        known = self._get_good(client)
        self._count(client, self.quotas.own, "own")
        confirmed = self.confirm_phone(client, phone)
        self._check(known, signed.entry)
        return self._send(confirmed, signed)

    def find(self, client: ClientId, phone: PhoneNumber) -> bytes:
        """Somebody's entry; of one size, whatever is found."""
        self._get_good(client)
        self._count(client, self.quotas.look_ups, "find")
        return self.directory.look_up(self.bank.number, phone)

    def release_phone(self, client: ClientId) -> None:
        """The number is this client's no more; its entry, if one is open, the bank closes.

        By the bank's word alone, and marked so: the client sees it in the log.
        """
        known = self.phones.find(client)
        if known is None:
            raise SpecieError(ErrorCode.PHONE_NOT_CONFIRMED, "this client has no number here")
        if known.signed is not None and is_open(known.signed.entry):
            self._close(known, known.signed)
        self.phones.forget(client)

    def work(self) -> list[SpecieError]:
        """Entries under an older key of ours are signed anew: readers know the newest only."""
        refusals: list[SpecieError] = []
        signer = InstitutionPublicKey(self.key.public)
        for one in self.phones.load_signed_by_others(signer, ENTRIES_AT_ONCE_MAX):
            assert one.signed is not None, "asked for those that are signed"
            try:
                self._send(one, one.signed)
            except SpecieError as error:
                refusals.append(error)
        return refusals

    def _close(self, known: ConfirmedPhone, stands: SignedEntry) -> None:
        """What stands at the directory; nothing if the number is at another bank by now."""
        try:
            located = self.directory.locate(self.bank.number, known.phone, _NOBODY)
        except SpecieError as error:
            if error.code is ErrorCode.ORDER_CONFLICT:
                return
            raise
        if not located.is_open:
            return
        if located.version != stands.entry.version:
            reason = "the directory has another entry than we remember; let the client put its own"
            raise SpecieError(ErrorCode.ORDER_CONFLICT, reason)
        closing = DirectoryEntry(
            network=stands.entry.network,
            index=stands.entry.index,
            version=located.version + 1,
            state=EntryState.CLOSED,
            authority=Authority.BANK,
            bank=self.bank.number,
            address=stands.entry.address,
            time=self.clock.now(),
            salt=secrets.token_bytes(SALT_BYTES),
        )
        self._send(known, SignedEntry(closing, Signature(ZERO64)))

    def _send(self, known: ConfirmedPhone, signed: SignedEntry) -> RecordedEntry:
        """Signed, recorded there, then here: a stop in between is made good by doing it again."""
        whole = replace(signed, bank=sign_as_bank(signed.entry, self.key))
        recorded = self.directory.put(self.bank.number, known.phone, whole)
        signer = InstitutionPublicKey(self.key.public)
        self.phones.record_entry(known.client, recorded.signed, signer)
        return recorded

    def _check(self, known: Client, entry: DirectoryEntry) -> None:
        if entry.bank != self.bank.number or entry.address != known.address:
            raise SpecieError(ErrorCode.NOT_SERVED_HERE, "not the address of this client")
        if entry.name not in ("", cut_name(known.name)):
            raise SpecieError(ErrorCode.TEXT_INVALID, "not the name that the bank knows you by")

    def _get_good(self, client: ClientId) -> Client:
        known = self.bank.get_client(client)
        if known.status is not ClientStatus.GOOD:
            raise SpecieError(ErrorCode.CLIENT_BLOCKED, "the client is blocked")
        return known

    def _count(self, client: ClientId, quota: Quota, what: str) -> None:
        self.counts.take(f"{what}:{client}", self.clock.now(), quota)


def cut_name(name: str) -> str:
    """As much of it as an entry has room for."""
    return name.encode()[:NAME_BYTES_MAX].decode(errors="ignore")
