"""What a call costs: by rates, by the packaged price list, and unknown where it is unknown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spandeck import Rate, Rates, Usage
from spandeck.genai_price_book import GenaiPrices

pytestmark = pytest.mark.unit

TOKENS = st.integers(0, 10**7)


def test_cached_tokens_have_their_own_rates() -> None:
    rates = Rates({"m": Rate(3.0, 15.0, cache_read_usd_per_mtok=0.3, cache_write_usd_per_mtok=3.75)})
    usage = Usage(1_000_000, 100_000, cache_read_tokens=600_000, cache_write_tokens=200_000)
    assert rates.cost("m", None, usage) == pytest.approx(0.2 * 3.0 + 0.6 * 0.3 + 0.2 * 3.75 + 0.1 * 15.0)


@pytest.mark.parametrize("usage", [Usage(), Usage(5), Usage(None, 5)])
def test_unknown_tokens_have_no_price(usage: Usage) -> None:
    assert Rates({"m": Rate(1.0, 1.0)}).cost("m", None, usage) is None


def test_an_unknown_model_has_no_price() -> None:
    assert Rates({"m": Rate(1.0, 1.0)}).cost("n", None, Usage(1, 1)) is None


@given(read=TOKENS, written=TOKENS, fresh=TOKENS, output=TOKENS)
def test_cost_grows_with_every_bucket(read: int, written: int, fresh: int, output: int) -> None:
    rates = Rates({"m": Rate(3.0, 15.0, 0.3, 3.75)})
    cost = rates.cost("m", None, Usage(read + written + fresh, output, read, written))
    more = rates.cost("m", None, Usage(read + written + fresh + 1, output + 1, read, written))
    assert cost is not None
    assert more is not None
    assert 0 <= cost < more


def test_the_packaged_list_knows_models_and_says_when_it_does_not() -> None:
    book = GenaiPrices()
    cost = book.cost("claude-sonnet-4-5", "anthropic", Usage(1_000, 500))
    assert cost == pytest.approx(0.0105)
    assert book.cost("claude-sonnet-4-5", "a proxy nobody knows", Usage(1_000, 500)) == cost
    assert book.cost("no-such-model-at-all", None, Usage(1_000, 500)) is None
    assert book.cost("claude-sonnet-4-5", None, Usage(1_000)) is None
