"""The notary's promise, checked by whoever acts on it (spec page 05)."""

from specie.crypto.signatures import verify_institution_signature
from specie.identity.roster import Roster
from specie.ledger.messages import compute_promise_message, compute_voided_message
from specie.ledger.transactions import Promise, VoidPromise
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import Digest, Signature


def verify_promise(promise: Promise, roster: Roster) -> None:
    """`promise_invalid` unless the network's notary signed it."""
    message = compute_promise_message(roster.genesis.network, promise.txid, promise.publish_by)
    _verify(message, promise.signature, roster)


def verify_void_promise(promise: VoidPromise, roster: Roster) -> None:
    """The same for the word that a transaction is never final."""
    message = compute_voided_message(roster.genesis.network, promise.txid, promise.publish_by)
    _verify(message, promise.signature, roster)


def _verify(message: Digest, signature: Signature, roster: Roster) -> None:
    try:
        verify_institution_signature(roster.current.notary_key, message, signature)
    except SpecieError:
        raise SpecieError(ErrorCode.PROMISE_INVALID, "not signed by the notary") from None
