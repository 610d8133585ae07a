"""What a model call and a whole request have in common: usage, the answer, and when its chunks came."""

from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable
from typing import TypeVar

from spandeck import answers, attributes
from spandeck.answers import Answer
from spandeck.attributes import quietly
from spandeck.monitoring import COST_LIMIT_USD, FIRST_TOKEN_LIMIT_MS
from spandeck.prices import Usage
from spandeck.scope import Scope
from spandeck_schema import semantic_conventions as names

_Chunk = TypeVar("_Chunk")
_NANOSECONDS_PER_SECOND = 1e9
_MILLISECONDS_PER_SECOND = 1e3


class ModelScope(Scope):
    """A span that can carry tokens and an answer. Nothing here raises; what is not given is not recorded."""

    # Where true, usage stands for the calls below and is priced only if none of them has a price.
    _stands_for_calls = False
    _first_chunk_seen = False
    _model: str | None = None
    _answered_model: str | None = None
    _provider: str | None = None
    _usage = Usage()

    def first_token(self) -> None:
        """The first chunk of the answer with content has come; only the first call counts.

        Recorded in seconds since the start of this span by a monotonic clock; the answer counts as streamed.
        More than 2,000 ms is an alert.
        """
        if not self._first_chunk_seen:
            self._first_chunk_seen = True
            seconds = self._seconds_until(self._origin.clock.now_ns())
            self._set({names.GEN_AI_REQUEST_STREAM: True, names.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK: seconds})
            self._judge_first_token(seconds * _MILLISECONDS_PER_SECOND)

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
        given = Usage(
            attributes.count(input_tokens),
            attributes.count(output_tokens),
            attributes.count(cache_read_tokens),
            attributes.count(cache_write_tokens),
            attributes.count(reasoning_tokens),
        )
        self._usage = self._usage.updated(given)
        self._set(
            {
                names.GEN_AI_USAGE_INPUT_TOKENS: given.input_tokens,
                names.GEN_AI_USAGE_OUTPUT_TOKENS: given.output_tokens,
                names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: given.cache_read_tokens,
                names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: given.cache_write_tokens,
                names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: given.reasoning_tokens,
            }
        )
        self._judge_cost()

    @quietly
    def answer(self, answer: object) -> None:
        """Record what an answer of the OpenAI or Anthropic SDK tells of itself: model, id, usage, why it stopped.

        Objects and dicts alike; what an answer of another kind does not tell is not recorded.
        """
        self.tell(answers.read(answer))

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
        if model is not None:
            self._answered_model = attributes.text(model)
            self._judge_cost()

    def stream(self, chunks: Iterable[_Chunk]) -> Generator[_Chunk]:
        """Yield `chunks` unchanged and as lazily, recording when the first and the last one came.

        Chunks of the OpenAI and Anthropic SDKs tell model and usage too, and the first token is their first
        chunk with content. Outside a `with` block the span ends with the stream. Closing it early closes
        `chunks`, as `yield from` would, and marks the span as cancelled. Errors of `chunks` pass unchanged.
        """
        heard = Answer()
        last_ns: int | None = None
        try:
            for chunk in chunks:
                last_ns = self._chunk(heard, chunk) or last_ns
                yield chunk
        except BaseException as error:
            self.record_error(error)
            if isinstance(error, GeneratorExit) and (close := getattr(chunks, "close", None)) is not None:
                close()
            raise
        finally:
            self._stream_ended(heard, last_ns)

    async def astream(self, chunks: AsyncIterable[_Chunk]) -> AsyncGenerator[_Chunk]:
        """As `stream`, for asynchronous `chunks`."""
        heard = Answer()
        last_ns: int | None = None
        try:
            async for chunk in chunks:
                last_ns = self._chunk(heard, chunk) or last_ns
                yield chunk
        except BaseException as error:
            self.record_error(error)
            if isinstance(error, GeneratorExit) and (close := getattr(chunks, "aclose", None)) is not None:
                await close()
            raise
        finally:
            self._stream_ended(heard, last_ns)

    def _chunk(self, heard: Answer, chunk: object) -> int | None:
        """Note one chunk; the time where it has content."""
        if not answers.hear(heard, chunk):
            return None
        self.first_token()
        return self._origin.clock.now_ns()

    def _last_chunk(self, at_ns: int) -> None:
        self._set({names.SPANDECK_RESPONSE_TIME_TO_LAST_CHUNK: self._seconds_until(at_ns)})

    def _stream_ended(self, heard: Answer, last_ns: int | None) -> None:
        if last_ns is not None:
            self._last_chunk(last_ns)
        self.tell(heard)
        if not self._entered:
            self.end()

    @quietly
    def tell(self, answer: Answer) -> None:
        """Record what is known of an answer."""
        usage = answer.usage
        self.response(model=answer.model, id=answer.id, finish_reasons=answer.finish_reasons)
        self.usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            reasoning_tokens=usage.reasoning_tokens,
        )

    @quietly
    def _judge_first_token(self, waited_ms: float) -> None:
        if waited_ms > FIRST_TOKEN_LIMIT_MS:
            message = f"High TTFT: {waited_ms:.0f}ms for request {self._origin.tally.request_id}"
            self._alert(names.ALERT_SLOW_FIRST_TOKEN, "warning", message, waited_ms, FIRST_TOKEN_LIMIT_MS)

    @quietly
    def _judge_cost(self) -> None:
        """Price what is known so far; a request that has become too dear is told once, at its root."""
        if not self._usage.known:
            return
        cost_usd = self._price()
        if cost_usd is None:
            return
        self._set({names.SPANDECK_COST_USD: cost_usd})
        tally = self._origin.tally
        total_usd = tally.price(id(self), cost_usd, own=self._stands_for_calls)
        if total_usd is not None:
            message = f"High cost: ${total_usd:.2f} for request {tally.request_id}"
            (tally.root or self)._alert(names.ALERT_EXPENSIVE_REQUEST, "warning", message, total_usd, COST_LIMIT_USD)

    def _price(self) -> float | None:
        """By the model that answered, else by the one that was asked, as the store does."""
        monitor = self._origin.outlet.monitor
        provider = self._provider or self.details.provider
        asked = self._model or self.details.model
        cost_usd = None
        if self._answered_model is not None:
            cost_usd = monitor.cost(self._answered_model, provider, self._usage)
        return monitor.cost(asked, provider, self._usage) if cost_usd is None else cost_usd

    def _seconds_until(self, at_ns: int) -> float:
        return (at_ns - self._started_ns) / _NANOSECONDS_PER_SECOND


def _text(value: object) -> str | None:
    return None if value is None else attributes.text(value)
