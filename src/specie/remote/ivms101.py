"""IVMS101 (interVASP Messaging Standard, 2020): who pays and who is paid, for large payments.

Names of fields are the standard's. A part of it is here: what a bank of this network knows of
natural and legal persons. What is not here is refused, as is what the standard forbids:

    one person is natural or legal       a name has its legal form (LEGL)
    a natural originator has more than a name: a number at its bank, a document, or a birth
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from specie.ports.travel import Identity
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

_NameField = Annotated[str, Field(min_length=1, max_length=100)]
_NumberField = Annotated[str, Field(min_length=1, max_length=50)]
_AccountField = Annotated[str, Field(min_length=1, max_length=200)]
_DateField = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class Ivms(BaseModel):
    """Strict; spelt as the standard does."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=to_camel,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    def __repr__(self) -> str:
        """Its kind alone."""
        return f"{type(self).__name__}(…)"

    __str__ = __repr__


class NaturalPersonNameId(Ivms):
    """One name of a person."""

    primary_identifier: _NameField
    secondary_identifier: _NameField | None = None
    name_identifier_type: Literal["ALIA", "BIRT", "MAID", "LEGL", "MISC"]


class NaturalPersonName(Ivms):
    """All of them."""

    name_identifiers: Annotated[list[NaturalPersonNameId], Field(min_length=1, max_length=8)]

    @model_validator(mode="after")
    def _has_legal_name(self) -> Self:
        if not any(one.name_identifier_type == "LEGL" for one in self.name_identifiers):
            raise ValueError("a legal name")
        return self


class NationalIdentification(Ivms):
    """A document or a number that a state has given."""

    national_identifier: Annotated[str, Field(min_length=1, max_length=35)]
    national_identifier_type: Literal[
        "ARNU", "CCPT", "RAID", "DRLC", "FIIN", "TXID", "SOCS", "IDCD", "LEIX", "MISC"
    ]


class DateAndPlaceOfBirth(Ivms):
    """Both."""

    date_of_birth: _DateField
    place_of_birth: Annotated[str, Field(min_length=1, max_length=70)]


class NaturalPerson(Ivms):
    """A human being."""

    name: NaturalPersonName
    national_identification: NationalIdentification | None = None
    customer_identification: _NumberField | None = None
    date_and_place_of_birth: DateAndPlaceOfBirth | None = None


class LegalPersonNameId(Ivms):
    """One name of a legal person."""

    legal_person_name: _NameField
    legal_person_name_identifier_type: Literal["LEGL", "SHRT", "TRAD"]


class LegalPersonName(Ivms):
    """All of them."""

    name_identifiers: Annotated[list[LegalPersonNameId], Field(min_length=1, max_length=8)]

    @model_validator(mode="after")
    def _has_legal_name(self) -> Self:
        if not any(
            one.legal_person_name_identifier_type == "LEGL" for one in self.name_identifiers
        ):
            raise ValueError("a legal name")
        return self


class LegalPerson(Ivms):
    """A company, an authority."""

    name: LegalPersonName
    customer_identification: _NumberField | None = None
    national_identification: NationalIdentification | None = None


class Person(Ivms):
    """One of the two."""

    natural_person: NaturalPerson | None = None
    legal_person: LegalPerson | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.natural_person is None) == (self.legal_person is None):
            raise ValueError("a natural or a legal person")
        return self


class Originator(Ivms):
    """Who pays."""

    originator_persons: Annotated[list[Person], Field(min_length=1, max_length=8)]
    account_number: Annotated[list[_AccountField], Field(min_length=1, max_length=8)]

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        for one in (person.natural_person for person in self.originator_persons):
            if one is not None and not (
                one.national_identification
                or one.customer_identification
                or one.date_and_place_of_birth
            ):
                raise ValueError("more than a name")
        return self


class Beneficiary(Ivms):
    """Who is paid; the persons are filled in by its own bank, which alone knows them."""

    beneficiary_persons: Annotated[list[Person], Field(min_length=1, max_length=8)] | None = None
    account_number: Annotated[list[_AccountField], Field(min_length=1, max_length=1)]


class OriginatingVasp(Ivms):
    """The payer's bank."""

    originating_vasp: Annotated[Person, Field(alias="originatingVASP")]


class BeneficiaryVasp(Ivms):
    """The payee's bank."""

    beneficiary_vasp: Annotated[Person, Field(alias="beneficiaryVASP")]


class IdentityPayload(Ivms):
    """All of it."""

    originator: Originator
    beneficiary: Beneficiary
    originating_vasp: Annotated[OriginatingVasp, Field(alias="originatingVASP")]
    beneficiary_vasp: Annotated[BeneficiaryVasp, Field(alias="beneficiaryVASP")]

    def write(self) -> str:
        """JSON with the standard's names; what there is none of is left out."""
        return self.model_dump_json(by_alias=True, exclude_none=True)


def read_payload(data: bytes | str) -> IdentityPayload:
    """`travel_data_invalid`, without a word of what stands there."""
    try:
        return IdentityPayload.model_validate_json(data, by_name=False, by_alias=True)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "the whole"
        reason = f"not IVMS101 as banks here speak it: {where}"
        raise SpecieError(ErrorCode.TRAVEL_DATA_INVALID, reason) from None


def describe_person(known: Identity, customer: str = "") -> Person:
    """What a bank knows, in the standard's words."""
    number = customer or None
    document = _describe_document(known)
    if known.is_legal:
        name = LegalPersonNameId(
            legal_person_name=known.primary, legal_person_name_identifier_type="LEGL"
        )
        legal = LegalPerson(
            name=LegalPersonName(name_identifiers=[name]),
            customer_identification=number,
            national_identification=document,
        )
        return Person(legal_person=legal)
    person = NaturalPersonNameId(
        primary_identifier=known.primary,
        secondary_identifier=known.secondary or None,
        name_identifier_type="LEGL",
    )
    born = None
    if known.birth_date and known.birth_place:
        born = DateAndPlaceOfBirth(date_of_birth=known.birth_date, place_of_birth=known.birth_place)
    natural = NaturalPerson(
        name=NaturalPersonName(name_identifiers=[person]),
        national_identification=document,
        customer_identification=number,
        date_and_place_of_birth=born,
    )
    return Person(natural_person=natural)


def _describe_document(known: Identity) -> NationalIdentification | None:
    if not known.national_id:
        return None
    return NationalIdentification(
        national_identifier=known.national_id, national_identifier_type="MISC"
    )
