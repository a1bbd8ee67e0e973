"""Finding our tokens among outputs (spec page 02, "Receiving"; T11).

s = H("shared", a·R ‖ R ‖ A ‖ B),  ours iff tag fits, P = B + t·G, and the opening rebuilds it
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from specie.crypto.addresses import Address
from specie.crypto.outputs import Scanner
from specie.crypto.secrets import ScanKey, ViewKey
from specie.identity.participants import Participant
from specie.ledger.records import Output
from specie.tokens.holdings import ReturnKeys, Token
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import PublicKey
from specie.values.limits import SCAN_OUTPUTS_MAX


class Viewing(Protocol):
    """What it takes to see what an address receives; a holder's keys are more than that."""

    @property
    def view(self) -> ViewKey:
        """a, of A."""
        ...

    @property
    def address(self) -> Address:
        """Bank, A, B."""
        ...

    @property
    def returns(self) -> ReturnKeys | None:
        """Return addresses, where the phrase is known."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class FoundToken:
    """A token, and the number under which its view key was added to the scanner."""

    client: int
    token: Token


def scan(
    outputs: Sequence[Output], view_key: ViewKey, spend: PublicKey, bank: Participant
) -> list[Token]:
    """A wallet's own tokens among `outputs`; whatever does not rebuild exactly is not ours."""
    _check_number(outputs)
    scanner = Scanner(bank.number, bank.scan_key)
    scanner.add(view_key, spend)
    result = scanner.scan([output.data for output in outputs])
    return [Token(outputs[hit.index], hit.opening) for hit in result.hits]


def scan_own(outputs: Sequence[Output], keys: Viewing, bank: Participant) -> list[Token]:
    """The same, with what was paid to a return address of ours.

    These are tried for outputs alone that our own address does not open: a handful, of those that
    a bank names.
    """
    found = scan(outputs, keys.view, keys.address.spend, bank)
    known = {token.ref for token in found}
    left = [output for output in outputs if output.ref not in known]
    if not left or keys.returns is None:
        return found
    scanner = Scanner(bank.number, bank.scan_key)
    for one in keys.returns:
        scanner.add(one.view, one.address.spend)
    result = scanner.scan([output.data for output in left])
    return [*found, *(Token(left[hit.index], hit.opening) for hit in result.hits)]


def scan_for_clients(
    outputs: Sequence[Output],
    clients: Sequence[tuple[ViewKey, PublicKey]],
    bank: Participant,
    scan_key: ScanKey,
) -> list[FoundToken]:
    """A bank's look at public outputs: one Diffie-Hellman each, by the hint."""
    _check_number(outputs)
    scanner = Scanner(bank.number, bank.scan_key)
    for view_key, spend in clients:
        scanner.add(view_key, spend)
    result = scanner.scan_hinted(scan_key, [output.data for output in outputs])
    return [FoundToken(hit.client, Token(outputs[hit.index], hit.opening)) for hit in result.hits]


def _check_number(outputs: Sequence[Output]) -> None:
    if len(outputs) > SCAN_OUTPUTS_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "too many outputs in one scan")
