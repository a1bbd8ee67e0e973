"""How a person's tool speaks to the network: an officer with its key, a device with its own."""

import secrets
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from specie.assembly.lists import COSIGNERS, ListReader, load_peers
from specie.assembly.system import SystemClock
from specie.assembly.tls import ROOT, build_public_context
from specie.assembly.tokens import OFFICER_KEY, open_officer_keys
from specie.crypto.secrets import InstitutionSigner
from specie.remote.channel import Channel, Speaker
from specie.remote.institutions import CENTRAL_BANK
from specie.remote.peers import OFFICER, Peers
from specie.values.amounts import Currency, Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId, OrderId, ParticipantNumber


@dataclass(slots=True, repr=False)
class OfficerTool:
    """One officer's key, and a way to the desk."""

    number: int
    key: InstitutionSigner
    channel: Channel
    peers: Peers

    @property
    def network(self) -> NetworkId:
        """The network's id."""
        return self.peers.network

    @property
    def currency(self) -> Currency:
        """The network's."""
        return self.peers.roster.genesis.currency


@contextmanager
def open_channel(
    public: Path,
    expected: NetworkId | None,
    name: str,
    key: InstitutionSigner,
    bank: ParticipantNumber | None = None,
) -> Iterator[Channel]:
    """Over public faces; the lists are those of the folder, and then the newest there are.

    A device (`bank`: its own) asks its bank for them, which sees it anyway, and the central bank
    only if that has none.
    """
    peers = load_peers(public, expected)
    context = build_public_context(public / ROOT)
    if bank is None or not _ask_bank(bank, public, peers, context):
        url = peers.services.get(CENTRAL_BANK).public_url
        ListReader(url, public, peers, context).refresh()
    channel = Channel(Speaker(name, key), peers, context, SystemClock(), is_public=True)
    try:
        yield channel
    finally:
        channel.close()


@contextmanager
def open_officer(
    public: Path, keys: Path, number: int, passphrase: str, expected: NetworkId | None
) -> Iterator[OfficerTool]:
    """`passphrase_wrong`, `caller_unknown` if this officer is not in the list."""
    own = open_officer_keys(keys, passphrase)
    try:
        key = own.get_signer(OFFICER_KEY)
        with open_channel(public, expected, f"{OFFICER}{number}", key) as channel:
            if channel.peers.get_officer_key(number) != key.public:
                raise SpecieError(ErrorCode.CALLER_UNKNOWN, f"not the key of officer {number}")
            yield OfficerTool(number, key, channel, channel.peers)
    finally:
        own.close()


def _ask_bank(bank: ParticipantNumber, public: Path, peers: Peers, context: ssl.SSLContext) -> bool:
    """Whether it had lists that hold."""
    try:
        ListReader(peers.get_serving(bank).public_url, public, peers, context).refresh()
    except (SpecieError, ValueError):
        return False
    return True


def draw_order() -> OrderId:
    """A new order's id."""
    return OrderId(secrets.token_bytes(16))


def parse_order(text: str | None) -> OrderId:
    """32 hex digits, or a new one: the same again is the same order."""
    if text is None:
        return draw_order()
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != 16:
        raise SpecieError(ErrorCode.SETTING_INVALID, "an order's id has 32 hex digits")
    return OrderId(raw)


def parse_amount(text: str, peers: Peers) -> Minor:
    """In the network's currency, as people write it; what is not an amount is named."""
    currency = peers.roster.genesis.currency
    try:
        return currency.parse(text)
    except SpecieError as error:
        form = currency.format(12_345 * 10**currency.decimals // 10).rpartition(" ")[0]
        reason = f"{text[:40]!r}: {error.message}; written like {form}"
        raise SpecieError(error.code, reason) from None


def has_lists(folder: Path) -> bool:
    """Whether this is a folder with the network's lists."""
    return (folder / COSIGNERS).is_file()
