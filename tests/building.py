"""A small network for tests: its keys, a ledger in memory, and transactions made to measure.

A `Draft` is everything a transaction is made of, secrets included; `sign` makes it real. A test
that breaks one rule replaces one part of the draft and signs again, so that all else still holds.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from specie.crypto.addresses import Address
from specie.crypto.outputs import NO_LABEL, NO_LOCK, Opening, derive_output, derive_owner_key
from specie.crypto.proofs import (
    BatchRefusedError,
    build_balance_key,
    prove_range,
    verify_statements,
)
from specie.crypto.secrets import InstitutionKey, KeyTree, Mask, ScanKey, SigningKey
from specie.crypto.signatures import sign as sign_schnorr
from specie.crypto.signatures import sign_as_institution
from specie.crypto.sums import sum_scalars
from specie.identity.genesis import Genesis, ProofMode
from specie.identity.participants import Officer, Participant, ParticipantList, Role, Status
from specie.ledger.checks import ContractContext
from specie.ledger.contracts import check_contract
from specie.ledger.messages import (
    compute_attestation_message,
    compute_kernel_message,
    compute_owner_message,
    compute_reserve_message,
    compute_supply_message,
)
from specie.ledger.records import (
    Attestation,
    AttestationRole,
    Authorisation,
    Claim,
    Kernel,
    Kind,
    Output,
    RangeProof,
    ReserveReference,
    SupplySection,
    Terms,
)
from specie.ledger.state import LedgerOutput, LedgerView, OverlayView, SupplyState
from specie.ledger.statements import build_transaction_statement, get_failure_error
from specie.ledger.transactions import AttestedTransaction, SignedTransaction, TransactionBody
from specie.tokens.holdings import HolderKeys, Memo, Token, derive_keys
from specie.values.amounts import Currency, Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    EntryId,
    InstitutionPublicKey,
    ParticipantNumber,
    PublicKey,
    Scalar,
)
from specie.values.times import Timestamp

NOW: Final = Timestamp(1_800_000_000_000)
WINDOW: Final = (Timestamp(NOW - 60_000), Timestamp(NOW + 60_000))
CENTRAL, NORTH, SOUTH, EAST, AUDITOR = (ParticipantNumber(number) for number in range(1, 6))
NOBODY: Final = ParticipantNumber(99)
POLICY: Final = 1
CAP: Final = Minor(1_000_000)


@dataclass(frozen=True, slots=True)
class Institution:
    """An institution's secrets, its vault, and two clients."""

    scan: ScanKey
    attestation: SigningKey
    institution: InstitutionKey
    vault: HolderKeys
    alice: HolderKeys
    bob: HolderKeys


@dataclass(frozen=True, slots=True)
class World:
    """Who is there, with everybody's keys."""

    genesis: Genesis
    members: ParticipantList
    institutions: Mapping[ParticipantNumber, Institution]
    list_key: InstitutionKey
    notary_key: InstitutionKey
    accounting_key: InstitutionKey
    officers: Mapping[int, InstitutionKey]

    def with_member(
        self, bank: ParticipantNumber, status: Status, successor: int = 0, role: Role = Role.BANK
    ) -> "World":
        """The same world under the next participant list, which says this of `bank`."""
        member = replace(
            self.members.participants[bank], status=status, successor=successor, role=role
        )
        participants = {**self.members.participants, bank: member}
        version = self.members.version + 1
        return replace(
            self, members=replace(self.members, version=version, participants=participants)
        )

    def with_officer(self, number: int, status: Status) -> "World":
        """The same world with an officer in another standing."""
        officer = replace(self.members.officers[number], status=status)
        officers = {**self.members.officers, number: officer}
        return replace(self, members=replace(self.members, officers=officers))

    def with_genesis(self, **changes: object) -> "World":
        """The same people on a network with other parameters."""
        genesis = replace(self.genesis, **changes)  # type: ignore[arg-type]  # names are Genesis's
        return replace(
            self, genesis=genesis, members=replace(self.members, network=genesis.network)
        )


def make_world(mode: ProofMode = ProofMode.PUBLISHED) -> World:
    """Central bank, three banks, an auditor, four officers; made once, never changed."""
    return _make_world(mode)


@cache
def _make_world(mode: ProofMode) -> World:
    list_key, notary_key, accounting_key = (InstitutionKey.generate() for _ in range(3))
    genesis = Genesis(
        name="test",
        currency=Currency("TST", 2),
        address_prefix="tst",
        proof_mode=mode,
        list_key=InstitutionPublicKey(list_key.public),
        officers_required=2,
        supply_cap_day=CAP,
        batch_payments_min=256,
        batch_age_ms_max=2_000,
        created_ms=NOW - 1_000_000,
    )
    roles = {CENTRAL: Role.CENTRAL_BANK, AUDITOR: Role.AUDITOR}
    institutions = {
        number: _make_institution(number) for number in (CENTRAL, NORTH, SOUTH, EAST, AUDITOR)
    }
    officers = {number: InstitutionKey.generate() for number in (1, 2, 3, 4)}
    members = ParticipantList(
        network=genesis.network,
        version=1,
        time=NOW,
        notary_key=InstitutionPublicKey(notary_key.public),
        accounting_key=InstitutionPublicKey(accounting_key.public),
        officers={
            number: Officer(number, Status.ACTIVE, InstitutionPublicKey(key.public))
            for number, key in officers.items()
        },
        participants={
            number: Participant(
                number=number,
                role=roles.get(number, Role.BANK),
                status=Status.ACTIVE,
                successor=0,
                scan_key=PublicKey(one.scan.public),
                attestation_key=PublicKey(one.attestation.public),
                institution_key=InstitutionPublicKey(one.institution.public),
                name=f"institution {number}",
            )
            for number, one in institutions.items()
        },
    )
    return World(genesis, members, institutions, list_key, notary_key, accounting_key, officers)


def _make_institution(number: ParticipantNumber) -> Institution:
    vault, alice, bob = (derive_keys(KeyTree.generate(), 0, number) for _ in range(3))
    return Institution(
        ScanKey.generate(), SigningKey.generate(), InstitutionKey.generate(), vault, alice, bob
    )


# --- money --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Holding:
    """A token with the keys that spend it."""

    token: Token
    mask: Mask
    keys: HolderKeys


def make_opening(address: Address, amount: int, memo: bytes | None = None) -> Opening:
    """A fresh opening of cash."""
    return Opening(
        view=address.view,
        spend=address.spend,
        bank=address.bank,
        anchor=os.urandom(16),
        amount=Minor(amount),
        kind=Kind.CASH,
        label=NO_LABEL,
        lock=NO_LOCK,
        expiry=Timestamp(0),
        memo=Memo().pack() if memo is None else memo,
    )


def make_holding(world: World, keys: HolderKeys, amount: int) -> Holding:
    """A token that is in no ledger yet."""
    return hold(world, keys, make_opening(keys.address, amount))


def hold(world: World, keys: HolderKeys, opening: Opening) -> Holding:
    """The token of an opening that is addressed to `keys`."""
    derived = derive_output(opening, world.members.get(opening.bank).scan_key)
    return Holding(Token(Output(derived.data), opening), derived.mask, keys)


def make_view(supply: int = 0) -> OverlayView:
    """An empty ledger in memory; `supply` is what was issued on earlier days."""
    return OverlayView(None, SupplyState(serial=1 if supply else 0, total=supply, day=0))


def mint(world: World, view: OverlayView, keys: HolderKeys, amount: int) -> Holding:
    """Put a token into the ledger in memory, as if a transaction had made it."""
    holding = make_holding(world, keys, amount)
    output = holding.token.output
    view.outputs[output.ref] = LedgerOutput(output, Kind.CASH, keys.address.bank)
    return holding


# --- drafts -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Voice:
    """What a bank is going to attest; signed with `key`, by default the bank's own."""

    role: AttestationRole
    bank: ParticipantNumber
    inputs: int
    outputs: int
    claim: Claim = Claim.CLIENT
    key: SigningKey | None = None


@dataclass(frozen=True, slots=True)
class SupplyPlan:
    """What officers and accounting are going to sign."""

    serial: int
    total_after: int
    officers: tuple[tuple[int, InstitutionKey], ...]
    reserve: ReserveReference | None


@dataclass(frozen=True, slots=True)
class Draft:
    """All that a transaction is made of."""

    world: World
    body: TransactionBody
    openings: tuple[Opening, ...]
    masks: tuple[Mask, ...]
    owners: tuple[SigningKey, ...]
    kernels: tuple[SigningKey, ...]
    voices: tuple[Voice, ...]
    supply: SupplyPlan | None = None

    def with_body(self, **changes: object) -> "Draft":
        """The same with another body."""
        body = replace(self.body, **changes)  # type: ignore[arg-type]  # names are the body's
        return replace(self, body=body)


def build(
    world: World,
    holdings: Sequence[Holding],
    payees: Sequence[tuple[HolderKeys, int]],
    *,
    change: int = 0,
    window: tuple[Timestamp, Timestamp] = WINDOW,
) -> Draft:
    """A draft that pays these amounts, attested by the banks concerned."""
    openings = [make_opening(keys.address, amount) for keys, amount in payees]
    return assemble(world, holdings, openings, change=change, window=window)


def assemble(
    world: World,
    holdings: Sequence[Holding],
    openings: Sequence[Opening],
    *,
    change: int = 0,
    window: tuple[Timestamp, Timestamp] = WINDOW,
    kernels: int = 1,
) -> Draft:
    """The same from openings."""
    derived = [
        derive_output(opening, world.members.get(opening.bank).scan_key) for opening in openings
    ]
    masks = tuple(one.mask for one in derived)
    keys, offset = make_kernels(masks, [holding.mask for holding in holdings], kernels)
    body = TransactionBody(
        network=world.genesis.network,
        kind=Kind.CASH,
        supply_change=change,
        not_before=window[0],
        not_after=window[1],
        offset=offset,
        inputs=tuple(holding.token.ref for holding in holdings),
        outputs=tuple(Output(one.data) for one in derived),
        terms=tuple(
            Terms(one.terms_nonce, Kind.CASH, opening.bank)
            for one, opening in zip(derived, openings, strict=True)
        ),
        proofs=prove(world.genesis.proof_mode, openings, masks),
    )
    owners = tuple(derive_owner(holding) for holding in holdings)
    claim = Claim.VAULT if change else Claim.CLIENT
    voices = make_voices([one.keys.address.bank for one in holdings], openings, claim)
    return Draft(world, body, tuple(openings), masks, owners, keys, voices)


def make_kernels(
    out_masks: Sequence[Mask], in_masks: Sequence[Mask], count: int
) -> tuple[tuple[SigningKey, ...], Scalar]:
    """Kernel keys and the offset; every further kernel takes a random part of the first."""
    parts = [Mask.generate() for _ in range(count - 1)]
    pairs = [build_balance_key([*out_masks, *parts], in_masks)]
    pairs += [build_balance_key([], [part]) for part in parts]
    return tuple(key for key, _ in pairs), sum_scalars([offset for _, offset in pairs])


def prove(
    mode: ProofMode, openings: Sequence[Opening], masks: Sequence[Mask]
) -> tuple[RangeProof, ...]:
    """Range proofs the way a network wants them."""
    step = 1 if mode is ProofMode.PUBLISHED else len(openings)
    amounts = [opening.amount for opening in openings]
    return tuple(
        RangeProof(step, prove_range(amounts[at : at + step], masks[at : at + step]))
        for at in range(0, len(openings), step)
    )


def derive_owner(holding: Holding) -> SigningKey:
    """The one-time key that spends a holding."""
    return derive_owner_key(holding.keys.spend, holding.keys.view, holding.token.output.data)


def make_voices(
    banks: Sequence[ParticipantNumber], openings: Sequence[Opening], claim: Claim
) -> tuple[Voice, ...]:
    """The inputs' bank for inputs and its outputs, every other bank for its outputs."""
    payers = sorted(set(banks))
    payees = sorted({opening.bank for opening in openings} - set(payers))
    voices = []
    for bank in (*payers, *payees):
        outputs = sum(1 << at for at, opening in enumerate(openings) if opening.bank == bank)
        inputs = sum(1 << at for at, number in enumerate(banks) if number == bank)
        is_alone = inputs and outputs == (1 << len(openings)) - 1
        role = AttestationRole.PAYER if inputs else AttestationRole.PAYEE
        voices.append(
            Voice(AttestationRole.BOTH if is_alone else role, bank, inputs, outputs, claim)
        )
    return tuple(voices)


# --- changes of the supply ----------------------------------------------------------------------


def build_issue(
    world: World,
    supply: SupplyState,
    payees: Sequence[tuple[HolderKeys, int]],
    *,
    window: tuple[Timestamp, Timestamp] = WINDOW,
) -> Draft:
    """New money into vaults of one bank, with officers 1 and 2 and a fresh reserve debit."""
    amount = sum(paid for _, paid in payees)
    draft = build(world, (), payees, change=amount, window=window)
    return replace(
        draft, supply=plan_supply(world, supply, amount, payees[0][0].address.bank, window[0])
    )


def build_redemption(
    world: World, supply: SupplyState, holdings: Sequence[Holding], amount: int
) -> Draft:
    """Money out of a vault; the rest comes back."""
    vault = holdings[0].keys
    rest = sum(holding.token.amount for holding in holdings) - amount
    draft = build(world, holdings, [(vault, rest), (vault, 0)], change=-amount)
    return replace(draft, supply=plan_supply(world, supply, -amount, vault.address.bank, NOW))


def plan_supply(
    world: World, supply: SupplyState, change: int, bank: ParticipantNumber, time: Timestamp
) -> SupplyPlan:
    """The next serial, the right total, two officers, and for an issue a signed debit."""
    officers = ((1, world.officers[1]), (2, world.officers[2]))
    reserve = make_reserve(world, bank, change, time) if change > 0 else None
    return SupplyPlan(supply.serial + 1, supply.total + change, officers, reserve)


def make_reserve(
    world: World,
    bank: ParticipantNumber,
    amount: int,
    time: Timestamp = NOW,
    entry: EntryId | None = None,
    key: InstitutionKey | None = None,
) -> ReserveReference:
    """A debit as the accounting signs it."""
    entry = EntryId(os.urandom(16)) if entry is None else entry
    message = compute_reserve_message(world.genesis.network, entry, bank, amount, time)
    signature = sign_as_institution(key or world.accounting_key, message)
    return ReserveReference(entry, bank, amount, time, signature)


# --- signing, judging ---------------------------------------------------------------------------


def sign(draft: Draft) -> AttestedTransaction:
    """Everybody signs what the draft now says."""
    body = draft.body
    message = compute_kernel_message(body.network, body.txid, body.supply_change)
    kernels = tuple(
        Kernel(PublicKey(key.public), sign_schnorr(key, message)) for key in draft.kernels
    )
    owners = tuple(
        sign_schnorr(
            key,
            compute_owner_message(body.network, ref, body.not_before, body.not_after, body.txid),
        )
        for key, ref in zip(draft.owners, body.inputs, strict=True)
    )
    supply = None if draft.supply is None else _sign_supply(body, draft.supply)
    attestations = tuple(attest(draft.world, body, voice) for voice in draft.voices)
    return AttestedTransaction(SignedTransaction(body, kernels, owners, supply), attestations)


def _sign_supply(body: TransactionBody, plan: SupplyPlan) -> SupplySection:
    message = compute_supply_message(
        body.network, plan.serial, body.txid, body.supply_change, plan.total_after
    )
    signed = tuple(
        Authorisation(number, sign_as_institution(key, message)) for number, key in plan.officers
    )
    return SupplySection(plan.serial, plan.total_after, signed, plan.reserve)


def attest(world: World, body: TransactionBody, voice: Voice) -> Attestation:
    """A bank says it."""
    fields = (voice.role, voice.bank, voice.inputs, voice.outputs, voice.claim, POLICY)
    message = compute_attestation_message(
        body.network, body.txid, voice.role, voice.inputs, voice.outputs, voice.claim, POLICY
    )
    key = voice.key or world.institutions[voice.bank].attestation
    return Attestation(*fields, sign_schnorr(key, message))


def make_context(world: World, view: LedgerView, now: Timestamp = NOW) -> ContractContext:
    """What a contract is judged by."""
    return ContractContext(world.genesis, world.members, now, view)


def verify(transaction: AttestedTransaction, context: ContractContext) -> None:
    """Proofs and Schnorr signatures of one transaction, as the notary verifies a batch."""
    try:
        verify_statements([build_transaction_statement(transaction, context)])
    except BatchRefusedError as refused:
        raise get_failure_error(transaction, refused.failures) from None


def accept(transaction: AttestedTransaction, context: ContractContext) -> None:
    """All the rules, then all proofs and signatures."""
    check_contract(transaction, context)
    verify(transaction, context)


def find_code(transaction: AttestedTransaction, context: ContractContext) -> ErrorCode | None:
    """The code a transaction is refused with, None if it is accepted."""
    try:
        accept(transaction, context)
    except SpecieError as error:
        return error.code
    return None
