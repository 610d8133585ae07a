"""OTLP/gRPC: Export of traces, metrics and logs on raw bytes, and grpc.health.v1."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from urllib.parse import unquote

import grpc

from spandeck_collector.receiver.admission import Media, check_token
from spandeck_collector.receiver.intake import Intake
from spandeck_collector.receiver.listeners import ListenError
from spandeck_collector.receiver.otlp_signals import SIGNALS, OtlpSignal
from spandeck_collector.receiver.outcomes import RefusedError

_MOST_CALLS = 512  # above it gRPC answers RESOURCE_EXHAUSTED, on which exporters drop what they sent
_HEALTH = "/grpc.health.v1.Health/"
# Messages of grpc.health.v1, which have one field each: HealthCheckResponse.status = 1.
_SERVING, _NOT_SERVING, _SERVICE_UNKNOWN = b"\x08\x01", b"\x08\x02", b"\x08\x03"
_CODES = {code.value[0]: code for code in grpc.StatusCode}


def _health_request(service: str) -> bytes:
    """A HealthCheckRequest: its only field, 1, is the service's name."""
    return b"\x0a" + bytes([len(service)]) + service.encode()


_KNOWN = frozenset({b"", b"\x0a\x00", *(_health_request(otlp.service) for otlp in SIGNALS)})


class OtlpGrpc(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Finds the handler of a call; all but health demand the token, where one is set."""

    def __init__(self, intake: Intake, token: str | None, stopped: asyncio.Event) -> None:
        """Serve `intake`; health turns to NOT_SERVING when `stopped` is set."""
        self._intake = intake
        self._token = token
        self._stopped = stopped
        self._exports = {otlp.method: otlp for otlp in SIGNALS}

    def service(self, handler_call_details: Any) -> Any:
        """The handler of one call; None makes gRPC answer UNIMPLEMENTED."""
        method = handler_call_details.method
        if method == _HEALTH + "Check":
            return grpc.unary_unary_rpc_method_handler(self._check)
        if method == _HEALTH + "Watch":
            return grpc.unary_stream_rpc_method_handler(self._watch)
        otlp = self._exports.get(method)
        try:
            check_token(_authorizations(handler_call_details.invocation_metadata), self._token)
        except RefusedError as refused:
            return grpc.unary_unary_rpc_method_handler(partial(self._refuse, otlp, refused))
        return otlp and grpc.unary_unary_rpc_method_handler(partial(self._export, otlp))

    async def _export(self, otlp: OtlpSignal, body: bytes, context: Any) -> bytes:
        try:
            with self._intake.under_way.holding(len(body)):
                answer = await self._intake.accept(otlp, body, Media.PROTOBUF, address=_address(context.peer()))
        except RefusedError as refused:
            return await self._refuse(otlp, refused, body, context)
        return answer.SerializeToString()

    async def _refuse(self, otlp: OtlpSignal | None, refused: RefusedError, _body: bytes, context: Any) -> bytes:
        self._intake.refusals.count(otlp.name if otlp else "unknown", refused.reason.sentence)
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


async def start_grpc(handler: OtlpGrpc, addresses: list[str], max_body_bytes: int) -> Any:
    """A running `grpc.aio` server on `addresses` (`host:port`); raises `ListenError` for one in use."""
    server = grpc.aio.server(
        options=(
            ("grpc.max_receive_message_length", max_body_bytes),
            ("grpc.so_reuseport", 0),
        ),
        maximum_concurrent_rpcs=_MOST_CALLS,
    )
    server.add_generic_rpc_handlers((handler,))
    for address in addresses:
        try:
            server.add_insecure_port(address)
        except RuntimeError as error:
            raise ListenError(
                f"{address} (SPANDECK_GRPC_PORT) cannot be opened: set SPANDECK_GRPC_PORT to a free port."
            ) from error
    await server.start()
    return server
