-- grain: one figure of guardrails and caches of the period, beside the same figure of the period before
-- A period before with fewer than five runs, or not recorded from its beginning, is no base for a change.
-- params: before, since, until, service, model, agent
with
checks as (
    select
        action,
        redaction_count,
        duration_ms,
        started_at >= cast($since as timestamp) as is_current
    from guard_verdicts
    where
        started_at >= cast($before as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and agent_name is not distinct from coalesce($agent, agent_name)
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
),

lookups as (
    select
        is_hit,
        saved_usd,
        started_at >= cast($since as timestamp) as is_current
    from cache_lookups
    where
        started_at >= cast($before as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and agent_name is not distinct from coalesce($agent, agent_name)
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
),

base as (
    select
        min(started_at) <= cast($before as timestamp)
        and count(*) filter (
            where started_at >= cast($before as timestamp) and started_at < cast($since as timestamp)
        ) >= 5 as is_comparable
    from traces
),

check_figures as (
    select
        is_current,
        count(*) as check_count,
        count(*) filter (where action = 'block') as blocked_count,
        count(*) filter (where action = 'review') as review_count,
        sum(redaction_count) as redaction_count,
        quantile_cont(duration_ms, 0.95) as check_p95_ms
    from checks
    group by is_current
),

lookup_figures as (
    select
        is_current,
        count(*) as lookup_count,
        count(*) filter (where is_hit) as hit_count,
        count(*) filter (where is_hit) / count(*) as hit_ratio,
        sum(saved_usd) filter (where is_hit) as saved_usd
    from lookups
    group by is_current
),

figures as (
    select
        periods.is_current,
        cast(coalesce(check_figures.check_count, 0) as double) as check_count,
        cast(coalesce(check_figures.blocked_count, 0) as double) as blocked_count,
        cast(coalesce(check_figures.review_count, 0) as double) as review_count,
        cast(coalesce(check_figures.redaction_count, 0) as double) as redaction_count,
        check_figures.check_p95_ms,
        cast(lookup_figures.lookup_count as double) as lookup_count,
        cast(lookup_figures.hit_count as double) as hit_count,
        lookup_figures.hit_ratio,
        lookup_figures.saved_usd
    from (values (true), (false)) as periods (is_current)
    left join check_figures on periods.is_current = check_figures.is_current
    left join lookup_figures on periods.is_current = lookup_figures.is_current
),

named as (
    unpivot figures on columns(* exclude (is_current)) into name figure value value
),

beside as (
    select
        figure,
        max(value) filter (where is_current) as value,
        max(value) filter (where not is_current) as previous_value
    from named
    group by figure
)

select
    figure,
    value,
    previous_value,
    base.is_comparable,
    if(base.is_comparable, value / nullif(previous_value, 0) - 1, null) as change_ratio
from beside
cross join base
order by figure
