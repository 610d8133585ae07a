-- grain: one open run that makes no progress for 3 times as long as what it waits for usually takes
-- name: silent_run
-- severity: error
-- window: 6h
-- interval: 15s
-- for: 0s
-- cool-down: 1m
-- minimum volume: 0
-- no data: resolve
-- message: {subject} has made no progress for {value} s, usually at most {threshold} s
with told as materialized (
    select
        trace_id,
        span_id,
        attributes['spandeck.span.parent_id'] as parent_span_id,
        attributes['spandeck.span.name'] as name,
        coalesce(attributes['gen_ai.tool.name'], attributes['gen_ai.request.model']) as work,
        attributes['gen_ai.operation.name'] as operation,
        coalesce(attributes['gen_ai.request.stream'], 'false') = 'true' as streamed,
        occurred_at as began_at
    from log_records
    where
        event_name = 'spandeck.span.open'
        and received_at >= $since
        and received_at < cast($until as timestamp) + interval 1 minute
        and occurred_at < $until
),

-- What has ended by then is open no more; all else that is known of the trace by then is progress.
ended as materialized (
    select
        spans.trace_id,
        spans.span_id,
        coalesce(spans.ended_at, spans.started_at) as moment
    from span_times as spans
    semi join told using (trace_id)
    where
        spans.started_at >= (select min(firsts.began_at) from told as firsts) - interval 1 hour
        and coalesce(spans.ended_at, spans.started_at) < $until
),

open_work as materialized (
    select told.*
    from told
    anti join ended using (trace_id, span_id)
),

progress as (
    select
        trace_id,
        max(moment) as moment
    from (
        select
            trace_id,
            began_at as moment
        from told
        union all
        select
            trace_id,
            moment
        from ended
    ) as moments
    group by trace_id
),

-- The innermost open work, the latest of it, is what the run waits for.
waiting as (
    select
        open_work.trace_id,
        arg_max(open_work.span_id, open_work.began_at) as span_id,
        arg_max(open_work.name, open_work.began_at) as name,
        arg_max(open_work.work, open_work.began_at) as work,
        arg_max(open_work.streamed, open_work.began_at) as streamed,
        progress.moment as progress_at
    from open_work
    inner join progress using (trace_id)
    anti join open_work as inner_work
        on
            open_work.trace_id = inner_work.trace_id
            and open_work.span_id = inner_work.parent_span_id
    group by open_work.trace_id, progress.moment
),

usual as (
    select
        calls.work,
        quantile_cont(calls.duration_ms, 0.95) / 1000 as usual_s
    from (
        select
            model as work,
            started_at,
            duration_ms
        from llm_calls
        union all
        select
            tool_name as work,
            started_at,
            duration_ms
        from tool_calls
    ) as calls
    semi join open_work on calls.work = open_work.work
    where
        calls.started_at >= cast($until as timestamp) - interval 6 hours
        and calls.started_at + to_milliseconds(cast(calls.duration_ms as bigint)) < $until
    group by calls.work
    having count(*) >= 5
)

select
    coalesce(waiting.name, 'Work') || ' of run ' || left(waiting.trace_id, 8) as subject,
    epoch(cast($until as timestamp)) - epoch(waiting.progress_at) as value,
    -- Without history: 2 minutes, 10 for an answer that streams.
    greatest(30.0, coalesce(3 * usual.usual_s, case when waiting.streamed then 600.0 else 120.0 end)) as threshold,
    waiting.trace_id,
    waiting.span_id
from waiting
left join usual using (work)
