"""A device's return addresses: drawn one after the other, and known to its bank before they go out.

A device that was restored does not know which were given before: it begins somewhere else, so that
the same one is hardly given twice. All of them are its own, whatever it remembers.
"""

import secrets
from collections.abc import Sequence

from specie.bank.returns import sign_return_address
from specie.crypto.addresses import Address
from specie.remote.serving_bank import ServingBankClient
from specie.store.device_notes import SqliteDeviceNotes
from specie.tokens.holdings import HolderKeys, Token
from specie.values.limits import RETURN_ADDRESSES_MAX
from specie.wallet.vault import Vault


def draw_return_address(vault: Vault, bank: ServingBankClient, notes: SqliteDeviceNotes) -> Address:
    """The next one; it counts as given from here on, whatever becomes of the payment."""
    returns = vault.keys.returns
    assert returns is not None, "a person's wallet"
    kind = f"returns {returns.subwallet}"
    note = notes.find(kind)
    place = secrets.randbelow(RETURN_ADDRESSES_MAX) if note is None else int(note["next"])
    notes.put(kind, {"next": (place + 1) % RETURN_ADDRESSES_MAX})
    given = returns.get(place)
    _show(vault, bank, given)
    return given.address


def show_return_addresses(vault: Vault, bank: ServingBankClient, tokens: Sequence[Token]) -> None:
    """Those that hold these tokens, to a bank that knows nothing of them: our bank's successor."""
    holders = {one.address.spend: one for one in (vault.keys.get_for(t.opening) for t in tokens)}
    for keys in holders.values():
        if keys.address != vault.keys.address:
            _show(vault, bank, keys)


def _show(vault: Vault, bank: ServingBankClient, given: HolderKeys) -> None:
    network, own = vault.surroundings.genesis.network, vault.keys.address
    proof = sign_return_address(network, own, given.address, given.spend)
    bank.add_return_address(given.address, proof)
