"""Secrets are asked for: an argument could be read by other users of the machine."""

import getpass
import sys

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError


def ask(what: str) -> str:
    """Without echo; a line of standard input if that is no terminal."""
    if sys.stdin.isatty():
        return getpass.getpass(f"{what}: ")
    return sys.stdin.readline().rstrip("\n")


def ask_new() -> str:
    """A passphrase to come; on a terminal it is asked for twice."""
    passphrase = ask("new passphrase")
    if sys.stdin.isatty() and ask("again") != passphrase:
        raise SpecieError(ErrorCode.PASSPHRASE_WRONG, "the two are not the same")
    return passphrase
