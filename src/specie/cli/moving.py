"""A wallet goes to another bank, or comes back from a device that was lost (T3, T19, X7).

move      another sub-wallet of the same phrase at the new bank → deposit out → all money over →
          the old account is closed → the device uses the new one
recover   a new phrase on the new device → the bank's code → what is in the old wallet, by the old
          phrase → all of it to the new address

Every step is durable on the device or at a bank before the next one; the same command goes on.
"""

from itertools import count, product

from specie.cli.applying import ask_bank
from specie.cli.arguments import parse_network
from specie.cli.devices import Device
from specie.cli.online_commands import Online, build_opening, surround
from specie.cli.parties import draw_order
from specie.cli.places import STRANGER, Site
from specie.cli.trust import load_trust
from specie.cli.waterfalls import MovingWallet
from specie.directory.succession import is_open
from specie.flows.moving import move_money
from specie.flows.sending import give_up
from specie.flows.sweeping import sweep
from specie.ports.onboarding import AccountState
from specie.remote.people_client import PeopleClient
from specie.remote.serving_bank import ServingBankClient
from specie.store.device_notes import set_current
from specie.tokens.scanning import scan_own
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import LOST_SUBWALLETS_MAX
from specie.wallet.phone import Wish
from specie.wallet.vault import Vault

_NOTE = "move"


def begin_move(site: Site, bank: int) -> int:
    """The sub-wallet at the new bank; `order_conflict` if a move to another one has begun."""
    note = site.notes.find(_NOTE)
    if note is None:
        if site.get_account(site.current).bank == bank:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, f"the wallet is at bank {bank} already")
        note = {"bank": bank, "from": site.current, "to": _find_free(site)}
        site.notes.put(_NOTE, note)
    if note["bank"] != bank:
        raise SpecieError(ErrorCode.ORDER_CONFLICT, f"a move to bank {note['bank']} has begun")
    return int(note["to"])


def open_with_code(site: Site, place: int, bank: int, code: bytes) -> None:
    """A sub-wallet at a bank that has identified its holder; again is the same."""
    account = site.prepare(place, bank)
    with site.speak(STRANGER, account.key, bank) as channel:
        vault = site.open_vault(place, bank, channel)
        served = ServingBankClient(channel, account.bank)
        opening = build_opening(code, vault, account, served)
        site.record_client(place, served.open_wallet(opening))


def has_opened(site: Site, place: int) -> bool:
    """Whether the new bank has opened it; an approval that we have not heard of is heard now."""
    if _has_account(site, place):
        return True
    try:
        return ask_bank(site, place).state == AccountState.APPROVED
    except SpecieError as error:
        if error.code is not ErrorCode.APPLICATION_UNKNOWN:
            raise
        return False


def finish_move(site: Site, place: int) -> tuple[str, int]:
    """Money over, the old account closed, the new one in use; gives its balance in minor units."""
    note = site.notes.find(_NOTE) or {}
    old = int(note.get("from", place - 1))  # a move that an earlier version has begun
    with site.online(place) as (new, _):
        if site.current == old:
            _empty(site, old, new)
            set_current(site.notes, place)
        new.collect()
        balance = new.vault.get_balance()
        shown = new.channel.peers.roster.genesis.currency.format(balance)
    site.notes.remove(_NOTE)
    return shown, balance


def move_number(site: Site) -> bool | None:
    """The directory entry goes to the new address, as it was; None if there is none to move.

    False while the new bank has not confirmed the number.
    """
    with site.online(site.current) as (online, _):
        own = online.numbers.find_number()
        last = online.numbers.find_last(own.index) if own is not None else None
        if own is None or last is None or not is_open(last[0].entry):
            return None
        stands = last[0].entry
        try:
            online.phone.put(own.phone, Wish(stands.state, bool(stands.name)))
        except SpecieError as error:
            if error.code is not ErrorCode.PHONE_NOT_CONFIRMED:
                raise
            return False
    return True


def _empty(site: Site, place: int, new: Online) -> None:
    """Deposit and tokens, then the account; whatever was begun goes on."""
    with site.online(place) as (old, people):
        _, standing = old.bank.get_standing()
        if standing == "closed":
            return
        trust = load_trust(site.public, parse_network(site.network))
        for one in (old, new):  # what a limit has refused the day before is free again
            one.resume()
            give_up(one.vault, one.bank, trust)
        move_money(MovingWallet(old), MovingWallet(new))
        people.close()


def recover(site: Site, place: int, bank: int, code: bytes, lost: Device) -> tuple[int, int]:
    """The new wallet is open, and what the old one held is in it; gives payments, and tokens held.

    `lost` has the old phrase, on this device now, until its money is here.
    """
    if not _has_account(site, place):
        open_with_code(site, place, bank, code)
    payments = held = 0
    with site.online(place) as (new, people):
        creditor = new.vault.keys.address
        places = product(_list_banks(bank, people), range(LOST_SUBWALLETS_MAX))
        for number, before in places:
            vault = lost.open_vault(before, number, surround(new.channel))
            found = _take_lost(vault, people)
            if found is not None:
                payments += sweep(vault, creditor, new.bank, draw_order)
                held += found
        new.collect()
    return payments, held


def _take_lost(vault: Vault, people: PeopleClient) -> int | None:
    """What the bank says is in a lost wallet, checked here; None if it knows of none."""
    held = 0
    member = vault.surroundings.roster.current.get(vault.keys.address.bank)
    try:
        for part in people.iterate_lost(vault.keys.address):
            tokens = scan_own(part.outputs, vault.keys, member)
            vault.take_rescued(tokens, part.held)
            held += len(part.held)
    except SpecieError as error:
        if error.code is not ErrorCode.CLIENT_UNKNOWN:
            raise
        return None
    return held


def _list_banks(bank: int, people: PeopleClient) -> list[int]:
    """The old address is of the bank itself, or of the one whose successor it is."""
    return sorted({bank, int(people.number)})


def _find_free(site: Site) -> int:
    """The first sub-wallet behind the one in use that no bank has or will have."""
    taken = {site.current, *site.device.list_places()}
    return next(one for one in count(site.current + 1) if one not in taken)


def _has_account(site: Site, place: int) -> bool:
    try:
        site.get_account(place)
    except SpecieError as error:
        if error.code is not ErrorCode.CLIENT_UNKNOWN:
            raise
        return False
    return True
