"""What an attacker with a bank's full credentials cannot do: docs/security.md (T2, X5).

The attacker is bank 3: its certificate, its message key, all its keys, on its own machine.
"""

import json
import re
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import urllib3
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from specie.assembly.centre import load_issuer
from specie.assembly.newcomer import Newcomer
from specie.assembly.own_keys import OwnKeys
from specie.assembly.system import SystemClock
from specie.assembly.tls import (
    ROOT,
    build_client_context,
    write_identity,
)
from specie.crypto.addresses import Address, parse_address
from specie.crypto.secrets import InstitutionKey, SigningKey
from specie.crypto.signatures import sign_as_institution
from specie.identity.certificates import Issuer, create_root, issue_certificate
from specie.identity.certificates import build_request as build_csr
from specie.identity.rotation import sign_rotation
from specie.ledger.evidence import verify_evidence
from specie.ledger.messages import compute_reserve_message, compute_supply_message
from specie.ledger.records import (
    AttestationRole,
    Authorisation,
    ReserveReference,
    SupplySection,
)
from specie.ledger.transactions import Promise
from specie.log.notes import parse_note
from specie.remote import accounting_operations as accounting
from specie.remote import bank_models, models
from specie.remote import bank_operations as banks
from specie.remote import client_models as clients
from specie.remote import desk_operations as desk
from specie.remote import notary_operations as notary
from specie.remote import registration_operations as registration
from specie.remote.channel import Channel, Speaker, build_request
from specie.remote.fields import Empty
from specie.remote.institutions import RemoteBank
from specie.remote.signing import Target, name_receiver, sign_request
from specie.tokens.building import build_issue, build_redemption
from specie.values.amounts import Minor
from specie.values.errors import SpentError
from specie.values.identifiers import (
    EntryId,
    NetworkId,
    OrderId,
    ParticipantNumber,
    ServiceName,
    Signature,
    TransactionId,
)
from specie.values.limits import CALLS_AT_ONCE_MAX, SERVICE_BURST_MAX, SERVICE_SECOND_MAX
from specie.values.times import Timestamp
from tests.network.aiming import aim
from tests.network.attacker import Attacker, attacking_as_bank_3
from tests.network.flooding import flooding
from tests.network.pilot import Pilot, catch, draw, name


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

    No more of it is answered than its quota, however fast this machine floods. How long payments
    take is printed, not judged: that waiting is for a few is in tests/unit/api.
    """
    pilot.fund(2, "500.00")
    pilot.give("flora", 2, "50.00")
    fred = pilot.open_wallet("fred", 2)

    def pay(count: int) -> float:
        started = time.monotonic()
        for _ in range(count):
            pilot.wallet("flora", "pay", fred, "1.00")
        return (time.monotonic() - started) / count

    alone = pay(4)
    with flooding(aim(pilot)) as flood:
        flooded = pay(4)
    print(  # noqa: T201  # shown with -rP
        f"a payment: {alone:.2f} s alone, {flooded / alone:.2f} times that in the flood; "
        f"answered to it: {flood.answers}"
    )
    for target in ("notary", "desk", "stranger"):
        allowed = SERVICE_BURST_MAX + SERVICE_SECOND_MAX * flood.seconds
        let_in = {status for status in flood.answers[target] if status.isdigit()} - {"429"}
        assert 0 < sum(flood.answers[target][status] for status in let_in) <= allowed
    assert set(flood.answers["silent"]) == {"closed"}


def test_it_cannot_rotate_anothers_keys(pilot: Pilot) -> None:
    """It draws new keys for bank 2 and signs with them that they are its own."""
    network, present = pilot.load_peers().network, pilot.load_peers().services.get(name("bank-2"))
    keys = InstitutionKey.generate(), SigningKey.generate()
    drawn = sign_rotation(network, present.name, present.key, *keys)
    decision = models.SignedProposal(
        id=draw(),
        kind="rotate-keys",
        parameters=json.dumps(drawn.format(), sort_keys=True, separators=(",", ":")),
        signature=sign_as_institution(pilot.get_key("bank-3"), b"agreed"),
    )
    own = pilot.get_key("bank-3")
    for speaker, is_public, expected in (
        (Speaker("bank-3", own), True, "caller_unknown"),
        (Speaker("officer-1", own), True, "message_signature_invalid"),
        (Speaker("bank-3", own), False, "not_found"),
    ):
        channel = pilot.open_channel("bank-3", speaker=speaker, is_public=is_public)
        call = partial(channel.call, name("central-bank"), desk.SIGN_PROPOSAL, decision)
        error = catch(call)
        assert expected in error.message
    assert pilot.load_peers().services.get(name("bank-2")) == present


def test_it_cannot_enrol_with_a_code_that_was_used(pilot: Pilot, tmp_path: Path) -> None:
    """The code of a bank that has enrolled and waits for the second officer."""
    code = bytes.fromhex(pilot.officer("invite", "Bank of the West", officers=(1,)))
    first, thief = (
        Newcomer(tmp_path / one, pilot.public, code, "127.0.0.1") for one in ("first", "thief")
    )
    for newcomer in (first, thief):
        newcomer.prepare("a passphrase")
    assert catch(lambda: first.wait(0)).code == "approvals_missing"
    assert catch(lambda: thief.wait(0)).code == "order_conflict"
    waiting = pilot.officer("enrolments", officers=(2,))
    assert first.digest in waiting
    assert thief.digest not in waiting


def test_it_cannot_forge_a_cosignature(pilot: Pilot) -> None:
    """Lines that do not hold, and others' names: no reader ever sees one of them."""
    pilot.fund(2, "20.00")
    pilot.kill("bank-3")
    pilot.start_as("forger.py", "bank-3")
    pilot.network.wait_ready(pilot.children["bank-3"])
    url, root = pilot.get_url("registration"), str(pilot.public / "root.pem")
    size = read_size(pilot)
    pilot.bank(2, "transfer", "3", "1.00")

    def is_vouched_for() -> bool:
        note = pilot.fetch(f"{url}/checkpoint").data.decode()
        return read_size(pilot) > size and "\u2014 auditor " in note and "\u2014 bank-2 " in note

    pilot.wait(is_vouched_for)
    pilot.insist("audit", url, "--root", root)
    note = pilot.fetch(f"{url}/checkpoint").data.decode()
    assert "\u2014 bank-3 " not in note, "it is not believed a word of such an answer"
    pilot.restart("bank-3")
    pilot.wait(lambda: "\u2014 bank-3 " in pilot.fetch(f"{url}/checkpoint").data.decode())


# --- with its vault -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def attacker(pilot: Pilot) -> Iterator[Attacker]:
    pilot.fund(3, "500.00")
    pilot.wait(lambda: pilot.get_fact(3, "vault") >= 50_000)
    with attacking_as_bank_3(pilot) as found:
        yield found


@pytest.fixture(scope="module")
def alice(pilot: Pilot) -> Address:
    """A client of bank 2."""
    text = pilot.open_wallet("alice", 2)
    return parse_address(text, pilot.load_peers().roster.genesis.address_prefix)


def test_it_cannot_spend_its_vault_twice(attacker: Attacker, alice: Address) -> None:
    """T15: both attested by all who have to; the second is refused, with evidence for anybody."""
    token = attacker.list_tokens()[0]
    payments = [attacker.build(alice, amount, token) for amount in (300, 400)]
    attested = [
        (
            attacker.attest(one, AttestationRole.PAYER, attacker.list_outputs(one)),
            attacker.ask_bank(one, 2),
        )
        for one in payments
    ]
    attacker.deliver(attacker.notarise(payments[0], *attested[0]), 2)
    error = catch(lambda: attacker.notarise(payments[1], *attested[1]))
    assert isinstance(error, SpentError)
    found = verify_evidence(error.evidence, attacker.context.network)
    assert found.output == token.output
    assert {found.first.txid, found.second.txid} == {one.signed.txid for one in payments}


def test_it_cannot_attest_for_anothers_clients(attacker: Attacker, alice: Address) -> None:
    """What it pays to bank 2's client is attested by itself, or by nobody, on that side."""
    built = attacker.build(alice, 1, attacker.list_tokens()[1])
    own = attacker.list_outputs(built)
    [other] = {0, 1} - set(own)
    alone = attacker.attest(built, AttestationRole.PAYER, own)
    assert catch(lambda: attacker.notarise(built, alone)).code == "attestation_missing"
    both = attacker.attest(built, AttestationRole.BOTH, [*own, other])
    assert catch(lambda: attacker.notarise(built, both)).code == "attester_wrong"
    payee = attacker.attest(built, AttestationRole.PAYEE, [other])
    assert catch(lambda: attacker.notarise(built, alone, payee)).code == "attester_wrong"
    stolen = replace(payee, bank=ParticipantNumber(2))
    error = catch(lambda: attacker.notarise(built, alone, stolen))
    assert error.code == "attestation_signature_invalid"


def test_it_cannot_have_one_payment_counted_twice(
    attacker: Attacker, alice: Address, pilot: Pilot
) -> None:
    """Replay of its own delivery: to the payee's bank again, and to who has no part in it."""
    built = attacker.build(alice, 2, attacker.list_tokens()[2])
    own = attacker.attest(built, AttestationRole.PAYER, attacker.list_outputs(built))
    promise = attacker.notarise(built, own, attacker.ask_bank(built, 2))
    vault, before = pilot.get_fact(2, "vault"), read_balance(pilot, "alice")
    for _ in range(3):
        attacker.deliver(promise, 2)
    assert read_balance(pilot, "alice") == before + 2
    inside = attacker.build(attacker.holder.address, 1, attacker.list_tokens()[3])
    both = attacker.attest(inside, AttestationRole.BOTH, [0, 1])
    attacker.deliver(attacker.notarise(inside, both), 2)
    assert read_balance(pilot, "alice") == before + 2
    assert pilot.get_fact(2, "vault") == vault


def test_it_cannot_change_the_supply(attacker: Attacker, pilot: Pilot) -> None:
    """It names two officers and a debit, and signs for them with the keys that it has."""
    supply, holder = attacker.notary.get_supply(), attacker.holder
    key, network = pilot.get_key("bank-3"), attacker.context.network
    issue = build_issue(holder.address, Minor(1_000), holder, attacker.context)
    redemption = build_redemption(Minor(1), [attacker.list_tokens()[4]], holder, attacker.context)
    now, entry = SystemClock().now(), EntryId(draw())
    debit = compute_reserve_message(network, entry, ParticipantNumber(3), 1_000, now)
    reserve = ReserveReference(
        entry, ParticipantNumber(3), 1_000, now, sign_as_institution(key, debit)
    )
    for built, backing, role, expected in (
        (issue, reserve, AttestationRole.PAYEE, "reserve_reference_invalid"),
        (issue, None, AttestationRole.PAYEE, "reserve_reference_invalid"),
        (redemption, None, AttestationRole.BOTH, "authorisation_invalid"),
    ):
        serial, change = supply.serial + 1, built.signed.body.supply_change
        total = supply.total + change
        message = compute_supply_message(network, serial, built.signed.txid, change, total)
        signed = [Authorisation(one, sign_as_institution(key, message)) for one in (1, 2)]
        section = SupplySection(serial, total, tuple(signed), backing)
        own = attacker.attest(built, role, [0, 1])
        forged = attacker.supply(built, section)
        assert catch(partial(attacker.notarise, forged, own)).code == expected
        bare = attacker.supply(built, replace(section, authorisations=()))
        assert catch(partial(attacker.notarise, bare, own)).code == "authorisation_missing"
    assert attacker.notary.get_supply() == supply


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


def test_who_is_removed_is_refused_on_an_open_connection(pilot: Pilot) -> None:
    """P12, T2: by two officers; a certificate alone is revoked in test_rotation.py."""
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


def read_size(pilot: Pilot) -> int:
    """Of the published log."""
    url = pilot.get_url("registration")
    return parse_note(pilot.fetch(f"{url}/checkpoint").data.decode())[0].size


def read_balance(pilot: Pilot, holder: str) -> int:
    """In minor units."""
    [text] = re.findall(r"balance: (\S+)", pilot.wallet(holder, "collect"))
    return int(text.replace(".", ""))


def _sign(channel: Channel, asked: str, receiver: str) -> tuple[dict[str, str], str]:
    path, query, body = build_request(notary.GET_SUPPLY, Empty())
    network: NetworkId = channel.peers.network
    target = Target("GET", path, query, name_receiver(network, ServiceName(receiver)))
    speaker, now = channel.speaker, channel.clock.now()
    assert asked
    return sign_request(target, body, speaker.name, speaker.key, now), path


def _send(
    pilot: Pilot, certificate: str, to: str, path: str, headers: dict[str, str]
) -> urllib3.BaseHTTPResponse:
    password = pilot.open_keys(certificate).get_secret("tls-password")
    context = build_client_context(pilot.data / certificate, password)
    with urllib3.PoolManager(ssl_context=context, retries=False, timeout=20.0) as pool:
        return pool.request("GET", pilot.get_url(to, "institutions") + path, headers=headers)


def _forge(pilot: Pilot, folder: Path, case: str) -> ssl.SSLContext:
    """A certificate with one thing wrong, made with everything that the centre has."""
    issuer = load_issuer(pilot.data / "central-bank", OwnKeys(pilot.open_keys("central-bank")))
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
