-- grain: a value of what `by_what` says (model, agent, tool, all) with its calls of one kind, all from buckets
-- of_service, of_model and of_agent keep the calls of one; NULL keeps all.
create or replace macro main.call_percentiles_between(
    since, until, by_what := 'all', of_kind := 'llm', of_service := null, of_model := null, of_agent := null
) as table (
    with buckets as (
        select
            service,
            model,
            agent_name,
            tool_name,
            kind,
            duration_buckets,
            first_token_buckets
        from store.groups_between(since, until)
        where subject = 'call'
        union all by name
        select
            service,
            coalesce(response_model, request_model) as model,
            agent_name,
            tool_name,
            kind,
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
    ),

    wanted as (
        select
            case by_what when 'model' then model when 'agent' then agent_name when 'tool' then tool_name end as value,
            duration_buckets,
            first_token_buckets
        from buckets
        where
            kind = of_kind
            and service is not distinct from coalesce(of_service, service)
            and (kind = 'tool' or model is not distinct from coalesce(of_model, model))
            and agent_name is not distinct from coalesce(of_agent, agent_name)
    ),

    entries as (
        select
            value,
            true as is_duration,
            unnest(duration_buckets, recursive := true) -- noqa: AL03
        from wanted
        union all
        select
            value,
            false as is_duration,
            unnest(first_token_buckets, recursive := true) -- noqa: AL03
        from wanted
    ),

    counted as (
        select
            value,
            is_duration,
            bucket,
            cast(sum(value_count) as bigint) as value_count
        from entries
        group by all
    ),

    ranked as (
        select
            *,
            cast(sum(value_count) over (partition by value, is_duration order by bucket) as bigint) as seen,
            cast(sum(value_count) over (partition by value, is_duration) as bigint) as total
        from counted
    )

    select
        value,
        store.bucket_quantile(is_duration, bucket, seen, total, 0.50) as p50_ms,
        store.bucket_quantile(is_duration, bucket, seen, total, 0.95) as p95_ms,
        store.bucket_quantile(is_duration, bucket, seen, total, 0.99) as p99_ms,
        store.bucket_quantile(not is_duration, bucket, seen, total, 0.50) as time_to_first_token_p50_ms,
        store.bucket_quantile(not is_duration, bucket, seen, total, 0.95) as time_to_first_token_p95_ms,
        store.bucket_quantile(not is_duration, bucket, seen, total, 0.99) as time_to_first_token_p99_ms
    from ranked
    group by value
);
