"""Lines that check what the registration says: shown on its pages, run by a test as they stand."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from specie.identity.genesis import compute_origin
from specie.identity.roster import Roster
from specie.ledger.state_notes import name_registration
from specie.registration.service import OutputPlace
from specie.values.identifiers import InstitutionPublicKey

_ED25519: Final = bytes.fromhex("302a300506032b6570032100")  # DER of a public key, RFC 8410


@dataclass(frozen=True, slots=True)
class Step:
    """What it shows, and the lines that do."""

    what: str
    lines: str


def list_steps(url: str, roster: Roster) -> Sequence[Step]:
    """For the whole log."""
    network = roster.genesis.network.hex()
    origin = compute_origin(roster.genesis)
    return (
        Step(
            "The network's root certificate. Compare the fingerprint with the one that was read "
            "out at the key ceremony.",
            f"curl -sSk {url}/root.pem -o root.pem\n"
            "openssl x509 -in root.pem -noout -fingerprint -sha256",
        ),
        Step(
            "The newest checkpoint of the log, and the notary's signature on it.",
            _fetch(url, "checkpoint", "checkpoint")
            + _check_note("checkpoint", origin, roster.current.notary_key),
        ),
        Step(
            "The whole currency: every leaf, every rule that public data shows, every signature. "
            "Verified bytes stay in the folder mirror; the next time only new ones are fetched.",
            f"specie audit {url} --root root.pem --network {network} --keep mirror "
            "--require-cosigners",
        ),
        Step(
            "A checkpoint that you keep: the log has to continue it, or somebody rewrote it.",
            f"cp mirror/checkpoint kept\nspecie audit mirror --network {network} --earlier kept",
        ),
    )


def list_output_steps(url: str, roster: Roster, place: OutputPlace) -> Sequence[Step]:
    """For one output."""
    network, ref = roster.genesis.network.hex(), place.ref.hex()
    origin, key = compute_origin(roster.genesis), roster.current.get_central_bank().institution_key
    root = f"curl -sSk {url}/root.pem -o root.pem\n"
    lists = f"specie audit {url} --root root.pem --network {network} --keep mirror"
    steps = [
        Step(
            "What the registration has signed about it.",
            root
            + _fetch(url, f"output/{ref}/state", "state")
            + _check_note("state", name_registration(origin), key)
            + "\ncat text",
        )
    ]
    proofs = [
        ("That it was registered.", "proof", place.created),
        ("That it was spent.", "spent-proof", place.spent),
    ]
    for what, name, position in proofs:
        if position is not None:
            check = f"specie verify-receipt {name} --public mirror --network {network}"
            fetched = _fetch(url, f"output/{ref}/{name}", name)
            steps.append(Step(what, f"{lists}\n{fetched}{check}"))
    return steps


def _fetch(url: str, path: str, name: str) -> str:
    return f"curl -sS --cacert root.pem {url}/{path} -o {name}\n"


def _check_note(name: str, signer: str, key: InstitutionPublicKey) -> str:
    """Of a signed note: the text is what stands before the empty line."""
    public = base64.b64encode(_ED25519 + key).decode()
    begin, end = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"
    lines = (
        f"sed '/^$/,$d' {name} > text",
        f"grep -m1 '^— {signer} ' {name} | cut -d' ' -f3 | base64 -d | tail -c 64 > signature",
        f"printf '%s\\n' '{begin}' '{public}' '{end}' > key.pem",
        "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in text -sigfile signature",
    )
    return "\n".join(lines)
