"""Messages reach a real HTTP sink once, through failures, timeouts and restarts, and no private target unasked."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from spandeck_collector.alerts.channels import AlertChannel, read_channels
from spandeck_collector.alerts.courier import Courier
from spandeck_collector.alerts.message import AlertFacts, message_of, redacted
from spandeck_collector.alerts.rule import shipped_rules
from spandeck_collector.alerts.sender import is_public, what_is_missing
from spandeck_collector.setting_values import SettingsError
from spandeck_collector.settings import Settings
from spandeck_collector.store.alert_outbox import AlertOutbox
from spandeck_collector.store.alert_states import list_rules
from spandeck_collector.store.commands.alerts import resend_alerts, snooze_alert
from tests.schema.sandbox import Sandbox
from tests.support.waiting import eventually

from .sink import Sink, running_sink

pytestmark = pytest.mark.integration

TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "error.type": "Timeout"}


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as sink:
        yield sink


class Post:
    """A sandbox with an outbox, whose clock stands a minute after the test's spans."""

    def __init__(self, sandbox: Sandbox, *channels: AlertChannel, **settings: Any) -> None:
        self.sandbox = sandbox
        chosen = {"alert_retry_s": 0.05, "alert_attempts": 3, "alert_private_targets": True} | settings
        self.settings = Settings(data_dir=sandbox.folder, alert_channels=channels, **chosen)
        self.now = datetime(2026, 5, 4, 12, 2)
        list_rules(sandbox.connection, shipped_rules(), [])
        self.start()

    def start(self, timeout_s: float = 10.0) -> None:
        self.courier = Courier(
            self.settings.alert_channels,
            private_targets=self.settings.alert_private_targets,
            timeout_s=timeout_s,
        )
        self.outbox = AlertOutbox(self.sandbox.ingest, self.settings, self.courier, lambda: self.now)

    def turn(self) -> None:
        self.now += timedelta(seconds=1)
        self.outbox._look_at = 0.0
        self.outbox.take_turn()

    def until(self, *states: str) -> None:
        """Take turns until the messages have these states."""

        def holds() -> bool:
            self.turn()
            return self.states() == sorted(states)

        eventually(holds, lambda: self.sandbox.rows("from alert_deliveries"))

    def states(self) -> list[str]:
        return [row["state"] for row in self.sandbox.rows("select state from alert_deliveries order by state")]


@pytest.fixture
def posts() -> Iterator[list[Post]]:
    """Ended when the test ends."""
    made: list[Post] = []
    yield made
    for each in made:
        each.courier.close()


def fail_tool(sandbox: Sandbox, trace: int = 1, **words: Any) -> None:
    sandbox.spans({"id": trace, "trace": trace, "attributes": TOOL, "status": "ERROR"} | words)


def test_an_alert_is_sent_once_with_the_link_to_its_span(sandbox: Sandbox, sink: Sink, posts: list[Post]) -> None:
    posts.append(post := Post(sandbox, AlertChannel("ops", sink.url)))
    fail_tool(sandbox)
    post.until("sent")
    post.turn()
    (body,) = sink.taken
    assert body["title"] == "error: failed_tool_call"
    assert "Tool call failed: search: Timeout" in body["message"]
    assert f"/trace?trace={1:032x}&span={1:016x}" in body["message"]
    assert sandbox.row("select left(alert_id, 12) as id from alerts")["id"] in body["message"]
    assert body["type"] == "failure"


def test_a_channel_takes_what_it_is_for(sandbox: Sandbox, sink: Sink, posts: list[Post]) -> None:
    channels = (AlertChannel("grave", sink.url, severity="critical"), AlertChannel("cost", sink.url, rules=("cost_*",)))
    posts.append(post := Post(sandbox, *channels))
    fail_tool(sandbox)
    post.until("muted")
    assert sandbox.row("select channel, error from alert_deliveries") == {
        "channel": "-",
        "error": "no channel takes it",
    }
    assert sink.asked_count == 0


def test_what_fails_is_tried_again_and_given_up_and_sent_on_demand(
    sandbox: Sandbox, sink: Sink, posts: list[Post]
) -> None:
    posts.append(post := Post(sandbox, AlertChannel("ops", sink.url)))
    sink.statuses = [500, 503]
    fail_tool(sandbox)
    post.until("sent")
    assert (sink.asked_count, len(sink.taken)) == (3, 1)
    sink.statuses = [500] * 3
    post.now += timedelta(hours=1)
    sandbox.spans({"id": 9, "trace": 9, "at_ms": 3_600_000, "attributes": TOOL, "status": "ERROR"})
    sandbox.connection.execute("update store.alerts set noticed_at = fired_at where trace_id like '%9'")
    post.until("dead", "sent")
    ((error,),) = sandbox.connection.execute("select error from alert_deliveries where state = 'dead'").fetchall()
    assert "500" in error
    assert resend_alerts({"alert_id": None})(sandbox.ingest) == {"message_count": 1}
    post.until("sent", "sent")
    assert len(sink.taken) == 2


def test_a_sink_that_does_not_answer_holds_up_nobody(sandbox: Sandbox, sink: Sink, posts: list[Post]) -> None:
    posts.append(post := Post(sandbox, AlertChannel("ops", sink.url), alert_attempts=1))
    post.courier.close()
    post.start(timeout_s=1.0)
    sink.delay_s = 30.0
    fail_tool(sandbox)
    post.until("dead")
    assert "did not answer within 1 s" in sandbox.row("select error from alert_deliveries")["error"]


def test_after_a_kill_what_was_being_sent_is_sent_and_nothing_else(
    sandbox: Sandbox, sink: Sink, posts: list[Post]
) -> None:
    posts.append(post := Post(sandbox, AlertChannel("ops", sink.url)))
    fail_tool(sandbox)
    post.until("sent")
    sandbox.spans({"id": 5, "trace": 5, "attributes": TOOL | {"error.type": "Other"}, "status": "ERROR"})
    post.courier.close()
    post.turn()
    assert post.states() == ["sending", "sent"]
    sandbox.restart()
    post.start()
    post.until("sent", "sent")
    assert len(sink.taken) == 2
    assert len({body.splitlines()[1] for body in sink.bodies()}) == 2


def test_repeats_within_the_cool_down_and_snoozed_ones_are_not_sent(
    sandbox: Sandbox, sink: Sink, posts: list[Post]
) -> None:
    posts.append(post := Post(sandbox, AlertChannel("ops", sink.url)))
    for trace in range(1, 6):
        fail_tool(sandbox, trace)
    post.until("sent", *["muted"] * 4)
    alert_id = sandbox.row("select min(alert_id) as id from alerts")["id"]
    assert snooze_alert({"alert_id": alert_id, "for_s": 3600})(sandbox.ingest)["rule"] == "failed_tool_call"
    assert {row["state"] for row in sandbox.rows("select state from alerts")} == {"snoozed"}
    sandbox.spans({"id": 8, "trace": 8, "at_ms": 1_200_000, "attributes": TOOL, "status": "ERROR"})
    sandbox.connection.execute("update store.alerts set noticed_at = fired_at")
    post.until("sent", *["muted"] * 5)
    assert sandbox.row("select count(*) as n from alert_deliveries where error = 'snoozed'") == {"n": 1}
    assert len(sink.taken) == 1


def test_what_fired_long_ago_is_not_sent(sandbox: Sandbox, sink: Sink, posts: list[Post]) -> None:
    posts.append(post := Post(sandbox, AlertChannel("ops", sink.url)))
    post.now += timedelta(hours=3)
    fail_tool(sandbox)
    post.turn()
    assert post.states() == []


@pytest.mark.parametrize("status", [200, 302])
def test_private_targets_are_refused_unless_allowed(
    status: int, sandbox: Sandbox, sink: Sink, posts: list[Post]
) -> None:
    """Also by name, and by a redirect: the address is looked at as the connection is made."""
    sink.statuses = [status]
    named = sink.url.replace("127.0.0.1", "localhost")
    posts.append(post := Post(sandbox, AlertChannel("ops", named), alert_private_targets=False, alert_attempts=1))
    fail_tool(sandbox)
    post.until("dead")
    assert sink.asked_count == 0


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:169.254.169.254", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:7f00:1::", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_what_a_public_address_is(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefghijklmnop1234",
        "ghp_abcdefghijklmnopqrstuvwx",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
        "Bearer abc.def",
        "password=hunter2",
        "ann@example.com",
        "4111 1111 1111 1111",
        "https://user:pw@host/",
        "q9Xb2mK7Lp0Zr4Ts8Vw1Yc3Nd5Fg6Hj0",
    ],
)
def test_messages_hold_no_secrets(secret: str) -> None:
    told = redacted(f"Tool call failed: fetch {secret} now")
    assert "[redacted]" in told
    assert secret.rsplit(maxsplit=1)[-1].split("@", maxsplit=1)[0] not in told


def test_messages_hold_nothing_that_a_chat_obeys() -> None:
    facts = AlertFacts(
        "id", "key", "r", "critical", "<!channel> @here\n`x` <http://evil|ok>", datetime(2026, 1, 1), None, None
    )
    body = message_of(facts, "ops", "http://127.0.0.1:8501").body
    assert not set("<>`@") & set(body)
    assert len(body.splitlines()) == 3
    assert len(redacted("x " * 999)) == 500


def test_channels_come_from_the_settings_file_and_reach_child_processes(tmp_path: Path) -> None:
    (tmp_path / "spandeck.toml").write_text(
        '[[alert_channels]]\nname = "ops"\nurl = "json://host/x"\nseverity = "error"\nrules = ["cost_*"]\n'
    )
    settings = Settings.from_environment({}, tmp_path)
    assert settings.alert_channels == (AlertChannel("ops", "json://host/x", "error", ("cost_*",)),)
    assert Settings.from_environment(settings.environment(), tmp_path / "none") == settings
    assert replace(settings, alert_channels=()).validate().alert_channels == ()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[1]", "list of tables"),
        ("{", "must be"),
        ('[{"name": "a", "url": "no-url-s3cret"}]', "url such as"),
        ('[{"name": "a b", "url": "json://s3cret"}]', "with a name"),
        ('[{"name": "a", "url": "json://s3cret", "severity": "loud"}]', "severity"),
        ('[{"name": "a", "url": "json://s3cret", "to": 1}]', "no other keys"),
        ('[{"name": "a", "url": "json://s3cret"}, {"name": "a", "url": "json://s3cret"}]', "different names"),
    ],
)
def test_wrong_channels_are_named_without_their_url(text: str, word: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=word) as caught:
        Settings.from_environment({"SPANDECK_ALERT_CHANNELS": text}, tmp_path)
    assert "s3cret" not in str(caught.value)


def test_a_channel_that_is_gone_gives_its_messages_up() -> None:
    courier = Courier(read_channels([]), private_targets=False)
    facts = AlertFacts("id", "key", "r", "error", "m", datetime.now(UTC), None, None)
    courier.submit(message_of(facts, "gone", "http://127.0.0.1"))
    results: list[Any] = []

    def has_result() -> bool:
        results.extend(courier.take_results())
        return bool(results)

    eventually(has_result)
    courier.close()
    assert "no longer" in results[0].error


def test_without_the_library_that_sends_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    assert what_is_missing() is None
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert what_is_missing() == "apprise is not installed: pip install 'spandeck[alerts]'."
