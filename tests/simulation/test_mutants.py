"""A party that breaks a rule is found; with everybody honest the same days are clean (X12)."""

import re
from collections.abc import Callable

import pytest

from specie.simulation.country import Country
from specie.simulation.running import simulate
from tests.simulation import mutants
from tests.simulation.days import run_honest

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
        1,
        20,
        "the model says",
    ),
}


PEOPLE: dict[str, tuple[Mutant, int, str]] = {
    "banks that redirect numbers": (
        mutants.let_banks_redirect_numbers,
        2,
        "a look-up gives an address of its owner|was not signed on this device",
    ),
    "a directory that tells what is outdated": (
        mutants.let_the_directory_be_outdated,
        2,
        "a look-up gives nothing older",
    ),
    "banks that are deaf to losses": (
        mutants.let_banks_ignore_losses,
        2,
        "a device that was reported lost pays nobody",
    ),
    "banks that keep deposits": (
        mutants.let_banks_keep_deposits,
        3,
        "the model says",
    ),
    "devices that hear of no limit": (
        mutants.let_devices_hear_of_no_limit,
        3,
        "is above the limit of",
    ),
}
MINUTES = 6
USUAL = {"banks that redirect numbers", "banks that are deaf to losses"}  # the others take as long


@pytest.mark.parametrize("name", sorted(CASES))
def test_it_is_found(name: str) -> None:
    mutant, seed, minutes, said = CASES[name]
    assert run_honest(seed, minutes, 0).finding == ""
    report = simulate(seed, minutes, mutant, newcomers=0)
    assert re.search(said, report.finding)
    assert report.tail, "what led to it is told"


@pytest.mark.parametrize(
    "name",
    [pytest.param(one, marks=() if one in USUAL else pytest.mark.soak) for one in sorted(PEOPLE)],
)
def test_it_is_found_among_people(name: str) -> None:  # T3, T6, T8, T19, X7
    mutant, seed, said = PEOPLE[name]
    assert run_honest(seed, MINUTES).finding == ""
    assert re.search(said, simulate(seed, MINUTES, mutant).finding)


def test_who_watches_the_log_sees_that_its_number_is_redirected() -> None:  # T8, X3
    """Nobody pays it: nothing else shows it."""
    assert run_honest(1, 4, 1).finding == ""
    report = simulate(1, 4, mutants.let_banks_redirect_numbers, newcomers=1)
    assert re.search(
        r"ALARM: version [\d, ]+ of your number's entry was not signed", report.finding
    )
