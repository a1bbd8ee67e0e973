"""The notary's promise, checked by whoever acts on it (spec page 05)."""

from specie.crypto.signatures import verify_institution_signature
from specie.identity.roster import Roster
from specie.ledger.messages import compute_promise_message
from specie.ledger.transactions import Promise
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError


def verify_promise(promise: Promise, roster: Roster) -> None:
    """`promise_invalid` unless the network's notary signed it."""
    message = compute_promise_message(roster.genesis.network, promise.txid, promise.publish_by)
    try:
        verify_institution_signature(roster.current.notary_key, message, promise.signature)
    except SpecieError:
        raise SpecieError(ErrorCode.PROMISE_INVALID, "not signed by the notary") from None
