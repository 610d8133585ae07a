-- grain: one row of store.calls for a touched trace, with its price
-- A tool span with usage of its own makes two rows, a tool call and a parent (kind agent) that alone has the usage.
with told as (
    select
        calls.trace_id,
        calls.span_id,
        calls.kind,
        calls.counted,
        calls.reason,
        calls.duplicate_trace_id,
        calls.duplicate_of,
        coalesce(calls.agent_name, told_calls.agent_name) as agent_name,
        coalesce(context.session_id, told_calls.session_id) as session_id,
        coalesce(context.user_id, told_calls.user_id) as user_id,
        context.first_received_at,
        spans.scope,
        spans.service,
        spans.service_instance,
        spans.started_at,
        spans.duration_ms,
        coalesce(spans.time_to_first_token_ms, told_calls.time_to_first_token_ms) as time_to_first_token_ms,
        spans.time_to_last_token_ms,
        coalesce(told_calls.provider, spans.provider) as provider,
        coalesce(told_calls.request_model, spans.request_model) as request_model,
        coalesce(told_calls.response_model, spans.response_model) as response_model,
        coalesce(spans.response_id, told_calls.response_id) as response_id,
        cast(null as varchar) as tool_name,
        spans.tool_call_id,
        cast(null as varchar) as tool_input_hash,
        coalesce(spans.streamed, told_calls.streamed) as streamed,
        spans.status,
        coalesce(spans.error_type, case when spans.status = 'error' then told_calls.error_type end) as error_type,
        coalesce(spans.error_message, case when spans.status = 'error' then told_calls.error_message end)
            as error_message,
        coalesce(told_calls.finish_reasons, spans.finish_reasons) as finish_reasons,
        coalesce(told_calls.input_tokens, spans.input_tokens) as input_tokens,
        coalesce(told_calls.output_tokens, spans.output_tokens) as output_tokens,
        coalesce(told_calls.cache_read_tokens, spans.cache_read_tokens) as cache_read_tokens,
        coalesce(told_calls.cache_write_tokens, spans.cache_write_tokens) as cache_write_tokens,
        coalesce(told_calls.cache_write_1h_tokens, spans.cache_write_1h_tokens) as cache_write_1h_tokens,
        coalesce(told_calls.reasoning_tokens, spans.reasoning_tokens) as reasoning_tokens,
        coalesce(told_calls.audio_input_tokens, spans.audio_input_tokens) as audio_input_tokens,
        coalesce(told_calls.audio_output_tokens, spans.audio_output_tokens) as audio_output_tokens,
        coalesce(told_calls.service_tier, spans.service_tier) as service_tier,
        spans.input_tokens as own_input_tokens,
        coalesce(told_calls.usage_basis, spans.usage_basis) as usage_basis,
        coalesce(told_calls.usage_source, spans.usage_source) as usage_source,
        coalesce(told_calls.usage_scope, case when spans.input_tokens is not null then spans.scope end) as usage_scope,
        coalesce(told_calls.reported_cost_usd, spans.reported_cost_usd) as reported_cost_usd,
        coalesce(spans.cache_hit, told_calls.cache_hit) as cache_hit,
        coalesce(told_calls.attempt, spans.attempt) as attempt
    from counted_calls as calls
    inner join trace_spans as spans using (trace_id, span_id)
    inner join trace_context as context using (trace_id)
    left join told_calls using (call_key)
),

priced as (
    select
        told.*,
        prices.price_id as found_price_id,
        store.cost_usd(
            told.kind,
            told.input_tokens,
            told.cache_read_tokens,
            told.cache_write_tokens,
            told.cache_write_1h_tokens,
            told.audio_input_tokens,
            told.output_tokens,
            told.audio_output_tokens,
            told.reasoning_tokens,
            prices.input_usd_per_mtok,
            prices.cache_read_usd_per_mtok,
            prices.cache_write_usd_per_mtok,
            prices.cache_write_1h_usd_per_mtok,
            prices.audio_input_usd_per_mtok,
            prices.output_usd_per_mtok,
            prices.audio_output_usd_per_mtok,
            prices.reasoning_usd_per_mtok,
            prices.request_usd
        ) as cost_usd
    from told
    left join store.price_models as answered
        on
            coalesce(told.provider, '') = answered.provider
            and told.response_model = answered.model
            and told.first_received_at >= answered.used_from
            and told.first_received_at < answered.used_to
    left join store.price_models as asked
        on
            coalesce(told.provider, '') = asked.provider
            and told.request_model = asked.model
            and told.first_received_at >= asked.used_from
            and told.first_received_at < asked.used_to
    left join store.prices
        on
            coalesce(answered.price_model, asked.price_model) = prices.price_model
            and store.price_tier(told.service_tier) = prices.service_tier
            and told.started_at >= prices.valid_from
            and told.started_at < prices.valid_to
            and store.minute_of_day(told.started_at) >= prices.from_minute
            and store.minute_of_day(told.started_at) < prices.to_minute
            and told.input_tokens >= prices.from_input_tokens
            and told.input_tokens < prices.to_input_tokens
            and told.first_received_at >= prices.used_from
            and told.first_received_at < prices.used_to
),

all_calls as (
    select
        * exclude (found_price_id),
        case when cost_usd is not null then found_price_id end as price_id
    from priced
    union all by name
    select
        tools.trace_id,
        tools.span_id,
        'tool' as kind,
        tools.counted,
        tools.reason,
        tools.duplicate_trace_id,
        tools.duplicate_of,
        tools.agent_name,
        context.session_id,
        context.user_id,
        context.first_received_at,
        spans.scope,
        spans.service,
        spans.service_instance,
        spans.started_at,
        spans.duration_ms,
        spans.provider,
        spans.request_model,
        spans.response_model,
        spans.response_id,
        spans.tool_name,
        spans.tool_call_id,
        spans.tool_input_hash,
        spans.streamed,
        tools.status,
        case when tools.status = 'error' then coalesce(tools.error_type, spans.error_type) end as error_type,
        case when tools.status = 'error' then coalesce(tools.error_message, spans.error_message) end as error_message,
        spans.finish_reasons,
        spans.cache_hit,
        spans.attempt
    from counted_tools as tools
    inner join trace_spans as spans using (trace_id, span_id)
    inner join trace_context as context using (trace_id)
)

select
    * replace (
        case
            when finish_reasons is not null
                then list_transform(finish_reasons, lambda word: store.finish_reason(word))
        end as finish_reasons
    )
from all_calls
