"""What a bank's people do to clients, or see of them, leaves a trace, by whatever command (T20).

The handlers are real, the desks behind them are not: an entry is asked for before any of them.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import MagicMock

import pytest
from pydantic import ValidationError

from specie.api.bank_face import offer_bank
from specie.api.directory_face import offer_bank_directory
from specie.api.gate import Asking, Handler
from specie.bank.access import Operator
from specie.remote.acting import NO_REASON, NOBODY, Acting, Tracked
from specie.remote.bank_operations import (
    APPLY_ISSUE,
    EXPORT_CLIENTS,
    GET_FACTS,
    IMPORT_CLIENTS,
    INVITE,
    LEND_CLIENT,
    LINK_ACCOUNT,
    RECONCILE,
    REDEEM,
    TRANSFER,
    UNLINK_ACCOUNT,
)
from specie.remote.compliance_operations import (
    COMPLIANCE,
    GET_ACCESS_HEAD,
    GET_POLICY,
    LIST_POLICIES,
    VERIFY_ACCESS,
)
from specie.remote.directory_operations import SET_CLIENT_PHONE
from specie.remote.operations import Caller, Operation
from specie.remote.payment_operations import (
    LIST_DEAD,
    LIST_WEBHOOKS,
    REMOVE_WEBHOOK,
    REPLAY_WEBHOOK,
    SET_WEBHOOK,
)
from specie.remote.people_operations import (
    APPROVE_ACCOUNT,
    CLOSE_CLIENT,
    LIST_ACCOUNTS,
    PROPOSE_SEATS,
    REFUSE_ACCOUNT,
    REOPEN_LOST,
    REPORT_LOST,
    SHOW_ACCOUNT,
    SHOW_SEATS,
)
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from tests.country import refused

NUMBER: Final = "ab" * 16
ANNA: Final = {"client": "anna"}
ACTS: Final[dict[str, tuple[Operation[Any, Any], dict[str, Any]]]] = {
    "applications": (LIST_ACCOUNTS, {}),
    "application": (SHOW_ACCOUNT, {"number": NUMBER}),
    "approve": (APPROVE_ACCOUNT, {"number": NUMBER, "by": NOBODY}),
    "refuse": (REFUSE_ACCOUNT, {"numbers": [NUMBER], "by": NOBODY, "reason": NO_REASON}),
    "signatories": (PROPOSE_SEATS, {**ANNA, "need": 1, "names": ["x"]}),
    "signatories-shown": (SHOW_SEATS, ANNA),
    "close": (CLOSE_CLIENT, ANNA),
    "lost": (REPORT_LOST, ANNA),
    "reopen": (REOPEN_LOST, ANNA),
    "invite": (INVITE, {**ANNA, "name": "Anna"}),
    "phone": (SET_CLIENT_PHONE, {**ANNA, "phone": "+77015550102"}),
    "link-account": (LINK_ACCOUNT, {**ANNA, "account": "KZ1"}),
    "unlink-account": (UNLINK_ACCOUNT, ANNA),
    "webhook": (SET_WEBHOOK, {**ANNA, "url": "https://shop.example/in"}),
    "webhook-removed": (REMOVE_WEBHOOK, ANNA),
    "webhooks": (LIST_WEBHOOKS, {}),
    "webhooks-dead": (LIST_DEAD, {}),
    "webhook-replay": (REPLAY_WEBHOOK, ANNA),
    "export-clients": (EXPORT_CLIENTS, {"passphrase": "x"}),
    "import-clients": (
        IMPORT_CLIENTS,
        {"passphrase": "x", "succession": {"salt": NUMBER, "clients": []}},
    ),
}
OF_THE_BANK: Final = (LEND_CLIENT, APPLY_ISSUE, REDEEM, TRANSFER, GET_FACTS, RECONCILE)
"""The bank's own money; what a client borrows is in its books."""
OF_NOBODY: Final = (GET_POLICY, LIST_POLICIES, VERIFY_ACCESS, GET_ACCESS_HEAD)
OPERATOR: Final = Asking(Caller.OPERATOR, "operator")


class Bank:
    """A process whose desks say yes to everything, and whose log is a list."""

    def __init__(self) -> None:
        self.log: list[tuple[Operator, str, str, str]] = []
        self.process = MagicMock()
        self.process.base.database.transaction = self.transaction
        self.process.compliance.access = SimpleNamespace(write=self.write)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        kept = list(self.log)
        try:
            yield
        except SpecieError:
            self.log = kept
            raise

    def write(self, operator: Operator, action: str, client: str = "", subject: str = "") -> None:
        operator.check()
        self.log.append((operator, action, client, subject))

    def list_handlers(self) -> dict[Operation[Any, Any], Handler]:
        offers = (*offer_bank(self.process), *offer_bank_directory(self.process))
        return {one: handler for one, handler in offers if Caller.OPERATOR in one.callers}


def read(operation: Operation[Any, Any], fields: dict[str, Any]) -> Any:
    return operation.request.model_validate_json(json.dumps(fields))


@pytest.mark.parametrize("action", ACTS)
def test_it_is_on_the_log_though_nobody_is_named(action: str) -> None:
    operation, fields = ACTS[action]
    bank = Bank()
    with suppress(ValidationError, TypeError):  # of the answer: what a pretended desk says is none
        bank.list_handlers()[operation](OPERATOR, read(operation, fields))
    [(operator, found, client, subject)] = bank.log
    assert (operator, found) == (Operator(NOBODY, NO_REASON), action)
    assert client == fields.get("client", "") or action == "approve"
    assert [fields[one] for one in ("number", "url", "account", "phone") if one in fields] in (
        [],
        [subject],
    )


def test_who_is_named_stands_there() -> None:
    for action, (operation, fields) in ACTS.items():
        bank, who = Bank(), {"officer": "Ada", "reason": "order 7"}
        if "by" in fields:
            who = {"by": "Ada", "reason": "order 7"}
        with suppress(ValidationError, TypeError):
            bank.list_handlers()[operation](OPERATOR, read(operation, {**fields, **who}))
        assert [one[:2] for one in bank.log] == [(Operator("Ada", "order 7"), action)]


@pytest.mark.parametrize("action", ["close", "lost", "reopen"])
def test_what_is_refused_is_undone_with_its_entry(action: str) -> None:
    operation, fields = ACTS[action]
    bank = Bank()
    losses = bank.process.people.losses
    for one in (losses.close, losses.report, losses.reopen):
        one.side_effect = SpecieError(ErrorCode.CLIENT_BLOCKED, "not now")
    with refused(ErrorCode.CLIENT_BLOCKED):
        bank.list_handlers()[operation](OPERATOR, read(operation, fields))
    assert bank.log == []


def test_no_other_command_is_left_out() -> None:
    """Whoever adds one says here whether it is traced."""
    known = {*(one for one, _ in ACTS.values()), *OF_THE_BANK, *OF_NOBODY}
    for operation in Bank().list_handlers():
        is_acting = issubclass(operation.request, Acting)
        assert is_acting or operation in known, operation.name
    for operation, _ in ACTS.values():
        is_tracked = issubclass(operation.request, Tracked)
        assert is_tracked or operation in (APPROVE_ACCOUNT, REFUSE_ACCOUNT)
    assert {*OF_NOBODY} <= {*COMPLIANCE}
