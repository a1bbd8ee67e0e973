"""A bank's clients go to its successor (T2): what the successor needs to attest for them.

    handed over   the bank that leaves writes down its clients, sealed, for its successor
    claimed       it is lost, with all that it knew: each client comes by itself, with the view key
                  and its tokens, and signs for each with the key that owns it

    claim = Schnorr(P, H("claim", network ‖ successor u32 ‖ ref ‖ device key))

Spend keys stay on the devices, as ever. Deposits do not go with the clients: they are debts of the
bank that leaves, and for the law to settle. Tokens are nobody's debt.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from specie.crypto.addresses import Address
from specie.crypto.hashing import tagged_hash
from specie.crypto.outputs import (
    OPENING_BYTES,
    OUTPUT_BYTES,
    derive_output,
    derive_owner_key,
    unpack_opening,
)
from specie.crypto.secrets import SealingKey, ViewKey, open_sealed, unseal
from specie.crypto.signatures import sign, verify_signature
from specie.identity.roster import Roster
from specie.ledger.records import Output
from specie.ports.clients import Client, ClientStatus, ClientStore
from specie.tokens.holdings import HolderKeys, Token
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text, u32
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    ClientId,
    Digest,
    InstitutionPublicKey,
    NetworkId,
    OutputRef,
    ParticipantNumber,
    PublicKey,
    Signature,
)

_AAD = b"succession\0"


@dataclass(frozen=True, slots=True, repr=False)
class ExportedClient:
    """One client, with its unspent tokens; names, view key and openings sealed."""

    client: str
    bank: int
    view: bytes
    spend: bytes
    status: str
    sealed_name: bytes
    sealed_view: bytes
    tokens: Sequence[bytes]  # output ‖ opening, sealed together


@dataclass(frozen=True, slots=True, repr=False)
class ClaimedToken:
    """A token whose bank is lost, and its owner's word that this bank may serve it."""

    token: bytes  # output ‖ opening
    proof: Signature


def export_client(client: Client, store: ClientStore, key: SealingKey) -> ExportedClient:
    """Everything that is final and unspent, as this bank knows it."""
    refs = [output.ref for output in store.load_outputs(client.id)]
    watched = store.find_tokens(refs)
    tokens = [one.token for one in watched.values() if one.is_final and one.spent_by is None]
    aad = _AAD + encode_text(client.id)
    return ExportedClient(
        client=client.id,
        bank=client.address.bank,
        view=client.address.view,
        spend=client.address.spend,
        status=client.status.value,
        sealed_name=key.seal(encode_text(client.name), aad),
        sealed_view=client.view_key.seal(key, aad),
        tokens=[key.seal(one.output.data + one.opening.pack(), aad) for one in tokens],
    )


def open_exported(exported: ExportedClient, key: SealingKey) -> Client:
    """Under an id of its own: its old one with the number of its old bank."""
    aad = _AAD + encode_text(exported.client)
    view = unseal(ViewKey.unseal, key, exported.sealed_view, aad)
    address = Address(
        ParticipantNumber(exported.bank), PublicKey(exported.view), PublicKey(exported.spend)
    )
    if view.public != address.view:
        raise SpecieError(ErrorCode.NOT_SERVED_HERE, "the view key is not the address's")
    return Client(
        id=ClientId(f"{exported.bank}.{exported.client}"),
        name=open_sealed(key, exported.sealed_name, aad).decode(),
        address=address,
        view_key=view,
        status=ClientStatus(exported.status),
    )


def open_tokens(exported: ExportedClient, key: SealingKey) -> list[bytes]:
    """Output and opening of each."""
    aad = _AAD + encode_text(exported.client)
    return [open_sealed(key, one, aad) for one in exported.tokens]


def unpack_token(data: bytes, roster: Roster) -> Token:
    """`disclosure_mismatch` unless the output is what its opening makes of it."""
    if len(data) != OUTPUT_BYTES + OPENING_BYTES:
        raise SpecieError(ErrorCode.SIZE_INVALID, "a token is an output and its opening")
    output, opening = Output(data[:OUTPUT_BYTES]), unpack_opening(data[OUTPUT_BYTES:])
    scan_key = roster.current.get(opening.bank).scan_key
    if derive_output(opening, scan_key).data != output.data:
        raise SpecieError(ErrorCode.DISCLOSURE_MISMATCH, "an output is not what is shown")
    return Token(output, opening)


def claim_token(
    token: Token,
    keys: HolderKeys,
    network: NetworkId,
    successor: ParticipantNumber,
    device: InstitutionPublicKey,
) -> ClaimedToken:
    """On the device: the one-time key of the token signs for who may serve it from now on."""
    owner = derive_owner_key(keys.spend, keys.view, token.output.data)
    message = compute_claim_message(network, successor, token.ref, device)
    return ClaimedToken(token.output.data + token.opening.pack(), sign(owner, message))


def verify_claim(
    claim: ClaimedToken,
    address: Address,
    successor: ParticipantNumber,
    device: InstitutionPublicKey,
    roster: Roster,
) -> Token:
    """The token, if it is this address's and its owner has signed for `device` here.

    `disclosure_mismatch`, `not_served_here` for another address's, `signature_invalid`.
    """
    token = unpack_token(claim.token, roster)
    opening = token.opening
    if Address(opening.bank, opening.view, opening.spend) != address:
        raise SpecieError(ErrorCode.NOT_SERVED_HERE, "a token of another address")
    network = roster.genesis.network
    message = compute_claim_message(network, successor, token.ref, device)
    verify_signature(token.output.owner, message, claim.proof)
    return token


def compute_claim_message(
    network: NetworkId, successor: ParticipantNumber, ref: OutputRef, device: InstitutionPublicKey
) -> Digest:
    """What the token's owner key signs."""
    return tagged_hash("claim", network, u32(successor), ref, device)
