-- grain: a group of a range by what `by_what` says: model, agent, tool, service or operation; key_3 only of operation
-- Every comparison of `by_what` and of the range's length is one of constants: the planner drops what does not apply.
create or replace macro store.latency_between(by_what, since, until) as table (
    with facts as (
        select
            case by_what when 'model' then provider when 'agent' then agent_name else tool_name end as key_1,
            case when by_what = 'model' then coalesce(response_model, request_model) end as key_2,
            cast(null as varchar) as key_3,
            status,
            duration_ms,
            time_to_first_token_ms
        from store.calls
        where
            by_what in ('model', 'agent', 'tool')
            and counted
            and (kind = 'tool') = (by_what = 'tool')
            and kind != 'agent'
            and started_at >= cast(since as timestamp)
            and started_at < cast(until as timestamp)
            and (store.is_short_range(since, until) or store.is_of_edge(started_at, since, until))
        union all
        select
            service as key_1,
            case when by_what = 'operation' then kind end as key_2,
            case when by_what = 'operation' then name end as key_3,
            status,
            duration_ms,
            cast(null as double) as time_to_first_token_ms
        from store.spans
        where
            by_what in ('service', 'operation')
            and kind is distinct from 'details'
            and (by_what = 'operation' or parent_span_id is null or otel_kind in ('SERVER', 'CONSUMER'))
            and started_at >= cast(since as timestamp)
            and started_at < cast(until as timestamp)
            and (store.is_short_range(since, until) or store.is_of_edge(started_at, since, until))
    ),

    exact as (
        select
            key_1,
            key_2,
            key_3,
            count(*) as call_count,
            count(*) filter (where status = 'error') as error_count,
            quantile_cont(duration_ms, 0.50) as p50_ms,
            quantile_cont(duration_ms, 0.95) as p95_ms,
            quantile_cont(duration_ms, 0.99) as p99_ms,
            quantile_cont(time_to_first_token_ms, 0.50) as time_to_first_token_p50_ms,
            quantile_cont(time_to_first_token_ms, 0.95) as time_to_first_token_p95_ms,
            quantile_cont(time_to_first_token_ms, 0.99) as time_to_first_token_p99_ms
        from facts
        where store.is_short_range(since, until)
        group by all
    ),

    groups as (
        select
            case by_what
                when 'model' then provider when 'agent' then agent_name when 'tool' then tool_name else service
            end as key_1,
            case by_what when 'model' then model when 'operation' then kind end as key_2,
            case when by_what = 'operation' then name end as key_3,
            row_count,
            error_count,
            duration_buckets,
            first_token_buckets
        from store.groups_between(since, until)
        where
            not store.is_short_range(since, until)
            and case
                when by_what = 'service' then subject = 'span' and is_entry
                when by_what = 'operation' then subject = 'span'
                else subject = 'call' and (kind = 'tool') = (by_what = 'tool') and kind != 'agent'
            end
    ),

    entries as (
        select
            key_1,
            key_2,
            key_3,
            row_count,
            error_count,
            cast(null as boolean) as is_duration,
            cast(null as smallint) as bucket,
            0 as value_count
        from groups
        union all
        select
            key_1,
            key_2,
            key_3,
            1 as row_count,
            if(status = 'error', 1, 0) as error_count,
            cast(null as boolean) as is_duration,
            cast(null as smallint) as bucket,
            0 as value_count
        from facts
        where not store.is_short_range(since, until)
        union all
        select
            key_1,
            key_2,
            key_3,
            0 as row_count,
            0 as error_count,
            true as is_duration,
            unnest(duration_buckets, recursive := true) -- noqa: AL03
        from groups
        union all
        select
            key_1,
            key_2,
            key_3,
            0 as row_count,
            0 as error_count,
            false as is_duration,
            unnest(first_token_buckets, recursive := true) -- noqa: AL03
        from groups
        union all
        select
            key_1,
            key_2,
            key_3,
            0 as row_count,
            0 as error_count,
            true as is_duration,
            store.bucket_of(duration_ms) as bucket,
            1 as value_count
        from facts
        where not store.is_short_range(since, until) and duration_ms is not null
        union all
        select
            key_1,
            key_2,
            key_3,
            0 as row_count,
            0 as error_count,
            false as is_duration,
            store.bucket_of(time_to_first_token_ms) as bucket,
            1 as value_count
        from facts
        where not store.is_short_range(since, until) and time_to_first_token_ms is not null
    ),

    counted as (
        select
            key_1,
            key_2,
            key_3,
            is_duration,
            bucket,
            sum(row_count) as row_count,
            sum(error_count) as error_count,
            cast(sum(value_count) as bigint) as value_count
        from entries
        group by all
    ),

    ranked as (
        select
            *,
            cast(
                sum(value_count) over (partition by key_1, key_2, key_3, is_duration order by bucket) as bigint
            ) as seen,
            cast(sum(value_count) over (partition by key_1, key_2, key_3, is_duration) as bigint) as total
        from counted
    )

    select
        *,
        'exact' as percentile_basis
    from exact
    union all by name
    select
        key_1,
        key_2,
        key_3,
        cast(sum(row_count) as bigint) as call_count,
        cast(sum(error_count) as bigint) as error_count,
        store.bucket_quantile(is_duration, bucket, seen, total, 0.50) as p50_ms,
        store.bucket_quantile(is_duration, bucket, seen, total, 0.95) as p95_ms,
        store.bucket_quantile(is_duration, bucket, seen, total, 0.99) as p99_ms,
        store.bucket_quantile(not is_duration, bucket, seen, total, 0.50) as time_to_first_token_p50_ms,
        store.bucket_quantile(not is_duration, bucket, seen, total, 0.95) as time_to_first_token_p95_ms,
        store.bucket_quantile(not is_duration, bucket, seen, total, 0.99) as time_to_first_token_p99_ms,
        'buckets' as percentile_basis
    from ranked
    group by key_1, key_2, key_3
    having sum(row_count) > 0
);
