-- grain: one hour whose changes are merged next: from the oldest on as many as 50,000 rows allow, at least one
with hours as (
    select
        hour,
        count(*) as row_count
    from store.rollup_hour
    where hour in (select changed.hour from store.rollup_hour as changed where changed.is_delta)
    group by hour
),

summed as (
    select
        hour,
        row_count,
        sum(row_count) over (order by hour rows unbounded preceding) as row_sum
    from hours
)

select hour
from summed
where row_sum <= 50000 or row_sum = row_count
