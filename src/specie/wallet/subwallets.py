"""A person's wallet: sub-wallets of one phrase, each with its own keys, address and tokens (T3).

Nobody but the holder can tell that two addresses belong together; a payment spends the tokens of
one sub-wallet only, so that it does not show it either.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from specie.crypto.secrets import SealingKey
from specie.ports.vault import VaultStore
from specie.tokens.holdings import derive_keys_with_returns
from specie.values.amounts import Minor, sum_minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import ParticipantNumber
from specie.values.limits import SUBWALLETS_MAX
from specie.wallet.keys import OpenedKeys, get_subholder
from specie.wallet.vault import Surroundings, Vault


class VaultStores(Protocol):
    """Where the stores of many holders are kept."""

    def open_holder(self, holder: str, key: SealingKey) -> VaultStore:
        """The holder's rows."""
        ...


class Wallet:
    """Several vaults of one key tree."""

    def __init__(
        self, holder: str, opened: OpenedKeys, stores: VaultStores, surroundings: Surroundings
    ) -> None:
        self._holder = holder
        self._opened = opened
        self._stores = stores
        self._surroundings = surroundings
        self._vaults: dict[int, Vault] = {}

    @property
    def vaults(self) -> Mapping[int, Vault]:
        """Those that were opened, by number."""
        return MappingProxyType(self._vaults)

    def open_vault(self, number: int, bank: ParticipantNumber) -> Vault:
        """Sub-wallet `number`, served by `bank`; the same one again if it is open.

        `order_conflict` if it is open at another bank: a client who moves makes new keys.
        """
        if not 0 <= number < SUBWALLETS_MAX:
            raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"sub-wallets 0 to {SUBWALLETS_MAX - 1}")
        if number not in self._vaults:
            keys = derive_keys_with_returns(self._opened.tree, number, bank)
            holder = get_subholder(self._holder, number)
            store = self._stores.open_holder(holder, self._opened.vault_key)
            self._vaults[number] = Vault(keys, store, self._surroundings)
        vault = self._vaults[number]
        if vault.keys.address.bank != bank:
            raise SpecieError(ErrorCode.ORDER_CONFLICT, "this sub-wallet is at another bank")
        return vault

    def get_balance(self) -> Minor:
        """Over all that are open."""
        return sum_minor([vault.get_balance() for vault in self._vaults.values()])
