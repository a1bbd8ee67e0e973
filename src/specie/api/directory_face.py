"""What is offered of the directory: by a bank, by the desk, by notary and registration."""

from collections.abc import Sequence

from specie.api.acting import note
from specie.api.gate import Asking, Offer
from specie.assembly.bank_process import BankProcess
from specie.assembly.central_processes import NotaryProcess, RegistrationProcess
from specie.assembly.desk_process import DeskProcess
from specie.remote import directory_models as models
from specie.remote import directory_operations as operations
from specie.remote.fields import Empty
from specie.remote.models import NoteMessage
from specie.values.identifiers import ClientId

_NOTHING = Empty()


def offer_bank_directory(process: BankProcess) -> Sequence[Offer]:
    """To the bank's clients, and to its operator."""
    service = process.directory

    def locate(asking: Asking, request: models.OwnLocation) -> models.LocatedMessage:
        client = ClientId(asking.name)
        located, name = service.locate(client, request.phone, request.former)
        return models.LocatedMessage.wrap(located, name)

    def put(asking: Asking, request: models.PutEntry) -> models.PutAnswer:
        recorded = service.put(ClientId(asking.name), request.phone, request.unwrap())
        return models.PutAnswer.wrap(recorded)

    def find(asking: Asking, request: models.PhoneQuery) -> models.Found:
        return models.Found(answer=service.find(ClientId(asking.name), request.phone))

    def set_phone(_: Asking, request: models.ClientPhone) -> Empty:
        note(process, request, "phone", request.client, request.phone or "none")
        if request.phone is None:
            service.release_phone(request.client)
        else:
            service.register_phone(request.client, request.phone)
        return _NOTHING

    return (
        (operations.LOCATE_OWN_PHONE, locate),
        (operations.PUT_OWN_ENTRY, put),
        (operations.FIND_PHONE, find),
        (operations.SET_CLIENT_PHONE, set_phone),
    )


def offer_desk_directory(process: DeskProcess) -> Sequence[Offer]:
    """To banks alone."""
    service = process.directory

    def locate(asking: Asking, request: models.Location) -> models.LocatedMessage:
        located = service.locate(asking.number, request.phone, request.spend)
        return models.LocatedMessage.wrap(located)

    def put(asking: Asking, request: models.PutEntry) -> models.PutAnswer:
        recorded = service.put(asking.number, request.phone, request.unwrap())
        return models.PutAnswer.wrap(recorded)

    def look_up(asking: Asking, request: models.PhoneQuery) -> models.Found:
        return models.Found(answer=service.look_up(asking.number, request.phone))

    return (
        (operations.LOCATE_PHONE, locate),
        (operations.PUT_ENTRY, put),
        (operations.LOOK_UP_PHONE, look_up),
    )


def offer_notary_directory(process: NotaryProcess) -> Sequence[Offer]:
    """To the central bank's desk alone."""

    def record(_: Asking, request: models.LeafMessage) -> models.LeafPromiseMessage:
        return models.LeafPromiseMessage.wrap(process.notary.record_leaf(request.unwrap()))

    return ((operations.RECORD_LEAF, record),)


def offer_registration_directory(process: RegistrationProcess) -> Sequence[Offer]:
    """To institutions."""

    def prove(_: Asking, request: models.LeafQuery) -> NoteMessage:
        return NoteMessage(note=process.registration.prove_entry(request.leaf_hash))

    return ((operations.PROVE_ENTRY, prove),)
