"""What an attacker with a bank's full credentials cannot do: docs/security.md (T2, X5).

The attacker is bank 3: its certificate, its message key, all its keys, on its own machine.
"""

import re
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import urllib3
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from specie.assembly.centre import load_issuer
from specie.assembly.system import SystemClock
from specie.assembly.tls import (
    ROOT,
    build_client_context,
    write_identity,
)
from specie.identity.certificates import Issuer, create_root, issue_certificate
from specie.identity.certificates import build_request as build_csr
from specie.ledger.transactions import Promise
from specie.remote import accounting_operations as accounting
from specie.remote import bank_models, models
from specie.remote import bank_operations as banks
from specie.remote import client_models as clients
from specie.remote import desk_operations as desk
from specie.remote import notary_operations as notary
from specie.remote import registration_operations as registration
from specie.remote.channel import Channel, Speaker, build_request, get_host
from specie.remote.fields import Empty
from specie.remote.institutions import RemoteBank
from specie.remote.signing import Target, name_receiver, sign_request
from specie.values.amounts import Minor
from specie.values.identifiers import (
    EntryId,
    NetworkId,
    OrderId,
    ParticipantNumber,
    ServiceName,
    Signature,
    TransactionId,
)
from specie.values.limits import CALLS_AT_ONCE_MAX
from specie.values.times import Timestamp
from tests.network.flooding import Target as Aim
from tests.network.flooding import flooding
from tests.network.pilot import Pilot, catch, draw, name

SECURITY = (Path(__file__).resolve().parents[2] / "docs/security.md").read_text()


def test_it_cannot_speak_as_another_bank(pilot: Pilot) -> None:
    own = pilot.get_key("bank-3")
    with_own_key = pilot.open_channel("bank-3", speaker=Speaker("bank-2", own))
    error = catch(lambda: with_own_key.call(name("notary"), notary.GET_SUPPLY, Empty()))
    assert "message_signature_invalid" in error.message
    stolen = pilot.open_channel("bank-3", speaker=Speaker("bank-2", pilot.get_key("bank-2")))
    error = catch(lambda: stolen.call(name("notary"), notary.GET_SUPPLY, Empty()))
    assert error.code == "certificate_invalid", "a stolen message key needs its certificate too"
    thief = pilot.open_channel("bank-2", speaker=Speaker("bank-2", own))
    error = catch(lambda: thief.call(name("notary"), notary.GET_SUPPLY, Empty()))
    assert "message_signature_invalid" in error.message, "a stolen certificate needs its key too"


def test_it_cannot_be_a_service_of_the_central_bank(pilot: Pilot) -> None:
    channel = pilot.open_channel("bank-3")
    debit = models.Debit(
        entry=EntryId(draw()), participant=ParticipantNumber(3), amount=Minor(1_000)
    )
    error = catch(lambda: channel.call(name("accounting"), accounting.LEND, debit))
    assert error.code == "caller_not_allowed"
    error = catch(lambda: channel.call(name("accounting"), accounting.DEBIT_FOR_ISSUE, debit))
    assert error.code == "caller_not_allowed"
    error = catch(lambda: channel.call(name("accounting"), accounting.COUNT_BACKING, Empty()))
    assert error.code == "caller_not_allowed"


def test_it_cannot_read_private_batches(pilot: Pilot) -> None:
    request = models.ChunkQuery(number=1)
    channel = pilot.open_channel("bank-3")
    error = catch(lambda: channel.call(name("notary"), notary.READ_BATCH, request))
    assert error.code == "caller_not_allowed"


def test_it_cannot_see_or_touch_others_applications(pilot: Pilot) -> None:
    order = OrderId(bytes.fromhex(pilot.bank(2, "issue", "10.00")))
    channel = pilot.open_channel("bank-3")
    query = models.OrderQuery(order=order)
    promise = models.PromiseMessage(
        txid=TransactionId(bytes(32)), publish_by=Timestamp(1), signature=Signature(bytes(64))
    )
    settle = models.Settlement(order=order, promise=promise)
    calls = [
        lambda: channel.call(name("central-bank"), desk.GET_APPLICATION, query),
        lambda: channel.call(name("central-bank"), desk.FIND_PRODUCED, query),
        lambda: channel.call(name("central-bank"), desk.SETTLE_REDEMPTION, settle),
        lambda: channel.call(name("central-bank"), desk.END_REDEMPTION, query),
    ]
    assert [catch(call).code.value for call in calls] == ["application_unknown"] * 4


def test_it_cannot_act_as_an_officer(pilot: Pilot) -> None:
    speaker = Speaker("officer-1", pilot.get_key("bank-3"))
    channel = pilot.open_channel("bank-3", speaker=speaker, is_public=True)
    error = catch(lambda: channel.call(name("central-bank"), desk.LIST_TASKS, Empty()))
    assert "message_signature_invalid" in error.message
    channel = pilot.open_channel("bank-3", is_public=True)
    error = catch(lambda: channel.call(name("central-bank"), desk.LIST_TASKS, Empty()))
    assert "caller_unknown" in error.message


def test_it_cannot_invent_finality(pilot: Pilot) -> None:
    fake = Promise(TransactionId(draw() * 2), SystemClock().now(), Signature(bytes(64)))
    other = RemoteBank(pilot.open_channel("bank-3"), ParticipantNumber(2))
    assert catch(lambda: other.deliver(fake)).code == "promise_invalid"


def test_it_cannot_ask_for_a_cosignature(pilot: Pilot) -> None:
    channel = pilot.open_channel("bank-3")
    request = bank_models.Growth(note="", growth=[])
    error = catch(lambda: channel.call(name("bank-2"), banks.COSIGN, request))
    assert error.code == "caller_not_allowed"
    note = models.NoteMessage(note="")
    error = catch(lambda: channel.call(name("auditor"), registration.AUDIT, note))
    assert error.code == "caller_not_allowed"


def test_it_cannot_learn_how_much_another_vault_holds(pilot: Pilot) -> None:
    pilot.fund(2, "500.00")
    other = RemoteBank(pilot.open_channel("bank-3"), ParticipantNumber(2))
    assert other.count_vault() == 0
    desk_sees = RemoteBank(pilot.open_channel("central-bank"), ParticipantNumber(2))
    assert desk_sees.count_vault() == 50_000


def test_it_cannot_send_what_another_has_sent(pilot: Pilot) -> None:
    """Replay: a request of bank 2 over bank 3's connection, or to another service."""
    channel = pilot.open_channel("bank-2")
    headers, path = _sign(channel, "notary", "notary")
    answer = _send(pilot, "bank-3", "notary", path, headers)
    assert (answer.status, answer.json()["code"]) == (403, "certificate_invalid")
    answer = _send(pilot, "bank-2", "accounting", path, headers)
    assert answer.json()["code"] == "not_found"
    headers, path = _sign(channel, "notary", "bank-3")
    answer = _send(pilot, "bank-2", "notary", path, headers)
    assert answer.json()["code"] == "message_signature_invalid"
    assert (
        _send(pilot, "bank-2", "notary", path, _sign(channel, "notary", "notary")[0]).status == 200
    )


def test_it_cannot_renew_anothers_certificate(pilot: Pilot) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    channel = pilot.open_channel("bank-3")
    request = clients.Renewal(request=build_csr(ServiceName("bank-2"), key))
    error = catch(lambda: channel.call(name("central-bank"), desk.RENEW, request))
    assert error.code == "certificate_invalid"


def test_who_has_much_to_ask_is_not_refused(pilot: Pilot) -> None:
    """From more threads than its calls may be at once: it waits before it asks, and loses none."""
    channel = pilot.open_channel("central-bank")  # it has nothing else to ask of the accounting now
    account = models.Account(participant=ParticipantNumber(2))
    with ThreadPoolExecutor(3 * CALLS_AT_ONCE_MAX) as threads:
        asked = [
            threads.submit(channel.call, name("accounting"), accounting.GET_RESERVES, account)
            for _ in range(6 * CALLS_AT_ONCE_MAX)
        ]
        assert len({one.result().amount for one in asked}) == 1
    told = pilot.fetch(pilot.get_url("accounting", "operations") + "/metrics").data.decode()
    assert 'operation="get_reserves",status="200"' in told
    assert 'status="429"' not in told


def test_it_cannot_slow_others_down_by_a_flood(pilot: Pilot) -> None:
    """With all that it has, and as a stranger; meanwhile every payment of bank 2 goes through.

    How long they take is printed, not judged: that waiting is for a few is in tests/unit/api.
    """
    pilot.fund(2, "500.00")
    pilot.give("alice", 2, "50.00")
    bob = pilot.open_wallet("bob", 2)

    def pay(count: int) -> float:
        started = time.monotonic()
        for _ in range(count):
            pilot.wallet("alice", "pay", bob, "1.00")
        return (time.monotonic() - started) / count

    alone = pay(4)
    with flooding(_aim(pilot)) as flood:
        flooded = pay(4)
    print(  # noqa: T201  # shown with -rP
        f"a payment: {alone:.2f} s alone, {flooded / alone:.2f} times that in the flood; "
        f"answered to it: {flood.answers}"
    )
    for aim in ("notary", "desk", "stranger"):
        assert flood.answers[aim].get("429", 0) > 0
    assert set(flood.answers["silent"]) == {"closed"}


# --- certificates -------------------------------------------------------------------------------


def test_without_a_certificate_nobody_is_heard(pilot: Pilot) -> None:
    with pytest.raises(Exception, match=r"(?i)certificate required|reset|EOF|closed"):
        pilot.fetch(pilot.get_url("notary", "institutions") + "/v1/supply")


@pytest.mark.parametrize("case", ["expired", "another root", "in another's name"])
def test_a_wrong_certificate_is_refused(pilot: Pilot, tmp_path: Path, case: str) -> None:
    context = _forge(pilot, tmp_path, case)
    channel = pilot.open_channel("bank-3", context=context)
    error = catch(lambda: channel.call(name("notary"), notary.GET_SUPPLY, Empty()))
    expected = "certificate_invalid" if case == "in another's name" else "unreachable"
    assert error.code == expected


def test_a_revoked_certificate_ends_an_open_connection(pilot: Pilot) -> None:
    """P12, T2: removed by two officers; what was open is refused with the next request."""
    channel = pilot.open_channel("bank-3")
    channel.call(name("notary"), notary.GET_SUPPLY, Empty())
    pilot.officer("decide", "remove", "--set", "participant=3", "--set", "successor=2")

    def is_refused() -> bool:
        try:
            channel.call(name("notary"), notary.GET_SUPPLY, Empty())
        except Exception as error:  # noqa: BLE001  # which one is looked at below
            return getattr(error, "code", "") in ("certificate_invalid", "participant_inactive")
        return False

    pilot.wait(is_refused)
    revoked = pilot.fetch(pilot.get_url("central-bank") + "/crl")
    assert revoked.status == 200


def test_every_claim_of_the_page_has_its_test() -> None:
    """docs/security.md names the tests of this file, and this file has them."""
    named = set(re.findall(r"`(test_[a-z_]+)`", SECURITY))
    here = {one for one in globals() if one.startswith("test_it_cannot")}
    assert here <= named


def _sign(channel: Channel, asked: str, receiver: str) -> tuple[dict[str, str], str]:
    path, query, body = build_request(notary.GET_SUPPLY, Empty())
    network: NetworkId = channel.peers.network
    target = Target("GET", path, query, name_receiver(network, ServiceName(receiver)))
    speaker, now = channel.speaker, channel.clock.now()
    assert asked
    return sign_request(target, body, speaker.name, speaker.key, now), path


def _aim(pilot: Pilot) -> list[Aim]:
    """Bank 3 at the notary and at the desk, and somebody at the registration's public face."""
    password = pilot.open_keys("bank-3").get_secret("tls-password").hex()
    channel = pilot.open_channel("bank-3")
    supply = build_request(notary.GET_SUPPLY, Empty())[0]
    query = models.OrderQuery(order=OrderId(draw()))
    application = build_request(desk.GET_APPLICATION, query)[0]

    def make(aim: str, to: str, listener: str, host: str, path: str, secret: str) -> Aim:
        where, port = get_host(pilot.get_url(to, listener))
        target = Target("GET", path, "", name_receiver(channel.peers.network, ServiceName(to)))
        speaker, now = channel.speaker, channel.clock.now()
        headers = sign_request(target, b"", speaker.name, speaker.key, now) if secret else {}
        lines = [f"{key}: {value}" for key, value in {**headers, "host": to}.items()]
        asked = "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]) if path else ""
        return Aim(aim, where, port, host, asked, str(pilot.data / "bank-3"), secret)

    return [
        make("notary", "notary", "institutions", "127.0.0.3", supply, password),
        make("desk", "central-bank", "institutions", "127.0.0.4", application, password),
        make("stranger", "registration", "public", "127.0.0.5", registration.PROVE_TIME.path, ""),
        make("silent", "notary", "institutions", "127.0.0.6", "", ""),
    ]


def _send(
    pilot: Pilot, certificate: str, to: str, path: str, headers: dict[str, str]
) -> urllib3.BaseHTTPResponse:
    password = pilot.open_keys(certificate).get_secret("tls-password")
    context = build_client_context(pilot.data / certificate, password)
    with urllib3.PoolManager(ssl_context=context, retries=False, timeout=20.0) as pool:
        return pool.request("GET", pilot.get_url(to, "institutions") + path, headers=headers)


def _forge(pilot: Pilot, folder: Path, case: str) -> ssl.SSLContext:
    """A certificate with one thing wrong, made with everything that the centre has."""
    issuer = load_issuer(pilot.data / "central-bank", pilot.open_keys("central-bank"))
    now, key = SystemClock().now(), ec.generate_private_key(ec.SECP256R1())
    if case == "another root":
        other = ec.generate_private_key(ec.SECP256R1())
        issuer = Issuer(create_root("another", other, now), other)
    if case == "expired":
        now = Timestamp(now - 100 * 24 * 3600 * 1000)
    service = ServiceName("bank-2" if case == "in another's name" else "bank-3")
    network = pilot.load_peers().network
    made = issue_certificate(service, network, ["127.0.0.1"], key.public_key(), issuer, now)
    chain = made.public_bytes(Encoding.PEM) + issuer.certificate.public_bytes(Encoding.PEM)
    password = draw() * 2
    write_identity(folder, key, password, chain)
    (folder / ROOT).write_bytes((pilot.public / ROOT).read_bytes())
    return build_client_context(folder, password)
