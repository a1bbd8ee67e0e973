"""What happens before everything is searched, with values that stand out, and those values.

Bank 2 buys money for reserves; Zaphira at bank 2 withdraws some of a loan and pays Osgood at
bank 3, with a memo, then a little with an address to return it to; she deposits what she has left,
tries to pay somebody whom bank 3 has blocked; bank 2 gives money back. Everybody asks their banks
what there is to ask; events of both go to servers of their own.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import cbor2

from specie.cli.online_commands import Online, opened_online
from specie.cli.return_addresses import draw_return_address
from specie.crypto.addresses import Address, format_address, parse_address
from specie.crypto.outputs import Opening, unpack_opening
from specie.ledger.records import Output
from specie.ledger.transactions import AttestedTransaction
from specie.ledger.wire import decode_attested, decode_signed
from specie.log.leaves import HEADER, HeaderLeaf, unpack_leaf
from specie.ports.vault import StoredPayment
from specie.remote import bank_operations as banks
from specie.remote.client_models import MovementsQuery
from specie.store.device_store import name_device
from specie.store.log_files import LogFolder
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.encoding import i64, u8, u64
from specie.values.identifiers import InstitutionPublicKey, OrderId, OutputRef, Signature
from specie.values.times import Timestamp
from specie.wallet.refunds import add_return_address
from specie.wallet.vault import Surroundings, rebuild_payment
from tests.network.canaries import Cage
from tests.network.middleman import PUBLIC_ADDRESS, Middleman, Recorded
from tests.network.pilot import PASSPHRASE, Pilot
from tests.network.webhook_receiver import Receiver
from tests.reference.keys import derive_seed, derive_subwallet

PAYER, PAYEE = "Zaphira Quillon", "Osgood Wimplethorpe"
CLIENT, PAID_CLIENT, BLOCKED = "quillon-77310", "wimple-88421", "blocked-99532"
CLAIM: Final = "Mme Z. Quillon-Umberlee"
# minor units; each is as long as a time, so that a database writes it in six bytes
LENT, ISSUED = 88_812_345_678_917, 61_728_394_506_173
LOAN, WITHDRAWN, PAID = 9_911_223_344_557, 8_833_344_455_567, 1_176_543_212_347
DEPOSITED, REDEEMED = 2_223_334_445_559, 3_344_556_677_881
REFUNDABLE: Final = 4_711
TOTAL: Final = ISSUED - REDEEMED  # after the redemption; after the issue it is what was issued
CLOCK_BACK_MS: Final = 7 * 60 * 1000  # so that this payment's window is nobody else's


@dataclass(frozen=True)
class BackClock:
    """A device whose clock is slow."""

    online: Online

    def now(self) -> Timestamp:
        return Timestamp(self.online.channel.clock.now() - CLOCK_BACK_MS)


@dataclass
class Story:
    """What has to be known to look for it."""

    pilot: Pilot
    middleman: Middleman
    receivers: dict[str, Receiver]  # holder: who is told of its events
    cage: Cage = field(default_factory=Cage)
    phrase: str = ""
    payee: str = ""  # its address
    payee_phrase: str = ""
    view_key: str = ""  # of the sub-wallet that the payee was paid into
    order: OrderId = OrderId(b"")
    refundable: OrderId = OrderId(b"")  # the payment with an address to return it to
    sold: bytes = b""  # what its payee got
    issue: bytes = b""
    redemption: bytes = b""
    devices: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)  # holder: name, key
    alone: set[int] = field(default_factory=set)  # messages while nobody but Zaphira was calling

    def find_transaction(self, txid: bytes) -> tuple[AttestedTransaction, bytes]:
        """As the notary was asked for it."""
        for data in self.list_submitted():
            found = decode_attested(data)
            if found.txid == txid:
                return found, data
        raise AssertionError("the notary was not asked")

    def list_submitted(self) -> Iterator[bytes]:
        """Wire forms."""
        for one in self.list_asked("notary", "/v1/payments"):
            yield from cbor2.loads(one.body)["transactions"]

    def list_asked(self, service: str, path: str) -> list[Recorded]:
        said = self.middleman.recorded
        return [one for one in said if (one.service, one.path) == (service, path)]


def tell(pilot: Pilot, middleman: Middleman, receivers: dict[str, Receiver]) -> Story:
    story = Story(pilot, middleman, receivers)
    story.issue = _issue(pilot)
    zaphira, osgood = _open_wallets(story)
    story.payee = osgood
    _add_people(story, zaphira, osgood)
    _pay(story, osgood)
    for holder in ("qz", "ow"):
        _ask_bank(story, holder)
    pilot.wallet("qz", "deposit", show(DEPOSITED))
    _pay_blocked(story)
    story.redemption = bytes.fromhex(pilot.bank(2, "redeem", show(REDEEMED)))
    pilot.approve(story.redemption.hex())
    return story


def publish(story: Story) -> None:
    """What the log has to say, once it says it; and somebody audits it."""
    pilot = story.pilot
    pilot.wait(lambda: _is_published(pilot, i64(-REDEEMED)))
    pilot.run("audit", pilot.get_url("registration"), "--root", str(pilot.public / "root.pem"))
    _add_supply(story)
    pilot.wait(lambda: _add_log(story))


def _is_published(pilot: Pilot, part: bytes) -> bool:
    log = LogFolder(pilot.data / "registration" / "public")
    size = int(log.read_checkpoint().splitlines()[1])
    return any(part in leaf for leaf in log.iterate_leaves(size))


def show(minor: int) -> str:
    """As people write it."""
    return f"{minor // 100:,}.{minor % 100:02}"


def _issue(pilot: Pilot) -> bytes:
    pilot.lend(2, show(LENT))
    order = pilot.bank(2, "issue", show(ISSUED))
    pilot.approve(order)
    pilot.wait(lambda: pilot.get_fact(2, "vault") >= ISSUED)
    return bytes.fromhex(order)


def _open_wallets(story: Story) -> tuple[str, str]:
    """Gives both addresses; Zaphira has money on her device."""
    pilot = story.pilot
    story.phrase = pilot.wallet("qz", "create")
    story.payee_phrase = pilot.wallet("ow", "create")
    invited = pilot.bank(2, "invite", CLIENT, PAYER)
    zaphira = pilot.wallet("qz", "open", invited, "--bank", "2")
    invited = pilot.bank(3, "invite", PAID_CLIENT, PAYEE)
    osgood = pilot.wallet("ow", "open", invited, "--bank", "3")
    for number, client, holder in ((2, CLIENT, "qz"), (3, PAID_CLIENT, "ow")):
        pilot.bank(number, "webhooks", "register", client, story.receivers[holder].url)
    pilot.bank(2, "tier", CLIENT, "business", "--as", "Dana", "--reason", "may pay as much")
    pilot.bank(2, "lend", CLIENT, show(LOAN))
    pilot.wallet("qz", "withdraw", show(WITHDRAWN))
    return zaphira, osgood


def _pay(story: Story, osgood: str) -> None:
    """With all that a memo holds; then another payment at once, so that the batch has two.

    It gives an address to return it to: a memo with a name has no room for one.
    """
    cage, creditor = story.cage, parse_address(osgood, "spc")
    ids, signed = [secrets.token_bytes(16) for _ in range(3)], secrets.token_bytes(64)
    memo = Memo(OrderId(ids[0]), ids[1], ids[2], Signature(signed), CLAIM)
    story.order, story.refundable = (OrderId(secrets.token_bytes(16)) for _ in range(2))
    with opened(story, "qz") as online:
        given = draw_return_address(online.vault, online.bank, online.notes)
        real = online.vault.surroundings
        online.vault.surroundings = Surroundings(real.roster, BackClock(online), real.identifiers)
        promise = online.pay(PaymentOrder(creditor, Minor(PAID), memo), story.order)
        online.vault.surroundings = real
        refundable = add_return_address(Memo(), given)
        small = PaymentOrder(creditor, Minor(REFUNDABLE), refundable)
        online.pay(small, story.refundable)
        stored = online.vault.find_payment(story.order)
        second = online.vault.find_payment(story.refundable)
    assert stored is not None and second is not None
    story.sold = _find_paid(second, creditor)
    for one in (*ids, signed):
        cage.add_bytes("memo", one)
    cage.add_text("memo", CLAIM)
    cage.add_text("name in the memo", CLAIM)
    for one in ids[:2]:
        cage.add_bytes("ids in the memo", one)
    add_address(cage, "payer's return address", given)
    cage.add_bytes("payer's own order id", story.order)
    cage.add_time("time of the payer's device", stored.time)
    cage.add_time("time of the notary's decision", promise.publish_by)
    decided = promise.publish_by - real.genesis.batch_age_ms_max
    cage.add_time("time of the notary's decision", decided)
    built = rebuild_payment(stored)
    openings = built.disclosure.openings
    for opening, output in zip(openings, built.signed.body.outputs, strict=True):
        side = "payee's" if opening.view == creditor.view else "change"
        _add_output(cage, side, opening, output)
    _add_payment(story, stored.txid, [one.view == creditor.view for one in openings])


def _find_paid(stored: StoredPayment, creditor: Address) -> OutputRef:
    """What a payment made for its payee."""
    built = rebuild_payment(stored)
    pairs = zip(built.disclosure.openings, built.signed.body.outputs, strict=True)
    [found] = [output.ref for opening, output in pairs if opening.view == creditor.view]
    return found


@contextmanager
def opened(story: Story, holder: str, place: int = 0) -> Iterator[Online]:
    """A device in our own process, with its bank at hand."""
    device, said = story.pilot.devices / f"{holder}.db", story.middleman.recorded
    first = len(said)
    words = (device, holder, story.pilot.public, None, PASSPHRASE, place)
    with opened_online(*words) as online:
        yield online
    if holder == "qz":
        story.alone |= set(range(first, len(said)))


def _ask_bank(story: Story, holder: str) -> None:
    """What a device may ask besides paying; and the keys by which its bank knows it."""
    with opened(story, holder) as online:
        online.collect()
        online.bank.get_standing()
        online.channel.call(online.bank.name, banks.LIST_MOVEMENTS, MovementsQuery())
    key = note_device(story, holder, online)
    if holder == "qz":
        story.cage.add_bytes("device's key and name", key)
        story.cage.add_text("device's key and name", name_device(key))


def note_device(story: Story, holder: str, online: Online) -> InstitutionPublicKey:
    """Gives the public key by which its bank knows it, and we know its messages."""
    key = InstitutionPublicKey(online.account.key.public)
    story.devices[holder] = (name_device(key).encode(), key)
    return key


def _pay_blocked(story: Story) -> None:
    pilot = story.pilot
    pilot.wallet("bl", "create")
    invited = pilot.bank(3, "invite", BLOCKED, "Some Body")
    address = pilot.wallet("bl", "open", invited, "--bank", "3")
    pilot.bank(3, "block", BLOCKED, "--as", "Ada", "--reason", "a letter")
    pilot.wallet("qz", "pay", address, "1.00", code=1)
    story.cage.add_text("that a payee is blocked", "client_blocked")


def _add_people(story: Story, zaphira: str, osgood: str) -> None:
    cage = story.cage
    cage.add_text("payer's name", PAYER)
    cage.add_text("payee's name", PAYEE)
    for name, text in (("payer's address", zaphira), ("payee's address", osgood)):
        add_address(cage, name, parse_address(text, "spc"))
    cage.add_text("client id", CLIENT)
    cage.add_text("payee's client id", PAID_CLIENT)
    for holder, receiver in story.receivers.items():
        name = {"qz": "payer's webhook", "ow": "payee's webhook"}[holder]
        cage.add_text(name, receiver.url.rpartition("/")[2])
    for status in (b"\x66status\x64good", b"status=good\0", b'"status":"good"', b"status='good'"):
        cage.add_bytes("standing", status)
    add_amounts(cage, "amount paid", PAID)
    add_amounts(cage, "change", WITHDRAWN - PAID)
    add_amounts(cage, "tokens", WITHDRAWN, WITHDRAWN - PAID)
    add_amounts(cage, "deposit", LOAN - WITHDRAWN)
    add_amounts(cage, "loan", LOAN)
    add_amounts(cage, "withdrawal", WITHDRAWN)
    add_amounts(cage, "deposit of tokens", DEPOSITED)
    cage.add_text("phrase", story.phrase)
    add_keys(cage, "payer's", story.phrase)
    cage.add_text("address of the payer's device", PUBLIC_ADDRESS)
    cage.add_text("address of the payer's bank", story.middleman.get_address("bank-2"))


def add_address(cage: Cage, name: str, address: Address) -> None:
    cage.add_text(name, format_address(address, "spc"))
    cage.add_bytes(name, address.spend)
    cage.add_bytes(name, address.view)


def add_keys(cage: Cage, whose: str, phrase: str) -> None:
    """Of its sub-wallet 0."""
    keys = derive_subwallet(derive_seed(phrase), 0)
    for order in ("little", "big"):
        cage.add_bytes(f"{whose} spend key", keys.spend.to_bytes(32, order))
        cage.add_bytes(f"{whose} spend key", keys.wallet_secret)
        cage.add_bytes(f"{whose} view key", keys.view.to_bytes(32, order))
    cage.add_text(f"{whose} view key", f"view key of {keys.view_public.hex()}")  # said of handles
    cage.add_text(f"{whose} spend key", f"spend key of {keys.spend_public.hex()}")


def add_amounts(cage: Cage, name: str, *amounts: int) -> None:
    for one in amounts:
        cage.add_amount(name, one, [show(one), show(one).replace(",", "")])


def _add_output(cage: Cage, side: str, opening: Opening, output: Output) -> None:
    """An output as all see it, and what its opening says."""
    cage.add_bytes(f"{side} output", output.ref)
    cage.add_bytes(f"{side} output", output.data[:64])
    cage.add_bytes(f"{side} opening", opening.anchor)
    cage.add_bytes(f"{side} terms", opening.pack()[68:137])  # from the anchor to the expiry
    cage.add_bytes(f"{side} bank", opening.pack()[:68])


def _add_payment(story: Story, txid: bytes, is_paid: Sequence[bool]) -> None:
    """What the payment is made of, from what the notary was asked for."""
    cage = story.cage
    found, data = story.find_transaction(txid)
    body = found.body
    cage.add_bytes("transaction", txid)
    for ref in body.inputs:
        cage.add_bytes("inputs", ref)
    cage.add_bytes("payment's graph", data[:200])  # its start, with all inputs in a row
    cage.add_bytes("offset", body.offset)
    counted = body.offset + bytes((len(body.inputs), len(body.outputs)))
    slots = body.outline.slots
    cage.add_bytes("number of inputs", counted)
    cage.add_bytes("number of outputs", counted)
    cage.add_bytes("number of outputs", u8(len(slots)) + slots[0])
    cage.add_time("window of validity", body.not_before)
    cage.add_time("window of validity", body.not_after)
    for paid, terms in zip(is_paid, body.terms, strict=True):
        side = "payee's" if paid else "change"
        cage.add_bytes(f"{side} terms", terms.pack())
        cage.add_bytes(f"{side} bank", terms.pack())
    for one in found.attestations:
        side = {2: "change", 3: "payee's"}[one.bank]
        cage.add_bytes(f"{side} attestation", one.signature)
        cage.add_bytes(f"{side} bank", one.pack())


def _add_log(story: Story) -> bool:
    """What the log says of the payment's batch, once it is there; the batch has to have others."""
    log = LogFolder(story.pilot.data / "registration" / "public")
    txid = story.cage.spellings["transaction"]["raw"]
    headers: list[HeaderLeaf] = []
    size = int(log.read_checkpoint().splitlines()[1])
    for data in log.iterate_leaves(size):
        if data[0] == HEADER:
            leaf = unpack_leaf(data, 0)
            assert isinstance(leaf, HeaderLeaf)
            headers.append(leaf)
        elif txid in data:
            assert headers[-1].kernels > 1, "the sum of a batch of one is its own offset"
            story.cage.add_time("time of the publication batch", headers[-1].time)
            story.cage.add_bytes("offset of the batch", headers[-1].offset)
            return True
    return False


def _add_supply(story: Story) -> None:
    """Of the issue and of the redemption."""
    cage = story.cage
    add_amounts(cage, "amount of an issue", ISSUED)
    add_amounts(cage, "amount of a redemption", REDEEMED)
    cage.add_bytes("amount of a redemption", i64(-REDEEMED))
    add_amounts(cage, "total after it", TOTAL)
    add_amounts(cage, "reserves of the bank", LENT - ISSUED)
    for data in story.list_submitted():
        found = decode_attested(data)
        supply = found.signed.supply
        is_ours = found.body.supply_change in (ISSUED, -REDEEMED)
        if supply is None or not is_ours or not supply.authorisations:
            continue
        cage.add_bytes("serial", u64(supply.serial) + u64(supply.total_after))
        cage.add_bytes("serial", b"\x66serial" + cbor2.dumps(supply.serial))
        cage.add_bytes("serial", b"serial=" + supply.serial.to_bytes(8, "big"))
        cage.add_bytes("serial", f"serial={supply.serial}\0".encode())
        cage.add_bytes("supply transaction", found.txid)
        for one in supply.authorisations:
            cage.add_bytes("officers who signed", one.pack())
        for terms in found.body.terms:
            cage.add_bytes("which bank", terms.pack())
        for attested in found.attestations:
            cage.add_bytes("which bank", attested.pack())
        if supply.reserve is not None:
            cage.add_bytes("which bank", supply.reserve.pack()[:28])
    for officers in (b"\x81\x01", b"\x82\x01\x02"):  # as lists in CBOR
        cage.add_bytes("officers who signed", b"\x6bapproved_by" + officers)
    for order in (story.issue, story.redemption):
        cage.add_bytes("supply order", order)
    for opening in _list_supply_openings(story):
        cage.add_bytes("openings of the outputs", opening.anchor)


def _list_supply_openings(story: Story) -> Iterator[Opening]:
    """Of outputs that an issue made for bank 2, and of what its redemption leaves it."""
    for one in story.list_asked("bank-2", "/v1/receipts"):
        if one.caller == "central-bank":
            for shown in cbor2.loads(one.body)["outputs"]:
                yield unpack_opening(shown["opening"])
    for one in story.middleman.recorded:
        if (one.caller, one.service) == ("bank-2", "central-bank") and b"openings" in one.body:
            found = cbor2.loads(one.body)
            assert decode_signed(found["data"]).body.supply_change == -REDEEMED
            for opening in found["openings"]:
                yield unpack_opening(opening)
