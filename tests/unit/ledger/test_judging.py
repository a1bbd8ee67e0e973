"""Cheap before costly: who has no attestation key cannot make the notary verify proofs (T26)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from specie.crypto import proofs
from specie.crypto.proofs import BatchRefusedError, Statement, verify_signatures
from specie.crypto.secrets import SigningKey
from specie.crypto.signatures import sign as sign_schnorr
from specie.ledger.transactions import AttestedTransaction
from specie.ledger.wire import encode_attested
from specie.store.notary_store import SqliteNotaryStore
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import NetworkId, OutputRef, PublicKey, Signature
from specie.values.times import Timestamp
from tests.building import EAST, NOBODY, NORTH, NOW, Draft, Holding, build, hold, make_world, sign
from tests.station import Station

JUNK = Signature(bytes(range(63)) + b"\x80")


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(make_world(), SqliteNotaryStore(tmp_path / "notary.db"))


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many statements with proofs reach the kernel, call by call."""
    sizes: list[int] = []
    verify = proofs.verify_statements

    def count(statements: Sequence[Statement]) -> None:
        sizes.append(len(statements))
        verify(statements)

    monkeypatch.setattr("specie.ledger.judging.verify_statements", count)
    return sizes


def make_draft(station: Station, holding: Holding, later: int = 0) -> Draft:
    """Alice pays herself; never the same transaction twice."""
    alice = station.world.institutions[NORTH].alice
    return build(station.world, [holding], [(alice, 5)], window=(Timestamp(NOW - 9 - later), NOW))


def forge(draft: Draft, what: str) -> AttestedTransaction:
    """What somebody without a bank's key can send."""
    if what == "expired":
        return sign(draft.with_body(not_after=Timestamp(NOW - 1)))
    if what == "another network":
        return sign(draft.with_body(network=NetworkId(bytes(16))))
    if what == "unknown input":
        draft = draft.with_body(inputs=(OutputRef(bytes(32)),))
    attested = sign(draft)
    first = attested.attestations[0]
    attestations = {
        "not attested": (),
        "attested with junk": (replace(first, signature=JUNK),),
        "attested by nobody": (replace(first, bank=NOBODY),),
        "attested by another bank": (replace(first, bank=EAST),),
        "attested for nothing": (replace(first, outputs=0),),
        "attested for too much": (replace(first, outputs=first.outputs | 1 << 9),),
    }
    return replace(attested, attestations=attestations.get(what, attested.attestations))


CODES = {
    "expired": ErrorCode.EXPIRED,
    "another network": ErrorCode.NETWORK_MISMATCH,
    "unknown input": ErrorCode.INPUT_UNKNOWN,
    "not attested": ErrorCode.ATTESTATION_MISSING,
    "attested with junk": ErrorCode.ATTESTATION_SIGNATURE_INVALID,
    "attested by nobody": ErrorCode.ATTESTER_UNKNOWN,
    "attested by another bank": ErrorCode.ATTESTER_WRONG,
    "attested for nothing": ErrorCode.ATTESTATION_MISSING,
    "attested for too much": ErrorCode.ATTESTATION_EXCESS,
}


@pytest.mark.parametrize("what", CODES)
def test_garbage_never_reaches_the_proofs(
    station: Station, verified: list[int], what: str
) -> None:  # T26
    alice = station.world.institutions[NORTH].alice
    holdings = station.fund([(alice, 5)] * 3)
    verified.clear()
    good = [encode_attested(sign(make_draft(station, one))) for one in holdings[:2]]
    bad = [encode_attested(forge(make_draft(station, holdings[2], n), what)) for n in (1, 2)]
    batch = [bad[0], good[0], bad[1], good[1]]
    code = CODES[what]
    assert station.find_codes(batch) == [code, None, code, None]
    assert sum(verified) == 2


def test_a_double_spend_does_not_either(station: Station, verified: list[int]) -> None:
    alice = station.world.institutions[NORTH].alice
    (holding,) = station.fund([(alice, 5)])
    first, *others = (encode_attested(sign(make_draft(station, holding, n))) for n in range(4))
    assert station.find_codes([first]) == [None]
    verified.clear()
    assert station.find_codes(others) == [ErrorCode.INPUT_SPENT] * 3
    assert sum(verified) == 0


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (2, 0, 1)])
def test_nobody_else_names_the_bank_of_an_output(station: Station, order: tuple[int, ...]) -> None:
    """Terms that an output's hash does not fix say nothing, in no order of a batch.

    Otherwise whoever repeats somebody's output with another bank would have its spend refused.
    """
    alice = station.world.institutions[NORTH].alice
    (holding,) = station.fund([(alice, 5)])
    parent = make_draft(station, holding)
    child = make_draft(station, hold_first(station, parent))
    liar = parent.with_body(
        not_before=Timestamp(NOW - 5),
        terms=tuple(replace(terms, bank=EAST) for terms in parent.body.terms),
    )
    batch = [encode_attested(sign(one)) for one in (parent, child, liar)]
    codes = station.find_codes([batch[place] for place in order])
    wanted = [None, None, ErrorCode.TERMS_MISMATCH]
    assert codes == [wanted[place] for place in order]


def hold_first(station: Station, draft: Draft) -> Holding:
    """The first output, as Alice's."""
    return hold(station.world, station.world.institutions[NORTH].alice, draft.openings[0])


def test_signatures_alone() -> None:
    """Each that does not hold is named, and no other."""
    key, message = SigningKey.generate(), bytes(range(32))
    good = (PublicKey(key.public), message, sign_schnorr(key, message))
    verify_signatures([])
    verify_signatures([good] * 3)
    with pytest.raises(BatchRefusedError) as refused:
        verify_signatures([good, (good[0], bytes(32), good[2]), good, (*good[:2], JUNK)])
    assert [one.index for one in refused.value.failures] == [1, 3]
