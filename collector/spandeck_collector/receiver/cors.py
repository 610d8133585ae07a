"""Answers for pages of other origins: none of them by default, else those of `SPANDECK_CORS_ORIGINS`, each by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from starlette.datastructures import Headers
from starlette.responses import Response

_ALLOWED_HEADERS = "Authorization, Content-Type, Content-Encoding"
_REMEMBERED_S = 7200


class Cors:
    """Which origins may send from a browser; nothing is ever allowed with `*` or with cookies."""

    def __init__(self, origins: Iterable[str]) -> None:
        """`origins` as browsers send them, in lower case."""
        self._origins = frozenset(origins)

    def others(self, origins: Sequence[str]) -> list[str]:
        """The values of Origin headers that are not in the list."""
        return [origin for origin in origins if origin.lower() not in self._origins]

    def is_preflight(self, method: str, headers: Headers) -> bool:
        """Whether a browser asks for permission, and from an origin of the list."""
        return method == "OPTIONS" and "access-control-request-method" in headers and bool(self._headers(headers))

    def preflight(self, headers: Headers, method: str) -> Response:
        """The permission to send `method`."""
        allowed = {
            "access-control-allow-methods": method,
            "access-control-allow-headers": _ALLOWED_HEADERS,
            "access-control-max-age": str(_REMEMBERED_S),
        }
        if headers.get("access-control-request-private-network") == "true":
            allowed["access-control-allow-private-network"] = "true"
        return Response(status_code=204, headers=allowed)

    def permit(self, headers: Headers, response: Response) -> None:
        """Let the page that asked read `response`, where its origin is in the list."""
        response.headers.update(self._headers(headers))

    def _headers(self, headers: Headers) -> Mapping[str, str]:
        origins = headers.getlist("origin")
        if len(origins) != 1 or self.others(origins):
            return {}
        return {"access-control-allow-origin": origins[0], "vary": "Origin"}
