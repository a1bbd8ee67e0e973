"""Money that goes back, and what stands beside a bank, with values that stand out.

Zaphira asks Osgood for what she paid him with a return address. He has an account at the core bank
of bank 3: he pays some of what he got into it and takes some out again. Then he says no, and pays
back a part nevertheless. Told before banks tell each other who pays.
"""

from typing import Final

from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.tokens.memo_notes import RefundReference
from specie.values.amounts import Minor
from specie.values.identifiers import OrderId
from tests.network.pilot import draw
from tests.network.privacy_story import (
    PAID_CLIENT,
    Story,
    add_amounts,
    opened,
    show,
)

CORE = "core-bank-3"
REASON, ANSWER = "meant for Thaddeus Brakspear", "it was for the Zinfandel"
INTO_ACCOUNT, OUT_OF_ACCOUNT = 1_122_334_455_667, 1_111_222_333_447  # of what he was paid
REFUNDED: Final = 2_345


def tell_of_returns(story: Story) -> None:
    """Everybody is searched afterwards; see privacy_story.py."""
    pilot, cage, sold = story.pilot, story.cage, story.sold.hex()
    pilot.wallet("qz", "return-request", story.refundable.hex(), "--reason", REASON)
    _use_account(story)
    pilot.wallet("ow", "decline-return", sold, "--reason", ANSWER)
    pilot.wallet("ow", "refund", sold, show(REFUNDED))
    _hear_of_refund(story)
    cage.add_text("reason of a request", REASON)
    cage.add_text("answer to a request", ANSWER)
    for kind in ("refund.arrived", "return.requested", "return.declined"):
        cage.add_text(f"event {kind}", kind)


def _use_account(story: Story) -> None:
    pilot, cage = story.pilot, story.cage
    at = ("--at", str(pilot.data / CORE))
    number = pilot.run("core-bank", "account", "open", PAID_CLIENT, *at)
    assert pilot.bank(3, "link-account", PAID_CLIENT) == number
    left = INTO_ACCOUNT - OUT_OF_ACCOUNT
    with opened(story, "ow") as online:
        order = OrderId(draw())
        vault = online.bank.expect_deposit(order, Minor(INTO_ACCOUNT))
        online.pay(PaymentOrder(vault, Minor(INTO_ACCOUNT), Memo(order_id=order)), order)
        pilot.wait(lambda: online.bank.describe_standing().deposit == INTO_ACCOUNT)
        online.bank.withdraw(OrderId(draw()), Minor(OUT_OF_ACCOUNT))
        online.collect()
        assert online.bank.describe_standing().deposit == left
        [asked] = online.bank.list_returns()
        assert asked.signed.request.reason == REASON
    cage.add_text("account at the core bank", number)
    add_amounts(cage, "paid into the account", INTO_ACCOUNT)
    add_amounts(cage, "taken out of the account", OUT_OF_ACCOUNT)
    add_amounts(cage, "left on the account", left)


def _hear_of_refund(story: Story) -> None:
    """Which payment it pays back stands in its memo with a proof, and in the payer's event."""
    with opened(story, "qz") as online:
        online.collect()
        [asked] = online.bank.list_returns()
        assert asked.answer is not None and asked.answer.text == ANSWER
        received = online.vault.load_history().received
        paid = online.vault.find_payment(story.refundable)
    [back] = [one for one in received if one.amount == REFUNDED]
    assert paid is not None and isinstance(back.memo.note, RefundReference)
    story.cage.add_bytes("refund of", back.memo.note.proof)
    story.cage.add_text("refund of", f'"refund_of": "{paid.txid.hex()}"')
