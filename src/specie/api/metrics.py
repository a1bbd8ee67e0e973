"""What a process counts of itself, in Prometheus' form: no names, no amounts, no ids."""

from collections.abc import Mapping, Sequence
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
_ALARMS: Final = Gauge("specie_alarm", "1 while it is on.", ["alarm"])
_GAUGES: Final = {
    "lists_age_seconds": Gauge(
        "specie_lists_age_seconds", "Since the network's lists were last asked for and answered."
    ),
    "certificate_days_left": Gauge(
        "specie_certificate_days_left", "Until our certificate ends; it is renewed at 30."
    ),
}


def count_request(operation: str, status: int, seconds: float) -> None:
    """One answer."""
    _REQUESTS.labels(operation, str(status)).inc()
    _SECONDS.labels(operation).observe(seconds)


def count_round(outcome: str) -> None:
    """One round of the worker: `done`, or the code of what it ended with."""
    _ROUNDS.labels(outcome).inc()


def show_alarms(ringing: Mapping[str, str], known: Sequence[str]) -> None:
    """Each that there may be, so that who watches sees 0 and not nothing."""
    for name in known:
        _ALARMS.labels(name).set(name in ringing)


def show_ages(ages: Mapping[str, float]) -> None:
    """What an operator has to know before it is too late."""
    for name, value in ages.items():
        _GAUGES[name].set(value)
