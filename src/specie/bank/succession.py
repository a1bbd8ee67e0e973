"""A bank's clients go to its successor (T2): what the successor needs to attest for them.

    handed over   the bank that leaves writes down its clients, sealed, for its successor
    claimed       it is lost, with all that it knew: each client opens its wallet at the successor
                  itself, as at any bank (`openings.py`), and shows its tokens

Spend keys stay on the devices, as ever. Deposits do not go with the clients: they are debts of the
bank that leaves, and for the law to settle. Tokens are nobody's debt.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from specie.bank.losses import BLOCKED_BY
from specie.bank.movements import pack_address, unpack_address
from specie.crypto.addresses import Address
from specie.crypto.outputs import OPENING_BYTES, OUTPUT_BYTES, derive_output, unpack_opening
from specie.crypto.secrets import SealingKey, ViewKey, open_sealed, unseal
from specie.identity.roster import Roster
from specie.ledger.records import Output
from specie.ports.clients import Client, ClientStatus, ClientStore
from specie.tokens.holdings import Token
from specie.values.catalogue import ErrorCode
from specie.values.encoding import encode_text
from specie.values.errors import SpecieError
from specie.values.identifiers import ClientId, ParticipantNumber, PublicKey

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
    returns: Sequence[bytes] = ()  # return addresses, page 02


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
        returns=[pack_address(one) for one in store.list_return_addresses(client.id)],
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


def take_over(
    exported: ExportedClient, key: SealingKey, store: ClientStore, roster: Roster
) -> None:
    """Tokens, return addresses and a block of a client who is in our store.

    What is known is left alone. A block holds also for who came to us before its bank's list did.
    """
    known = store.find_by_address(open_exported(exported, key).address)
    assert known is not None, "added before"
    if ClientStatus(exported.status) in BLOCKED_BY.values():
        store.set_status(known.id, BLOCKED_BY.get(known.status, known.status))
    tokens = [unpack_token(data, roster) for data in open_tokens(exported, key)]
    store.add_found([(known.id, token) for token in tokens])
    for given in exported.returns:
        store.add_return_address(known.id, unpack_address(given))


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


def unpack_own_token(data: bytes, is_own: Callable[[Address], bool], roster: Roster) -> Token:
    """The same, and `not_served_here` if it is another's."""
    token = unpack_token(data, roster)
    opening = token.opening
    if not is_own(Address(opening.bank, opening.view, opening.spend)):
        raise SpecieError(ErrorCode.NOT_SERVED_HERE, "a token of another address")
    return token
