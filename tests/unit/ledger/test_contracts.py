"""The contracts as a whole: true transactions pass, and no rule and no code is left untested.

The breaks themselves are in `test_cash_rules.py` and `test_supply_rules.py`.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import FunctionType
from typing import Final

import pytest

from specie.identity.genesis import ProofMode
from specie.ledger.checks import Check, check_attesters_active, check_points_sound
from specie.ledger.contracts import (
    CASH_CONTRACT,
    SUPPLY_CONTRACT,
    check_contract,
)
from specie.ledger.supply_checks import (
    check_authorisations_enough,
    check_authorisations_signed,
    check_reserve_fits,
    check_reserve_fresh,
    check_reserve_signed,
    check_serial,
    check_total,
)
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from tests.building import accept
from tests.unit.ledger.scenes import Scene, make_issue, make_payment, make_redemption
from tests.unit.ledger.test_cash_rules import CASH_BREAKS
from tests.unit.ledger.test_supply_rules import CHANGE_BREAKS, ISSUE_BREAKS, REDEMPTION_BREAKS

MODES: Final = tuple(ProofMode)
MAKERS: Final = (make_payment, make_issue, make_redemption)
BREAKS: Final = (*CASH_BREAKS, *CHANGE_BREAKS, *ISSUE_BREAKS, *REDEMPTION_BREAKS)

# A change of the supply whose section is missing altogether has no encoding; each rule says so.
SECTION_RULES: Final = (
    check_authorisations_enough,
    check_serial,
    check_total,
    check_authorisations_signed,
)
RESERVE_RULES: Final = (check_reserve_fits, check_reserve_fresh, check_reserve_signed)

# What a rule raises besides the codes in its own source: those of the kernel's decoding.
KERNEL_CODES: Final[dict[Check, set[ErrorCode]]] = {
    check_points_sound: {ErrorCode.POINT_INVALID, ErrorCode.IDENTITY_POINT}
}


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_whole_transactions_are_accepted(  # T16, T4, T19
    make: Callable[[ProofMode], Scene], mode: ProofMode
) -> None:
    accept(*make(mode).judge())


@pytest.mark.parametrize("make", [make_issue, make_redemption], ids=lambda make: make.__name__)
def test_a_change_without_its_section(make: Callable[[], Scene]) -> None:  # T4, P2
    scene = make()
    transaction, context = scene.judge()
    bare = replace(transaction, signed=replace(transaction.signed, supply=None))
    for rule in (check_contract, *SECTION_RULES):
        with pytest.raises(SpecieError) as refused:
            rule(bare, context)
        assert refused.value.code is ErrorCode.AUTHORISATION_MISSING


def test_an_issue_without_its_debit() -> None:  # P8
    scene = make_issue()
    transaction, context = scene.with_plan(replace(scene.plan, reserve=None))
    for rule in (check_contract, *RESERVE_RULES):
        with pytest.raises(SpecieError) as refused:
            rule(transaction, context)
        assert refused.value.code is ErrorCode.RESERVE_REFERENCE_INVALID


# --- nothing is forgotten -----------------------------------------------------------------------


def find_codes(function: Callable[..., object]) -> set[ErrorCode]:
    """The codes named in a function's source, and in that of our functions which it calls."""
    assert isinstance(function, FunctionType)
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    codes = {
        ErrorCode[node.attr]
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "ErrorCode"
    }
    if any(isinstance(node, ast.Name) and node.id == "SpentError" for node in ast.walk(tree)):
        codes.add(ErrorCode.INPUT_SPENT)
    for called in find_called(function, tree):
        codes |= find_codes(called)
    return codes


def find_called(function: FunctionType, tree: ast.AST) -> Iterator[FunctionType]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for name in sorted(names - {function.__name__}):
        found = function.__globals__.get(name)
        if isinstance(found, FunctionType) and found.__module__.startswith("specie.ledger"):
            yield found


def test_the_search_for_codes_finds_them() -> None:
    assert find_codes(check_attesters_active) == {
        ErrorCode.ATTESTER_UNKNOWN,
        ErrorCode.ATTESTER_SUSPENDED,
        ErrorCode.ATTESTER_REVOKED,
        ErrorCode.ATTESTER_WRONG,
    }
    assert ErrorCode.AUTHORISATION_MISSING in find_codes(check_serial)


def test_every_rule_and_every_code_is_broken_once() -> None:  # T16
    broken: set[tuple[Check, ErrorCode]] = {(one.rule, one.code) for one in BREAKS}
    broken |= {(rule, ErrorCode.AUTHORISATION_MISSING) for rule in (*SECTION_RULES, *RESERVE_RULES)}
    broken |= {(rule, ErrorCode.RESERVE_REFERENCE_INVALID) for rule in RESERVE_RULES}
    possible = {
        (rule, code)
        for rule in {*CASH_CONTRACT, *SUPPLY_CONTRACT}
        for code in find_codes(rule) | KERNEL_CODES.get(rule, set())
    }
    assert broken == possible
