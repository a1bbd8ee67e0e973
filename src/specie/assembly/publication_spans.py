"""Where a payment's trace ends: at the publication of its batch (OpenTelemetry).

    notary         notarise (a span of the payment's trace) … later: `published`, a child of it
    registration   `registered`, a trace of its own, with the cosigners' spans in it

Both name the size of the log, which everybody knows. The registration is not told which payment's
trace a leaf belongs to: it would learn what stands side by side in the log for nothing.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context

from specie.log.leaves import KERNELS
from specie.values.identifiers import TransactionId
from specie.values.limits import TRACED_PAYMENTS_MAX

LOG_SIZE: Final = "specie.log_size"
_TRACER: Final = trace.get_tracer("specie.assembly")


@dataclass(slots=True, repr=False)
class PublicationSpans:
    """At the notary: what was promised within a trace, until it is published."""

    _traced: OrderedDict[TransactionId, Context] = field(default_factory=OrderedDict)

    def remember(self, promised: Sequence[TransactionId]) -> None:
        """Called within the span that carried them; nothing if there is none."""
        if not trace.get_current_span().is_recording():
            return
        here = contexts.get_current()
        for txid in promised:
            self._traced[txid] = here
        while len(self._traced) > TRACED_PAYMENTS_MAX:
            self._traced.popitem(last=False)

    @property
    def is_waiting(self) -> bool:
        """Whether anything is to be told."""
        return bool(self._traced)

    def tell(self, leaves: Sequence[bytes], size: int) -> None:
        """These leaves end a log of this size now."""
        for leaf in leaves:
            parent = self._traced.pop(_read_txid(leaf), None)
            if parent is not None:
                _TRACER.start_span("published", parent, attributes={LOG_SIZE: size}).end()


@contextmanager
def registering(size: int) -> Iterator[None]:
    """At the registration: a log of this size is mirrored, published, cosigned."""
    with _TRACER.start_as_current_span("registered", attributes={LOG_SIZE: size}):
        yield


def _read_txid(leaf: bytes) -> TransactionId:
    is_payment = len(leaf) > 32 and leaf[0] == KERNELS
    return TransactionId(leaf[1:33] if is_payment else b"")
