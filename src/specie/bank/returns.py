"""A client's return addresses: each is given to one payee, so that two cannot compare them (T9).

    m = H("return-address", network ‖ bank u32 ‖ A ‖ B of the client ‖ bank u32 ‖ A' ‖ B')
    by B'   Schnorr, the return address's spend key        nobody takes another's address

What is paid there is the client's; the bank counts and judges it as such, and can say whose it is
if the law asks. Who is given one learns which bank it is of, and nothing else.
"""

from specie.crypto.addresses import Address
from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import SpendKey
from specie.crypto.signatures import sign, verify_signature
from specie.identity.roster import Roster, is_served
from specie.ports.clients import Client, ClientStatus, ClientStore
from specie.values.catalogue import ErrorCode
from specie.values.encoding import u32
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, NetworkId, ParticipantNumber, Signature


def sign_return_address(
    network: NetworkId, own: Address, given: Address, key: SpendKey
) -> Signature:
    """On the device, with the key of `given`."""
    return sign(key, compute_return_message(network, own, given))


def verify_return_address(
    network: NetworkId, own: Address, given: Address, proof: Signature
) -> None:
    """`signature_invalid` unless who has the key of `given` made it for this client."""
    verify_signature(given.spend, compute_return_message(network, own, given), proof)


def register_return_address(
    clients: ClientStore, client: Client, given: Address, place: tuple[ParticipantNumber, Roster]
) -> None:
    """After its proof was verified; again is nothing.

    `not_served_here` if it is of another bank, `client_exists` if it is somebody else's,
    `client_blocked`, `limit_exceeded`.
    """
    number, roster = place
    if not is_served(given.bank, number, roster):
        raise SpecieError(ErrorCode.NOT_SERVED_HERE, "the address is not one of this bank")
    if client.status is not ClientStatus.GOOD:
        raise SpecieError(ErrorCode.CLIENT_BLOCKED, "a client is blocked")
    clients.add_return_address(client.id, given)


def compute_return_message(network: NetworkId, own: Address, given: Address) -> Digest:
    """What the return address's spend key signs."""
    return tagged_hash(
        "return-address",
        network,
        *(u32(own.bank), own.view, own.spend),
        *(u32(given.bank), given.view, given.spend),
    )
