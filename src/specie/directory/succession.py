"""Which entry may follow which (spec page 09): by its owner's key, or by its bank's word.

    none, closed ─► FIRST                                    the bank has confirmed the number
    open         ─► OWNER   signed by the key before         new keys, another bank, closing
                 ─► BANK    the bank that serves that owner  keys are lost; it lets the number go

A number goes to another bank by its owner's key, or after the bank before has closed its entry.
What a bank does alone is marked so, and its client sees it in the log.
"""

from specie.crypto.points import check_points
from specie.directory.entries import (
    Authority,
    DirectoryEntry,
    EntryState,
    SignedEntry,
    verify_bank,
    verify_owner,
    verify_owner_key,
)
from specie.identity.participants import Role, Status
from specie.identity.roster import Roster, is_served
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ZERO64, ParticipantNumber, PublicKey
from specie.values.limits import ENTRY_AGE_MS_MAX
from specie.values.times import Timestamp


def choose_authority(
    before: DirectoryEntry | None, bank: ParticipantNumber, spend: PublicKey, roster: Roster
) -> Authority:
    """What an entry of this bank for this key has to stand on; `order_conflict` if on nothing.

    Who still has the key of the version before may say OWNER at any bank.
    """
    if before is None or before.state is EntryState.CLOSED:
        return Authority.FIRST
    if before.address.spend == spend:
        return Authority.OWNER
    if is_served(before.bank, bank, roster):
        return Authority.BANK
    reason = "the number is somebody's at another bank, who has to let it go, or to sign"
    raise SpecieError(ErrorCode.ORDER_CONFLICT, reason)


def check_entry(
    before: SignedEntry | None, signed: SignedEntry, roster: Roster, now: Timestamp
) -> None:
    """Every rule of an entry that is to be recorded, one by one."""
    entry = signed.entry
    _check_form(entry, roster, now)
    _check_place(before.entry if before else None, entry)
    _check_address(entry, roster)
    _check_authority(before.entry if before else None, signed, roster)
    verify_owner(signed)
    verify_bank(signed, roster.current)


def _check_form(entry: DirectoryEntry, roster: Roster, now: Timestamp) -> None:
    if entry.network != roster.genesis.network:
        raise SpecieError(ErrorCode.NETWORK_MISMATCH, "an entry of another network")
    if entry.time > now + ENTRY_AGE_MS_MAX:
        raise SpecieError(ErrorCode.MESSAGE_OUT_OF_TIME, "an entry of later than now")
    if entry.name and entry.state is not EntryState.ACTIVE:
        raise SpecieError(ErrorCode.TEXT_INVALID, "who is not found shows no name")


def _check_place(before: DirectoryEntry | None, entry: DirectoryEntry) -> None:
    last = before.version if before else 0
    if before is not None and entry.time < before.time:
        raise SpecieError(ErrorCode.MESSAGE_OUT_OF_TIME, "an entry older than the one before")
    if entry.version != last + 1:
        reason = f"version {entry.version} of an entry comes after version {last}"
        raise SpecieError(ErrorCode.DIRECTORY_VERSION_WRONG, reason)
    if entry.state is EntryState.CLOSED and (before is None or not is_open(before)):
        raise SpecieError(ErrorCode.PHONE_UNKNOWN, "there is nothing to close")


def _check_address(entry: DirectoryEntry, roster: Roster) -> None:
    member = roster.current.get(entry.bank)
    if member.role is not Role.BANK or member.status is not Status.ACTIVE:
        raise SpecieError(ErrorCode.PARTICIPANT_INACTIVE, "not a bank that is active")
    if not is_served(entry.address.bank, entry.bank, roster):
        raise SpecieError(ErrorCode.NOT_SERVED_HERE, "the address is another bank's")
    check_points([entry.address.view, entry.address.spend])


def _check_authority(before: DirectoryEntry | None, signed: SignedEntry, roster: Roster) -> None:
    entry = signed.entry
    if before is None or not is_open(before):
        if entry.authority is not Authority.FIRST or signed.previous != ZERO64:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "nothing stands before this entry")
        return
    if entry.authority is Authority.FIRST:
        raise SpecieError(ErrorCode.ORDER_CONFLICT, "the number has an entry")
    if entry.state is EntryState.CLOSED and entry.address != before.address:
        raise SpecieError(ErrorCode.ORDER_CONFLICT, "closed is what stands")
    is_same = entry.address.spend == before.address.spend
    if entry.authority is Authority.OWNER and not is_same:
        verify_owner_key(signed, before.address.spend, signed.previous)
        return
    if signed.previous != ZERO64:
        raise SpecieError(ErrorCode.DIRECTORY_SIGNATURE_INVALID, "a signature nobody asked for")
    if entry.authority is Authority.BANK and not is_served(before.bank, entry.bank, roster):
        reason = "the number is somebody's at another bank, who has to let it go, or to sign"
        raise SpecieError(ErrorCode.ORDER_CONFLICT, reason)


def is_open(entry: DirectoryEntry) -> bool:
    """Whether the number is somebody's."""
    return entry.state is not EntryState.CLOSED


def is_found(entry: DirectoryEntry) -> bool:
    """Whether others are told of it."""
    return entry.state is EntryState.ACTIVE
