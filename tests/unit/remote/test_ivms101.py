"""Who pays, in the standard's words: what is not of its form is refused (T20; IVMS101)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specie.ports.travel import Identity
from specie.remote.ivms101 import (
    Beneficiary,
    BeneficiaryVasp,
    IdentityPayload,
    OriginatingVasp,
    Originator,
    describe_person,
    read_payload,
)
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from tests.country import refused

LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))
NAMES = st.text(LETTERS, min_size=1, max_size=40)
IDENTITIES = st.builds(
    Identity,
    primary=NAMES,
    secondary=st.one_of(st.just(""), NAMES),
    is_legal=st.booleans(),
    birth_date=st.sampled_from(["", "1990-12-31"]),
    birth_place=st.sampled_from(["", "Алматы"]),
    national_id=st.sampled_from(["", "KZ 7001"]),
)
BANK = describe_person(Identity("Bank of the North", is_legal=True))


def build(payer: Identity, payee: Identity | None) -> IdentityPayload:
    persons = None if payee is None else [describe_person(payee)]
    return IdentityPayload(
        originator=Originator(
            originator_persons=[describe_person(payer, "number 1")], account_number=["a1"]
        ),
        beneficiary=Beneficiary(beneficiary_persons=persons, account_number=["a2"]),
        originating_vasp=OriginatingVasp(originating_vasp=BANK),
        beneficiary_vasp=BeneficiaryVasp(beneficiary_vasp=BANK),
    )


PLAIN = build(Identity("Payer", "Anna"), Identity("Shop Ltd", is_legal=True)).write()


@given(payer=IDENTITIES, payee=st.none() | IDENTITIES)
def test_what_is_written_is_read(payer: Identity, payee: Identity | None) -> None:
    made = build(payer, payee)
    assert read_payload(made.write()) == made
    assert read_payload(made.write().encode()) == made


def test_its_names_are_the_standards() -> None:
    found = json.loads(PLAIN)
    assert set(found) == {"originator", "beneficiary", "originatingVASP", "beneficiaryVASP"}
    [person] = found["originator"]["originatorPersons"]
    assert person["naturalPerson"] == {
        "name": {
            "nameIdentifiers": [
                {
                    "primaryIdentifier": "Payer",
                    "secondaryIdentifier": "Anna",
                    "nameIdentifierType": "LEGL",
                }
            ]
        },
        "customerIdentification": "number 1",
    }
    bank = found["originatingVASP"]["originatingVASP"]["legalPerson"]
    assert bank["name"]["nameIdentifiers"] == [
        {"legalPersonName": "Bank of the North", "legalPersonNameIdentifierType": "LEGL"}
    ]
    assert found["beneficiary"]["accountNumber"] == ["a2"]


def break_it(found: dict[str, Any], how: str) -> None:
    person = found["originator"]["originatorPersons"][0]
    name = person["naturalPerson"]["name"]["nameIdentifiers"][0]
    changes: dict[str, Any] = {
        "an unknown field": lambda: found.update(extra=1),
        "another spelling": lambda: found.update(originating_vasp=found.pop("originatingVASP")),
        "no originator": lambda: found.pop("originator"),
        "no persons": lambda: found["originator"].update(originatorPersons=[]),
        "both kinds": lambda: person.update(legalPerson=person["naturalPerson"]),
        "neither kind": lambda: person.pop("naturalPerson"),
        "no legal name": lambda: name.update(nameIdentifierType="ALIA"),
        "an unknown type": lambda: name.update(nameIdentifierType="NICK"),
        "a number for a name": lambda: name.update(primaryIdentifier=7),
        "an empty name": lambda: name.update(primaryIdentifier=""),
        "a long name": lambda: name.update(primaryIdentifier="x" * 101),
        "nothing but a name": lambda: person["naturalPerson"].pop("customerIdentification"),
        "no account": lambda: found["beneficiary"].update(accountNumber=[]),
        "two accounts": lambda: found["beneficiary"].update(accountNumber=["a", "b"]),
        "a birth without a place": lambda: person["naturalPerson"].update(
            dateAndPlaceOfBirth={"dateOfBirth": "1990-12-31"}
        ),
    }
    changes[how]()


@pytest.mark.parametrize(
    "how",
    [
        *("an unknown field", "another spelling", "no originator", "no persons", "both kinds"),
        *("neither kind", "no legal name", "an unknown type", "a number for a name"),
        *("an empty name", "a long name", "nothing but a name", "no account", "two accounts"),
        "a birth without a place",
    ],
)
def test_what_is_not_of_its_form_is_refused(how: str) -> None:
    found = json.loads(PLAIN)
    break_it(found, how)
    with refused(ErrorCode.TRAVEL_DATA_INVALID):
        read_payload(json.dumps(found))


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"originator": 1}', "\x00"])
def test_what_is_no_payload_is_refused(text: str) -> None:
    with refused(ErrorCode.TRAVEL_DATA_INVALID):
        read_payload(text)


def test_nothing_of_a_person_is_in_a_repr_or_an_error() -> None:
    made = read_payload(PLAIN)
    assert "Anna" not in repr(made) and "Anna" not in str(made.originator)
    found = json.loads(PLAIN)
    found["originator"]["secret of Anna"] = 1
    with pytest.raises(SpecieError) as error:
        read_payload(json.dumps(found))
    assert "Payer" not in str(error.value)
