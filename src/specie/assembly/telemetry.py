"""Traces (OpenTelemetry): spans of one payment at all its stations, OTLP as JSON lines in a file.

A Collector's `otlpjsonfile` receiver follows it.

Spans have names of services and operations, times and statuses: no ids of payments, nobody's name.
"""

from collections.abc import Callable
from pathlib import Path

from opentelemetry import trace
from opentelemetry.exporter.otlp.json.file import FileSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def trace_to(path: Path, service: str) -> Callable[[], None]:
    """For the whole process, once; gives what writes the last ones at its end.

    A trace that cannot be written loses no payment.
    """
    resource = Resource.create({"service.name": service})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(
        BatchSpanProcessor(FileSpanExporter(path), schedule_delay_millis=500)
    )
    trace.set_tracer_provider(provider)
    return provider.shutdown
