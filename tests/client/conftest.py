"""A sink and a configured client for each test that asks for one."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator

import pytest

import spandeck
from spandeck import Limits, Telemetry

from .sink import DEADLINE_S, Sink, start

QUICK = Limits(interval_s=0.02, first_backoff_s=0.02, request_timeout_s=5.0)

RunProgram = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture
def sink() -> Iterator[Sink]:
    """An OTLP/HTTP endpoint that accepts all."""
    sink = Sink()
    server = start(sink)
    yield sink
    sink.released.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def telemetry(sink: Sink) -> Iterator[Telemetry]:
    """A client that sends to `sink` and is what `spandeck.request` uses."""
    telemetry = spandeck.configure(sink.endpoint, service_name="tests", limits=QUICK)
    yield telemetry
    telemetry.shutdown(0)


@pytest.fixture
def run_program(sink: Sink) -> RunProgram:
    """Run Python source in a fresh process whose `SPANDECK_ENDPOINT` is the sink."""

    def run(source: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", textwrap.dedent(source)],
            env={
                "SPANDECK_ENDPOINT": sink.endpoint,
                "OTEL_SERVICE_NAME": "program",
                "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            },
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    return run
