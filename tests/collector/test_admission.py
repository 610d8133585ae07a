"""Admission without sockets: decompression up to the limit, host names, tokens."""

import contextlib
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spandeck_collector.access import host_name
from spandeck_collector.receiver.admission import check_host, check_token, media_of
from spandeck_collector.receiver.decompression import decompressed
from spandeck_collector.receiver.outcomes import Reason, RefusedError
from tests.support.packing import CODINGS

pytestmark = pytest.mark.unit

NAMES = (*CODINGS, "identity")
LARGE = 64 << 20


def refusal(content_encoding: str, body: bytes, limit: int = LARGE) -> Reason:
    with pytest.raises(RefusedError) as raised:
        decompressed(body, content_encoding, limit)
    return raised.value.reason


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=5))
def test_members_of_a_gzip_body_are_joined(parts: list[bytes]) -> None:
    assert decompressed(b"".join(map(gzip.compress, parts)), "gzip", LARGE) == b"".join(parts)


@given(st.binary(min_size=1, max_size=300), st.sampled_from(NAMES), st.integers(0, 400))
def test_the_limit_is_on_the_plain_size_to_the_byte(body: bytes, name: str, limit: int) -> None:
    compress = CODINGS.get(name, bytes)
    if len(body) <= limit:
        assert decompressed(compress(body), name, limit) == body
    else:
        assert refusal(name, compress(body), limit) is Reason.TOO_LARGE


@pytest.mark.parametrize("name", sorted(CODINGS))
@pytest.mark.parametrize("size", [(1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5 << 20])
def test_bodies_above_one_step_of_output_come_back_whole(name: str, size: int) -> None:
    body = bytes(size)
    assert decompressed(CODINGS[name](body), name, LARGE) == body


@given(st.binary(min_size=1, max_size=80), st.sampled_from(sorted(CODINGS)), st.data())
def test_a_flipped_byte_is_malformed_or_harmless(body: bytes, name: str, data: st.DataObject) -> None:
    mutant = bytearray(CODINGS[name](body))
    mutant[data.draw(st.integers(0, len(mutant) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(RefusedError):
        decompressed(bytes(mutant), name, LARGE)


@given(st.binary(min_size=1, max_size=200), st.data())
def test_a_cut_gzip_body_is_malformed(body: bytes, data: st.DataObject) -> None:
    whole = gzip.compress(body)
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert refusal("gzip", whole[:cut]) is Reason.MALFORMED


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost:4318", "localhost"),
        ("LocalHost.", "localhost"),
        ("[::1]:4318", "::1"),
        ("http://spandeck:80/x", "spandeck"),
        ("user@evil.example", "evil.example"),
        ("[::1", ""),
        ("", ""),
        ("null", "null"),
    ],
)
def test_the_name_in_a_host(host: str, name: str) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize("host", ["", "evil.example", "127.0.0.1.evil.example", "10.0.0.1", "localhost@evil.example"])
def test_other_hosts_are_foreign(host: str) -> None:
    with pytest.raises(RefusedError) as raised:
        check_host([host], [], {"spandeck"})
    assert raised.value.reason is Reason.FOREIGN


@pytest.mark.parametrize("hosts", [[], ["localhost", "localhost"]], ids=["none", "two"])
def test_there_is_exactly_one_host(hosts: list[str]) -> None:
    with pytest.raises(RefusedError):
        check_host(hosts, [], set())


@pytest.mark.parametrize(
    "given_headers",
    [
        [],
        [""],
        ["Bearer"],
        ["Bearer "],
        ["Bearer tokeN"],
        ["Basic token"],
        ["Bearer token", "Bearer token"],
        ["Bearer tökén"],
    ],
    ids=["none", "empty", "no token", "blank", "case", "scheme", "two", "not ASCII"],
)
def test_any_other_authorization_is_refused(given_headers: list[str]) -> None:
    check_token(given_headers, None)
    check_token(["bearer token"], "token")
    with pytest.raises(RefusedError):
        check_token(given_headers, "token")


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "application/json+x", "x;application/json"])
def test_foreign_media_types_are_refused(content_type: str | None) -> None:
    with pytest.raises(RefusedError) as raised:
        media_of(content_type)
    assert raised.value.reason is Reason.MEDIA_TYPE
