"""What a bank offers around payments of people."""

from collections.abc import Sequence

from specie.api.gate import Asking, Offer
from specie.assembly.bank_process import BankProcess
from specie.bank.naming import NamedPayment
from specie.crypto.addresses import Address
from specie.remote import bank_models, models
from specie.remote import payment_models as said
from specie.remote import payment_operations as payments
from specie.remote.fields import Empty
from specie.values.identifiers import ClientId


def offer_payments(process: BankProcess) -> Sequence[Offer]:
    """Everything."""
    return (*_offer_log(process), *_offer_names(process))


def _offer_log(process: BankProcess) -> Sequence[Offer]:
    """Whoever waits for an answer verifies both; a device is seen by its own bank alone."""

    def look_at_time(_: Asking, _request: Empty) -> models.NoteMessage:
        return models.NoteMessage(note=process.registration.prove_time())

    def look_at_outputs(_: Asking, request: bank_models.StatesQuery) -> bank_models.StateMessage:
        return bank_models.StateMessage.wrap(process.registration.state_outputs(request.refs))

    return (
        (payments.LOOK_AT_TIME, look_at_time),
        (payments.LOOK_AT_OUTPUTS, look_at_outputs),
    )


def _offer_names(process: BankProcess) -> Sequence[Offer]:
    def claim(asking: Asking, request: said.NameClaimRequest) -> said.SignedName:
        client = process.get_client(ClientId(asking.name))
        payee = Address(request.bank, request.view, request.spend)
        payment = NamedPayment(payee, request.amount, request.order, request.end_to_end_id)
        name, signature = process.names.vouch(client, payment)
        return said.SignedName(name=name, signature=signature)

    return ((payments.CLAIM_NAME, claim),)
