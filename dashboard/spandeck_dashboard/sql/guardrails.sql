-- grain: a guardrail of the period, most often blocking first, with its latest finding
-- params: since, until, service, model, agent
with
checks as (
    select
        *,
        coalesce(action in ('block', 'review'), false) or coalesce(redaction_count > 0, false) as has_finding
    from guard_verdicts
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and agent_name is not distinct from coalesce($agent, agent_name)
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
),

guardrails as (
    select
        guardrail,
        count(*) as check_count,
        count(*) filter (where action = 'block') as blocked_count,
        count(*) filter (where action = 'review') as review_count,
        cast(sum(redaction_count) as bigint) as redaction_count,
        count(*) filter (where error_type is not null) as error_count,
        count(*) filter (where has_finding) / count(*) as finding_ratio,
        quantile_cont(duration_ms, 0.95) as p95_ms,
        epoch(cast($until as timestamp)) - epoch(max(started_at) filter (where has_finding)) as last_age_s,
        arg_max(trace_id, started_at) filter (where has_finding) as last_trace_id,
        arg_max(span_id, started_at) filter (where has_finding) as last_span_id
    from checks
    group by guardrail
)

select
    *,
    finding_ratio / nullif(max(finding_ratio) over (), 0) as share_of_worst
from guardrails
order by blocked_count desc, review_count desc, redaction_count desc nulls last, check_count desc, guardrail asc
limit 50
