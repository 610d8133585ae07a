"""What gives a secret away, and that the fast look never misses what the exact one finds."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from spandeck_schema.secrets import hint, is_secret_name, named_values_in, secrets_in
from tests.secret_samples import NAMED, PREFIXED, PROSE

pytestmark = pytest.mark.unit


def _found(text: str) -> set[str]:
    return {text[start:end] for start, end in [*secrets_in(text), *named_values_in(text)]}


def _is_suspect(data: bytes) -> bool:
    (matched,) = pc.match_substring_regex(pa.array([data], pa.large_binary()), pattern=hint()).to_pylist()
    return bool(matched)


@pytest.mark.parametrize("secret", PREFIXED)
def test_a_known_prefix_gives_a_secret_away(secret: str) -> None:
    assert _found(f"it says {secret} and goes on") == {secret}


@pytest.mark.parametrize(("text", "secret"), NAMED)
def test_a_name_gives_its_value_away(text: str, secret: str) -> None:
    assert secret in _found(text)


@pytest.mark.parametrize("text", PROSE)
def test_prose_and_counts_hold_no_secret(text: str) -> None:
    assert _found(text) == set()


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "http.request.header.authorization",
        "http.response.header.set-cookie",
        "Proxy-Authorization",
        "COOKIE",
        "x-api-key",
        "OPENAI_API_KEY",
        "openaiApiKey",
        "db.password",
        "oauth/client_secret",
        "session_token",
        "aws.secret_access_key",
        "credentials",
    ],
)
def test_a_name_of_a_secret(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "gen_ai.usage.input_tokens",
        "llm.token_count.prompt",
        "max_tokens",
        "authorization_url",
        "cookie_policy",
        "secretary",
        "session.id",
        "gen_ai.token.type",
        "key",
        "cache.key",
        "monkey",
    ],
)
def test_a_name_of_no_secret(name: str) -> None:
    assert not is_secret_name(name)


_PIECES = st.one_of(
    st.sampled_from([*PREFIXED, *(text for text, _ in NAMED), *PROSE]),
    st.text(max_size=20),
    st.sampled_from(['"', "\\", "=", ": ", "\n", "?token=", "Authorization: ", "secret is ", "://a:", "@"]),
)


@settings(deadline=None)
@given(st.lists(_PIECES, max_size=6).map("".join))
def test_the_fast_look_never_misses_what_the_exact_one_finds(text: str) -> None:
    assert not _found(text) or _is_suspect(text.encode())


@settings(deadline=None)
@given(st.sampled_from(["api_key", "http.request.header.Authorization", "cookie"]), st.text(max_size=300))
def test_the_fast_look_sees_an_attribute_by_its_name(name: str, value: str) -> None:
    assert _is_suspect(KeyValue(key=name, value=AnyValue(string_value=value)).SerializeToString())
