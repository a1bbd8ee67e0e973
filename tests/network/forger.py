"""A bank with all its keys whose witness answers with lines that do not hold.

Its own keys' ids over nothing, others' names over its own signature; then what it has to say.
"""

from collections.abc import Sequence
from dataclasses import replace

from specie.assembly.bank_process import BankProcess
from specie.assembly.lists import COSIGNERS, read_list
from specie.cli.app import main
from specie.identity.cosigners import verify_cosigners
from specie.log.notes import SignedLine
from specie.values.identifiers import Digest

HONEST = BankProcess.cosign


def forge(process: BankProcess, note: str, growth: Sequence[Digest]) -> tuple[SignedLine, ...]:
    """What it could have said, and lies of every kind before it."""
    lines = HONEST(process, note, growth)
    listed = verify_cosigners(
        read_list(process.base.folder, COSIGNERS), process.base.peers.roster.genesis
    )
    broken = [replace(one, signature=bytes(len(one.signature))) for one in lines]
    others = [
        SignedLine(key.name, key.key_id, lines[0].signature)
        for key in listed.keys
        if key.name != process.base.name
    ]
    return (*broken, *others, *lines)


setattr(BankProcess, "cosign", forge)  # noqa: B010  # in the place of the honest one

if __name__ == "__main__":
    main()
