"""Makes `participants.json` and `sealing.json`: packed with struct, signed by `cryptography`."""

import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.reference import schnorr, sealing
from tests.reference.building import Draw
from tests.reference.hashing import encode_scalar, tagged_hash

Content = dict[str, Any]

GENESIS: Final = struct.Struct("<B48s3sB16sB32sBQHIQ")
LIST_HEAD: Final = struct.Struct("<B16sIQ32s32s")
OFFICER: Final = struct.Struct("<BB32s")
PARTICIPANT: Final = struct.Struct("<IBBI32s32s32s48s")

_PUBLISHED: Final[Content] = {
    "name": "Vectors of specie",
    "currency": "DCU",
    "decimals": 2,
    "address_prefix": "spc",
    "proof_mode": 1,
    "officers_required": 2,
    "supply_cap_day": 10**17,
    "batch_payments_min": 256,
    "batch_age_ms_max": 2_000,
    "created_ms": 1_800_000_000_000,
}
_AGGREGATED: Final[Content] = {
    "name": "Größte Werte, in 48 Bytes mit Umlauten: ÄÖÜ",
    "currency": "XTS",
    "decimals": 8,
    "address_prefix": "eurotest16letter",
    "proof_mode": 2,
    "officers_required": 8,
    "supply_cap_day": 2**64 - 1,
    "batch_payments_min": 65_535,
    "batch_age_ms_max": 3_600_000,
    "created_ms": 2**63 - 1,
}

# number, role, status, successor, name: a bank that left, its successor that left as well, ...
_MEMBERS: Final = (
    (1, 1, 1, 0, "Central Bank"),
    (2, 2, 1, 0, "Bank of the North"),
    (3, 2, 2, 2, "Bank of the South, suspended"),
    (4, 2, 3, 3, "Bank of the West, revoked"),
    (5, 3, 3, 0, "Authority without a successor"),
    (6, 4, 2, 99, "Its successor is not in the list"),
    (7, 5, 2, 7, "Its own successor"),
    *((number, 2, 3, number + 1, f"Link {number}") for number in range(10, 18)),
    (18, 6, 1, 0, "End of the line"),
    (2**32 - 1, 7, 1, 0, "Die höchste Nummer, 48 Bytes Name, bis ans Ende"),
)
_ATTESTERS: Final[Sequence[tuple[int, int | None]]] = (
    *((1, 1), (2, 2), (3, 2), (4, 2), (5, None), (6, None), (7, None), (8, None)),
    *((10, None), (11, 18), (17, 18), (2**32 - 1, 2**32 - 1)),
)


def sign_ed25519(seed: bytes, message: bytes) -> bytes:
    """RFC 8032, by the library `cryptography`."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def get_ed25519_public(seed: bytes) -> bytes:
    """The public key of a seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


# --- genesis and participant list ----------------------------------------------------------------


def pack_genesis(fields: Mapping[str, Any], list_key: bytes) -> bytes:
    """125 bytes; struct pads texts with zeros."""
    return GENESIS.pack(
        1,
        fields["name"].encode(),
        fields["currency"].encode(),
        fields["decimals"],
        fields["address_prefix"].encode(),
        fields["proof_mode"],
        list_key,
        fields["officers_required"],
        fields["supply_cap_day"],
        fields["batch_payments_min"],
        fields["batch_age_ms_max"],
        fields["created_ms"],
    )


def make_participants(_: Mapping[str, Any]) -> Content:
    """Two geneses, two lists of one network, what is refused, and who attests for whom."""
    seed = Draw(b"participants.json").take(32)
    key = get_ed25519_public(seed)
    geneses = [_describe_genesis(fields, seed) for fields in (_PUBLISHED, _AGGREGATED)]
    network = bytes.fromhex(geneses[0]["network"])
    lists = [_describe_list(network, seed, 1, _MEMBERS[:2]), _describe_list(network, seed, 7)]
    return {
        "provenance": "docs/spec/04, packed with Python's struct, hashed with hashlib, signed by "
        "the PyPI library `cryptography`. Seeds are in the open: use them nowhere.",
        "list_key_seed": seed.hex(),
        "list_key": key.hex(),
        "geneses": geneses,
        "refused_geneses": _spoil_genesis(pack_genesis(_PUBLISHED, key), seed),
        "lists": lists,
        "refused_lists": _spoil_list(_describe_list(network, seed, 2, _MEMBERS[:2]), network, seed),
        "attesters": [{"bank": bank, "attester": attester} for bank, attester in _ATTESTERS],
    }


def _describe_genesis(fields: Mapping[str, Any], seed: bytes) -> Content:
    packed = pack_genesis(fields, get_ed25519_public(seed))
    network = tagged_hash("network", packed)[:16]
    return {
        **fields,
        "packed": packed.hex(),
        "network": network.hex(),
        "origin": f"specie/{fields['address_prefix']}/{network.hex()}",
        "signed": _sign(packed, "genesis", seed).hex(),
    }


def _spoil_genesis(packed: bytes, seed: bytes) -> list[Content]:
    cases = {
        "version 2": ("version_unknown", b"\x02" + packed[1:]),
        "name of another spelling": ("text_invalid", packed[:48] + b"x" + packed[49:]),
        "name not UTF-8": ("text_invalid", packed[:1] + b"\xff" + packed[2:]),
        "currency in small letters": ("currency_mismatch", _set(packed, 49, b"dcu")),
        "9 decimals": ("currency_mismatch", _set(packed, 52, b"\x09")),
        "prefix with a capital": ("setting_invalid", _set(packed, 53, b"Spc")),
        "no prefix": ("setting_invalid", _set(packed, 53, bytes(16))),
        "proof mode 0": ("kind_unknown", _set(packed, 69, b"\x00")),
        "proof mode 3": ("kind_unknown", _set(packed, 69, b"\x03")),
        "one officer": ("setting_invalid", _set(packed, 102, b"\x01")),
        "nine officers": ("setting_invalid", _set(packed, 102, b"\x09")),
        "N_min 0": ("setting_invalid", _set(packed, 111, bytes(2))),
        "T_max 0": ("setting_invalid", _set(packed, 113, bytes(4))),
        "T_max over an hour": ("setting_invalid", _set(packed, 113, struct.pack("<I", 3_600_001))),
        "time over 2**63 - 1": ("not_canonical", _set(packed, 117, b"\xff" * 8)),
        "a byte missing": ("truncated", packed[:-1]),
        "a byte more": ("trailing_bytes", packed + b"\0"),
    }
    refused = [
        {"why": why, "code": code, "signed": _sign(data, "genesis", seed).hex()}
        for why, (code, data) in cases.items()
    ]
    other = _sign(packed, "genesis", bytes(32))
    return [
        *refused,
        {"why": "signed by another key", "code": "signature_invalid", "signed": other.hex()},
        {
            "why": "signed as a participant list",
            "code": "signature_invalid",
            "signed": _sign(packed, "participants", seed).hex(),
        },
        {"why": "empty", "code": "truncated", "signed": ""},
    ]


def _describe_list(
    network: bytes,
    seed: bytes,
    version: int,
    members: Sequence[tuple[int, int, int, int, str]] = _MEMBERS,
) -> Content:
    """The notary's key and the officers' are those of list 1: they stay with the network."""
    if version > 1:  # scan keys stay with their numbers
        known = _describe_list(network, seed, 1)["participants"]
        scans = {one["number"]: one["scan_key"] for one in known}
    else:
        scans = {}
    first, draw = (Draw(b"participants.json list" + bytes([one])) for one in (1, version))
    lasting, fresh = zip(*((first.take(32), draw.take(32)) for _ in range(5)), strict=True)
    fields: Content = {
        "version": version,
        "time": 1_800_000_000_000 + version,
        "notary_key": get_ed25519_public(lasting[0]).hex(),
        "accounting_key": get_ed25519_public(fresh[1]).hex(),
        "officers": [
            {"number": number, "status": status, "key": get_ed25519_public(one).hex()}
            for (number, status), one in zip(((1, 1), (2, 2), (255, 3)), lasting[2:], strict=True)
        ],
        "participants": [
            {
                "number": number,
                "role": role,
                "status": status,
                "successor": successor,
                "scan_key": _keep(scans.get(number), schnorr.public_key(draw.scalar()).hex()),
                "attestation_key": schnorr.public_key(draw.scalar()).hex(),
                "institution_key": get_ed25519_public(draw.take(32)).hex(),
                "name": name,
            }
            for number, role, status, successor, name in members
        ],
    }
    packed = pack_list(fields, network)
    signed = _sign(packed, "participants", seed)
    return {**fields, "packed": packed.hex(), "signed": signed.hex()}


def _keep(known: str | None, fresh: str) -> str:
    return fresh if known is None else known


def pack_list(fields: Mapping[str, Any], network: bytes) -> bytes:
    """Head, counted officers, counted participants."""
    keys = bytes.fromhex(fields["notary_key"]), bytes.fromhex(fields["accounting_key"])
    officers, members = fields["officers"], fields["participants"]
    return b"".join(
        (
            LIST_HEAD.pack(1, network, fields["version"], fields["time"], *keys),
            struct.pack("<B", len(officers)),
            *(
                OFFICER.pack(one["number"], one["status"], bytes.fromhex(one["key"]))
                for one in officers
            ),
            struct.pack("<H", len(members)),
            *(_pack_participant(one) for one in members),
        )
    )


def _pack_participant(one: Mapping[str, Any]) -> bytes:
    keys = (bytes.fromhex(one[name]) for name in ("scan_key", "attestation_key", "institution_key"))
    return PARTICIPANT.pack(
        one["number"], one["role"], one["status"], one["successor"], *keys, one["name"].encode()
    )


def _spoil_list(good: Mapping[str, Any], network: bytes, seed: bytes) -> list[Content]:
    """Each judged with version 1 in force; the code of the first broken rule."""
    packed = bytes.fromhex(good["packed"])
    officers, members = good["officers"], good["participants"]
    first_officer = LIST_HEAD.size + 1
    first_member = first_officer + len(officers) * OFFICER.size + 2
    old, other = {**good, "version": 1}, tagged_hash("network", b"another")[:16]
    backwards = {**good, "participants": members[::-1]}
    twice = {**good, "officers": [officers[0], officers[0]]}
    shared = [officers[0], {**officers[1], "key": officers[0]["key"]}, officers[2]]
    renewed = [*officers[:2], {**officers[2], "key": good["accounting_key"]}]
    forgetful = {
        "two officers with one key": {"officers": shared},
        "an officer left out": {"officers": officers[1:]},
        "an officer with another key": {"officers": renewed},
        "a participant left out": {"participants": members[:1]},
        "another notary key": {"notary_key": good["accounting_key"]},
    }
    cases = {
        "version of the format 2": ("version_unknown", b"\x02" + packed[1:]),
        "another network": ("network_mismatch", pack_list(good, other)),
        "the version in force": ("participants_outdated", pack_list(old, network)),
        "participants not in order": ("not_canonical", pack_list(backwards, network)),
        "an officer twice": ("not_canonical", pack_list(twice, network)),
        "officer 0": ("not_canonical", _set(packed, first_officer, b"\0")),
        "participant 0": ("not_canonical", _set(packed, first_member, bytes(4))),
        "role 0": ("kind_unknown", _set(packed, first_member + 4, b"\0")),
        "role 8": ("kind_unknown", _set(packed, first_member + 4, b"\x08")),
        "status 0": ("kind_unknown", _set(packed, first_member + 5, b"\0")),
        "status 4": ("kind_unknown", _set(packed, first_officer + 1, b"\x04")),
        "33 officers": ("limit_exceeded", _set(packed, first_officer - 1, b"\x21")),
        "4,097 participants": ("limit_exceeded", _set(packed, first_member - 2, b"\x01\x10")),
        "a byte missing": ("truncated", packed[:-1]),
        "a byte more": ("trailing_bytes", packed + b"\0"),
        **{
            why: ("participants_invalid", pack_list({**good, **changes}, network))
            for why, changes in forgetful.items()
        },
    }
    refused = [
        {"why": why, "code": code, "signed": _sign(data, "participants", seed).hex()}
        for why, (code, data) in cases.items()
    ]
    forged = _sign(packed, "participants", bytes(32))
    changed = _set(bytes.fromhex(good["signed"]), first_member + 5, b"\x02")
    return [
        *refused,
        {"why": "signed by another key", "code": "participants_invalid", "signed": forged.hex()},
        {"why": "a status changed", "code": "participants_invalid", "signed": changed.hex()},
    ]


def _sign(packed: bytes, tag: str, seed: bytes) -> bytes:
    return packed + sign_ed25519(seed, tagged_hash(tag, packed))


def _set(data: bytes, at: int, part: bytes) -> bytes:
    return data[:at] + part + data[at + len(part) :]


# --- sealing -------------------------------------------------------------------------------------


def make_sealing(_: Mapping[str, Any]) -> Content:
    """Keys from passphrases; every kind of secret sealed; what does not open."""
    draw = Draw(b"sealing.json")
    salt = draw.take(16)
    derived = [
        _derive(b"correct horse battery staple", salt, 65_536, 3, 4),
        _derive(b"correct horse battery staple", salt, 64, 1, 1),
        _derive("Geheimnis mit Umlaut: Überraschung".encode(), draw.take(16), 64, 2, 2),
        _derive(b"", draw.take(16), 64, 1, 1),
    ]
    key = bytes.fromhex(derived[1]["key"])
    scalars = ("view-key", "spend-key", "scan-key", "signing-key")
    plain = {
        "bytes": b"an opening, a name, an amount",
        "sealing-key": draw.take(32),
        "key-tree": draw.take(32),
        **{kind: encode_scalar(draw.scalar()) for kind in scalars},
        "wallet-secret": draw.take(32),
        "institution-key": draw.take(32),
    }
    return {
        "provenance": "docs/spec/06: Argon2id by `argon2-cffi`, XChaCha20-Poly1305 by PyNaCl "
        "(libsodium). Sealed under the second derived key.",
        "derived": derived,
        "sealed": [_seal(draw, key, kind, secret) for kind, secret in plain.items()],
        "refused": _spoil_sealed(draw, key),
    }


def _derive(passphrase: bytes, salt: bytes, memory: int, passes: int, lanes: int) -> Content:
    key = sealing.derive_key(passphrase, salt, memory, passes, lanes)
    return {
        "passphrase": passphrase.hex(),
        "salt": salt.hex(),
        "memory_kib": memory,
        "passes": passes,
        "lanes": lanes,
        "key": key.hex(),
    }


def _seal(draw: Draw, key: bytes, kind: str, plain: bytes) -> Content:
    nonce, aad = draw.take(24), b"a holder\0" + draw.take(32)
    return {
        "kind": kind,
        "aad": aad.hex(),
        "plain": plain.hex(),
        "sealed": sealing.seal(key, nonce, kind, plain, aad).hex(),
    }


def _spoil_sealed(draw: Draw, key: bytes) -> list[Content]:
    """All to be opened as "bytes" with the aad `6161`."""
    nonce, aad, plain = draw.take(24), b"aa", bytes(32)
    good = sealing.seal(key, nonce, "bytes", plain, aad)
    cases = {
        "another aad": sealing.seal(key, nonce, "bytes", plain, b"ab"),
        "a spend key opened as bytes": sealing.seal(key, nonce, "spend-key", plain, aad),
        "another key": sealing.seal(bytes(32), nonce, "bytes", plain, aad),
        "nonce changed": _set(good, 0, bytes([good[0] ^ 1])),
        "text changed": _set(good, 24, bytes([good[24] ^ 1])),
        "tag changed": good[:-1] + bytes([good[-1] ^ 1]),
        "a byte missing": good[:-1],
        "only a nonce": good[:24],
        "empty": b"",
    }
    return [{"why": why, "sealed": sealed.hex()} for why, sealed in cases.items()]
