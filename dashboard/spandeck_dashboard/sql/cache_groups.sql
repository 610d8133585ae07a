-- grain: a service and what asked its cache in the period (a kind of span, of tools by name), most lookups first
-- params: since, until, service, model, agent
with
lookups as (
    select
        *,
        coalesce(tool_name, asked_by) as name
    from cache_lookups
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and agent_name is not distinct from coalesce($agent, agent_name)
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
)

select
    service,
    name,
    count(*) as lookup_count,
    count(*) filter (where is_hit) as hit_count,
    count(*) filter (where is_hit) / count(*) as hit_ratio,
    count(*) filter (where is_stale) as stale_count,
    mode(reject_rule) as reject_rule,
    count(reject_rule) as rejected_count,
    sum(saved_usd) filter (where is_hit) as saved_usd,
    count(*) filter (where is_hit and saved_usd is null) as unpriced_hit_count,
    quantile_cont(age_ms, 0.50) filter (where is_hit) as hit_age_p50_ms,
    arg_max(trace_id, started_at) as last_trace_id,
    arg_max(span_id, started_at) as last_span_id
from lookups
group by service, name
order by lookup_count desc, service asc, name asc
limit 50
