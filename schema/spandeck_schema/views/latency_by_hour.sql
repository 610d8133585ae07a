-- grain: an hour (UTC) and kind of call (llm, embedding, tool, agent = usage of a parent), or kind trace: a whole trace
create or replace view main.latency_by_hour as
with entries as (
    select
        hour,
        coalesce(kind, 'trace') as kind,
        rollup_hour.* exclude (hour, kind, subject, duration_buckets, first_token_buckets),
        cast(null as boolean) as is_duration,
        cast(null as smallint) as bucket,
        0 as value_count
    from store.rollup_hour
    where subject in ('call', 'trace')
    union all by name
    select
        hour,
        coalesce(kind, 'trace') as kind,
        true as is_duration,
        unnest(duration_buckets, recursive := true) -- noqa: AL03
    from store.rollup_hour
    where subject in ('call', 'trace')
    union all by name
    select
        hour,
        coalesce(kind, 'trace') as kind,
        false as is_duration,
        unnest(first_token_buckets, recursive := true) -- noqa: AL03
    from store.rollup_hour
    where subject in ('call', 'trace')
),

counted as (
    select
        hour,
        kind,
        is_duration,
        bucket,
        cast(sum(value_count) as bigint) as value_count,
        sum(row_count) as row_count,
        sum(error_count) as error_count,
        sum(unpriced_count) as unpriced_count,
        sum(cost_count) as cost_count,
        sum(cost_usd) as cost_usd,
        sum(input_count) as input_count,
        sum(input_tokens) as input_tokens,
        sum(output_count) as output_count,
        sum(output_tokens) as output_tokens
    from entries
    group by all
),

ranked as (
    select
        *,
        cast(sum(value_count) over (partition by hour, kind, is_duration order by bucket) as bigint) as seen,
        cast(sum(value_count) over (partition by hour, kind, is_duration) as bigint) as total
    from counted
)

select
    hour as hour_at,
    kind,
    cast(sum(row_count) as bigint) as call_count,
    cast(sum(error_count) as bigint) as error_count,
    store.bucket_quantile(is_duration, bucket, seen, total, 0.50) as p50_ms,
    store.bucket_quantile(is_duration, bucket, seen, total, 0.95) as p95_ms,
    store.bucket_quantile(is_duration, bucket, seen, total, 0.99) as p99_ms,
    store.bucket_quantile(not is_duration, bucket, seen, total, 0.50) as time_to_first_token_p50_ms,
    store.bucket_quantile(not is_duration, bucket, seen, total, 0.95) as time_to_first_token_p95_ms,
    store.bucket_quantile(not is_duration, bucket, seen, total, 0.99) as time_to_first_token_p99_ms,
    cast(case when sum(input_count) > 0 then sum(input_tokens) end as bigint) as input_tokens,
    cast(case when sum(output_count) > 0 then sum(output_tokens) end as bigint) as output_tokens,
    case when sum(cost_count) > 0 then sum(cost_usd) end as cost_usd,
    cast(sum(unpriced_count) as bigint) as unpriced_call_count,
    'buckets' as percentile_basis
from ranked
group by hour, kind
having sum(row_count) > 0;
