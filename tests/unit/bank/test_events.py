"""Webhooks: signed as Standard Webhooks says, and sent to no place inside the walls (T18)."""

import base64
import json

import pytest

from specie.bank.events import (
    check_url,
    choose_place,
    compute_next,
    format_secret,
    name_event,
    sign_webhook,
    write_body,
)
from specie.ports.events import Event, EventKind
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import ClientId
from specie.values.limits import URL_BYTES_MAX, WEBHOOK_ATTEMPTS_MAX, WEBHOOK_WAIT_MS_MAX
from specie.values.times import Timestamp
from tests.country import refused

EVENT = Event(ClientId("anna"), 7, EventKind.ARRIVED, Timestamp(1_614_265_330_123), '{"minor": 5}')


def test_a_signature_is_that_of_the_standards_own_libraries() -> None:
    """The example of its libraries' tests: svix/standard-webhooks."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    name, now = "msg_p5jXN8AQM9LWM0D4loKWxJek", Timestamp(1_614_265_330_000)
    headers = sign_webhook(secret, name, now, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": name,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert format_secret(secret) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_message_says_what_and_when() -> None:
    found = json.loads(write_body(EVENT))
    when = "2021-02-25T15:02:10.123Z"
    assert found == {"type": "payment.arrived", "timestamp": when, "data": {"minor": 5}}
    others = [
        Event(ClientId("boris"), 7, EVENT.kind, EVENT.time, EVENT.data),
        Event(EVENT.client, 8, EVENT.kind, EVENT.time, EVENT.data),
    ]
    names = {name_event(one) for one in (EVENT, *others)}
    assert len(names) == 3 and not [one for one in names if "anna" in one]


def test_urls_that_may_be() -> None:
    assert check_url("https://shop.example") == ("https", "shop.example", 443, "/")
    assert check_url("https://shop.example:8443/a?b=1") == (
        *("https", "shop.example", 8443),
        "/a?b=1",
    )
    assert check_url("http://127.0.0.1:80/x") == ("http", "127.0.0.1", 80, "/x")
    assert check_url("http://[::1]:81/") == ("http", "::1", 81, "/")


@pytest.mark.parametrize(
    "url",
    [
        *("", "shop.example", "http://shop.example/", "http://localhost/", "http://10.0.0.1/"),
        *("ftp://127.0.0.1/", "file:///etc/passwd", "https://", "https://a@shop.example/"),
        *("https://shop.example:0/", "https://shop.example:99999/", "https://shop.example/#a"),
        *("https://shop.example/a b", "https://shop.example/\n", "https://shöp.example/"),
        "https://shop.example/" + "a" * URL_BYTES_MAX,
    ],
)
def test_urls_that_may_not_be(url: str) -> None:
    with refused(ErrorCode.WEBHOOK_INVALID):
        check_url(url)


def test_only_places_outside_are_called() -> None:
    assert choose_place("shop.example", ["93.184.215.14", "8.8.8.8"]) == "93.184.215.14"
    assert choose_place("127.0.0.1", ["127.0.0.1"]) == "127.0.0.1"
    inside = [*("127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "169.254.169.254")]
    inside += ("0.0.0.0", "::1", "fe80::1", "fd00::1", "224.0.0.1", "100.64.0.1", "::ffff:10.0.0.1")
    inside += (
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a01:203",
        "2002:a9fe:a9fe::1",
        "4000::1",
        "ff0e::1",
    )
    inside += ("2001:0:5ef5:79fd::1", "2001:db8::1", "::7f00:1", "fec0::1", "5f00::1")
    assert choose_place("shop.example", ["2606:2800:220:1::1"]) == "2606:2800:220:1::1"
    for place in inside:
        for addresses in ([place], ["8.8.8.8", place]):
            with refused(ErrorCode.WEBHOOK_INVALID):
                choose_place("shop.example", addresses)
    with refused(ErrorCode.WEBHOOK_INVALID):
        choose_place("shop.example", [])
    with refused(ErrorCode.WEBHOOK_INVALID):
        choose_place("127.0.0.1", ["10.0.0.1"])


def test_it_is_tried_ever_more_rarely() -> None:
    waits = [compute_next(one, Timestamp(9)) - 9 for one in range(1, WEBHOOK_ATTEMPTS_MAX)]
    assert waits[:3] == [5_000, 15_000, 45_000] and waits == sorted(waits)
    assert waits[-1] == WEBHOOK_WAIT_MS_MAX
