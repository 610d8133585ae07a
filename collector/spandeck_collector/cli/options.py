"""Options that several commands share: each is a setting, and wins over its environment variable."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from spandeck_collector.settings import Settings

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder for everything that is written (SPANDECK_DATA_DIR).")
]
Host = Annotated[str | None, typer.Option("--host", help="Address to bind (SPANDECK_HOST; 127.0.0.1).")]
HttpPort = Annotated[int | None, typer.Option("--http-port", help="OTLP/HTTP (SPANDECK_HTTP_PORT; 4318).")]
GrpcPort = Annotated[int | None, typer.Option("--grpc-port", help="OTLP/gRPC (SPANDECK_GRPC_PORT; 4317).")]
QueryPort = Annotated[int | None, typer.Option("--query-port", help="SQL over HTTP (SPANDECK_QUERY_PORT; 4319).")]
UiPort = Annotated[int | None, typer.Option("--ui-port", help="The page (SPANDECK_UI_PORT; 8501).")]


def settings_with(**options: Any) -> Settings:
    """The settings of environment and file, with the options that were given on top."""
    given = {name: value for name, value in options.items() if value is not None}
    if "data_dir" in given:
        given["data_dir"] = given["data_dir"].expanduser().absolute()
    return replace(Settings.from_environment(), **given).validate()
