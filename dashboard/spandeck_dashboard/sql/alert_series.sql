-- grain: a 48th of the period with the alerts that fired in it, by severity
-- params: since, until, severity, state
with
bounds as (
    select
        epoch_ms(cast($since as timestamp)) as since_ms,
        (epoch_ms(cast($until as timestamp)) - epoch_ms(cast($since as timestamp))) / 48 as width_ms
),

fired as (
    select
        cast(floor((epoch_ms(fired_at) - since_ms) / width_ms) as bigint) as bucket,
        count(*) filter (where severity in ('critical', 'error')) as error_count,
        count(*) filter (where severity = 'warning') as warning_count,
        count(*) filter (where severity not in ('critical', 'error', 'warning')) as info_count
    from alerts, bounds
    where
        fired_at >= cast($since as timestamp) and fired_at < cast($until as timestamp)
        and severity is not distinct from coalesce($severity, severity)
        and state is not distinct from coalesce($state, state)
    group by bucket
)

select
    cast(since_ms + (buckets.bucket + 0.5) * width_ms as bigint) as middle_ms,
    coalesce(fired.error_count, 0) as error_count,
    coalesce(fired.warning_count, 0) as warning_count,
    coalesce(fired.info_count, 0) as info_count
from generate_series(0, 47) as buckets (bucket)
cross join bounds
left join fired on buckets.bucket = fired.bucket
order by middle_ms
