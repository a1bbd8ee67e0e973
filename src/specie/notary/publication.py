"""When to publish (spec page 05): what waits becomes a batch of leaves under a signed checkpoint.

A batch is due when N_min payments wait, or the oldest of what waits has waited half of T_max:
its promise names T_max. From a quarter of T_max on the notary asks for filler: self-transfers of
institutions, which nobody can tell from payments, so that no payment is published alone.
"""

from specie.identity.genesis import Genesis
from specie.ledger.batches import RecordedTransaction
from specie.ports.notary import Waiting
from specie.values.times import Timestamp


def compute_batch_time(
    now: Timestamp, last: Timestamp, left_out: RecordedTransaction | None
) -> Timestamp:
    """What the header says: everything that was final by then is in the log with this batch.

    Wallets free their tokens on it (ADR 0010), so while something is left out the header stands
    before its time. It never goes back behind the last header.
    """
    return now if left_out is None else Timestamp(max(last, left_out.time - 1))


def is_due(waiting: Waiting, genesis: Genesis, now: Timestamp) -> bool:
    """Whether what waits has to be published now: payments, or conflicts and voids."""
    if waiting.payments >= genesis.batch_payments_min:
        return True
    is_waiting = bool(waiting.payments or waiting.others)
    return is_waiting and now - waiting.since >= genesis.batch_age_ms_max // 2


def is_late(waiting: Waiting, genesis: Genesis, now: Timestamp) -> bool:
    """Whether the promise for the oldest of what waits is broken already."""
    is_waiting = bool(waiting.payments or waiting.others)
    return is_waiting and now - waiting.since > genesis.batch_age_ms_max


def count_missing(waiting: Waiting, genesis: Genesis, now: Timestamp) -> int:
    """How many self-transfers should join what waits; 0 while there is time or nothing waits."""
    is_waiting = bool(waiting.payments or waiting.others)
    if not is_waiting or now - waiting.since < genesis.batch_age_ms_max // 4:
        return 0
    return max(0, genesis.batch_payments_min - waiting.payments)
