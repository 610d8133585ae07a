-- grain: a thirtieth of the period with the sessions that were seen in it; none: an average is unknown
-- params: since, until, service, model, agent
with
bounds as (
    select
        epoch_ms(cast($since as timestamp)) as since_ms,
        (epoch_ms(cast($until as timestamp)) - epoch_ms(cast($since as timestamp))) / 30 as width_ms
),

seen as (
    select
        cast(floor((epoch_ms(started_at) - since_ms) / width_ms) as bigint) as bucket,
        session_id,
        any_value(user_id) as user_id,
        count(*) as trace_count,
        sum(cost_usd) as cost_usd,
        sum(duration_ms) as busy_ms,
        sum(greatest(error_span_count, failed_llm_call_count + failed_tool_call_count)) > 0 as has_error
    from traces, bounds
    where
        session_id is not null
        and started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and ($agent is null or list_contains(agent_names, $agent))
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
    group by bucket, session_id
),

counted as (
    select
        bucket,
        count(*) as session_count,
        count(distinct user_id) as user_count,
        avg(trace_count) as trace_count,
        avg(cost_usd) as cost_usd,
        quantile_cont(busy_ms, 0.95) as busy_p95_ms,
        count(*) filter (where has_error) / count(*) as error_ratio
    from seen
    group by bucket
)

select
    buckets.bucket,
    coalesce(counted.session_count, 0) as session_count,
    coalesce(counted.user_count, 0) as user_count,
    counted.trace_count,
    counted.cost_usd,
    counted.busy_p95_ms,
    counted.error_ratio
from generate_series(0, 29) as buckets (bucket)
left join counted on buckets.bucket = counted.bucket
order by buckets.bucket
