"""Traces (OpenTelemetry): spans of one payment at all its stations, as JSON lines in a file.

Spans have names of services and operations, times and statuses: no ids of payments, nobody's name.
"""

import json
import threading
from collections.abc import Sequence
from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult


class _LineExporter(SpanExporter):
    """One line of JSON for each span: a file that any collector's log receiver can follow."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Appended; a trace that is lost loses no payment."""
        lines = [json.dumps(_describe(span)) + "\n" for span in spans]
        try:
            with self._lock, self._path.open("a") as file:
                file.writelines(lines)
        except OSError:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing is kept open."""


def trace_to(path: Path, service: str) -> None:
    """For the whole process, once."""
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(_LineExporter(path), schedule_delay_millis=500))
    trace.set_tracer_provider(provider)


def _describe(span: ReadableSpan) -> dict[str, object]:
    context = span.get_span_context()
    assert context is not None, "spans that end have one"
    return {
        "trace": f"{context.trace_id:032x}",
        "span": f"{context.span_id:016x}",
        "parent": f"{span.parent.span_id:016x}" if span.parent else None,
        "service": span.resource.attributes.get("service.name"),
        "name": span.name,
        "start_ns": span.start_time,
        "end_ns": span.end_time,
        "attributes": dict(span.attributes or {}),
        "status": span.status.status_code.name,
    }
