"""`spandeck up`, `spandeck demo`, `spandeck version`."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

import typer

from spandeck_collector.alerts.sender import what_is_missing
from spandeck_collector.cli.options import DataDir, GrpcPort, Host, HttpPort, NoUi, QueryPort, UiPort, settings_with
from spandeck_collector.data_folder import LOCK_FILE, keep_files_private
from spandeck_collector.plain_text import tell
from spandeck_collector.setting_values import SettingsError
from spandeck_collector.settings import Settings
from spandeck_collector.supervisor import Supervisor

_DEMO_MARK = "this-is-sample-data"
_FRESH_S = 3_600


def up(
    *,
    no_ui: NoUi = False,
    data_dir: DataDir = None,
    host: Host = None,
    http_port: HttpPort = None,
    grpc_port: GrpcPort = None,
    query_port: QueryPort = None,
    ui_port: UiPort = None,
) -> None:
    """Start the receiver, the store and the page.

    Runs until Ctrl-C; the data stay. Without options the page is on port 8501 of this machine, and exporters
    send to port 4318 (HTTP) or 4317 (gRPC).
    """
    settings = settings_with(
        data_dir=data_dir, host=host, http_port=http_port, grpc_port=grpc_port, query_port=query_port, ui_port=ui_port
    )
    _serve(settings, with_page=not no_ui)


def demo(
    *,
    reset: Annotated[bool, typer.Option("--reset", help="First delete what earlier demos stored.")] = False,
    no_ui: NoUi = False,
    data_dir: DataDir = None,
    host: Host = None,
    http_port: HttpPort = None,
    grpc_port: GrpcPort = None,
    query_port: QueryPort = None,
    ui_port: UiPort = None,
) -> None:
    """Start it all with a day of sample traces.

    Works like `spandeck up`, but keeps its data apart, in the folder `demo` of the data folder. Sample traces
    are sent once an hour at most: starting again soon shows the same ones.
    """
    base = settings_with(
        data_dir=data_dir, host=host, http_port=http_port, grpc_port=grpc_port, query_port=query_port, ui_port=ui_port
    )
    settings = replace(base, data_dir=base.data_dir / "demo", sample_data=True)
    mark = settings.data_dir / _DEMO_MARK
    if _has_content(settings.data_dir) and not mark.exists():
        raise SettingsError(
            f"The folder {settings.data_dir} was not made by `spandeck demo`: move it away, or choose "
            "another place with --data-dir."
        )

    def before() -> None:
        if reset:
            _delete_content(settings.data_dir)
        mark.touch()

    _serve(settings, with_page=not no_ui, before=before, after=lambda: _load_samples(settings, mark))


def version() -> None:
    """Print the version."""
    print(installed_version("spandeck"))


def _serve(
    settings: Settings,
    *,
    with_page: bool,
    before: Callable[[], None] = lambda: None,
    after: Callable[[], None] = lambda: None,
) -> None:
    """Run until a signal; `before` has the data folder for itself, `after` finds everything ready."""
    keep_files_private()
    began = time.monotonic()
    supervisor = Supervisor(settings, with_dashboard=with_page)
    supervisor.stop_on_signals()
    try:
        supervisor.claim()
        before()
        tell(f"Starting receiver{', store and page' if with_page else ' and store'} ...")
        supervisor.start()
        after()
        tell(f"Ready after {time.monotonic() - began:.1f} s. Stop with Ctrl-C.")
        _print_addresses(settings, with_page)
        if settings.alert_channels and (missing := what_is_missing()):
            tell(f"No alert reaches its channel: {missing}")
        supervisor.watch()
    except KeyboardInterrupt:
        tell("Stopping ...")
    finally:
        supervisor.stop()


def _print_addresses(settings: Settings, with_page: bool) -> None:
    lines = [("Page", settings.url(settings.ui_port))] if with_page else []
    lines += [
        ("OTLP/HTTP", settings.url(settings.http_port)),
        ("OTLP/gRPC", settings.url(settings.grpc_port)),
        ("SQL", f"{settings.url(settings.query_port)}/query"),
        ("Data", str(settings.data_dir)),
    ]
    for name, value in lines:
        print(f"  {name:<10} {value}", flush=True)
    if not settings.is_loopback:
        names = ", ".join(settings.allowed_hosts) or "none"
        tell(f"Under other names it is reachable only if SPANDECK_ALLOWED_HOSTS names them (now: {names}).")


def _load_samples(settings: Settings, mark: Path) -> None:
    """Send the samples, unless that was done within the hour; the time of the last full load is in `mark`."""
    last = mark.read_text(encoding="utf-8").strip()
    if last and 0 <= time.time() - float(last) < _FRESH_S:
        tell("The sample traces of the last hour's demo are kept as they are; --reset makes new ones.")
        return
    from spandeck_collector.cli.sending import replay_with_bar, wait_until_stored  # noqa: PLC0415 - loads protobuf
    from spandeck_collector.sample_files import sample_folder  # noqa: PLC0415

    began = time.time()
    summary = replay_with_bar([sample_folder()], settings, at="now", speed=None, endpoint=None)
    wait_until_stored(settings, summary)
    if summary.first_error:
        tell(f"Some sample traces were refused: {summary.first_error}")
    mark.write_text(f"{began:.0f}\n", encoding="utf-8")


def _has_content(folder: Path) -> bool:
    return folder.is_dir() and any(path.name != LOCK_FILE for path in folder.iterdir())


def _delete_content(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK_FILE:
            path.unlink()
