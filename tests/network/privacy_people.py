"""What people tell their banks and look up, with values that stand out: told after the payment.

Dorabella applies at bank 3, which approves her; she is paid by her phone number and shows her
name. Zaphira, at bank 2, looks the number up. An officer searches.
"""

from typing import Final

from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.identifiers import OrderId
from specie.values.phones import parse_phone
from tests.network.pilot import draw
from tests.network.privacy_story import Story, note_device, opened

OWNER, OWNER_HOLDER, OWNER_CLIENT = "Dorabella Vanterpool", "dv", "vanterpool-66120"
NUMBER: Final = "+77019931177"
BIRTH, DOCUMENT = "1971-02-28", "N99412377K"
OFFICER, REASON = "Ottoline Inspector", "letter 77/Vermilion"


def tell_of_people(story: Story) -> None:
    """Everybody is searched afterwards; see privacy_story.py."""
    _apply(story)
    _look_up(story)
    pilot = story.pilot
    words = ("--client", OWNER_CLIENT, "--as", OFFICER, "--reason", REASON)
    pilot.bank(3, "search", *words)
    cage = story.cage
    cage.add_text("who looked, and why", OFFICER)
    cage.add_text("who looked, and why", REASON)


def _apply(story: Story) -> None:
    pilot, cage = story.pilot, story.cage
    data = ("--detail", f"birth-date={BIRTH}", "--detail", f"document={DOCUMENT}")
    who = ("--name", OWNER, "--phone", NUMBER, "--tier", "person", *data)
    pilot.wallet(OWNER_HOLDER, "create")
    pilot.wallet(OWNER_HOLDER, "apply", "--bank", "3", *who)
    number = pilot.bank(3, "applications").split()[0]
    pilot.bank(3, "approve", number, "--client", OWNER_CLIENT, "--as", "Dana")
    assert "approved" in pilot.wallet(OWNER_HOLDER, "application")
    pilot.wallet(OWNER_HOLDER, "phone", "set", NUMBER, "--show-name")
    cage.add_text("phone number", NUMBER.removeprefix("+"))
    cage.add_text("name shown with the number", OWNER)
    cage.add_text("applicant's birth date, document", BIRTH)
    cage.add_text("applicant's birth date, document", DOCUMENT)
    cage.add_text("owner's client id", OWNER_CLIENT)


def _look_up(story: Story) -> None:
    with opened(story, "qz") as online:
        online.bank.withdraw(OrderId(draw()), Minor(500))  # the rest waits: its payee is blocked
        online.collect()
        found = online.phone.find(parse_phone(NUMBER))
        assert found.name == OWNER
        online.pay(PaymentOrder(found.address, Minor(100), Memo()), draw())
    with opened(story, OWNER_HOLDER) as online:
        assert online.collect()
        note_device(story, OWNER_HOLDER, online)
