-- grain: a service and scope with streamed model calls that do not tell when the first token came
create or replace macro store.doctor_no_first_token(since) as table
    select
        'no_time_to_first_token' as fix_key,
        'no_time_to_first_token' as finding,
        'warning' as grade,
        service,
        [scope] as scopes,
        scope as detail,
        count(*) filter (where time_to_first_token_ms is null) as affected_count,
        count(*) as total_count,
        any_value(trace_id) filter (where time_to_first_token_ms is null) as example_trace_id,
        any_value(span_id) filter (where time_to_first_token_ms is null) as example_span_id,
        format(
            '{:,} of {:,} streamed model calls of {} do not tell when the first token came: no alert on it can fire.',
            affected_count, total_count, coalesce(scope, 'no scope')
        ) as message
    from store.calls
    where
        counted
        and kind = 'llm'
        and streamed
        and status = 'ok'
        and duration_ms is not null
        and first_received_at >= since
    group by service, scope
    having affected_count > 0;
