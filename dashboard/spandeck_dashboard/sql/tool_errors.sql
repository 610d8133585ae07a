-- grain: a message with which calls of a tool (or of any) failed in the period, most frequent first, with its latest
-- params: tool, since, until, service, model, agent
select
    coalesce(tool_name, 'unnamed tool') as tool_name,
    coalesce(error_type, 'error without a type') as error_type,
    error_message,
    count(*) as error_count,
    count(*) / sum(count(*)) over () as error_share,
    any_value(agent_name) as agent_name,
    epoch(cast($until as timestamp)) - epoch(max(started_at)) as last_age_s,
    arg_max(trace_id, started_at) as last_trace_id,
    arg_max(span_id, started_at) as last_span_id
from tool_calls
where
    status = 'error'
    and started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
    and tool_name is not distinct from coalesce($tool, tool_name)
    and service is not distinct from coalesce($service, service)
    and agent_name is not distinct from coalesce($agent, agent_name)
    and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
group by tool_name, error_type, error_message
order by error_count desc, last_age_s asc, tool_name asc
limit 100
