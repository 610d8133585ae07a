"""What a model call and a whole request have in common: usage, the answer, and when its chunks came."""

from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable
from typing import TypeVar

from spandeck import attributes
from spandeck.attributes import quietly
from spandeck.scope import Scope
from spandeck_schema import semantic_conventions as names

_Chunk = TypeVar("_Chunk")
_NANOSECONDS_PER_SECOND = 1e9


class ModelScope(Scope):
    """A span that can carry tokens and an answer. Nothing here raises; what is not given is not recorded."""

    _first_chunk_seen = False

    def first_token(self) -> None:
        """The first chunk of the answer has come; only the first call counts.

        Recorded in seconds since the start of this span by a monotonic clock; the answer counts as streamed.
        """
        if not self._first_chunk_seen:
            self._first_chunk_seen = True
            self._set(
                {
                    names.GEN_AI_REQUEST_STREAM: True,
                    names.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK: self._seconds_until(self._origin.clock.now_ns()),
                }
            )

    def last_token(self) -> None:
        """The last chunk of the answer has come; the last call counts, in seconds since the start."""
        self._last_chunk(self._origin.clock.now_ns())

    @quietly
    def usage(
        self,
        *,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cache_read_tokens: int | None = None,
        cache_write_tokens: int | None = None,
        reasoning_tokens: int | None = None,
    ) -> None:
        """The tokens as the provider counted them; None, negative or no integer is unknown.

        `input_tokens` includes what was read from and written to the provider's cache, and `output_tokens`
        includes reasoning (OTel GenAI). Anthropic's own `usage.input_tokens` does not: add
        `cache_read_input_tokens` and `cache_creation_input_tokens` to it. A later call replaces what it gives.
        """
        self._set(
            {
                names.GEN_AI_USAGE_INPUT_TOKENS: attributes.count(input_tokens),
                names.GEN_AI_USAGE_OUTPUT_TOKENS: attributes.count(output_tokens),
                names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: attributes.count(cache_read_tokens),
                names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: attributes.count(cache_write_tokens),
                names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: attributes.count(reasoning_tokens),
            }
        )

    @quietly
    def response(
        self,
        *,
        model: str | None = None,
        id: str | None = None,
        finish_reasons: Iterable[str] | str | None = None,
    ) -> None:
        """The model that answered, the provider's id of the answer, and why it stopped."""
        self._set(
            {
                names.GEN_AI_RESPONSE_MODEL: _text(model),
                names.GEN_AI_RESPONSE_ID: _text(id),
                names.GEN_AI_RESPONSE_FINISH_REASONS: attributes.texts(finish_reasons),
            }
        )

    def stream(self, chunks: Iterable[_Chunk]) -> Generator[_Chunk]:
        """Yield `chunks` unchanged and as lazily, recording when the first and the last one came.

        Outside a `with` block the span ends with the stream. Closing it early closes `chunks`, as `yield from`
        would, and marks the span as cancelled. Errors of `chunks` pass unchanged.
        """
        last_ns: int | None = None
        try:
            for chunk in chunks:
                last_ns = self._chunk()
                yield chunk
        except BaseException as error:
            self._record(error)
            if isinstance(error, GeneratorExit) and (close := getattr(chunks, "close", None)) is not None:
                close()
            raise
        finally:
            self._stream_ended(last_ns)

    async def astream(self, chunks: AsyncIterable[_Chunk]) -> AsyncGenerator[_Chunk]:
        """As `stream`, for asynchronous `chunks`."""
        last_ns: int | None = None
        try:
            async for chunk in chunks:
                last_ns = self._chunk()
                yield chunk
        except BaseException as error:
            self._record(error)
            if isinstance(error, GeneratorExit) and (close := getattr(chunks, "aclose", None)) is not None:
                await close()
            raise
        finally:
            self._stream_ended(last_ns)

    def _chunk(self) -> int:
        self.first_token()
        return self._origin.clock.now_ns()

    def _last_chunk(self, at_ns: int) -> None:
        self._set({names.SPANDECK_RESPONSE_TIME_TO_LAST_CHUNK: self._seconds_until(at_ns)})

    def _stream_ended(self, last_ns: int | None) -> None:
        if last_ns is not None:
            self._last_chunk(last_ns)
        if not self._entered:
            self.end()

    def _seconds_until(self, at_ns: int) -> float:
        return (at_ns - self._started_ns) / _NANOSECONDS_PER_SECOND


def _text(value: object) -> str | None:
    return None if value is None else attributes.text(value)
