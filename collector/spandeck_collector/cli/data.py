"""`spandeck sql`, `spandeck replay`, `spandeck send-test`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from spandeck_collector import send_test as test_trace
from spandeck_collector.cli.options import settings_with
from spandeck_collector.cli.sending import replay_with_bar, wait_for_spans, wait_until_stored
from spandeck_collector.cli.tables import Format, print_table
from spandeck_collector.query_client import ask

_MAX = "max"


class Clock(StrEnum):
    """Which clock a replay has."""

    NOW = "now"
    ORIGINAL = "original"


def sql(
    query: Annotated[str | None, typer.Argument(help="A SELECT, or a .sql file with one; else stdin.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.TABLE,
    param: Annotated[list[str] | None, typer.Option(help="A value for a ? in the query; may be repeated.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of stdout.")] = None,
) -> None:
    """Ask the running store in SQL, e.g. spandeck sql "from latency_by_model"."""
    settings = settings_with()
    text = _query_text(query)
    print_table(ask(settings.url(settings.query_port), text, param or [], settings.read_token), form, output)


def replay(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders: OTLP/JSON lines, .json, .pb, also gzipped.")],
    at: Annotated[Clock, typer.Option(help="now: moved to now, new ids. original: own times and ids.")] = Clock.NOW,
    speed: Annotated[str, typer.Option(help="N times the recorded pace, or max.")] = _MAX,
    endpoint: Annotated[str | None, typer.Option(help="OTLP/HTTP address; the own receiver by default.")] = None,
) -> int:
    """Send recorded traces again, and say how many spans were sent, stored and refused."""
    settings = settings_with()
    summary = replay_with_bar(paths, settings, at=at.value, speed=_speed(speed), endpoint=endpoint)
    stored = wait_until_stored(settings, summary) if endpoint is None else None
    shown = "unknown" if stored is None else f"{stored:,}"
    print(f"sent {summary.sent_span_count:,}  stored {shown}  refused {summary.refused_span_count:,}")
    if summary.first_error:
        print(f"First refusal: {summary.first_error}", file=sys.stderr)
    return 1 if summary.first_error else 0


def send_test() -> int:
    """Send one labelled trace and print the link to its page."""
    settings = settings_with()
    sent = test_trace.send_test(settings.url(settings.http_port), settings.ingest_token)
    stored = wait_for_spans(settings, [sent.trace_id], sent.span_count)
    print(f"{settings.url(settings.ui_port)}/trace?trace={sent.trace_id}")
    if stored != sent.span_count:
        print(f"The trace was taken, but the store shows {stored or 0} of {sent.span_count} spans.", file=sys.stderr)
        return 1
    return 0


def _query_text(query: str | None) -> str:
    if query is None:
        return sys.stdin.read()
    path = Path(query)
    try:
        return path.read_text(encoding="utf-8") if path.suffix == ".sql" else query
    except OSError as error:
        raise typer.BadParameter(f"{query} cannot be read: {error.strerror}.") from error


def _speed(text: str) -> float | None:
    if text == _MAX:
        return None
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"--speed is {text!r}: use a number above 0, or max.") from None
