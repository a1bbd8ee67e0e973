"""`CoreBank` over the bank's own books (T6, T19): what a bank without a core system has.

An account is a client's deposit account, under the client's own id; so every client is linked.
"""

from enum import Enum
from typing import Final

from specie.bank.deposits import VAULT, DepositBooks
from specie.crypto.hashing import tagged_hash
from specie.ports.core_bank import Position
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.encoding import u8
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, CoreAccount, EndToEndId, EntryId

HOLD: Final = 0
FINISH: Final = 1  # paid out or ended: one id, so that never both


class OwnCoreBank:
    """The books' withdrawals and deposits, under end-to-end ids."""

    def __init__(self, books: DepositBooks) -> None:
        self._books = books

    @property
    def is_ours(self) -> bool:
        """They are in the bank's database, with its journal."""
        return True

    def find_account(self, client: ClientId) -> CoreAccount | None:
        """Under the client's own id."""
        return CoreAccount(client)

    def check_account(self, client: ClientId, account: CoreAccount) -> None:
        """`account_unknown`; `core_bank_refused` if it is another client's."""
        if str(account) != str(client):
            raise SpecieError(ErrorCode.CORE_BANK_REFUSED, "the account is another client's")
        self.get_balance(account)

    def get_balance(self, account: CoreAccount) -> Minor:
        """What is held has left the deposit already."""
        return self._books.get_deposit(ClientId(account))

    def hold(self, reference: EndToEndId, account: CoreAccount, amount: Minor) -> None:
        """Into transit; `account_overdrawn`, and `core_bank_refused` if it was released before."""
        entry = derive_entry(reference, HOLD)
        self._books.hold_withdrawal(entry, [(ClientId(account), amount)])
        if self._find_finish(reference) is _Finish.RELEASED:
            raise SpecieError(ErrorCode.CORE_BANK_REFUSED, "the hold was released before")

    def settle(self, reference: EndToEndId) -> None:
        """What was held is paid out of the vault."""
        held = self._books.find_entry(derive_entry(reference, HOLD))
        if held is None or self._find_finish(reference) is _Finish.RELEASED:
            raise SpecieError(ErrorCode.CORE_BANK_REFUSED, "nothing is held under this id")
        self._books.complete_withdrawal(derive_entry(reference, FINISH), held.postings[-1].amount)

    def release(self, reference: EndToEndId) -> None:
        """Back into the deposit; `core_bank_refused` if it was settled.

        An unknown id gets no mark: our journal holds and releases in transactions of this database,
        so there is no message that could come late.
        """
        hold, finish = derive_entry(reference, HOLD), derive_entry(reference, FINISH)
        if self._books.find_entry(hold) is None:
            return
        if self._find_finish(reference) is _Finish.SETTLED:
            raise SpecieError(ErrorCode.CORE_BANK_REFUSED, "it was settled before")
        self._books.release_withdrawal(hold, finish)

    def credit(self, reference: EndToEndId, account: CoreAccount, amount: Minor) -> None:
        """Tokens came into the vault."""
        self._books.credit_deposit(EntryId(reference), ClientId(account), amount)

    def count_position(self) -> Position:
        """Nothing is apart from the books: in transit is what is held."""
        return Position(self._books.get_in_transit(), Minor(0), Minor(0))

    def _find_finish(self, reference: EndToEndId) -> "_Finish | None":
        """One entry for both ends, so that never both: out of the vault, or back."""
        entry = self._books.find_entry(derive_entry(reference, FINISH))
        if entry is None:
            return None
        is_paid = any(posting.account == VAULT for posting in entry.postings)
        return _Finish.SETTLED if is_paid else _Finish.RELEASED


class _Finish(Enum):
    SETTLED = "settled"
    RELEASED = "released"


def derive_entry(reference: EndToEndId, step: int) -> EntryId:
    """One entry id for each step under an end-to-end id; internal to the bank's books."""
    return EntryId(tagged_hash("entry", reference, u8(step))[:16])
