"""What each side can read of one payment, looked up in what each side really holds (T9, T10, X5).

A side's view is bytes: what it made, was sent or may open, and the names it has on file. Amounts
and names are then searched for in them, as they are written there, so the table cannot promise
more than the software keeps.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from specie.assembly.network import InProcessNetwork
from specie.bank.service import Bank
from specie.cli.people import Person, get_bank_name
from specie.crypto.addresses import format_address
from specie.crypto.outputs import OUTPUT_BYTES, Opening
from specie.ledger.records import Output
from specie.ledger.transactions import AttestedTransaction
from specie.ledger.wire import encode_attested, encode_signed
from specie.log.leaves import CREATED, HEADER, HeaderLeaf, unpack_leaf
from specie.log.notes import parse_note
from specie.log.tiles import CHECKPOINT_PATH
from specie.store.log_files import LogFolder
from specie.tokens.building import BuiltTransaction
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.encoding import u64
from specie.values.errors import SpecieError
from specie.values.identifiers import TransactionId

_READS_MAX: Final = 10


@dataclass(frozen=True, slots=True, repr=False)
class ShownPayment:
    """A payment that is final and published, with everything its sides had of it."""

    payer: Person
    payee: Person
    built: BuiltTransaction
    attested: AttestedTransaction

    @property
    def txid(self) -> TransactionId:
        """Its id."""
        return self.built.signed.txid

    @property
    def openings(self) -> tuple[Opening, ...]:
        """Of all its outputs."""
        return self.built.disclosure.openings

    @property
    def amount(self) -> Minor:
        """What the payee gets."""
        return self.get_paid()[1].amount

    @property
    def change(self) -> int:
        """What came back to the payer."""
        return sum(one.amount for one in self.openings) - self.amount

    def get_paid(self) -> tuple[Output, Opening]:
        """The payee's output and what it says."""
        address = self.payee.wallet.keys.address
        outputs = self.built.signed.body.outputs
        pairs = zip(outputs, self.openings, strict=True)
        return next(pair for pair in pairs if pair[1].spend == address.spend)


def load_leaves(public: Path) -> list[bytes]:
    """All leaves that the checkpoint covers; again if the notary published in between."""
    if not (public / CHECKPOINT_PATH).exists():
        return []
    log = LogFolder(public)
    for _ in range(_READS_MAX):
        note = log.read_checkpoint()
        with suppress(SpecieError):
            return list(log.iterate_leaves(parse_note(note)[0].size))
    raise SpecieError(ErrorCode.LOG_INVALID, "the public folder cannot be read")


def load_published(public: Path) -> Iterator[tuple[int, bytes]]:
    """Positions and bytes of all created leaves that the checkpoint covers."""
    for position, leaf in enumerate(load_leaves(public)):
        if leaf[0] == CREATED:
            yield position, leaf


def load_published_outputs(public: Path) -> list[Output]:
    """Every output that stands in the public log."""
    return [Output(leaf[1 : 1 + OUTPUT_BYTES]) for _, leaf in load_published(public)]


def count_batches(network: InProcessNetwork) -> list[int]:
    """How many transactions each published batch has, by the log."""
    headers = (unpack_leaf(leaf, 0) for leaf in load_leaves(network.public) if leaf[0] == HEADER)
    return [header.kernels for header in headers if isinstance(header, HeaderLeaf)]


def find_leaf(public: Path, output: Output) -> tuple[int, bytes]:
    """Where an output stands in the public log; `not_published` if it does not."""
    for position, leaf in load_published(public):
        if leaf[1 : 1 + OUTPUT_BYTES] == output.data:
            return position, leaf
    raise SpecieError(ErrorCode.NOT_PUBLISHED, "the output is not in the public log")


def build_sight_table(network: InProcessNetwork, payment: ShownPayment) -> list[list[str]]:
    """Who can read what: a row for each side, filled by searching its view."""
    rows = [["who", "opens", "amount", "change", "payer's name", "payee's name"]]
    facts = [
        u64(payment.amount),
        u64(payment.change),
        str(payment.payer.client).encode(),
        str(payment.payee.client).encode(),
    ]
    for who, view in _gather_views(network, payment).items():
        opened = sum(opening.anchor in view for opening in payment.openings)
        cells = ["yes" if fact in view else "-" for fact in facts]
        rows.append([who, f"{opened} of {len(payment.openings)}", *cells])
    return rows


def list_secrets(network: InProcessNetwork, payment: ShownPayment) -> dict[str, bytes]:
    """What must not stand in the clear, in every way it might be written."""
    address = payment.payee.wallet.keys.address
    text = network.genesis.currency.format(payment.amount).split()[0]
    return {
        "the amount in 8 bytes": u64(payment.amount),
        "the amount in digits": str(int(payment.amount)).encode(),
        "the amount as text": text.encode(),
        "the payer's name": str(payment.payer.client).encode(),
        "the payee's name": str(payment.payee.client).encode(),
        "the address": format_address(address, network.genesis.address_prefix).encode(),
        "the view key": address.view,
        "the spend key": address.spend,
    }


def search_held(
    held: Iterable[tuple[str, bytes]], secrets: Mapping[str, bytes], known: bytes
) -> tuple[int, bool]:
    """Search what somebody holds; gives the bytes searched and whether `known` is there.

    `disclosure_mismatch` if a secret is there: the demo has no story to tell then.
    """
    searched, is_known_found = 0, False
    for name, data in held:
        searched += len(data)
        is_known_found = is_known_found or known in data
        for what, secret in secrets.items():
            if secret in data:
                raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, f"{name} holds {what}")
    return searched, is_known_found


def read_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below it."""
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        with suppress(FileNotFoundError):  # replaced by the next publication
            yield path.name, path.read_bytes()


def read_notary(network: InProcessNetwork) -> Iterator[tuple[str, bytes]]:
    """The notary's files; of a database on a server, its values.

    A copy is read, which another process has made: SQLite's locks belong to a process, and go as
    soon as it closes a file of the database, even one that it has only read.
    """
    with tempfile.TemporaryDirectory(prefix="specie-copy-") as copy:
        copier = shutil.which("cp")
        assert copier is not None, "every POSIX system has it"
        command = [copier, "-R", str(network.settings.data / "notary"), copy]
        # a draft of the archive may be renamed while it runs; then it says so and goes on
        subprocess.run(command, check=False, stderr=subprocess.DEVNULL)  # noqa: S603  # our folders
        yield from read_folder(Path(copy))
    if network.settings.database is not None:
        for value in network.databases.open("notary").iterate_values():
            yield "the notary's database", value


def _gather_views(network: InProcessNetwork, payment: ShownPayment) -> dict[str, bytes]:
    """By side, all that it can read of the payment."""
    payer, payee = payment.payer, payment.payee
    refs = {output.ref for output in payment.built.signed.body.outputs}
    received = [one.opening for one in payee.wallet.load_tokens() if one.ref in refs]
    signed = encode_signed(payment.built.signed)
    shown = payment.built.build_payee_view(payee.bank.number)
    people = (payer, payee)
    return {
        f"payer {payer.client}": _join([signed], payment.openings, [payer]),
        get_bank_name(network, payer.bank): _join(
            [signed], payment.openings, _list_known(payer.bank, people)
        ),
        f"payee {payee.client}": _join([], received, [payee]),
        get_bank_name(network, payee.bank): _join(
            [shown.outline.pack()],
            [one.opening for one in shown.outputs],
            _list_known(payee.bank, people),
        ),
        "notary": encode_attested(payment.attested),
        "public": b"".join(leaf for _, leaf in load_published(network.public)),
    }


def _list_known(bank: Bank, people: Sequence[Person]) -> list[Person]:
    """Whose movements a bank has on file."""
    return [person for person in people if bank.load_movements(person.client)]


def _join(data: Sequence[bytes], openings: Iterable[Opening], people: Iterable[Person]) -> bytes:
    names = (str(person.client).encode() for person in people)
    return b"".join((*data, *(opening.pack() for opening in openings), *names))
