-- grain: a kind of failure of model and tool calls, most frequent first, with its latest span
-- params: since, until, service, model, agent
with
failures as (
    select
        started_at,
        trace_id,
        span_id,
        coalesce(model, 'unnamed model') as source,
        error_type
    from llm_calls
    where
        status = 'error' and kind != 'agent'
        and started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and model is not distinct from coalesce($model, model)
        and agent_name is not distinct from coalesce($agent, agent_name)
    union all
    select
        started_at,
        trace_id,
        span_id,
        coalesce(tool_name, 'unnamed tool') as source,
        error_type
    from tool_calls
    where
        status = 'error'
        and started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and agent_name is not distinct from coalesce($agent, agent_name)
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
)

select
    coalesce(error_type, 'error without a type') as error_type,
    source,
    count(*) as error_count,
    epoch(cast($until as timestamp)) - epoch(max(started_at)) as last_age_s,
    arg_max(trace_id, started_at) as last_trace_id,
    arg_max(span_id, started_at) as last_span_id
from failures
group by all
order by error_count desc, last_age_s asc, error_type asc, source asc
limit 20
