"""Recorded OTLP on disk: which files hold it, and the requests in them."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from google.protobuf.message import DecodeError

from spandeck_collector.parcels import (
    LAYOUTS,
    LOG_LAYOUT,
    METRIC_LAYOUT,
    TRACE_LAYOUT,
    JsonParcel,
    Parcel,
    ProtobufParcel,
)

_SUFFIXES = (".jsonl", ".json", ".pb")
_NOT_RECORDINGS = {"manifest.json"}
_GZIP_MAGIC = b"\x1f\x8b"
_SIGNAL_IN_NAME = re.compile(r"\.(traces|logs|metrics)(-\d+)?$")
_LAYOUT_BY_NAME = {"traces": TRACE_LAYOUT, "logs": LOG_LAYOUT, "metrics": METRIC_LAYOUT}


class RecordingError(ValueError):
    """A file cannot be replayed; the sentence names it and says what is wrong."""


def find_recordings(paths: Sequence[Path]) -> list[Path]:
    """Files as given, and of each folder the recordings directly in it, by name. Raises `RecordingError`."""
    found = [file for path in paths for file in (_in_folder(path) if path.is_dir() else [path])]
    for path in found:
        if not path.is_file():
            raise RecordingError(f"{path} does not exist: name a recording or a folder of recordings.")
        if _suffix(path) not in _SUFFIXES:
            raise RecordingError(
                f"{path} is not a recording: expected a name in .jsonl, .json or .pb, with or without .gz."
            )
    if not found:
        raise RecordingError(
            f"There is no recording in {', '.join(map(str, paths)) or 'the list of files'}: "
            "expected names in .jsonl, .json or .pb, with or without .gz."
        )
    return list(dict.fromkeys(found))


def read_recording(path: Path) -> Iterator[Parcel]:
    """The requests of one file, in its order. Raises `RecordingError` at the first that is not OTLP."""
    try:
        with _open(path) as file:
            if _suffix(path) == ".jsonl":
                yield from _json_lines(path, file)
                return
            content = file.read()
    except (OSError, EOFError) as error:
        raise RecordingError(f"{path} cannot be read: {error}.") from error
    if _suffix(path) == ".pb":
        yield _protobuf_parcel(path, content)
    else:
        yield from _json_documents(path, content)


def recording_name(path: Path) -> str:
    """The name that all files of one recording share: `run.traces-1.pb.gz` and `run.logs-1.pb` are `run`."""
    return _SIGNAL_IN_NAME.sub("", _stem(path))


def _in_folder(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if _suffix(path) in _SUFFIXES and path.name not in _NOT_RECORDINGS)


def _suffix(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix


def _stem(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).stem


def _open(path: Path) -> IO[bytes] | gzip.GzipFile:
    with path.open("rb") as file:
        is_gzip = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    return gzip.open(path, "rb") if is_gzip else path.open("rb")


def _protobuf_parcel(path: Path, body: bytes) -> Parcel:
    """Protobuf does not say its signal: the name does (`*.logs-1.pb`), and otherwise it is traces."""
    match = _SIGNAL_IN_NAME.search(_stem(path))
    layout = _LAYOUT_BY_NAME[match[1]] if match else TRACE_LAYOUT
    request = layout.signal.request()
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        raise RecordingError(
            f"{path} is not an OTLP export of {layout.signal.name} in protobuf. "
            "Logs and metrics must be named NAME.logs.pb and NAME.metrics.pb."
        ) from error
    return ProtobufParcel(layout, recording_name(path), request)


def _json_documents(path: Path, text: bytes) -> Iterator[Parcel]:
    """One document over the whole file, or one a line as collectors write them."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        yield from _json_lines(path, text.splitlines())
    else:
        yield _json_parcel(path, 1, document)


def _json_lines(path: Path, lines: Iterable[bytes]) -> Iterator[Parcel]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise RecordingError(f"{path}, line {number}, is not JSON: {error}.") from error
        yield _json_parcel(path, number, document)


def _json_parcel(path: Path, number: int, document: Any) -> Parcel:
    for layout in LAYOUTS:
        if isinstance(document, dict) and isinstance(document.get(layout.json_key), list):
            return JsonParcel(layout, recording_name(path), document)
    raise RecordingError(
        f"{path}, line {number}, is not OTLP/JSON: expected an object with an array "
        f"{', '.join(layout.json_key for layout in LAYOUTS[:-1])} or {LAYOUTS[-1].json_key}."
    )
