"""The signed list of cosigners: one spelling, roles by the list, names are counted (X3, X13)."""

from dataclasses import replace

import pytest

from specie.crypto.cosigning import CosignerKey
from specie.crypto.secrets import InstitutionKey
from specie.identity.cosigners import (
    CosignerList,
    CosignerRole,
    check_backed,
    find_backing,
    parse_trusted,
    put_cosigner,
    sign_cosigners,
    verify_cosigners,
)
from specie.identity.genesis import compute_origin
from specie.log.checkpoint import Checkpoint
from specie.log.notes import SignatureType, SignedCheckpoint, VerifierKey, get_verifier_key
from specie.log.tree import EMPTY_ROOT
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from tests.building import make_world
from tests.refusing import refuse

WITNESS, AUDITOR, RETIRED = CosignerRole.WITNESS, CosignerRole.AUDITOR, CosignerRole.RETIRED
WORLD = make_world()
ORIGIN = compute_origin(WORLD.genesis)
LOG = VerifierKey(ORIGIN, SignatureType.LOG, WORLD.notary_key.public)
INVALID = ErrorCode.COSIGNERS_INVALID


def make_key(name: str, *, is_quantum_safe: bool = False) -> VerifierKey:
    key = CosignerKey.generate() if is_quantum_safe else InstitutionKey.generate()
    return get_verifier_key(name, key)


ONE, TWO, SAFE = make_key("one"), make_key("two"), make_key("one", is_quantum_safe=True)
CHECKER = make_key("checker")
LISTED = CosignerList(
    ORIGIN, 1, 2, 1, ((WITNESS, ONE), (WITNESS, SAFE), (WITNESS, TWO), (AUDITOR, CHECKER))
)


def verify(listed: CosignerList, current: CosignerList | None = None) -> CosignerList:
    return verify_cosigners(sign_cosigners(listed, WORLD.list_key), WORLD.genesis, current)


def find_code(listed: CosignerList, current: CosignerList | None = None) -> ErrorCode | None:
    try:
        verify(listed, current)
    except SpecieError as error:
        return error.code
    return None


def test_a_list_is_signed_and_read_back() -> None:  # X3, X13
    assert verify(LISTED) == LISTED
    assert LISTED.list_names(WITNESS) == ("one", "two")
    assert verify(CosignerList(ORIGIN, 7, 0, 0)) == CosignerList(ORIGIN, 7, 0, 0)


def test_people_can_read_it() -> None:
    text = sign_cosigners(LISTED, WORLD.list_key).decode().splitlines()
    assert text[:5] == ["specie cosigners v1", ORIGIN, "version 1", "witnesses 2", "auditors 1"]
    assert text[5] == f"witness {ONE.format()}" and text[8] == f"auditor {CHECKER.format()}"
    assert text[10].startswith(f"— {ORIGIN}/list ")


def test_every_byte_counts() -> None:
    good = sign_cosigners(LISTED, WORLD.list_key)
    assert verify_cosigners(good, WORLD.genesis) == LISTED
    allowed = {INVALID, ErrorCode.NETWORK_MISMATCH}
    for place in range(0, len(good), 7):
        changed = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
        for wrong in (changed, good[:place], good[:place] + good[place + 1 :]):
            assert refuse(verify_cosigners, wrong, WORLD.genesis) in allowed
    for wrong in (good + b"\n", good.replace(b"\n", b"\r\n"), b" " + good, b"", b"\xff"):
        assert refuse(verify_cosigners, wrong, WORLD.genesis) is INVALID


def test_only_the_list_key_signs_it() -> None:
    for key in (InstitutionKey.generate(), WORLD.notary_key):
        signed = sign_cosigners(LISTED, key)
        assert refuse(verify_cosigners, signed, WORLD.genesis) is INVALID
    other = WORLD.with_genesis(name="another").genesis
    signed = sign_cosigners(LISTED, WORLD.list_key)
    assert refuse(verify_cosigners, signed, other) is ErrorCode.NETWORK_MISMATCH


@pytest.mark.parametrize(
    ("entries", "required", "code"),
    [
        (((WITNESS, ONE), (WITNESS, ONE)), (1, 0), INVALID),
        (((WITNESS, ONE), (AUDITOR, ONE)), (1, 0), INVALID),
        (((WITNESS, ONE), (AUDITOR, SAFE)), (1, 0), INVALID),
        (((WITNESS, ONE), (WITNESS, SAFE)), (2, 0), INVALID),
        (((WITNESS, ONE),), (1, 1), INVALID),
        (((RETIRED, ONE),), (1, 0), INVALID),
        (((WITNESS, LOG),), (1, 0), INVALID),
        (tuple((WITNESS, make_key(f"w{n}")) for n in range(16)), (1, 0), ErrorCode.LIMIT_EXCEEDED),
        (tuple((RETIRED, ONE) for n in range(1_025)), (0, 0), ErrorCode.LIMIT_EXCEEDED),
        (tuple((WITNESS, make_key(f"w{n}")) for n in range(15)), (15, 0), None),
    ],
    ids=[
        *("a key twice", "one key, two roles", "one name, two roles", "two keys, one name"),
        *("no auditor", "retired counts not", "the log itself", "too many lines", "too many keys"),
        "as many as there may be",
    ],
)
def test_rules_of_a_list(
    entries: tuple[tuple[CosignerRole, VerifierKey], ...],
    required: tuple[int, int],
    code: ErrorCode | None,
) -> None:
    assert find_code(CosignerList(ORIGIN, 1, *required, entries)) is code


def test_a_later_list_forgets_nobody() -> None:
    later = replace(LISTED, version=2)
    assert verify(later, LISTED) == later
    assert find_code(LISTED, LISTED) is ErrorCode.COSIGNERS_OUTDATED
    without = replace(later, entries=LISTED.entries[:-1], auditors_required=0)
    assert find_code(without, LISTED) is INVALID
    moved = replace(later, entries=(*LISTED.entries[:-1], (WITNESS, CHECKER)), auditors_required=0)
    assert find_code(moved, LISTED) is INVALID
    retired = replace(later, entries=((RETIRED, ONE), *LISTED.entries[1:]))
    assert find_code(retired, LISTED) is None
    back = replace(LISTED, version=3)
    assert find_code(back, retired) is INVALID


def test_new_keys_stand_beside_the_old_ones() -> None:
    """A receipt under what the old one cosigned counts as before; a stolen one is retired."""
    old, other, new = make_key("north"), make_key("south"), make_key("north")
    listed = replace(LISTED, entries=((WITNESS, old), (WITNESS, other)), auditors_required=0)
    beside = put_cosigner(listed, WITNESS, [new], is_retiring=False)
    assert verify(beside, listed).entries == (*listed.entries, (WITNESS, new))
    assert put_cosigner(beside, WITNESS, [new], is_retiring=False) is beside
    instead = put_cosigner(beside, WITNESS, [new], is_retiring=True)
    assert verify(instead, beside).entries == ((RETIRED, old), (WITNESS, other), (WITNESS, new))
    for role, keys in ((WITNESS, [new, other]), (WITNESS, []), (RETIRED, [new])):
        with pytest.raises(SpecieError, match="cosigners_invalid"):
            put_cosigner(listed, role, keys, is_retiring=False)
    with pytest.raises(SpecieError, match="cosigners_invalid"):
        put_cosigner(beside, AUDITOR, [new], is_retiring=False)


def sign_off(*keys: VerifierKey) -> SignedCheckpoint:
    return SignedCheckpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), (LOG, *keys))


def test_names_count_not_keys() -> None:  # X3
    witnesses, auditors = find_backing(sign_off(ONE, SAFE, CHECKER), LISTED)
    assert witnesses.describe() == "1 of 2 witnesses: one; 2 are asked for"
    assert auditors.describe() == "1 of 1 auditors: checker"
    assert refuse(check_backed, (witnesses, auditors)) is ErrorCode.COSIGNERS_MISSING
    check_backed(find_backing(sign_off(ONE, TWO, CHECKER), LISTED))
    nobody = find_backing(sign_off(), CosignerList(ORIGIN, 1, 0, 0))
    assert refuse(check_backed, nobody) is ErrorCode.COSIGNERS_MISSING  # though nobody is asked for
    assert [one.describe() for one in nobody] == ["0 of 0 witnesses", "0 of 0 auditors"]


def test_a_readers_own_list_narrows_it() -> None:  # X3
    """Whom the central bank names and the reader does not, and the other way round, counts not."""
    own = parse_trusted(f"witness {ONE.format()}\nwitness {CHECKER.format()}\n")
    witnesses, auditors = find_backing(sign_off(ONE, TWO, CHECKER), LISTED, own)
    assert witnesses.names == ("one",) and auditors.names == ()
    assert witnesses.describe() == "1 of 1 witnesses: one; 2 are asked for"  # all of the own list
    assert auditors.describe() == "0 of 0 auditors"
    for wrong in (f"witness {ONE.format()}", f"{ONE.format()}\n", "\n", "witness one\n"):
        assert refuse(parse_trusted, wrong) is INVALID
