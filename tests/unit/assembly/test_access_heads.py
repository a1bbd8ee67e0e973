"""The head of the access log leaves the bank: who cuts entries off is found out by it (T20)."""

import re
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from specie.assembly.access_heads import AccessHeads
from specie.assembly.alarms import ACCESS_LOG_CUT, Alarms
from specie.bank.access import AccessLog, Operator
from specie.crypto.secrets import InstitutionKey, SealingKey
from specie.store.access_store import SqliteAccessStore
from specie.store.database import Database
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import NetworkId, ParticipantNumber
from tests.clocks import ManualClock
from tests.country import refused

ADA = Operator("Ada", "asked to")
TABLES = ("access_entry", "access_head")


class Bank:
    """Its log, and who may write to the database and has no key."""

    def __init__(self, place: Path) -> None:
        self.database = Database(place)
        store = SqliteAccessStore(self.database, SealingKey.generate())
        network, number = NetworkId(bytes(16)), ParticipantNumber(2)
        self.log = AccessLog(store, ManualClock(), network, number, InstitutionKey.generate())
        self.alarms = Alarms()
        self.heads = AccessHeads(self.log, self.alarms)

    def tell(self) -> list[str]:
        """A round of the worker a minute later: the heads that stand in the process' log."""
        self.heads._told_at = float("-inf")  # noqa: SLF001  # as a minute does
        with capture_logs() as lines:
            self.found = self.heads.work()
        return [one["head"] for one in lines if one["event"] == "access log"]

    def run(self, *statements: str) -> None:
        with self.database.transaction() as connection:
            for one in statements:
                connection.exec_driver_sql(one)

    def keep(self) -> None:
        self.run(*(f"create table kept_{one} as select * from {one}" for one in TABLES))

    def put_back(self) -> None:
        for one in TABLES:
            self.run(f"delete from {one}", f"insert into {one} select * from kept_{one}")


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    return Bank(tmp_path / "bank.db")


def test_a_new_head_is_a_line_of_the_log(bank: Bank) -> None:
    assert bank.tell() == []
    bank.log.write(ADA, "search", "anna")
    [head] = bank.tell()
    assert re.fullmatch(r"1:[0-9a-f]{64}", head) and bank.tell() == []
    bank.log.write(ADA, "search", "boris")
    assert bank.log.verify([], [head]) == 2 and len(bank.tell()) == 1
    assert bank.heads.work() == [] and bank.alarms.list() == {}


@pytest.mark.parametrize("is_rewritten", [True, False])
def test_entries_that_were_cut_off_are_missed(bank: Bank, *, is_rewritten: bool) -> None:
    """Without any key: the old rows put back are a log that holds, but for who has a later head."""
    bank.log.write(ADA, "search", "anna")
    bank.keep()
    bank.log.write(ADA, "search", "boris")
    [head] = bank.tell()
    bank.put_back()
    if is_rewritten:
        bank.log.write(ADA, "search", "clara")
    assert bank.log.verify([]) == 1 + is_rewritten, "by itself the log does not know"
    with refused(ErrorCode.ACCESS_LOG_INVALID):
        bank.log.verify([], [head])
    for _ in range(2):
        assert bank.tell() == [] and [one.code for one in bank.found] == [
            ErrorCode.ACCESS_LOG_INVALID
        ]
    assert list(bank.alarms.list()) == [ACCESS_LOG_CUT]


@pytest.mark.parametrize("text", ["", "1", "1:ab", "x:" + "0" * 64, "-1:" + "0" * 64])
def test_what_is_no_head_is_refused(bank: Bank, text: str) -> None:
    with refused(ErrorCode.ACCESS_LOG_INVALID):
        bank.log.verify([], [text])
