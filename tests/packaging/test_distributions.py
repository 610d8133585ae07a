"""What is built, what it holds, and that it works where there is no checkout."""

import json
import os
import socket
import subprocess
import tarfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from .conftest import ROOT, Environment

pytestmark = pytest.mark.integration

PACKAGES = {"spandeck", "spandeck_collector", "spandeck_dashboard", "spandeck_schema"}
DEADLINE_S = 90.0


def test_the_wheel_holds_every_file_of_the_four_packages(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    in_checkout = {
        str(path.relative_to(root))
        for root in (ROOT / folder for folder in ("client", "collector", "dashboard", "schema"))
        for package in PACKAGES
        for path in (root / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    samples = {f"spandeck_collector/sample_traces/{path.name}" for path in (ROOT / "sample_traces").glob("*.jsonl")}
    assert len(samples) > 5
    kinds = {Path(name).suffix for name in in_checkout}
    assert {".py", ".sql", ".toml", ".js", ".css", ".typed"} <= kinds
    content = {name for name in names if ".dist-info/" not in name}
    assert content == in_checkout | samples | {"spandeck_collector/sample_traces/manifest.json"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_sdist_holds_what_is_needed_to_build_and_test(distributions: Path) -> None:
    [archive] = distributions.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    for path in (*(ROOT / "tests").rglob("*.py"), *(ROOT / "sample_traces").rglob("*.py")):
        assert str(path.relative_to(ROOT)) in names
    assert {"Makefile", "constraints.txt", "LICENSE", "README.md", "schema/README.md", ".ci/run"} <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith((".venv", ".git/", "dist"))]


def test_the_base_install_is_the_client_alone(base: Environment) -> None:
    code = "import spandeck, sys; print(spandeck.__file__); print(spandeck.configure.__name__)"
    result = base.run(base.python, "-W", "error", "-c", code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(str(base.folder))
    installed = json.loads(base.run(base.python, "-m", "pip", "list", "--format", "json").stdout)
    names = {package["name"].lower() for package in installed}
    assert not names & {"duckdb", "streamlit", "pandas", "pyarrow", "grpcio", "typer"}


def test_the_command_of_the_base_install_says_how_to_get_the_server(base: Environment) -> None:
    for arguments in ([], ["up"], ["--help"]):
        result = base.run(base.command, *arguments)
        assert result.returncode == 1
        assert result.stdout == ""
        assert result.stderr.endswith("pip install 'spandeck[server]'\n")
        assert len(result.stderr.splitlines()) == 1


def test_the_demo_of_the_wheel_shows_its_samples_on_a_page(server: Environment, tmp_path: Path) -> None:
    where = server.run(server.python, "-c", "import spandeck_collector, spandeck_dashboard as d; print(d.__file__)")
    assert where.stdout.startswith(str(server.folder)), where.stderr
    with _demo(server, tmp_path) as ports:
        page = _read(f"http://127.0.0.1:{ports['UI_PORT']}/")
        assert "<html" in page
        assert _read(f"http://127.0.0.1:{ports['UI_PORT']}/_stcore/health") == "ok"
        settings = {f"SPANDECK_{name}": str(port) for name, port in ports.items()}
        query = "select count(*) as n from llm_calls where cost_usd > 0"
        result = subprocess.run(
            [server.command, "sql", query, "--format", "json"],
            env=_clean_environment() | settings,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(result.stdout)[0]["n"] > 100


@contextmanager
def _demo(server: Environment, folder: Path) -> Iterator[dict[str, int]]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(4)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        names = ("HTTP_PORT", "GRPC_PORT", "QUERY_PORT", "UI_PORT")
        ports = {name: each.getsockname()[1] for name, each in zip(names, sockets, strict=True)}
    environment = _clean_environment() | {f"SPANDECK_{name}": str(port) for name, port in ports.items()}
    environment["SPANDECK_DATA_DIR"] = str(folder / "data")
    log = folder / "stderr.txt"
    with log.open("wb") as stderr:
        process = subprocess.Popen([server.command, "demo"], env=environment, cwd=folder, stderr=stderr)
    try:
        deadline = time.monotonic() + DEADLINE_S
        while "Ready after" not in log.read_text(encoding="utf-8"):
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
            time.sleep(0.1)
        yield ports
    finally:
        process.terminate()
        assert process.wait(30) == 0


def _clean_environment() -> dict[str, str]:
    # PYTHONPATH would bring the checkout back in.
    return {key: value for key, value in os.environ.items() if not key.startswith(("SPANDECK_", "PYTHONPATH"))}


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        text: str = answer.read().decode()
    return text
