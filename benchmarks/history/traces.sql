-- grain: one trace of the day
select
    trace_id,
    max(name) filter (where kind = 'agent') as root_name,
    max(service) as service,
    max(agent_name) as agent_name,
    max(session_id) as session_id,
    max(user_id) as user_id,
    min(started_at) as started_at,
    max(duration_ms) filter (where kind = 'agent') as duration_ms,
    count(*) as span_count,
    count(*) filter (where status = 'error') as error_span_count,
    count(*) filter (where kind = 'llm') as llm_call_count,
    count(*) filter (where kind = 'llm' and status = 'error') as failed_llm_call_count,
    0 as embedding_call_count,
    count(*) filter (where kind = 'tool') as tool_call_count,
    count(*) filter (where kind = 'tool' and status = 'error') as failed_tool_call_count,
    sum(input_tokens) as input_tokens,
    sum(output_tokens) as output_tokens,
    sum(cache_read_tokens) as cache_read_tokens,
    sum(input_tokens * 1.5e-7 + output_tokens * 6e-7) as cost_usd,
    0 as unpriced_call_count,
    min(time_to_first_token_ms) as time_to_first_token_ms,
    [max(agent_name)] as agent_names,
    if(count(*) filter (where status = 'error') > 2, 'error', 'ok') as status,
    max(span_id) filter (where kind = 'agent') as root_span_id,
    arg_max(span_id, input_tokens) as dearest_span_id,
    max(received_at) as first_received_at,
    max(received_at) as last_received_at
from day_spans
group by trace_id
order by first_received_at, trace_id
