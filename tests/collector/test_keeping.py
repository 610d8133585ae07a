"""Saved queries, exports and backups, through the real store and the command line."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import duckdb
import pytest

from spandeck_collector.store.commands.export import CONTENT, VIEWS
from spandeck_schema import catalog
from tests.support.site import spandeck
from tests.support.waiting import eventually
from tests.support.web import JSON, Answer, ask

from .store_fixtures import Store, append, journal, running_store, trace_request

pytestmark = pytest.mark.integration

_DAY_MS = 86_400_000
FIRST_DAY = "2026-05-04"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with 30 spans of three days, of which the last has ten and one day between has none."""
    directory = tmp_path_factory.mktemp("keeping")
    with journal(directory) as writer:
        for day in (0, 1, 3):
            numbers = range(day * _DAY_MS + 1, day * _DAY_MS + 11)
            append(writer, trace_request(numbers, **{"gen_ai.prompt": "tell me the canary"}))
    with running_store(directory) as store:
        eventually(lambda: store.rows("select count(*) from spans") == [[30]])
        yield store


def command(store: Store, name: str, body: dict[str, Any]) -> Answer:
    """`POST /command/NAME`."""
    return ask(store.port, f"/command/{name}", json.dumps(body).encode(), {"Content-Type": JSON})


def run(store: Store, *arguments: str) -> CompletedProcess[str]:
    """A command of `spandeck` at the store."""
    return spandeck(*arguments, settings={"SPANDECK_QUERY_PORT": str(store.port)}, cwd=store.directory)


def test_a_query_is_saved_replaced_and_deleted(store: Store) -> None:
    saved = "select name, sql, created_at > now()::timestamp - interval 1 minute from saved_queries"
    for sql, replaced in (("from tool_outcomes", False), ("from traces -- 'all'", True)):
        answer = command(store, "save_query", {"name": "worst tools", "sql": sql})
        assert (answer.status, json.loads(answer.body)) == (200, {"name": "worst tools", "replaced": replaced})
        assert store.rows(saved) == [["worst tools", sql, True]]
    assert command(store, "delete_query", {"name": "worst tools"}).status == 200
    assert store.rows(saved) == []
    assert command(store, "delete_query", {"name": "worst tools"}).status == 404
    names = store.rows("select name from commands where name like '%_query' order by ran_at")
    assert names == [["save_query"], ["save_query"], ["delete_query"], ["delete_query"]]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a"},
        {"sql": "select 1"},
        {"name": "", "sql": "select 1"},
        {"name": " ", "sql": "select 1"},
        {"name": "a" * 101, "sql": "select 1"},
        {"name": "a\nb", "sql": "select 1"},
        {"name": "\ud800", "sql": "select 1"},
        {"name": "a", "sql": "select '\x00'"},
        {"name": "a", "sql": "x" * 20_001},
        {"name": 1, "sql": "select 1"},
        {"name": "a", "sql": "select 1", "at": 1},
    ],
    ids=str,
)
def test_a_query_that_cannot_be_saved_is_400(body: dict[str, Any], store: Store) -> None:
    answer = command(store, "save_query", body)
    assert (answer.status, "error" in json.loads(answer.body)) == (400, True)


def test_an_export_has_a_file_a_view_and_day_and_all_rows(store: Store) -> None:
    result = run(store, "export")
    assert (result.returncode, result.stderr) == (0, "")
    folder = store.directory / "export"
    assert result.stdout.startswith("exported 3 days  ")
    assert str(folder) in result.stdout
    days = sorted(path.name for path in (folder / "spans").iterdir())
    assert days == ["day=2026-05-04", "day=2026-05-05", "day=2026-05-07"]
    assert not (folder / "span_content").exists()
    assert not list(folder.rglob("*.part"))
    with duckdb.connect() as reader:
        for view in ("spans", "traces", "llm_calls"):
            files = f"read_parquet('{folder}/{view}/*/*.parquet', hive_partitioning = true)"
            counted = reader.execute(f"select day::varchar, count(*) from {files} group by all order by all").fetchall()
            assert counted == [(day.removeprefix("day="), 10) for day in days]
            described = reader.execute(f"describe from {files}").fetchall()
            assert [row[0] for row in described][:-1] == _columns(store, view)


def _columns(store: Store, view: str) -> list[str]:
    body = json.dumps({"sql": f"from {view} limit 0"}).encode()
    columns: list[str] = json.loads(ask(store.port, "/query", body, {"Content-Type": JSON, "Accept": JSON}).body)[
        "columns"
    ]
    return columns


def test_an_export_of_some_days_with_content(store: Store) -> None:
    shutil.rmtree(store.directory / "export", ignore_errors=True)
    result = run(store, "export", "--since", "2026-05-05", "--until", "2026-05-06", "--content")
    assert result.stdout.startswith("exported 1 days  ")
    (file,) = (store.directory / "export" / "span_content").rglob("*.parquet")
    assert file.parent.name == "day=2026-05-05"
    with duckdb.connect() as reader:
        rows = reader.execute(f"select distinct content from read_parquet('{file}')").fetchall()
    assert rows == [("tell me the canary",)]
    for path in (store.directory / "export").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0


def test_exporting_again_replaces_a_day(store: Store) -> None:
    for _ in range(2):
        answer = command(store, "export", {"since": FIRST_DAY, "until": FIRST_DAY})
        assert json.loads(answer.body)["files"]
        assert (json.loads(answer.body)["day"], json.loads(answer.body)["finished"]) == (FIRST_DAY, True)
    (file,) = (store.directory / "export" / "spans" / f"day={FIRST_DAY}").iterdir()
    with duckdb.connect() as reader:
        assert reader.execute(f"select count(*) from read_parquet('{file}')").fetchall() == [(10,)]


@pytest.mark.parametrize(
    "body",
    [{"since": "soon"}, {"until": 1}, {"after": "../.."}, {"content": "yes"}, {"since": "2026-13-01"}, {"to": ""}],
)
def test_an_export_that_is_asked_wrongly_is_400(body: dict[str, Any], store: Store) -> None:
    assert command(store, "export", body).status == 400


def test_days_that_are_none_are_a_sentence(store: Store) -> None:
    result = run(store, "export", "--since", "yesterday")
    assert (result.returncode, "--since is 'yesterday'" in result.stderr) == (2, True)


@pytest.mark.unit
def test_what_can_be_exported_are_public_views() -> None:
    assert {*VIEWS, *CONTENT} <= {view.name for view in catalog.views()}


def test_a_query_reads_no_exported_file(store: Store) -> None:
    command(store, "export", {"since": FIRST_DAY, "until": FIRST_DAY})
    (file,) = (store.directory / "export" / "spans" / f"day={FIRST_DAY}").iterdir()
    for sql in (f"from read_parquet('{file}')", f"from '{file}'", f"copy (select 1) to '{file}'", f"attach '{file}'"):
        assert store.refusal(sql)[0] == 403


def test_a_backup_is_the_database_of_that_moment_and_can_be_gone_back_to(store: Store, tmp_path: Path) -> None:
    result = run(store, "backup")
    assert (result.returncode, result.stderr) == (0, "")
    file = Path(result.stdout.strip())
    assert file.parent == store.directory / "backup"
    assert file.stat().st_mode & 0o077 == 0
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    shutil.copy(file, tmp_path / "spandeck.duckdb")
    with journal(tmp_path) as writer, running_store(tmp_path) as restored:
        counts = "select count(*), (select sum(span_count) from traces), (select count(*) from llm_calls) from spans"
        assert restored.rows(counts) == store.rows(counts) == [[30, 30, 30]]
        assert restored.rows("select count(content) from span_content") == [[30]]
        append(writer, trace_request([7 * _DAY_MS]))
        eventually(lambda: restored.rows("select count(*) from spans") == [[31]])


def test_backups_while_spans_are_stored_are_whole(tmp_path: Path) -> None:
    """Each holds whole batches, and traces with all their spans."""
    with journal(tmp_path) as writer, running_store(tmp_path, checkpoint_rows=200) as store:
        for number in range(8):
            append(writer, trace_request(range(number * 100 + 1, number * 100 + 101)))
            if number % 2:
                eventually(lambda: store.rows("select count(*) > 0 from spans") == [[True]])
                assert command(store, "backup", {}).status == 200
        eventually(lambda: store.rows("select count(*) from spans") == [[800]])
    sizes = []
    for file in sorted((tmp_path / "backup").iterdir()):
        with duckdb.connect(str(file), read_only=True) as connection:
            ((spans, of_traces),) = connection.execute(
                "select count(*), (select sum(span_count) from traces) from spans"
            ).fetchall()
            assert spans == of_traces
            sizes.append(spans)
    assert len(sizes) == 4
    assert sizes == sorted(sizes)
    assert all(size % 100 == 0 for size in sizes)
