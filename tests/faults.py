"""Being killed at a chosen step: before a call has its effect, or after that, without an answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from itertools import count
from typing import Any

import pytest

from specie.accounting.reserves import Accounting
from specie.bank.deposits import DepositBooks
from specie.bank.service import Bank
from specie.central_bank.desk import CentralBankDesk
from specie.notary.service import Notary
from specie.store.application_store import SqliteApplicationStore
from specie.store.books_store import SqliteBooksStore
from specie.store.client_store import SqliteClientStore
from specie.store.journal_store import SqliteJournal
from specie.store.notary_store import SqliteNotaryStore
from specie.store.vault_store import SqliteVaultStore
from specie.wallet.vault import Vault

STEPS: dict[type, tuple[str, ...]] = {
    Vault: ("prepare_payment", "prepare_redemption", "settle", "receive"),
    SqliteVaultStore: ("reserve", "record_payment", "settle", "add_tokens"),
    Bank: (
        "attest_payment",
        "attest_receipt",
        "deliver",
        "expect_deposit",
        "expect_transfer",
        "book_sent_transfer",
    ),
    SqliteClientStore: ("record_attested", "finalise", "expect"),
    Notary: ("notarise",),
    SqliteNotaryStore: ("record_batch",),
    CentralBankDesk: (
        "apply",
        "approve",
        "produce",
        "accept_void",
        "authorise",
        "give_up",
        "complete",
    ),
    SqliteApplicationStore: ("add", "record_approval", "record_produced", "advance"),
    SqliteBooksStore: ("post",),
    SqliteJournal: ("begin", "end"),
    Accounting: (
        "debit_for_issue",
        "complete_issue",
        "release_issue",
        "hold_redemption",
        "credit_for_redemption",
    ),
    DepositBooks: ("hold_withdrawal", "complete_withdrawal", "credit_deposit"),
}


class Killed(Exception):
    """The process is gone; nobody catches it."""


@dataclass(slots=True)
class Saboteur:
    """Counts the steps and kills at one of them."""

    kill_at: int = -1
    is_after: bool = False
    steps: list[str] = field(default_factory=list)

    def wrap(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        """The method, with us beside it."""

        @wraps(method)
        def step(*args: Any, **kwargs: Any) -> Any:
            place = len(self.steps)
            self.steps.append(name)
            if place == self.kill_at and not self.is_after:
                raise Killed(f"before {name}")
            answer = method(*args, **kwargs)
            if place == self.kill_at:
                raise Killed(f"after {name}")
            return answer

        return step


@contextmanager
def sabotaged(kill_at: int = -1, *, is_after: bool = False) -> Iterator[Saboteur]:
    """Within: all steps are counted, and one of them is the last."""
    saboteur = Saboteur(kill_at, is_after)
    with pytest.MonkeyPatch.context() as patch:
        for owner, names in STEPS.items():
            for name in names:
                label = f"{owner.__name__}.{name}"
                patch.setattr(owner, name, saboteur.wrap(label, getattr(owner, name)))
        yield saboteur


Deed = Callable[[], object]


def kill_everywhere(make_deed: Callable[[], Deed], restart: Deed, check: Deed) -> list[str]:
    """Kill a deed before each of its steps, and after the last; restart, do it again, check.

    After one step is before the next, so every state on the disk is met. `make_deed` gives another
    deed each time. Gives the steps at which it was killed.
    """
    killed_at: list[str] = []
    for place in count():
        deed = make_deed()
        told = run_killed(deed, place, is_after=False)
        if not told:
            check()
            break
        restart()
        deed()
        check()
        killed_at.append(told)
    deed = make_deed()
    killed_at.append(run_killed(deed, len(killed_at) - 1, is_after=True))
    restart()
    deed()
    check()
    return killed_at


def run_killed(deed: Deed, place: int, *, is_after: bool = False) -> str:
    """At this step, or not at all; gives where."""
    with sabotaged(place, is_after=is_after):
        try:
            deed()
        except Killed as killed:
            return str(killed)
    return ""


def stop(*_: object) -> None:
    """The process is gone."""
    raise KeyboardInterrupt
