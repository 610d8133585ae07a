"""The answer cache: what hits, what never does, and what happens when a part of it fails."""

import asyncio
import threading
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from spandeck import Cache, SqliteStore
from spandeck.optimizer import Embedder, Store

pytestmark = pytest.mark.unit

QUESTION, REWORDED = "How do I rename a branch in git?", "In git, how can I rename a branch?"
OTHER = "How do I delete a branch in git?"


@dataclass
class Time:
    """A clock that stands until it is told to go on."""

    now_s: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now_s


class Letters:
    """A small embedding model: how often each letter pair stands in the text."""

    def encode(self, texts: list[str]) -> list[list[float]]:
        return [[float(text.lower().count(a + b)) for a in "aeiou dnrst" for b in "aeiou dnrst"] for text in texts]


class Broken:
    """A store and a model that always fail."""

    def get(self, key: str) -> str | None:
        raise OSError("the disk is gone")

    def set(self, key: str, content: str, ttl_s: float) -> None:
        raise OSError("the disk is gone")

    def encode(self, texts: list[str]) -> Any:
        raise RuntimeError("the model is gone")


def test_the_exact_prompt_hits_with_score_kind_and_age() -> None:
    clock = Time()
    cache = Cache(mode="exact", clock=clock)
    cache.put(QUESTION, "git branch -m", cost_usd=0.02)
    clock.now_s += 12
    hit = cache.get(QUESTION)
    assert hit is not None
    assert (hit.value, hit.score, hit.kind, hit.age_s, hit.stale) == ("git branch -m", 1.0, "exact", 12.0, False)
    assert (hit.prompt, hit.saved_usd) == (QUESTION, 0.02)
    assert cache.get(REWORDED) is None


def test_the_verified_mode_hits_on_the_same_question_in_other_words() -> None:
    cache = Cache(mode="verified")
    cache.put(QUESTION, "git branch -m")
    hit = cache.get(REWORDED)
    assert hit is not None
    assert (hit.value, hit.score, hit.kind) == ("git branch -m", 1.0, "verified")
    assert cache.get(OTHER) is None


def test_no_similarity_alone_ever_hits() -> None:
    """A long prompt that differs in one digit is 99 % alike, and another question."""
    cache = Cache(mode="semantic", threshold=0.5, embedder=Letters())
    prompt = "Please tell me where the parcel with the number 448213 is and when the parcel will be at my door"
    cache.put(prompt, "in Rome")
    assert cache.get(prompt.replace("448213", "448231")) is None
    assert cache.get(prompt) is not None


def test_the_semantic_mode_bridges_words_that_one_side_has_alone() -> None:
    cache = Cache(mode="semantic", threshold=0.9, embedder=Letters())
    cache.put("How do I rename a branch in my git repository?", "git branch -m")
    hit = cache.get("How do I quickly rename a branch in my git repository?")
    assert hit is not None
    assert hit.kind == "semantic"
    assert 0.9 <= hit.score < 1
    assert cache.get("How do I never rename a branch in my git repository?") is None


@pytest.mark.parametrize(
    "key",
    [
        {"tenant": "b"},
        {"tenant": "a", "model": "claude-opus-4-5"},
        {"tenant": "a", "system": "Answer in French."},
        {"tenant": "a", "tools": [{"name": "search"}]},
        {"tenant": "a", "temperature": 0.7},
        {"tenant": "a", "user": "u-1"},
        {},
    ],
)
@pytest.mark.parametrize("prompt", [QUESTION, REWORDED])
def test_any_other_key_misses(key: dict[str, Any], prompt: str) -> None:
    cache = Cache()
    cache.put(QUESTION, "git branch -m", tenant="a")
    assert cache.get(prompt, **key) is None
    assert cache.get(prompt, tenant="a") is not None
    assert cache.get(prompt, tenant="a", model=None) is not None


def test_the_temperature_counts_in_tenths() -> None:
    cache = Cache()
    cache.put(QUESTION, "x", temperature=0)
    assert cache.get(QUESTION, temperature=0.04) is not None
    assert cache.get(QUESTION, temperature=0.1) is None


def test_an_answer_is_served_before_its_time_is_over_and_not_from_then_on() -> None:
    clock = Time()
    cache = Cache(clock=clock)
    cache.put(QUESTION, "x")
    clock.now_s += 3_599.9
    assert cache.get(QUESTION) is not None
    assert cache.get(REWORDED) is not None
    clock.now_s += 0.2
    assert cache.get(QUESTION) is None
    assert cache.get(REWORDED) is None


def test_a_stale_answer_is_served_only_where_it_is_allowed_and_says_so() -> None:
    clock = Time()
    cache = Cache(ttl=10, keep_stale=100, clock=clock)
    cache.put(QUESTION, "old")
    clock.now_s += 50
    assert cache.get(REWORDED) is None
    for prompt in (QUESTION, REWORDED):
        hit = cache.get(prompt, allow_stale=True)
        assert hit is not None
        assert hit.stale
        assert hit.age_s == 50
    clock.now_s += 61
    assert cache.get(QUESTION, allow_stale=True) is None


def test_an_answer_can_have_a_time_of_its_own() -> None:
    clock = Time()
    cache = Cache(clock=clock)
    cache.put(QUESTION, "x", ttl=5)
    clock.now_s += 6
    assert cache.get(QUESTION) is None


def test_the_1001st_answer_lets_the_first_go() -> None:
    cache = Cache(mode="exact")
    for number in range(1_001):
        cache.put(f"question {number}", number)
    assert cache.get("question 0") is None
    assert cache.get("question 1") is not None
    assert cache.stats.entries == 1_000
    assert cache.stats.evictions == 1


def test_the_least_recently_used_goes_first() -> None:
    cache = Cache(max_entries=2)
    cache.put("first question", 1)
    cache.put("second question", 2)
    assert cache.get("first question") is not None
    cache.put("third question", 3)
    assert cache.get("second question") is None
    assert cache.get("first question") is not None


def test_a_conversation_hits_only_with_the_same_history() -> None:
    cache = Cache()
    history = [{"role": "user", "content": "I use Netflix."}, {"role": "assistant", "content": "Noted."}]
    cache.put([*history, {"role": "user", "content": "How do I cancel it?"}], "At netflix.com")
    assert cache.get([*history, {"role": "user", "content": "How can I cancel it?"}]) is not None
    gym = [{"role": "user", "content": "I use the gym."}, history[1]]
    assert cache.get([*gym, {"role": "user", "content": "How do I cancel it?"}]) is None
    assert cache.get("How do I cancel it?") is None


def test_a_last_message_that_is_no_plain_text_hits_only_to_the_letter() -> None:
    cache = Cache()
    result = {"role": "tool", "tool_call_id": "1", "content": "How do I rename a branch in git?"}
    cache.put([result], "x")
    assert cache.get([result]) is not None
    assert cache.get([{**result, "content": REWORDED}]) is None


def test_a_shadow_cache_misses_always_and_counts_what_it_would_have_served() -> None:
    cache = Cache(shadow=True)
    cache.put(QUESTION, "x")
    assert cache.get(QUESTION) is None
    assert cache.get(OTHER) is None
    assert (cache.stats.lookups, cache.stats.hits, cache.stats.shadow_hits) == (2, 0, 1)


def test_neither_side_can_change_what_the_other_holds() -> None:
    cache = Cache()
    value = {"tools": ["a"]}
    cache.put(QUESTION, value)
    value["tools"].append("b")
    hit = cache.get(QUESTION)
    assert hit is not None
    assert hit.value == {"tools": ["a"]}
    hit.value["tools"].clear()
    again = cache.get(QUESTION)
    assert again is not None
    assert again.value == {"tools": ["a"]}


def test_an_answer_can_be_taken_back() -> None:
    cache = Cache()
    cache.put(QUESTION, "wrong")
    hit = cache.get(REWORDED)
    assert hit is not None
    cache.discard(hit.prompt)
    assert cache.get(QUESTION) is None
    assert cache.get(REWORDED) is None


def test_what_json_does_not_have_is_not_cached_and_nothing_is_raised() -> None:
    cache = Cache()
    cache.put(QUESTION, "x", tools=object())
    assert cache.get(QUESTION, tools=object()) is None
    assert cache.get(QUESTION, temperature=float("nan")) is None
    assert cache.get([]) is None
    assert cache.get_or_make(QUESTION, lambda: 7, tools=object()) == 7
    assert cache.stats.entries == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"mode": "fuzzy"}, "Cache mode 'fuzzy' is unknown: use one of exact, verified, semantic."),
        ({"ttl": 0}, "ttl is 0 s"),
        ({"max_entries": 0}, "max_entries is 0"),
        ({"threshold": 1.5}, "threshold is 1.5"),
        ({"mode": "semantic"}, "needs embedder="),
    ],
)
def test_a_setting_out_of_range_is_a_sentence(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Cache(**settings)


def test_a_store_serves_the_next_process_exactly_and_verified(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "cache.db")) as store:
        Cache(store=store).put(QUESTION, {"a": [1]}, tenant="t", cost_usd=0.5)
    with closing(SqliteStore(tmp_path / "cache.db")) as store:
        for prompt, kind in ((QUESTION, "exact"), (REWORDED, "verified")):
            hit = Cache(store=store).get(prompt, tenant="t")
            assert hit is not None
            assert (hit.value, hit.kind, hit.saved_usd) == ({"a": [1]}, kind, 0.5)
        later = Cache(store=store)
        assert later.get(OTHER, tenant="t") is None
        assert later.get(QUESTION, tenant="u") is None
        later.discard(QUESTION, tenant="t")
        assert Cache(store=store).get(REWORDED, tenant="t") is None


def test_a_value_that_json_would_change_stays_in_memory(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "cache.db")) as store:
        cache = Cache(store=store)
        cache.put(QUESTION, ("a", "tuple"))
        hit = cache.get(QUESTION)
        assert hit is not None
        assert hit.value == ("a", "tuple")
        assert Cache(store=store).get(QUESTION) is None


def test_the_store_is_bounded_private_and_forgets_what_is_over(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    with closing(SqliteStore(path, max_entries=3)) as store:
        for number in range(9):
            store.set(f"k{number}", "x", 60)
        assert [number for number in range(9) if store.get(f"k{number}")] == [6, 7, 8]
        store.set("k8", "x", -1)
        assert store.get("k8") is None
        assert path.stat().st_mode & 0o077 == 0
        assert isinstance(store, Store)


def test_the_cache_goes_on_when_its_store_and_its_model_fail() -> None:
    broken = Broken()
    assert isinstance(broken, Embedder)
    cache = Cache(mode="semantic", embedder=broken, store=broken)
    cache.put(QUESTION, "x")
    assert cache.get(REWORDED) is not None
    assert cache.get(OTHER) is None
    cache.discard(QUESTION)
    assert cache.get(QUESTION) is None


def test_threads_that_ask_at_once_make_the_answer_once() -> None:
    cache, made, together = Cache(), [], threading.Barrier(8)

    def make() -> str:
        made.append(1)
        threading.Event().wait(0.05)
        return "x"

    def ask() -> None:
        together.wait()
        assert cache.get_or_make(QUESTION, make, tenant="t") == "x"

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


async def test_tasks_that_ask_at_once_make_the_answer_once_and_one_may_be_cancelled(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cache.db")
    cache, made = Cache(store=store), []

    begun, go = asyncio.Event(), asyncio.Event()

    async def make() -> list[int]:
        made.append(1)
        begun.set()
        await go.wait()
        return [1]

    leader = asyncio.create_task(cache.aget_or_make(QUESTION, make))
    await begun.wait()
    tasks = [leader, *(asyncio.create_task(cache.aget_or_make(QUESTION, make)) for _ in range(4))]
    await asyncio.sleep(0)
    tasks[4].cancel()
    go.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert answers[:4] == [[1]] * 4
    assert isinstance(answers[4], asyncio.CancelledError)
    assert len(made) == 1
    assert len({id(answer) for answer in answers}) == 5
    assert (await cache.aget(QUESTION)) is not None
    await cache.aput(OTHER, 2)
    assert (await cache.aget(OTHER)) is not None
    store.close()


async def test_when_the_task_that_makes_the_answer_is_cancelled_another_makes_it() -> None:
    cache, made = Cache(), []

    async def make() -> str:
        made.append(1)
        await asyncio.sleep(0.02)
        return "x"

    first = asyncio.create_task(cache.aget_or_make(QUESTION, make))
    second = asyncio.create_task(cache.aget_or_make(QUESTION, make))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "x"
    assert len(made) == 2


def test_an_error_of_the_maker_passes_unchanged_and_is_not_cached() -> None:
    cache, error = Cache(), KeyError("boom")

    def fail() -> str:
        raise error

    with pytest.raises(KeyError) as raised:
        cache.get_or_make(QUESTION, fail)
    assert raised.value is error
    assert cache.get_or_make(QUESTION, lambda: "x") == "x"


def test_an_answer_that_asks_for_itself_does_not_wait_for_itself() -> None:
    cache = Cache()
    assert cache.get_or_make(QUESTION, lambda: cache.get_or_make(QUESTION, lambda: "inner")) == "inner"
