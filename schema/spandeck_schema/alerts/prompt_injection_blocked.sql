-- grain: one check of a guardrail that found a prompt injection and blocked it
-- name: prompt_injection_blocked
-- severity: error
-- key: span
-- cool-down: 10m
-- message: Prompt injection blocked by {subject}
select
    coalesce(attributes['gen_ai.security.guardrail'], name, 'a guardrail') as subject,
    1.0 as value,
    0.0 as threshold,
    coalesce(ended_at, started_at) as occurred_at,
    trace_id,
    span_id
from spans
where
    started_at >= $since
    and started_at < $until
    and kind = 'guardrail'
    and coalesce(attributes['gen_ai.security.verdict'], attributes['spandeck.guard.action']) = 'block'
    and (
        contains(lower(coalesce(attributes['gen_ai.security.guardrail'], name)), 'injection')
        or contains(lower(attributes['spandeck.guard.rules']), 'injection')
    )
