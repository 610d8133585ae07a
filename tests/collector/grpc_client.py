"""Raw gRPC calls to a receiver."""

from typing import Any

import grpc
import pytest

from tests.support.waiting import DEADLINE_S

from .receiver_process import Receiver

EXPORT = "/opentelemetry.proto.collector.{}Service/Export"
TRACES, METRICS, LOGS = (EXPORT.format(name) for name in ("trace.v1.Trace", "metrics.v1.Metrics", "logs.v1.Logs"))
CHECK = "/grpc.health.v1.Health/Check"
WATCH = "/grpc.health.v1.Health/Watch"
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"


class Client:
    """Raw calls on one channel; `certificate` is the authority of a server with TLS."""

    def __init__(self, receiver: Receiver, certificate: bytes | None = None) -> None:
        options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        if certificate is None:
            self.channel = grpc.insecure_channel(receiver.grpc_address, options=options)
        else:
            credentials = grpc.ssl_channel_credentials(certificate)
            self.channel = grpc.secure_channel(receiver.grpc_address, credentials, options=options)

    def call(self, method: str, body: bytes, token: str | None = None, **options: Any) -> bytes:
        metadata = [("authorization", token)] if token is not None else None
        answer: bytes = self.channel.unary_unary(method)(body, timeout=DEADLINE_S, metadata=metadata, **options)
        return answer

    def failure(self, method: str, body: bytes, token: str | None = None, **options: Any) -> Any:
        with pytest.raises(grpc.RpcError) as raised:
            self.call(method, body, token, **options)
        return raised.value
