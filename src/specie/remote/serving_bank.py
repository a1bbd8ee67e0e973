"""A client's own bank, as the client's device reaches it."""

from collections.abc import Sequence
from dataclasses import replace

from specie.crypto.addresses import Address
from specie.ledger.records import Output
from specie.ledger.states import StateStatement
from specie.ledger.transactions import Promise
from specie.remote import bank_models, models, payment_models, return_models
from specie.remote import bank_operations as banks
from specie.remote import client_models as clients
from specie.remote import payment_operations as payments
from specie.remote.channel import Channel
from specie.remote.fields import Empty
from specie.tokens.building import BuiltTransaction, PaymentOrder
from specie.tokens.holdings import Memo, Token
from specie.tokens.return_requests import ReturnRequest
from specie.values.amounts import Minor
from specie.values.identifiers import (
    ClientId,
    CoreAccount,
    Digest,
    OrderId,
    OutputRef,
    ParticipantNumber,
    ServiceName,
    Signature,
)
from specie.values.limits import CLAIMS_MAX


class Serving:
    """At whoever serves the clients of a bank now: itself, or its successor."""

    def __init__(self, channel: Channel, number: ParticipantNumber) -> None:
        self._channel = channel
        self._number = number

    @property
    def number(self) -> ParticipantNumber:
        """Of the bank, or of its successor."""
        return self._channel.peers.get_serving(self._number).number

    @property
    def name(self) -> ServiceName:
        """Its service."""
        return self._channel.peers.get_serving(self._number).name


class ServingBankClient(Serving):
    """What a device asks for; the client's name is in the signature, not in the messages."""

    def open_wallet(self, opening: clients.Opening) -> ClientId:
        """With the bank's code; gives the bank's id for us."""
        return self._channel.call(self.name, banks.OPEN_WALLET, opening).client

    def claim_tokens(self, tokens: Sequence[Token]) -> int:
        """Of our lost bank; gives how many the successor serves now."""
        shown = [one.output.data + one.opening.pack() for one in tokens]
        served = 0
        for start in range(0, len(shown), CLAIMS_MAX):
            request = clients.Claims(tokens=shown[start : start + CLAIMS_MAX])
            served += self._channel.call(self.name, banks.CLAIM_TOKENS, request).served
        return served

    def pay(self, built: BuiltTransaction) -> Promise:
        """Final when it returns; the same again gets the same answer."""
        request = models.BuiltMessage.wrap(built)
        return self._channel.call(self.name, banks.PAY, request).unwrap()

    def withdraw(self, order: OrderId, amount: Minor) -> Promise:
        """Deposit money becomes tokens; they are fetched afterwards."""
        request = clients.Amount(order=order, amount=amount)
        return self._channel.call(self.name, banks.WITHDRAW, request).unwrap()

    def expect_deposit(self, order: OrderId, amount: Minor) -> Address:
        """Where tokens become a deposit, if they are paid under this order."""
        request = clients.Amount(order=order, amount=amount)
        answer = self._channel.call(self.name, banks.EXPECT_DEPOSIT, request)
        return Address(self.number, answer.view, answer.spend)

    def fetch_outputs(self, client: ClientId) -> list[Output]:
        """Final, unspent, not yet confirmed."""
        del client  # by the signature
        return self._channel.call(self.name, banks.LIST_OUTPUTS, Empty()).unwrap()

    def confirm_fetched(self, client: ClientId, refs: Sequence[OutputRef]) -> None:
        """The device has recorded these."""
        del client
        request = clients.References(refs=list(refs))
        self._channel.call(self.name, banks.CONFIRM_OUTPUTS, request)

    def get_waterfall(self) -> clients.Waterfall:
        """What we have switched on, and what we may hold."""
        return self._channel.call(self.name, banks.GET_WATERFALL, Empty())

    def switch_waterfall(self, request: clients.Switching) -> clients.Waterfall:
        """Gives what is on now."""
        return self._channel.call(self.name, banks.SWITCH_WATERFALL, request)

    def link_account(self, account: CoreAccount | None) -> CoreAccount:
        """Ours at the bank's core system."""
        request = clients.Linking(account=account)
        return self._channel.call(self.name, banks.LINK_OWN_ACCOUNT, request).account

    def describe_standing(self) -> clients.Standing:
        """All that the bank says of our account."""
        return self._channel.call(self.name, banks.GET_STANDING, Empty())

    def prove_time(self) -> str:
        """A receipt of the log's newest header, of the registration; our bank passes it on."""
        return self._channel.call(self.name, payments.LOOK_AT_TIME, Empty()).note

    def state_outputs(self, refs: Sequence[OutputRef]) -> StateStatement:
        """The registration's word, passed on as well: it need not know who asks."""
        request = bank_models.StatesQuery(refs=list(refs))
        return self._channel.call(self.name, payments.LOOK_AT_OUTPUTS, request).unwrap()

    def claim_name(self, payment: PaymentOrder) -> Memo:
        """The order's memo with our registered name and the bank's signature in it (T9)."""
        creditor, memo = payment.creditor, payment.memo
        request = payment_models.NameClaimRequest(
            bank=creditor.bank,
            view=creditor.view,
            spend=creditor.spend,
            amount=payment.amount,
            order=memo.order_id,
            end_to_end_id=memo.end_to_end_id,
        )
        answer = self._channel.call(self.name, payments.CLAIM_NAME, request)
        return replace(memo, name=answer.name, name_signature=answer.signature)

    def add_return_address(self, given: Address, proof: Signature) -> None:
        """What is paid there is ours as well; again is the same."""
        request = payment_models.ReturnAddressRequest(
            bank=given.bank, view=given.view, spend=given.spend, proof=proof
        )
        self._channel.call(self.name, payments.ADD_RETURN_ADDRESS, request)

    def ask_return(self, request: ReturnRequest) -> None:
        """Of the payee, through both banks; again is the same."""
        message = return_models.ReturnMessage.wrap(request)
        self._channel.call(self.name, payments.ASK_RETURN, message)

    def list_returns(self) -> list[return_models.KeptMessage]:
        """What we have asked, and what we are asked for."""
        return self._channel.call(self.name, payments.LIST_RETURNS, Empty()).returns

    def decline_return(self, ref: OutputRef, text: str, proof: Digest) -> None:
        """Say no; again is the same."""
        message = return_models.AnswerMessage(ref=ref, text=text, proof=proof)
        self._channel.call(self.name, payments.DECLINE_RETURN, message)

    def get_standing(self) -> tuple[Minor, str]:
        """Our deposit, and whether we are blocked."""
        answer = self.describe_standing()
        return answer.deposit, answer.status
