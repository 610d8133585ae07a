-- grain: one alert that the program of a new span raised itself, keyed as the store's rule of the same name keys it
with told as (
    select
        events.trace_id,
        events.span_id,
        lower(store.to_text(events.attributes['spandeck.alert.rule'])) as rule,
        store.to_text(events.attributes['spandeck.alert.severity']) as severity,
        store.to_text(events.attributes['spandeck.alert.message'])[:500] as message,
        try_cast(events.attributes['spandeck.alert.value'] as double) as value,
        try_cast(events.attributes['spandeck.alert.threshold'] as double) as threshold,
        events.occurred_at,
        events.received_at
    from incoming_events as events
    semi join new_arrivals using (arrival)
    where events.name = 'spandeck.alert'
),

-- A call that another span stands for has its alert there.
placed as (
    select
        told.* replace (
            coalesce(calls.duplicate_trace_id, told.trace_id) as trace_id,
            coalesce(calls.duplicate_of, told.span_id) as span_id
        )
    from told
    left join settled_calls as calls
        on
            told.trace_id = calls.trace_id
            and told.span_id = calls.span_id
            and not calls.counted
),

named as (
    select
        placed.*,
        case
            when placed.rule = 'expensive_request' then coalesce(traces.root_name, placed.trace_id)
            when calls.kind = 'tool' then calls.tool_name || coalesce(': ' || calls.error_type, '')
            when calls.kind is not null
                then coalesce(calls.response_model, calls.request_model, 'an unnamed model')
        end as found_subject
    from placed
    left join settled_calls as calls
        on
            placed.trace_id = calls.trace_id
            and placed.span_id = calls.span_id
            and calls.counted
            and (calls.kind = 'tool') = (placed.rule = 'failed_tool_call')
    left join settled_traces as traces on placed.trace_id = traces.trace_id
),

keyed as (
    select
        *,
        coalesce(found_subject, rule) as subject,
        rule || '/' || trace_id || case
            when rule = 'expensive_request' then ''
            when rule = 'failed_tool_call' then '/' || coalesce(found_subject, rule)
            else '/' || span_id
        end as alert_key
    from named
    where regexp_full_match(rule, '[a-z][a-z0-9_]{0,63}')
)

select
    rule,
    arg_min(
        case when severity in ('info', 'warning', 'error', 'critical') then severity else 'warning' end, occurred_at
    ) as severity,
    arg_min(subject, occurred_at) as subject,
    coalesce(arg_min(message, occurred_at), rule) as message,
    arg_min(value, occurred_at) as value,
    arg_min(threshold, occurred_at) as threshold,
    min(occurred_at) as fired_at,
    min(occurred_at) as pending_at,
    max(occurred_at) as last_at,
    count(*) as repeat_count,
    'firing' as state,
    trace_id,
    arg_min(span_id, occurred_at) as span_id,
    alert_key,
    true as follows_trace,
    'client' as raised_by,
    max(received_at) as noticed_at
from keyed
where occurred_at is not null
group by rule, trace_id, alert_key
