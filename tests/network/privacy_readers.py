"""Who reads an account and who signs with others, with values that stand out (T1, T3, T20).

Ledger reads Osgood's account with his consent: payments and balances, no memos. Vera holds the view
key of the sub-wallet that he was paid into; another one of his phrase is paid as well. Then two
others sign for him: one is shown a payment and says yes, which is not enough.
"""

import json
import secrets
from typing import Any, Final

import cbor2

from specie.crypto.addresses import parse_address
from specie.crypto.view_keys import format_view_key, parse_view_key
from specie.remote.consent_client import ConsentClient
from specie.remote.people_operations import ENROL_SIGNATORY
from specie.store.device_store import name_device
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import InstitutionPublicKey, OrderId
from specie.wallet.vault import rebuild_payment
from tests.network.evidence import Evidence, Kind, Record
from tests.network.pilot import PASSPHRASE, catch, draw
from tests.network.privacy_story import (
    PAID_CLIENT,
    PAYEE,
    Story,
    add_address,
    add_amounts,
    add_keys,
    opened,
    show,
)
from tests.network.privacy_travel import TOLD_CLIENT, TOLD_HOLDER

READER_HOLDER, READER_NAME = "ld", "Lombardini Ledgers"
SINCE: Final = "2011-03-07"
SECOND, SECOND_CLIENT = "ow/1", "savings-30771"
PUT_ASIDE: Final = 4_433_221_107
SIGNATORY_HOLDER: Final = "sg"
SIGNATORIES: Final = ("Quentin Haversmith", "Rosalind Yarborough")  # the first one has a device
ASKED: Final = 3_322_110_099


def tell_of_readers(story: Story) -> None:
    """Everybody is searched afterwards; see privacy_story.py."""
    address = _open_second(story)
    _read_with_consent(story)
    with opened(story, "ow") as online:
        keys = online.vault.keys
        story.view_key = format_view_key(keys.view, keys.address, "spc")
    add_keys(story.cage, "payee's", story.payee_phrase)
    _sign_with_others(story, address)


def watch(story: Story, evidence: Evidence) -> None:
    """All that the view key's holder has: the key, and what `wallet watch` makes of the log."""
    party, log = "view key's holder", story.pilot.data / "registration" / "public"
    told = story.pilot.run("wallet", "watch", str(log), "--json", stdin=f"{story.view_key}\n")
    view, _ = parse_view_key(story.view_key, "spc")
    for one in (told, f"view key of {view.public.hex()}"):
        evidence.records.append(Record(party, Kind.OPENED, "wallet watch", one.encode()))


def _open_second(story: Story) -> str:
    """Another sub-wallet of Osgood's phrase, which Hesperia pays; gives its address."""
    pilot, cage = story.pilot, story.cage
    invited = pilot.bank(3, "invite", SECOND_CLIENT, PAYEE)
    address = pilot.wallet("ow", "open", invited, "--bank", "3", "--subwallet", "1")
    pilot.bank(2, "lend", TOLD_CLIENT, show(PUT_ASIDE))
    with opened(story, TOLD_HOLDER) as online:
        online.bank.withdraw(OrderId(draw()), Minor(PUT_ASIDE))
        online.collect()
        online.pay(PaymentOrder(parse_address(address, "spc"), Minor(PUT_ASIDE), Memo()), draw())
    with opened(story, "ow", 1) as online:
        assert online.collect() == 1
    key = InstitutionPublicKey(online.account.key.public)
    story.devices[SECOND] = (name_device(key).encode(), key)
    add_address(cage, "address of another sub-wallet", parse_address(address, "spc"))
    add_amounts(cage, "paid to another sub-wallet", PUT_ASIDE)
    return address


def _read_with_consent(story: Story) -> None:
    pilot, cage = story.pilot, story.cage
    key = ("--key", str(pilot.devices / f"{READER_HOLDER}.keys.json"))

    def run(*words: str) -> str:
        return pilot.run("reader", *words, *key, stdin=f"{PASSPHRASE}\n")

    public = run("create-key")
    who = ("--reader", public, "--name", READER_NAME, "--since", SINCE)
    told = pilot.wallet("ow", "consent", "give", *who, "--balance", "--json")
    given: dict[str, Any] = json.loads(told)
    which = ("--consent", given["consent"], "--account", given["account"])
    for what in ("payments", "balance"):
        run(what, *which, "--public", str(pilot.public), "--json")
    with opened(story, "ow") as online:
        readings = ConsentClient(online.channel, online.bank.number).load_readings(0, 100)
    assert [one.what[:8] for one in readings] == ["balances", "payments"]
    story.devices[READER_HOLDER] = (public.encode(), bytes.fromhex(public))
    cage.add_bytes("reader's key", bytes.fromhex(public))
    cage.add_text("reader's name", READER_NAME)
    cage.add_text("what was read", f"since {SINCE}T")


def _sign_with_others(story: Story, address: str) -> None:
    pilot, cage = story.pilot, story.cage
    words = ("signatories", PAID_CLIENT, *SIGNATORIES, "--need", "2", "--json")
    told = json.loads(pilot.bank(3, *words))["codes"]
    codes = {one["name"]: one["code"] for one in told}
    pilot.wallet(SIGNATORY_HOLDER, "create")
    pilot.wallet(SIGNATORY_HOLDER, "sign-as", codes[SIGNATORIES[0]], "--bank", "3")
    [enrolled] = story.list_asked("bank-3", ENROL_SIGNATORY.path)
    key = InstitutionPublicKey(cbor2.loads(enrolled.body)["device"])
    story.devices[SIGNATORY_HOLDER] = (name_device(key).encode(), key)
    cage.add_bytes("signatory's key", key)
    cage.add_text("signatories' names", SIGNATORIES[1])
    _ask(story, address)


def _ask(story: Story, address: str) -> None:
    """For more signatures than there will be, so that nobody but these ever hears of it."""
    cage, order, memo = story.cage, draw(), Memo(OrderId(secrets.token_bytes(16)))
    asked = PaymentOrder(parse_address(address, "spc"), Minor(ASKED), memo)
    with opened(story, "ow") as online:
        error = catch(lambda: online.pay(asked, order))
        assert error.code is ErrorCode.SIGNATURES_MISSING
        stored = online.vault.find_payment(order)
    assert stored is not None
    told = story.pilot.wallet(SIGNATORY_HOLDER, "approve", stored.txid.hex(), "--json")
    shown = json.loads(told)
    [paid] = shown["pays"]
    assert (paid["to"], paid["amount"], shown["now"]) == (address, f"{show(ASKED)} DCU", "open")
    built = rebuild_payment(stored)
    pairs = zip(built.disclosure.openings, built.signed.body.outputs, strict=True)
    [(change, output)] = [pair for pair in pairs if pair[0].view != asked.creditor.view]
    add_amounts(cage, "amount that waits", ASKED)
    cage.add_bytes("memo that waits", memo.order_id)
    cage.add_bytes("transaction that waits", stored.txid)
    add_amounts(cage, "change that waits", change.amount)
    cage.add_bytes("change opening that waits", change.anchor)
    cage.add_bytes("change opening that waits", output.data[:64])
