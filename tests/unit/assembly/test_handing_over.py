"""Who only carries what goes to a successor changes nothing of it unseen (T2, T20)."""

from collections.abc import Callable
from typing import Any

import pytest

from specie.assembly.handing_over import check_succession, seal_succession
from specie.crypto.secrets import SealingKey
from specie.remote.client_models import Succession, SuccessionClient
from specie.remote.encoding import CBOR, JSON, decode, encode
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId, ParticipantNumber, PublicKey
from tests.country import refused

KEY, SALT = SealingKey.generate(), bytes(16)


def build_client(name: str) -> SuccessionClient:
    sealed = KEY.seal(name.encode(), b"")
    point = PublicKey(bytes(32))
    return SuccessionClient(
        client=ClientId(name),
        bank=ParticipantNumber(2),
        view=point,
        spend=point,
        status="blocked",
        sealed_name=sealed,
        sealed_view=sealed,
        tokens=[sealed, sealed],
        device=bytes(32),
        sealed_rule=sealed,
        returns=[sealed],
        sealed_standing=sealed,
    )


def change(**parts: Any) -> Callable[[Succession], Succession]:
    def forge(told: Succession) -> Succession:
        anna, *others = told.clients
        clients = [anna.model_copy(update=parts), *others]
        return told.model_copy(update={"clients": clients})

    return forge


FORGERIES: dict[str, Callable[[Succession], Succession]] = {
    "no longer blocked": change(status="good"),
    "another device speaks for it": change(device=bytes([1]) * 32),
    "its device is unknown": change(device=b""),
    "nobody signs with it": change(sealed_rule=b""),
    "not frozen": change(sealed_standing=b""),
    "a token less": change(tokens=[]),
    "a return address less": change(returns=[]),
    "a client less": lambda told: told.model_copy(update={"clients": told.clients[1:]}),
    "a client twice": lambda told: told.model_copy(update={"clients": 2 * told.clients}),
    "without a seal": lambda told: told.model_copy(update={"seal": b""}),
    "the seal of another export": lambda told: told.model_copy(
        update={"seal": seal_succession(SALT, [build_client("vera")], KEY).seal}
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_what_was_changed_on_its_way_is_not_taken_over(name: str) -> None:
    told = seal_succession(SALT, [build_client("anna"), build_client("boris")], KEY)
    with refused(ErrorCode.SEALED_INVALID):
        check_succession(FORGERIES[name](told), KEY)


@pytest.mark.parametrize("kind", [CBOR, JSON])
@pytest.mark.parametrize("names", [(), ("anna", "boris")])
def test_what_the_bank_wrote_is(names: tuple[str, ...], kind: str) -> None:
    told = seal_succession(SALT, [build_client(name) for name in names], KEY)
    found = decode(encode(told, kind), kind, Succession)
    check_succession(found, KEY)
    with refused(ErrorCode.SEALED_INVALID):
        check_succession(found, SealingKey.generate())
