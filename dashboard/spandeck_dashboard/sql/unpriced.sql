-- grain: a provider and model of the period whose calls have usage but no cost, most calls first
-- params: since, until, service, model, agent
select
    provider,
    model,
    count(*) as call_count,
    cast(sum(input_tokens) as bigint) as input_tokens,
    cast(sum(output_tokens) as bigint) as output_tokens,
    count(*) filter (where input_tokens is null or output_tokens is null) as without_a_count,
    epoch(cast($until as timestamp)) - epoch(max(started_at)) as last_age_s,
    arg_max(trace_id, started_at) as last_trace_id,
    arg_max(span_id, started_at) as last_span_id
from llm_calls
where
    cost_usd is null and coalesce(input_tokens, output_tokens) is not null
    and started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
    and service is not distinct from coalesce($service, service)
    and model is not distinct from coalesce($model, model)
    and agent_name is not distinct from coalesce($agent, agent_name)
group by provider, model
order by call_count desc, model asc
limit 50
