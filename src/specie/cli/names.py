"""Names that payers have shown, judged when the money arrives and kept as they were judged."""

from specie.store.request_store import SqliteRequestStore
from specie.tokens.name_claims import ShownName, judge_name
from specie.values.identifiers import ZERO64, Signature
from specie.wallet.vault import Vault


def record_names(vault: Vault, kept: SqliteRequestStore) -> None:
    """Once for each output; a claim that an earlier one has brought vouches for nothing."""
    known = kept.load_names()
    members, network = vault.surroundings.roster.current, vault.surroundings.genesis.network
    seen: set[Signature] = set()
    for one in vault.load_history().received:
        if one.ref not in known:
            paid = (vault.keys.address, one.amount)
            shown = judge_name(one.memo, paid, network, members, seen)
            if shown is not None:
                kept.record_name(one.ref, shown)
        if one.memo.name_signature != ZERO64:
            seen.add(one.memo.name_signature)


def describe_name(shown: ShownName | None) -> str:
    """Nobody takes the payer's own word for the bank's."""
    if shown is None:
        return ""
    whose = f"says bank {shown.bank}" if shown.bank else "not confirmed by any bank"
    return f"{shown.name} ({whose})"
