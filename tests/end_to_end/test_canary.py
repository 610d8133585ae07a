"""A secret that exporters send stands nowhere on the disk: not in database, log, export, nor, once stored, journal."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.schema import otlp
from tests.secret_samples import PREFIXED
from tests.support.stack import Stack, ready_stack
from tests.support.waiting import eventually
from tests.support.web import PROTOBUF

pytestmark = pytest.mark.integration
CANARY = "canary-7f3a91"
KEY = PREFIXED[7]
LONG = "word " * 900


def _traces() -> bytes:
    attributes = {
        "http.request.header.authorization": [f"Basic {CANARY}"],
        "api_key": CANARY,
        "url.full": f"https://user:{CANARY}@host/path?access_token={CANARY}",
        "gen_ai.input.messages": f'[{{"role": "user", "content": "{LONG} {KEY}"}}]',
        "gen_ai.tool.call.arguments": f'{{"headers": {{"Cookie": "s={CANARY}"}}}}',
    }
    event = {"name": "exception", "attributes": {"exception.message": f"401 with {KEY}", "password": CANARY}}
    words = {"id": 1, "name": f"call {KEY}", "status": "ERROR", "message": f"refused {KEY}"}
    return otlp.traces([words | {"attributes": attributes, "events": [event]}])


def _send_all(stack: Stack) -> None:
    logs = otlp.logs([{"body": f"Authorization: Bearer {CANARY}", "attributes": {"cookie": CANARY}}])
    metrics = otlp.metrics([{"name": "m", "value": 1, "attributes": {"api_key": CANARY}}])
    for path, body in (("/v1/traces", _traces()), ("/v1/logs", logs), ("/v1/metrics", metrics)):
        assert stack.post(body, PROTOBUF, path).status == 200
    assert stack.post(f"no OTLP {KEY} {CANARY}".encode(), PROTOBUF, Authorization=f"Bearer {CANARY}").status == 400


def _with_canary(stack: Stack, wanted: Callable[[Path], bool]) -> Iterator[Path]:
    for path in stack.folder.rglob("*"):
        if path.is_file() and wanted(path):
            content = path.read_bytes()
            if CANARY.encode() in content or KEY.encode() in content:
                yield path


@pytest.mark.parametrize(
    "before_journal",
    [
        pytest.param(False, id="in the store"),
        pytest.param(True, id="before the journal", marks=pytest.mark.chaos),
    ],
)
def test_a_canary_is_found_nowhere(tmp_path: Path, before_journal: bool) -> None:
    with ready_stack(tmp_path, "up", "--no-ui", redact_before_journal=before_journal) as stack:
        _send_all(stack)
        if before_journal:
            assert list(_with_canary(stack, lambda _: True)) == []
        eventually(lambda: stack.rows("select count(*) from metric_points") == [[1]])
        eventually(lambda: stack.span_count() == 1)
        for name in ("spans", "span_events", "span_content", "log_records", "metric_points"):
            for form in ("csv", "parquet"):
                arguments = ("--format", form, "--output", tmp_path / f"{name}.{form}")
                assert stack.run("sql", *arguments, f"from {name}").returncode == 0
        journal = stack.settings.journal_dir
        assert all(path.stat().st_mode & 0o077 == 0 for path in journal.iterdir())
        assert list(_with_canary(stack, lambda path: path.parent != journal)) == []
        eventually(lambda: not any(_with_canary(stack, lambda _: True)), "the checkpoint that frees the journal")
        assert "[REDACTED]" in (tmp_path / "spans.csv").read_text()
    assert list(_with_canary(stack, lambda _: True)) == []


def test_without_redaction_everything_is_kept(tmp_path: Path) -> None:
    with ready_stack(tmp_path, "up", "--no-ui", redact=0) as stack:
        assert stack.post(_traces(), PROTOBUF).status == 200
        eventually(lambda: stack.span_count() == 1)
        assert stack.rows("select attributes['api_key'] from spans") == [[CANARY]]
