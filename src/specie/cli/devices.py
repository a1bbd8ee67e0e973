"""What `specie wallet` does with a device's store: a file with sealed keys, tokens and payments.

Nothing here talks to a bank: a balance, a history, an address book, a receipt made from the public
log, a wallet that is made or restored. The passphrase opens the keys (`wallet/keys.py`).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from specie.assembly.system import RandomIdentifiers, SystemClock
from specie.cli.trust import GENESIS, PARTICIPANTS, load_trust, read
from specie.crypto.addresses import format_address
from specie.crypto.secrets import KeyTree
from specie.identity.roster import Roster
from specie.ledger.receipts import ReceiptTrust, build_receipt, verify_receipt
from specie.log.leaves import KERNELS
from specie.log.notes import drop_ml_dsa_lines, verify_note
from specie.log.proofs import prove_inclusion
from specie.ports.vault import StoredPayment
from specie.store.account_store import KnownAccount, SqliteAccountStore
from specie.store.contacts import SqliteContactStore
from specie.store.device_notes import SqliteDeviceNotes, get_current
from specie.store.log_files import LogFolder
from specie.store.vault_store import SqliteVaultStore, VaultDatabase
from specie.tokens.holdings import derive_keys_with_returns
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId, ParticipantNumber, TransactionId
from specie.values.limits import SUBWALLETS_MAX
from specie.wallet.keys import (
    OpenedKeys,
    create_keys,
    derive_master,
    find_subwallet,
    get_subholder,
    open_keys,
)
from specie.wallet.proving import build_payment_part, find_creditor
from specie.wallet.restoring import RestoreTrust, restore_from_log
from specie.wallet.vault import Surroundings, Vault, rebuild_payment


@dataclass(frozen=True, slots=True, repr=False)
class Device:
    """A holder's part of a store, opened."""

    database: VaultDatabase
    holder: str
    opened: OpenedKeys

    def show_phrase(self) -> str:
        """The backup: whoever has these words has the money."""
        return self.opened.tree.phrase()

    def open_contacts(self, prefix: str) -> SqliteContactStore:
        """The address book."""
        return self.database.open_contacts(self.holder, self.opened.vault_key, prefix)

    @property
    def notes(self) -> SqliteDeviceNotes:
        """What the device remembers besides money."""
        return SqliteDeviceNotes(self.database.place, self.holder, self.opened.vault_key)

    @property
    def current(self) -> int:
        """The sub-wallet in use: another one after each move to another bank."""
        return get_current(self.notes)

    def choose(self, subwallet: int | None) -> int:
        """The one that is named, or the one in use."""
        return self.current if subwallet is None else subwallet

    def list_places(self) -> list[int]:
        """Sub-wallets that are open at a bank or about to be, or have or had tokens here."""
        names = [one.holder for one in SqliteAccountStore(self.database.place).list_known()]
        found = {find_subwallet(self.holder, one) for one in names + self.database.list_used()}
        return sorted(one for one in found if one is not None)

    def find_opened(self, subwallet: int) -> KnownAccount | None:
        """A sub-wallet at the bank that has opened it."""
        name = get_subholder(self.holder, subwallet)
        known = SqliteAccountStore(self.database.place).list_known()
        return next((one for one in known if one.holder == name and one.client), None)

    def find_bank(self, subwallet: int) -> ParticipantNumber | None:
        """Where a sub-wallet is served: who has opened it, else by the tokens that it has or had.

        A wallet that was restored from its phrase knows its tokens only.
        """
        opened = self.find_opened(subwallet)
        if opened is not None:
            return opened.bank
        tokens = self._open_store(subwallet).load_tokens()
        return tokens[-1].token.opening.bank if tokens else None

    def find_payment(self, payment_id: bytes) -> tuple[int, StoredPayment] | None:
        """In which sub-wallet it was recorded, whichever is in use by now."""
        for place in self.list_places():
            known = self._open_store(place).find_payment(payment_id)
            if known is not None:
                return place, known
        return None

    def open_served(self, surroundings: Surroundings) -> dict[int, Vault]:
        """All sub-wallets of which it is known at which bank they are, by number."""
        served = [one for one in self.list_places() if self.find_bank(one) is not None]
        return {one: self.open_vault(one, None, surroundings) for one in served}

    def open_vault(self, subwallet: int, bank: int | None, surroundings: Surroundings) -> Vault:
        """One sub-wallet; `setting_invalid` if nobody says at which bank it is."""
        found = self.find_bank(subwallet) if bank is None else ParticipantNumber(bank)
        if found is None:
            reason = "no bank has opened it, and nothing was received: name its bank with --bank"
            raise SpecieError(ErrorCode.SETTING_INVALID, reason)
        number = surroundings.roster.current.get(found).number
        keys = derive_keys_with_returns(self.opened.tree, subwallet, number)
        return Vault(keys, self._open_store(subwallet), surroundings, is_looking=True)

    def _open_store(self, subwallet: int) -> SqliteVaultStore:
        if not 0 <= subwallet < SUBWALLETS_MAX:
            raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"sub-wallets 0 to {SUBWALLETS_MAX - 1}")
        name = get_subholder(self.holder, subwallet)
        return self.database.open_holder(name, self.opened.vault_key)


@contextmanager
def opened_device(path: Path, holder: str, passphrase: str) -> Iterator[Device]:
    """A store that is there; `passphrase_wrong`, `client_unknown` for another holder."""
    if not path.is_file():
        reason = f"{path}: no such file; `specie wallet create` makes one"
        raise SpecieError(ErrorCode.SETTING_INVALID, reason)
    database = VaultDatabase(path)
    try:
        if database.find_keys(holder) is None:
            known = ", ".join(database.list_holders()) or "nobody"
            raise SpecieError(ErrorCode.CLIENT_UNKNOWN, f"not {holder}'s device; it is of: {known}")
        master, _ = derive_master(database, holder, passphrase, RandomIdentifiers())
        yield Device(database, holder, open_keys(database, holder, master))
    finally:
        database.close()


@contextmanager
def created_device(path: Path, holder: str, passphrase: str, tree: KeyTree) -> Iterator[Device]:
    """The holder's keys in a store; the same again, `order_conflict` if it has other keys."""
    if not holder or not holder.isprintable():
        raise SpecieError(ErrorCode.TEXT_INVALID, "a holder's name is printable text")
    if not passphrase:
        raise SpecieError(ErrorCode.SETTING_INVALID, "an empty passphrase protects nothing")
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))  # before SQLite makes it
    database = VaultDatabase(path)
    try:
        master, salt = derive_master(database, holder, passphrase, RandomIdentifiers())
        if database.find_keys(holder) is None:
            opened = create_keys(database, holder, master, salt, tree)
        else:
            opened = open_keys(database, holder, master)
        if opened.tree.phrase() != tree.phrase():
            reason = f"{holder} has other keys on this device already"
            raise SpecieError(ErrorCode.ORDER_CONFLICT, reason)
        yield Device(database, holder, opened)
    finally:
        database.close()


def load_surroundings(public: Path, expected: NetworkId | None) -> Surroundings:
    """The network as this device sees it, from the public folder."""
    signed = read(public, GENESIS), read(public, PARTICIPANTS)
    return Surroundings(Roster(*signed, expected), SystemClock(), RandomIdentifiers())


def restore_into(
    device: Device,
    public: Path,
    bank: int,
    subwallets: int,
    expected: NetworkId | None,
    *,
    has_returns: bool = False,
) -> tuple[int, int]:
    """Tokens of the phrase from the log alone, into the store; how many, and how many were ever.

    They can be spent once the lost device's last window is over (ADR 0017). `has_returns`: also
    what is at return addresses, which takes some 250 times as long.
    """
    trust, surroundings = load_trust(public, expected), load_surroundings(public, expected)
    log = LogFolder(public)
    signed = verify_note(log.read_checkpoint(), trust.get_log_key(), trust.cosigners)
    member = trust.participants.get(ParticipantNumber(bank))
    registration = trust.participants.get_central_bank().institution_key
    believed = RestoreTrust(trust.genesis, member, signed.checkpoint, registration)
    taken = seen = 0
    for place in range(subwallets):
        vault = device.open_vault(place, bank, surroundings)
        keys = vault.keys if has_returns else replace(vault.keys, returns=None)
        found = restore_from_log(log, keys, believed)
        taken += vault.take_restored(found.tokens, found.spent)
        seen += found.seen
    return taken, seen


@dataclass(frozen=True, slots=True)
class OwnSubwallet:
    """One of a holder's, as its device knows it."""

    number: int
    bank: ParticipantNumber
    client: str  # empty if no bank has opened it from this device
    address: str
    balance: Minor


def list_subwallets(
    device: Device, surroundings: Surroundings, bank: int | None = None, count: int = 0
) -> list[OwnSubwallet]:
    """Those of the device, wherever each is served; or the first ones at one bank."""
    if bank is None:
        vaults = device.open_served(surroundings)
    else:
        places = range(count)
        vaults = {one: device.open_vault(one, bank, surroundings) for one in places}
    return [describe_subwallet(device, number, vault) for number, vault in vaults.items()]


def describe_subwallet(device: Device, number: int, vault: Vault) -> OwnSubwallet:
    """One of them, opened."""
    own, prefix = vault.keys.address, vault.surroundings.genesis.address_prefix
    opened = device.find_opened(number)
    client = opened.client if opened is not None and opened.bank == own.bank else ""
    address = format_address(own, prefix)
    return OwnSubwallet(number, own.bank, client, address, vault.get_balance())


def make_receipt(
    vault: Vault, payment_id: bytes, public: Path, trust: ReceiptTrust, *, is_quantum_safe: bool
) -> str:
    """A receipt of one of our payments, from the public folder alone: no server is asked.

    `payment_unknown`, `not_published` while it is promised only.
    """
    payment = vault.find_payment(payment_id)
    if payment is None:
        raise SpecieError(ErrorCode.PAYMENT_UNKNOWN, "no payment of this id here")
    built = rebuild_payment(payment)
    part = build_payment_part(built, find_creditor(built, vault.keys.address))
    log = LogFolder(public)
    whole = log.read_checkpoint()
    size = verify_note(whole, trust.get_log_key(), trust.cosigners).checkpoint.size
    position, leaf = _find_kernels(log, size, payment.txid)
    path = prove_inclusion(position, size, lambda level, one: log.read_hash(level, one, size))
    note = whole if is_quantum_safe else drop_ml_dsa_lines(whole)
    text = build_receipt(leaf, position, path, note, part)
    verify_receipt(text, trust)  # a damaged folder makes none
    return text


def _find_kernels(log: LogFolder, size: int, txid: TransactionId) -> tuple[int, bytes]:
    for position, leaf in enumerate(log.iterate_leaves(size)):
        if leaf[0] == KERNELS and leaf[1:33] == txid:
            return position, leaf
    raise SpecieError(ErrorCode.NOT_PUBLISHED, "not in the log: refused, or not published yet")
