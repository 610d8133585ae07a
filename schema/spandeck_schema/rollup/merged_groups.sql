-- grain: one group of an hour of merged_hours (level hour), and of a day of these (level day), with all changes
-- A group of nothing is gone.
with old_groups as (
    select
        'hour' as level,
        hour as begins_at,
        * exclude (hour)
    from store.rollup_hour
    where hour in (select hour from merged_hours)
    union all by name
    select
        'day' as level,
        date_trunc('day', hour) as begins_at,
        * exclude (hour)
    from store.rollup_hour
    where is_delta and hour in (select hour from merged_hours)
    union all by name
    select
        'day' as level,
        day as begins_at,
        * exclude (day)
    from store.rollup_day
    where day in (select date_trunc('day', hour) from merged_hours)
),

numbered as materialized (
    select
        row_number() over () as group_number,
        level,
        begins_at,
        subject,
        service,
        kind,
        name,
        is_entry,
        provider,
        model,
        agent_name,
        tool_name,
        sum(row_count) as row_count,
        sum(error_count) as error_count,
        sum(unpriced_count) as unpriced_count,
        sum(cost_count) as cost_count,
        case when sum(cost_count) > 0 then sum(cost_usd) end as cost_usd,
        sum(input_count) as input_count,
        case when sum(input_count) > 0 then sum(input_tokens) end as input_tokens,
        sum(output_count) as output_count,
        case when sum(output_count) > 0 then sum(output_tokens) end as output_tokens,
        sum(cache_read_count) as cache_read_count,
        case when sum(cache_read_count) > 0 then sum(cache_read_tokens) end as cache_read_tokens,
        sum(cache_write_count) as cache_write_count,
        case when sum(cache_write_count) > 0 then sum(cache_write_tokens) end as cache_write_tokens,
        flatten(list(duration_buckets)) as duration_buckets,
        flatten(list(first_token_buckets)) as first_token_buckets
    from old_groups
    group by all
    having sum(row_count) > 0
),

entries as (
    select
        group_number,
        true as is_duration,
        unnest(duration_buckets, recursive := true) -- noqa: AL03
    from numbered
    union all
    select
        group_number,
        false as is_duration,
        unnest(first_token_buckets, recursive := true) -- noqa: AL03
    from numbered
),

counted as (
    select
        group_number,
        is_duration,
        bucket,
        cast(sum(value_count) as integer) as value_count
    from entries
    group by all
    having sum(value_count) != 0
),

lists as (
    select
        group_number,
        list(struct_pack(bucket := bucket, value_count := value_count) order by bucket) filter (where is_duration)
            as duration_buckets,
        list(struct_pack(bucket := bucket, value_count := value_count) order by bucket) filter (where not is_duration)
            as first_token_buckets
    from counted
    group by group_number
)

select
    numbered.* exclude (group_number, duration_buckets, first_token_buckets),
    lists.duration_buckets,
    lists.first_token_buckets
from numbered
left join lists using (group_number)
order by numbered.begins_at, numbered.subject, numbered.kind, numbered.service
