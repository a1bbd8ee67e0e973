"""What devices and banks say to each other of money that somebody wants back."""

from typing import Annotated

from pydantic import Field

from specie.crypto.addresses import Address
from specie.ports.returns import KeptReturn, ReturnAnswer
from specie.remote.fields import (
    DigestField,
    Message,
    ParticipantField,
    PointField,
    RefField,
    SignatureField,
    TimeField,
)
from specie.tokens.return_requests import ReturnRequest, SignedReturn
from specie.values.limits import TEXT_MAX

ReasonField = Annotated[str, Field(max_length=TEXT_MAX, description="in the asker's words")]


class ReturnMessage(Message):
    """A request for return, as its payer makes it (page 10)."""

    ref: RefField
    bank: ParticipantField  # of the address to pay back to
    view: PointField
    spend: PointField
    time: TimeField
    reason: ReasonField
    proof: DigestField

    @classmethod
    def wrap(cls, request: ReturnRequest) -> "ReturnMessage":
        """As it travels."""
        to = request.creditor
        return cls(
            ref=request.ref,
            bank=to.bank,
            view=to.view,
            spend=to.spend,
            time=request.time,
            reason=request.reason,
            proof=request.proof,
        )

    def unwrap(self) -> ReturnRequest:
        """Unverified."""
        creditor = Address(self.bank, self.view, self.spend)
        return ReturnRequest(self.ref, creditor, self.time, self.reason, self.proof)


class SignedReturnMessage(Message):
    """The same with the word of the payer's bank."""

    request: ReturnMessage
    bank: ParticipantField
    signature: SignatureField

    @classmethod
    def wrap(cls, signed: SignedReturn) -> "SignedReturnMessage":
        """As it travels."""
        request = ReturnMessage.wrap(signed.request)
        return cls(request=request, bank=signed.bank, signature=signed.signature)

    def unwrap(self) -> SignedReturn:
        """Unverified."""
        return SignedReturn(self.request.unwrap(), self.bank, self.signature)


class AnswerMessage(Message):
    """A payee's no."""

    ref: RefField
    text: ReasonField
    proof: DigestField

    def unwrap(self) -> ReturnAnswer:
        """Unverified."""
        return ReturnAnswer(self.text, self.proof)


class KeptMessage(Message):
    """One request as a bank keeps it for its client."""

    is_asked: bool = Field(description="whether the client asks, else it is asked")
    signed: SignedReturnMessage
    answer: AnswerMessage | None = None

    @classmethod
    def wrap(cls, kept: KeptReturn) -> "KeptMessage":
        """As it travels."""
        ref, said = kept.signed.request.ref, kept.answer
        answer = None
        if said is not None:
            answer = AnswerMessage(ref=ref, text=said.text, proof=said.proof)
        signed = SignedReturnMessage.wrap(kept.signed)
        return cls(is_asked=kept.is_asked, signed=signed, answer=answer)


class Returns(Message):
    """The newest first."""

    returns: list[KeptMessage]
