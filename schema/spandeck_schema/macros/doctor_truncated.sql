-- grain: a service and scope whose emitter dropped attributes, events or links of spans
create or replace macro store.doctor_truncated(since) as table
    select
        'truncated' as fix_key,
        'truncated' as finding,
        'warning' as grade,
        service,
        [scope] as scopes,
        scope as detail,
        count(*) filter (where is_cut) as affected_count,
        count(*) as total_count,
        any_value(trace_id) filter (where is_cut) as example_trace_id,
        any_value(span_id) filter (where is_cut) as example_span_id,
        format(
            '{:,} of {:,} spans of {} lost attributes, events or links before they were sent.',
            affected_count, total_count, coalesce(scope, 'no scope')
        ) as message
    from (
        select
            trace_id,
            span_id,
            service,
            scope,
            list_contains(flags, 'truncated') as is_cut
        from store.spans
        where received_at >= since
    ) as stored
    group by service, scope
    having affected_count > 0;
