"""Building and signing transactions, for wallets, tills and institutions alike (spec page 03).

    k = Σm_out - Σm_in - o,   K = k·G,   each input signed by its one-time owner key

Outputs are sorted by reference, so their order says nothing about which one is the change.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from specie.crypto.addresses import Address
from specie.crypto.outputs import (
    NO_LABEL,
    NO_LOCK,
    DerivedOutput,
    Opening,
    derive_output,
    derive_owner_key,
    draw_anchor,
)
from specie.crypto.proofs import build_balance_key, prove_range
from specie.crypto.secrets import Mask, SigningKey
from specie.crypto.signatures import sign
from specie.identity.genesis import ProofMode
from specie.ledger.messages import compute_kernel_message, compute_owner_message
from specie.ledger.outline import compute_slot_salt
from specie.ledger.records import Kernel, Kind, Output, RangeProof, SupplySection, Terms
from specie.ledger.transactions import SignedTransaction, TransactionBody
from specie.tokens.disclosures import Disclosure, PayeeView, RevealedOutput
from specie.tokens.holdings import HolderKeys, Memo, Token
from specie.values.amounts import Minor, check_minor, check_positive, sum_minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ZERO32,
    NetworkId,
    OutputRef,
    ParticipantNumber,
    PublicKey,
)
from specie.values.limits import INPUTS_MAX, OUTPUTS_MAX, SUPPLY_CHANGE_MAX
from specie.values.times import Timestamp

FindScanKey = Callable[[ParticipantNumber], PublicKey]


@dataclass(frozen=True, slots=True)
class BuildContext:
    """The network's rules that a builder needs, and the window of validity."""

    network: NetworkId
    proof_mode: ProofMode
    find_scan_key: FindScanKey  # bank → V, from the participant list
    not_before: Timestamp
    not_after: Timestamp


@dataclass(frozen=True, slots=True, repr=False)
class PaymentOrder:
    """The business intent: this much, to this creditor, with this memo."""

    creditor: Address
    amount: Minor
    memo: Memo


@dataclass(frozen=True, slots=True, repr=False)
class BuiltTransaction:
    """Signed, with what the banks must be shown."""

    signed: SignedTransaction
    disclosure: Disclosure

    def build_payee_view(self, bank: ParticipantNumber) -> PayeeView:
        """What `bank` is shown: the outline and its own outputs, without those of the payer."""
        body = self.signed.body
        shown = tuple(
            RevealedOutput(index, compute_slot_salt(body.offset, index), opening)
            for index, opening in enumerate(self.disclosure.openings)
            if opening.bank == bank
        )
        return PayeeView(body.outline, shown)


def build_payment(
    orders: Sequence[PaymentOrder],
    tokens: Sequence[Token],
    keys: HolderKeys,
    context: BuildContext,
) -> BuiltTransaction:
    """Pay the creditors and return the rest to ourselves, also when it is zero.

    One order makes the usual two outputs; a bank that hands out money pays up to 15 at once.
    """
    total = sum_minor([token.amount for token in tokens])
    paid = sum_minor([check_positive(order.amount) for order in orders])
    if total < paid:
        raise SpecieError(ErrorCode.FUNDS_INSUFFICIENT, "the tokens do not reach the amount")
    change = check_minor(total - paid)
    payees = [(order.creditor, order.amount, order.memo) for order in orders]
    return _build([*payees, (keys.address, change, Memo())], tokens, keys, 0, context)


def build_issue(
    creditor: Address, amount: Minor, keys: HolderKeys, context: BuildContext
) -> BuiltTransaction:
    """New money into an institution's vault; officers and accounting sign afterwards."""
    payees = [(creditor, check_positive(amount), Memo()), (creditor, Minor(0), Memo())]
    return _build(payees, (), keys, amount, context)


def build_redemption(
    amount: Minor, tokens: Sequence[Token], keys: HolderKeys, context: BuildContext
) -> BuiltTransaction:
    """Void money out of a vault of ours; the rest comes back as change."""
    total = sum_minor([token.amount for token in tokens])
    if total < check_positive(amount):
        raise SpecieError(ErrorCode.FUNDS_INSUFFICIENT, "the tokens do not reach the amount")
    change = check_minor(total - amount)
    payees = [(keys.address, change, Memo()), (keys.address, Minor(0), Memo())]
    return _build(payees, tokens, keys, -amount, context)


def _build(
    payees: Sequence[tuple[Address, Minor, Memo]],
    tokens: Sequence[Token],
    keys: HolderKeys,
    supply_change: int,
    context: BuildContext,
) -> BuiltTransaction:
    if abs(supply_change) > SUPPLY_CHANGE_MAX:
        raise SpecieError(ErrorCode.AMOUNT_OUT_OF_RANGE, "supply changes by less than 2**63")
    if len(tokens) > INPUTS_MAX or len(payees) > OUTPUTS_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "at most 16 inputs and 16 outputs")
    inputs = tuple(token.ref for token in tokens)
    drafts = _derive_outputs(payees, inputs, keys, context)
    in_masks = [_derive_mask(token, context) for token in tokens]
    kernel_key, offset = build_balance_key([draft.derived.mask for draft in drafts], in_masks)
    body = TransactionBody(
        network=context.network,
        kind=Kind.CASH,
        supply_change=supply_change,
        not_before=context.not_before,
        not_after=context.not_after,
        offset=offset,
        inputs=inputs,
        outputs=tuple(draft.output for draft in drafts),
        terms=tuple(draft.terms for draft in drafts),
        proofs=_prove(drafts, context.proof_mode),
    )
    supply = SupplySection(0, 0, (), None) if supply_change else None
    signed = _sign(body, kernel_key, tokens, keys, supply)
    return BuiltTransaction(signed, Disclosure(tuple(draft.opening for draft in drafts)))


@dataclass(frozen=True, slots=True, repr=False)
class _Draft:
    opening: Opening
    derived: DerivedOutput
    output: Output
    terms: Terms


def _derive_outputs(
    payees: Sequence[tuple[Address, Minor, Memo]],
    inputs: Sequence[OutputRef],
    keys: HolderKeys,
    context: BuildContext,
) -> list[_Draft]:
    first = inputs[0] if inputs else ZERO32
    drafts = []
    for index, (address, amount, memo) in enumerate(payees):
        opening = Opening(
            view=address.view,
            spend=address.spend,
            bank=address.bank,
            anchor=draw_anchor(keys.secret, first, index),
            amount=amount,
            kind=Kind.CASH,
            label=NO_LABEL,
            lock=NO_LOCK,
            expiry=Timestamp(0),
            memo=memo.pack(),
        )
        derived = derive_output(opening, context.find_scan_key(address.bank))
        terms = Terms(derived.terms_nonce, Kind.CASH, address.bank)
        drafts.append(_Draft(opening, derived, Output(derived.data), terms))
    return sorted(drafts, key=lambda draft: draft.output.ref)


def _derive_mask(token: Token, context: BuildContext) -> Mask:
    return derive_output(token.opening, context.find_scan_key(token.opening.bank)).mask


def _prove(drafts: Sequence[_Draft], mode: ProofMode) -> tuple[RangeProof, ...]:
    groups = [[draft] for draft in drafts] if mode is ProofMode.PUBLISHED else [list(drafts)]
    return tuple(
        RangeProof(
            len(group),
            prove_range(
                [draft.opening.amount for draft in group],
                [draft.derived.mask for draft in group],
            ),
        )
        for group in groups
    )


def _sign(
    body: TransactionBody,
    kernel_key: SigningKey,
    tokens: Sequence[Token],
    keys: HolderKeys,
    supply: SupplySection | None,
) -> SignedTransaction:
    kernel_message = compute_kernel_message(body.network, body.txid, body.supply_change)
    kernel = Kernel(PublicKey(kernel_key.public), sign(kernel_key, kernel_message))
    signatures = []
    for token in tokens:
        message = compute_owner_message(
            body.network, token.ref, body.not_before, body.not_after, body.txid
        )
        own = keys.get_for(token.opening)
        owner = derive_owner_key(own.spend, own.view, token.output.data)
        signatures.append(sign(owner, message))
    return SignedTransaction(body, (kernel,), tuple(signatures), supply)
