"""Who may put a line under the log's checkpoints, and how many of them count (spec page 07; X3).

    specie cosigners v1
    origin
    version N
    witnesses K             so many of the witnesses named below have to have cosigned
    auditors K              so many of the auditors
    witness|auditor|retired vkey …
                            (empty line)
    — origin/list base64(key id 4 ‖ Ed25519(list key, the text above))

A signed note that people can read, signed by the authentication centre like the participant list.
The role stands in the list, not in the name. A name may have several keys, it counts once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Final

from specie.crypto.secrets import InstitutionSigner
from specie.identity.genesis import Genesis, compute_origin
from specie.log.notes import (
    SignatureType,
    SignedCheckpoint,
    VerifierKey,
    parse_verifier_key,
    sign_text,
    verify_text,
)
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import COSIGNERS_MAX, NOTE_SIGNATURES_MAX

_HEAD: Final = "specie cosigners v1"
_VERIFIED_KEPT: Final = 8  # the newest of a network or two, and the one before


class CosignerRole(StrEnum):
    """What a line under a checkpoint vouches for."""

    WITNESS = "witness"  # the log only grew
    AUDITOR = "auditor"  # every private batch was judged again
    RETIRED = "retired"  # its lines under old checkpoints hold, and count for nothing

    @property
    def plural(self) -> str:
        """For people."""
        return "witnesses" if self is CosignerRole.WITNESS else f"{self.value}s"


@dataclass(frozen=True, slots=True)
class CosignerList:
    """Everyone who may cosign, at one version."""

    origin: str
    version: int
    witnesses_required: int
    auditors_required: int
    entries: tuple[tuple[CosignerRole, VerifierKey], ...] = ()

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """All keys whose lines may stand under a checkpoint."""
        return tuple(key for _, key in self.entries)

    def list_names(self, role: CosignerRole) -> tuple[str, ...]:
        """The names of one role, each once, in the list's order."""
        return tuple(dict.fromkeys(key.name for one, key in self.entries if one is role))

    def list_current(self, name: str) -> tuple[VerifierKey, ...]:
        """Keys with which this name signs today; lines of retired ones stand there from before."""
        return tuple(
            key
            for role, key in self.entries
            if key.name == name and role is not CosignerRole.RETIRED
        )

    def list_newest(self, name: str) -> tuple[VerifierKey, ...]:
        """Of these the one that was listed last, of each kind."""
        return tuple({key.type: key for key in self.list_current(name)}.values())

    def get_required(self, role: CosignerRole) -> int:
        """How many names of this role have to have cosigned."""
        is_witness = role is CosignerRole.WITNESS
        return self.witnesses_required if is_witness else self.auditors_required

    def format(self) -> str:
        """The text that is signed."""
        lines = [
            _HEAD,
            self.origin,
            f"version {self.version}",
            f"witnesses {self.witnesses_required}",
            f"auditors {self.auditors_required}",
            *(f"{role.value} {key.format()}" for role, key in self.entries),
        ]
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class Backing:
    """Whose word stands behind a checkpoint, of one role."""

    role: CosignerRole
    names: tuple[str, ...]  # who has cosigned
    known: int  # n
    required: int  # k

    @property
    def is_reached(self) -> bool:
        """Whether enough have cosigned; where nobody is asked for, nobody is enough."""
        return len(self.names) >= self.required

    def describe(self) -> str:
        """For people."""
        count = f"{len(self.names)} of {self.known} {self.role.plural}"
        names = f": {', '.join(self.names)}" if self.names else ""
        short = "" if self.is_reached else f"; {self.required} are asked for"
        return f"{count}{names}{short}"


def sign_cosigners(listed: CosignerList, key: InstitutionSigner) -> bytes:
    """The whole note."""
    text = listed.format()
    return f"{text}\n{sign_text(text, _name_signer(listed.origin), key).format()}\n".encode()


def verify_cosigners(
    signed: bytes, genesis: Genesis, current: CosignerList | None = None
) -> CosignerList:
    """Refuses a list of another network, a wrong signature, and what cannot follow `current`."""
    listed = _verify(signed, genesis)
    if current is not None:
        check_cosigners_follow(listed, current)
    return listed


@lru_cache(_VERIFIED_KEPT)  # processes look at it in every round, and it rarely changes
def _verify(signed: bytes, genesis: Genesis) -> CosignerList:
    try:
        text, separator, line = signed.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise SpecieError(ErrorCode.COSIGNERS_INVALID, "not text") from None
    text += "\n"
    if not separator or not line.endswith("\n"):
        raise SpecieError(ErrorCode.COSIGNERS_INVALID, "not a list of cosigners")
    listed = _parse(text)
    origin = compute_origin(genesis)
    if listed.origin != origin:
        raise SpecieError(ErrorCode.NETWORK_MISMATCH, "cosigners of another network")
    key = VerifierKey(_name_signer(origin), SignatureType.LOG, genesis.list_key)
    try:
        verify_text(text, line.removesuffix("\n"), key)
    except SpecieError as error:
        raise SpecieError(ErrorCode.COSIGNERS_INVALID, error.message) from None
    return listed


def check_cosigners_follow(listed: CosignerList, current: CosignerList) -> None:
    """A later version that forgets no key and gives none another role, but for retiring it.

    Receipts under earlier checkpoints have to verify with the newest list.
    """
    if listed.version <= current.version:
        raise SpecieError(ErrorCode.COSIGNERS_OUTDATED, "a newer list of cosigners is known")
    roles = {key: role for role, key in listed.entries}
    for role, key in current.entries:
        if roles.get(key) not in (role, CosignerRole.RETIRED):
            raise SpecieError(
                ErrorCode.COSIGNERS_INVALID, f"{key.name} is left out or has another role"
            )


def put_cosigner(
    listed: CosignerList, role: CosignerRole, keys: Sequence[VerifierKey], *, is_retiring: bool
) -> CosignerList:
    """Keys of one name added; its older ones stay, or count for nothing from now on.

    While they stay, receipts under checkpoints that they have cosigned count as before.
    """
    names = {key.name for key in keys}
    is_known = any(one in keys and known is not role for known, one in listed.entries)
    if role is CosignerRole.RETIRED or len(names) != 1 or is_known:
        raise SpecieError(ErrorCode.COSIGNERS_INVALID, "keys of one witness or auditor")
    ending = {one for one in listed.keys if is_retiring and one.name in names and one not in keys}
    entries = [
        (CosignerRole.RETIRED if one in ending else known, one) for known, one in listed.entries
    ]
    entries += [(role, key) for key in keys if key not in listed.keys]
    if tuple(entries) == listed.entries:
        return listed
    changed = replace(listed, version=listed.version + 1, entries=tuple(entries))
    check_cosigners_follow(changed, listed)
    return _parse(changed.format())


def parse_trusted(text: str) -> tuple[tuple[CosignerRole, VerifierKey], ...]:
    """A reader's own file: the lines of keys alone, each ended; nobody signs it but its owner."""
    lines = text.split("\n")
    if lines.pop() or len(lines) > COSIGNERS_MAX:
        raise SpecieError(ErrorCode.COSIGNERS_INVALID, "lines of keys, each ended")
    return tuple(_parse_entry(line) for line in lines)


def find_backing(
    signed: SignedCheckpoint,
    listed: CosignerList,
    trusted: Sequence[tuple[CosignerRole, VerifierKey]] | None = None,
) -> tuple[Backing, Backing]:
    """Witnesses' and auditors' word for a checkpoint whose lines hold.

    With `trusted`, only those count who are in both lists, in one role, and all of them are asked
    for, whatever the signed list says.
    """
    entries = [one for one in listed.entries if trusted is None or one in trusted]
    found = []
    for role in (CosignerRole.WITNESS, CosignerRole.AUDITOR):
        keys = [key for one, key in entries if one is role]
        names = dict.fromkeys(key.name for key in signed.signers[1:] if key in keys)
        known = len({key.name for key in keys})
        required = listed.get_required(role) if trusted is None else _count(trusted, role)
        found.append(Backing(role, tuple(names), known, required))
    return found[0], found[1]


def check_backed(backing: Sequence[Backing]) -> None:
    """`cosigners_missing` unless enough of each role have cosigned, and at least somebody has."""
    if not any(one.names for one in backing):
        raise SpecieError(ErrorCode.COSIGNERS_MISSING, "; ".join(one.describe() for one in backing))
    for one in backing:
        if not one.is_reached:
            raise SpecieError(ErrorCode.COSIGNERS_MISSING, one.describe())


def _count(entries: Sequence[tuple[CosignerRole, VerifierKey]], role: CosignerRole) -> int:
    return len({key.name for one, key in entries if one is role})


def _parse(text: str) -> CosignerList:
    lines = text.split("\n")
    if len(lines) < 6 or lines[0] != _HEAD:
        raise SpecieError(ErrorCode.COSIGNERS_INVALID, "not a list of cosigners")
    if len(lines) - 6 > COSIGNERS_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"at most {COSIGNERS_MAX} cosigners")
    listed = CosignerList(
        origin=lines[1],
        version=_parse_number(lines[2], "version "),
        witnesses_required=_parse_number(lines[3], "witnesses "),
        auditors_required=_parse_number(lines[4], "auditors "),
        entries=tuple(_parse_entry(line) for line in lines[5:-1]),
    )
    if listed.format() != text:
        raise SpecieError(ErrorCode.COSIGNERS_INVALID, "not in its one spelling")
    _check_entries(listed)
    return listed


def _check_entries(listed: CosignerList) -> None:
    keys = listed.keys
    if len({(key.name, key.key_id) for key in keys}) != len(keys):
        raise SpecieError(ErrorCode.COSIGNERS_INVALID, "a key stands there twice")
    if any(key.type is SignatureType.LOG for key in keys):
        raise SpecieError(ErrorCode.COSIGNERS_INVALID, "the log does not cosign itself")
    witnesses = listed.list_names(CosignerRole.WITNESS)
    auditors = listed.list_names(CosignerRole.AUDITOR)
    if set(witnesses) & set(auditors):
        raise SpecieError(ErrorCode.COSIGNERS_INVALID, "witnesses and auditors are different")
    if listed.witnesses_required > len(witnesses) or listed.auditors_required > len(auditors):
        raise SpecieError(ErrorCode.COSIGNERS_INVALID, "more are asked for than there are")
    current = [key for role, key in listed.entries if role is not CosignerRole.RETIRED]
    if len(current) >= NOTE_SIGNATURES_MAX:
        raise SpecieError(ErrorCode.LIMIT_EXCEEDED, "more lines than a checkpoint may have")


def _parse_entry(line: str) -> tuple[CosignerRole, VerifierKey]:
    role, _, key = line.partition(" ")
    if role not in tuple(CosignerRole):
        raise SpecieError(ErrorCode.COSIGNERS_INVALID, "not a witness, an auditor or retired")
    try:
        found = parse_verifier_key(key)
    except SpecieError as error:
        raise SpecieError(ErrorCode.COSIGNERS_INVALID, error.message) from None
    if found.format() != key:
        raise SpecieError(ErrorCode.COSIGNERS_INVALID, "a key that is not in its one spelling")
    return CosignerRole(role), found


def _parse_number(line: str, name: str) -> int:
    text = line.removeprefix(name)
    if not (line.startswith(name) and text.isascii() and text.isdigit() and len(text) <= 9):
        raise SpecieError(ErrorCode.COSIGNERS_INVALID, f"no number behind {name.strip()}")
    return int(text)


def _name_signer(origin: str) -> str:
    return f"{origin}/list"
