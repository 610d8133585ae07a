"""The receiver's process: one event loop with the HTTP and the gRPC server, from the first to the last request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import uvicorn

from spandeck_collector.journal import JournalWriter
from spandeck_collector.receiver.http_protocol import OtlpHttpProtocol
from spandeck_collector.receiver.intake import Intake
from spandeck_collector.receiver.listeners import Listeners, bind
from spandeck_collector.receiver.otlp_grpc import OtlpGrpc, start_grpc
from spandeck_collector.receiver.otlp_http import OtlpHttp
from spandeck_collector.receiver.tls import Tls, load_tls
from spandeck_collector.settings import Settings

_DRAIN_S = 2.5
_CLOSE_S = 2
_FLUSH_S = 3.0


class _HttpServer(uvicorn.Server):
    """uvicorn, but the signals are ours and `started_event` tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.started_event = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.started_event.set()


async def serve(settings: Settings) -> None:
    """Receive until SIGTERM, SIGINT or, under a supervisor, the end of stdin; then flush and return.

    Raises `ListenError` for a port that cannot be had, `JournalLockedError` or `OSError` for the journal.
    """
    tls = load_tls(settings)
    http = bind(settings.host, settings.http_port, "SPANDECK_HTTP_PORT")
    grpc = bind(settings.host, settings.grpc_port, "SPANDECK_GRPC_PORT")
    journal = JournalWriter(
        settings.journal_dir,
        segment_bytes=settings.journal_segment_bytes,
        limit_bytes=settings.journal_limit_bytes,
        limit_s=settings.journal_limit_s,
        free_floor_bytes=settings.free_space_floor_bytes,
    )
    stop = asyncio.Event()
    _stop_on_signals(stop)
    try:
        intake = Intake(journal, max_body_bytes=settings.max_body_bytes, redact=settings.redact_before_journal)
        await _serve_until(stop, settings, intake, _Ports(http, grpc, tls))
    finally:
        await asyncio.to_thread(journal.close, _FLUSH_S)


@dataclass(frozen=True)
class _Ports:
    """Where the two servers listen, and the TLS of both."""

    http: Listeners
    grpc: Listeners
    tls: Tls | None


async def _serve_until(stop: asyncio.Event, settings: Settings, intake: Intake, ports: _Ports) -> None:
    ports.grpc.close()  # gRPC opens its ports itself; ours have shown that they are free
    handler = OtlpGrpc(intake, settings, stop)
    grpc_server = await start_grpc(handler, ports.grpc.addresses, settings, ports.tls)
    http_server = _HttpServer(_http_config(OtlpHttp(intake, settings), settings, ports.tls))
    serving = asyncio.create_task(http_server.serve(ports.http.sockets))
    reporting = asyncio.create_task(intake.refusals.run())
    await http_server.started_event.wait()
    _announce(ports)
    await stop.wait()
    intake.stopping = True
    await intake.drain(_DRAIN_S)
    http_server.should_exit = True
    await asyncio.wait({serving}, timeout=_CLOSE_S + 1)
    await grpc_server.stop(grace=1)
    reporting.cancel()
    await intake.refusals.flush()


def _http_config(app: OtlpHttp, settings: Settings, tls: Tls | None) -> uvicorn.Config:
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # one line per hostile request is too many
    config = uvicorn.Config(
        app,
        http=partial(OtlpHttpProtocol, timeout_s=settings.request_timeout_s),  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=settings.idle_timeout_s,  # type: ignore[arg-type]
        timeout_graceful_shutdown=_CLOSE_S,
    )
    config.load()
    config.ssl = tls.context if tls else None
    return config


def _announce(ports: _Ports) -> None:
    for listeners in (ports.http, ports.grpc):
        if listeners.warning:
            print(listeners.warning, file=sys.stderr)
    scheme = "https" if ports.tls else "http"
    print(
        f"Receiver ready: OTLP/HTTP on {', '.join(f'{scheme}://{address}' for address in ports.http.addresses)}; "
        f"OTLP/gRPC on {', '.join(ports.grpc.addresses)}.",
        file=sys.stderr,
        flush=True,
    )


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if os.environ.get("SPANDECK_SUPERVISED") == "1":
        threading.Thread(target=_stop_at_end_of_input, args=(loop, stop), daemon=True).start()


def _stop_at_end_of_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Wait for the supervisor's end of the pipe to close, which it does however the supervisor ends."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(stop.set)
