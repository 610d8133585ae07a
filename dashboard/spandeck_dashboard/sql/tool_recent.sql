-- grain: one failed call of a tool (or of any) in the period, latest first
-- params: tool, since, until, service, model, agent
select
    coalesce(tool_name, 'unnamed tool') as tool_name,
    agent_name,
    error_type,
    error_message,
    duration_ms,
    attempt,
    epoch(cast($until as timestamp)) - epoch(started_at) as age_s,
    trace_id,
    span_id
from tool_calls
where
    status = 'error'
    and started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
    and tool_name is not distinct from coalesce($tool, tool_name)
    and service is not distinct from coalesce($service, service)
    and agent_name is not distinct from coalesce($agent, agent_name)
    and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
order by started_at desc, span_id asc
limit 50
