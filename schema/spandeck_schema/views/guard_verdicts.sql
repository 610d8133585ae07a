-- grain: one check of a guardrail, or one redaction
create or replace view main.guard_verdicts as
select
    trace_id,
    span_id,
    service,
    agent_name,
    session_id,
    started_at,
    duration_ms,
    coalesce(store.to_text(attributes['gen_ai.security.guardrail']), name) as guardrail,
    guard_action as action,
    store.to_number(
        coalesce(attributes['spandeck.guard.score'], attributes['gen_ai.security.risk.score'])
    ) as score,
    store.to_list(attributes['spandeck.guard.rules']) as rules,
    store.to_text(attributes['spandeck.guard.source']) as source,
    store.to_count(attributes['spandeck.redaction.count']) as redaction_count,
    status,
    coalesce(store.to_text(attributes['spandeck.guard.error']), error_type) as error_type
from store.spans
where kind = 'guardrail';
