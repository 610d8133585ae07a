"""Two questions are the same when no rule objects; each rule has pairs that only it tells apart."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spandeck.optimizer.meaning import LONGEST_CHARACTERS, Meaning, understand
from spandeck.optimizer.verifier import reject_rule

pytestmark = pytest.mark.unit

REPEATABLE = settings(deadline=None, derandomize=True)


def meaning(text: str) -> Meaning:
    understood = understand(text)
    assert understood is not None
    return understood


def rule(cached: str, asked: str, *, same_words: bool = True) -> str | None:
    return reject_rule(meaning(cached), meaning(asked), same_words=same_words)


@pytest.mark.parametrize(
    ("cached", "asked"),
    [
        ("How do I close my account?", "how can I close my account"),
        ("How do I close my account?", "Hi, please tell me how to close my account. Thanks!"),
        ("What is the speed limit in Spain?", "What's the speed limit in Spain"),
        ("Where can I find my invoices?", "Where do I find my invoice?"),
        ("In Rust, how do I read a file?", "How do I read a file in Rust?"),
        ("Is there a way to pause the timer?", "How do I pause the timer?"),
        ("Why doesn't the lamp work?", "Why does the lamp not work?"),
        ("What colour is a robin?", "what color is a robin?"),
        ("What does 1,000 g cost?", "What does 1000g cost?"),
        ("Explain photosynthesis", "What is photosynthesis?"),
        ("What is the difference between a fox and a wolf?", "What is the difference between a wolf and a fox?"),
    ],
)
def test_the_same_question_in_other_words_passes(cached: str, asked: str) -> None:
    assert rule(cached, asked) is None


@pytest.mark.parametrize(
    ("name", "cached", "asked"),
    [
        ("numbers", "What is 12% of 80?", "What is 21% of 80?"),
        ("numbers", "Track parcel 7741", "Track parcel 7714"),
        ("numbers", "What is 9 - 4?", "What is 4 - 9?"),
        ("numbers", "What is 9 + 4?", "What is 9 * 4?"),
        ("numbers", "Is the meeting at 5 am?", "Is the meeting at 5 pm?"),
        ("negation", "Which plants are poisonous?", "Which plants are not poisonous?"),
        ("negation", "Why can I see the file?", "Why can't I see the file?"),
        ("negation", "Can I drive without a licence?", "Can I drive with a licence?"),
        ("antonym", "How do I lock the door?", "How do I unlock the door?"),
        ("antonym", "How do I upload the file?", "How do I download the file?"),
        ("entity", "Who is the mayor of Oslo?", "Who is the mayor of Bergen?"),
        ("entity", "Is the IT room open?", "Is it open, the room?"),
        ("quantifier", "Show all invoices", "Show most invoices"),
        ("time", "Is the bank open today?", "Is the bank open on Monday?"),
        ("question", "When is the concert?", "Where is the concert?"),
        ("question", "Does the app sync?", "How does the app sync?"),
        ("modal", "Should I wash the wool?", "Can I wash the wool?"),
        ("modal", "What was the rent?", "What is the rent?"),
        ("person", "What is my limit?", "What is your limit?"),
        ("direction", "Trains from Kiel to Bonn", "Trains from Bonn to Kiel"),
        ("direction", "Messages from Anna in the inbox", "Messages to Anna in the inbox"),
        ("direction", "Is the fox faster than the wolf?", "Is the wolf faster than the fox?"),
        ("connective", "Do I need the form and the card?", "Do I need the form or the card?"),
        ("order", "Did the fox chase the wolf?", "Did the wolf chase the fox?"),
        ("order", "Where is the guest house?", "Where is the house guest?"),
        ("content_words", "How do I bake rye bread?", "How do I freeze rye bread?"),
        ("verbatim", 'Who said "to be" first?', 'Who said "to do" first?'),
        ("verbatim", "Fix the style: it were good", "Fix the style: it was good"),
        ("literal", "How do you say please in Danish?", "How do you say thank you in Danish?"),
        ("numbers", "Track parcel 7", "Track parcel 8"),
        ("literal", "Fahrt von Kiel nach Bonn", "Fahrt von Bonn nach Kiel"),
        ("literal", "¿Está abierto el museo?", "¿Está cerrado el museo?"),
    ],
)
def test_each_rule_refuses_by_its_name(name: str, cached: str, asked: str) -> None:
    assert rule(cached, asked) == name
    assert rule(asked, cached) == name


def test_a_model_may_bridge_words_on_one_side_but_never_a_swap() -> None:
    """As the semantic mode asks: one question may say more, both must not."""
    assert rule("How do I close my account?", "How do I close my account for good?", same_words=False) is None
    assert rule("How do I bake rye bread?", "How do I freeze rye bread?", same_words=False) == "swap"
    assert rule("Which plants are poisonous?", "Which plants are not poisonous?", same_words=False) == "negation"


def test_long_texts_and_texts_without_words_have_no_meaning() -> None:
    assert understand("word " * LONGEST_CHARACTERS) is None
    assert understand(" ?! ") is None


def test_code_must_be_the_same_to_the_letter() -> None:
    one, other = "What does this do?\nif x:\n  y()", "What does this do?\nif x:\n    y()"
    assert rule(one, other) == "verbatim"


VOCABULARY = """how do i the a what is not can my to from all two 5 Rome Oslo open close door before , ? and or 'x'"""
WORDS = st.sampled_from(VOCABULARY.split())
TEXTS = st.lists(WORDS, min_size=1, max_size=9).map(" ".join) | st.text(min_size=1, max_size=60)


@REPEATABLE
@given(TEXTS, TEXTS)
def test_the_rules_object_in_both_directions_alike(one: str, other: str) -> None:
    left, right = understand(one), understand(other)
    if left is not None and right is not None:
        assert (reject_rule(left, right) is None) == (reject_rule(right, left) is None)


@REPEATABLE
@given(TEXTS)
def test_every_question_is_the_same_as_itself(text: str) -> None:
    understood = understand(text)
    assert understood is None or reject_rule(understood, understood) is None
