"""`spandeck prices list`, `explain`, `diff`, `import`, `apply`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from spandeck_collector.cli.options import QueryPort, settings_with
from spandeck_collector.cli.output import Format, write_json
from spandeck_collector.plain_text import tell
from spandeck_collector.query_client import BusyError, StoreAwayError, ask, ask_json, command
from spandeck_collector.settings import Settings

_ANSWER_TRAVELS_S = 30.0
_PATIENCE_S = 60.0
_PAUSE_S = 1.0
_LIST = """
select
    model,
    provider,
    bucket,
    service_tier,
    price_usd,
    per_count,
    valid_from,
    valid_to,
    from_input_tokens,
    source,
    price_id
from prices
where is_present and (cast(? as varchar) is null or contains(lower(provider || '/' || model), lower(?)))
order by provider, model, service_tier, valid_from nulls first, from_input_tokens, bucket
"""
_EXPLAIN = """
select
    reasons.span_id,
    reasons.model,
    parts.calculation,
    parts.amount_usd,
    reasons.cost_usd,
    reasons.pricing,
    parts.source
from (
    select usage_reasons.*, coalesce(llm_calls.model, '') as model
    from usage_reasons
    left join llm_calls using (trace_id, span_id)
    where counted and usage_reasons.kind != 'tool'
) as reasons
left join cost_reasons as parts using (trace_id, span_id)
where reasons.trace_id = ? and coalesce(?, reasons.span_id) = reasons.span_id
order by reasons.started_at, reasons.span_id, parts.amount_usd desc
"""
_HAS_CALLS = "select 1 from llm_calls where trace_id = ? and coalesce(?, span_id) = span_id limit 1"
_DIFF = "from price_differences order by abs(difference_usd) desc, provider, model"
_DIFF_SUMS = """
select
    coalesce(sum(call_count), 0) as call_count,
    coalesce(sum(cost_usd), 0) as cost_usd,
    coalesce(sum(present_cost_usd), 0) as present_cost_usd,
    coalesce(sum(difference_usd), 0) as difference_usd
from price_differences
"""

app = typer.Typer(
    name="prices",
    help="What tokens cost, and prices that change.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Form = Annotated[Format, typer.Option("--format", help="table is for reading; csv and json hold every value as it is.")]


@app.command(name="list")
def list_prices(
    *,
    model: Annotated[str | None, typer.Argument(metavar="MODEL", help="Part of PROVIDER/MODEL; else all.")] = None,
    form: Form = Format.TABLE,
    query_port: QueryPort = None,
) -> None:
    """Print the prices in use, a line for each bucket of tokens."""
    _print(settings_with(query_port=query_port), _LIST, [model, model], form)


@app.command()
def explain(
    *,
    trace_id: Annotated[str, typer.Argument(metavar="TRACE_ID", help="32 hex digits.")],
    span_id: Annotated[str | None, typer.Argument(metavar="SPAN_ID", help="Only this call.")] = None,
    form: Form = Format.TABLE,
    query_port: QueryPort = None,
) -> None:
    """Print why calls cost what they do.

    A line for each bucket of tokens of each call of the trace: tokens times price. Of a call without a cost it
    says why.
    """
    settings = settings_with(query_port=query_port)
    if not _rows(settings, _HAS_CALLS, [trace_id, span_id]):
        call = "no model call" if span_id is None else f"no model call {span_id!r}"
        tell(f'The trace {trace_id!r} is not stored, or has {call}: `spandeck sql "from llm_calls"` lists the calls.')
        raise typer.Exit(1)
    _print(settings, _EXPLAIN, [trace_id, span_id], form)


@app.command()
def diff(*, form: Form = Format.TABLE, query_port: QueryPort = None) -> None:
    """Print what `apply` would change of what is stored."""
    _print(settings_with(query_port=query_port), _DIFF, [], form)


@app.command(name="import")
def import_file(
    *,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Replaces the store's prices.toml; without it, that is read again."),
    ] = None,
    query_port: QueryPort = None,
) -> None:
    """Use the prices of a prices.toml from now on.

    What is stored keeps its cost until `spandeck prices apply`.
    """
    settings = settings_with(query_port=query_port)
    try:
        text = None if file is None else file.read_text(encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{file} is not UTF-8 text: {error.reason}.") from error
    answer = command(settings.url(settings.query_port), "import_prices", {"text": text}, settings.admin_token)
    print(f"{answer['prices_source']}: {answer['new_count']:,} new prices, {answer['ended_count']:,} ended")


@app.command()
def apply(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    query_port: QueryPort = None,
) -> None:
    """Give what is stored the present prices.

    Shows what that changes, asks, and goes on in small steps.
    """
    settings = settings_with(query_port=query_port)
    _print(settings, _DIFF, [], Format.TABLE)
    sums = _rows(settings, _DIFF_SUMS, [])[0]
    if not sums["call_count"]:
        print("Nothing to change: every stored call has its present price.")
        return
    print(f"{sums['call_count']:,} calls: ${sums['cost_usd']:,.4f} becomes ${sums['present_cost_usd']:,.4f}")
    if not yes and not (sys.stdin.isatty() and typer.confirm("Apply?")):
        tell("Nothing was changed: say yes, or give --yes.")
        raise typer.Exit(1)
    answer: dict[str, Any] = {"finished": False, "cursor": None}
    repriced_count = 0
    while not answer["finished"]:
        answer = _step(settings, answer["cursor"])
        repriced_count += answer["repriced_trace_count"]
    print(f"repriced {repriced_count:,} traces of {answer['trace_count']:,}")


def _step(settings: Settings, cursor: str | None) -> dict[str, Any]:
    """One step; while the store is busy or starts again it is tried again. Raises `AskError`."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return command(settings.url(settings.query_port), "apply_prices", {"cursor": cursor}, settings.admin_token)
        except (BusyError, StoreAwayError):
            if time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE_S)


def _rows(settings: Settings, sql: str, params: list[Any]) -> list[dict[str, Any]]:
    columns, rows = ask_json(settings.url(settings.query_port), sql, params, settings.read_token, _patience_s(settings))
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _print(settings: Settings, sql: str, params: list[Any], form: Format) -> None:
    question = (settings.url(settings.query_port), sql, params, settings.read_token, _patience_s(settings))
    if form is Format.PARQUET:
        raise typer.BadParameter("Parquet is for `spandeck sql`: use table, csv or json here.")
    if form is Format.JSON:
        write_json(*ask_json(*question), None)
        return
    table = ask(*question)
    from spandeck_collector.cli.tables import write  # noqa: PLC0415 - loads pyarrow

    write(table, form, None)


def _patience_s(settings: Settings) -> float:
    return settings.query_timeout_s + _ANSWER_TRAVELS_S
