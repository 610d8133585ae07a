"""All commands of `spandeck`, and the one place that turns errors into exit codes."""

from __future__ import annotations

import sys

import click
import typer

from spandeck_collector.cli import data, serve
from spandeck_collector.otlp_sender import SendError
from spandeck_collector.query_client import AskError
from spandeck_collector.replay import ReplayError
from spandeck_collector.sample_files import SampleFilesError
from spandeck_collector.settings import SettingsError
from spandeck_collector.supervisor import StartError

_FAILED, _USED_WRONGLY = 1, 2

app = typer.Typer(
    name="spandeck",
    help="See what your LLM agents do: point any OpenTelemetry exporter here, look at latency and cost, ask in SQL.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(serve.up)
app.command()(serve.demo)
app.command()(data.sql)
app.command()(data.replay)
app.command(name="send-test")(data.send_test)
app.command()(serve.version)


def run() -> int:
    """Run the command line of this process; exit codes: 0 done, 1 failed, 2 used wrongly."""
    try:
        result = app(standalone_mode=False)
        return result if isinstance(result, int) else 0
    except (SettingsError, StartError) as error:
        return _complain(str(error), _USED_WRONGLY)
    except (AskError, ReplayError, SampleFilesError, SendError) as error:
        return _complain(str(error), _FAILED)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _complain("Stopped.", _FAILED)


def _complain(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)
    return code
