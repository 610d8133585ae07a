-- grain: one result of an evaluation that new spans, their events or new log records tell
-- Of the attributes of a span the numbered ones are OpenInference's; the event is the GenAI conventions'.
with entries as (
    select
        arrival,
        unnest(map_entries(attributes)) as entry
    from incoming_spans
    semi join new_arrivals using (arrival)
    where
        coalesce(
            "evaluation.name", -- noqa: RF05
            "evaluations.0.evaluation.name", -- noqa: RF05
            "trace.evaluations.0.evaluation.name", -- noqa: RF05
            "session.evaluations.0.evaluation.name" -- noqa: RF05
        ) is not null
),

parts as (
    select
        arrival,
        store.to_text(entry.value) as value,
        regexp_extract(
            entry.key,
            '^(?:(trace|session)\.)?(?:evaluations\.(\d+)\.)?evaluation\.'
            '(name|score|label|explanation|annotator_kind)$',
            ['subject', 'number', 'field']
        ) as part
    from entries
    where contains(entry.key, 'evaluation.')
),

told_by_attributes as (
    select
        arrival,
        coalesce(nullif(part.subject, ''), 'span') as subject,
        max(value) filter (where part.field = 'name') as name,
        max(value) filter (where part.field = 'score') as score,
        max(value) filter (where part.field = 'label') as label,
        max(value) filter (where part.field = 'explanation') as explanation,
        lower(max(value) filter (where part.field = 'annotator_kind')) as evaluator
    from parts
    where part.field != ''
    group by arrival, part.subject, part.number
),

told as (
    select
        new_spans.trace_id,
        case when told_by_attributes.subject = 'span' then new_spans.span_id end as span_id,
        case when told_by_attributes.subject = 'span' then new_spans.response_id end as response_id,
        new_spans.session_id,
        new_spans.service,
        told_by_attributes.* exclude (arrival),
        'attribute' as source,
        coalesce(new_spans.ended_at, new_spans.started_at) as evaluated_at,
        new_spans.received_at
    from told_by_attributes
    inner join new_spans using (arrival)
    union all by name
    select
        new_spans.trace_id,
        new_spans.span_id,
        coalesce(incoming_events.attributes['gen_ai.response.id'], new_spans.response_id) as response_id,
        new_spans.session_id,
        new_spans.service,
        'span' as subject,
        incoming_events.attributes['gen_ai.evaluation.name'] as name,
        incoming_events.attributes['gen_ai.evaluation.score.value'] as score,
        incoming_events.attributes['gen_ai.evaluation.score.label'] as label,
        incoming_events.attributes['gen_ai.evaluation.explanation'] as explanation,
        'event' as source,
        incoming_events.occurred_at as evaluated_at,
        new_spans.received_at
    from incoming_events
    inner join new_spans using (arrival)
    where incoming_events.name = 'gen_ai.evaluation.result'
    union all by name
    select
        incoming_logs.trace_id,
        incoming_logs.span_id,
        store.to_text(incoming_logs.attributes['gen_ai.response.id']) as response_id,
        coalesce(
            store.to_text(incoming_logs.attributes['gen_ai.conversation.id']),
            store.to_text(incoming_logs.attributes['session.id'])
        ) as session_id,
        store.to_text(incoming_logs.resource['service.name']) as service,
        case
            when coalesce(incoming_logs.span_id, response_id) is not null then 'span'
            when incoming_logs.trace_id is null and session_id is not null then 'session'
            else 'trace'
        end as subject,
        incoming_logs.attributes['gen_ai.evaluation.name'] as name,
        incoming_logs.attributes['gen_ai.evaluation.score.value'] as score,
        incoming_logs.attributes['gen_ai.evaluation.score.label'] as label,
        incoming_logs.attributes['gen_ai.evaluation.explanation'] as explanation,
        'log' as source,
        incoming_logs.occurred_at as evaluated_at,
        incoming_logs.received_at
    from incoming_logs
    semi join new_logs using (arrival)
    where incoming_logs.event_name = 'gen_ai.evaluation.result'
)

select
    trace_id,
    span_id,
    response_id,
    session_id,
    service,
    subject,
    store.to_text(name) as name,
    store.to_number(score) as score,
    store.to_text(label) as label,
    store.to_text(explanation)[:4096] as explanation,
    evaluator,
    source,
    evaluated_at,
    received_at
from told
