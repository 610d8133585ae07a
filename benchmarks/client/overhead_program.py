"""The measured program: an agent whose model answers at once, so that all the time is ours; prints JSON, then ends."""

import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import spandeck
from spandeck import Agent, Cache, Guard
from spandeck.guard import Guard as GuardType

_SENTENCE = (
    "please check whether the order that was placed last week has left the warehouse in the north and tell the "
    "customer when the parcel will arrive because the address was changed after the payment and nobody confirmed it"
)
_PROMPT_CHARACTERS = 1_024
_ROUNDS = 5
_ANSWER = {
    "type": "message",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": "It left on Friday. " * 10}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 260, "output_tokens": 50},
}


@dataclass(frozen=True)
class Timing:
    """Microseconds of one call by quantile: wall clock, and CPU of the calling thread."""

    p50_us: float
    p99_us: float
    longest_us: float
    cpu_p50_us: float
    cpu_p99_us: float


def main() -> None:
    """Measure `count` calls of each kind, print the figures and the moment, and leave the rest to the exit."""
    count = int(sys.argv[1])
    telemetry = spandeck.configure(service_name="overhead", print_alerts=False)
    prompts = _prompts(2 * count + 200)
    guard, cache = Guard.default(), Cache(max_entries=10_000)
    agent = Agent("desk", lambda request: _ANSWER, guard=guard, cache=cache, model="claude-sonnet-4-5")
    parts = _parts(guard, cache)
    for _ in range(100):
        parts(prompts.pop())
        agent.run(prompts.pop())
    figures = {
        "monitor_guard_cache": asdict(_timed(parts, [prompts.pop() for _ in range(count)])),
        "agent_run": asdict(_timed(agent.run, [prompts.pop() for _ in range(count)])),
        "dropped": telemetry.dropped,
    }
    print(json.dumps({**figures, "ended_at": time.time()}), flush=True)


def _parts(guard: GuardType, cache: Cache) -> Callable[[str], object]:
    """What the monitor, the guard and a cache miss add to one call of a model."""

    def call(prompt: str) -> None:
        with spandeck.request("desk", session_id="s") as request:
            guard.check(prompt, source="user")
            cache.get(prompt, model="claude-sonnet-4-5")
            with request.llm_call("claude-sonnet-4-5") as answer:
                answer.usage(input_tokens=260, output_tokens=50)

    return call


def _timed(call: Callable[[str], object], prompts: list[str]) -> Timing:
    """The least disturbed of the rounds: what others do on the machine is not the client's."""
    size = len(prompts) // _ROUNDS
    rounds = [_round(call, prompts[start : start + size]) for start in range(0, size * _ROUNDS, size)]
    return min(rounds, key=lambda timing: timing.p99_us)


def _round(call: Callable[[str], object], prompts: list[str]) -> Timing:
    """One call after the other, with a wait between as for a model."""
    wall, cpu = [], []
    for prompt in prompts:
        at, cpu_at = time.perf_counter_ns(), time.thread_time_ns()
        call(prompt)
        cpu.append((time.thread_time_ns() - cpu_at) / 1e3)
        wall.append((time.perf_counter_ns() - at) / 1e3)
        time.sleep(0.001)
    wall.sort()
    cpu.sort()
    return Timing(_at(wall, 0.5), _at(wall, 0.99), round(wall[-1], 1), _at(cpu, 0.5), _at(cpu, 0.99))


def _at(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


def _prompts(count: int) -> list[str]:
    """Questions of 1 KB, no two alike, the same in every run."""
    draw, vocabulary = random.Random(1), _SENTENCE.split()
    prompts = []
    for number in range(count):
        words = [f"Request {number}:"]
        while sum(map(len, words)) + len(words) < _PROMPT_CHARACTERS:
            words.append(draw.choice(vocabulary))
        prompts.append(" ".join(words)[:_PROMPT_CHARACTERS])
    return prompts


if __name__ == "__main__":
    main()
