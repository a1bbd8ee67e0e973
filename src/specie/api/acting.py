"""What operators do and look at stands in the bank's access log, with who and why (T20)."""

from collections.abc import Iterator
from contextlib import contextmanager

from specie.assembly.bank_process import BankProcess
from specie.bank.access import Operator
from specie.remote.acting import Acting, Tracked


def name_operator(request: Acting | Tracked) -> Operator:
    """Who acts, and why, as the request says."""
    return Operator(request.officer, request.reason)


def note(
    process: BankProcess, request: Tracked, action: str, client: str = "", subject: str = ""
) -> None:
    """Durable before anything is shown, or asked of somebody else."""
    process.compliance.access.write(name_operator(request), action, client, subject)


@contextmanager
def noting(
    process: BankProcess, operator: Operator, action: str, client: str = "", subject: str = ""
) -> Iterator[None]:
    """The entry and what is done within, in one transaction: both or neither."""
    with process.base.database.transaction():
        process.compliance.access.write(operator, action, client, subject)
        yield
