"""Who pays and who is paid, as two banks tell each other, with values that stand out (T20).

Both banks want to know of payments from 1.01 on. Hesperia, at bank 2, pays Osgood that much; what
Zaphira pays afterwards is one unit less.
"""

from typing import Final

from specie.crypto.addresses import parse_address
from specie.crypto.hashing import tagged_hash
from specie.policy import builtin
from specie.store.device_store import name_device
from tests.network.privacy_story import (
    CLIENT,
    PAID_CLIENT,
    Story,
    add_address,
    find_device_key,
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
    key = find_device_key(story, holder)
    story.devices[holder] = (name_device(key).encode(), key)
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
    pilot, holder = story.pilot, TOLD_HOLDER
    pilot.bank(2, "lend", TOLD_CLIENT, "5.00")
    pilot.wallet(holder, "withdraw", "5.00")
    pilot.wallet(holder, "pay", story.payee, "1.01")
    with opened(story, holder) as online:
        [paid] = online.vault.load_history().paid
        stored = online.vault.find_payment(paid.payment_id)
    assert stored is not None
    story.cage.add_bytes("told transaction", stored.txid)
