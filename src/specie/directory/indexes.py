"""Where a phone number stands in the directory and in the log (spec page 09).

    value = γ ‖ proof of the directory's key P for H("phone", network ‖ number padded to 16)
    index = H("phone-index", P ‖ γ)

Nobody but the directory computes an index, so nobody tries numbers against the log; who is told one
verifies that it is the number's and that there is no other.
"""

from specie.crypto import vrf
from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import VrfKey
from specie.values.identifiers import Digest, NetworkId, PublicKey
from specie.values.phones import PHONE_CHARS_MAX, PhoneNumber


def evaluate_phone(key: VrfKey, network: NetworkId, phone: PhoneNumber) -> bytes:
    """γ and its proof, 96 bytes."""
    return vrf.evaluate(key, compute_phone_message(network, phone))


def get_index(public: PublicKey, value: bytes) -> Digest:
    """Of a value that is our own."""
    return tagged_hash("phone-index", public, vrf.get_output(value))


def verify_index(public: PublicKey, network: NetworkId, phone: PhoneNumber, value: bytes) -> Digest:
    """The number's index, once the proof holds; `proof_invalid` otherwise."""
    gamma = vrf.verify_value(public, compute_phone_message(network, phone), value)
    return tagged_hash("phone-index", public, gamma)


def compute_phone_message(network: NetworkId, phone: PhoneNumber) -> Digest:
    """What the function is of; a number has at most 16 characters."""
    return tagged_hash("phone", network, phone.encode().ljust(PHONE_CHARS_MAX, b"\0"))
