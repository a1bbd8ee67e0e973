"""`specie wallet …`: a wallet by its phrase and the public folder alone (T3, T19, X7)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import segno

from specie.cli.trust import load_trust
from specie.crypto.addresses import format_address
from specie.crypto.secrets import KeyTree, parse_phrase
from specie.identity.genesis import Genesis
from specie.log.notes import verify_note
from specie.store.log_files import LogFolder
from specie.tokens.holdings import derive_keys, derive_keys_with_returns
from specie.values.amounts import Minor, sum_minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId, ParticipantNumber
from specie.wallet.restoring import Restored, RestoreTrust, restore_from_log

_SEQUENCE_VERSION: Final = 25  # 117 × 117 modules, which phones still read from a screen


@dataclass(frozen=True, slots=True)
class FoundWallet:
    """What a phrase owns, by the log alone."""

    genesis: Genesis
    addresses: tuple[str, ...]
    restored: tuple[Restored, ...]
    log_size: int

    @property
    def balance(self) -> Minor:
        """Over all sub-wallets looked at."""
        return sum_minor([token.amount for one in self.restored for token in one.tokens])


def make_phrase() -> str:
    """24 fresh words; whoever has them has the money."""
    return KeyTree.generate().phrase()


def list_addresses(
    phrase: str, public: Path, bank: int, subwallets: int, expected: NetworkId | None
) -> list[str]:
    """Addresses of the first sub-wallets at a bank; the bank must take part in the network."""
    trust = load_trust(public, expected)
    number = trust.participants.get(ParticipantNumber(bank)).number
    tree = parse_phrase(phrase)
    return [
        format_address(derive_keys(tree, place, number).address, trust.genesis.address_prefix)
        for place in range(subwallets)
    ]


def restore_wallet(
    phrase: str,
    public: Path,
    bank: int,
    subwallets: int,
    expected: NetworkId | None,
    *,
    has_returns: bool = False,
) -> FoundWallet:
    """Scan the whole log with the phrase's view keys; nobody is asked."""
    derive = derive_keys_with_returns if has_returns else derive_keys
    trust = load_trust(public, expected)
    log = LogFolder(public)
    signed = verify_note(log.read_checkpoint(), trust.get_log_key(), trust.cosigners)
    member = trust.participants.get(ParticipantNumber(bank))
    registration = trust.participants.get_central_bank().institution_key
    believed = RestoreTrust(trust.genesis, member, signed.checkpoint, registration)
    tree = parse_phrase(phrase)
    addresses, found = [], []
    for place in range(subwallets):
        keys = derive(tree, place, member.number)
        addresses.append(format_address(keys.address, trust.genesis.address_prefix))
        found.append(restore_from_log(log, keys, believed))
    return FoundWallet(trust.genesis, tuple(addresses), tuple(found), signed.checkpoint.size)


def draw_qr(text: str) -> str:
    """A QR code for the terminal; upper case packs addresses best."""
    code = segno.make(text, error="m", micro=False)
    rows = [[bool(cell) for cell in row] for row in code.matrix_iter(border=2)]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    halves = {(False, False): "█", (True, False): "▄", (False, True): "▀", (True, True): " "}
    return "\n".join(
        "".join(halves[pair] for pair in zip(rows[place], rows[place + 1], strict=True))
        for place in range(0, len(rows), 2)
    )


def save_qr(text: str, path: Path) -> None:
    """One QR code in a file; its name says which kind, .svg or .png."""
    if path.suffix not in (".svg", ".png"):
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{path.name}: a name that ends .svg or .png")
    try:
        segno.make(text, error="m", micro=False).save(str(path), scale=4)
    except OSError as error:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, f"{path.name}: {error.strerror}") from None


def save_qr_sequence(text: str, path: Path) -> int:
    """A long text (a receipt) as a sequence of QR codes in one SVG file each; gives how many.

    Files are named after `path`: `receipt-03-01.svg` is the first of three.
    """
    codes = segno.make_sequence(text, error="l", version=_SEQUENCE_VERSION, boost_error=False)
    try:
        codes.save(str(path.with_suffix(".svg")), scale=3)
    except OSError as error:
        raise SpecieError(ErrorCode.STORE_UNUSABLE, f"{path.name}: {error.strerror}") from None
    return len(codes)
