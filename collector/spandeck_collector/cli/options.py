"""Options that several commands share: each is a setting, and wins over its environment variable."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from spandeck_collector.settings import Settings

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="FOLDER", help="Where everything is written (SPANDECK_DATA_DIR)."),
]
Host = Annotated[
    str | None,
    typer.Option("--host", metavar="ADDRESS", help="Address to listen on (SPANDECK_HOST, else 127.0.0.1)."),
]
HttpPort = Annotated[
    int | None,
    typer.Option("--http-port", metavar="PORT", help="For OTLP over HTTP (SPANDECK_HTTP_PORT, else 4318)."),
]
GrpcPort = Annotated[
    int | None,
    typer.Option("--grpc-port", metavar="PORT", help="For OTLP over gRPC (SPANDECK_GRPC_PORT, else 4317)."),
]
QueryPort = Annotated[
    int | None,
    typer.Option("--query-port", metavar="PORT", help="For SQL (SPANDECK_QUERY_PORT, else 4319)."),
]
UiPort = Annotated[
    int | None,
    typer.Option("--ui-port", metavar="PORT", help="For the page (SPANDECK_UI_PORT, else 8501)."),
]
NoUi = Annotated[bool, typer.Option("--no-ui", help="Without the page: receiver and store only.")]


def settings_with(**options: Any) -> Settings:
    """The settings of environment and file, with the options that were given on top.

    Raises `SettingsError`.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if "data_dir" in given:
        given["data_dir"] = given["data_dir"].expanduser().absolute()
    return replace(Settings.from_environment(), **given).validate()
