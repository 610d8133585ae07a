"""OTLP/HTTP: POST /v1/traces, /v1/metrics, /v1/logs; GET /healthz and /readyz."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Awaitable, Callable
from functools import partial

from google.protobuf import json_format
from google.protobuf.message import Message
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from spandeck_collector.access import host_names
from spandeck_collector.receiver.admission import (
    Media,
    check_host,
    check_token,
    media_of,
    too_large,
)
from spandeck_collector.receiver.intake import Intake
from spandeck_collector.receiver.otlp_signals import SIGNALS, OtlpSignal
from spandeck_collector.receiver.outcomes import Reason, RefusedError
from spandeck_collector.settings import Settings

_BODY_TIMEOUT_S = 30.0
_Endpoint = Callable[[Request], Awaitable[Response]]


class OtlpHttp:
    """The ASGI application. Every path but those of `PUBLIC` passes the Host, Origin and token checks first."""

    PUBLIC = frozenset({"/healthz", "/readyz"})

    def __init__(self, intake: Intake, settings: Settings) -> None:
        """Serve `intake` under the tokens and host names of `settings`."""
        self._intake = intake
        self._token = settings.ingest_token
        self._allowed_hosts = host_names(settings.host, settings.allowed_hosts)
        self.routes: dict[str, dict[str, _Endpoint]] = {
            "/healthz": {"GET": self._health},
            "/readyz": {"GET": self._ready},
        }
        for otlp in SIGNALS:
            self.routes[otlp.path] = {"POST": partial(self._export, otlp)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever happens, with a status and a body of ours."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await self._dispatch(request)
        except ClientDisconnect:
            response = Response(status_code=400)
        except RefusedError as refused:
            response = self._refuse(request, refused)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            response = self._refuse(request, RefusedError(Reason.INTERNAL))
        await response(scope, receive, send)

    async def _dispatch(self, request: Request) -> Response:
        path = request.scope["path"]
        if path not in self.PUBLIC:
            headers = request.headers
            check_host(headers.getlist("host"), headers.getlist("origin"), self._allowed_hosts)
            check_token(headers.getlist("authorization"), self._token)
        methods = self.routes.get(path)
        if methods is None:
            raise RefusedError(Reason.PATH)
        method = "GET" if request.method == "HEAD" else request.method
        if method not in methods:
            raise RefusedError(Reason.METHOD, f"The method is wrong: use {', '.join(methods)}.")
        return await methods[method](request)

    async def _export(self, otlp: OtlpSignal, request: Request) -> Response:
        if self._intake.stopping:
            raise RefusedError(Reason.STOPPING)
        media = media_of(_single(request, "content-type"))
        content_encoding = _single(request, "content-encoding")
        body = await self._body(request, compressed=content_encoding is not None)
        try:
            address = request.client.host if request.client else None
            answer = await self._intake.accept(otlp, body, media, content_encoding, address)
        finally:
            self._intake.under_way.give_back(len(body))
        return Response(_encoded(answer, media), media_type=media.value)

    async def _body(self, request: Request, *, compressed: bool) -> bytes:
        """The whole body, which stays counted as under way; what does not compress may be a little longer."""
        limit = self._intake.max_body_bytes
        wire_limit = limit + (limit >> 8) + 1024 if compressed else limit
        if int(request.headers.get("content-length", 0)) > wire_limit:
            raise too_large(limit)
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(_BODY_TIMEOUT_S):
                if await self._receive(request, parts, wire_limit) > wire_limit:
                    raise too_large(limit)
        except BaseException as error:
            self._intake.under_way.give_back(sum(map(len, parts)))
            if isinstance(error, TimeoutError):
                raise RefusedError(
                    Reason.SLOW, f"The body did not arrive within {_BODY_TIMEOUT_S:g} s: send it faster."
                ) from None
            raise
        return b"".join(parts)

    async def _receive(self, request: Request, parts: list[bytes], wire_limit: int) -> int:
        """Add the body to `parts`, stopping above `wire_limit` bytes; its size so far."""
        size = 0
        async for part in request.stream():
            self._intake.under_way.take(len(part))
            parts.append(part)
            size += len(part)
            if size > wire_limit:
                break
        return size

    def _refuse(self, request: Request, refused: RefusedError) -> Response:
        path = request.scope["path"]
        signal = next((otlp.name for otlp in SIGNALS if otlp.path == path), "unknown")
        self._intake.refusals.count(signal, refused.reason.sentence)
        return _error(request, refused, self.routes.get(path, {}))

    async def _health(self, _request: Request) -> Response:
        return Response(b"ok\n", media_type="text/plain")

    async def _ready(self, _request: Request) -> Response:
        if await self._intake.is_ready():
            return Response(b"ready\n", media_type="text/plain")
        return Response(b"not ready\n", 503, media_type="text/plain")


def _single(request: Request, name: str) -> str | None:
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise RefusedError(Reason.HEADERS, f"The request has more than one {name} header.")
    return values[0] if values else None


def _encoded(message: Message, media: Media) -> bytes:
    if media is Media.PROTOBUF:
        return message.SerializeToString()
    return json_format.MessageToJson(message, indent=None).encode()


def _error(request: Request, refused: RefusedError, methods: dict[str, _Endpoint]) -> Response:
    """A Status body in the request's encoding; in JSON where the request's is neither of OTLP's."""
    reason = refused.reason
    headers: dict[str, str] = {}
    if reason.retry_after_s is not None:
        headers["retry-after"] = str(reason.retry_after_s)
    if reason is Reason.TOKEN:
        headers["www-authenticate"] = "Bearer"
    if reason is Reason.METHOD:
        headers["allow"] = ", ".join(methods)
    if reason is Reason.SLOW:
        headers["connection"] = "close"
    essence = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if essence == Media.PROTOBUF.value:
        body, media = refused.status().SerializeToString(), Media.PROTOBUF
    else:
        body, media = refused.status_json(), Media.JSON
    return Response(body, reason.http, headers, media_type=media.value)
