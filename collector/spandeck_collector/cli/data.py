"""`spandeck sql`, `spandeck replay`, `spandeck send-test`."""

from __future__ import annotations

import math
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from spandeck_collector.cli.options import HttpPort, QueryPort, UiPort, settings_with
from spandeck_collector.cli.output import Format, write_json
from spandeck_collector.own_tls import own_tls
from spandeck_collector.plain_text import tell
from spandeck_collector.query_client import AskError, ask, ask_json
from spandeck_collector.sample_files import sample_folder
from spandeck_collector.settings import Settings

_MAX = "max"
_ANSWER_TRAVELS_S = 30.0


class Clock(StrEnum):
    """Which clock a replay has."""

    NOW = "now"
    ORIGINAL = "original"


def sql(
    *,
    query: Annotated[
        str | None,
        typer.Argument(
            metavar="QUERY", help="A SELECT, or the name of a .sql file with one; without it, stdin is read."
        ),
    ] = None,
    form: Annotated[
        Format,
        typer.Option("--format", help="table is for reading; csv, json and parquet hold every value as it is."),
    ] = Format.TABLE,
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="VALUE", help="Takes the place of a ? in the query, as text; once for each ?."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write there instead of to stdout; needed for parquet.")
    ] = None,
    query_port: QueryPort = None,
) -> None:
    """Ask the running store in SQL.

    Views to start with: traces, spans, llm_calls, tool_calls, latency_by_model, cost_by_day, tool_outcomes, alerts.
    """
    text = _query_text(query)
    if form is Format.PARQUET and output is None:
        raise typer.BadParameter("Parquet needs a file: name one with --output.")
    settings = settings_with(query_port=query_port)
    service = (settings.url(settings.query_port), text, param or [], settings.read_token)
    timeout_s = settings.query_timeout_s + _ANSWER_TRAVELS_S
    try:
        if form is Format.JSON:
            write_json(*ask_json(*service, timeout_s), output)
        else:
            table = ask(*service, timeout_s)
            from spandeck_collector.cli.tables import write  # noqa: PLC0415 - loads pyarrow

            write(table, form, output)
    except OSError as error:
        if output is None:
            raise
        raise typer.BadParameter(f"{output} cannot be written: {error.strerror}.") from error


def replay(
    *,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH",
            help="Files or folders with OTLP/JSON lines (.jsonl), .json or .pb, also gzipped; "
            "without one, the sample traces.",
        ),
    ] = None,
    at: Annotated[
        Clock,
        typer.Option(
            help="now: moved so that it ends now, under new ids. original: its own times and ids; "
            "sent twice, it is stored once."
        ),
    ] = Clock.NOW,
    speed: Annotated[
        str, typer.Option(metavar="N|max", help="N times the recorded pace, or as fast as it goes.")
    ] = _MAX,
    endpoint: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Another OTLP/HTTP collector; what it stores stays unknown."),
    ] = None,
    http_port: HttpPort = None,
    query_port: QueryPort = None,
) -> None:
    """Send recorded traces again.

    Prints how many spans were sent, how many of those traces are stored, and how many were refused.
    """
    pace = _speed(speed)
    from spandeck_collector.cli.sending import replay_with_bar, wait_until_stored  # noqa: PLC0415 - loads protobuf

    settings = settings_with(http_port=http_port, query_port=query_port)
    summary = replay_with_bar(paths or [sample_folder()], settings, at=at.value, speed=pace, endpoint=endpoint)
    stored = "unknown"
    if endpoint is None:
        try:
            stored = f"{wait_until_stored(settings, summary):,}"
        except AskError as error:
            tell(str(error))
    print(f"sent {summary.sent_span_count:,}  stored {stored}  refused {summary.refused_span_count:,}")
    if summary.first_error:
        tell(f"First refusal: {summary.first_error}")
        raise typer.Exit(1)


def send_test(http_port: HttpPort = None, query_port: QueryPort = None, ui_port: UiPort = None) -> None:
    """Send one labelled trace and print the link to its page."""
    from spandeck_collector.cli.sending import wait_for_spans  # noqa: PLC0415 - loads protobuf
    from spandeck_collector.send_test import send_test as send  # noqa: PLC0415

    settings = settings_with(http_port=http_port, query_port=query_port, ui_port=ui_port)
    sent = send(settings.url(settings.http_port), settings.ingest_token, own_tls(settings))
    stored = wait_for_spans(settings, [sent.trace_id], sent.span_count)
    print(_link(settings, sent.trace_id))
    if stored != sent.span_count:
        tell(f"The trace was taken, but the store shows {stored} of {sent.span_count} spans.")
        raise typer.Exit(1)


def _link(settings: Settings, trace_id: str) -> str:
    return f"{settings.url(settings.ui_port)}/trace?trace={trace_id}"


def _query_text(query: str | None) -> str:
    if query is None:
        if sys.stdin.isatty():
            tell("Reading the query from the terminal: end it with Ctrl-D.")
        return sys.stdin.read()
    path = Path(query)
    try:
        return path.read_text(encoding="utf-8") if path.suffix == ".sql" else query
    except OSError as error:
        raise typer.BadParameter(f"{query} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{query} is not UTF-8 text: {error.reason}.") from error


def _speed(text: str) -> float | None:
    if text == _MAX:
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not (math.isfinite(speed) and speed > 0):
        raise typer.BadParameter(f"--speed is {text!r}: use a number above 0, or max.")
    return speed
