-- question: Which requests took longest today?
select
    trace_id,
    root_name,
    duration_ms,
    cost_usd,
    llm_call_count,
    tool_call_count
from traces
where started_at >= now() at time zone 'UTC' - interval 1 day
order by duration_ms desc nulls last
limit 20
