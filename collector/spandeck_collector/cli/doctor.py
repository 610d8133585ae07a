"""`spandeck doctor`: what is wrong with what services send, and the line that mends it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import Annotated, Any

import typer

from spandeck_collector.cli.options import QueryPort, settings_with
from spandeck_collector.cli.output import Format, write_json
from spandeck_collector.plain_text import harmless
from spandeck_collector.query_client import ask, ask_json

_ANSWER_TRAVELS_S = 30.0
_GRAVEST = "error"
_QUERY = """
from doctor_findings
where coalesce(?, service) is not distinct from service
order by
    service nulls last,
    case severity when 'error' then 1 when 'warning' then 2 else 3 end,
    affected_count desc,
    finding,
    detail
"""


class FindingsFormat(StrEnum):
    """How findings are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def doctor(
    *,
    service: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this service; without it, all of them.")
    ] = None,
    form: Annotated[
        FindingsFormat, typer.Option("--format", help="table is for reading; csv and json hold every value as it is.")
    ] = FindingsFormat.TABLE,
    query_port: QueryPort = None,
) -> None:
    """Say what is wrong with what services send.

    Looks at the last day; names for each finding an example and the line that mends it.

    Exits with 1 when a finding is an error: numbers are missing or wrong until it is mended.
    """
    settings = settings_with(query_port=query_port)
    address, timeout_s = settings.url(settings.query_port), settings.query_timeout_s + _ANSWER_TRAVELS_S
    question = (address, _QUERY, [service], settings.read_token, timeout_s)
    if form is FindingsFormat.CSV:
        table = ask(*question)
        from spandeck_collector.cli.tables import write  # noqa: PLC0415 - loads pyarrow

        write(table, Format.CSV, None)
        severities = table.column("severity").to_pylist()
    else:
        columns, rows = ask_json(*question)
        findings = [dict(zip(columns, row, strict=True)) for row in rows]
        severities = [finding["severity"] for finding in findings]
        if form is FindingsFormat.JSON:
            write_json(columns, rows, None)
        else:
            print(report(findings))
    if _GRAVEST in severities:
        raise typer.Exit(1)


def report(findings: Iterable[dict[str, Any]]) -> str:
    """The findings, ordered by service, as paragraphs for people."""
    services = [
        f"{harmless(service) if service else 'no service.name'}\n{''.join(map(_paragraph, group))}"
        for service, group in groupby(findings, key=itemgetter("service"))
    ]
    return "\n".join(services).rstrip() if services else "Nothing found: what came within the last day is in order."


def _paragraph(finding: dict[str, Any]) -> str:
    example = f"trace {finding['example_trace_id']}, span {finding['example_span_id']}"
    return (
        f"  {finding['severity']:<8}{finding['finding']}: {harmless(finding['message'])}\n"
        f"          e.g. {example}\n"
        f"          fix: {harmless(finding['fix'])}\n"
    )
