-- grain: a service and two scopes that tell the same calls
create or replace macro store.doctor_double_instrumentation(since) as table
    with told as (
        select
            trace_id,
            span_id,
            coalesce(duplicate_trace_id, trace_id) as other_trace_id,
            duplicate_of as other_span_id,
            service,
            scope,
            started_at
        from store.calls
        where duplicate_of is not null and kind in ('llm', 'embedding') and first_received_at >= since
    ),

    pairs as (
        select
            told.*,
            others.scope as other_scope
        from told
        inner join store.calls as others
            on
                told.other_trace_id = others.trace_id
                and told.other_span_id = others.span_id
        where
            told.scope != others.scope
            -- A gateway tells the calls of its callers too, and is no second instrumentation of them.
            and told.service is not distinct from others.service
            and others.kind in ('llm', 'embedding')
    ),

    totals as (
        select
            service,
            count(*) as total_count
        from store.calls
        where kind in ('llm', 'embedding') and first_received_at >= since
        group by service
    )

    select
        'double_instrumentation' as fix_key,
        'double_instrumentation' as finding,
        'warning' as grade,
        pairs.service,
        [least(pairs.scope, pairs.other_scope), greatest(pairs.scope, pairs.other_scope)] as scopes,
        array_to_string(scopes, ' and ') as detail,
        count(*) as affected_count,
        any_value(totals.total_count) as total_count,
        arg_max(pairs.trace_id, (pairs.started_at, pairs.span_id)) as example_trace_id,
        arg_max(pairs.span_id, (pairs.started_at, pairs.span_id)) as example_span_id,
        format(
            '{:,} of {:,} model calls are told twice, by {}: each counts once, but all of it is sent and stored twice.',
            affected_count, any_value(totals.total_count), detail
        ) as message
    from pairs
    inner join totals on pairs.service is not distinct from totals.service
    group by pairs.service, least(pairs.scope, pairs.other_scope), greatest(pairs.scope, pairs.other_scope);
