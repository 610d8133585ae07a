-- grain: one call of the day, as settling would find it; agent_of is each trace's agent
with agent_of as (
    select
        trace_id,
        agent_name
    from day_spans
    where kind = 'agent'
)

select
    day_spans.trace_id,
    day_spans.span_id,
    day_spans.kind,
    true as counted,
    'counted' as reason,
    day_spans.scope,
    day_spans.service,
    day_spans.service_instance,
    day_spans.started_at,
    day_spans.duration_ms,
    day_spans.time_to_first_token_ms,
    day_spans.provider,
    day_spans.request_model,
    day_spans.response_model,
    day_spans.response_id,
    day_spans.tool_name,
    day_spans.tool_call_id,
    agent_of.agent_name,
    day_spans.session_id,
    day_spans.user_id,
    day_spans.status,
    day_spans.error_type,
    day_spans.error_message,
    day_spans.finish_reasons,
    day_spans.input_tokens,
    day_spans.output_tokens,
    day_spans.cache_read_tokens,
    cast(null as bigint) as cache_write_tokens,
    day_spans.input_tokens as own_input_tokens,
    day_spans.usage_basis,
    day_spans.usage_source,
    day_spans.input_tokens * 1.5e-7 + day_spans.output_tokens * 6e-7 as cost_usd,
    case when day_spans.kind = 'llm' then 'bench/' || day_spans.request_model || '@1970-01-01' end as price_id,
    day_spans.received_at as first_received_at
from day_spans
inner join agent_of using (trace_id)
where day_spans.kind in ('llm', 'tool')
order by day_spans.received_at, day_spans.trace_id, day_spans.started_at
