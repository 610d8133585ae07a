"""`spandeck up`, `spandeck demo`, `spandeck version`."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version as installed_version
from typing import Annotated

import typer
from rich.console import Console

from spandeck_collector.cli.options import DataDir, GrpcPort, Host, HttpPort, QueryPort, UiPort, settings_with
from spandeck_collector.cli.sending import replay_with_bar, wait_until_stored
from spandeck_collector.query_client import ask
from spandeck_collector.sample_files import sample_folder
from spandeck_collector.settings import Settings, SettingsError
from spandeck_collector.supervisor import Supervisor

_DEMO_MARK = "this-is-sample-data"
_FRESH_S = 3_600
_OUT = Console()
_ERR = Console(stderr=True)


def up(
    *,
    no_ui: Annotated[bool, typer.Option("--no-ui", help="Receiver and store only, no page.")] = False,
    data_dir: DataDir = None,
    host: Host = None,
    http_port: HttpPort = None,
    grpc_port: GrpcPort = None,
    query_port: QueryPort = None,
    ui_port: UiPort = None,
) -> int:
    """Start receiver, store and page; stop with Ctrl-C. Data stay between starts."""
    settings = settings_with(
        data_dir=data_dir, host=host, http_port=http_port, grpc_port=grpc_port, query_port=query_port, ui_port=ui_port
    )
    supervisor = Supervisor(settings, with_dashboard=not no_ui)
    return _serve(supervisor, settings, not no_ui, lambda: None)


def demo(
    *,
    reset: Annotated[bool, typer.Option("--reset", help="Delete the data of earlier demos first.")] = False,
    no_ui: Annotated[bool, typer.Option("--no-ui", help="Receiver and store only, no page.")] = False,
    data_dir: DataDir = None,
    host: Host = None,
    http_port: HttpPort = None,
    grpc_port: GrpcPort = None,
    query_port: QueryPort = None,
    ui_port: UiPort = None,
) -> int:
    """Start everything with sample traces of the last 24 hours, in a data folder of its own."""
    base = settings_with(
        data_dir=data_dir, host=host, http_port=http_port, grpc_port=grpc_port, query_port=query_port, ui_port=ui_port
    )
    settings = replace(base, data_dir=base.data_dir / "demo", sample_data=True)
    if reset:
        _reset(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    (settings.data_dir / _DEMO_MARK).touch()
    supervisor = Supervisor(settings, with_dashboard=not no_ui)
    return _serve(supervisor, settings, not no_ui, lambda: _load_samples(settings))


def version() -> None:
    """Print the version."""
    print(installed_version("spandeck"))


def _serve(supervisor: Supervisor, settings: Settings, with_page: bool, prepare: Callable[[], None]) -> int:
    started = time.monotonic()
    try:
        with _ERR.status("Starting receiver, store and page ..."):
            supervisor.start()
        prepare()
    except BaseException:
        supervisor.stop()
        raise
    _ERR.print(f"Ready after {time.monotonic() - started:.1f} s. Stop with Ctrl-C.", highlight=False)
    _say_addresses(settings, with_page)
    return supervisor.run()


def _say_addresses(settings: Settings, with_page: bool) -> None:
    lines = [("Page", settings.url(settings.ui_port))] if with_page else []
    lines += [
        ("OTLP/HTTP", settings.url(settings.http_port)),
        ("OTLP/gRPC", settings.url(settings.grpc_port)),
        ("SQL", f"{settings.url(settings.query_port)}/query"),
        ("Data", str(settings.data_dir)),
    ]
    for name, value in lines:
        _OUT.print(f"  {name:<10} {value}", highlight=False, soft_wrap=True)


def _load_samples(settings: Settings) -> None:
    newest = ask(
        settings.url(settings.query_port),
        "select date_diff('second', max(started_at), now()::timestamp) as age_s from traces",
        token=settings.read_token,
    ).to_pylist()[0]["age_s"]
    if newest is not None and newest < _FRESH_S:
        _ERR.print("The sample traces of an earlier demo are fresh: kept as they are.")
        return
    summary = replay_with_bar([sample_folder()], settings, at="now", speed=None, endpoint=None)
    wait_until_stored(settings, summary)


def _reset(settings: Settings) -> None:
    folder = settings.data_dir
    if not folder.exists():
        return
    if not (folder / _DEMO_MARK).exists():
        raise SettingsError(
            f"{folder} was not made by `spandeck demo`, so --reset does not delete it: remove it by hand."
        )
    shutil.rmtree(folder)
