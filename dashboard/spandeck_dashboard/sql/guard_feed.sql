-- grain: one verdict or redaction of the period, latest first; of one guardrail or of all, of one verdict or of all
-- params: guardrail, verdict, since, until, service, model, agent
with
verdicts as (
    select
        *,
        case
            when action is not null then action
            when redaction_count > 0 then 'redacted'
            when redaction_count = 0 then 'nothing found'
        end as verdict
    from guard_verdicts
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and guardrail is not distinct from coalesce($guardrail, guardrail)
        and service is not distinct from coalesce($service, service)
        and agent_name is not distinct from coalesce($agent, agent_name)
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
)

select
    verdict,
    guardrail,
    source,
    array_to_string(rules, ', ') as rules,
    score,
    redaction_count,
    error_type,
    service,
    agent_name,
    duration_ms,
    epoch(cast($until as timestamp)) - epoch(started_at) as age_s,
    trace_id,
    span_id,
    count(*) over () as matching_count
from verdicts
where verdict is not distinct from coalesce(cast($verdict as varchar), verdict)
order by started_at desc, span_id asc
limit 300
