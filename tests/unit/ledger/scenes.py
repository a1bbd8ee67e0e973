"""Valid transactions to break: a payment, an issue, a redemption, each in a ledger of its own.

The costly part is made once a kind of network; every `Scene` gets its own layer of state above it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from specie.crypto.secrets import SigningKey
from specie.crypto.signatures import sign as sign_schnorr
from specie.identity.genesis import ProofMode
from specie.ledger.checks import Check, ContractContext
from specie.ledger.contracts import check_contract, get_contract
from specie.ledger.messages import compute_owner_message
from specie.ledger.records import Output
from specie.ledger.state import OverlayView, Spend, SupplyState
from specie.ledger.transactions import AttestedTransaction, TransactionBody
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import OutputRef, TransactionId
from specie.values.times import Timestamp
from tests.building import (
    NORTH,
    NOW,
    SOUTH,
    Draft,
    Holding,
    Institution,
    SupplyPlan,
    Voice,
    World,
    build,
    build_issue,
    build_redemption,
    make_context,
    make_view,
    make_world,
    mint,
    sign,
    verify,
)
from tests.refusing import refuse

Case = tuple[AttestedTransaction, ContractContext]
EARLIER: Final = 5_000_000  # issued on earlier days


@dataclass(frozen=True, slots=True)
class Scene:
    """A draft that would be accepted at `now` in `view`."""

    world: World
    view: OverlayView
    draft: Draft
    holdings: tuple[Holding, ...]
    now: Timestamp = NOW

    @property
    def north(self) -> Institution:
        """The payer's bank."""
        return self.world.institutions[NORTH]

    @property
    def south(self) -> Institution:
        """The payee's bank."""
        return self.world.institutions[SOUTH]

    @property
    def plan(self) -> SupplyPlan:
        """What officers and accounting sign."""
        assert self.draft.supply is not None
        return self.draft.supply

    def judge(self, draft: Draft | None = None, world: World | None = None) -> Case:
        """Sign this draft and put it before this world's contract."""
        context = make_context(world or self.world, self.view, self.now)
        return sign(draft or self.draft), context

    def with_voices(self, *voices: Voice) -> Case:
        """Attested like this instead."""
        return self.judge(replace(self.draft, voices=voices))

    def with_plan(self, plan: SupplyPlan | None) -> Case:
        """Authorised like this instead."""
        return self.judge(replace(self.draft, supply=plan))


@cache
def _make_payment(mode: ProofMode) -> Scene:
    world = make_world(mode)
    north, south = world.institutions[NORTH], world.institutions[SOUTH]
    view = make_view(EARLIER)
    holdings = tuple(mint(world, view, north.alice, amount) for amount in (700, 300))
    draft = build(world, holdings, [(south.bob, 900), (north.alice, 100)])
    return Scene(world, view, draft, holdings)


@cache
def _make_issue(mode: ProofMode) -> Scene:
    world, view = make_world(mode), make_view(EARLIER)
    vault = world.institutions[NORTH].vault
    draft = build_issue(world, view.supply, [(vault, 5_000), (vault, 0)])
    return Scene(world, view, draft, ())


@cache
def _make_redemption(mode: ProofMode) -> Scene:
    world, view = make_world(mode), make_view(EARLIER)
    holdings = (mint(world, view, world.institutions[NORTH].vault, 5_000),)
    draft = build_redemption(world, view.supply, holdings, 3_000)
    return Scene(world, view, draft, holdings)


def _stage(scene: Scene) -> Scene:
    return replace(scene, view=OverlayView(scene.view, scene.view.supply))


def make_payment(mode: ProofMode = ProofMode.PUBLISHED) -> Scene:
    """Alice of the north pays 900 to Bob of the south, out of 700 and 300."""
    return _stage(_make_payment(mode))


def make_issue(mode: ProofMode = ProofMode.PUBLISHED) -> Scene:
    """5,000 new into the north's vault."""
    return _stage(_make_issue(mode))


def make_redemption(mode: ProofMode = ProofMode.PUBLISHED) -> Scene:
    """3,000 of 5,000 out of the north's vault."""
    return _stage(_make_redemption(mode))


# --- breaking -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Break:
    """How one rule is broken, and what else cannot hold then."""

    rule: Check
    code: ErrorCode
    act: Callable[[Scene], Case]
    unasked: tuple[Check, ...]  # checks that cannot pass, or cannot even be asked
    is_provable: bool  # whether all proofs and signatures hold all the same

    @property
    def name(self) -> str:
        """For the test's id."""
        return f"{self.code.value}: {self.act.__name__}"


class Breaks(list[Break]):
    """A table of breaks, filled by a decorator."""

    def of(
        self,
        rule: Check,
        code: ErrorCode,
        unasked: Sequence[Check] = (),
        *,
        is_provable: bool = True,
    ) -> Callable[[Callable[[Scene], Case]], Callable[[Scene], Case]]:
        """The decorated function breaks `rule`, which answers with `code`."""

        def enter(act: Callable[[Scene], Case]) -> Callable[[Scene], Case]:
            self.append(Break(rule, code, act, tuple(unasked), is_provable))
            return act

        return enter


def check_break(broken: Break, scene: Scene) -> None:
    """The contract answers with exactly this code, and only this rule keeps the transaction out.

    The rule itself raises the code, every other rule is content, and all proofs and signatures
    hold, wherever the broken rule leaves that possible.
    """
    transaction, context = broken.act(scene)
    contract = get_contract(transaction)
    assert broken.rule in contract
    assert refuse(check_contract, transaction, context) is broken.code
    assert refuse(broken.rule, transaction, context) is broken.code
    for rule in contract:
        if rule is not broken.rule and rule not in broken.unasked:
            rule(transaction, context)
    if broken.is_provable:
        verify(transaction, context)


# --- parts --------------------------------------------------------------------------------------


def overwrite(output: Output, start: int, part: bytes) -> Output:
    """The output with other bytes at a place."""
    return Output(output.data[:start] + part + output.data[start + len(part) :])


def replace_output(draft: Draft, index: int, output: Output) -> Draft:
    """The draft with another output."""
    outputs = list(draft.body.outputs)
    outputs[index] = output
    return draft.with_body(outputs=tuple(outputs))


def make_spend(
    body: TransactionBody,
    ref: OutputRef,
    key: SigningKey,
    window: tuple[Timestamp, Timestamp],
    txid: bytes = bytes(range(32)),
) -> Spend:
    """An earlier spend, signed by `key`."""
    message = compute_owner_message(body.network, ref, *window, TransactionId(txid))
    return Spend(TransactionId(txid), *window, sign_schnorr(key, message))


def set_supply(scene: Scene, **fields: int) -> None:
    """Another state of the supply."""
    scene.view.supply = replace(scene.view.supply, **fields)


def fresh_supply(scene: Scene) -> SupplyState:
    """The state of the supply."""
    return scene.view.supply
