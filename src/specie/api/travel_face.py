"""What a bank offers around the travel rule: to other banks, and to its own people."""

from collections.abc import Sequence

from specie.api.acting import name_operator
from specie.api.gate import Asking, Offer
from specie.assembly.bank_process import BankProcess
from specie.ports.travel import Identity, TravelRecord
from specie.remote import travel_models as models
from specie.remote import travel_operations as travel
from specie.remote.fields import Empty

_NOTHING = Empty()


def offer_travel(process: BankProcess) -> Sequence[Offer]:
    """Everything."""
    desk = process.travel

    def get_key(_: Asking, _request: Empty) -> models.TravelKey:
        return desk.show_key()

    def tell(asking: Asking, request: models.TravelMessage) -> Empty:
        desk.receive(asking.number, request)
        return _NOTHING

    def search(_: Asking, request: models.TravelQuery) -> models.TravelRecords:
        found = desk.search(name_operator(request), request)
        return models.TravelRecords(records=[_wrap(one) for one in found])

    def identify(_: Asking, request: models.IdentityRequest) -> Empty:
        known = Identity(
            primary=request.primary,
            secondary=request.secondary,
            is_legal=request.is_legal,
            birth_date=request.birth_date,
            birth_place=request.birth_place,
            national_id=request.national_id,
        )
        desk.identify(name_operator(request), request.client, known)
        return _NOTHING

    return (
        (travel.GET_TRAVEL_KEY, get_key),
        (travel.TELL_TRAVEL, tell),
        (travel.LIST_TRAVEL, search),
        (travel.SET_IDENTITY, identify),
    )


def _wrap(one: TravelRecord) -> models.TravelRecordMessage:
    return models.TravelRecordMessage(
        txid=one.txid,
        client=one.client,
        is_originating=one.is_originating,
        bank=one.bank,
        time=one.time,
        data=one.data,
    )
