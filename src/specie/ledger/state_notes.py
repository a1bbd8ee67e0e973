"""One output's state as a signed note: what an outsider checks with `openssl` alone (spec page 05).

    specie output state v1
    origin
    checkpoint SIZE base64(root)
    output REF                             64 hex digits
    state unknown | unspent | spent

    — origin/registration base64(key id 4 ‖ Ed25519(the registration's key, the text above))

That an output is spent, a leaf proves; that it is not, nothing but the whole log does. So this is
the registration's word: signed, it is evidence against it if the log says otherwise.
"""

import base64

from specie.crypto.secrets import InstitutionSigner
from specie.ledger.states import OutputState
from specie.log.checkpoint import Checkpoint
from specie.log.notes import SignatureType, VerifierKey, sign_text
from specie.values.identifiers import InstitutionPublicKey, OutputRef

_HEAD = "specie output state v1"


def sign_state_note(
    checkpoint: Checkpoint, ref: OutputRef, state: OutputState, key: InstitutionSigner
) -> str:
    """The whole note."""
    text = format_state(checkpoint, ref, state)
    return f"{text}\n{sign_text(text, name_registration(checkpoint.origin), key).format()}\n"


def format_state(checkpoint: Checkpoint, ref: OutputRef, state: OutputState) -> str:
    """The text that is signed."""
    root = base64.b64encode(checkpoint.root).decode()
    lines = (
        _HEAD,
        checkpoint.origin,
        f"checkpoint {checkpoint.size} {root}",
        f"output {ref.hex()}",
        f"state {state.name.lower()}",
    )
    return "".join(f"{line}\n" for line in lines)


def get_registration_key(origin: str, public: InstitutionPublicKey) -> VerifierKey:
    """Whose line stands below."""
    return VerifierKey(name_registration(origin), SignatureType.LOG, public)


def name_registration(origin: str) -> str:
    """The name of the line."""
    return f"{origin}/registration"
