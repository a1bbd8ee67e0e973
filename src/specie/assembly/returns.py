"""A bank's requests for return: its desk, and the way to the bank of the other side."""

from dataclasses import dataclass

from specie.assembly.foundation import Foundation
from specie.assembly.payment_services import PaymentServices
from specie.bank.return_requests import ReturnDesk
from specie.bank.service import Bank
from specie.crypto.secrets import SealingKey
from specie.identity.roster import is_served
from specie.ports.returns import ReturnAnswer
from specie.remote.return_client import RemoteReturns
from specie.store.return_store import SqliteReturnStore
from specie.tokens.return_requests import ReturnRequest
from specie.values.identifiers import ClientId, OutputRef, ParticipantNumber


@dataclass(frozen=True, slots=True, repr=False)
class Returns:
    """What was recorded here is told to the other side; if it was not heard, the same again is."""

    base: Foundation
    desk: ReturnDesk
    remote: RemoteReturns

    def ask(self, client: ClientId, request: ReturnRequest) -> None:
        """The payee has it, or its bank has, when this returns."""
        kept = self.desk.ask(client, request)
        if self._is_here(kept.other):
            self.desk.receive(self.desk.number, kept.signed)
        else:
            self.remote.relay(kept.other, kept.signed)

    def decline(self, client: ClientId, ref: OutputRef, answer: ReturnAnswer) -> None:
        """The payer's bank has it when this returns."""
        kept = self.desk.decline(client, ref, answer)
        if self._is_here(kept.other):
            self.desk.hear_answer(self.desk.number, ref, answer)
        else:
            self.remote.answer(kept.other, ref, answer)

    def _is_here(self, bank: ParticipantNumber) -> bool:
        return is_served(bank, self.desk.number, self.base.peers.roster)


def build_returns(
    bank: Bank,
    base: Foundation,
    payments: PaymentServices,
    remote: RemoteReturns,
    storage: SealingKey,
) -> Returns:
    """With the institution's key, which signs that a client has paid."""
    desk = ReturnDesk(
        number=bank.number,
        network=base.peers.network,
        key=base.channel.speaker.key,
        clients=bank.clients,
        paid=payments.paid,
        store=SqliteReturnStore(base.database, storage),
        tell=payments.telling.tell_return,
        clock=base.clock,
        find_members=lambda: base.peers.roster.current,
    )
    return Returns(base, desk, remote)
