"""What the receiver answers when it refuses: one table of reasons for both transports, and the Status body."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any

from google.protobuf import json_format
from google.rpc.error_details_pb2 import BadRequest, RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]


class Reason(Enum):
    """Why a request, or a span of one, is refused.

    HTTP status, gRPC code, seconds after which to retry (None: never), sentence.

    Codes by the OTLP specification, "Failures" and "Retryable Response Codes"; only 503/UNAVAILABLE is retried.
    The sentences are what the refusal counts show: fixed, few, and free of anything a sender wrote.
    """

    WRONG_IDS = (200, 0, None, "A span's trace_id is not 16 bytes or its span_id not 8, or one is all zero.")
    MALFORMED = (400, 3, None, "The body is not a valid OTLP message.")
    TOO_MANY = (400, 3, None, "The request has too many resources, scopes, items or fields: send smaller batches.")
    HEADERS = (400, 3, None, "The request's headers are not valid.")
    TOKEN = (401, 16, None, "The bearer token (SPANDECK_INGEST_TOKEN) is missing or wrong.")
    FOREIGN = (403, 7, None, "The Host or Origin is not one of SPANDECK_ALLOWED_HOSTS.")
    PATH = (404, 12, None, "The path is none of /v1/traces, /v1/metrics and /v1/logs.")
    METHOD = (405, 12, None, "The method is wrong: OTLP is sent with POST.")
    SLOW = (408, 4, None, "The body did not arrive in time.")
    TOO_LARGE = (413, 8, None, "The body is above SPANDECK_MAX_BODY_BYTES after decompression.")
    MEDIA_TYPE = (415, 3, None, "The Content-Type is neither application/x-protobuf nor application/json.")
    ENCODING = (415, 12, None, "The Content-Encoding is not supported: use gzip, deflate, zstd or none.")
    BUSY = (503, 14, 1, "Too many bytes are under way at once.")
    INTERNAL = (503, 14, 5, "The receiver failed inside; see its log.")
    JOURNAL_FULL = (503, 14, 5, "The journal is full: the store has to catch up.")
    JOURNAL_FAILED = (503, 14, 5, "The journal could not be written.")
    STOPPING = (503, 14, 2, "The receiver is stopping.")

    def __init__(self, http: int, grpc: int, retry_after_s: int | None, sentence: str) -> None:
        """Keep the columns under their names."""
        self.http = http
        self.grpc = grpc
        self.retry_after_s = retry_after_s
        self.sentence = sentence


class RefusedError(Exception):
    """A request is refused for `reason`; `sentence` tells the sender more and holds nothing of the content."""

    def __init__(self, reason: Reason, sentence: str | None = None) -> None:
        """Refuse with the reason's own sentence, or a more exact one."""
        self.reason = reason
        self.sentence = sentence or reason.sentence
        super().__init__(self.sentence)

    def without_traceback(self) -> RefusedError:
        """Itself, no longer holding on to what the functions that it passed through held: bodies, among others."""
        self.__traceback__ = self.__cause__ = self.__context__ = None
        return self

    def retry_info(self) -> RetryInfo | None:
        """When to try again; None where trying again is useless."""
        if self.reason.retry_after_s is None:
            return None
        info = RetryInfo()
        info.retry_delay.seconds = self.reason.retry_after_s
        return info

    def status(self) -> Status:
        """The `google.rpc.Status` that every failure carries, with RetryInfo or BadRequest where they apply."""
        status = Status(code=self.reason.grpc, message=self.sentence)
        info = self.retry_info()
        if info is not None:
            status.details.add().Pack(info)
        elif self.reason is Reason.MALFORMED:
            violation = BadRequest.FieldViolation(field="body", description=self.sentence)
            status.details.add().Pack(BadRequest(field_violations=[violation]))
        return status

    def status_json(self) -> bytes:
        """`status()` as proto3 JSON."""
        as_dict: dict[str, Any] = json_format.MessageToDict(self.status())
        return json.dumps(as_dict).encode()
