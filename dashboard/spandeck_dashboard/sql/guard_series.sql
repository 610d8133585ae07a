-- grain: a 48th of the period with its checks by verdict, of one guardrail or of all
-- params: guardrail, since, until, service, model, agent
with
bounds as (
    select
        epoch_ms(cast($since as timestamp)) as since_ms,
        (epoch_ms(cast($until as timestamp)) - epoch_ms(cast($since as timestamp))) / 48 as width_ms
),

checks as (
    select
        cast(floor((epoch_ms(started_at) - since_ms) / width_ms) as bigint) as bucket,
        count(*) filter (where action = 'block') as blocked_count,
        count(*) filter (where action = 'review') as review_count,
        count(*) filter (where action is null and redaction_count > 0) as redacted_count,
        count(*) as check_count
    from guard_verdicts, bounds
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and guardrail is not distinct from coalesce($guardrail, guardrail)
        and service is not distinct from coalesce($service, service)
        and agent_name is not distinct from coalesce($agent, agent_name)
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
    group by bucket
)

select
    cast(since_ms + (buckets.bucket + 0.5) * width_ms as bigint) as middle_ms,
    coalesce(checks.blocked_count, 0) as blocked_count,
    coalesce(checks.review_count, 0) as review_count,
    coalesce(checks.redacted_count, 0) as redacted_count,
    coalesce(
        checks.check_count - checks.blocked_count - checks.review_count - checks.redacted_count, 0
    ) as passed_count
from generate_series(0, 47) as buckets (bucket)
cross join bounds
left join checks on buckets.bucket = checks.bucket
order by middle_ms
