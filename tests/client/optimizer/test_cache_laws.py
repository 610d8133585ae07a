"""Laws of the cache, whatever is put into it: its bound, its time, and walls between tenants."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spandeck import Cache
from spandeck.optimizer.entries import Mode

pytestmark = pytest.mark.unit

PROMPTS = st.sampled_from(
    ["How do I open the door?", "how can i open the door", "Is it raining?", "Track order 5", "Track order 6", "öl", ""]
)
TENANTS = st.sampled_from(["a", "b", "ab", None])
Steps = list[tuple[str, str, str | None, float]]
MODES: tuple[Mode, ...] = ("exact", "verified")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), PROMPTS, TENANTS, st.floats(0.5, 20)),
        st.tuples(st.just("get"), PROMPTS, TENANTS, st.just(0.0)),
        st.tuples(st.just("discard"), PROMPTS, TENANTS, st.just(0.0)),
        st.tuples(st.just("wait"), st.just(""), st.none(), st.floats(0, 15)),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(steps=STEPS, bound=st.integers(1, 5), mode=st.sampled_from(MODES))
def test_whatever_happens_a_hit_is_fresh_of_its_tenant_and_put_last(
    steps: list[tuple[str, str, str | None, float]], bound: int, mode: Mode
) -> None:
    now = [0.0]
    cache = Cache(mode=mode, max_entries=bound, clock=lambda: now[0])
    last: dict[tuple[str, str | None], tuple[int, float]] = {}
    for number, (action, prompt, tenant, amount) in enumerate(steps):
        if action == "put":
            cache.put(prompt, number, ttl=amount, tenant=tenant)
            last[prompt, tenant] = number, now[0] + amount
        elif action == "discard":
            cache.discard(prompt, tenant=tenant)
            last.pop((prompt, tenant), None)
        elif action == "wait":
            now[0] += amount
        elif (hit := cache.get(prompt, tenant=tenant)) is not None:
            value, expires_at = last[hit.prompt, tenant]
            assert hit.value == value
            assert now[0] < expires_at
            assert mode == "verified" or hit.prompt == prompt
        assert cache.stats.entries <= bound


@settings(max_examples=100, deadline=None, derandomize=True)
@given(prompt=st.text(max_size=80), one=st.text(max_size=5), other=st.text(max_size=5), model=st.text(max_size=5))
def test_what_one_tenant_stored_no_other_reads(prompt: str, one: str, other: str, model: str) -> None:
    cache = Cache()
    cache.put(prompt, 1, tenant=one, model=model)
    hit = cache.get(prompt, tenant=other, model=model)
    assert (hit is not None) == (one == other)
    assert one == model or cache.get(prompt, tenant=model, model=one) is None
