"""A web shop's checkout: HTTP and database spans, and not one word about language models."""

from __future__ import annotations

from generator.catalogue import Failure
from generator.drafts import Draft
from generator.otlp import Scope, SpanKind, Value
from generator.run import Run, RunError, Step

_FASTAPI = Scope("opentelemetry.instrumentation.fastapi", "0.66b2")
_SQLALCHEMY = Scope("opentelemetry.instrumentation.sqlalchemy", "0.66b2")
_HTTPX = Scope("opentelemetry.instrumentation.httpx", "0.66b2")
_PAYMENTS_DOWN = Failure("HTTPStatusError", "502 Bad Gateway for POST https://payments.example/charges")
_PAYMENTS_DOWN_RATIO = 0.04


def checkout(run: Run) -> None:
    """Read the cart, reserve, pay, store the order; now and then the payment provider is down."""
    with _request(run, "POST", "/checkout") as request:
        _query(request, "SELECT carts", 3)
        _query(request, "UPDATE stock", 7)
        with request.open(_http_client("POST", "payments.example")) as payment:
            payment.spend(210, 0.5)
            if run.chance(_PAYMENTS_DOWN_RATIO):
                request.span.attributes["http.response.status_code"] = 502
                payment.span.attributes["http.response.status_code"] = 502
                raise RunError(_PAYMENTS_DOWN)
        _query(request, "INSERT orders", 5)


def _request(run: Run, method: str, route: str) -> Step:
    attributes: dict[str, Value] = {
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": 201,
    }
    return run.root(Draft(_FASTAPI, f"{method} {route}", SpanKind.SERVER, attributes))


def _query(request: Step, summary: str, median_ms: float) -> None:
    attributes: dict[str, Value] = {"db.system.name": "postgresql", "db.query.summary": summary}
    with request.open(Draft(_SQLALCHEMY, summary, SpanKind.CLIENT, attributes)) as query:
        query.spend(median_ms, 0.6)


def _http_client(method: str, host: str) -> Draft:
    attributes: dict[str, Value] = {
        "http.request.method": method,
        "server.address": host,
        "http.response.status_code": 200,
    }
    return Draft(_HTTPX, method, SpanKind.CLIENT, attributes)
