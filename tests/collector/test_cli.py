"""The command `spandeck`: help, formats, exit codes, sentences."""

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.support.site import COMMAND, free_ports, spandeck
from tests.support.stack import Stack
from tests.support.waiting import eventually

from .receiver_process import request_bytes

pytestmark = pytest.mark.integration

COMMANDS = ("up", "demo", "sql", "replay", "normalize", "doctor", "export", "backup", "send-test", "version")
HOSTILE = "\x1b]52;c;cm0gLXJm\x07\x1b[2J\x9b31m\u202egnihtyna"
ONE_ROW = "select 1 as a, null as b, 'x,y' as c, 1.5::decimal(4, 2) as d, map {'k': [1, 2]} as e"


def alone(tmp_path: Path, *arguments: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command where nothing else runs."""
    return spandeck(*arguments, settings=free_ports() | settings, cwd=tmp_path)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(tmp_path: Path, command: str) -> None:
    result = alone(tmp_path, command, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Usage: spandeck {command}")


def test_the_help_lists_all_commands_whole(tmp_path: Path) -> None:
    result = alone(tmp_path, "--help")
    assert result.returncode == 0
    for command in (*COMMANDS, "prices", "alerts"):
        line = re.search(rf"^  {command}  +(.+)$", result.stdout, re.MULTILINE)
        assert line, result.stdout
        assert re.search(r"[^.]\.$", line[1]), "the sentence does not fit its line"


@pytest.mark.parametrize("group", ["prices", "alerts"])
def test_the_help_of_a_group_has_whole_sentences(tmp_path: Path, group: str) -> None:
    result = alone(tmp_path, group, "--help")
    assert result.returncode == 0
    assert not re.search(r"\w\.\.\.$", result.stdout, re.MULTILINE)
    assert "Examples:" in result.stdout


def test_the_bare_command_shows_the_help(tmp_path: Path) -> None:
    result = alone(tmp_path)
    assert "spandeck demo" in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["launch"], "launch"),
        (["up", "--fast"], "--fast"),
        (["up", "--http-port", "http"], "--http-port"),
        (["sql", "select 1", "--format", "xml"], "'xml' is not one of"),
        (["sql", "missing.sql"], "missing.sql cannot be read"),
        (["sql", "from traces", "--format", "parquet"], "name one with --output"),
        (["prices", "import", "missing.toml"], "missing.toml cannot be read: No such file or directory."),
        (["alerts", "test", "missing.sql"], "missing.sql cannot be read: No such file or directory."),
        (["alerts", "list", "--severity", "grave"], "'grave' is not one of"),
        (["replay", ".", "--at", "noon"], "'noon' is not one of"),
        (["replay", ".", "--speed", "fast"], "--speed is 'fast': use a number above 0, or max."),
        (["replay", ".", "--speed", "0"], "--speed is '0': use a number above 0, or max."),
        (["replay", ".", "--speed", "nan"], "--speed is 'nan': use a number above 0, or max."),
    ],
)
def test_wrong_use_ends_with_code_2_and_says_why(tmp_path: Path, arguments: list[str], words: str) -> None:
    result = alone(tmp_path, *arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert words in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", [["up"], ["demo"], ["sql", "select 1"], ["replay", "."], ["doctor"], ["send-test"]])
def test_a_bad_setting_is_one_sentence_in_every_command(tmp_path: Path, command: list[str]) -> None:
    result = alone(tmp_path, *command, SPANDECK_HTTP_PORT="99999")
    assert result.returncode == 2
    assert result.stderr == "SPANDECK_HTTP_PORT is 99999: it must be a port from 0 to 65535.\n"


@pytest.mark.parametrize("command", [["sql", "select 1"], ["replay", "recording.jsonl"], ["doctor"], ["send-test"]])
def test_without_a_running_spandeck_one_sentence_says_how_to_start_it(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "recording.jsonl").write_text(_recording("a"), encoding="utf-8")
    result = alone(tmp_path, *command)
    assert result.returncode == 1
    assert result.stdout == ""
    assert "spandeck up" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_help_and_supervisor_load_nothing_heavy() -> None:
    code = "import sys, spandeck_collector.cli.app; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert "spandeck_collector" in loaded
    assert not loaded & {"duckdb", "google", "grpc", "numpy", "pandas", "pyarrow", "rich", "starlette", "streamlit"}


def test_the_version_is_that_of_the_project(tmp_path: Path) -> None:
    project = Path(__file__).parents[2] / "pyproject.toml"
    version = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]
    assert alone(tmp_path, "version").stdout == f"{version}\n"
    assert alone(tmp_path, "--version").stdout == f"{version}\n"


def test_sql_prints_a_table_with_types_for_people(stack: Stack) -> None:
    result = stack.run("sql", ONE_ROW)
    assert (result.returncode, result.stderr) == (0, "")
    assert "int32" in result.stdout
    assert '{"k": [1, 2]}' in result.stdout
    assert result.stdout.endswith("1 row\n")


def test_sql_prints_a_wide_result_one_line_a_column(stack: Stack) -> None:
    result = stack.run("sql", "select " + ", ".join(f"{number} as column_number_{number}" for number in range(20)))
    lines = [line for line in result.stdout.splitlines() if "column_number_" in line]
    assert len(lines) == 20


def test_sql_prints_the_columns_of_a_wide_result_without_rows(stack: Stack) -> None:
    result = stack.run("sql", "select * from spans limit 0")
    assert re.search(r"project +│ string", result.stdout), result.stdout
    assert result.stdout.endswith("0 rows\n")


def test_sql_prints_csv_and_json_and_parquet_with_exact_values(stack: Stack) -> None:
    [row] = csv.DictReader(io.StringIO(stack.run("sql", ONE_ROW, "--format", "csv").stdout))
    assert row == {"a": "1", "b": "", "c": "x,y", "d": "1.50", "e": '{"k": [1, 2]}'}
    expected = [{"a": 1, "b": None, "c": "x,y", "d": 1.5, "e": {"k": [1, 2]}}]
    assert json.loads(stack.run("sql", ONE_ROW, "--format", "json").stdout) == expected
    file = stack.folder / "result.parquet"
    result = stack.run("sql", ONE_ROW, "--format", "parquet", "--output", file)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert parquet.read_table(file).column("c").to_pylist() == ["x,y"]


def test_a_cell_that_looks_like_a_formula_stays_as_it_is_in_csv(stack: Stack) -> None:
    """CSV is for machines: a program that reads it back must find what was stored."""
    result = stack.run("sql", "select '=1+1' as a, '-2' as b, '@x' as c", "--format", "csv")
    assert result.stdout == '"a","b","c"\n"=1+1","-2","@x"\n'


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_columns_of_one_name_are_all_there(stack: Stack, form: str) -> None:
    result = stack.run("sql", "select 11 as n, 22 as n, 33 as n", "--format", form)
    assert all(value in result.stdout for value in ("11", "22", "33", "n_1", "n_2"))


def test_sql_reads_a_file_or_stdin_and_takes_parameters(stack: Stack) -> None:
    (stack.folder / "query.sql").write_text("select ? || '!' as greeting, ?::int + 1 as next", encoding="utf-8")
    parameters = ("--param", "hello", "--param", "41", "--format", "csv")
    from_file = stack.run("sql", "query.sql", *parameters)
    assert from_file.stdout == '"greeting","next"\n"hello!",42\n'
    from_stdin = stack.run("sql", "--format", "csv", text="select 42 as answer\n")
    assert from_stdin.stdout == '"answer"\n42\n'


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("selec 1", "selec"),
        ("from nothing", "nothing"),
        ("", "statement"),
        ("select ?", "param"),
        ("delete from traces", "SELECT"),
    ],
)
def test_a_query_that_fails_ends_with_code_1_and_the_words_of_the_store(stack: Stack, query: str, words: str) -> None:
    result = stack.run("sql", query)
    assert (result.returncode, result.stdout) == (1, "")
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_an_output_that_cannot_be_written_is_named(stack: Stack) -> None:
    result = stack.run("sql", "select 1", "--output", stack.folder / "none" / "x.csv")
    assert result.returncode == 2
    assert "x.csv cannot be written: " in result.stderr


def test_a_reader_that_goes_away_early_sees_no_traceback(stack: Stack) -> None:
    query = "select unnest(range(90000)) as number"
    shell = f"{COMMAND} sql '{query}' --format csv | head -1"
    result = subprocess.run(shell, shell=True, env=stack.environment(), capture_output=True, text=True, check=True)
    assert result.stdout == '"number"\n'
    assert result.stderr == ""


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_what_a_span_says_cannot_command_the_terminal(stack: Stack, form: str) -> None:
    _store_hostile_span(stack)
    query = "select name, {'nested': name} as nested from spans where trace_id = ?"
    shown = _in_a_terminal(stack, "sql", query, "--param", f"{7:032x}", "--format", form)
    assert "cm0gLXJm" in shown
    assert not re.search(r"\x1b(?!\[[0-9;]*m)|[\x07\x80-\x9f\u202e]", shown), repr(shown)
    assert "\x1b[2J" not in shown


def test_an_error_sentence_that_quotes_a_span_cannot_command_the_terminal(stack: Stack) -> None:
    _store_hostile_span(stack)
    result = stack.run("sql", "select name::int from spans where trace_id = ?", "--param", f"{7:032x}")
    assert result.returncode == 1
    assert "\x1b" not in result.stderr
    assert "\u202e" not in result.stderr


def test_json_keeps_the_exact_value_of_hostile_text(stack: Stack) -> None:
    _store_hostile_span(stack)
    result = stack.run("sql", "select name from spans where trace_id = ?", "--param", f"{7:032x}", "--format", "json")
    assert json.loads(result.stdout) == [{"name": HOSTILE}]
    assert "\x1b" not in result.stdout


def test_a_replay_moved_to_now_stores_new_traces_each_time(stack: Stack) -> None:
    recording = _recording_file(stack, "moved")
    outputs = [stack.run("replay", recording).stdout for _ in range(2)]
    assert outputs == ["sent 3  stored 3  refused 0\n"] * 2
    assert _stored(stack, "moved") == (6, 4)


def test_a_replay_with_the_original_clock_stores_once(stack: Stack) -> None:
    recording = _recording_file(stack, "original")
    outputs = [stack.run("replay", recording, "--at", "original").stdout for _ in range(2)]
    assert outputs == ["sent 3  stored 3  refused 0\n"] * 2
    assert _stored(stack, "original") == (3, 2)
    ids = {row[0] for row in stack.rows("select trace_id from traces where service = 'original'")}
    assert ids == {_trace_id("original", 1), _trace_id("original", 2)}


def test_a_replay_counts_what_is_refused_and_ends_with_code_1(stack: Stack) -> None:
    recording = _recording_file(stack, "refused")
    text = recording.read_text(encoding="utf-8").replace(f"{3:016x}", f"{0:016x}")
    recording.write_text(text, encoding="utf-8")
    result = stack.run("replay", recording, "--at", "original")
    assert result.stdout == "sent 3  stored 2  refused 1\n"
    assert result.stderr.startswith("First refusal: ")
    assert result.returncode == 1


def test_a_replay_of_nothing_is_told(stack: Stack) -> None:
    result = stack.run("replay", stack.folder / "no_such.jsonl")
    assert result.returncode == 1
    assert "no_such.jsonl" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_test_trace_can_be_asked_for_by_the_id_in_its_link(stack: Stack) -> None:
    result = stack.run("send-test")
    assert (result.returncode, result.stderr) == (0, "")
    page = re.escape(stack.settings.url(stack.settings.ui_port))
    link = re.fullmatch(rf"{page}/trace\?trace=([0-9a-f]{{32}})\n", result.stdout)
    assert link, result.stdout
    [[service, span_count, status]] = stack.rows(
        "select service, span_count, status from traces where trace_id = ?", link[1]
    )
    assert (service, span_count, status) == ("spandeck-send-test", 3, "ok")


def _store_hostile_span(stack: Stack) -> None:
    file = stack.folder / "hostile.pb"
    file.write_bytes(request_bytes(name=HOSTILE))
    assert stack.run("replay", file, "--at", "original").returncode == 0
    eventually(lambda: bool(stack.rows("select 1 from spans where trace_id = ?", f"{7:032x}")))


def _in_a_terminal(stack: Stack, *arguments: str) -> str:
    """What a command writes to stdout when that is a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, *arguments], stdout=theirs, stderr=theirs, env=stack.environment(), cwd=stack.folder
    )
    os.close(theirs)
    parts = []
    try:
        while part := os.read(ours, 65_536):
            parts.append(part)
    except OSError:  # Linux's way to say that the other side is closed
        pass
    os.close(ours)
    assert process.wait() == 0
    return b"".join(parts).decode()


def _trace_id(name: str, number: int) -> str:
    return (name.encode().hex() + f"{number:032x}")[:30].ljust(30, "0") + f"{number:02x}"


def _recording(service: str) -> str:
    """One OTLP/JSON line with three spans in two traces."""
    spans = [
        {
            "traceId": _trace_id(service, trace),
            "spanId": f"{span:016x}",
            "name": f"step {span}",
            "startTimeUnixNano": str(1_790_000_000_000_000_000 + span * 1_000_000),
            "endTimeUnixNano": str(1_790_000_000_500_000_000 + span * 1_000_000),
        }
        for trace, span in ((1, 1), (1, 2), (2, 3))
    ]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}) + "\n"


def _recording_file(stack: Stack, service: str) -> Path:
    file = stack.folder / f"{service}.jsonl"
    file.write_text(_recording(service), encoding="utf-8")
    return file


def _stored(stack: Stack, service: str) -> tuple[int, int]:
    """Spans and traces of a service."""
    [[spans, traces]] = stack.rows(
        "select count(*), count(distinct trace_id) from spans where service = ?",
        service,
    )
    return spans, traces
