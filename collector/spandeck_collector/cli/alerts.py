"""`spandeck alerts`: the feed, what a person says to it, and rules tried on the past."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from spandeck_collector.alerts.rule import AlertRule, RuleError, parse_rule, read_duration, shipped_rules
from spandeck_collector.cli.options import QueryPort, settings_with
from spandeck_collector.cli.output import Format, write_json
from spandeck_collector.plain_text import harmless, tell
from spandeck_collector.query_client import AskError, BusyError, ask, ask_json, command
from spandeck_collector.settings import Settings

_PATIENCE_S, _PAUSE_S = 60.0, 1.0
_LIST = """
select alert_id, state, severity, rule, subject, value, threshold, fired_at, resolved_at, repeat_count, message
from alerts
where
    coalesce(fired_at, pending_at) >= cast($1 as timestamp)
    and state is not distinct from coalesce($2, state)
    and severity is not distinct from coalesce($3, severity)
    and rule is not distinct from coalesce($4, rule)
order by coalesce(fired_at, pending_at) desc, rule
"""
_SHOW = "from alerts where starts_with(alert_id, $1)"
_MESSAGES = """
select channel, state, attempt_count, next_attempt_at, error, updated_at
from alert_deliveries
where starts_with(alert_id, $1)
order by channel
"""
_RULES = """
select
    rule, state, source, severity, judged,
    window_s, interval_s, for_s, cool_down_s, minimum_volume, no_data,
    error_line, error
from alert_rules
order by state desc, rule
"""
AlertId = Annotated[
    str, typer.Argument(metavar="ID", help="As `spandeck alerts list` shows it; its beginning will do.")
]

app = typer.Typer(
    help="See and acknowledge alerts, try rules on the past.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class AlertFormat(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Severity(StrEnum):
    """How grave an alert is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


Form = Annotated[AlertFormat, typer.Option("--format", help="table is for reading; csv and json hold every value.")]


@app.command(name="list")
def list_alerts(
    *,
    last: Annotated[str, typer.Option(metavar="24h", help="How far back: s, m, h or d.")] = "24h",
    state: Annotated[str | None, typer.Option(metavar="STATE", help="firing, resolved, snoozed, ...")] = None,
    severity: Annotated[Severity | None, typer.Option(help="Only these.")] = None,
    rule: Annotated[str | None, typer.Option(metavar="RULE", help="Only this rule.")] = None,
    form: Form = AlertFormat.TABLE,
    query_port: QueryPort = None,
) -> None:
    """List alerts, latest first."""
    since = (_now() - length_of(last)).isoformat()
    _print(settings_with(query_port=query_port), _LIST, [since, state, severity, rule], form)


@app.command()
def show(alert_id: AlertId, query_port: QueryPort = None) -> None:
    """Show one alert, its link and the messages about it."""
    settings = settings_with(query_port=query_port)
    columns, rows = ask_json(_url(settings), _SHOW, [alert_id], settings.read_token)
    if not rows:
        tell(f"There is no alert {alert_id!r}: see `spandeck alerts list`.")
        raise typer.Exit(1)
    for row in rows:
        alert = dict(zip(columns, row, strict=True))
        for name, value in alert.items():
            print(f"{name:<16} {harmless(str(value)) if value is not None else '-'}")
        if alert["trace_id"]:
            span = f"&span={alert['span_id']}" if alert["span_id"] else ""
            print(f"{'link':<16} {settings.url(settings.ui_port)}/trace?trace={alert['trace_id']}{span}")
    _, messages = ask_json(_url(settings), _MESSAGES, [alert_id], settings.read_token)
    for channel, state, count, _, error, _ in messages:
        print(f"{'message':<16} {channel}: {state} after {count} attempts{f' ({harmless(error)})' if error else ''}")


@app.command()
def ack(alert_id: AlertId, query_port: QueryPort = None) -> None:
    """Acknowledge an alert: somebody is on it."""
    answer = _command(settings_with(query_port=query_port), "acknowledge_alert", {"alert_id": alert_id})
    print(f"acknowledged {answer['rule']}: {harmless(answer['subject'])}")


@app.command()
def snooze(
    alert_id: AlertId,
    length: Annotated[str, typer.Option("--for", metavar="2h", help="How long: s, m, h or d; 0s ends it.")] = "1h",
    query_port: QueryPort = None,
) -> None:
    """Send no messages about this rule and subject for a while."""
    parameters = {"alert_id": alert_id, "for_s": length_of(length).total_seconds()}
    answer = _command(settings_with(query_port=query_port), "snooze_alert", parameters)
    done = f"snoozed {answer['rule']} for {length}" if parameters["for_s"] else f"no longer snoozed {answer['rule']}"
    print(f"{done}: {harmless(answer['subject'])}")


@app.command()
def resend(
    alert_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Only of this alert.")] = None,
    query_port: QueryPort = None,
) -> None:
    """Send messages again that were given up."""
    answer = _command(settings_with(query_port=query_port), "resend_alerts", {"alert_id": alert_id})
    print(f"messages to send again: {answer['message_count']:,}")


@app.command()
def rules(form: Form = AlertFormat.TABLE, query_port: QueryPort = None) -> None:
    """List the rules, the broken ones with line and reason.

    Exits with 1 when a rule is broken.
    """
    settings = settings_with(query_port=query_port)
    _print(settings, _RULES, [], form)
    _, broken = ask_json(_url(settings), "select 1 from alert_rules where state = 'broken'", (), settings.read_token)
    if broken:
        raise typer.Exit(1)


@app.command(name="test")
def try_rule(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="A .sql file, or the name of a shipped rule.")],
    *,
    last: Annotated[str, typer.Option(metavar="30d", help="How far back: h or d.")] = "7d",
    form: Form = AlertFormat.TABLE,
    query_port: QueryPort = None,
) -> None:
    """Try a rule on the past.

    Says when it would have fired and for how long, and what went wrong and was spent then.
    """
    settings = settings_with(query_port=query_port)
    from spandeck_collector.cli.alert_test import report_past  # noqa: PLC0415 - loads rich

    try:
        report_past(settings, _rule(rule), length_of(last), as_json=form is AlertFormat.JSON)
    except RuleError as error:
        line = f" (line {error.line})" if error.line else ""
        tell(f"{error}{line}")
        raise typer.Exit(1) from None


def length_of(text: str) -> timedelta:
    """A time such as 30d. Raises `typer.BadParameter`."""
    length = read_duration(text)
    if length is None:
        raise typer.BadParameter(f"{text!r} is no time: use 90s, 15m, 24h or 30d.")
    return length


def _rule(text: str) -> AlertRule:
    path = Path(text)
    if path.suffix != ".sql":
        found = [rule for rule in shipped_rules() if rule.name == text]
        if not found:
            names = ", ".join(rule.name for rule in shipped_rules())
            raise typer.BadParameter(f"{text!r} is no .sql file and no shipped rule: those are {names}.")
        return found[0]
    try:
        return parse_rule(path.stem, path.read_text(encoding="utf-8"), source=path.name)
    except OSError as error:
        raise typer.BadParameter(f"{text} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{text} is not UTF-8 text: {error.reason}.") from error


def _print(settings: Settings, sql: str, params: list[Any], form: AlertFormat) -> None:
    if form is AlertFormat.JSON:
        write_json(*ask_json(_url(settings), sql, params, settings.read_token), None)
        return
    from spandeck_collector.cli.tables import write  # noqa: PLC0415 - loads pyarrow

    write(ask(_url(settings), sql, params, settings.read_token), Format(form.value), None)


def _command(settings: Settings, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The answer of a command; while the store is busy it is tried again. Raises `AskError`."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return command(_url(settings), name, parameters, settings.admin_token)
        except BusyError as error:
            if time.monotonic() > deadline:
                raise AskError(str(error)) from error
        time.sleep(_PAUSE_S)


def _url(settings: Settings) -> str:
    return settings.url(settings.query_port)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
