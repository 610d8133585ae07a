-- grain: a 48th of the period with its tool calls, of one tool or of all: calls that went well, that failed, latency
-- params: tool, since, until, service, model, agent
with
bounds as (
    select
        epoch_ms(cast($since as timestamp)) as since_ms,
        (epoch_ms(cast($until as timestamp)) - epoch_ms(cast($since as timestamp))) / 48 as width_ms
),

figures as (
    select
        cast(floor((epoch_ms(started_at) - since_ms) / width_ms) as bigint) as bucket,
        count(*) filter (where status = 'error') as error_count,
        count(*) filter (where status != 'error') as ok_count,
        quantile_cont(duration_ms, 0.50) as p50_ms,
        quantile_cont(duration_ms, 0.95) as p95_ms,
        quantile_cont(duration_ms, 0.99) as p99_ms
    from tool_calls, bounds
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and tool_name is not distinct from coalesce($tool, tool_name)
        and service is not distinct from coalesce($service, service)
        and agent_name is not distinct from coalesce($agent, agent_name)
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
    group by all
)

select
    cast(since_ms + (buckets.bucket + 0.5) * width_ms as bigint) as middle_ms,
    coalesce(figures.ok_count, 0) as ok_count,
    coalesce(figures.error_count, 0) as error_count,
    coalesce(figures.ok_count + figures.error_count, 0) as call_count,
    figures.error_count / (figures.ok_count + figures.error_count) as error_ratio,
    figures.p50_ms,
    figures.p95_ms,
    figures.p99_ms
from generate_series(0, 47) as buckets (bucket)
cross join bounds
left join figures on buckets.bucket = figures.bucket
order by middle_ms
