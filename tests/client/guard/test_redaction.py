"""What redaction finds and leaves, that it can be applied again, and that placeholders lead back."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spandeck import Guard
from spandeck.guard import Placeholders, Redactor, Sensitive, StreamRedactor

pytestmark = pytest.mark.unit

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7bq98\nabcdEFGH1234\n-----END RSA PRIVATE KEY-----"
# Kind, and what must be found whole. No real secret: all are made up or documentation's own.
FOUND = [
    ("EMAIL", "jane.o'neil+news@mail.example.co.uk"),
    ("PHONE", "+44 20 7946 0958"),
    ("PHONE", "+49 (30) 901820"),
    ("PHONE", "555-123-4567"),
    ("PHONE", "(212) 555-0199"),
    ("PHONE", "212.555.0199"),
    ("PHONE", "212 555 0199"),
    ("CARD", "4111 1111 1111 1111"),
    ("CARD", "5500-0000-0000-0004"),
    ("CARD", "378282246310005"),
    ("SSN", "123-45-6789"),
    ("IBAN", "GB82 WEST 1234 5698 7654 32"),
    ("IBAN", "DE89370400440532013000"),
    ("IP", "203.0.113.7"),
    ("IP", "2001:db8::ff00:42:8329"),
    ("SECRET", "AKIAIOSFODNN7EXAMPLE"),
    ("SECRET", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"),
    ("SECRET", "ghp_" + "a1B2" * 9),
    ("SECRET", "xoxb-123456789012-abcdefghij"),
    ("SECRET", "AIza" + "Sy3" * 11 + "ab"),
    ("SECRET", "sk_live_" + "4eC39HqLyjWD"),
    ("SECRET", "sk-proj-" + "a1b2c3d4e5f6g7h8i9j0"),
    ("SECRET", "sk-ant-api03-" + "a1b2c3d4e5f6g7h8"),
    ("SECRET", KEY),
]
LEFT = [
    "The meeting is at 12:30:45 on 2024-11-24, room 4.",
    "Order 4111111111111112 shipped, invoice 123456789012.",
    "Version 1.2.3.4 of std::vector on 127.0.0.1 and ::1",
    "git clone git@github.com:org/repo.git",
    "api_key=os.environ['KEY'], token: str, password: required, max_tokens=4096",
    "postgres://user:<password>@host/db and https://host:8080/path",
    "000-12-3456, 666-12-3456, 900-12-3456",
    "GB00 WEST 1234 5698 7654 32",
    "pi is 3.14159265358979, phi 1.61803398874989",
    "@decorator and user@localhost",
]
REDACTOR = Redactor()


@pytest.mark.parametrize(("kind", "value"), FOUND)
def test_each_kind_is_found_whole_and_only_it(kind: str, value: str) -> None:
    text = f"Note: {value} is mine."
    redaction = REDACTOR.redact(text)
    assert redaction.spans == (Sensitive(6, 6 + len(value), kind),)
    assert redaction.text == f"Note: [{'CREDIT_CARD' if kind == 'CARD' else kind}] is mine."


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("postgres://app:s3cr3t@db/x", "postgres://app:[SECRET]@db/x"),
        ("DB_PASSWORD=hunter2!", "DB_PASSWORD=[SECRET]"),
        ('"api_key": "abc123def456"', '"api_key": "[SECRET]"'),
        ("The password is hunter22 ok", "The password is [SECRET] ok"),
        ("Authorization: Bearer abc.def1234567890ghi", "Authorization: Bearer [SECRET]"),
        (f"aws_secret_access_key = {'wJalrXUt' * 5}", "aws_secret_access_key = [SECRET]"),
    ],
)
def test_a_value_after_a_telling_name_goes_and_the_name_stays(text: str, redacted: str) -> None:
    assert REDACTOR.redact(text).text == redacted


@pytest.mark.parametrize("text", LEFT)
def test_clean_text_is_left_as_it_is(text: str) -> None:
    assert REDACTOR.redact(text).text == text


def test_pii_is_masked_by_the_names_of_the_seed() -> None:
    text = "a@b.example 555-123-4567 4111-1111-1111-1111 123-45-6789"
    assert Guard.default().redact(text).text == "[EMAIL] [PHONE] [CREDIT_CARD] [SSN]"


def test_invisible_characters_hide_nothing() -> None:
    text = "card 4111\u200b1111\u200b1111\u200b1111 end"
    redaction = REDACTOR.redact(text)
    assert redaction.text == "card [CREDIT_CARD] end"
    assert text[redaction.spans[0].start : redaction.spans[0].end] == text[5:-4]


def test_only_the_kinds_asked_for_are_looked_for() -> None:
    text = "a@b.example 123-45-6789"
    assert Redactor(kinds=["SSN"]).redact(text).text == "a@b.example [SSN]"
    with pytest.raises(ValueError, match=r"Kinds \['NAME'\] are unknown"):
        Redactor(kinds=["NAME"])
    with pytest.raises(ValueError, match="Mode 'hash' is unknown"):
        Redactor("hash")  # type: ignore[arg-type]


def test_the_same_value_has_the_same_placeholder_and_restoring_brings_it_back() -> None:
    kept = Placeholders()
    redactor = Redactor("placeholder")
    first = redactor.redact("From a@b.example to c@d.example", kept).text
    second = redactor.redact("Answer c@d.example", kept).text
    assert (first, second) == ("From <EMAIL_1> to <EMAIL_2>", "Answer <EMAIL_2>")
    assert kept.restore("I wrote to <EMAIL_2>, not <EMAIL_9>.") == "I wrote to c@d.example, not <EMAIL_9>."
    assert "c@d.example" not in repr(kept)


def test_a_literal_placeholder_is_never_minted_again() -> None:
    kept = Placeholders()
    text = "<EMAIL_1> is a placeholder, a@b.example an address"
    redacted = Redactor("placeholder").redact(text, kept).text
    assert redacted == "<EMAIL_1> is a placeholder, <EMAIL_2> an address"
    assert kept.restore(redacted) == text


class Names:
    """A recognizer as users write them."""

    def find(self, text: str) -> list[Sensitive]:
        at = text.find("Jane Doe")
        return [] if at < 0 else [Sensitive(at, at + 8, "NAME")]


class Broken:
    def find(self, text: str) -> list[Sensitive]:
        raise RuntimeError(text)


def test_own_recognizers_add_kinds() -> None:
    redactor = Redactor(recognizers=[Names()])
    assert redactor.redact("Jane Doe, jane@doe.example").text == "[NAME], [EMAIL]"
    assert "".join(StreamRedactor(redactor).stream("Jane Doe\nJane Doe")) == "[NAME]\n[NAME]"


class Wrong:
    def find(self, text: str) -> list[Sensitive]:
        return [Sensitive(-1, 3, "NAME"), Sensitive(0, 99, "NAME"), Sensitive(2, 2, "NAME"), Sensitive(0, 1, "NAME")]


def test_spans_of_a_recognizer_outside_of_the_text_are_none() -> None:
    assert Redactor(recognizers=[Wrong()]).redact("0 a@b.example").text.endswith("] [EMAIL]")


def test_a_broken_recognizer_is_told_and_the_rest_is_redacted() -> None:
    redaction = Redactor(recognizers=[Broken()]).redact("a@b.example")
    assert redaction.text == "[EMAIL]"
    assert redaction.error == "Recognizers failed: RuntimeError"


WORDS = st.sampled_from(
    [value for _, value in FOUND]
    + ["word", "the", "password is ", "token=", "key: ", "Bearer ", " ", "\n", ",", ".", "-", "+1", "7", "42", "(", ")"]
    + ["://u:", "@", "x@", "[EMAIL]", "<EMAIL_1>", "2001:", "::", "GB82", "é", "\u200b", "-----BEGIN", "version "]
)
TEXTS = st.lists(WORDS, max_size=12).map("".join) | st.text(max_size=60) | st.lists(WORDS, max_size=12).map(" ".join)


@settings(deadline=None, max_examples=80)
@given(TEXTS)
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = REDACTOR.redact(text).text
    assert REDACTOR.redact(once).text == once


@settings(deadline=None, max_examples=80)
@given(TEXTS)
def test_restoring_undoes_placeholders(text: str) -> None:
    kept = Placeholders()
    assert kept.restore(Redactor("placeholder").redact(text, kept).text) == text


@settings(deadline=None, max_examples=80)
@given(TEXTS, st.lists(st.integers(1, 9), min_size=1, max_size=40))
def test_redacting_a_stream_gives_what_redacting_the_whole_gives(text: str, sizes: list[int]) -> None:
    chunks, at = [], 0
    for place in range(len(text)):
        size = sizes[place % len(sizes)]
        chunks.append(text[at : at + size])
        at += size
    stream = StreamRedactor(REDACTOR)
    whole = REDACTOR.redact(text)
    assert "".join(stream.stream(chunks)) == whole.text
    assert tuple(stream.spans) == whole.spans


@settings(deadline=None, max_examples=80)
@given(TEXTS)
def test_spans_frame_what_is_gone_and_all_else_stays(text: str) -> None:
    redaction = REDACTOR.redact(text)
    kept = []
    at = 0
    for span in redaction.spans:
        assert at <= span.start < span.end <= len(text)
        kept.append(text[at : span.start])
        at = span.end
    rest = redaction.text
    for piece in [*kept, text[at:]]:
        place = rest.find(piece)
        assert place >= 0
        rest = rest[place + len(piece) :]


def test_a_stream_gives_words_as_they_come() -> None:
    stream = StreamRedactor(REDACTOR)
    assert stream.feed("the answer is ") == "the answer is"
    assert stream.feed("write to ") == " write to"
    assert stream.feed("jane@") == ""
    assert stream.feed("doe.example to") == ""
    assert stream.feed("day ") == " [EMAIL] today"
    assert stream.close() == " "


async def test_asynchronous_streams_are_redacted_too() -> None:
    async def chunks() -> AsyncIterator[str]:
        for chunk in ("mail a@", "b.example", " now"):
            yield chunk

    assert "".join([piece async for piece in StreamRedactor(REDACTOR).astream(chunks())]) == "mail [EMAIL] now"
