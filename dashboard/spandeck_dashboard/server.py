"""The web server of the dashboard: Streamlit as an ASGI app on one socket that we bind ourselves."""

from __future__ import annotations

import errno
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spandeck_dashboard.config import DashboardConfig, host_name
from spandeck_dashboard.theme import theme_options

if TYPE_CHECKING:
    import uvicorn
    from starlette.requests import Request
    from starlette.responses import Response

APP = Path(__file__).with_name("app.py")
_BACKLOG = 128
_SHUTDOWN_S = 2

# The page may load and reach nothing but this server: a prompt that holds an image link cannot leak.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
_HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_Application = Callable[[_Message, _Receive, _Send], Awaitable[None]]


class PortTaken(OSError):  # noqa: N818
    """The port of the page is in use or not ours to bind; the sentence names it and its setting."""


class SecurityHeaders:
    """ASGI middleware: adds the content security policy and its companions to every HTTP answer."""

    def __init__(self, app: _Application) -> None:
        self._app = app

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Pass everything on; answers of type http get the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: _Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class KnownHosts:
    """ASGI middleware: answers no request under a foreign name, so that no web page reaches us by a name of its own.

    `names` are compared without case, port and brackets. The refusal is 400 with a sentence, 403 for a websocket.
    """

    def __init__(self, app: _Application, names: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset(map(host_name, names))

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Pass on what asks for one known name."""
        hosts = [value.decode("latin-1") for key, value in scope.get("headers", ()) if key == b"host"]
        if scope["type"] == "lifespan" or (len(hosts) == 1 and host_name(hosts[0]) in self._names):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _refuse(", ".join(hosts), send)


async def _refuse(host: str, send: _Send) -> None:
    sentence = (
        f"This page is not served under the name {host!r}: "
        "it is reachable under other names only if SPANDECK_ALLOWED_HOSTS names them.\n"
    )
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": sentence.encode()})


def listen(config: DashboardConfig) -> socket.socket:
    """Bind the page's port; raises `PortTaken` with a sentence when it is in use or forbidden."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((config.host, config.ui_port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise PortTaken(_why(config, error)) from error
    listener.setblocking(False)
    return listener


def streamlit_options(config: DashboardConfig, port: int) -> dict[str, Any]:
    """Every Streamlit option that we rely on, so that no config file is needed and none can loosen it."""
    return {
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "minimal",
        "logger.hideWelcomeMessage": True,
        "runner.fastReruns": True,
        "runner.magicEnabled": False,
        "server.address": config.host,
        "server.allowedHosts": list(config.host_names),
        "server.enableCORS": True,
        "server.enableStaticServing": False,
        "server.enableWebsocketCompression": False,
        "server.enableXsrfProtection": True,
        "server.fileWatcherType": "none",
        "server.headless": True,
        "server.port": port,
        **theme_options(),
    }


def serve(config: DashboardConfig, listener: socket.socket) -> None:
    """Serve until a signal, or until stdin ends when `SPANDECK_SUPERVISED=1`."""
    import uvicorn  # noqa: PLC0415
    from starlette.middleware import Middleware  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415
    from streamlit import App  # noqa: PLC0415
    from streamlit import config as streamlit_config  # noqa: PLC0415

    options = streamlit_options(config, listener.getsockname()[1])
    streamlit_config.get_config_options(force_reparse=True, options_from_flags=options)
    middleware = [Middleware(SecurityHeaders), Middleware(KnownHosts, names=config.host_names)]
    server = uvicorn.Server(
        uvicorn.Config(
            App(APP, routes=[Route("/parts/{name}", _part_script)], middleware=middleware),
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            ws_max_size=streamlit_config.get_option("server.maxMessageSize") << 20,
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=_SHUTDOWN_S,
        )
    )
    if config.supervised:
        threading.Thread(target=_stop_at_end_of_input, args=(server,), daemon=True).start()
    threading.Thread(target=_warm_up, daemon=True).start()
    server.run(sockets=[listener])


async def _part_script(request: Request) -> Response:
    """The script of one of our own parts; its name holds its digest, so it may be kept for good."""
    from starlette.responses import PlainTextResponse, Response  # noqa: PLC0415

    from spandeck_dashboard.components import scripts  # noqa: PLC0415

    script = scripts().get(request.path_params["name"])
    if script is None:
        return PlainTextResponse("No part of this page has this name.\n", 404)
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(script, media_type="text/javascript; charset=utf-8", headers=headers)


def _stop_at_end_of_input(server: uvicorn.Server) -> None:
    while sys.stdin.buffer.read(1):
        pass
    server.should_exit = True


def _warm_up() -> None:
    # The first visitor would wait a second for these imports.
    import spandeck_dashboard.charts  # noqa: PLC0415
    import spandeck_dashboard.queries  # noqa: F401, PLC0415


def _why(config: DashboardConfig, error: OSError) -> str:
    place = f"Port {config.ui_port} (SPANDECK_UI_PORT) on {config.host}"
    if error.errno == errno.EADDRINUSE:
        return f"{place} is in use: stop the other program or set SPANDECK_UI_PORT to a free port."
    return f"{place} cannot be bound ({error.strerror}): set SPANDECK_HOST or SPANDECK_UI_PORT."
