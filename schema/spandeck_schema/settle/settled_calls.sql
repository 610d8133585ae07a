-- grain: one row of store.calls for a touched trace, with its price
-- A tool span with usage of its own makes two rows, a tool call and a parent (kind agent) that alone has the usage.
with calls as (
    select
        trace_id,
        span_id,
        kind,
        counted,
        duplicate_of,
        agent_name
    from counted_calls
    union all
    select
        spans.trace_id,
        spans.span_id,
        'tool' as kind,
        true as counted,
        null as duplicate_of,
        tree.agent_name
    from trace_spans as spans
    inner join span_tree as tree using (trace_id, span_id)
    where spans.kind = 'tool'
),

used as (
    select
        calls.trace_id,
        calls.span_id,
        calls.kind,
        spans.input_tokens,
        spans.output_tokens,
        spans.cache_read_tokens,
        spans.cache_write_tokens,
        spans.reasoning_tokens,
        spans.usage_basis,
        spans.reported_cost_usd,
        prices.* exclude (price_model, source)
    from calls
    inner join trace_spans as spans using (trace_id, span_id)
    left join store.price_models as answered
        on
            coalesce(spans.provider, '') = answered.provider
            and spans.response_model = answered.model
    left join store.price_models as asked
        on
            coalesce(spans.provider, '') = asked.provider
            and spans.request_model = asked.model
    left join store.prices
        on
            coalesce(answered.price_model, asked.price_model) = prices.price_model
            and spans.started_at >= prices.valid_from
            and spans.started_at < prices.valid_to
            and spans.input_tokens >= prices.from_input_tokens
            and spans.input_tokens < prices.to_input_tokens
    where calls.kind != 'tool'
)

select
    calls.trace_id,
    calls.span_id,
    calls.kind,
    calls.counted,
    calls.duplicate_of,
    spans.service,
    spans.scope,
    spans.started_at,
    spans.duration_ms,
    spans.time_to_first_token_ms,
    spans.time_to_last_token_ms,
    spans.provider,
    spans.request_model,
    spans.response_model,
    spans.tool_name,
    spans.tool_input_hash,
    calls.agent_name,
    context.session_id,
    context.user_id,
    spans.streamed,
    spans.status,
    spans.error_type,
    spans.error_message,
    list_transform(spans.finish_reasons, lambda word: store.finish_reason(word)) as finish_reasons,
    used.input_tokens,
    used.output_tokens,
    used.cache_read_tokens,
    used.cache_write_tokens,
    used.reasoning_tokens,
    used.usage_basis,
    store.cost_usd(
        used.kind,
        used.input_tokens,
        used.output_tokens,
        used.cache_read_tokens,
        used.cache_write_tokens,
        used.input_usd_per_mtok,
        used.output_usd_per_mtok,
        used.cache_read_usd_per_mtok,
        used.cache_write_usd_per_mtok
    ) as cost_usd,
    case when cost_usd is not null then used.price_id end as price_id,
    used.reported_cost_usd,
    spans.cache_hit,
    spans.attempt,
    context.first_received_at
from calls
inner join trace_spans as spans using (trace_id, span_id)
inner join trace_context as context using (trace_id)
left join used
    on
        calls.trace_id = used.trace_id
        and calls.span_id = used.span_id
        and calls.kind = used.kind
