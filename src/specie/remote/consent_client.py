"""Consents as a client's device speaks of them to its bank, and a reader with them (T3)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from specie.crypto.addresses import Address
from specie.identity.consents import Consent
from specie.remote import consent_models as said
from specie.remote import consent_operations as consents
from specie.remote.channel import Channel
from specie.remote.fields import Empty
from specie.remote.serving_bank import Serving
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, Signature
from specie.values.times import Timestamp

Answer = TypeVar("Answer")


class ConsentClient(Serving):
    """The client's side."""

    def give(self, consent: Consent, signature: Signature) -> said.ConsentShown:
        """In force when it returns; the same again is the same."""
        request = said.ConsentMessage.wrap(consent, signature)
        return self._channel.call(self.name, consents.GIVE_CONSENT, request)

    def load(self) -> Sequence[said.ConsentShown]:
        """All that we ever gave at this bank."""
        return self._channel.call(self.name, consents.LIST_CONSENTS, Empty()).consents

    def revoke(self, consent: Digest, time: Timestamp, signature: Signature) -> said.ConsentShown:
        """At once and for good."""
        request = said.ConsentRevocation(consent_id=consent, time=time, signature=signature)
        return self._channel.call(self.name, consents.REVOKE_CONSENT, request)

    def load_readings(self, start: int, limit: int) -> Sequence[said.ReadingMessage]:
        """Who has read, the newest first."""
        request = said.ReadingsQuery(start=start, limit=limit)
        return self._channel.call(self.name, consents.LIST_READINGS, request).readings


@dataclass(frozen=True, slots=True, repr=False)
class Grant:
    """What a client hands over to its reader: an id that nobody guesses, and whose it is."""

    consent: Digest
    account: Address


class ReaderClient(Serving):
    """The reader's side; requests are numbered by its clock, in milliseconds."""

    def __init__(self, channel: Channel, grant: Grant) -> None:
        super().__init__(channel, grant.account.bank)
        self._grant = grant
        self._last = 0

    def read_transactions(
        self, since: Timestamp | None, start: int, limit: int
    ) -> said.AccountTransactions:
        """A page of payments."""

        def ask() -> said.AccountTransactions:
            asked = self._begin().model_dump()
            request = said.TransactionsQuery(**asked, since=since, start=start, limit=limit)
            return self._channel.call(self.name, consents.READ_TRANSACTIONS, request)

        return _insist(ask)

    def read_balances(self) -> said.AccountBalances:
        """Both balances."""
        return _insist(lambda: self._channel.call(self.name, consents.READ_BALANCES, self._begin()))

    def _begin(self) -> said.BalancesQuery:
        self._last = max(self._last + 1, self._channel.clock.now())
        return said.BalancesQuery(
            consent_id=self._grant.consent,
            account=said.AccountMessage.wrap(self._grant.account),
            number=self._last,
        )


def _insist(ask: Callable[[], Answer]) -> Answer:
    """Once more, with a new number: a connection that broke has sent the same twice."""
    try:
        return ask()
    except SpecieError as error:
        if error.code is not ErrorCode.READING_REPEATED:
            raise
    return ask()
