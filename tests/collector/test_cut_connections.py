"""What the query client says about a store that is gone, and about one that went while it was asked."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from spandeck_collector.query_client import AskError, ask_json

pytestmark = pytest.mark.unit


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that takes one request, does `answer` and closes the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(20)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@pytest.mark.parametrize(
    "answer",
    [
        lambda _connection: None,
        reset,
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"),
    ],
    ids=["closed", "reset", "cut"],
)
def test_a_connection_that_ends_during_a_query_is_put_down_to_the_query(
    answer: Callable[[socket.socket], None],
) -> None:
    with (
        server(answer) as url,
        pytest.raises(AskError, match="The store ended while it answered, and is started again"),
    ):
        ask_json(url, "select 1")


def test_a_refused_connection_says_how_to_start_the_store() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(AskError, match=r"does not answer .*`spandeck up`"):
        ask_json(f"http://127.0.0.1:{port}", "select 1")
