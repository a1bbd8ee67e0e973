"""One bank speaks to another of money that a client wants back."""

from specie.ports.returns import ReturnAnswer
from specie.remote import payment_operations as payments
from specie.remote import return_models as said
from specie.remote.channel import Channel
from specie.tokens.return_requests import SignedReturn
from specie.values.identifiers import OutputRef, ParticipantNumber


class RemoteReturns:
    """Whoever serves the other side's clients now: the bank itself, or its successor."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def relay(self, bank: ParticipantNumber, signed: SignedReturn) -> None:
        """To the payee's bank."""
        name = self._channel.peers.get_serving(bank).name
        self._channel.call(name, payments.RELAY_RETURN, said.SignedReturnMessage.wrap(signed))

    def answer(self, bank: ParticipantNumber, ref: OutputRef, answer: ReturnAnswer) -> None:
        """To the payer's bank."""
        name = self._channel.peers.get_serving(bank).name
        message = said.AnswerMessage(ref=ref, text=answer.text, proof=answer.proof)
        self._channel.call(name, payments.RELAY_ANSWER, message)
