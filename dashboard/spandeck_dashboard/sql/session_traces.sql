-- grain: one trace of a session, earliest first
-- params: session
select
    trace_id,
    coalesce(root_name, 'root span not received') as name,
    service,
    started_at,
    status,
    error_span_count + failed_llm_call_count + failed_tool_call_count > 0 or status = 'error' as has_error,
    duration_ms,
    duration_ms / nullif(max(duration_ms) over (), 0) as duration_share,
    time_to_first_token_ms,
    cost_usd,
    unpriced_call_count,
    coalesce(input_tokens + output_tokens, input_tokens, output_tokens) as token_count,
    greatest(error_span_count, failed_llm_call_count + failed_tool_call_count) as error_count
from traces
where session_id = cast($session as varchar)
order by started_at asc, trace_id asc
limit 200
