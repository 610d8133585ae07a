"""OTLP/HTTP: POST /v1/traces, /v1/metrics, /v1/logs; GET /healthz, /readyz and /metrics."""

from __future__ import annotations

import asyncio
import io
import sys
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from google.protobuf import json_format
from google.protobuf.message import Message
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from spandeck_collector.access import host_names
from spandeck_collector.receiver.admission import Media, check_host, check_token, media_of
from spandeck_collector.receiver.cors import Cors
from spandeck_collector.receiver.decompression import most_on_the_wire, too_large
from spandeck_collector.receiver.intake import Held, Intake, Sent
from spandeck_collector.receiver.metrics import CONTENT_TYPE
from spandeck_collector.receiver.otlp_signals import SIGNALS, OtlpSignal
from spandeck_collector.receiver.outcomes import Reason, RefusedError
from spandeck_collector.settings import Settings


@dataclass(frozen=True)
class Route:
    """A path: its one method, and the setting that names the token it demands; None for what holds no data."""

    method: str
    answer: Callable[[Request], Awaitable[Response]]
    token_setting: str | None = "SPANDECK_INGEST_TOKEN"


class OtlpHttp:
    """The ASGI application.

    Each request passes the checks of Host, Origin and token first, whatever its path: only a route that names no
    token is exempt, and so is a browser's question whether it may send.
    """

    def __init__(self, intake: Intake, settings: Settings) -> None:
        """Serve `intake` under the tokens and host names of `settings`."""
        self._intake = intake
        self._ingest_token = settings.ingest_token
        # Counts are read, not sent; where only sending needs a token, that one keeps them from strangers.
        self._read_token = settings.read_token or settings.ingest_token
        self._timeout_s = settings.request_timeout_s
        self._allowed_hosts = host_names(settings.host, settings.allowed_hosts)
        self._cors = Cors(settings.cors_origins)
        self.routes: dict[str, Route] = {
            "/healthz": Route("GET", self._health, None),
            "/readyz": Route("GET", self._ready, None),
            "/metrics": Route("GET", self._metrics, "SPANDECK_READ_TOKEN"),
        }
        for otlp in SIGNALS:
            self.routes[otlp.path] = Route("POST", partial(self._export, otlp))

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
            response = self._refuse(request, refused.without_traceback())
        except Exception:
            traceback.print_exc(file=sys.stderr)
            response = self._refuse(request, RefusedError(Reason.INTERNAL))
        self._cors.permit(request.headers, response)
        await response(scope, receive, send)

    async def _dispatch(self, request: Request) -> Response:
        route = self.routes.get(request.scope["path"])
        headers = request.headers
        if route is None or route.token_setting is not None:
            check_host(headers.getlist("host"), self._cors.others(headers.getlist("origin")), self._allowed_hosts)
            if route is not None and self._cors.is_preflight(request.method, headers):
                return self._cors.preflight(headers, route.method)
            self._check_token(request, route)
        if route is None:
            raise RefusedError(Reason.PATH)
        if request.method != route.method and not (request.method == "HEAD" and route.method == "GET"):
            raise RefusedError(Reason.METHOD, f"The method is wrong: use {route.method}.")
        return await route.answer(request)

    def _check_token(self, request: Request, route: Route | None) -> None:
        authorizations = request.headers.getlist("authorization")
        if route is not None and route.token_setting == "SPANDECK_READ_TOKEN":
            check_token(authorizations, self._read_token, route.token_setting)
        else:
            check_token(authorizations, self._ingest_token, "SPANDECK_INGEST_TOKEN")

    async def _export(self, otlp: OtlpSignal, request: Request) -> Response:
        if self._intake.stopping:
            raise RefusedError(Reason.STOPPING)
        media = media_of(_single(request, "content-type"))
        content_encoding = _single(request, "content-encoding")
        with self._intake.budget.held() as held:
            body = await self._body(request, held, compressed=content_encoding is not None)
            address = request.client.host if request.client else None
            answer = await self._intake.accept(Sent(otlp, body, media, "http", content_encoding, address))
        return Response(_encoded(answer, media), media_type=media.value)

    async def _body(self, request: Request, held: Held, *, compressed: bool) -> bytes:
        """The whole body, counted in `held`; what does not compress may be a little longer than the limit."""
        limit = self._intake.max_body_bytes
        wire_limit = most_on_the_wire(limit) if compressed else limit
        if int(request.headers.get("content-length", 0)) > wire_limit:
            raise too_large(limit)
        body = io.BytesIO()
        try:
            async with asyncio.timeout(self._timeout_s):
                async for part in request.stream():
                    held.take(len(part))
                    body.write(part)
                    if body.tell() > wire_limit:
                        raise too_large(limit)
        except TimeoutError:
            raise RefusedError(
                Reason.SLOW, f"The body did not arrive within {self._timeout_s:g} s: send it faster."
            ) from None
        return body.getvalue()

    def _refuse(self, request: Request, refused: RefusedError) -> Response:
        path = request.scope["path"]
        signal = next((otlp.name for otlp in SIGNALS if otlp.path == path), "unknown")
        self._intake.refusals.count(signal, refused.reason)
        return _error(request, refused, self.routes.get(path))

    async def _health(self, _request: Request) -> Response:
        return Response(b"ok\n", media_type="text/plain")

    async def _ready(self, _request: Request) -> Response:
        if await self._intake.is_ready():
            return Response(b"ready\n", media_type="text/plain")
        return Response(b"not ready\n", 503, media_type="text/plain")

    async def _metrics(self, _request: Request) -> Response:
        return Response(self._intake.metrics.text(), headers={"content-type": CONTENT_TYPE})


def _single(request: Request, name: str) -> str | None:
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise RefusedError(Reason.HEADERS, f"The request has more than one {name} header.")
    return values[0] if values else None


def _encoded(message: Message, media: Media) -> bytes:
    if media is Media.PROTOBUF:
        return message.SerializeToString()
    return json_format.MessageToJson(message, indent=None).encode()


def _error(request: Request, refused: RefusedError, route: Route | None) -> Response:
    """A Status body in the request's encoding; in JSON where the request's is neither of OTLP's."""
    reason = refused.reason
    headers: dict[str, str] = {}
    if reason.retry_after_s is not None:
        headers["retry-after"] = str(reason.retry_after_s)
    if reason is Reason.TOKEN:
        headers["www-authenticate"] = "Bearer"
    if reason is Reason.METHOD and route is not None:
        headers["allow"] = route.method
    if reason is Reason.SLOW:
        headers["connection"] = "close"
    essence = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if essence == Media.PROTOBUF.value:
        body, media = refused.status().SerializeToString(), Media.PROTOBUF
    else:
        body, media = refused.status_json(), Media.JSON
    return Response(body, reason.http, headers, media_type=media.value)
