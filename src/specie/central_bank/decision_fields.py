"""What officers can decide: each kind's parameters, their meaning, and the sentence to read.

The desk carries out, the officer's tool signs; both have this table, so a tool does not have to
believe the desk what it is about to sign. Signed is the canonical JSON with amounts in minor units.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError


class Field(StrEnum):
    """What a parameter is; its JSON is a string for text, an integer for all others."""

    TEXT = "text"
    NUMBER = "whole number"
    AMOUNT = "amount in minor units"
    PARTICIPANT = "number of a participant"

    @property
    def type(self) -> type:
        """Of its JSON."""
        return str if self is Field.TEXT else int


@dataclass(frozen=True, slots=True)
class Wording:
    """The parameters of one kind, and a sentence with a place for each of them."""

    fields: Mapping[str, Field]
    sentence: str


_LEAVING: Final = {"participant": Field.PARTICIPANT, "successor": Field.PARTICIPANT}
_STAYING: Final = {"participant": Field.PARTICIPANT}
_OFFICER: Final = {"officer": Field.NUMBER}

WORDINGS: Final[Mapping[str, Wording]] = {
    "lend-reserves": Wording(
        {"participant": Field.PARTICIPANT, "amount": Field.AMOUNT}, "lend {amount} to {participant}"
    ),
    "refuse-application": Wording({"order": Field.TEXT}, "refuse application {order}"),
    "pause-issuance": Wording({}, "pause issuance"),
    "resume-issuance": Wording({}, "resume issuance"),
    "set-parameter": Wording({"name": Field.TEXT, "value": Field.AMOUNT}, "set {name} to {value}"),
    "withdraw": Wording({"decision": Field.TEXT}, "withdraw decision {decision}"),
    "suspend": Wording(_LEAVING, "suspend {participant}; successor: {successor}"),
    "reinstate": Wording(_STAYING, "reinstate {participant}"),
    "remove": Wording(_LEAVING, "remove {participant} for good; successor: {successor}"),
    "rotate-keys": Wording(
        dict.fromkeys(
            (
                "service",
                "institution",
                "institution_proof",
                "attestation",
                "attestation_proof",
            ),
            Field.TEXT,
        ),
        "new keys for {service}: institution {institution}, attestation {attestation}"
        " (proofs {institution_proof}, {attestation_proof})",
    ),
    "put-cosigner": Wording(
        {"role": Field.TEXT, "keys": Field.TEXT, "proofs": Field.TEXT, "retire": Field.NUMBER},
        "{role} with keys {keys}, older ones retired: {retire} (proofs {proofs})",
    ),
    "revoke-certificates": Wording(
        {"service": Field.TEXT, "kept": Field.TEXT}, "revoke certificates of {service} but {kept}"
    ),
    "add-officer": Wording(
        {"officer": Field.NUMBER, "key": Field.TEXT, "proof": Field.TEXT},
        "add officer {officer} with key {key} (proof {proof})",
    ),
    "suspend-officer": Wording(_OFFICER, "suspend officer {officer}"),
    "reinstate-officer": Wording(_OFFICER, "reinstate officer {officer}"),
    "remove-officer": Wording(_OFFICER, "remove officer {officer} for good"),
    "invite": Wording(
        {"name": Field.TEXT, "code_hash": Field.TEXT}, "invite {name} by code {code_hash}"
    ),
    "enrol": Wording(
        {"code_hash": Field.TEXT, "digest": Field.TEXT},
        "enrol who has keys {digest}, by code {code_hash}",
    ),
}


def get_wording(kind: str) -> Wording:
    """`kind_unknown` if there is no such decision."""
    found = WORDINGS.get(kind)
    if found is None:
        known = ", ".join(sorted(WORDINGS))
        raise SpecieError(ErrorCode.KIND_UNKNOWN, f"decisions are: {known}")
    return found


def get_fields(kind: str) -> Mapping[str, Field]:
    """Of a kind that there is."""
    return get_wording(kind).fields
