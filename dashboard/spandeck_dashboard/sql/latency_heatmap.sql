-- grain: a sixtieth of the period and a step of a quarter of a power of ten of the duration of its model calls
-- params: since, until, service, model, agent
with
bounds as (
    select
        epoch_ms(cast($since as timestamp)) as since_ms,
        (epoch_ms(cast($until as timestamp)) - epoch_ms(cast($since as timestamp))) / 60 as width_ms
),

cells as (
    select
        cast(floor((epoch_ms(started_at) - since_ms) / width_ms) as bigint) as bucket,
        cast(floor(4 * log10(greatest(duration_ms, 1))) as bigint) as level,
        count(*) as call_count
    from llm_calls, bounds
    where
        kind = 'llm' and duration_ms is not null
        and started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and model is not distinct from coalesce($model, model)
        and agent_name is not distinct from coalesce($agent, agent_name)
    group by all
),

levels as (
    select
        min(level) as lowest,
        max(level) as highest
    from cells
)

select
    cast(since_ms + (buckets.bucket + 0.5) * width_ms as bigint) as middle_ms,
    cells.level - levels.lowest as row_number,
    levels.highest - levels.lowest + 1 as row_count,
    pow(10, levels.lowest / 4.0) as lowest_ms,
    cells.call_count,
    cells.call_count / max(cells.call_count) over () as share_of_fullest,
    buckets.bucket
from generate_series(0, 59) as buckets (bucket)
cross join bounds
cross join levels
left join cells on buckets.bucket = cells.bucket
order by middle_ms, row_number
