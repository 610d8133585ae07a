"""Valid bodies with bytes changed, cut out and cut off: each is answered with 200, 400, 413 or 415, and all goes on."""

import gzip
import json
import random
from collections.abc import Iterator

import pytest

from tests.collector.receiver_process import Receiver, running
from tests.support.packing import CODINGS
from tests.support.web import JSON, PROTOBUF

from .messages import SPAN, json_request, logs_request, metrics_request
from .stored import request_of, span

ALLOWED = {200, 400, 413, 415}
CONTENT = [
    {
        "key": "n",
        "value": {"arrayValue": {"values": [{"intValue": "3"}, {"doubleValue": 0.5}, {"bytesValue": "aGk="}]}},
    },
    {"key": "m", "value": {"kvlistValue": {"values": [{"key": "a", "value": {"boolValue": True}}]}}},
]


def bodies() -> list[tuple[bytes, str, str, str | None]]:
    """Body, media type, path and encoding of requests that are taken as they are."""
    events = [{"name": "e", "timeUnixNano": "5", "attributes": CONTENT}]
    text = json_request(SPAN | {"kind": 3, "attributes": CONTENT, "events": events, "status": {"code": 2}})
    protobuf = request_of("mutants", *(span() for _ in range(4))).SerializeToString()
    plain: list[tuple[bytes, str, str]] = [
        (protobuf, PROTOBUF, "/v1/traces"),
        (text, JSON, "/v1/traces"),
        (metrics_request(), PROTOBUF, "/v1/metrics"),
        (logs_request(), PROTOBUF, "/v1/logs"),
    ]
    packed = [(pack(body), media, path, name) for body, media, path in plain[:2] for name, pack in CODINGS.items()]
    return [*((*each, None) for each in plain), *packed]


def mutants(count: int, seed: int) -> Iterator[tuple[bytes, str, str, str | None]]:
    """`count` changed bodies, the same ones for the same seed."""
    chance, whole = random.Random(seed), bodies()
    for number in range(count):
        body, media, path, encoding = whole[number % len(whole)]
        yield mutated(body, chance), media, path, encoding


def mutated(body: bytes, chance: random.Random) -> bytes:
    mutant = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(mutant))
        match chance.randrange(4):
            case 0:
                mutant[at] = chance.randrange(256)
            case 1:
                mutant[at] ^= 1 << chance.randrange(8)
            case 2:
                mutant[at:at] = bytes([chance.choice([0, 0x7F, 0x80, 0xFF, mutant[at]])]) * chance.randint(1, 12)
            case _:
                del mutant[at : at + chance.randint(1, 9)]
        if not mutant:
            return b""
    return bytes(mutant[: chance.choice([len(mutant), len(mutant), chance.randrange(len(mutant) + 1)])])


def check(receiver: Receiver, count: int, seed: int) -> None:
    """Send mutants over one connection and see that nothing else happens."""
    connection = receiver.connect()
    seen: dict[int, int] = {}
    for body, media, path, encoding in mutants(count, seed):
        headers = {"Content-Type": media} | ({"Content-Encoding": encoding} if encoding else {})
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        answer = response.read()
        assert response.status in ALLOWED, (body, media, path, encoding, answer)
        seen[response.status] = seen.get(response.status, 0) + 1
    connection.close()
    assert seen[200] + seen[400] == count
    assert min(seen[200], seen[400]) > count // 100
    assert receiver.ask("GET", "/readyz").status == 200
    assert receiver.post(gzip.compress(json.dumps({}).encode()), JSON, Content_Encoding="gzip").status == 200


@pytest.mark.integration
def test_500_mutated_bodies(receiver: Receiver) -> None:
    check(receiver, 500, seed=10)
    assert receiver.stop() == 0
    assert receiver.lines[-1].startswith("Receiver ready")


@pytest.mark.chaos
def test_20_000_mutated_bodies(tmp_path_factory: pytest.TempPathFactory) -> None:
    for seed in range(4):
        with running(tmp_path_factory.mktemp("mutants")) as receiver:
            check(receiver, 5_000, seed)
            assert receiver.stop() == 0
            assert receiver.lines[-1].startswith("Receiver ready")
