"""Quotas and turns: what one caller sends holds up no other, and memory is bounded (P12, X5)."""

import asyncio
import threading
import time
from contextlib import AsyncExitStack
from typing import Any

import pytest

from specie.api import gate as gates
from specie.api import quotas
from specie.api.gate import Asking
from specie.api.quotas import Quotas, name_place
from specie.api.turns import Turns
from specie.crypto.secrets import InstitutionKey
from specie.remote.channel import Speaker
from specie.remote.operations import Caller
from specie.values.identifiers import InstitutionPublicKey
from specie.values.limits import (
    CALLS_AT_ONCE_MAX,
    REFUSAL_SECONDS,
    REQUEST_BYTES,
    SERVICE_THREADS_MAX,
    STRANGER_THREADS_MAX,
    THREADS_SHARE,
)
from tests.unit.api.cast import make_cast
from tests.unit.api.test_gate import BODY, House, ask, ask_async, get_code


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    """Refusals take no time here."""
    for module in (gates, quotas):
        monkeypatch.setattr(module, "REFUSAL_SECONDS", 0)
    return House(make_cast())


# --- turns --------------------------------------------------------------------------------------


async def begin(turns: Turns, callers: str, order: list[str]) -> list[asyncio.Task[None]]:
    """A request each, in this order; each is at work for two rounds of the loop."""

    async def work(caller: str) -> None:
        async with turns.take(caller):
            order.append(caller)
            await asyncio.sleep(0.001)

    return [asyncio.create_task(work(one)) for one in callers]


def run_in_turns(turns: Turns, callers: str) -> str:
    order: list[str] = []

    async def run() -> None:
        await asyncio.gather(*await begin(turns, callers, order))

    asyncio.run(run())
    return "".join(order)


def test_who_waits_comes_in_turn() -> None:
    """Of one thread: after the flood of a and b that was there before, c waits for one of each."""
    assert run_in_turns(Turns(1, 1), "aaaaabbbbbc") == "aabcabababb"


def test_a_share_is_all_that_one_gets() -> None:
    """Three threads are left by whoever floods; others begin before its third request."""
    assert run_in_turns(Turns(5, 2), "aaaaaabc") == "aabcaaaa"


def test_seven_floods_together_leave_threads_for_others() -> None:
    """With the sizes in force, nothing ending: as many as fit less one, and all begin at once."""
    turns = Turns(SERVICE_THREADS_MAX, SERVICE_THREADS_MAX // THREADS_SHARE)

    async def flood() -> list[str]:
        begun: list[str] = []
        forever = asyncio.Event()

        async def work(caller: str) -> None:
            async with turns.take(caller):
                begun.append(caller)
                await forever.wait()

        floods = [f"flood {one}" for one in range(THREADS_SHARE - 1)] * CALLS_AT_ONCE_MAX
        tasks = [asyncio.create_task(work(one)) for one in floods]
        await asyncio.sleep(0)
        tasks += [asyncio.create_task(work(f"other {one}")) for one in range(turns.share)]
        await asyncio.sleep(0)
        forever.set()
        found = list(begun)
        await asyncio.gather(*tasks)
        return found

    begun = asyncio.run(flood())
    assert len(begun) == SERVICE_THREADS_MAX
    assert begun[-turns.share :] == [f"other {one}" for one in range(turns.share)]


@pytest.mark.parametrize("is_given", [False, True])
def test_who_goes_away_takes_no_place_along(*, is_given: bool) -> None:
    """Cancelled while it waits, or in the very moment in which its turn comes."""
    turns = Turns(1, 1)

    async def run() -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(turns.take("a"))
            waiting = asyncio.create_task(stack.enter_async_context(turns.take("b")))
            following = asyncio.create_task(stack.enter_async_context(turns.take("c")))
            await asyncio.sleep(0)
            if is_given:
                await stack.pop_all().aclose()
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            assert waiting.cancelled()
            assert following.done() == is_given
        await asyncio.wait_for(following, 1)

    asyncio.run(run())


# --- quotas -------------------------------------------------------------------------------------


def test_a_bucket_empties_and_fills() -> None:
    found = Quotas(rate=2, burst=3)
    assert [found.take("a", 0.0) for _ in range(4)] == [True, True, True, False]
    assert found.take("b", 0.0), "each has its own"
    assert [found.take("a", 0.5) for _ in range(2)] == [True, False]
    assert [found.take("a", 1e9) for _ in range(4)] == [True, True, True, False], (
        "no more than full"
    )


def test_bytes_are_paid_later() -> None:
    found = Quotas(rate=1, burst=2)
    found.charge("a", 4 * REQUEST_BYTES, 0.0)
    assert [found.take("a", now) for now in (0.0, 2.0, 3.0)] == [False, False, True]


def test_quotas_are_kept_of_so_many() -> None:
    """Strangers have as many names as they like; who asked last is remembered."""
    found = Quotas(rate=1, burst=1, kept=2)
    assert found.take("a", 0.0) and found.take("b", 0.0)
    assert not found.take("a", 0.0)
    assert found.take("c", 0.0), "instead of b, which was used longest ago"
    assert not found.take("a", 0.0)
    assert found.take("b", 0.0)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_is_somebodys(address: str, place: str) -> None:
    assert name_place(address) == place


# --- at the gate --------------------------------------------------------------------------------


def test_one_banks_flood_is_refused_and_another_is_heard(house: House) -> None:
    """By certificate, before a signature is looked at; the refusal is unsigned."""
    house.gate.rations.services = Quotas(rate=0, burst=2)
    forged = house.sign(BODY, name="bank-2", key=house.cast.other_bank_key)

    def flood() -> tuple[int, dict[str, str], bytes]:
        return ask(house.app, BODY, forged, house.certify("bank-3"))

    codes = [get_code(flood())[1] for _ in range(2)]
    assert codes == ["message_signature_invalid"] * 2
    refused = flood()
    assert get_code(refused) == (429, "rate_exceeded")
    assert refused[1]["retry-after"] == "0", "as long as a refusal takes"
    assert "signature" not in refused[1]
    assert ask(house.app, BODY, house.sign(BODY), house.certify())[0] == 200


def test_a_refusal_takes_its_time() -> None:
    """So a connection on which somebody floods costs a refusal a second, whatever it sends."""
    house = House(make_cast())
    house.gate.rations.services = Quotas(rate=0, burst=0)
    started = time.monotonic()
    assert get_code(ask(house.app, BODY, house.sign(BODY), house.certify()))[0] == 429
    assert time.monotonic() - started > 0.9 * REFUSAL_SECONDS


def test_large_bodies_are_few(house: House) -> None:
    house.gate.rations.services = Quotas(rate=0, burst=4)
    body = bytes(3 * REQUEST_BYTES)
    large = house.sign(body)
    answer = ask(house.app, body, large, house.certify())
    assert get_code(answer)[1] == "message_malformed"
    assert get_code(ask(house.app, body, large, house.certify()))[1] == "rate_exceeded"


def test_strangers_are_counted_by_address_and_together(house: House) -> None:
    def look(address: str, path: str = "/v1/look/7") -> int:
        client = (address, 1)
        return ask(house.public_app, b"", {}, path=path, method="GET", client=client)[0]

    house.public.rations.addresses = Quotas(rate=0, burst=2)
    house.public.rations.everybody = Quotas(rate=0, burst=5)
    assert [look("192.0.2.1") for _ in range(3)] == [200, 200, 429]
    assert look("192.0.2.2", "/v1/nothing") == 404, "whatever is asked for counts"
    assert look("192.0.2.2", "/openapi.json") == 200
    assert [look("192.0.2.3") for _ in range(2)] == [200, 429], "five in all"


def test_strangers_use_up_nothing_of_clients(house: House) -> None:
    """From however many addresses; what is asked for without a name is refused, and unsigned."""
    key = InstitutionKey.generate()
    house.public.find_client = lambda name: (name, InstitutionPublicKey(key.public))
    house.public.rations.everybody = Quotas(rate=0, burst=3)

    def flood(address: str, path: str) -> tuple[int, dict[str, str], bytes]:
        headers = house.sign(b"", path, method="GET")
        client = (address, 1)
        return ask(house.public_app, b"", headers, path=path, method="GET", client=client)

    for address, path in enumerate(("/v1/look/7", "/openapi.json", "/v1/nothing")):
        assert flood(f"192.0.2.{address}", path)[0] in (200, 404)
        headers = house.sign(BODY, "/v1/pay", name="client:alice", key=key)
        assert ask(house.public_app, BODY, headers, path="/v1/pay")[0] == 200
    for address, path in enumerate(("/v1/look/7", "/openapi.json", "/v1/nothing"), 10):
        refused = flood(f"192.0.2.{address}", path)
        assert get_code(refused) == (429, "rate_exceeded")
        assert refused[1]["retry-after"] == "0" and "signature" not in refused[1]
        headers = house.sign(BODY, "/v1/pay", name="client:alice", key=key)
        assert ask(house.public_app, BODY, headers, path="/v1/pay")[0] == 200


def test_a_person_has_one_quota_from_all_addresses(house: House) -> None:
    key = InstitutionKey.generate()
    house.public.rations.persons = Quotas(rate=0, burst=2.5)  # bodies count a little
    house.public.find_client = lambda name: (name, InstitutionPublicKey(key.public))

    def pay(host: str, name: str = "client:alice") -> tuple[int, dict[str, str], bytes]:
        headers = house.sign(BODY, "/v1/pay", name=name, key=key)
        return ask(house.public_app, BODY, headers, path="/v1/pay", client=(host, 1))

    assert [pay(f"192.0.2.{one}")[0] for one in range(3)] == [200, 200, 429]
    assert pay("192.0.2.1", "client:bob")[0] == 200


class Token:
    """A key in a module that takes its time."""

    def __init__(self, key: InstitutionKey) -> None:
        self.key, self.public = key, key.public
        self.is_free, self.at_work = threading.Event(), threading.Event()

    def sign(self, message: bytes) -> bytes:
        self.at_work.set()
        assert self.is_free.wait(10), "nobody else was heard meanwhile"
        return self.key.sign(message)


def test_nobody_waits_for_anothers_signature(house: House) -> None:
    """While a token signs, the loop goes on, with others' requests in it."""
    token = Token(house.cast.notary_key)
    house.public.speaker = Speaker(house.public.speaker.name, token)
    headers = house.sign(b"", "/v1/look/7", method="GET")
    head: Any = {"path": "/v1/look/7", "method": "GET"}

    async def run() -> None:
        slow = asyncio.create_task(ask_async(house.public_app, b"", headers, **head))
        assert await asyncio.to_thread(token.at_work.wait, 10)
        assert (await ask_async(house.public_app, b"", {}, **head))[0] == 200
        assert not slow.done()
        token.is_free.set()
        assert (await slow)[1]["signature"]

    asyncio.run(run())


def test_strangers_take_no_thread_of_clients(house: House) -> None:
    """All that strangers may have is at work and does not end; a client is answered."""
    key, release = InstitutionKey.generate(), threading.Event()
    house.public.find_client = lambda name: (name, InstitutionPublicKey(key.public))

    def wait(asking: Asking) -> None:
        assert asking.kind is not Caller.ANYONE or release.wait(10)

    house.saw = wait

    async def run() -> int:
        strangers = [
            asyncio.create_task(
                ask_async(
                    house.public_app,
                    b"",
                    {},
                    path="/v1/look/7",
                    method="GET",
                    client=(f"192.0.2.{one}", 1),
                )
            )
            for one in range(2 * STRANGER_THREADS_MAX)
        ]
        await asyncio.sleep(0.2)
        headers = house.sign(BODY, "/v1/pay", name="client:alice", key=key)
        status = (await ask_async(house.public_app, BODY, headers, path="/v1/pay"))[0]
        assert not any(one.done() for one in strangers)
        release.set()
        assert {one[0] for one in await asyncio.gather(*strangers)} == {200}
        return status

    assert asyncio.run(run()) == 200
