"""Dead letters: kept redacted in a file, replayed with a link to what failed, across processes."""

import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from spandeck import Telemetry
from spandeck.recovery import DeadLetter, DeadLetters

from .sink import Sink

pytestmark = pytest.mark.integration


@pytest.fixture
def letters(tmp_path: Path) -> DeadLetters:
    return DeadLetters(tmp_path / "letters" / "dead.sqlite", first_wait=0.0)


def test_a_letter_is_kept_redacted_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "dead.sqlite"
    kept = DeadLetters(path, redact=lambda text: text.replace("secret", "[SECRET]"))
    number = kept.add(
        "desk", {"messages": [{"content": "a secret"}], "n": 1}, RuntimeError("secret key"), span=("t", None)
    )
    (letter,) = DeadLetters(path).letters()
    assert (letter.id, letter.agent, letter.attempt, letter.trace_id) == (number, "desk", 1, "t")
    assert letter.payload == {"messages": [{"content": "a [SECRET]"}], "n": 1}
    assert (letter.error_type, letter.message) == ("RuntimeError", "[SECRET] key")
    assert b"a secret" not in path.read_bytes()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_a_replay_links_to_the_span_that_failed(letters: DeadLetters, telemetry: Telemetry, sink: Sink) -> None:
    letters.add("desk", {"task": "x"}, RuntimeError(), span=("c" * 32, "d" * 16))
    seen: list[DeadLetter] = []
    report = letters.replay(seen.append)
    assert (report.succeeded_count, report.failed_count) == (1, 0)
    assert [letter.payload for letter in seen] == [{"task": "x"}]
    assert letters.letters() == []
    assert telemetry.flush()
    span = sink.span("invoke_agent desk")
    assert span.links == [("c" * 32, "d" * 16)]
    assert span.attributes["spandeck.dead_letter.id"] == seen[0].id


def test_what_fails_again_waits_longer(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "dead.sqlite", first_wait=3_600.0)
    letters.add("desk", {}, RuntimeError("first"))

    def handle(letter: DeadLetter) -> None:
        raise ValueError("second")

    assert letters.replay(handle).failed_count == 0
    assert letters.replay(handle, only_due=False).failed_count == 1
    (letter,) = letters.letters()
    assert (letter.attempt, letter.error_type, letter.message) == (2, "ValueError", "second")
    assert letter.next_at - letter.failed_at > 7_000


def test_two_replays_at_once_take_each_letter_once(letters: DeadLetters) -> None:
    for number in range(10):
        letters.add("desk", {"number": number}, RuntimeError())
    seen: list[object] = []
    together = threading.Barrier(2)

    def replay() -> None:
        together.wait()
        letters.replay(lambda letter: seen.append(letter.payload["number"]))

    threads = [threading.Thread(target=replay) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, seen)) == sorted(map(str, range(10)))


def test_the_oldest_go_beyond_the_bound(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "dead.sqlite", most_letters=3)
    for number in range(5):
        letters.add("desk", {"number": number}, RuntimeError())
    assert [letter.payload["number"] for letter in letters.letters()] == [2, 3, 4]


def test_a_file_that_cannot_be_written_is_told_and_raises_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    assert DeadLetters(blocked / "dead.sqlite").add("desk", {}, RuntimeError()) is None
    assert "was not kept in dead.sqlite" in caplog.text
    broken = tmp_path / "broken.sqlite"
    broken.write_bytes(b"this is no database" * 100)
    assert DeadLetters(broken).add("desk", {}, RuntimeError()) is None
    with pytest.raises(sqlite3.Error):
        DeadLetters(broken).letters()
