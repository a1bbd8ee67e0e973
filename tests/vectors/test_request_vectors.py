"""Golden requests to pay and name claims of spec page 10 (T8, T9)."""

from typing import Any

import pytest

from specie.crypto.addresses import Address
from specie.crypto.signatures import verify_institution_signature
from specie.tokens.name_claims import NameClaim, compute_claim_message
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.identifiers import (
    InstitutionPublicKey,
    NetworkId,
    OrderId,
    ParticipantNumber,
    PublicKey,
    Signature,
)
from specie.values.times import Timestamp
from specie.wallet.requests import PaymentRequest, compute_request_message, parse_request
from tests.country import refused
from tests.vectors.files import load, raw

CONTENT = load("requests")
NETWORK = NetworkId(raw(CONTENT["valid"][0]["network"]))


def read_payee(case: dict[str, Any]) -> Address:
    view, spend = PublicKey(raw(case["view"])), PublicKey(raw(case["spend"]))
    return Address(ParticipantNumber(case["bank"]), view, spend)


@pytest.mark.parametrize("case", CONTENT["valid"], ids=lambda one: str(one["amount"]))
def test_a_link_is_read(case: dict[str, Any]) -> None:
    found = parse_request(case["link"], NETWORK, CONTENT["prefix"])
    assert found == PaymentRequest(
        network=NETWORK,
        payee=read_payee(case),
        amount=Minor(case["amount"]),
        order=OrderId(raw(case["order"])),
        end_to_end_id=raw(case["end_to_end"]),
        expiry=Timestamp(case["seconds"] * 1000),
        name=case["name"],
        text=case["text"],
    )
    assert compute_request_message(found).hex() == case["message"]


@pytest.mark.parametrize("case", CONTENT["refused"], ids=lambda one: one["why"])
def test_a_link_is_refused(case: dict[str, Any]) -> None:
    with refused(ErrorCode(case["code"])):
        parse_request(case["link"], NETWORK, CONTENT["prefix"])


@pytest.mark.parametrize("case", CONTENT["claims"], ids=lambda one: one["name"])
def test_a_name_is_vouched_for(case: dict[str, Any]) -> None:
    claim = NameClaim(
        network=NETWORK,
        payee=read_payee(case),
        amount=Minor(case["amount"]),
        order=OrderId(raw(case["order"])),
        end_to_end_id=raw(case["end_to_end"]),
        name=case["name"],
    )
    message = compute_claim_message(claim, ParticipantNumber(case["payers_bank"]))
    assert message.hex() == case["message"]
    key = InstitutionPublicKey(raw(case["key"]))
    verify_institution_signature(key, message, Signature(raw(case["signature"])))
