"""The report of `spandeck alerts test`: a table of what would have fired, and a small plot beside errors and cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from spandeck_collector.alerts.backtest import PastAlert, backtest, tick_count
from spandeck_collector.alerts.judging import sql_error
from spandeck_collector.alerts.rule import AlertRule
from spandeck_collector.cli.output import write_json
from spandeck_collector.plain_text import harmless
from spandeck_collector.query_client import AskError, BusyError, StoreAwayError, ask_json
from spandeck_collector.settings import Settings

_BARS = " ▁▂▃▄▅▆▇█"
_PLOT_WIDTH = 60
_MOST_LISTED = 50
_WIDTH_OF_NO_TERMINAL = 160
_COLUMNS = ("fired_at", "lasted", "subject", "value", "threshold", "errors", "cost_usd")
_FIRST = "select min(started_at) from traces where started_at >= cast($1 as timestamp)"
_SUMS = """
with spells as (
    select
        unnest(cast($1 as timestamp[])) as begin_at,
        unnest(cast($2 as timestamp[])) as end_at
)

select
    spells.begin_at,
    spells.end_at,
    count(*) filter (where traces.status = 'error') as error_count,
    sum(traces.cost_usd) as cost_usd
from spells
left join traces
    on
        traces.started_at >= spells.begin_at
        and traces.started_at < spells.end_at
group by spells.begin_at, spells.end_at
order by spells.begin_at, spells.end_at
"""

Spell = tuple[datetime, datetime]


def report_past(settings: Settings, rule: AlertRule, length: timedelta, *, as_json: bool) -> None:
    """Judge the past by `rule` and print it. Raises `RuleError` and `AskError`."""
    until = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=settings.alert_grace_s)
    past = _Past(settings, rule)
    since = past.first_trace(until - length) or until
    found = past.alerts(since - rule.window, until)
    spells = [
        (each.fired_at, each.resolved_at or (each.fired_at if rule.key else until)) for each in found if each.fired_at
    ]
    if as_json:
        rows = [list(vars(each).values()) for each in found]
        write_json(list(PastAlert.__dataclass_fields__), [[_plain(cell) for cell in row] for row in rows], None)
        return
    console = Console(width=None if Console().is_terminal else _WIDTH_OF_NO_TERMINAL)
    # Of one span there is no length of time: what happened within a minute of it is beside it.
    around = [(begin, max(end, begin + timedelta(minutes=1))) for begin, end in spells]
    sums = past.sums(sorted(set(around))[:_MOST_LISTED])
    console.print(_table(rule, [each for each in found if each.fired_at], around, sums))
    for line in _plot(past, spells, since, until):
        console.print(line)
    console.print(_summary(rule, found, since, until))


class _Past:
    """Asks the query service, through the gate that users' queries pass."""

    def __init__(self, settings: Settings, rule: AlertRule) -> None:
        self._url, self._token = settings.url(settings.query_port), settings.read_token
        self._rule = rule

    def first_trace(self, since: datetime) -> datetime | None:
        """When the first trace of the time began; None of none."""
        ((first,),) = self._ask(_FIRST, [since.isoformat()])[1]
        return None if first is None else _time(first)

    def alerts(self, since: datetime, until: datetime) -> list[PastAlert]:
        """What the rule says of the time, with a bar on stderr."""
        columns = (TextColumn("Judging"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("judge", total=tick_count(self._rule, since, until) or None)
            return backtest(self._rule, self._ask_rule, since, until, lambda _: bar.advance(task))

    def sums(self, spells: Sequence[Spell]) -> dict[Spell, tuple[int, float | None]]:
        """Requests that failed and USD that were spent by requests that began within each spell."""
        ends = [[moment.isoformat() for moment in side] for side in zip(*spells, strict=True)] or [[], []]
        rows = self._ask(_SUMS, ends)[1]
        return {(_time(begin), _time(end)): (count, cost) for begin, end, count, cost in rows}

    def _ask_rule(self, sql: str, params: Sequence[Any]) -> tuple[list[str], list[list[Any]]]:
        try:
            return self._ask(sql, params)
        except (BusyError, StoreAwayError):
            raise
        except AskError as error:
            raise sql_error(self._rule, error) from None

    def _ask(self, sql: str, params: Sequence[Any]) -> tuple[list[str], list[list[Any]]]:
        return ask_json(self._url, sql, params, self._token)


def _table(
    rule: AlertRule, found: Sequence[PastAlert], around: Sequence[Spell], sums: dict[Spell, tuple[int, float | None]]
) -> Table:
    table = Table(title=Text(f"{rule.name}, {rule.severity}"))
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name in ("fired_at", "subject") else "right")
    for each, spell in list(zip(found, around, strict=True))[:_MOST_LISTED]:
        errors, cost = sums.get(spell, (0, None))
        lasted = "-" if rule.key else "still" if each.resolved_at is None else _length(each)
        cells = (str(each.fired_at)[:19], lasted, each.subject, _number(each.value), _number(each.threshold))
        table.add_row(*(Text(harmless(cell)) for cell in (*cells, f"{errors:,}", _number(cost))))
    return table


def _plot(past: _Past, spells: Sequence[Spell], since: datetime, until: datetime) -> list[Text]:
    """Three lines: where it fired, failed requests, cost; all over the same time."""
    step = max((until - since) / _PLOT_WIDTH, timedelta(seconds=1))
    edges = [since + step * number for number in range(_PLOT_WIDTH + 1)]
    slots: list[Spell] = list(pairwise(edges))
    sums = list(past.sums(slots).values())
    fired = [float(sum(begin < right and max(end, begin) >= left for begin, end in spells)) for left, right in slots]
    lines = {
        "fired": fired,
        "errors": [float(count) for count, _ in sums],
        "cost_usd": [cost or 0.0 for _, cost in sums],
    }
    most = {name: max(values, default=0.0) for name, values in lines.items()}
    return [Text(f"{name:<9}{_bars(values)}  at most {most[name]:,.6g}") for name, values in lines.items()]


def _bars(values: Sequence[float]) -> str:
    top = max(values, default=0.0)
    # What is there at all is seen: the lowest bar is for the smallest value above nothing.
    return "".join(_BARS[0 if not top or value <= 0 else 1 + round(value / top * 7)] for value in values)


def _summary(rule: AlertRule, found: Sequence[PastAlert], since: datetime, until: datetime) -> Text:
    fired = [each for each in found if each.fired_at]
    subjects = len({each.subject for each in fired})
    listed = f", the first {_MOST_LISTED} are listed" if len(fired) > _MOST_LISTED else ""
    return Text(
        f"{rule.name} would have fired {len(fired):,} times for {subjects:,} subjects from {since:%Y-%m-%d %H:%M} to "
        f"{until:%Y-%m-%d %H:%M} UTC{listed}."
    )


def _length(alert: PastAlert) -> str:
    if alert.fired_at is None or alert.resolved_at is None:
        return "-"
    return str(max(alert.resolved_at - alert.fired_at, timedelta())).partition(".")[0]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.6g}"


def _plain(cell: Any) -> Any:
    return cell.isoformat() + "Z" if isinstance(cell, datetime) else cell


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)
