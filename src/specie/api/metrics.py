"""What a process counts of itself, in Prometheus' form: no names, no amounts, no ids."""

from collections.abc import Callable
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_REQUESTS: Final = Counter("specie_requests", "Answered requests.", ["operation", "status"])
_SECONDS: Final = Histogram(
    "specie_request_seconds",
    "From the head of a request to its answer.",
    ["operation"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
_ROUNDS: Final = Counter("specie_work_rounds", "Rounds of the worker.", ["outcome"])
_GAUGES: Final = {
    "open_flows": Gauge("specie_open_flows", "Orders that are begun and not at their end."),
    "log_leaves": Gauge("specie_log_leaves", "Leaves of the log, as known here."),
    "broken_promises": Gauge("specie_broken_promises", "Promises that were published late."),
    "issuance_paused": Gauge("specie_issuance_paused", "1 while issuance is paused."),
}


def count_request(operation: str, status: int, seconds: float) -> None:
    """One answer."""
    _REQUESTS.labels(operation, str(status)).inc()
    _SECONDS.labels(operation).observe(seconds)


def count_round(outcome: str) -> None:
    """One round of the worker: `done`, or the code of what it ended with."""
    _ROUNDS.labels(outcome).inc()


def show_gauge(name: str, read: Callable[[], float]) -> None:
    """Read when it is asked for."""
    _GAUGES[name].set_function(read)
