-- grain: spans of a range that are alike in an hour, and single spans of the hours that the range cuts
-- To be summed: a group may have several rows, and one of which spans were taken back has negative ones.
create or replace macro main.span_groups_between(since, until) as table (
    select
        hour as started_at,
        service,
        kind,
        name,
        is_entry,
        row_count as span_count,
        error_count,
        duration_buckets
    from store.rollup_hour
    where
        subject = 'span'
        and hour >= store.first_whole('hour', since)
        and hour < date_trunc('hour', cast(until as timestamp))
    union all by name
    select
        started_at,
        service,
        kind,
        name,
        coalesce(parent_span_id is null or otel_kind in ('SERVER', 'CONSUMER'), false) as is_entry,
        1 as span_count,
        if(status = 'error', 1, 0) as error_count,
        case
            when duration_ms is not null
                then [struct_pack(bucket := store.bucket_of(duration_ms), value_count := 1)]
        end as duration_buckets
    from store.spans
    where
        kind is distinct from 'details'
        and started_at >= cast(since as timestamp)
        and started_at < cast(until as timestamp)
        and store.is_of_edge(started_at, since, until)
);
