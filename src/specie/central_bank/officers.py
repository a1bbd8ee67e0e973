"""Officers: people whose keys authorise a change of the supply (P2, design §5 invariant 7).

An officer signs only what it has recomputed: the transaction's change is the application's
amount, and every output rebuilds from its opening and goes to the applicant's vault.
"""

from dataclasses import dataclass

from specie.crypto.addresses import Address
from specie.crypto.hashing import tagged_hash
from specie.crypto.outputs import Opening, derive_output
from specie.crypto.secrets import InstitutionKey
from specie.crypto.signatures import sign_as_institution
from specie.identity.roster import Roster
from specie.ledger.messages import compute_supply_message
from specie.ledger.records import Authorisation
from specie.ports.issuance import Application, Direction
from specie.tokens.building import BuiltTransaction
from specie.values.catalogue import ErrorCode
from specie.values.encoding import u8, u32, u64
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, NetworkId, Signature


@dataclass(frozen=True, slots=True, repr=False)
class OfficerDesk:
    """One officer with its key."""

    number: int
    key: InstitutionKey

    def approve(self, application: Application, network: NetworkId) -> Signature:
        """A signature over the application itself."""
        return sign_as_institution(self.key, compute_approval_message(application, network))

    def authorise(
        self,
        application: Application,
        built: BuiltTransaction,
        roster: Roster,
        serial: int,
        total_after: int,
    ) -> Authorisation:
        """A signature over this change, after recomputing it."""
        check_matches(application, built, roster)
        body = built.signed.body
        message = compute_supply_message(
            body.network, serial, body.txid, body.supply_change, total_after
        )
        return Authorisation(self.number, sign_as_institution(self.key, message))


def compute_approval_message(application: Application, network: NetworkId) -> Digest:
    """What an approval signs; internal to the central bank."""
    is_issue = application.direction is Direction.ISSUE
    return tagged_hash(
        "approve",
        network,
        application.order,
        u8(is_issue),
        u32(application.participant),
        u64(application.amount),
        application.vault.view,
        application.vault.spend,
    )


def check_matches(application: Application, built: BuiltTransaction, roster: Roster) -> None:
    """`disclosure_mismatch` unless the transaction is exactly what was applied for."""
    body, openings = built.signed.body, built.disclosure.openings
    is_issue = application.direction is Direction.ISSUE
    wanted = application.amount if is_issue else -application.amount
    if body.supply_change != wanted or body.network != roster.genesis.network:
        raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "not the amount applied for")
    if len(openings) != len(body.outputs):
        raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "not all outputs are shown")
    for opening, output in zip(openings, body.outputs, strict=True):
        _check_output(opening, output.data, application.vault, roster)
    total = sum(opening.amount for opening in openings)
    if is_issue and total != application.amount:
        raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "outputs are not the amount applied for")


def _check_output(opening: Opening, output: bytes, vault: Address, roster: Roster) -> None:
    if (opening.bank, opening.view, opening.spend) != (vault.bank, vault.view, vault.spend):
        raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "an output leaves the applicant's vault")
    scan_key = roster.current.get(opening.bank).scan_key
    if derive_output(opening, scan_key).data != output:
        raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "an output is not what is shown")
