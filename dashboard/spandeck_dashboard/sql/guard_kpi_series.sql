-- grain: a thirtieth of the period with its checks and lookups; none of them: a ratio or percentile is unknown
-- params: since, until, service, model, agent
with
bounds as (
    select
        epoch_ms(cast($since as timestamp)) as since_ms,
        (epoch_ms(cast($until as timestamp)) - epoch_ms(cast($since as timestamp))) / 30 as width_ms
),

checks as (
    select
        cast(floor((epoch_ms(started_at) - since_ms) / width_ms) as bigint) as bucket,
        count(*) as check_count,
        count(*) filter (where action = 'block') as blocked_count,
        count(*) filter (where action = 'review') as review_count,
        cast(sum(redaction_count) as bigint) as redaction_count,
        quantile_cont(duration_ms, 0.95) as check_p95_ms
    from guard_verdicts, bounds
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and agent_name is not distinct from coalesce($agent, agent_name)
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
    group by bucket
),

lookups as (
    select
        cast(floor((epoch_ms(started_at) - since_ms) / width_ms) as bigint) as bucket,
        count(*) filter (where is_hit) / count(*) as hit_ratio
    from cache_lookups, bounds
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and agent_name is not distinct from coalesce($agent, agent_name)
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
    group by bucket
)

select
    buckets.bucket,
    coalesce(checks.check_count, 0) as check_count,
    coalesce(checks.blocked_count, 0) as blocked_count,
    coalesce(checks.review_count, 0) as review_count,
    coalesce(checks.redaction_count, 0) as redaction_count,
    checks.check_p95_ms,
    lookups.hit_ratio
from generate_series(0, 29) as buckets (bucket)
left join checks on buckets.bucket = checks.bucket
left join lookups on buckets.bucket = lookups.bucket
order by buckets.bucket
