"""A holder's place at a bank: which sub-wallet, with which keys, by which notes of the device."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from specie.cli.arguments import parse_network
from specie.cli.devices import Device
from specie.cli.online_commands import Online, online_at, surround
from specie.cli.parties import open_channel
from specie.crypto.secrets import InstitutionSigner
from specie.remote.channel import Channel
from specie.remote.people_client import PeopleClient
from specie.store.account_store import Account, SqliteAccountStore
from specie.store.database import Database
from specie.store.device_notes import SqliteDeviceNotes
from specie.values.identifiers import ClientId, ParticipantNumber
from specie.wallet.keys import get_subholder
from specie.wallet.vault import Vault

STRANGER = "device"  # how a device calls itself that no bank knows yet


@dataclass(frozen=True, slots=True, repr=False)
class Site:
    """A holder's part of a device's store, opened, and the network that it speaks to."""

    device: Device
    path: Path
    public: Path
    network: str | None

    @property
    def notes(self) -> SqliteDeviceNotes:
        """What the device remembers."""
        return self.device.notes

    @property
    def current(self) -> int:
        """The sub-wallet in use."""
        return self.device.current

    def prepare(self, place: int, bank: int) -> Account:
        """A sub-wallet's account, with the key that speaks for it; drawn once."""
        holder = get_subholder(self.device.holder, place)
        key = self.device.opened.vault_key
        return SqliteAccountStore(Database(self.path)).prepare(holder, ParticipantNumber(bank), key)

    def get_account(self, place: int) -> Account:
        """`client_unknown` if no bank has opened it."""
        holder = get_subholder(self.device.holder, place)
        return SqliteAccountStore(Database(self.path)).get(holder, self.device.opened.vault_key)

    def record_client(self, place: int, client: ClientId) -> None:
        """The bank has opened the sub-wallet."""
        holder = get_subholder(self.device.holder, place)
        SqliteAccountStore(Database(self.path)).record_client(holder, client)

    def open_vault(self, place: int, bank: int, channel: Channel) -> Vault:
        """The sub-wallet's tokens."""
        return self.device.open_vault(place, bank, surround(channel))

    @contextmanager
    def speak(self, name: str, key: InstitutionSigner, bank: int) -> Iterator[Channel]:
        """To the bank's public face, in this name."""
        number = ParticipantNumber(bank)
        chosen = parse_network(self.network)
        with open_channel(self.public, chosen, name, key, number) as channel:
            yield channel

    @contextmanager
    def online(self, place: int) -> Iterator[tuple[Online, PeopleClient]]:
        """A sub-wallet at its bank."""
        with online_at(self.device, place, self.public, self.network) as found:
            yield found, PeopleClient(found.channel, found.account.bank)


def draw_secret() -> bytes:
    """An id or a code that nobody else knows: 16 bytes."""
    return secrets.token_bytes(16)
