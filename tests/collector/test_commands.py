"""Commands: who may send them, how they wait their turn, what is recorded of them."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from spandeck_collector.settings import Settings
from spandeck_collector.store.command_desk import CommandDesk
from spandeck_collector.store.commands.command import Action, Beside, CommandError, Parameters, refuse_unknown
from spandeck_collector.store.commands.registry import read_command
from spandeck_collector.store.database import lock, open_database
from spandeck_collector.store.ingest import Ingest
from spandeck_collector.store.metrics import Metrics
from spandeck_collector.store.query_runner import QueryRunner
from spandeck_collector.store.query_service import QueryServer
from tests.support.site import spandeck
from tests.support.waiting import DEADLINE_S, eventually
from tests.support.web import JSON, Answer, ask

from .store_fixtures import append, journal, query, running_store, trace_request

pytestmark = pytest.mark.integration

TOKEN, READ_TOKEN = "adm1n", "re4d"


def read_test_command(name: str, parameters: Parameters) -> Action | Beside:
    """`note` writes a row, `read` reads beside, and both end as they are told; the others are those of the store."""
    if name == "read":
        return Beside(lambda connection, folder: _read(connection, parameters))
    if name != "note":
        return read_command(name, parameters)
    refuse_unknown(parameters, "end")

    def note(ingest: Ingest) -> dict[str, Any]:
        ingest.connection.execute("insert into store.own_prices values ('note')")
        if parameters.get("end") == "refused":
            raise CommandError(409, "The store holds no such thing.")
        if parameters.get("end") == "failed":
            ingest.connection.execute("select 1 / 'x'")
        return {"noted": 1}

    return note


def _read(connection: duckdb.DuckDBPyConnection, parameters: Parameters) -> dict[str, Any]:
    if parameters.get("end") == "refused":
        raise CommandError(507, "There is no room.")
    if parameters.get("end") == "failed":
        connection.execute("select 1 / 'x'")
    endless = "select count(*) from range(10000000000) a, range(1000) b"
    return {"read": connection.execute(endless if parameters.get("end") == "never" else "select 1").fetchall()}


class Door:
    """A query service in this process; its commands run while `run` is set."""

    def __init__(self, directory: Path, patience_s: float = DEADLINE_S, **settings: Any) -> None:
        self.connection = open_database(directory / "spandeck.duckdb", "300MB")
        self.desk = CommandDesk(Ingest(self.connection, directory), directory, read_test_command, patience_s)
        lock(self.connection, directory)
        all_settings = Settings(data_dir=directory, query_port=0, **settings)
        self.server = QueryServer(
            all_settings, QueryRunner(self.connection, all_settings), self.desk, lambda: True, Metrics()
        )
        self.port = self.server.server_address[1]
        self.run, self._end = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True),
            threading.Thread(target=self._write, daemon=True),
        ]
        self.run.set()
        for thread in self._threads:
            thread.start()

    def _write(self) -> None:
        while not self._end.wait(0.005):
            if self.run.is_set():
                self.desk.run_next()

    def command(self, name: str, body: object = None, **headers: str) -> Answer:
        """`POST /command/NAME`; `body` is sent as it is when it is bytes."""
        content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        given = {"Content-Type": JSON} | {key.replace("_", "-"): value for key, value in headers.items()}
        return ask(self.port, f"/command/{name}", content, given)

    def rows(self, sql: str) -> list[list[Any]]:
        """Of a query without a token."""
        rows: list[list[Any]] = json.loads(query(self.port, sql).body)["rows"]
        return rows

    def close(self) -> None:
        """Stop all threads."""
        self._end.set()
        self.server.shutdown()
        self.server.server_close()
        for thread in self._threads:
            thread.join(DEADLINE_S)
        self.connection.close()


@contextmanager
def open_door(directory: Path, **settings: Any) -> Iterator[Door]:
    door = Door(directory, **settings)
    try:
        yield door
    finally:
        door.close()


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Without any token, on loopback."""
    with open_door(tmp_path_factory.mktemp("commands")) as door:
        yield door


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """With a token for reading and one for commands."""
    with open_door(tmp_path_factory.mktemp("guarded"), read_token=READ_TOKEN, admin_token=TOKEN) as door:
        yield door


def sentence(answer: Answer) -> str:
    """Of an answer that refuses."""
    assert answer.headers["Content-Type"] == JSON
    return str(json.loads(answer.body)["error"])


def test_a_command_is_done_and_recorded(door: Door) -> None:
    answer = door.command("note", {"end": "done"})
    assert (answer.status, json.loads(answer.body)) == (200, {"noted": 1})
    ((parameters, outcome, is_recent),) = door.rows(
        "select parameters, outcome, ran_at > now()::timestamp - interval 1 minute from commands "
        "where name = 'note' and parameters like '%done%'"
    )
    assert (json.loads(parameters), json.loads(outcome), is_recent) == ({"end": "done"}, {"noted": 1}, True)


@pytest.mark.parametrize(("end", "status", "word"), [("refused", 409, "no such thing"), ("failed", 500, "log")])
def test_a_command_that_fails_changes_nothing_and_is_recorded(end: str, status: int, word: str, tmp_path: Path) -> None:
    with open_door(tmp_path) as door:
        answer = door.command("note", {"end": end})
        assert answer.status == status
        assert word in sentence(answer)
        ((outcome,),) = door.rows("select outcome from commands")
        assert json.loads(outcome) == {"error": sentence(answer)}
        assert door.connection.cursor().sql("from store.own_prices").fetchall() == []


def test_an_unknown_command_names_those_that_exist(door: Door) -> None:
    answer = door.command("launch")
    assert answer.status == 404
    assert "'launch'" in sentence(answer)
    assert "normalize" in sentence(answer)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"1", b'{"ende": 1}', b"[" * 50_000, b"\xff"])
def test_parameters_that_cannot_be_read_are_400(body: bytes, door: Door) -> None:
    assert door.command("note", body).status == 400


def test_a_text_that_no_database_holds_is_recorded_all_the_same(door: Door) -> None:
    body = b'{"end": "\\ud800\\u0000"}'
    assert door.command("note", body).status == 200
    assert door.rows("select count(*) from commands where contains(parameters, 'ud800')") == [[1]]


def test_a_body_is_capped(door: Door) -> None:
    assert door.command("note", b" " * 70_000).status == 413


def test_only_json_is_read(door: Door) -> None:
    """A form of a foreign page can send other types without asking first."""
    assert door.command("note", {}, Content_Type="text/plain").status == 415


@pytest.mark.parametrize(("name", "value"), [("Host", "evil.example"), ("Origin", "http://evil.example")])
def test_foreign_hosts_and_origins_are_refused(name: str, value: str, door: Door) -> None:
    assert door.command("note", **{name: value}).status == 403


def test_a_command_is_no_page(door: Door) -> None:
    assert ask(door.port, "/command/note", method="GET").status == 405


@pytest.mark.parametrize("token", [None, READ_TOKEN, "wrong"])
def test_the_admin_token_is_demanded_where_it_is_set(token: str | None, guarded: Door) -> None:
    answer = guarded.command("note", **({"Authorization": f"Bearer {token}"} if token else {}))
    assert answer.status == 401
    assert "SPANDECK_ADMIN_TOKEN" in sentence(answer)


def test_with_the_admin_token_a_command_is_done_and_no_query(guarded: Door) -> None:
    header = {"Authorization": f"Bearer {TOKEN}"}
    assert guarded.command("note", **header).status == 200
    assert query(guarded.port, "select 1", headers=header).status == 401


@pytest.mark.parametrize(
    "settings", [{"read_token": READ_TOKEN}, {"host": "0.0.0.0", "read_token": READ_TOKEN, "ingest_token": "x"}]
)
def test_without_an_admin_token_commands_are_closed_where_reading_is_not_free(
    settings: dict[str, str], tmp_path: Path
) -> None:
    with open_door(tmp_path, **settings) as door:
        answer = door.command("note", Authorization=f"Bearer {READ_TOKEN}")
        assert answer.status == 403
        assert "SPANDECK_ADMIN_TOKEN" in sentence(answer)


def test_a_command_whose_turn_does_not_come_is_not_done(tmp_path: Path) -> None:
    with open_door(tmp_path, patience_s=0.05) as door:
        door.run.clear()
        answer = door.command("note")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert "busy" in sentence(answer)
        door.run.set()
        assert door.command("normalize").status == 200
        assert door.rows("select name from commands") == [["normalize"]]


def test_too_many_waiting_commands_are_turned_away(tmp_path: Path) -> None:
    with open_door(tmp_path) as door:
        door.run.clear()
        statuses: list[int] = []
        senders = [
            threading.Thread(target=lambda: statuses.append(door.command("note").status), daemon=True)
            for _ in range(20)
        ]
        for sender in senders:
            sender.start()
        eventually(lambda: statuses.count(503) == 4)
        door.desk.close()
        for sender in senders:
            sender.join(DEADLINE_S)
        assert statuses == [503] * 20


def test_what_reads_beside_is_recorded_when_it_is_done(door: Door) -> None:
    assert json.loads(door.command("read").body) == {"read": [[1]]}
    assert door.rows("select outcome from commands where name = 'read'") == [['{"read": [[1]]}']]


@pytest.mark.parametrize(("end", "status"), [("refused", 507), ("failed", 500)])
def test_what_fails_beside_is_recorded_too(end: str, status: int, tmp_path: Path) -> None:
    with open_door(tmp_path) as door:
        answer = door.command("read", {"end": end})
        assert answer.status == status
        ((outcome,),) = door.rows("select outcome from commands")
        assert json.loads(outcome) == {"error": sentence(answer)}


def test_one_reads_beside_at_a_time_while_other_commands_run_and_a_stop_ends_it(tmp_path: Path) -> None:
    with open_door(tmp_path) as door:
        statuses: list[int] = []
        reader = threading.Thread(
            target=lambda: statuses.append(door.command("read", {"end": "never"}).status), daemon=True
        )
        reader.start()
        eventually(lambda: door.desk.is_reading)
        answer = door.command("read")
        assert (answer.status, "Another export or backup runs" in sentence(answer)) == (503, True)
        assert door.command("note").status == 200
        door.desk.close()
        reader.join(DEADLINE_S)
        assert statuses == [500]
        assert door.command("read").status == 200


def test_history_is_normalized_while_spans_arrive(tmp_path: Path) -> None:
    """Through the real store: its journal, its one writing thread, and the command line."""
    with journal(tmp_path) as writer, running_store(tmp_path) as store:
        append(writer, trace_request(range(1, 40)))
        eventually(lambda: store.rows("select count(*) from traces") == [[39]])

        def send_more() -> None:
            for number in range(40, 60):
                append(writer, trace_request([number]))

        sender = threading.Thread(target=send_more, daemon=True)
        sender.start()
        result = spandeck("normalize", "--since", "1d", settings={"SPANDECK_QUERY_PORT": str(store.port)}, cwd=tmp_path)
        sender.join(DEADLINE_S)
        assert (result.returncode, result.stderr) == (0, "")
        words = result.stdout.split()
        assert words[0] == "normalized"
        assert int(words[1]) >= 39
        assert words[2:] == ["traces", "changed", "0", "spans"]
        eventually(lambda: store.rows("select count(*), sum(span_count) from traces") == [[59, 59]])
        assert store.rows("select distinct name from commands") == [["normalize"]]
        assert store.stop() == 0
