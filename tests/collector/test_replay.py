"""Replay and the test trace against a real HTTP server on a port of its own."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from spandeck_collector.otlp_sender import SendError
from spandeck_collector.receiver.otlp_json import message_from_json
from spandeck_collector.replay import ReplayError, ReplayProgress, replay
from spandeck_collector.send_test import SERVICE, send_test

NOW_NS = 1_800_000_000_000_000_000
TRACE, ROOT, CHILD = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
OTHER_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@dataclass
class Post:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    raw: bytes
    client_port: int

    def json(self) -> Any:
        return json.loads(self.raw)

    def spans(self) -> list[dict[str, Any]]:
        return list(all_spans(self.json()))


@dataclass
class Sink:
    """A small OTLP server: answers from `answers` first (status, headers, body), then 200."""

    url: str
    posts: list[Post] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)

    def spans(self) -> list[dict[str, Any]]:
        return [span for post in self.posts for span in post.spans()]


def all_spans(request: Any) -> Iterator[dict[str, Any]]:
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            yield from scope["spans"]


@contextmanager
def running_sink() -> Iterator[Sink]:
    sink = Sink("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sink.posts.append(Post(self.path, dict(self.headers), gzip.decompress(body), self.client_address[1]))
            status, headers, answer = sink.answers.pop(0) if sink.answers else (200, {}, b"")
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    sink.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as running:
        yield running


def span(span_id: str, end_ns: int, parent: str = "", trace: str = TRACE, **more: Any) -> dict[str, Any]:
    return {
        "traceId": trace,
        "spanId": span_id,
        "parentSpanId": parent,
        "name": "step",
        "startTimeUnixNano": str(end_ns - 1000),
        "endTimeUnixNano": str(end_ns),
        **more,
    }


def request(*spans: dict[str, Any]) -> dict[str, Any]:
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": list(spans)}]}]}


def write_lines(path: Path, *requests: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in requests))
    return path


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A child in the first line; its root, with an event and a link, in the second."""
    link = {"traceId": OTHER_TRACE, "spanId": CHILD}
    attributes = [{"key": "traceId", "value": {"stringValue": TRACE}}]
    root = span(
        ROOT,
        5_000_000,
        events=[{"name": "first", "timeUnixNano": "4999500"}],
        links=[link],
        attributes=attributes,
    )
    return write_lines(tmp_path / "run.jsonl", request(span(CHILD, 4_000_000, ROOT)), request(root))


@pytest.mark.integration
def test_original_keeps_ids_and_times(sink: Sink, recording: Path) -> None:
    """What arrives is what was recorded, both times."""
    recorded = [each for line in recording.read_text().splitlines() for each in all_spans(json.loads(line))]
    summary = replay([recording], endpoint=sink.url, at="original")
    replay([recording], endpoint=sink.url, at="original")
    assert sink.spans() == recorded * 2
    assert (summary.shift_ns, summary.sent_span_count, summary.refused_span_count) == (0, 2, 0)
    assert summary.trace_ids == (TRACE,)


@pytest.mark.integration
def test_now_moves_the_latest_end_to_now_and_all_else_with_it(sink: Sink, recording: Path) -> None:
    summary = replay([recording], endpoint=sink.url, at="now", now_ns=NOW_NS)
    child, root = sink.spans()
    assert summary.shift_ns == NOW_NS - 5_000_000
    assert root["endTimeUnixNano"] == str(NOW_NS)
    assert root["startTimeUnixNano"] == str(NOW_NS - 1000)
    assert root["events"][0]["timeUnixNano"] == str(NOW_NS - 500)
    assert child["endTimeUnixNano"] == str(NOW_NS - 1_000_000)


@pytest.mark.integration
def test_now_keeps_the_tree_across_lines_under_new_ids(sink: Sink, recording: Path) -> None:
    summary = replay([recording], endpoint=sink.url, at="now", now_ns=NOW_NS)
    child, root = sink.spans()
    assert child["parentSpanId"] == root["spanId"]
    assert child["traceId"] == root["traceId"] == summary.trace_ids[0]
    assert root["parentSpanId"] == ""
    assert {root["spanId"], child["spanId"]}.isdisjoint({ROOT, CHILD})
    assert root["links"][0]["spanId"] == child["spanId"]
    assert root["links"][0]["traceId"] not in {OTHER_TRACE, root["traceId"]}
    assert root["attributes"][0]["value"] == {"stringValue": TRACE}


@pytest.mark.integration
def test_now_derives_the_same_ids_from_the_same_file_and_shift_and_others_from_another(
    sink: Sink, recording: Path
) -> None:
    first = replay([recording], endpoint=sink.url, now_ns=NOW_NS)
    again = replay([recording], endpoint=sink.url, now_ns=NOW_NS)
    later = replay([recording], endpoint=sink.url, now_ns=NOW_NS + 1)
    by_run = [{each["spanId"] for each in post.spans()} for post in sink.posts]
    assert first == again
    assert by_run[0] == by_run[1]
    assert by_run[0].isdisjoint(by_run[2])
    assert set(first.trace_ids).isdisjoint(later.trace_ids)


@pytest.mark.integration
def test_files_of_one_recording_stay_linked_and_protobuf_is_sent_as_protobuf(
    sink: Sink, tmp_path: Path, recording: Path
) -> None:
    """`run.traces-1.pb.gz` and `run.logs-1.pb` get the same new trace id, in the encoding they came in."""
    lines = recording.read_text().splitlines()
    traces = message_from_json(lines[1].encode(), ExportTraceServiceRequest)[0]
    logs = ExportLogsServiceRequest()
    record = logs.resource_logs.add().scope_logs.add().log_records.add()
    record.trace_id, record.span_id, record.time_unix_nano = bytes.fromhex(TRACE), bytes.fromhex(ROOT), 77
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "run.traces-1.pb.gz").write_bytes(gzip.compress(traces.SerializeToString()))
    (folder / "run.logs-1.pb").write_bytes(logs.SerializeToString())
    (folder / "manifest.json").write_text("[]")
    summary = replay([folder], endpoint=sink.url, now_ns=NOW_NS)
    by_path = {post.path: post for post in sink.posts}
    sent = ExportTraceServiceRequest.FromString(by_path["/v1/traces"].raw)
    sent_logs = ExportLogsServiceRequest.FromString(by_path["/v1/logs"].raw)
    sent_record = sent_logs.resource_logs[0].scope_logs[0].log_records[0]
    assert sent.resource_spans[0].scope_spans[0].spans[0].trace_id == sent_record.trace_id
    assert sent_record.trace_id.hex() == summary.trace_ids[0] != TRACE
    assert sent_record.time_unix_nano == 77 + summary.shift_ns
    assert by_path["/v1/logs"].headers["Content-Type"] == "application/x-protobuf"
    assert (summary.sent_span_count, summary.sent_other_count) == (1, 1)


@pytest.mark.integration
def test_lines_are_batched_over_one_connection_with_gzip_and_the_token(sink: Sink, tmp_path: Path) -> None:
    lines = [request(*(span(f"{line:08x}{number:08x}", 9000) for number in range(1, 101))) for line in range(12)]
    seen: list[ReplayProgress] = []
    summary = replay(
        [write_lines(tmp_path / "many.jsonl", *lines)],
        endpoint=sink.url + "/",
        token="secret",
        progress=seen.append,
    )
    assert [len(post.spans()) for post in sink.posts] == [500, 500, 200]
    assert len({post.client_port for post in sink.posts}) == 1
    assert {post.headers["Authorization"] for post in sink.posts} == {"Bearer secret"}
    assert {post.headers["Content-Encoding"] for post in sink.posts} == {"gzip"}
    assert seen[-1] == ReplayProgress(1200, 1200, 3)
    assert summary.request_count == 3


@pytest.mark.integration
def test_a_pace_interleaves_files_by_the_recorded_clock(sink: Sink, tmp_path: Path) -> None:
    ends = {"a.jsonl": (1000, 5000, 9000), "b.jsonl": (3000, 4000, 8000)}
    for name, times in ends.items():
        write_lines(tmp_path / name, *(request(span(f"{each:016x}", each)) for each in times))
    replay([tmp_path], endpoint=sink.url, at="original", speed=1000.0)
    assert [int(each["endTimeUnixNano"]) for each in sink.spans()] == [1000, 3000, 4000, 5000, 8000, 9000]


@pytest.mark.integration
def test_a_pace_does_not_hold_back_what_is_due(sink: Sink, tmp_path: Path) -> None:
    """Two lines half a second apart are two requests at their own pace, and one at full speed."""
    lines = (request(span(ROOT, 10**9)), request(span(CHILD, 10**9 + 500_000_000)))
    path = write_lines(tmp_path / "slow.jsonl", *lines)
    assert replay([path], endpoint=sink.url, speed=1.0).request_count == 2
    assert replay([path], endpoint=sink.url).request_count == 1


@pytest.mark.integration
@pytest.mark.parametrize("status", [429, 503])
def test_an_overloaded_collector_is_asked_again_with_the_same_bytes(sink: Sink, recording: Path, status: int) -> None:
    sink.answers = [(status, {"Retry-After": "0"}, b"")] * 2
    summary = replay([recording], endpoint=sink.url)
    assert [post.raw for post in sink.posts] == [sink.posts[0].raw] * 3
    assert (summary.request_count, summary.sent_span_count, summary.failed_request_count) == (1, 2, 0)


@pytest.mark.integration
def test_a_collector_that_stays_overloaded_is_a_sentence(sink: Sink, recording: Path) -> None:
    sink.answers = [(503, {"Retry-After": "0"}, b'{"code": 14, "message": "The journal is full."}')] * 20
    with pytest.raises(ReplayError, match=r"did not take a request in 6 tries.*503 The journal is full"):
        replay([recording], endpoint=sink.url)


@pytest.mark.integration
def test_rejected_spans_are_counted_with_the_first_reason(sink: Sink, recording: Path) -> None:
    sink.answers = [(200, {}, b'{"partialSuccess": {"rejectedSpans": "1", "errorMessage": "no trace id"}}')]
    summary = replay([recording], endpoint=sink.url)
    assert (summary.sent_span_count, summary.refused_span_count) == (2, 1)
    assert (summary.failed_request_count, summary.first_error) == (0, "no trace id")


@pytest.mark.integration
def test_a_refused_request_is_counted_and_the_rest_is_sent(sink: Sink, tmp_path: Path) -> None:
    folder = tmp_path / "two"
    folder.mkdir()
    for name in ("a", "b"):
        lines = [request(*(span(f"{number:016x}", 9000) for number in range(1, 401)))]
        write_lines(folder / f"{name}.jsonl", *lines)
    sink.answers = [(400, {}, b'{"code": 3, "message": "spans must be an array"}')]
    summary = replay([folder], endpoint=sink.url)
    assert (summary.request_count, summary.failed_request_count) == (2, 1)
    assert (summary.sent_span_count, summary.refused_span_count) == (800, 400)
    assert summary.first_error == f"400 from {sink.url}: spans must be an array"


@pytest.mark.integration
def test_a_refused_token_stops_the_replay_with_a_sentence(sink: Sink, recording: Path) -> None:
    sink.answers = [(401, {}, b"")]
    with pytest.raises(ReplayError, match="set SPANDECK_INGEST_TOKEN"):
        replay([recording], endpoint=sink.url)


@pytest.mark.integration
def test_no_collector_is_a_sentence_that_says_how_to_start_one(recording: Path) -> None:
    with running_sink() as gone:
        pass
    with pytest.raises(ReplayError, match=rf"No collector answers at {gone.url} .*spandeck up"):
        replay([recording], endpoint=gone.url)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.jsonl", b'{"resourceSpans": []}\n{oops', r"a\.jsonl, line 2, is not JSON"),
        ("a.json", b'{"spans": []}', r"line 1, is not OTLP/JSON: expected .* resourceSpans, resourceLogs or"),
        ("a.logs.pb", b"\xff\xff", r"a\.logs\.pb is not an OTLP export of logs"),
        ("a.json.gz", b"\x1f\x8b\x08\x00", r"a\.json\.gz cannot be read"),
        ("a.txt", b"", r"a\.txt is not a recording"),
    ],
)
def test_a_bad_file_is_a_sentence_before_anything_is_sent(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ReplayError, match=sentence):
        replay([tmp_path / name], endpoint="http://127.0.0.1:1")


@pytest.mark.unit
def test_wrong_arguments_are_sentences(tmp_path: Path, recording: Path) -> None:
    with pytest.raises(ReplayError, match="does not exist"):
        replay([tmp_path / "none.jsonl"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReplayError, match="no recording in"):
        replay([tmp_path / "empty"])
    with pytest.raises(ReplayError, match="must be above 0"):
        replay([recording], speed=0)
    with pytest.raises(ReplayError, match="not an HTTP address"):
        replay([recording], endpoint="localhost:4318")


@pytest.mark.integration
def test_the_test_trace_has_an_agent_a_streamed_call_and_a_tool(sink: Sink) -> None:
    sent = send_test(sink.url, "secret")
    received = ExportTraceServiceRequest.FromString(sink.posts[0].raw).resource_spans[0]
    spans = received.scope_spans[0].spans
    assert received.resource.attributes[0].value.string_value == SERVICE
    assert {each.trace_id.hex() for each in spans} == {sent.trace_id}
    assert (sent.span_count, len(spans)) == (3, 3)
    (root,) = (each for each in spans if not each.parent_span_id)
    assert all(each.parent_span_id == root.span_id for each in spans if each is not root)
    assert all(root.start_time_unix_nano <= each.start_time_unix_nano < each.end_time_unix_nano for each in spans)
    keys = {attribute.key for each in spans for attribute in each.attributes}
    assert {"gen_ai.tool.name", "gen_ai.response.time_to_first_chunk", "gen_ai.usage.input_tokens"} <= keys


@pytest.mark.integration
def test_a_test_trace_that_is_not_taken_is_a_sentence(sink: Sink) -> None:
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 3
    answer.partial_success.error_message = "the disk is full"
    sink.answers = [(200, {}, answer.SerializeToString())]
    with pytest.raises(SendError, match="did not take the test trace: the disk is full"):
        send_test(sink.url)
