"""What a face says of itself: headers, callers, fields, pages (T2, X5)."""

from typing import Any

import pytest

from specie.api.openapi import Face, describe_face
from specie.api.pages import DOCUMENT, LIST_PAGES, MISSING, SITE_PAGES
from specie.remote.accounting_operations import ACCOUNTING
from specie.remote.bank_operations import BANK, OPEN_WALLET, PAY
from specie.remote.desk_operations import CENTRAL_BANK
from specie.remote.encoding import PROBLEM
from specie.remote.notary_operations import NOTARY
from specie.remote.registration_operations import AUDITOR, REGISTRATION

URL = "https://bank.example:8443"
TABLES = (ACCOUNTING, BANK, CENTRAL_BANK, NOTARY, REGISTRATION, AUDITOR)
HEADERS = {"content-digest", "specie-receiver", "specie-version"}


def describe(listener: str, url: str = URL) -> dict[str, Any]:
    return describe_face(Face("bank-2", listener, url), [PAY, OPEN_WALLET], LIST_PAGES)


def list_headers(operation: dict[str, Any]) -> set[str]:
    return {one["$ref"].rpartition("/")[2] for one in operation["parameters"] if "$ref" in one}


def test_who_has_to_sign_is_told() -> None:
    institutions, public, control = (
        describe(one)["paths"] for one in ("institutions", "public", "control")
    )
    signed: dict[str, list[str]] = {"signature-input": [], "signature": []}
    pay, opening = PAY.path, OPEN_WALLET.path
    assert institutions[pay]["post"]["security"] == [{"mutualTLS": [], **signed}]
    assert institutions[opening]["post"]["security"] == [{"mutualTLS": [], **signed}]
    assert public[pay]["post"]["security"] == [signed]
    assert list_headers(public[pay]["post"]) == HEADERS
    for open_to_all in (public[opening]["post"], control[pay]["post"], public["/crl"]["get"]):
        assert open_to_all["security"] == []
        assert list_headers(open_to_all) == set()


def test_what_is_referred_to_is_there() -> None:
    document = describe("institutions")
    parts = document["components"]
    assert set(parts["parameters"]) == HEADERS
    assert set(parts["securitySchemes"]) == {"mutualTLS", "signature-input", "signature"}
    found = document["paths"][PAY.path]["post"]
    assert found["x-specie-callers"] == ["client"]
    assert set(found["responses"]["200"]["headers"]) == set(parts["headers"])
    assert document["servers"] == [{"url": URL}]
    assert "control.sock" in describe("control", "")["servers"][0]["description"]


def test_every_field_is_described() -> None:
    operations = [one for table in TABLES for one in table]
    for operation in operations:
        document = describe_face(Face("any", "public"), [operation])
        for name, model in document["components"]["schemas"].items():
            for field, schema in model.get("properties", {}).items():
                assert schema.get("description"), f"{name}.{field}"


@pytest.mark.parametrize("pages", [LIST_PAGES, SITE_PAGES])
def test_pages_are_in_the_document(pages: tuple[Any, ...]) -> None:
    document = describe_face(Face("any", "public"), [], [DOCUMENT, *pages, MISSING])
    assert set(document["paths"]) == {page.place for page in (DOCUMENT, *pages)}
    for page in pages:
        found = document["paths"][page.place][page.method.lower()]
        assert PROBLEM in found["responses"]["default"]["content"]
        assert ("requestBody" in found) is bool(page.body)
        paths = [one["name"] for one in found["parameters"] if one["in"] == "path"]
        assert [f"{{{name}}}" in page.place for name in paths] == [True] * page.place.count("{")
