"""Makes the vectors. What exists is kept: it must hold forever. Run from the repository:

    python -m tests.vectors.generate [--force]

Everything comes from the twins and fixed seeds, so two runs give the same bytes, except what is
marked "made_by": "kernel" (its signing and proving are hedged with fresh randomness): those
entries are made once, while the native kernel is at hand, and kept even with --force.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from specie import _kernel as kernel
from tests.reference import address, commitment, hashing, keys, ristretto, schnorr
from tests.reference.building import Draw
from tests.vectors import published
from tests.vectors.files import FOLDER
from tests.vectors.generate_consents import make_consents
from tests.vectors.generate_cosigner import make_cosigner
from tests.vectors.generate_directory import make_directory
from tests.vectors.generate_ledger import make_participants, make_sealing
from tests.vectors.generate_log import make_log
from tests.vectors.generate_messages import make_messages
from tests.vectors.generate_outputs import make_outputs
from tests.vectors.generate_receipts import make_receipts
from tests.vectors.generate_requests import make_requests
from tests.vectors.generate_returns import make_returns
from tests.vectors.generate_transactions import make_range_proofs, make_transactions

Content = dict[str, Any]

TAGS: Final = (
    *("generator/value", "nonce", "view-key", "spend-key", "wallet-secret", "address"),
    *("anchor", "ephemeral", "shared", "owner", "mask", "tag", "seal", "terms", "terms-nonce"),
    *("client", "hint", "audit", "audit-pad", "output", "blind", "in", "slot", "range", "offset"),
    *("tx", "kernel", "spend", "attest", "issue", "reserve", "participants", "genesis", "network"),
    *("promise", "batch", "evidence", "x", "t" * 32),
)
AMOUNTS: Final = (0, 1, 10**9, 2**63, 2**64 - 1)


def make_group(_: Mapping[str, Any]) -> Content:
    """RFC 9496, H, and commitments."""
    draw = Draw(b"group.json")
    masks = {value: draw.scalar() for value in AMOUNTS}
    return {
        "provenance": "multiples, bad_encodings, one_way_maps: RFC 9496, appendices A.1 to A.3. "
        "value_generator, commitments: docs/spec/01, computed by tests/reference.",
        "multiples": list(published.MULTIPLES),
        "bad_encodings": [
            {"why": why, "encoding": encoding}
            for why, encodings in published.BAD_ENCODINGS.items()
            for encoding in encodings
        ],
        "one_way_maps": [
            {"input": low + high, "element": element}
            for low, high, element in published.ONE_WAY_MAPS
        ],
        "value_generator": ristretto.encode(commitment.value_generator()).hex(),
        "commitments": [
            {
                "value": value,
                "mask": hashing.encode_scalar(mask).hex(),
                "commitment": commitment.commit(value, mask).hex(),
            }
            for value, mask in masks.items()
        ],
        "bad_scalars": [
            hashing.ORDER.to_bytes(32, "little").hex(),
            (hashing.ORDER + 1).to_bytes(32, "little").hex(),
            (2**256 - 1).to_bytes(32, "little").hex(),
        ],
    }


def make_hashing(_: Mapping[str, Any]) -> Content:
    """H and Hs under every tag of docs/spec/00."""
    return {
        "provenance": "docs/spec/00, computed by tests/reference with Python's hashlib.",
        "hashes": [
            {
                "tag": tag,
                "data": data.hex(),
                "hash": hashing.tagged_hash(tag, data).hex(),
                "scalar": hashing.encode_scalar(hashing.tagged_scalar(tag, data)).hex(),
            }
            for tag in TAGS
            for data in (b"", bytes(range(100)))
        ],
    }


def make_keys(_: Mapping[str, Any]) -> Content:
    """Phrases to keys and addresses; the secrets are in the open, use them nowhere."""
    wallets = []
    for _entropy, phrase in published.PHRASES:
        seed = keys.derive_seed(phrase)
        wallets.append(
            {
                "phrase": phrase,
                "seed": seed.hex(),
                "subwallets": [_describe_subwallet(seed, index) for index in (0, 1, 2**32 - 1)],
            }
        )
    first = published.PHRASES[0][1]
    return {
        "provenance": "phrases: BIP-39, Trezor's list; keys: docs/spec/01, computed by "
        "tests/reference with the PyPI library `mnemonic`. Known to everybody: never hold money.",
        "wallets": wallets,
        "refused": [
            {"why": "wrong checksum", "phrase": first.replace("about", "abandon")},
            {"why": "11 words", "phrase": first.removeprefix("abandon ")},
            {"why": "unknown word", "phrase": first.replace("about", "aboot")},
            {"why": "no words", "phrase": ""},
            {"why": "capitals", "phrase": first.upper()},
        ],
    }


def _describe_subwallet(seed: bytes, index: int) -> Content:
    branch = keys.derive_subwallet(seed, index)
    return {
        "subwallet": index,
        "view": hashing.encode_scalar(branch.view).hex(),
        "spend": hashing.encode_scalar(branch.spend).hex(),
        "wallet_secret": branch.wallet_secret.hex(),
        "view_public": branch.view_public.hex(),
        "spend_public": branch.spend_public.hex(),
        "address": address.encode_address("spec", 7, branch.view_public, branch.spend_public),
    }


def make_addresses(_: Mapping[str, Any]) -> Content:
    """Texts that are read, and texts that are refused."""
    valid = []
    for prefix, bank in (("x", 0), ("spec", 7), ("eurotest16letter", 2**32 - 1), ("a1b", 1)):
        draw = Draw(b"address.json" + prefix.encode())
        pair = [schnorr.public_key(draw.scalar()) for _ in range(2)]
        text = address.encode_address(prefix, bank, *pair)
        valid.append(
            {
                "prefix": prefix,
                "bank": bank,
                "view_public": pair[0].hex(),
                "spend_public": pair[1].hex(),
                "payload_and_check": address.bech32m_decode(text)[1].hex(),
                "address": text,
            }
        )
    good = str(valid[1]["address"])
    payload = address.bech32m_decode(good)[1]
    return {
        "provenance": "docs/spec/01, computed by tests/reference; bech32m after BIP-350.",
        "valid": valid,
        "refused_texts": [
            {"why": why, "text": text}
            for why, text in {
                "mixed case": good[:-1] + good[-1].upper() if good[-1].isalpha() else "Spec1q",
                "a letter changed": good[:20] + ("q" if good[20] != "q" else "p") + good[21:],
                "a letter missing": good[:-1],
                "a letter that is none": good[:20] + "b" + good[21:],
                "no separator": good.replace("1", ""),
                "no prefix": good[4:],
                "bech32, not bech32m": "a12uel5l",
                "padding not zero": _encode_with_padding("spec", payload),
                "empty": "",
            }.items()
        ],
        "refused_addresses": [
            {"why": why, "text": address.bech32m_encode("spec", changed)}
            for why, changed in {
                "check changed": payload[:-1] + bytes([payload[-1] ^ 1]),
                "version 2": _recheck(b"\x02" + payload[1:69]),
                "identity as view key": _recheck(payload[:5] + bytes(32) + payload[37:69]),
                "spend key not canonical": _recheck(payload[:37] + b"\x01" + bytes(31)),
                "a byte missing": payload[:-1],
                "a byte more": payload + b"\0",
            }.items()
        ],
    }


def _recheck(payload: bytes) -> bytes:
    return payload + hashing.tagged_hash("address", b"spec\0" + payload)[:8]


def _encode_with_padding(prefix: str, payload: bytes) -> str:
    """The payload's second spelling: one of the left-over bits set, checksum right."""
    return address.encode_digits(prefix, [*address.regroup_out(payload)[:-1], 1])


def make_signatures(old: Mapping[str, Any]) -> Content:
    """Signatures by twin and kernel that hold forever, and records that are refused."""
    draw = Draw(b"schnorr.json")
    made = [_sign_plainly(draw) for _ in range(4)]
    kept = [entry for entry in old.get("valid", []) if entry["made_by"] == "kernel"]
    return {
        "provenance": "made_by twin: tests/reference with given nonces; made_by kernel: "
        "schnorrkel 0.11.5 through specie._kernel, hedged nonces, made once. docs/spec/01.",
        "valid": [*made, *(kept or [_sign_natively(index) for index in range(4)])],
        "refused": _forge(draw),
    }


def _sign_plainly(draw: Draw) -> Content:
    secret, nonce, message = draw.scalar(), draw.scalar(), draw.take(32)
    return {
        "made_by": "twin",
        "secret": hashing.encode_scalar(secret).hex(),
        "nonce": hashing.encode_scalar(nonce).hex(),
        "public": schnorr.public_key(secret).hex(),
        "message": message.hex(),
        "signature": schnorr.sign(secret, nonce, message).hex(),
    }


def _sign_natively(index: int) -> Content:
    key, message = kernel.SigningKey.generate(), hashlib.sha256(bytes([index])).digest()
    return {
        "made_by": "kernel",
        "public": key.public.hex(),
        "message": message.hex(),
        "signature": key.sign(message).hex(),
    }


def _forge(draw: Draw) -> list[Content]:
    secret, message = draw.scalar(), draw.take(32)
    public = schnorr.public_key(secret)
    good = schnorr.sign(secret, draw.scalar(), message)
    s = int.from_bytes(good[32:], "little") & (2**255 - 1)
    order = hashing.ORDER
    cases = {
        "another message": (public, hashlib.sha256(message).digest(), good),
        "another key": (schnorr.public_key(secret + 1), message, good),
        "negated key": (schnorr.public_key(-secret), message, good),
        "s + 1": (public, message, good[:32] + _mark(s + 1)),
        "s negated": (public, message, good[:32] + _mark(order - s)),
        "s + l, a second spelling": (public, message, good[:32] + _mark(s + order)),
        "marker missing": (public, message, good[:63] + bytes([good[63] & 0x7F])),
        "R is the identity": _sign_with_identity(secret, message),
        "R not canonical": (public, message, b"\x01" + bytes(31) + good[32:]),
        "R of another": (public, message, schnorr.public_key(5) + good[32:]),
        "P is the identity": (bytes(32), message, schnorr.sign(0, draw.scalar(), message)),
        "P not canonical": (b"\x01" + bytes(31), message, good),
    }
    return [
        {"why": why, "public": key.hex(), "message": text.hex(), "signature": signature.hex()}
        for why, (key, text, signature) in cases.items()
    ]


def _mark(s: int) -> bytes:
    return (s | 1 << 255).to_bytes(32, "little")


def _sign_with_identity(secret: int, message: bytes) -> tuple[bytes, bytes, bytes]:
    """Nonce 0: the equation holds and gives the secret away; must be refused all the same."""
    return schnorr.public_key(secret), message, schnorr.sign(secret, 0, message)


MAKERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Content]]] = {
    "group": make_group,
    "hashing": make_hashing,
    "keys": make_keys,
    "address": make_addresses,
    "schnorr": make_signatures,
    "output": make_outputs,
    "range_proof": make_range_proofs,
    "transaction": make_transactions,
    "participants": make_participants,
    "log": make_log,
    "sealing": make_sealing,
    "cosigner": make_cosigner,
    "receipts": make_receipts,
    "messages": make_messages,
    "directory": make_directory,
    "requests": make_requests,
    "returns": make_returns,
    "consents": make_consents,
}


def main(arguments: Sequence[str]) -> int:
    """Writes every missing file; with --force also those that exist."""
    refused = 0
    for name, make in MAKERS.items():
        path = FOLDER / f"{name}.json"
        old: Mapping[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
        if old and "--force" not in arguments:
            sys.stderr.write(f"{path.name} exists and must hold forever; --force to replace\n")
            refused = 1
            continue
        path.write_text(json.dumps(make(old), indent=1, ensure_ascii=False) + "\n", "utf-8")
    return refused


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
