-- grain: one result of an evaluation of a span, a trace or a session, told once
-- A result that names only the answer belongs to the call with this response id, whenever that comes.
create or replace view main.evaluations as
with answers as (
    select
        response_id,
        arg_min(trace_id, (not counted, started_at, span_id)) as trace_id,
        arg_min(span_id, (not counted, started_at, span_id)) as span_id
    from store.calls
    where
        response_id in (
            select evaluations.response_id
            from store.evaluations
            where evaluations.span_id is null and evaluations.response_id is not null
        )
    group by response_id
),

placed as (
    select
        coalesce(answers.trace_id, evaluations.trace_id) as trace_id,
        coalesce(evaluations.span_id, answers.span_id) as span_id,
        evaluations.* exclude (trace_id, span_id, received_at)
    from store.evaluations
    left join answers on case when evaluations.span_id is null then evaluations.response_id end = answers.response_id
)

select
    trace_id,
    span_id,
    response_id,
    session_id,
    service,
    subject,
    name,
    score,
    label,
    explanation,
    store.hallucinated(name, score, label) as hallucinated,
    evaluator,
    source,
    evaluated_at
from placed
-- By event and by log, a result comes twice; what belongs to nothing is told apart by its time.
qualify
    row_number() over (
        partition by
            subject,
            case when subject = 'session' then coalesce(session_id, trace_id) else trace_id end,
            span_id,
            case when span_id is null then response_id end,
            case when coalesce(trace_id, response_id, session_id) is null then evaluated_at end,
            name,
            score,
            label,
            explanation
        order by evaluated_at, source
    ) = 1;
