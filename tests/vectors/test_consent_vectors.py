"""Golden consents of spec page 01 (T3)."""

from typing import Any

import pytest

from specie.crypto.addresses import Address
from specie.identity.consents import (
    Consent,
    ConsentPlace,
    Permission,
    compute_end_message,
    unpack_consent,
)
from specie.values.identifiers import (
    Digest,
    InstitutionPublicKey,
    NetworkId,
    ParticipantNumber,
    PublicKey,
)
from specie.values.times import Timestamp
from tests.vectors.files import load, raw


@pytest.mark.parametrize("case", load("consents")["cases"], ids=lambda one: one["number"])
def test_a_consent(case: dict[str, Any]) -> None:
    keys = PublicKey(raw(case["view"])), PublicKey(raw(case["spend"]))
    consent = Consent(
        account=Address(ParticipantNumber(case["bank"]), *keys),
        number=case["number"],
        nonce=raw(case["nonce"]),
        reader=InstitutionPublicKey(raw(case["reader"])),
        reader_name=case["name"],
        permissions=Permission(case["permissions"]),
        transactions_from=Timestamp(case["from"]),
        creation=Timestamp(case["creation"]),
        expiration=Timestamp(case["expiration"]),
    )
    place = ConsentPlace(NetworkId(raw(case["network"])), ParticipantNumber(case["serving"]))
    assert consent.pack().hex() == case["packed"]
    assert unpack_consent(raw(case["packed"])) == consent
    assert consent.compute_id(place).hex() == case["id"]
    end = compute_end_message(Digest(raw(case["id"])), Timestamp(case["time"]), place)
    assert end.hex() == case["end"]
