"""Parts of content: their join is the text, what grew shares them, and the cap keeps both ends."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spandeck_collector.store.content_parts import GAP, KnownParts, content_hash, shorten, split

pytestmark = pytest.mark.unit

HOUR_US = 3_600_000_000
_PIECES = st.sampled_from(
    ['{"a": "', '"}, {', "}", "},", " , {", "]", '], "', "\n", "é€🦀", "x" * 700, "🦀" * 1_500, "{"]
)
_TEXTS = st.lists(_PIECES | st.text(max_size=40), max_size=60).map("".join)


@given(_TEXTS)
def test_the_join_of_the_parts_is_the_text(text: str) -> None:
    data = text.encode()
    parts = split(data)
    assert b"".join(parts) == data
    for part in parts:
        part.decode()
    assert all(512 < len(part) <= 4_096 for part in parts[:-1])
    assert len(parts[-1]) <= 4_096


@given(_TEXTS, st.integers(0, 9_000))
def test_what_is_too_long_keeps_its_beginning_and_its_end(text: str, most_bytes: int) -> None:
    data = text.encode()
    if len(data) <= most_bytes:
        return
    parts = shorten(split(data), most_bytes)
    assert sum(map(len, parts)) <= most_bytes + len(GAP)
    head, _, tail = b"".join(parts).partition(GAP)
    assert data.startswith(head)
    assert data.endswith(tail)
    for part in parts:
        part.decode()
    if len(data) > 1_024 and most_bytes > 16:
        assert head
        assert tail


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")], ids=["narrow", "wide"])
@pytest.mark.parametrize(
    "wrap", ["{}", '{{"messages": {}}}', '{{"messages": {}, "model": "m"}}'], ids=["list", "object", "more"]
)
def test_a_conversation_that_grew_shares_all_parts_but_the_end(separators: tuple[str, str], wrap: str) -> None:
    dice = random.Random(3)
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "w " * dice.randint(300, 900)}]} for _ in range(30)
    ]
    texts = [wrap.format(json.dumps(messages[:count], separators=separators)).encode() for count in (29, 30)]
    before, after = (split(text) for text in texts)
    assert set(before[:-1]) <= set(after)
    assert len(before[-1]) < 20


def test_lines_that_were_added_leave_the_parts_before_them() -> None:
    lines = [f"line {number} " + "x" * (number % 90) + "\n" for number in range(400)]
    before, after = (split("".join(lines[:count]).encode()) for count in (300, 400))
    assert before[:-1] == after[: len(before) - 1]


def test_a_text_without_any_boundary_shares_its_blocks() -> None:
    before, after = split(b"y" * 20_000), split(b"y" * 21_000)
    assert before[:4] == after[:4]


def test_megabytes_without_a_boundary_are_cut_in_linear_time() -> None:
    for piece in (b"}", b"} ", b"},", b"}] ", b"{"):
        data = b"[" + piece * (4_000_000 // len(piece))
        assert sum(map(len, split(data))) == len(data)


def test_equal_texts_have_equal_hashes_of_128_bits() -> None:
    assert content_hash(b"a") == content_hash(b"a") != content_hash(b"b")
    assert len(content_hash(b"")) == 32


def test_known_parts_hold_for_one_hour() -> None:
    known = KnownParts()
    known.add([(HOUR_US, "a"), (HOUR_US, "b")])
    assert known.has(HOUR_US, "a")
    assert not known.has(HOUR_US, "c")
    assert not known.has(2 * HOUR_US, "a")
    known.add([(2 * HOUR_US, "c"), (HOUR_US, "d")])
    assert not known.has(HOUR_US, "a")
    assert not known.has(HOUR_US, "d")
    assert known.has(2 * HOUR_US, "c")


def test_known_parts_are_bounded_and_what_is_used_stays() -> None:
    known = KnownParts(most=10)
    known.add([(HOUR_US, "used")])
    for number in range(1_000):
        known.add([(HOUR_US, str(number))])
        assert known.has(HOUR_US, "used")
    remembered = [number for number in range(1_000) if known.has(HOUR_US, str(number))]
    assert len(remembered) <= 20
    assert remembered[-1] == 999
