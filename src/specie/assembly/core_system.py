"""A bank's way to its core system, from its settings; without them its own books are it."""

import os
import re
import stat
from pathlib import Path
from typing import Final

from specie.assembly.foundation import Foundation
from specie.assembly.own_keys import STORAGE
from specie.assembly.tls import build_public_context
from specie.bank.control_books import ControlBooks, refuse_stray_books
from specie.bank.deposits import DepositBooks
from specie.bank.teller import CoreSystem, Teller
from specie.remote.core_bank_client import RemoteCoreBank
from specie.store.books_store import SqliteBooksStore
from specie.store.core_link_store import SqliteCoreLinks
from specie.store.durable_files import read_regular
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import CORE_BANK_SECRET_BYTES_MAX, CORE_BANK_SECRET_BYTES_MIN

_SECRET: Final = re.compile(r"[!-~]+")  # RFC 6750 allows fewer; none that would end a header


def build_teller(base: Foundation, books: DepositBooks, store: SqliteBooksStore) -> Teller:
    """`setting_invalid` if a setting is wrong, or clients' money is where nobody would look."""
    chosen = base.settings.core_bank
    refuse_stray_books(store, books.count_deposits(), has_core=bool(chosen.url))
    if not chosen.url:
        return Teller(books)
    secret = read_secret(base.folder / chosen.secret)
    context = build_public_context(base.folder / chosen.certificate)
    return Teller(
        books,
        CoreSystem(
            bank=RemoteCoreBank(chosen.url, secret, context),
            links=SqliteCoreLinks(base.database, base.own.find_sealing(STORAGE)),
            control=ControlBooks(store, base.clock),
        ),
    )


def read_secret(path: Path) -> str:
    """`setting_invalid` unless it is a file for its owner alone, with a text that can be sent."""
    try:
        mode = path.stat().st_mode
        text = read_regular(path, CORE_BANK_SECRET_BYTES_MAX + 1, os.O_NOFOLLOW)
        secret = text.decode("ascii").rstrip("\n")
    except (OSError, UnicodeDecodeError):
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{path}: not readable") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SpecieError(ErrorCode.SETTING_INVALID, f"{path}: others may read it; chmod 600")
    is_long = CORE_BANK_SECRET_BYTES_MIN <= len(secret) <= CORE_BANK_SECRET_BYTES_MAX
    if not is_long or not _SECRET.fullmatch(secret):
        reason = f"{path}: {CORE_BANK_SECRET_BYTES_MIN} printable characters or more, no spaces"
        raise SpecieError(ErrorCode.SETTING_INVALID, reason)
    return secret
