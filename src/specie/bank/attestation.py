"""A bank's yes (T8, T16): recompute everything that is shown, then sign.

    payer's bank   inputs are tokens of this client, unspent as far as we know; every opening
                   rebuilds its output; what goes in comes out; the client is in good standing
    payee's bank   the output stands in the outline at its slot, rebuilds from its opening, and
                   belongs to a client of ours in good standing or to our own vault

The payee's bank sees neither inputs nor change. No bank can spend or redirect anything here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from specie.crypto.addresses import Address
from specie.crypto.outputs import Opening, derive_output
from specie.crypto.secrets import SigningKey
from specie.crypto.signatures import sign
from specie.identity.roster import Roster, is_served
from specie.ledger.messages import compute_attestation_message
from specie.ledger.outline import Outline, compute_slot
from specie.ledger.records import Attestation, AttestationRole, Claim, Output
from specie.ledger.transactions import TransactionBody
from specie.policy import builtin
from specie.tokens.building import BuiltTransaction
from specie.tokens.disclosures import PayeeView
from specie.tokens.holdings import Token
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    NetworkId,
    ParticipantNumber,
    TransactionId,
)
from specie.values.limits import (
    ATTEST_AHEAD_MS_MAX,
    ATTEST_EARLY_MS_MAX,
    INPUTS_MAX,
    OUTPUTS_MAX,
)
from specie.values.times import Timestamp


@dataclass(frozen=True, slots=True, repr=False)
class Attester:
    """Who signs: the bank's number and key."""

    number: ParticipantNumber
    key: SigningKey
    roster: Roster

    def attest(
        self,
        txid: TransactionId,
        role: AttestationRole,
        inputs: int,
        outputs: Sequence[int],
        claim: Claim,
        policy: int = builtin.VERSION,
    ) -> Attestation:
        """Sign for the first `inputs` inputs and the outputs at these indexes.

        `policy` is the version of the bank's policy that the payment was judged by.
        """
        network: NetworkId = self.roster.genesis.network
        input_bits = (1 << inputs) - 1
        output_bits = sum(1 << index for index in set(outputs))
        message = compute_attestation_message(
            network, txid, role, input_bits, output_bits, claim, policy
        )
        signature = sign(self.key, message)
        return Attestation(role, self.number, input_bits, output_bits, claim, policy, signature)


def rebuild_outputs(built: BuiltTransaction, roster: Roster) -> list[Token]:
    """Every output must rebuild from the opening shown for it: `disclosure_mismatch` otherwise."""
    body, openings = built.signed.body, built.disclosure.openings
    if len(openings) != len(body.outputs):
        raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "not all outputs are disclosed")
    return [
        _rebuild(opening, output, roster)
        for output, opening in zip(body.outputs, openings, strict=True)
    ]


def check_counts(inputs: int, outputs: int) -> None:
    """Before anything is recorded: an attestation has a bit for each, and no more than that."""
    if inputs > INPUTS_MAX or outputs > OUTPUTS_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "at most 16 inputs and 16 outputs")


def check_conserved(inputs: Sequence[Token], outputs: Sequence[Token], change: int) -> None:
    """What goes in comes out, but for a change of the supply."""
    total_in = sum(token.amount for token in inputs)
    total_out = sum(token.amount for token in outputs)
    if total_in + change != total_out:
        raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "amounts shown do not add up")


def check_network(body: TransactionBody, roster: Roster) -> None:
    """We attest on our own network only."""
    if body.network != roster.genesis.network:
        raise SpecieError(ErrorCode.NETWORK_MISMATCH, "payment of another network")


def check_window_near(outline: Outline, now: Timestamp) -> None:
    """A window that begins later, or ends much later, would let a client stock up attestations.

    With them it could pay after it was blocked: so what a bank has attested is over in an hour.
    """
    is_early = outline.not_before > now + ATTEST_EARLY_MS_MAX
    if is_early or outline.not_after > now + ATTEST_AHEAD_MS_MAX:
        raise SpecieError(ErrorCode.WINDOW_INVALID, "attested is what begins now and ends soon")


def check_not_empty(outputs: Sequence[Token], keeper: Address | None) -> None:
    """Nobody is sent nothing: it costs the payer nothing and fills the payee's wallet.

    `keeper` may have an output of 0: the payer its change, a vault the second output of an issue.
    """
    for token in outputs:
        opening = token.opening
        owner = Address(opening.bank, opening.view, opening.spend)
        if token.amount == 0 and owner != keeper:
            raise SpecieError(ErrorCode.AMOUNT_OUT_OF_RANGE, "an amount of zero to somebody else")


def rebuild_revealed(view: PayeeView, roster: Roster, number: ParticipantNumber) -> list[Token]:
    """The outputs shown to the payee's bank, each checked against its slot in the outline."""
    if view.outline.network != roster.genesis.network:
        raise SpecieError(ErrorCode.NETWORK_MISMATCH, "payment of another network")
    indexes = {shown.index for shown in view.outputs}
    if not indexes or len(indexes) != len(view.outputs):
        raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "outputs shown: each once, at least one")
    tokens = []
    for shown in view.outputs:
        if not is_served(shown.opening.bank, number, roster):
            raise SpecieError(ErrorCode.NOT_SERVED_HERE, "the payee is served elsewhere")
        scan_key = roster.current.get(shown.opening.bank).scan_key
        output = Output(derive_output(shown.opening, scan_key).data)
        if not 0 <= shown.index < len(view.outline.slots):
            raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "no such output")
        slot = compute_slot(shown.salt, shown.index, output.ref)
        if slot != view.outline.slots[shown.index]:
            raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "not an output of this payment")
        tokens.append(Token(output, shown.opening))
    return tokens


def _rebuild(opening: Opening, output: Output, roster: Roster) -> Token:
    scan_key = roster.current.get(opening.bank).scan_key
    if derive_output(opening, scan_key).data != output.data:
        raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "an output is not what is shown")
    return Token(output, opening)
