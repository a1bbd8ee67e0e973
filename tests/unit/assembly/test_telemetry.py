"""Traces are written to the end, however a process ends (P12)."""

import json
import subprocess
import sys
from pathlib import Path

_ENDS_AT_ONCE = """
import os, sys
from pathlib import Path
from opentelemetry import trace
from specie.assembly.telemetry import trace_to

finish = trace_to(Path(sys.argv[1]), "bank-2")
trace.get_tracer("test").start_span("the last").end()
finish()
os._exit(0)
"""


def test_the_last_span_is_written(tmp_path: Path) -> None:
    """Spans wait for half a second; a copy of `specie up` runs nothing when Python ends."""
    path = tmp_path / "traces.jsonl"
    subprocess.run([sys.executable, "-c", _ENDS_AT_ONCE, str(path)], check=True)
    [line] = path.read_text().splitlines()
    assert "the last" in json.dumps(json.loads(line))
