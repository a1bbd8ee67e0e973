"""A party that breaks a rule is found; with everybody honest the same days are clean (X12)."""

import re
from collections.abc import Callable
from functools import cache

import pytest

from specie.simulation.country import Country
from specie.simulation.running import Report, simulate
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


PEOPLE: dict[str, tuple[Mutant, int, int, int, str]] = {  # seed, minutes, newcomers
    "banks that redirect a number, seen by who watches the log": (
        mutants.let_banks_redirect_numbers,
        3,
        4,
        1,
        r"ALARM: version \d+ of your number's entry was not signed on this device",
    ),
    "banks that redirect a number, seen by who looks it up": (
        mutants.let_banks_redirect_numbers,
        1,
        4,
        3,
        "a look-up gives an address of its owner",
    ),
    "a directory that tells what is outdated": (
        mutants.let_the_directory_be_outdated,
        1,
        4,
        3,
        "a look-up gives nothing older",
    ),
    "banks that are deaf to losses": (
        mutants.let_banks_ignore_losses,
        1,
        4,
        3,
        "reported lost pays nobody|lost has paid|no order is stuck: recovery",
    ),
    "banks that keep deposits": (
        mutants.let_banks_keep_deposits,
        1,
        4,
        3,
        "the model says",
    ),
    "devices that hear of no limit": (
        mutants.let_devices_hear_of_no_limit,
        1,
        4,
        3,
        "is above the limit of",
    ),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_it_is_found(name: str) -> None:
    mutant, seed, minutes, said = CASES[name]
    assert run_honest(seed, minutes, 0).finding == ""
    report = simulate(seed, minutes, mutant, newcomers=0)
    assert re.search(said, report.finding)
    assert report.tail, "what led to it is told"


@pytest.mark.parametrize("name", sorted(PEOPLE))
def test_it_is_found_among_people(name: str) -> None:  # T3, T6, T8, T19, X7
    mutant, seed, minutes, newcomers, said = PEOPLE[name]
    assert run_honest(seed, minutes, newcomers).finding == ""
    assert re.search(said, simulate(seed, minutes, mutant, newcomers=newcomers).finding)


@cache
def run_honest(seed: int, minutes: int, newcomers: int) -> Report:
    """Several cases have the same day."""
    return simulate(seed, minutes, newcomers=newcomers)
