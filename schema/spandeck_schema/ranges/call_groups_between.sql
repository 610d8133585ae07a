-- grain: calls of a range that are alike in an hour, and single calls of the hours that the range cuts
-- To be summed: a group may have several rows, and a group of which calls were taken back has negative ones.
create or replace macro main.call_groups_between(since, until) as table (
    select
        hour as started_at,
        kind,
        service,
        provider,
        model,
        agent_name,
        tool_name,
        row_count as call_count,
        error_count,
        unpriced_count as unpriced_call_count,
        cost_count as priced_call_count,
        cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        duration_buckets,
        first_token_buckets
    from store.rollup_hour
    where
        subject = 'call'
        and hour >= store.first_whole('hour', since)
        and hour < date_trunc('hour', cast(until as timestamp))
    union all by name
    select
        started_at,
        kind,
        service,
        case when kind != 'tool' then provider end as provider,
        case when kind != 'tool' then coalesce(response_model, request_model) end as model,
        agent_name,
        tool_name,
        1 as call_count,
        if(status = 'error', 1, 0) as error_count,
        if(kind != 'tool' and cost_usd is null and coalesce(input_tokens, output_tokens) is not null, 1, 0)
            as unpriced_call_count,
        if(cost_usd is null, 0, 1) as priced_call_count,
        cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        case
            when duration_ms is not null
                then [struct_pack(bucket := store.bucket_of(duration_ms), value_count := 1)]
        end as duration_buckets,
        case
            when time_to_first_token_ms is not null
                then [struct_pack(bucket := store.bucket_of(time_to_first_token_ms), value_count := 1)]
        end as first_token_buckets
    from store.calls
    where
        counted
        and started_at >= cast(since as timestamp)
        and started_at < cast(until as timestamp)
        and store.is_of_edge(started_at, since, until)
);
