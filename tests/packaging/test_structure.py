"""Rules that hold for every file of the repository, whoever wrote it."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spandeck_collector.cli.app import app

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
SOURCE_ROOTS = ("client", "collector", "dashboard", "schema")
PYTHON_FOLDERS = (*SOURCE_ROOTS, "sample_traces", "tests", "benchmarks", "docs", "examples")
MOST_FILE_LINES, MOST_FUNCTION_LINES = 400, 60
HTML_WRITERS = {"cards.py", "theme.py"}
HARMLESS_HOSTS = {"127.0.0.1", "localhost", "[::1]", "www.w3.org"}


def python_files(*folders: str) -> list[Path]:
    """Every Python file below the folders, with its path from the root."""
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in files if "__pycache__" not in path.parts)


def tracked_files() -> list[Path]:
    """Every text file that git knows; skips the test where there is no git."""
    try:
        listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout")
    paths = [ROOT / name for name in listing.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and path.suffix not in (".png", ".gz", ".pb", ".parquet")]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_python_file_is_too_long() -> None:
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files(*PYTHON_FOLDERS)}
    assert len(sizes) > 50
    assert {str(path.relative_to(ROOT)): size for path, size in sizes.items() if size > MOST_FILE_LINES} == {}


def test_no_function_is_too_long() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.name}": size
        for path in python_files(*PYTHON_FOLDERS)
        for node in functions(ast.parse(path.read_text(encoding="utf-8")))
        if (size := (node.end_lineno or node.lineno) - node.lineno + 1) > MOST_FUNCTION_LINES
    }
    assert long == {}


def test_every_module_of_the_packages_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in python_files(*SOURCE_ROOTS)
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_every_package_carries_its_types() -> None:
    packages = ("client/spandeck", "collector/spandeck_collector", "dashboard/spandeck_dashboard")
    for package in (*packages, "schema/spandeck_schema"):
        assert (ROOT / package / "py.typed").is_file()


def test_the_client_loads_nothing_that_the_server_needs() -> None:
    code = "import sys, spandeck; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert "spandeck" in loaded
    assert not loaded & {"duckdb", "streamlit", "pandas", "pyarrow", "grpc", "numpy", "plotly", "spandeck_collector"}


def test_constraints_are_pins_without_an_address() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert lines
    for line in lines:
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*==[^\s@/]+( ; .+)?", line), line


def test_every_direct_dependency_is_pinned() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    named = re.findall(r'^    "([a-z0-9-]+)[><=~]+[^"]*",$', project, re.MULTILINE)
    pinned = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE))
    assert len(named) > 15
    assert set(named) <= pinned


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    here = re.escape(str(ROOT)) if len(ROOT.parts) > 2 else r"(?!)"
    machine = re.compile(rf"{here}/|/Users/\w+|/home/(?!spandeck)\w+")
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked_files()
        if (match := machine.search(path.read_text(encoding="utf-8", errors="replace")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "name", ["README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md", "Makefile", "constraints.txt", "docs/decisions"]
)
def test_what_a_reader_expects_at_the_root_is_there(name: str) -> None:
    path = ROOT / name
    assert path.exists()
    assert path.is_dir() or path.stat().st_size > 300


def test_the_licence_is_the_declared_one() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text


def test_every_make_target_in_the_readme_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", readme, re.MULTILINE))
    assert {"demo", "test"} <= named
    assert named <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_every_command_in_the_readme_exists_and_every_command_is_named() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    listed |= {group.name or "" for group in app.registered_groups}
    named = set(re.findall(r"(?:^|`|^\$ )spandeck ([a-z][a-z-]*)", readme, re.MULTILINE))
    assert named <= listed
    assert listed - {"version"} <= named


def test_links_in_the_documents_lead_to_files() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "schema").glob("*.md")]
    dead = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
        if not (document.parent / target).exists()
    ]
    assert dead == []


def test_only_the_named_modules_of_the_page_write_html() -> None:
    writer = re.compile(r"unsafe_allow_html|unsafe_allow_javascript|\bst\.html\(")
    pages = python_files("dashboard")
    assert {path.name for path in pages if writer.search(path.read_text(encoding="utf-8"))} <= HTML_WRITERS


def test_the_page_asks_no_host_but_its_own() -> None:
    dashboard = ROOT / "dashboard"
    assets = [path for kind in ("*.js", "*.css", "*.svg", "*.html") for path in dashboard.rglob(kind)]
    assert assets
    foreign = {
        f"{path.name}: {host}"
        for path in assets
        for host in re.findall(r"(?:\w+:)?//([\w.\[\]:-]+\.[\w.-]+)", path.read_text(encoding="utf-8"))
        if host not in HARMLESS_HOSTS
    }
    assert foreign == set()


def test_the_page_takes_no_html_from_data() -> None:
    """Span content is hostile: scripts set text, never markup."""
    markup = re.compile(r"\.(innerHTML|outerHTML)\s*=|insertAdjacentHTML|document\.write|\beval\(|new Function")
    scripts = list((ROOT / "dashboard").rglob("*.js"))
    assert [path.name for path in scripts if markup.search(path.read_text(encoding="utf-8"))] == []
