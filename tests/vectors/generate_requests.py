"""Makes `requests.json`: links that are read or refused, a name that is vouched for."""

from collections.abc import Mapping
from typing import Any, Final

from tests.reference import requests, schnorr
from tests.reference.building import Draw
from tests.vectors.generate_ledger import get_ed25519_public, sign_ed25519

Content = dict[str, Any]
PREFIX: Final = "spec"


def make_requests(_: Mapping[str, Any]) -> Content:
    """With fixed keys and nonces, in the open: use them nowhere."""
    draw = Draw(b"requests.json")
    network, view, secret = draw.take(16), schnorr.public_key(draw.scalar()), draw.scalar()
    spend = schnorr.public_key(secret)
    base: Content = {"network": network, "bank": 7, "view": view, "spend": spend}
    base |= {"amount": 0, "order": draw.take(16), "end_to_end": bytes(16), "seconds": 0}
    base |= {"name": "", "text": ""}
    full = {"amount": 125_000, "end_to_end": draw.take(16), "seconds": 1_767_225_600}
    full |= {"name": "Café Şymbūlaq", "text": "lunch & tea = 2 × 625?"}
    asked = [base, base | full, base | {"amount": 2**64 - 1, "text": "~._-"}]
    links = []
    for one in asked:
        signature = schnorr.sign(secret, draw.scalar(), requests.compute_message(one))
        links.append(requests.write_link(one, signature, PREFIX))
    seed = draw.take(32)
    claim = base | full | {"payers_bank": 2, "name": "Аня Example"}
    return {
        "provenance": "docs/spec/10, computed by tests/reference; Ed25519 by `cryptography`. "
        "Keys are in the open: use them nowhere.",
        "prefix": PREFIX,
        "valid": [
            {**_show(one), "message": requests.compute_message(one).hex(), "link": link}
            for one, link in zip(asked, links, strict=True)
        ],
        "refused": _refuse(links[1]),
        "claims": [
            {
                **_show(claim),
                "key": get_ed25519_public(seed).hex(),
                "message": requests.compute_claim(claim).hex(),
                "signature": sign_ed25519(seed, requests.compute_claim(claim)).hex(),
            }
        ],
    }


def _refuse(link: str) -> list[Content]:
    changes = (
        ("another amount", "request_invalid", link.replace("m=125000", "m=125001")),
        ("no signature", "request_invalid", link.partition("&s=")[0]),
        ("a field twice", "request_invalid", link + "&v=1"),
        ("an unknown field", "request_invalid", link.replace("&s=", "&q=1&s=")),
        ("small hex in an escape", "request_invalid", link.replace("%C3", "%c3")),
        ("a later version", "version_unknown", link.replace("v=1", "v=2")),
        ("too long", "limit_exceeded", link + "0" * 2_048),
    )
    return [{"why": why, "code": code, "link": changed} for why, code, changed in changes]


def _show(fields: Content) -> Content:
    return {
        name: value.hex() if isinstance(value, bytes) else value for name, value in fields.items()
    }
