"""All commands of `spandeck`, and the one place that turns errors into exit codes."""

from __future__ import annotations

from typing import Annotated

import typer

from spandeck_collector.cli import alerts, data, prices, serve
from spandeck_collector.cli.doctor import doctor
from spandeck_collector.cli.keeping import backup, export
from spandeck_collector.cli.normalize import normalize
from spandeck_collector.plain_text import tell
from spandeck_collector.setting_values import SettingsError
from spandeck_collector.supervisor import StartError

_FAILED, _USED_WRONGLY = 1, 2


def _examples(*lines: str) -> str:
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


app = typer.Typer(
    name="spandeck",
    help="See what your LLM agents do: point any OpenTelemetry exporter here, look at latency and cost in a browser, "
    "ask in SQL.",
    epilog="First time here? `spandeck demo` shows everything with sample traces. "
    "All settings are SPANDECK_* variables, or lines of spandeck.toml in the working folder.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Plain help and one-line errors; rich would cost every command its start-up and the supervisor its memory.
    rich_markup_mode=None,
)
app.command(epilog=_examples("spandeck up", "spandeck up --no-ui --data-dir /srv/spandeck --http-port 14318"))(serve.up)
app.command(epilog=_examples("spandeck demo", "spandeck demo --reset"))(serve.demo)
app.command(
    epilog=_examples(
        'spandeck sql "select model, p95_ms from latency_by_model"',
        'spandeck sql "select * from traces where session_id = ?" --param s-1',
        "spandeck sql worst_tools.sql --format csv > worst_tools.csv",
        'echo "from alerts" | spandeck sql --format json',
    )
)(data.sql)
app.command(
    epilog=_examples(
        "spandeck replay",
        "spandeck replay recording.jsonl",
        "spandeck replay recordings/ --at original",
        "spandeck replay recording.jsonl --speed 10",
    )
)(data.replay)
app.command(epilog=_examples("spandeck normalize --since all", "spandeck normalize --since 30d"))(normalize)
app.command(epilog=_examples("spandeck doctor", "spandeck doctor --service shop --format json"))(doctor)
app.add_typer(
    prices.app,
    name="prices",
    epilog=_examples(
        "spandeck prices list gpt-4o",
        "spandeck prices explain 3378e6f1c7b6272c88349f918c2c3957",
        "spandeck prices import prices.toml",
        "spandeck prices diff",
        "spandeck prices apply",
    ),
)
app.command(epilog=_examples("spandeck export", "spandeck export --since 7d --content"))(export)
app.command(epilog=_examples("spandeck backup"))(backup)
app.add_typer(
    alerts.app,
    name="alerts",
    epilog=_examples(
        "spandeck alerts list --last 7d --severity error",
        "spandeck alerts snooze 0123456789ab --for 2h",
        "spandeck alerts test rule.sql --last 30d",
    ),
)
app.command(name="send-test")(data.send_test)
app.command()(serve.version)


def _print_version(wanted: bool) -> None:
    if wanted:
        serve.version()
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> None:
    """Options before the name of a command."""


def run() -> int:
    """Run the command line of this process; exit codes: 0 done, 1 failed, 2 used wrongly."""
    try:
        app()
    except (SettingsError, StartError) as error:
        return _complain(str(error), _USED_WRONGLY)
    except Exception as error:
        if not isinstance(error, _failures()):
            raise
        return _complain(str(error), _FAILED)
    return 0


def _failures() -> tuple[type[Exception], ...]:
    # Only after a failure, when the modules are loaded anyway: `up` and `--help` need none of them.
    from spandeck_collector.otlp_sender import SendError  # noqa: PLC0415
    from spandeck_collector.query_client import AskError  # noqa: PLC0415
    from spandeck_collector.replay import ReplayError  # noqa: PLC0415
    from spandeck_collector.sample_files import SampleFilesError  # noqa: PLC0415

    return AskError, ReplayError, SampleFilesError, SendError


def _complain(sentence: str, code: int) -> int:
    tell(sentence)
    return code
