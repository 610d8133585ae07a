"""OTLP/gRPC: Export of traces, metrics and logs on raw bytes, and grpc.health.v1."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote

import grpc

from spandeck_collector.receiver.admission import Media, check_token
from spandeck_collector.receiver.decompression import most_on_the_wire
from spandeck_collector.receiver.intake import Held, Intake, Sent
from spandeck_collector.receiver.listeners import ListenError
from spandeck_collector.receiver.otlp_signals import SIGNALS, OtlpSignal
from spandeck_collector.receiver.outcomes import Reason, RefusedError
from spandeck_collector.receiver.tls import Tls
from spandeck_collector.settings import Settings

_MOST_CALLS = 512
_MOST_STREAMS = 1024  # of one connection; a client that does not know it yet loses the calls above it
_QUICK_S = 0.02
_HEALTH = "/grpc.health.v1.Health/"
# Messages of grpc.health.v1, which have one field each: HealthCheckResponse.status = 1.
_SERVING, _NOT_SERVING, _SERVICE_UNKNOWN = b"\x08\x01", b"\x08\x02", b"\x08\x03"
_CODES = {code.value[0]: code for code in grpc.StatusCode}


def _health_request(service: str) -> bytes:
    """A HealthCheckRequest: its only field, 1, is the service's name."""
    return b"\x0a" + bytes([len(service)]) + service.encode()


_KNOWN = frozenset({b"", b"\x0a\x00", *(_health_request(otlp.service) for otlp in SIGNALS)})


@dataclass(frozen=True)
class Call:
    """A method: its handler, and whether it demands the ingest token."""

    handler: Any
    needs_token: bool = True


class OtlpGrpc(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Finds the handler of a call. Every method, known or not, demands the token, but not those that hold no data.

    A message is read by us, not by gRPC ahead of the handler, so that what one call holds is counted: what does not
    come at once must fit into the budget as if it were as large as it may be, or is asked to come again.
    """

    def __init__(self, intake: Intake, settings: Settings, stopped: asyncio.Event) -> None:
        """Serve `intake`; health turns to NOT_SERVING when `stopped` is set."""
        self._intake = intake
        self._token = settings.ingest_token
        self._timeout_s = settings.request_timeout_s
        self._stopped = stopped
        self._call_count = 0
        self.calls = {
            _HEALTH + "Check": Call(grpc.unary_unary_rpc_method_handler(self._check), needs_token=False),
            _HEALTH + "Watch": Call(grpc.unary_stream_rpc_method_handler(self._watch), needs_token=False),
        }
        for otlp in SIGNALS:
            self.calls[otlp.method] = Call(grpc.stream_unary_rpc_method_handler(partial(self._export, otlp)))

    def service(self, handler_call_details: Any) -> Any:
        """The handler of one call; None makes gRPC answer UNIMPLEMENTED."""
        method = handler_call_details.method
        call = self.calls.get(method)
        if call is None or call.needs_token:
            try:
                check_token(_authorizations(handler_call_details.invocation_metadata), self._token)
            except RefusedError as refused:
                signal = next((otlp.name for otlp in SIGNALS if otlp.method == method), "unknown")
                return grpc.stream_unary_rpc_method_handler(partial(self._refuse_unread, signal, refused))
        return call and call.handler

    async def _export(self, otlp: OtlpSignal, _messages: object, context: Any) -> bytes:
        self._call_count += 1
        try:
            if self._call_count > _MOST_CALLS:
                raise RefusedError(Reason.BUSY, "Too many calls are under way at once.")
            with self._intake.budget.held() as held:
                body = await self._read(context, held)
                sent = Sent(otlp, body, Media.PROTOBUF, "grpc", address=_address(context.peer()))
                answer = await self._intake.accept(sent)
        except RefusedError as error:
            refused = error.without_traceback()
        else:
            return answer.SerializeToString()
        finally:
            self._call_count -= 1
        return await self._refuse(otlp.name, refused, context)

    async def _read(self, context: Any, held: Held) -> bytes:
        """The one message of a call, counted in `held`; raises `RefusedError`."""
        reading = asyncio.ensure_future(context.read())
        done, _ = await asyncio.wait({reading}, timeout=_QUICK_S)
        try:
            if not done:
                held.take(2 * self._intake.max_body_bytes)
            async with asyncio.timeout(self._timeout_s):
                body = await reading
        except TimeoutError:
            raise RefusedError(
                Reason.SLOW, f"The message did not arrive within {self._timeout_s:g} s: send it faster."
            ) from None
        finally:
            reading.cancel()
        if body is grpc.aio.EOF:
            raise RefusedError(Reason.TOO_LARGE)
        held.release()
        held.take(len(body))
        return bytes(body)

    async def _refuse_unread(self, signal: str, refused: RefusedError, _messages: object, context: Any) -> bytes:
        return await self._refuse(signal, refused, context)

    async def _refuse(self, signal: str, refused: RefusedError, context: Any) -> bytes:
        self._intake.refusals.count(signal, refused.reason)
        metadata = [("grpc-status-details-bin", refused.status().SerializeToString())]
        info = refused.retry_info()
        if info is not None:  # Python's exporter reads this one
            metadata.append(("google.rpc.retryinfo-bin", info.SerializeToString()))
        await context.abort(_CODES[refused.reason.grpc], refused.sentence, tuple(metadata))
        return b""

    async def _check(self, request: bytes, context: Any) -> bytes:
        if request not in _KNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, "No such service here.")
        return await self._health()

    async def _watch(self, request: bytes, _context: Any) -> AsyncIterator[bytes]:
        yield await self._health() if request in _KNOWN else _SERVICE_UNKNOWN
        await self._stopped.wait()
        yield _NOT_SERVING

    async def _health(self) -> bytes:
        return _SERVING if await self._intake.is_ready() else _NOT_SERVING


def _address(peer: str) -> str:
    """The address in gRPC's `ipv4:127.0.0.1:4317` or `ipv6:%5B::1%5D:4317`, without port."""
    return unquote(peer).partition(":")[2].rpartition(":")[0].strip("[]")


def _authorizations(metadata: Any) -> list[str]:
    return [value for key, value in metadata or () if key == "authorization"]


async def start_grpc(handler: OtlpGrpc, addresses: list[str], settings: Settings, tls: Tls | None) -> Any:
    """A running `grpc.aio` server on `addresses` (`host:port`); raises `ListenError` for one in use."""
    server = grpc.aio.server(
        options=(
            ("grpc.max_receive_message_length", most_on_the_wire(settings.max_body_bytes)),
            # We decompress, step by step and within the budget.
            ("grpc.per_message_decompression", 0),
            ("grpc.max_concurrent_streams", _MOST_STREAMS),
            ("grpc.max_connection_idle_ms", round(settings.idle_timeout_s * 1000)),
            # No larger window for what is not read yet, however fast it comes.
            ("grpc.http2.bdp_probe", 0),
            ("grpc.so_reuseport", 0),
        ),
    )
    server.add_generic_rpc_handlers((handler,))
    for address in addresses:
        try:
            if tls is None:
                server.add_insecure_port(address)
            else:
                server.add_secure_port(address, tls.grpc_credentials)
        except RuntimeError as error:
            raise ListenError(
                f"{address} (SPANDECK_GRPC_PORT) cannot be opened: set SPANDECK_GRPC_PORT to a free port."
            ) from error
    await server.start()
    return server
