"""Who pays and who is paid, as two banks tell each other, with values that stand out (T20).

Both banks want to know of payments from 1.01 on. Hesperia, at bank 2, pays Osgood that much; what
Zaphira pays afterwards is one unit less.
"""

from typing import Final

from specie.crypto.addresses import parse_address
from specie.crypto.hashing import tagged_hash
from specie.policy import builtin
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.identifiers import OrderId
from tests.network.pilot import draw
from tests.network.privacy_story import (
    CLIENT,
    PAID_CLIENT,
    Story,
    add_address,
    note_device,
    opened,
)

TOLD_HOLDER, TOLD_CLIENT, TOLD_NAME = "hs", "ostrander-44071", "Hesperia"
FROM: Final = 101  # minor units
OFFICER = "Theodora Overseer"
WHO = ("--as", OFFICER, "--reason", "the papers were seen")
TOLD: Final = ("Ostrander-Vexley", "Hesperia Io", "KZ 70016655")
UNTOLD: Final = ("Quillon-Featherstone", "Zaphira Mae", "KZ 80027766")
COMPANY: Final = ("Wimplethorpe Salvage Ltd", "REG 5571-KW")


def tell_of_travel(story: Story) -> None:
    """Everybody is searched afterwards; see privacy_story.py."""
    _identify(story)
    _set_policies(story)
    _pay(story)
    story.cage.add_text("officer's name", OFFICER)


def _identify(story: Story) -> None:
    pilot, cage, holder = story.pilot, story.cage, TOLD_HOLDER
    pilot.wallet(holder, "create")
    invited = pilot.bank(2, "invite", TOLD_CLIENT, TOLD_NAME)
    address = parse_address(pilot.wallet(holder, "open", invited, "--bank", "2"), "spc")
    for client, names in ((TOLD_CLIENT, TOLD), (CLIENT, UNTOLD)):
        primary, secondary, number = names
        known = ("--primary", primary, "--secondary", secondary, "--national-id", number)
        pilot.bank(2, "identify", client, *known, *WHO)
    legal = ("--legal", "--primary", COMPANY[0], "--national-id", COMPANY[1])
    pilot.bank(3, "identify", PAID_CLIENT, *legal, *WHO)
    for name, texts in (("told", TOLD), ("untold", UNTOLD), ("payee's", COMPANY)):
        for text in texts:
            cage.add_text(f"{name} identity", text)
    cage.add_text("told client id", TOLD_CLIENT)
    add_address(cage, "told address", address)
    customer = tagged_hash("travel-customer", address.view, address.spend)[:16]
    cage.add_text("told customer number", customer.hex())


def _set_policies(story: Story) -> None:
    file = story.pilot.devices / "travel.toml"
    file.write_text(f"{builtin.TEXT}\n[travel_rule]\nfrom = {FROM}\n")
    for number in (2, 3):
        story.pilot.bank(number, "policy", "set", str(file), *WHO)


def _pay(story: Story) -> None:
    story.pilot.bank(2, "lend", TOLD_CLIENT, "5.00")
    payee = parse_address(story.payee, "spc")
    with opened(story, TOLD_HOLDER) as online:
        note_device(story, TOLD_HOLDER, online)
        online.bank.withdraw(OrderId(draw()), Minor(500))
        online.collect()
        promise = online.pay(PaymentOrder(payee, Minor(FROM), Memo()), draw())
    story.cage.add_bytes("told transaction", promise.txid)
