"""Attesting for others: a successor for a suspended bank, or a bank that attests anything.

The bank's own code would look at its clients' standing and tokens; here only its key speaks, so
what is refused is refused by the notary's contract.
"""

from dataclasses import replace

from specie.identity.participants import Status
from specie.ledger.records import Attestation, AttestationRole, Claim
from specie.ledger.transactions import AttestedTransaction
from specie.tokens.building import BuiltTransaction
from specie.values.identifiers import ParticipantNumber
from tests.stateful.reopening import take
from tests.stateful.town import Town


def set_standing(
    town: Town, bank: ParticipantNumber, status: Status, successor: ParticipantNumber | None
) -> None:
    """The next participant list says this of `bank` (T2)."""
    current = town.network.roster.current
    member = replace(current.get(bank), status=status, successor=successor or 0)
    members = replace(
        current,
        version=current.version + 1,
        time=town.clock.now(),
        participants={**current.participants, bank: member},
    )
    town.network.replace_participants(members)


def attest_by_key(
    town: Town, built: BuiltTransaction, side: ParticipantNumber, payer: ParticipantNumber
) -> Attestation:
    """For the inputs and outputs that `side` serves, by whoever may attest for it now."""
    attester = town.network.roster.current.find_attester(side)
    assert attester is not None, "there is a successor"
    openings = built.disclosure.openings
    outputs = [index for index, one in enumerate(openings) if one.bank == side]
    role = AttestationRole.PAYER if side == payer else AttestationRole.PAYEE
    if side == payer and len(outputs) == len(openings):
        role = AttestationRole.BOTH
    inputs = len(built.signed.body.inputs) if side == payer else 0
    key = take(town.bank(attester.number), "_keys").attester
    attestation: Attestation = key.attest(built.signed.txid, role, inputs, outputs, Claim.CLIENT)
    return attestation


def attest_all(
    town: Town, built: BuiltTransaction, payer: ParticipantNumber, *, is_honest: bool
) -> AttestedTransaction:
    """Every side attests: honest banks by themselves where they may, the others by their key."""
    sides = {payer, *(one.bank for one in built.disclosure.openings)}
    current = town.network.roster.current
    attestations = []
    for side in sorted(sides):
        bank = town.bank(side)
        if not is_honest or current.get(side).status is not Status.ACTIVE:
            attestations.append(attest_by_key(town, built, side, payer))
        elif side == payer:
            attestations.append(bank.attest_payment(built))
        else:
            attestations.append(bank.attest_receipt(built.build_payee_view(side)))
    return AttestedTransaction(built.signed, tuple(attestations))
