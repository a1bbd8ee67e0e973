"""A device fetches page by page, from a bank that may say what it likes (T11)."""

from collections.abc import Sequence
from itertools import count

import pytest

from specie.bank.service import Bank
from specie.flows import receiving
from specie.flows.receiving import collect
from specie.ledger.records import Output
from specie.values.identifiers import ClientId, OutputRef
from tests.country import Country


class Repeating:
    """A bank that offers one output again and again, a page full of it."""

    def __init__(self, output: Output, page: int) -> None:
        self.pages = [output] * page
        self.asked = count(1)

    def fetch_outputs(self, client: ClientId) -> list[Output]:
        """Always the same."""
        assert next(self.asked) < 10, f"{client} fetches without end"
        return self.pages

    def confirm_fetched(self, client: ClientId, refs: Sequence[OutputRef]) -> None:
        """Forgotten at once."""


def test_a_bank_that_repeats_itself_is_left(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the device knew the output before or not."""
    monkeypatch.setattr(receiving, "PAGE_ITEMS_MAX", 3)
    person, payer = country.open_person(country.north, 30), country.open_person(country.south, 5)
    known = person.wallet.load_tokens()[0].output
    assert collect(person.id, person.wallet, Repeating(known, 3)) == 0
    promise = country.pay(payer, person, 5)
    (fresh,) = country.north.fetch_outputs(person.id)
    assert promise.txid and collect(person.id, person.wallet, Repeating(fresh, 3)) == 1
    assert person.collect() == 0


def test_pages_that_were_recorded_before_a_stop_are_gone_through(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They bring nothing new, and have to be confirmed before the next is offered."""
    monkeypatch.setattr(receiving, "PAGE_ITEMS_MAX", 2)
    person = country.open_person(country.north)
    country.lend_deposit(person, 15)
    country.withdraw(person, *range(1, 6))
    bank = Paging(country.north)
    person.wallet.receive(country.north.fetch_outputs(person.id)[:4])
    assert collect(person.id, person.wallet, bank) == 1
    assert country.north.fetch_outputs(person.id) == []


class Paging:
    """The bank, with pages of two."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank

    def fetch_outputs(self, client: ClientId) -> list[Output]:
        """The first ones."""
        return self.bank.fetch_outputs(client)[:2]

    def confirm_fetched(self, client: ClientId, refs: Sequence[OutputRef]) -> None:
        """As it is."""
        self.bank.confirm_fetched(client, refs)
