"""A party that breaks a rule is found; with everybody honest the same days are clean (X12)."""

import re
from collections.abc import Callable

import pytest

from specie.simulation.country import Country
from specie.simulation.running import simulate
from tests.simulation import mutants

Mutant = Callable[[Country], None]

CASES: dict[str, tuple[Mutant, int, int, str]] = {
    "a store without sync": (
        mutants.let_stores_skip_syncs,
        5,
        8,
        "the model says",
    ),
    "a notary that answers before it records": (
        mutants.let_the_notary_promise_first,
        1,
        8,
        "knows for ever|fund − supply",
    ),
    "a wallet that signs again": (
        mutants.let_wallets_sign_again,
        3,
        8,
        "nobody signs twice for one token",
    ),
    "a bank that delivers early": (
        mutants.let_banks_deliver_early,
        2,
        8,
        "hands out only what the notary has promised",
    ),
    "a flow that repeats a step": (
        mutants.let_banks_book_again,
        3,
        20,
        "the model says",
    ),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_it_is_found(name: str) -> None:
    mutant, seed, minutes, said = CASES[name]
    assert simulate(seed, minutes).finding == ""
    report = simulate(seed, minutes, mutant)
    assert re.search(said, report.finding)
    assert report.tail, "what led to it is told"
