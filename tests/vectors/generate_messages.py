"""Makes `messages.json`: requests and their answers, signed with fixed keys, and what is refused.

Ed25519 gives the same bytes each time; so does Schnorr with a given nonce. The certificate request
of the enrolment is signed on P-256, hedged: it is made once and kept.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from specie.identity.certificates import build_request
from specie.values.identifiers import ServiceName
from tests.reference import messages, schnorr
from tests.reference.building import Draw
from tests.vectors.files import load, raw
from tests.vectors.generate_ledger import get_ed25519_public, sign_ed25519

Content = dict[str, Any]

_LEDGER: Final = load("participants")
_GENESIS: Final = _LEDGER["geneses"][0]
NETWORK: Final = raw(_GENESIS["network"])
ORIGIN: Final = f"specie/{_GENESIS['address_prefix']}/{NETWORK.hex()}"
CREATED: Final = 1_767_225_600  # 2026-01-01T00:00:00Z, in seconds
VERSION: Final = "2"
CBOR, JSON = "application/cbor", "application/json"
PROBLEM: Final = "application/problem+json"


class _Keys:
    """Seeds by key id, drawn in the order in which they are asked for."""

    def __init__(self, draw: Draw) -> None:
        self.seeds = {name: draw.take(32) for name in ("notary", "central-bank", "bank-2")}
        self.seeds |= {name: draw.take(32) for name in ("auditor", "officer-1")}
        device = draw.take(32)
        self.client = f"client:{get_ed25519_public(device).hex()[:32]}"
        self.seeds[self.client] = device

    def describe(self) -> Content:
        """Both halves: they are in the open."""
        return {
            name: {"seed": seed.hex(), "public": get_ed25519_public(seed).hex()}
            for name, seed in self.seeds.items()
        }


def make_messages(old: Mapping[str, Any]) -> Content:
    """Exchanges, refusals, a list of services, an enrolment."""
    draw = Draw(b"messages.json")
    keys = _Keys(draw)
    return {
        "provenance": "docs/spec/08, computed by tests/reference; Ed25519 by `cryptography`, "
        "genesis that of participants.json, certificate request made once. Seeds are in the "
        "open: use them nowhere.",
        "genesis": _GENESIS["signed"],
        "network": NETWORK.hex(),
        "created": CREATED,
        "keys": keys.describe(),
        "exchanges": [_make_exchange(keys, **plan) for plan in _plan(draw, keys)],
        "refused": [
            {"why": why, "of": side, "changes": changes}
            for side, cases in _REFUSED.items()
            for why, changes in cases.items()
        ],
        "services": _make_services(keys),
        "enrolment": old.get("enrolment") or _make_enrolment(draw),
    }


def _plan(draw: Draw, keys: _Keys) -> list[Content]:
    promise = {"txid": draw.take(32), "publish_by": CREATED * 1000, "signature": draw.take(64)}
    refusal = {"code": "input_spent", "message": "spent before", "evidence": draw.take(48)}
    problem = {
        "type": "urn:specie:error:order_conflict",
        "title": "order conflict",
        "status": 409,
        "detail": "the order is used for something else",
        "code": "order_conflict",
    }
    return [
        {
            "who": "bank-2",
            "to": "notary",
            "asked": ("POST", "/v1/payments", "", CBOR),
            "message": {"transactions": [draw.take(60), draw.take(40)]},
            "answered": (200, CBOR),
            "answer": {"outcomes": [{"promise": promise}, {"refusal": refusal}]},
        },
        {
            "who": "auditor",
            "to": "notary",
            "asked": ("GET", "/v1/leaves", "start=7&limit=2", ""),
            "message": None,
            "answered": (200, JSON),
            "answer": {"leaves": [draw.take(5), draw.take(6)], "size": 2**53 + 1},
        },
        {
            "who": "officer-1",
            "to": "central-bank",
            "asked": ("POST", "/v1/approvals", "", JSON),
            "message": {"order": draw.take(16), "signature": draw.take(64)},
            "answered": (409, PROBLEM),
            "answer": problem,
        },
        {
            "who": keys.client,
            "to": "bank-2",
            "asked": ("GET", "/v1/account", "", ""),
            "message": None,
            "answered": (200, CBOR),
            "answer": {"deposit": 2**64 - 1, "status": "active"},
            "version": "1",
        },
    ]


def _make_exchange(  # one for each field of the plan, by name
    keys: _Keys,
    *,
    who: str,
    to: str,
    asked: tuple[str, str, str, str],
    message: Any,
    answered: tuple[int, str],
    answer: Any,
    version: str = VERSION,
) -> Content:
    method, path, query, kind = asked
    body = b"" if message is None else _spell(message, kind)
    request: Content = {"method": method, "path": path, "query": query, "body": body}
    receiver = f"{NETWORK.hex()}/{to}"
    request["headers"] = {
        "content-digest": messages.compute_digest(body),
        "specie-receiver": receiver,
        "specie-version": version,
    }
    components = messages.list_request(request)
    request["headers"] |= messages.sign(keys.seeds[who], components, CREATED, who)
    status, answer_kind = answered
    found: Content = {"status": status, "body": _spell(answer, answer_kind)}
    found["headers"] = {
        "content-digest": messages.compute_digest(found["body"]),
        "specie-version": VERSION,
    }
    shown = messages.list_answer(found, request)
    found["headers"] |= messages.sign(keys.seeds[to], shown, CREATED + 1, to)
    return {
        "signed_by": who,
        "answered_by": to,
        "receiver": receiver,
        "request": {
            **messages.show(request),
            "content-type": kind,
            "message": messages.show(message),
            "base": _find_base(components, request),
        },
        "answer": {
            **messages.show(found),
            "content-type": answer_kind,
            "message": messages.show(answer),
            "base": _find_base(shown, found),
        },
    }


def _spell(message: Any, kind: str) -> bytes:
    if kind == CBOR:
        return messages.encode_cbor(message)
    return json.dumps(messages.show(message), separators=(",", ":")).encode()


def _find_base(components: list[tuple[str, str]], message: Content) -> str:
    params = message["headers"]["signature-input"].removeprefix("sig=")
    return messages.build_base(components, params)


_REFUSED: Final[Mapping[str, Mapping[str, Content]]] = {
    "request": {
        "another method": {"method": "PUT"},
        "another path": {"path": "/v1/voids"},
        "another query": {"query": "a=b"},
        "another body": {"body": "a0"},
        "another receiver": {
            "headers": {"specie-receiver": f"{NETWORK.hex()}/accounting"},
        },
        "another version": {"headers": {"specie-version": "1"}},
        "another digest": {"headers": {"content-digest": messages.compute_digest(b"\xa0")}},
        "no signature": {"headers": {"signature": ""}},
        "another time": {"created": CREATED + 1},
        "another key id": {"keyid": "bank-3"},
        "fewer components": {"without": '"@query" '},
        "another algorithm": {"alg": "hmac-sha256"},
    },
    "answer": {
        "another status": {"status": 409},
        "another body": {"body": "a0"},
        "another version": {"headers": {"specie-version": "1"}},
        "another time": {"created": CREATED},
        "another key id": {"keyid": "accounting"},
        "to another method": {"request": {"method": "GET"}},
        "to another path": {"request": {"path": "/v1/voids"}},
        "to another query": {"request": {"query": "a=b"}},
        "to another body": {
            "request": {"headers": {"content-digest": messages.compute_digest(b"\xa0")}},
        },
        "to another signature": {"request": {"headers": {"signature": "sig=:AAAA:"}}},
    },
}
"""Of the first exchange, each with one thing changed: `message_signature_invalid`."""


def _make_services(keys: _Keys) -> Content:
    services = [
        {
            "name": name,
            "role": name.partition("-2")[0],
            "number": 2 if name == "bank-2" else 1,
            "url": f"https://{name}.example:8443",
            "public_url": "" if name == "notary" else f"https://{name}.example",
            "key": get_ed25519_public(keys.seeds[name]).hex(),
        }
        for name in ("notary", "central-bank", "bank-2")
    ]
    text = messages.format_services(ORIGIN, 3, services)
    signed = messages.sign_note(raw(_LEDGER["list_key_seed"]), text, f"{ORIGIN}/services")
    return {"origin": ORIGIN, "version": 3, "services": services, "signed": signed}


def _make_enrolment(draw: Draw) -> Content:
    scan, attestation, nonce = draw.scalar(), draw.scalar(), draw.scalar()
    seed = draw.take(32)
    request = build_request(ServiceName("bank"), ec.generate_private_key(ec.SECP256R1()))
    enrolment: Content = {
        "code": draw.take(16),
        "request": request,
        "url": "https://bank.example:8443",
        "public_url": "https://bank.example",
        "scan_key": schnorr.public_key(scan),
        "attestation_key": schnorr.public_key(attestation),
        "institution_key": get_ed25519_public(seed),
    }
    message = messages.compute_enrolment(NETWORK, enrolment)
    enrolment["attestation_proof"] = schnorr.sign(attestation, nonce, message)
    enrolment["institution_proof"] = sign_ed25519(seed, message)
    shown: Content = messages.show(enrolment)
    digest = messages.compute_enrolment_digest(shown)
    return {"enrolment": shown, "message": message.hex(), "digest": digest}
