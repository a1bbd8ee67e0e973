"""What a bank offers around money that comes back: addresses for it, requests for return."""

from collections.abc import Sequence

from specie.api.gate import Asking, Offer
from specie.assembly.bank_process import BankProcess
from specie.bank.returns import register_return_address, verify_return_address
from specie.crypto.addresses import Address
from specie.remote import payment_operations as payments
from specie.remote import return_models
from specie.remote.fields import Empty
from specie.remote.payment_models import ReturnAddressRequest
from specie.values.identifiers import ClientId

_NOTHING = Empty()


def offer_returns(process: BankProcess) -> Sequence[Offer]:
    """Everything."""
    return (*_offer_clients(process), *_offer_banks(process))


def _offer_clients(process: BankProcess) -> Sequence[Offer]:
    def add(asking: Asking, request: ReturnAddressRequest) -> Empty:
        client = process.get_client(ClientId(asking.name))
        given = Address(request.bank, request.view, request.spend)
        verify_return_address(process.base.peers.network, client.address, given, request.proof)
        place = (process.number, process.base.peers.roster)
        register_return_address(process.bank.clients, client, given, place)
        return _NOTHING

    def ask(asking: Asking, request: return_models.ReturnMessage) -> Empty:
        client = process.get_client(ClientId(asking.name))
        process.returns.ask(client.id, request.unwrap())
        return _NOTHING

    def load(asking: Asking, _request: Empty) -> return_models.Returns:
        found = process.returns.desk.load(ClientId(asking.name))
        return return_models.Returns(returns=[return_models.KeptMessage.wrap(one) for one in found])

    def decline(asking: Asking, request: return_models.AnswerMessage) -> Empty:
        client = process.get_client(ClientId(asking.name))
        process.returns.decline(client.id, request.ref, request.unwrap())
        return _NOTHING

    return (
        (payments.ADD_RETURN_ADDRESS, add),
        (payments.ASK_RETURN, ask),
        (payments.LIST_RETURNS, load),
        (payments.DECLINE_RETURN, decline),
    )


def _offer_banks(process: BankProcess) -> Sequence[Offer]:
    def relay(asking: Asking, request: return_models.SignedReturnMessage) -> Empty:
        process.returns.desk.receive(asking.number, request.unwrap())
        return _NOTHING

    def answer(asking: Asking, request: return_models.AnswerMessage) -> Empty:
        process.returns.desk.hear_answer(asking.number, request.ref, request.unwrap())
        return _NOTHING

    return ((payments.RELAY_RETURN, relay), (payments.RELAY_ANSWER, answer))
