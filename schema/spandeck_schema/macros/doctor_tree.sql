-- grain: a service with spans whose parent never came, or with spans whose times cannot be
-- A trace that began before `since` has parents that were not looked at, and parents of one that was not quiet for five
-- minutes may come.
create or replace macro store.doctor_tree(since) as table
    with strays as materialized (
        select * from store.doctor_strays(since)
    ),

    closed as (
        select traces.trace_id
        from store.traces
        where
            traces.trace_id in (select strays.trace_id from strays where strays.is_orphan)
            and traces.first_received_at >= since
            and traces.last_received_at < since + interval 24 hours - interval 5 minutes
    ),

    totals as (
        select
            service,
            count(*) as total_count
        from store.spans
        where received_at >= since
        group by service
    ),

    named as (
        select
            'orphan_spans' as finding,
            strays.*
        from strays
        semi join closed using (trace_id)
        where strays.is_orphan
        union all
        select
            'clock_skew' as finding,
            strays.*
        from strays
        where strays.is_skewed
    ),

    counted as (
        select
            finding,
            service,
            count(*) as affected_count,
            arg_max(trace_id, (started_at, span_id)) as example_trace_id,
            arg_max(span_id, (started_at, span_id)) as example_span_id
        from named
        group by finding, service
    )

    select
        counted.finding as fix_key,
        counted.finding,
        'warning' as grade,
        counted.service,
        cast([null] as varchar[]) as scopes,
        cast(null as varchar) as detail,
        counted.affected_count,
        totals.total_count,
        counted.example_trace_id,
        counted.example_span_id,
        format(
            case counted.finding
                when 'orphan_spans'
                    then '{:,} of {:,} spans name a parent that never came: their traces have no root or are in pieces.'
                else '{:,} of {:,} spans have times that cannot be: outside their parent, in the future, or never set.'
            end,
            counted.affected_count,
            totals.total_count
        ) as message
    from counted
    inner join totals on counted.service is not distinct from totals.service;
